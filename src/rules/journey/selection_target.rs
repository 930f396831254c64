//! `selection-target`: a claims provider selection that leads nowhere.

use crate::diagnostics::{Diagnostic, KnownNames, Level, Location, Rule};
use crate::policy::{Effective, Journey, Selection, Step};

use super::settled;

/// A selection names no exchange, two, or one that is not where it must be.
pub(super) static SELECTION_TARGET: Rule = Rule {
    id: "selection-target",
    level: Level::Error,
    summary: "a claims provider selection names no claims exchange of the next or the same step",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for journey in settled(view) {
        for step in &journey.steps {
            for selection in &step.selections {
                findings.extend(
                    check_selection(view, journey, step, selection)
                        .map(|finding| finding.policy_id(view.policy().id())),
                );
            }
        }
    }
}

fn check_selection(
    view: &Effective<'_>,
    journey: &Journey<'_>,
    step: &Step<'_>,
    selection: &Selection<'_>,
) -> Option<Diagnostic> {
    let (attribute, id, there, place) = match (selection.target, selection.validation) {
        (Some(id), None) => (
            "TargetClaimsExchangeId",
            id,
            journey.step(step.order + 1),
            format!("step {}, which follows", step.order + 1),
        ),
        (None, Some(id)) => (
            "ValidationClaimsExchangeId",
            id,
            Some(step),
            format!("this step ({})", step.order),
        ),
        (target, _) => {
            let count = if target.is_some() { "both" } else { "neither" };
            let location = selection.site.location(selection.site.element.tag_span());
            return Some(
                Diagnostic::new(
                    &SELECTION_TARGET,
                    location,
                    format!(
                        "a claims provider selection needs TargetClaimsExchangeId or \
                         ValidationClaimsExchangeId; this one has {count}"
                    ),
                )
                .help(
                    "TargetClaimsExchangeId names an exchange of the next step, \
                     ValidationClaimsExchangeId one of the same step",
                ),
            );
        }
    };
    if there.is_some_and(|step| step.exchange(id).is_some()) {
        return None;
    }
    let location = selection.site.attribute_location(attribute);
    let finding = Diagnostic::new(
        &SELECTION_TARGET,
        location,
        format!("claims exchange `{id}` is not in {place}"),
    )
    .service_message(format!(
        "ClaimsExchange with id \"{id}\" is referenced in UserJourney with id \"{}\" in policy \
         \"{}\" of tenant \"{}\", but it was not found.",
        journey.id,
        view.policy().id(),
        view.policy().tenant()
    ));
    let elsewhere = journey
        .steps
        .iter()
        .find_map(|step| Some((step.order, step.exchange(id)?)));
    if let Some((order, exchange)) = elsewhere {
        let place: Location = exchange.site.attribute_location("Id");
        return Some(
            finding
                .related(place, format!("it is in step {order}"))
                .help("move the exchange, or renumber the steps"),
        );
    }
    let known = there.iter().flat_map(|step| &step.exchanges);
    let known: Vec<_> = known.map(|exchange| exchange.id).collect();
    Some(finding.did_you_mean(location, id, &KnownNames::new(known)))
}
