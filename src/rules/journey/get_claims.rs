//! `getclaims-first`: taking claims from the request.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Journey};

use super::{here, settled};

pub(super) static GETCLAIMS_FIRST: Rule = Rule {
    id: "getclaims-first",
    level: Level::Warning,
    summary: "a GetClaims step is not the first, names no technical profile, or the relying party takes no \
              input claims",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for journey in settled(view) {
        findings.extend(not_first(view, journey));
        findings.extend(no_profile(view, journey));
    }
    if view.is_complete() {
        findings.extend(no_input_claims(view));
    }
}

fn not_first<'s>(view: &Effective<'s>, journey: &Journey<'s>) -> Option<Diagnostic> {
    let step = journey
        .steps
        .iter()
        .find(|step| step.step_type() == Some("GetClaims") && step.order > 1)?;
    let place = here(view, step.sites.iter().rev().copied())?;
    Some(
        Diagnostic::new(
            &GETCLAIMS_FIRST,
            place.attribute_location("Order"),
            format!(
                "step {} of `{}` reads claims from the request; it must be the first step",
                step.order, journey.id
            ),
        )
        .help("move the GetClaims step to the front and renumber the others")
        .policy_id(view.policy().id()),
    )
}

fn no_profile<'s>(view: &Effective<'s>, journey: &Journey<'s>) -> Option<Diagnostic> {
    let step = journey.step(1)?;
    let attribute = "CpimIssuerTechnicalProfileReferenceId";
    if step.step_type() != Some("GetClaims") || step.attribute(attribute).is_some() {
        return None;
    }
    let place = here(view, step.sites.iter().rev().copied())?;
    Some(
        Diagnostic::new(
            &GETCLAIMS_FIRST,
            place.location(place.element.tag_span()),
            format!(
                "step 1 of `{}` reads claims from the request, but names no technical profile that \
                 says which and how",
                journey.id
            ),
        )
        .help(format!(
            "name the profile of the id_token_hint with {attribute}"
        ))
        .policy_id(view.policy().id()),
    )
}

fn no_input_claims(view: &Effective<'_>) -> Option<Diagnostic> {
    let flow = view.flow()?;
    let step = flow.journey().steps.iter().find(|step| {
        step.step_type() == Some("GetClaims")
            && step
                .attribute("CpimIssuerTechnicalProfileReferenceId")
                .is_some()
    })?;
    let profile = view.relying_party()?.child("TechnicalProfile")?;
    if profile.items("InputClaims", "InputClaim").next().is_some() {
        return None;
    }
    Some(
        Diagnostic::new(
            &GETCLAIMS_FIRST,
            profile.location(profile.element.tag_span()),
            format!(
                "step {} of `{}` reads claims from an id_token_hint, but the relying party has no \
                 InputClaims",
                step.order,
                flow.journey().id
            ),
        )
        .related(
            step.site().location(step.site().element.tag_span()),
            "the GetClaims step",
        )
        .help("repeat the claims of the id_token_hint as InputClaims of the relying party")
        .policy_id(view.policy().id()),
    )
}
