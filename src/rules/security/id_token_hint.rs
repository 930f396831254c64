//! `sec-idhint-nokey`: an id_token_hint whose signature nothing can check.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Role};

/// There is no key for the signature of the hint.
pub(super) static SEC_IDHINT_NOKEY: Rule = Rule {
    id: "sec-idhint-nokey",
    level: Level::Error,
    summary: "the profile of an id_token_hint has neither METADATA nor a key for its signature",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    let Some(execution) = view.execution() else {
        return;
    };
    let steps = execution.journeys().flat_map(|journey| &journey.steps);
    for step in steps.filter(|step| step.step_type() == Some("GetClaims")) {
        let Some(id) = step.attribute("CpimIssuerTechnicalProfileReferenceId") else {
            continue;
        };
        let Some(profile) = view.technical_profile(id) else {
            continue;
        };
        let has = |key: &str| {
            profile
                .metadata(key)
                .is_some_and(|item| !item.value.trim().is_empty())
        };
        let policy = profile.site().policy;
        if has("METADATA") || policy.role == Role::Context {
            continue;
        }
        let missing = if profile.cryptographic_key("client_secret").is_none() {
            "neither METADATA nor the key `client_secret`"
        } else if !has("issuer") {
            "no issuer"
        } else if !has("IdTokenAudience") {
            "no IdTokenAudience"
        } else {
            continue;
        };
        let level = if missing.starts_with("neither") {
            Level::Error
        } else {
            Level::Warning
        };
        findings.push(
            Diagnostic::new(
                &SEC_IDHINT_NOKEY,
                profile.site().attribute_location("Id"),
                format!("`{}` checks an id_token_hint and has {missing}", profile.id),
            )
            .level(level)
            .help(
                "a hint that a certificate signs needs METADATA; one that a shared secret signs needs \
                 the key `client_secret` and the items `issuer` and `IdTokenAudience`",
            )
            .policy_id(policy.id()),
        );
    }
}
