//! `sa-output-no-source`: an output claim of a self-asserted profile that nothing fills.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Claim, Effective, Executed, Kind, Site, TechnicalProfile, Use};
use crate::rules::{UNDECLARED_CLAIM, doubt_while};

pub(super) static SA_OUTPUT_NO_SOURCE: Rule = Rule {
    id: "sa-output-no-source",
    level: Level::Error,
    summary: "an output claim of a self-asserted profile can neither be entered nor is filled otherwise",
};

const HANDLER: &str = "Web.TPEngine.Providers.SelfAssertedAttributeProvider";

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(execution) = view.execution() else {
        return;
    };
    if !view.is_complete() {
        return;
    }
    for executed in &execution.profiles {
        let profile = &executed.profile;
        // With display claims the service leaves output claims alone.
        if profile.handler() != Some(HANDLER)
            || !profile.display_claims.is_empty()
            || profile.include_cycle.is_some()
        {
            continue;
        }
        let exchange = executed.uses.iter().find(|(by, _)| *by == Use::Exchange);
        let Some(&(_, exchange)) = exchange else {
            continue;
        };
        let Some(filled) = filled(view, profile) else {
            continue;
        };
        let start = findings.len();
        for claim in &profile.output_claims {
            if is_sourceless(view, claim, &filled) {
                findings.extend(report(view, executed, exchange, claim));
            }
        }
        // What is not declared is reported as such, and may stand for what is missing.
        let is_declared = |claim: &&str| view.declares(Kind::ClaimType, claim);
        if findings.len() > start && !filled.iter().all(is_declared) {
            doubt_while(UNDECLARED_CLAIM, &mut findings[start..]);
        }
    }
}

/// The claims that the profile's validation technical profiles and claims transformations fill;
/// `None` if one of those profiles and transformations is not declared.
fn filled<'s>(view: &Effective<'s>, profile: &TechnicalProfile<'s>) -> Option<Vec<&'s str>> {
    let mut filled = Vec::new();
    transformed(view, profile, &mut filled)?;
    for validation in &profile.validation_technical_profiles {
        let validation = view.technical_profile(validation.attribute("ReferenceId")?)?;
        filled.extend(
            validation
                .output_claims
                .iter()
                .map(|claim| claim.claim_type),
        );
        transformed(view, &validation, &mut filled)?;
    }
    Some(filled)
}

fn transformed<'s>(
    view: &Effective<'s>,
    profile: &TechnicalProfile<'s>,
    claims: &mut Vec<&'s str>,
) -> Option<()> {
    view.declared_outputs(&profile.output_claims_transformations, claims)?;
    view.declared_outputs(&profile.input_claims_transformations, claims)
}

fn is_sourceless(view: &Effective<'_>, claim: &Claim<'_>, filled: &[&str]) -> bool {
    let id = claim.claim_type;
    claim.attribute("DefaultValue").is_none()
        && !filled.iter().any(|known| known.eq_ignore_ascii_case(id))
        && view.declares(Kind::ClaimType, id)
        && view
            .merged_child(Kind::ClaimType, id, "UserInputType")
            .is_none()
}

fn report<'s>(
    view: &Effective<'s>,
    executed: &Executed<'s>,
    exchange: Site<'s>,
    claim: &Claim<'s>,
) -> Option<Diagnostic> {
    let reference = view
        .relying_party()
        .and_then(|relying_party| relying_party.child("DefaultUserJourney"));
    let sites = claim.sites.iter().rev().copied();
    let mut places = sites.chain([exchange]).chain(reference);
    let place = places.find(Site::is_own)?;
    let location = match place.element.name() {
        "OutputClaim" => place.attribute_location("ClaimTypeReferenceId"),
        "ClaimsExchange" => place.attribute_location("TechnicalProfileReferenceId"),
        _ => place.attribute_location("ReferenceId"),
    };
    let profile = &executed.profile;
    let id = claim.claim_type;
    Some(
        Diagnostic::new(
            &SA_OUTPUT_NO_SOURCE,
            location,
            format!(
                "output claim `{id}` of `{}` can neither be entered by the user nor is it filled \
                 otherwise",
                profile.id
            ),
        )
        .help(format!(
            "give claim type `{id}` a UserInputType, give the output claim a DefaultValue, or let a \
             validation technical profile of `{}` yield it",
            profile.id
        ))
        .service_message(format!(
            "Output claim type \"{id}\" specified in the technical profile with id \"{}\" in policy \
             \"{}\" of tenant \"{}\" does not specify a UserInputType or a DefaultValue, and is not \
             retrieved from a ValidationTechnicalProfile either.",
            profile.id,
            place.policy.id(),
            place.policy.tenant()
        ))
        .cause(claim.site().tag_location())
        .policy_id(place.policy.id()),
    )
}
