//! `journey-no-sendclaims`: a relying party that never gets an answer.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Journey};

use super::own;

pub(super) static JOURNEY_NO_SENDCLAIMS: Rule = Rule {
    id: "journey-no-sendclaims",
    level: Level::Error,
    summary: "the journey of a relying party has no SendClaims step",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    let Some(flow) = view.flow() else {
        return;
    };
    // A sub journey that is not declared might hold the step.
    let journeys = std::iter::once(flow.journey()).chain(flow.sub_journeys());
    if !flow.is_certain() || journeys.into_iter().any(|journey| sends_claims(journey)) {
        return;
    }
    let journey = flow.journey();
    let reference = view
        .relying_party()
        .and_then(|relying_party| relying_party.child("DefaultUserJourney"));
    let declarations = journey.sites.iter().rev().copied();
    let places = declarations.map(|site| (site, "Id"));
    let places = places.chain(reference.map(|site| (site, "ReferenceId")));
    let Some((place, attribute)) = places.into_iter().find(|(site, _)| own([*site]).is_some())
    else {
        return;
    };
    findings.push(
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
    );
}

fn sends_claims(journey: &Journey<'_>) -> bool {
    journey
        .steps
        .iter()
        .any(|step| step.step_type() == Some("SendClaims"))
}
