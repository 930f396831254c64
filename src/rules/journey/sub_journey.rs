//! Sub journeys: what each type must and must not do, and the steps that invoke them.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Journey, Kind, Step};

use super::{here, settled};

pub(super) static SUBJOURNEY_CALL_SENDCLAIMS: Rule = Rule {
    id: "subjourney-call-sendclaims",
    level: Level::Warning,
    summary: "a sub journey of type Call sends claims instead of returning",
};

pub(super) static TRANSFER_NO_SENDCLAIMS: Rule = Rule {
    id: "transfer-no-sendclaims",
    level: Level::Error,
    summary: "a sub journey of type Transfer has no SendClaims step",
};

pub(super) static SUBJOURNEY_NESTING: Rule = Rule {
    id: "subjourney-nesting",
    level: Level::Warning,
    summary: "a sub journey invokes a sub journey",
};

pub(super) static INVOKE_NO_CANDIDATE: Rule = Rule {
    id: "invoke-no-candidate",
    level: Level::Error,
    summary: "an InvokeSubJourney step names no sub journey",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for journey in settled(view) {
        if journey.kind == Kind::SubJourney {
            findings.extend(call(view, journey));
            findings.extend(transfer(view, journey));
            findings.extend(nesting(view, journey));
        }
        for step in &journey.steps {
            findings.extend(no_candidate(view, journey, step));
        }
    }
}

fn call<'s>(view: &Effective<'s>, journey: &Journey<'s>) -> Option<Diagnostic> {
    if journey.attribute("Type") != Some("Call") {
        return None;
    }
    let step = send_claims(journey)?;
    let sites = step.sites.iter().rev().chain(journey.sites.iter().rev());
    let place = here(
        view,
        sites
            .copied()
            .filter(|site| site.attribute("Type").is_some()),
    )?;
    Some(
        Diagnostic::new(
            &SUBJOURNEY_CALL_SENDCLAIMS,
            place.attribute_location("Type"),
            format!(
                "sub journey `{}` is of type Call and must return to the journey that invokes it, \
                 but step {} sends claims",
                journey.id, step.order
            ),
        )
        .help("remove the step, or make the sub journey a Transfer")
        .policy_id(view.policy().id()),
    )
}

fn transfer<'s>(view: &Effective<'s>, journey: &Journey<'s>) -> Option<Diagnostic> {
    // A sub journey that it hands over to may send the claims.
    let hands_over = journey.steps.iter().any(|step| !step.candidates.is_empty());
    if journey.attribute("Type") != Some("Transfer")
        || send_claims(journey).is_some()
        || hands_over
        || view.declared_below(journey.kind, journey.id)
    {
        return None;
    }
    let place = here(view, journey.sites.iter().rev().copied())?;
    Some(
        Diagnostic::new(
            &TRANSFER_NO_SENDCLAIMS,
            place.attribute_location("Type"),
            format!(
                "sub journey `{}` is of type Transfer, so nothing runs after it, but it has no \
                 SendClaims step",
                journey.id
            ),
        )
        .help("end it with a SendClaims step, or make it a Call")
        .policy_id(view.policy().id()),
    )
}

fn nesting<'s>(view: &Effective<'s>, journey: &Journey<'s>) -> Option<Diagnostic> {
    let candidate = journey
        .steps
        .iter()
        .flat_map(|step| &step.candidates)
        .next()?;
    let place = here(view, [*candidate])?;
    Some(
        Diagnostic::new(
            &SUBJOURNEY_NESTING,
            place.attribute_location("SubJourneyReferenceId"),
            format!(
                "sub journey `{}` invokes sub journey `{}`",
                journey.id,
                place.attribute("SubJourneyReferenceId").unwrap_or_default()
            ),
        )
        .help("only user journeys should invoke sub journeys; repeat the steps here instead")
        .policy_id(view.policy().id()),
    )
}

fn no_candidate<'s>(
    view: &Effective<'s>,
    journey: &Journey<'s>,
    step: &Step<'s>,
) -> Option<Diagnostic> {
    if step.step_type() != Some("InvokeSubJourney")
        || !step.candidates.is_empty()
        || view.declared_below(journey.kind, journey.id)
    {
        return None;
    }
    let typed = step.sites.iter().rev().copied();
    let typed = typed.filter(|site| site.attribute("Type").is_some());
    let place = here(view, typed.chain(journey.sites.iter().rev().copied()))?;
    Some(
        Diagnostic::new(
            &INVOKE_NO_CANDIDATE,
            place.location(place.element.tag_span()),
            format!(
                "step {} of `{}` is to invoke a sub journey but names none",
                step.order, journey.id
            ),
        )
        .help("add JourneyList/Candidate with the SubJourneyReferenceId")
        .policy_id(view.policy().id()),
    )
}

fn send_claims<'j, 's>(journey: &'j Journey<'s>) -> Option<&'j Step<'s>> {
    journey
        .steps
        .iter()
        .find(|step| step.step_type() == Some("SendClaims"))
}
