//! `flow-required-input`, `flow-rp-output` and `flow-optional-input`: claims that are asked for but
//! that no step can have yielded.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{
    Claim, Effective, Exchange, Flow, Journey, Kind, Site, Step, TechnicalProfile,
};

use super::{doubt_unless_declared, own};

pub(super) static FLOW_REQUIRED_INPUT: Rule = Rule {
    id: "flow-required-input",
    level: Level::Error,
    summary: "a step's technical profile requires a claim that no earlier step yields",
};

pub(super) static FLOW_RP_OUTPUT: Rule = Rule {
    id: "flow-rp-output",
    level: Level::Error,
    summary: "the relying party asks for a claim that no step yields",
};

pub(super) static FLOW_OPTIONAL_INPUT: Rule = Rule {
    id: "flow-optional-input",
    level: Level::Hint,
    summary: "a relying party's own technical profile takes a claim that no step yields",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(flow) = view.flow() else {
        return;
    };
    // What leads nowhere is reported as such; what it would have yielded is not known.
    if !flow.is_certain() {
        return;
    }
    let start = findings.len();
    let main = flow.journey();
    for call in calls(view, flow, main) {
        inputs(&call, findings);
    }
    for journey in flow.sub_journeys() {
        for call in calls(view, flow, journey) {
            sub_journey_inputs(&call, findings);
        }
    }
    rp_outputs(view, flow, findings);
    doubt_unless_declared(view, flow, findings, start);
}

/// A claims exchange of a step, and the technical profile that it runs.
struct Call<'v, 's> {
    view: &'v Effective<'s>,
    flow: &'v Flow<'s>,
    journey: &'v Journey<'s>,
    step: &'v Step<'s>,
    exchange: &'v Exchange<'s>,
    profile: Rc<TechnicalProfile<'s>>,
}

fn calls<'v, 's>(
    view: &'v Effective<'s>,
    flow: &'v Flow<'s>,
    journey: &'v Journey<'s>,
) -> impl Iterator<Item = Call<'v, 's>> {
    let exchanges = (journey.steps.iter())
        .flat_map(|step| step.exchanges.iter().map(move |exchange| (step, exchange)));
    exchanges.filter_map(move |(step, exchange)| {
        Some(Call {
            view,
            flow,
            journey,
            step,
            exchange,
            profile: view.technical_profile(exchange.technical_profile?)?,
        })
    })
}

fn is_required(claim: &Claim<'_>) -> bool {
    matches!(claim.attribute("Required"), Some("true" | "1"))
}

/// Whether an input claim of a profile has neither a default value nor a claims transformation of the
/// profile itself to come from. That a claim is not declared is said already.
fn is_open<'s>(view: &Effective<'s>, profile: &TechnicalProfile<'s>, claim: &Claim<'s>) -> bool {
    let is_prepared = || {
        let prepared = view.transformation_outputs(&profile.input_claims_transformations);
        let mut prepared = prepared.iter();
        prepared.any(|id| id.eq_ignore_ascii_case(claim.claim_type))
    };
    claim.attribute("DefaultValue").is_none()
        && view.declares(Kind::ClaimType, claim.claim_type)
        && !is_prepared()
}

fn inputs(call: &Call<'_, '_>, findings: &mut Vec<Diagnostic>) {
    let Call {
        view,
        flow,
        journey,
        step,
        profile,
        ..
    } = call;
    let is_own = std::ptr::eq(profile.site().policy, view.policy());
    for claim in &profile.input_claims {
        let id = claim.claim_type;
        if flow.exists_before(id, step.order) {
            continue;
        }
        if is_required(claim) {
            if !is_open(view, profile, claim) {
                continue;
            }
            let service = format!(
                "Claim type \"{id}\" is the input claim of technical profile \"{}\" in step \"{}\" of \
                 user journey \"{}\" but it is not an output claim in any of the previous steps.",
                profile.id, step.order, journey.id
            );
            let finding = required(call, claim, flow.exists(id));
            findings.extend(finding.map(|finding| finding.service_message(service)));
        } else if is_own
            && !flow.exists(id)
            && flow.kept(id).is_none()
            && is_open(view, profile, claim)
        {
            let site = claim.site();
            findings.push(
                Diagnostic::new(
                    &FLOW_OPTIONAL_INPUT,
                    profile.site().attribute_location("Id"),
                    format!(
                        "`{}` takes claim `{id}`, which no step of `{}` yields",
                        profile.id, journey.id
                    ),
                )
                .related(
                    site.attribute_location("ClaimTypeReferenceId"),
                    "taken here",
                )
                .policy_id(view.policy().id()),
            );
        }
    }
}

