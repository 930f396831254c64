//! `selection-next-not-exchange` and `selection-content-definition`: what a step needs that lets the
//! user choose.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Journey, Site, Step};

use super::{here, is_selection, settled};

pub(super) static SELECTION_NEXT_NOT_EXCHANGE: Rule = Rule {
    id: "selection-next-not-exchange",
    level: Level::Error,
    summary: "the step after a claims provider selection is no ClaimsExchange",
};

pub(super) static SELECTION_CONTENT_DEFINITION: Rule = Rule {
    id: "selection-content-definition",
    level: Level::Error,
    summary: "a step that lets the user choose names no content definition",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for journey in settled(view) {
        for step in &journey.steps {
            if is_selection(step.step_type()) {
                findings.extend(next(view, journey, step));
                findings.extend(content_definition(view, journey, step));
            }
        }
    }
}

fn typed<'s>(step: &Step<'s>) -> impl Iterator<Item = Site<'s>> {
    let sites = step.sites.iter().rev().copied();
    sites.filter(|site| site.attribute("Type").is_some())
}

fn next<'s>(view: &Effective<'s>, journey: &Journey<'s>, step: &Step<'s>) -> Option<Diagnostic> {
    let next = journey.step(step.order.checked_add(1)?)?;
    let next_type = next.step_type()?;
    if next_type == "ClaimsExchange" {
        return None;
    }
    let place = here(view, typed(next).chain(typed(step)))?;
    let policy = view.policy();
    let selection = typed(step).next()?;
    Some(
        Diagnostic::new(
            &SELECTION_NEXT_NOT_EXCHANGE,
            place.attribute_location("Type"),
            format!(
                "step {} of `{}` follows a claims provider selection and must be a ClaimsExchange, \
                 but is a {next_type}",
                next.order, journey.id
            ),
        )
        .related(
            selection.attribute_location("Type"),
            format!("step {} lets the user choose", step.order),
        )
        .help("the claims exchanges that the user can choose stand in the step right after it")
        .service_message(format!(
            "Orchestration step order \"{}\" in user journey \"{}\" in policy \"{}\" of tenant \
             \"{}\" is followed by a claims provider selection step and must be a claims exchange, \
             but it is of type \"{next_type}\".",
            next.order,
            journey.id,
            policy.id(),
            policy.tenant()
        ))
        .policy_id(policy.id()),
    )
}

fn content_definition<'s>(
    view: &Effective<'s>,
    journey: &Journey<'s>,
    step: &Step<'s>,
) -> Option<Diagnostic> {
    if step.attribute("ContentDefinitionReferenceId").is_some() {
        return None;
    }
    let place = here(view, typed(step))?;
    let step_type = step.step_type()?;
    Some(
        Diagnostic::new(
            &SELECTION_CONTENT_DEFINITION,
            place.location(place.element.tag_span()),
            format!(
                "step {} of `{}` is a {step_type} and needs a ContentDefinitionReferenceId",
                step.order, journey.id
            ),
        )
        .help(
            "the page on which the user chooses belongs to no technical profile, so the step must \
             name it, for example `api.signuporsignin` or `api.idpselections`",
        )
        .policy_id(view.policy().id()),
    )
}
