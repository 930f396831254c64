//! `rp-no-journey`, `rp-no-profile` and `rp-protocol`: what a relying party cannot do without.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Site};
use crate::schema::PROTOCOLS;

pub(super) static RP_NO_JOURNEY: Rule = Rule {
    id: "rp-no-journey",
    level: Level::Error,
    summary: "a relying party names no user journey",
};

pub(super) static RP_NO_PROFILE: Rule = Rule {
    id: "rp-no-profile",
    level: Level::Warning,
    summary: "a relying party has no technical profile that says what its tokens hold",
};

pub(super) static RP_PROTOCOL: Rule = Rule {
    id: "rp-protocol",
    level: Level::Warning,
    summary: "the technical profile of a relying party speaks neither OpenIdConnect nor SAML2",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(relying_party) = view.relying_party() else {
        return;
    };
    let found = no_journey(view, relying_party)
        .into_iter()
        .chain(no_profile(relying_party))
        .chain(protocol(relying_party));
    let id = view.policy().id();
    findings.extend(found.map(|finding| finding.policy_id(id)));
}

/// The service takes the default journey of an ancestor's relying party where there is none. Policies
/// are published that have endpoints instead.
fn no_journey<'s>(view: &Effective<'s>, relying_party: Site<'s>) -> Option<Diagnostic> {
    let mut chain = view.chain().iter();
    if relying_party.child("Endpoints").is_some()
        || chain.any(|policy| policy.names_default_journey())
        || !view.is_complete()
    {
        return None;
    }
    Some(
        Diagnostic::new(
            &RP_NO_JOURNEY,
            relying_party.location(relying_party.element.tag_span()),
            "the relying party names no user journey, and none of its base policies does",
        )
        .help(
            "add `<DefaultUserJourney ReferenceId=\"…\" />` as its first element; every request \
             fails with AADB2C90031",
        ),
    )
}

fn no_profile(relying_party: Site<'_>) -> Option<Diagnostic> {
    if relying_party.child("TechnicalProfile").is_some() {
        return None;
    }
    Some(
        Diagnostic::new(
            &RP_NO_PROFILE,
            relying_party.location(relying_party.element.tag_span()),
            "the relying party has no technical profile, so nothing says its protocol and its claims",
        )
        .help(
            "add `<TechnicalProfile Id=\"PolicyProfile\">` with Protocol, OutputClaims and \
             SubjectNamingInfo as its last element",
        ),
    )
}

/// What an included profile brings is not known to count.
fn protocol(relying_party: Site<'_>) -> Option<Diagnostic> {
    let profile = relying_party.child("TechnicalProfile")?;
    let (location, message) = match profile.child("Protocol") {
        Some(protocol) => {
            let name = protocol.attribute("Name")?;
            // Names that do not exist are the schema's.
            let is_known = PROTOCOLS.contains(&name);
            if matches!(name, "OpenIdConnect" | "SAML2") || !is_known {
                return None;
            }
            (
                protocol.attribute_location("Name"),
                format!("a relying party speaks OpenIdConnect or SAML2, not {name}"),
            )
        }
        None if profile.child("IncludeTechnicalProfile").is_some() => return None,
        None => (
            profile.location(profile.element.tag_span()),
            "the technical profile of the relying party names no protocol".to_owned(),
        ),
    };
    Some(
        Diagnostic::new(&RP_PROTOCOL, location, message)
            .help("write `<Protocol Name=\"OpenIdConnect\" />`, or SAML2 for a SAML application"),
    )
}
