//! `journey-order-gap`: steps that are not numbered 1 to N.

use crate::diagnostics::{Diagnostic, Edit, Level, Rule};
use crate::policy::{Effective, Journey, Site, Step};

use super::{declared, here, service_word};

pub(super) static JOURNEY_ORDER_GAP: Rule = Rule {
    id: "journey-order-gap",
    level: Level::Error,
    summary: "the orders of a journey's steps are not 1 to N without a gap",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for journey in declared(view) {
        let negative = negative(view, journey);
        if negative.is_empty() {
            findings.extend(gap(view, journey));
        }
        findings.extend(negative);
    }
}

/// Orders below zero, which the schema admits and no journey has. What is no `xs:int` it reports itself.
fn negative<'s>(view: &Effective<'s>, journey: &Journey<'s>) -> Vec<Diagnostic> {
    let sites = journey
        .sites
        .iter()
        .filter(|site| here(view, [**site]).is_some());
    sites
        .flat_map(|site| site.items("OrchestrationSteps", "OrchestrationStep"))
        .filter(|step| {
            let order = step.attribute("Order").map(str::trim);
            order.is_some_and(|order| order.parse::<i32>().is_ok_and(|order| order < 0))
        })
        .map(|step| {
            Diagnostic::new(
                &JOURNEY_ORDER_GAP,
                step.attribute_location("Order"),
                format!("the steps of `{}` are counted from 1", journey.id),
            )
            .help("number the steps 1, 2, 3 … in the order in which they run")
            .policy_id(view.policy().id())
        })
        .collect()
}

fn gap<'s>(view: &Effective<'s>, journey: &Journey<'s>) -> Option<Diagnostic> {
    let (expected, step) = (1..)
        .zip(&journey.steps)
        .find(|(expected, step)| step.order != *expected)?;
    // A number that is there twice, or is none, is missing elsewhere; the schema reports the first.
    let has_number = |step: Site<'_>| {
        let order = step.attribute("Order").map(str::trim);
        order.is_some_and(|order| order.parse::<i32>().is_ok())
    };
    let mut steps = journey
        .sites
        .iter()
        .flat_map(|site| site.items("OrchestrationSteps", "OrchestrationStep"));
    if journey.steps.iter().any(Step::is_twice) || !steps.all(has_number) {
        return None;
    }
    // A step of an ancestor cannot have opened the gap here: nothing removes a step.
    let place = here(view, step.sites.iter().rev().copied())?;
    let policy = view.policy();
    let message = if step.order == 0 {
        format!("the steps of `{}` are counted from 1", journey.id)
    } else {
        format!(
            "`{}` has a step {}, but no step {expected}",
            journey.id, step.order
        )
    };
    let mut finding = Diagnostic::new(
        &JOURNEY_ORDER_GAP,
        place.attribute_location("Order"),
        message,
    )
    .help("number the steps 1, 2, 3 … without leaving a number out")
    .service_message(format!(
        "{} \"{}\" in policy \"{}\" of tenant \"{}\" was expected to have step with order \
         \"{expected}\" but it was not found.",
        service_word(journey.kind),
        journey.id,
        policy.id(),
        policy.tenant()
    ))
    .policy_id(policy.id());
    if let Some(previous) = journey.steps.iter().rfind(|other| other.order < step.order) {
        let site = previous.site();
        finding = finding.related(
            site.attribute_location("Order"),
            format!("the step before is {}", previous.order),
        );
    }
    Some(match renumber(view, journey) {
        Some(edits) => finding.fix(format!("renumber the steps of `{}`", journey.id), edits),
        None => finding,
    })
}

/// New orders, if no other policy of the set counts on the old ones.
fn renumber(view: &Effective<'_>, journey: &Journey<'_>) -> Option<Vec<Edit>> {
    let declarations = view
        .set()
        .iter()
        .flat_map(|(_, policy)| policy.declared(journey.kind, journey.id));
    if declarations.count() > 1 || journey.sites.len() > 1 {
        return None;
    }
    let mut edits = Vec::new();
    for (order, step) in (1..).zip(&journey.steps) {
        if step.order != order {
            edits.push(Edit {
                location: step.site().attribute_location("Order"),
                replacement: order.to_string(),
            });
        }
    }
    edits.sort_by_key(|edit| edit.location);
    Some(edits)
}
