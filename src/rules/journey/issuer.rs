//! `sendclaims-issuer` and `rp-protocol-issuer`: who issues the token, and in which format.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Journey, Kind, Site, Step};

use super::own;

pub(super) static SENDCLAIMS_ISSUER: Rule = Rule {
    id: "sendclaims-issuer",
    level: Level::Error,
    summary: "a SendClaims step has no token issuer, or one that issues no token",
};

pub(super) static RP_PROTOCOL_ISSUER: Rule = Rule {
    id: "rp-protocol-issuer",
    level: Level::Warning,
    summary: "the token issuer does not fit the protocol of the relying party",
};

const STEP: &str = "CpimIssuerTechnicalProfileReferenceId";
const DEFAULT: &str = "DefaultCpimIssuerTechnicalProfileReferenceId";

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(execution) = view.execution() else {
        return;
    };
    if !view.is_complete() {
        return;
    }
    // A sub journey can use the issuer of the journey that invokes it.
    let some_default = execution
        .user_journeys
        .iter()
        .any(|journey| journey.attribute(DEFAULT).is_some());
    for journey in execution.journeys() {
        let has_default = journey.attribute(DEFAULT).is_some()
            || (journey.kind == Kind::SubJourney && some_default);
        for step in send_claims(journey) {
            match issuer(journey, step) {
                Some((site, attribute, id)) => {
                    findings.extend(no_issuer_profile(view, journey, step, site, attribute, id));
                }
                None if has_default => {}
                None => findings.extend(no_issuer(view, journey, step)),
            }
        }
        if !has_default {
            findings.extend(different_issuers(journey));
        }
    }
    findings.extend(other_format(view));
}

fn send_claims<'j, 's>(journey: &'j Journey<'s>) -> impl Iterator<Item = &'j Step<'s>> {
    journey
        .steps
        .iter()
        .filter(|step| step.step_type() == Some("SendClaims"))
}

/// The issuer of a step: where it is named, by which attribute, and its id.
fn issuer<'s>(journey: &Journey<'s>, step: &Step<'s>) -> Option<(Site<'s>, &'static str, &'s str)> {
    let nearest = |sites: &[Site<'s>], attribute: &'static str| {
        let mut sites = sites.iter().rev();
        sites.find_map(|&site| Some((site, attribute, site.attribute(attribute)?)))
    };
    nearest(&step.sites, STEP).or_else(|| nearest(&journey.sites, DEFAULT))
}

/// Where to report: the user's own file nearest to the mistake, else the relying party.
fn place<'s>(view: &Effective<'s>, sites: impl IntoIterator<Item = Site<'s>>) -> Option<Site<'s>> {
    own(sites).or_else(|| view.relying_party()?.child("DefaultUserJourney"))
}

fn no_issuer<'s>(
    view: &Effective<'s>,
    journey: &Journey<'s>,
    step: &Step<'s>,
) -> Option<Diagnostic> {
    let place = place(view, step.sites.iter().rev().copied())?;
    Some(
        Diagnostic::new(
            &SENDCLAIMS_ISSUER,
            place.location(place.element.tag_span()),
            format!(
                "step {} of `{}` sends claims, but neither it nor the journey names a token issuer",
                step.order, journey.id
            ),
        )
        .help(format!("name one with {STEP}, for example `JwtIssuer`"))
        .service_message(format!(
            "AADB2C90108: The orchestration step '{}' does not specify a \
             CpimIssuerTechnicalProfileReferenceId when one was expected.",
            step.order
        ))
        .policy_id(place.policy.id()),
    )
}

fn no_issuer_profile<'s>(
    view: &Effective<'s>,
    journey: &Journey<'s>,
    step: &Step<'s>,
    site: Site<'s>,
    attribute: &'static str,
    id: &str,
) -> Option<Diagnostic> {
    let profile = view.technical_profile(id)?;
    if profile.child("OutputTokenFormat").is_some() || profile.include_cycle.is_some() {
        return None;
    }
    // A provider of claims cannot issue tokens; of other profiles only the format is missing.
    let level = if profile.protocol() == Some("Proprietary") {
        Level::Error
    } else {
        Level::Warning
    };
    let place = place(view, [site])?;
    let location = if place.element.id() == site.element.id() && site.is_own() {
        site.attribute_location(attribute)
    } else {
        place.location(place.element.tag_span())
    };
    let declared = profile.site();
    Some(
        Diagnostic::new(
            &SENDCLAIMS_ISSUER,
            location,
            format!(
                "step {} of `{}` sends claims through `{}`, which has no OutputTokenFormat and \
                 issues no token",
                step.order, journey.id, profile.id
            ),
        )
        .level(level)
        .related(declared.attribute_location("Id"), "declared here")
        .help("name a token issuer: a profile with OutputTokenFormat JWT or SAML2")
        .policy_id(place.policy.id()),
    )
}

/// Steps that issue different tokens, without a word on which of them is the journey's.
fn different_issuers(journey: &Journey<'_>) -> Option<Diagnostic> {
    let mut issuers = send_claims(journey).filter_map(|step| issuer(journey, step));
    let first = issuers.next()?;
    let other = issuers.find(|other| !other.2.eq_ignore_ascii_case(first.2))?;
    let place = own(journey.sites.iter().rev().copied())?;
    Some(
        Diagnostic::new(
            &SENDCLAIMS_ISSUER,
            place.attribute_location("Id"),
            format!(
                "`{}` sends claims through `{}` and through `{}`, but does not say which is its \
                 token issuer",
                journey.id, first.2, other.2
            ),
        )
        .level(Level::Warning)
        .related(first.0.attribute_location(first.1), "one issuer")
        .related(other.0.attribute_location(other.1), "another one")
        .help(format!(
            "name the issuer of the tokens with {DEFAULT} on the user journey"
        ))
        .policy_id(place.policy.id()),
    )
}

fn other_format(view: &Effective<'_>) -> Option<Diagnostic> {
    let flow = view.flow()?;
    let protocol = view
        .relying_party()?
        .child("TechnicalProfile")?
        .child("Protocol")?;
    let expected = match protocol.attribute("Name")? {
        "OpenIdConnect" => "JWT",
        "SAML2" => "SAML2",
        _ => return None,
    };
    let journey = flow.journey();
    let mut formats = Vec::new();
    for step in send_claims(journey) {
        let (_, _, id) = issuer(journey, step)?;
        let profile = view.technical_profile(id)?;
        let format = profile.child("OutputTokenFormat")?.element.trimmed_text();
        if format != "OAuth2Error" {
            formats.push((format, profile));
        }
    }
    // With several formats the policy has its reasons.
    let (format, profile) = formats.first()?;
    if formats
        .iter()
        .any(|(other, _)| other == &expected || other != format)
        || !matches!(*format, "JWT" | "SAML2")
    {
        return None;
    }
    let place = protocol;
    let at = profile.child("OutputTokenFormat")?;
    Some(
        Diagnostic::new(
            &RP_PROTOCOL_ISSUER,
            place.attribute_location("Name"),
            format!(
                "the relying party speaks {}, but the token issuer `{}` of `{}` issues {format} \
                 tokens",
                protocol.attribute("Name")?,
                profile.id,
                journey.id
            ),
        )
        .related(at.location(at.element.text_span()), "the token format")
        .help(format!(
            "let the SendClaims step name an issuer whose OutputTokenFormat is {expected}"
        ))
        .policy_id(view.policy().id()),
    )
}
