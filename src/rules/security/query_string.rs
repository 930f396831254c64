//! `sec-querystring-claim`: an identity that the address of the request asserts.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::Effective;
use crate::xml::Element;

/// Who sends the request decides who is signed in.
pub(super) static SEC_QUERYSTRING_CLAIM: Rule = Rule {
    id: "sec-querystring-claim",
    level: Level::Warning,
    summary: "a claim that identifies the user is taken from the query string",
};

/// Claims by which accounts are found. An address of mail is left out: applications pass it on to
/// fill in a form.
const IDENTITY: &[&str] = &[
    "objectId",
    "userPrincipalName",
    "alternativeSecurityId",
    "issuerUserId",
    "sub",
];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    let claims = ["InputClaim", "OutputClaim", "PersistedClaim"];
    let is_claim = |element: Element<'_>| claims.iter().any(|name| element.is_named(name));
    for (element, default) in policy.default_values() {
        let value = default.value().trim();
        let Some(start) = value.get(..10) else {
            continue;
        };
        if !start.eq_ignore_ascii_case("{OAUTH-KV:") || !is_claim(element) {
            continue;
        }
        let claim = element
            .attribute_value("ClaimTypeReferenceId")
            .unwrap_or_default();
        let mut identities = IDENTITY.iter();
        if !identities.any(|known| known.eq_ignore_ascii_case(claim)) {
            continue;
        }
        findings.push(
            Diagnostic::new(
                &SEC_QUERYSTRING_CLAIM,
                policy.location(default.value_span()),
                format!("`{claim}` is whatever the query string says"),
            )
            .help("pass it in a signed id_token_hint instead")
            .policy_id(policy.id()),
        );
    }
}
