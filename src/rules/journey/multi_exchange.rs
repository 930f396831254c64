//! `journey-multi-exchange`: a choice between claims exchanges that nobody offers.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Journey, Step};

use super::{here, is_selection, service_word, settled};

pub(super) static JOURNEY_MULTI_EXCHANGE: Rule = Rule {
    id: "journey-multi-exchange",
    level: Level::Error,
    summary: "a step has several claims exchanges but no claims provider selection before it",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for journey in settled(view) {
        for step in &journey.steps {
            findings.extend(check_step(view, journey, step));
        }
    }
}

fn check_step<'s>(
    view: &Effective<'s>,
    journey: &Journey<'s>,
    step: &Step<'s>,
) -> Option<Diagnostic> {
    let count = step.exchanges.len();
    if count < 2 || step.step_type() != Some("ClaimsExchange") || !step.selections.is_empty() {
        return None;
    }
    let previous = step
        .order
        .checked_sub(1)
        .and_then(|order| journey.step(order));
    if previous.is_some_and(|previous| is_selection(previous.step_type())) {
        return None;
    }
    // The exchange that is one too many, else whatever changed a type.
    let exchanges = step.exchanges.iter().skip(1).map(|exchange| exchange.site);
    let steps = previous.into_iter().chain([step]);
    let sites = steps.flat_map(|step| step.sites.iter().rev().copied());
    let retyped = sites.filter(|site| site.attribute("Type").is_some());
    let place = here(view, exchanges)
        .map(|site| (site, "Id"))
        .or_else(|| Some((here(view, retyped)?, "Type")))?;
    let policy = view.policy();
    let mut finding = Diagnostic::new(
        &JOURNEY_MULTI_EXCHANGE,
        place.0.attribute_location(place.1),
        format!(
            "step {} of `{}` has {count} claims exchanges, but the step before it lets the user \
             choose nothing",
            step.order, journey.id
        ),
    )
    .service_message(format!(
        "{} \"{}\" in policy \"{}\" of tenant \"{}\" has step {} with {count} claims exchanges. It \
         must be preceded by a claims provider selection in order to determine which claims \
         exchange can be used.",
        service_word(journey.kind),
        journey.id,
        policy.id(),
        policy.tenant(),
        step.order
    ))
    .policy_id(policy.id());
    let inherited = step
        .exchanges
        .iter()
        .find(|exchange| !std::ptr::eq(exchange.site.policy, policy));
    finding = match inherited {
        Some(exchange) => finding
            .related(
                exchange.site.attribute_location("Id"),
                format!("inherited from `{}`", exchange.site.policy.id()),
            )
            .help(
                "steps of the same order merge with those that the base declares, and their claims \
                 exchanges add up: give the journey an id of its own, or use the exchange's id to \
                 override it",
            ),
        None => finding.help("put each exchange into a step of its own, with preconditions"),
    };
    Some(finding)
}