/// Whether the service looks into sub journeys is not known, so this much is only likely wrong.
fn sub_journey_inputs(call: &Call<'_, '_>, findings: &mut Vec<Diagnostic>) {
    for claim in &call.profile.input_claims {
        let is_missed = !call.flow.exists(claim.claim_type) && is_required(claim);
        if is_missed && is_open(call.view, &call.profile, claim) {
            let finding = required(call, claim, false);
            findings.extend(finding.map(|finding| finding.level(Level::Warning)));
        }
    }
}

fn required(call: &Call<'_, '_>, claim: &Claim<'_>, later: bool) -> Option<Diagnostic> {
    let reference = call
        .view
        .relying_party()
        .and_then(|relying_party| relying_party.child("DefaultUserJourney"));
    let asked = claim.sites.iter().rev().copied();
    let asked = asked.filter(|site| site.attribute("Required").is_some());
    let place = own(std::iter::once(call.exchange.site)
        .chain(asked)
        .chain(reference))?;
    let location = match place.element.name() {
        "ClaimsExchange" => place.attribute_location("TechnicalProfileReferenceId"),
        "InputClaim" => place.attribute_location("ClaimTypeReferenceId"),
        _ => place.attribute_location("ReferenceId"),
    };
    let finding = Diagnostic::new(
        &FLOW_REQUIRED_INPUT,
        location,
        format!(
            "`{}` in step {} of `{}` requires claim `{}`, which no earlier step yields",
            call.profile.id, call.step.order, call.journey.id, claim.claim_type
        ),
    )
    .related(
        claim.site().attribute_location("ClaimTypeReferenceId"),
        "required here",
    )
    .related(
        call.exchange
            .site
            .attribute_location("TechnicalProfileReferenceId"),
        format!("step {} of `{}`", call.step.order, call.journey.id),
    )
    .cause(claim.site().tag_location())
    .policy_id(place.policy.id());
    Some(if let Some(kept) = call.flow.kept(claim.claim_type) {
        finding.help(format!(
            "a validation technical profile of page `{}` yields it, but the page keeps it: add it to \
             the output claims of the page",
            kept.page
        ))
    } else if later {
        finding.help("a later step yields it: move that step to the front, or this one to the end")
    } else {
        finding.help(format!(
            "add the step that yields `{}` as output claim, or leave this step out",
            claim.claim_type
        ))
    })
}

fn rp_outputs<'s>(view: &Effective<'s>, flow: &Flow<'s>, findings: &mut Vec<Diagnostic>) {
    let Some(profile) = view
        .relying_party()
        .and_then(|relying_party| relying_party.child("TechnicalProfile"))
    else {
        return;
    };
    let journey = flow.journey();
    for claim in profile.items("OutputClaims", "OutputClaim") {
        let Some(id) = claim.attribute("ClaimTypeReferenceId") else {
            continue;
        };
        if claim.attribute("DefaultValue").is_some()
            || flow.exists(id)
            || !view.declares(Kind::ClaimType, id)
        {
            continue;
        }
        // A profile that the relying party includes could bring a default value.
        if profile.child("IncludeTechnicalProfile").is_some() {
            continue;
        }
        let finding = Diagnostic::new(
            &FLOW_RP_OUTPUT,
            claim.attribute_location("ClaimTypeReferenceId"),
            format!(
                "the relying party asks for claim `{id}`, but no step of `{}` yields it",
                journey.id
            ),
        )
        .service_message(format!(
            "Claim type \"{id}\" is the output claim of the relying party's technical profile, but \
             it is not an output claim in any of the steps of user journey \"{}\".",
            journey.id
        ))
        .policy_id(view.policy().id());
        let finding = match yielded_by_validation(view, id) {
            Some(site) => finding
                .related(
                    site.attribute_location("ClaimTypeReferenceId"),
                    "yielded by a validation technical profile",
                )
                .help(
                    "what a validation technical profile yields reaches the journey only if the \
                     self-asserted profile repeats it among its own output claims",
                ),
            None => finding.help(
                "add it to the output claims of a technical profile of the journey, give it a \
                 DefaultValue, or remove it",
            ),
        };
        findings.push(if flow.sub_journeys().is_empty() {
            finding
        } else {
            // Whether the service counts what sub journeys yield is not known.
            finding.level(Level::Warning)
        });
    }
}

/// Where a profile that only validates yields the claim.
fn yielded_by_validation<'s>(view: &Effective<'s>, id: &str) -> Option<Site<'s>> {
    let profiles = &view.execution()?.profiles;
    profiles.iter().find_map(|executed| {
        let mut claims = executed.profile.output_claims.iter();
        claims
            .find(|claim| claim.claim_type.eq_ignore_ascii_case(id))
            .map(Claim::site)
    })
}
