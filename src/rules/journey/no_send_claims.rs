//! `journey-no-sendclaims`: a relying party that never gets an answer.

use std::collections::HashSet;
use std::rc::Rc;

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Journey, Kind};
use crate::schema::STEP_TYPES;

use super::own;

pub(super) static JOURNEY_NO_SENDCLAIMS: Rule = Rule {
    id: "journey-no-sendclaims",
    level: Level::Error,
    summary: "the journey of a relying party has no SendClaims step",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(execution) = view.execution() else {
        return;
    };
    if !view.is_complete() {
        return;
    }
    // Besides the default journey those of endpoints, of refresh tokens and of client credentials.
    for journey in &execution.user_journeys {
        if !answers(view, journey) {
            findings.extend(report(view, journey));
        }
    }
}

/// Whether the journey, or a sub journey that it invokes, sends claims. One that is not declared
/// might, and so might a step that is mistyped or misnumbered.
fn answers<'s>(view: &Effective<'s>, journey: &Rc<Journey<'s>>) -> bool {
    let mut seen = HashSet::new();
    let mut waiting = vec![Rc::clone(journey)];
    while let Some(journey) = waiting.pop() {
        for step in &journey.steps {
            let known = step
                .step_type()
                .filter(|known| STEP_TYPES.contains(known) && !step.is_twice());
            if known.is_none_or(|known| known == "SendClaims") {
                return true;
            }
            for candidate in &step.candidates {
                let id = candidate.attribute("SubJourneyReferenceId");
                let invoked = id.and_then(|id| view.journey(Kind::SubJourney, id));
                let Some(invoked) = invoked else {
                    return true;
                };
                if seen.insert(invoked.id) {
                    waiting.push(invoked);
                }
            }
        }
    }
    false
}

fn report<'s>(view: &Effective<'s>, journey: &Journey<'s>) -> Option<Diagnostic> {
    let declarations = journey.sites.iter().rev().copied();
    let (place, attribute) = match own(declarations) {
        Some(site) => (site, "Id"),
        None => (
            view.relying_party()?.child("DefaultUserJourney")?,
            "ReferenceId",
        ),
    };
    Some(
        Diagnostic::new(
            &JOURNEY_NO_SENDCLAIMS,
            place.attribute_location(attribute),
            format!(
                "user journey `{}` serves a relying party but has no SendClaims step",
                journey.id
            ),
        )
        .help("end it with a step of type SendClaims that names a token issuer")
        .service_message(format!(
            "User journey '{}' does not contain a send claims step.",
            journey.id
        ))
        .policy_id(place.policy.id()),
    )
}
