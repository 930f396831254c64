//! `sec-password-plain`: passwords where they can be read.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site};

/// A password leaves the page in a way that shows it to others.
pub(super) static SEC_PASSWORD_PLAIN: Rule = Rule {
    id: "sec-password-plain",
    level: Level::Warning,
    summary: "a password is put into an address, a header, a token, a session or a plain text box",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for profile in view.policy().sites(Kind::TechnicalProfile) {
        findings.extend(in_profile(view, profile));
    }
    let policy = view.policy();
    let relying_party = policy.relying_party();
    if let Some(profile) = relying_party.and_then(|it| it.child("TechnicalProfile")) {
        for claim in profile.items("OutputClaims", "OutputClaim") {
            findings.extend(finding(view, claim, "is put into the token"));
        }
    }
    for claim in policy.sites(Kind::ClaimType) {
        findings.extend(text_box(view, claim));
    }
}

fn in_profile(view: &Effective<'_>, profile: Site<'_>) -> Vec<Diagnostic> {
    let merged = profile
        .attribute("Id")
        .and_then(|id| view.technical_profile(id));
    let Some(merged) = merged else {
        return Vec::new();
    };
    let handler = merged.handler().unwrap_or_default();
    if handler.starts_with("Web.TPEngine.SSO.") {
        let claims = profile.items("PersistedClaims", "PersistedClaim");
        return claims
            .filter_map(|claim| finding(view, claim, "is kept in the session"))
            .collect();
    }
    if handler != "Web.TPEngine.Providers.RestfulProvider" {
        return Vec::new();
    }
    let how = merged
        .metadata("SendClaimsIn")
        .map_or("", |item| item.value.trim());
    let way = match how.to_ascii_lowercase().as_str() {
        "url" | "querystring" => "is sent in the address, which servers log",
        "header" => "is sent in a header, which servers log",
        _ => return Vec::new(),
    };
    profile
        .items("InputClaims", "InputClaim")
        .filter_map(|claim| finding(view, claim, way))
        .collect()
}

fn finding(view: &Effective<'_>, claim: Site<'_>, what: &str) -> Option<Diagnostic> {
    let id = claim.attribute("ClaimTypeReferenceId")?;
    let input = view.merged_child(Kind::ClaimType, id, "UserInputType")?;
    if input.element.trimmed_text() != "Password" {
        return None;
    }
    Some(
        Diagnostic::new(
            &SEC_PASSWORD_PLAIN,
            claim.attribute_location("ClaimTypeReferenceId"),
            format!("password `{id}` {what}"),
        )
        .related(input.location(input.element.text_span()), "a password")
        .help("send passwords in the body of a request only, and keep them nowhere")
        .policy_id(view.policy().id()),
    )
}

/// Claims that the service itself uses for passwords, shown while they are typed.
fn text_box(view: &Effective<'_>, claim: Site<'_>) -> Option<Diagnostic> {
    let id = claim.attribute("Id")?;
    let known = ["password", "newPassword", "reenterPassword", "oldPassword"];
    let input = claim.child("UserInputType")?;
    if !known.iter().any(|known| known.eq_ignore_ascii_case(id))
        || input.element.trimmed_text() != "TextBox"
    {
        return None;
    }
    Some(
        Diagnostic::new(
            &SEC_PASSWORD_PLAIN,
            input.location(input.element.text_span()),
            format!("password `{id}` can be read on the screen while it is typed"),
        )
        .help("write `Password`")
        .policy_id(view.policy().id()),
    )
}
