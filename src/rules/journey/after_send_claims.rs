//! `sendclaims-not-last`: steps that no one reaches.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Journey};

use super::{here, settled};

pub(super) static SENDCLAIMS_NOT_LAST: Rule = Rule {
    id: "sendclaims-not-last",
    level: Level::Warning,
    summary: "steps follow a SendClaims step that always runs",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for journey in settled(view) {
        findings.extend(check_journey(view, journey));
    }
}

fn check_journey<'s>(view: &Effective<'s>, journey: &Journey<'s>) -> Option<Diagnostic> {
    // One that can be skipped, as before an error response, is none.
    let end = journey.steps.iter().find(|step| {
        step.step_type() == Some("SendClaims")
            && !step
                .sites
                .iter()
                .any(|site| site.child("Preconditions").is_some())
    })?;
    let after: Vec<_> = journey
        .steps
        .iter()
        .filter(|step| step.order > end.order)
        .collect();
    let first = after.first()?;
    let orders = after
        .iter()
        .map(|step| step.order.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let ending = end.sites.iter().rev().copied();
    let following = after
        .iter()
        .flat_map(|step| step.sites.iter().rev().copied());
    let place = here(view, ending.chain(following))?;
    let inherited = !std::ptr::eq(first.site().policy, view.policy());
    // A journey that was written anew and keeps the end of the old one: `journey-tail-inherited`.
    if inherited && journey.written_anew_to() == Some(end.order) {
        return None;
    }
    let finding = Diagnostic::new(
        &SENDCLAIMS_NOT_LAST,
        place.attribute_location("Order"),
        format!(
            "step {} of `{}` ends the journey; after it these steps never run: {orders}",
            end.order, journey.id
        ),
    )
    .related(
        first.site().attribute_location("Order"),
        "this step never runs",
    )
    .policy_id(view.policy().id());
    Some(if inherited {
        finding.help(format!(
            "`{}` declares a journey of this id too, and its later steps stay; give this journey \
             an id of its own",
            first.site().policy.id()
        ))
    } else {
        finding.help("make SendClaims the last step, or give it preconditions")
    })
}
