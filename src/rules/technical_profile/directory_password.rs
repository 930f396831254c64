//! `aad-password-policy`: a password rule of one's own needs the directory's to be off.

use super::Reached;
use super::directory_claims::attribute_name;
use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::Kind;
use crate::policy::known::handlers::ProfileKind;

pub(super) static AAD_PASSWORD_POLICY: Rule = Rule {
    id: "aad-password-policy",
    level: Level::Error,
    summary: "a password with a complexity rule of its own is stored without DisableStrongPassword",
};

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    if reached.kind == Some(ProfileKind::Directory) {
        findings.extend(strong_password_on(reached));
    }
}

fn strong_password_on(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let persisted = &reached.profile.persisted_claims;
    let named = |name: &str| {
        persisted
            .iter()
            .find(|claim| attribute_name(claim).eq_ignore_ascii_case(name))
    };
    let password = named("password")?;
    let complexity = reached.view.merged_child(
        Kind::ClaimType,
        password.claim_type,
        "PredicateValidationReference",
    )?;
    // One that does not exist is no rule.
    let view = reached.view;
    if !complexity
        .attribute("Id")
        .is_some_and(|id| view.declares(Kind::PredicateValidation, id))
    {
        return None;
    }
    let policies = named("passwordPolicies");
    let value = policies.map(|claim| claim.attribute("DefaultValue"));
    let level = match value {
        // Without the claim, what the service thinks depends on the account.
        None => Level::Warning,
        // The value comes from the journey.
        Some(None) => return None,
        Some(Some(value)) if value.contains("DisableStrongPassword") || value.contains('{') => {
            return None;
        }
        Some(Some(_)) => Level::Error,
    };
    let sites = policies.unwrap_or(password).sites.iter().rev().copied();
    let place = reached.place_at(sites)?;
    let id = reached.profile.id;
    let finding = Diagnostic::new(
        &AAD_PASSWORD_POLICY,
        place.location,
        format!(
            "`{id}` stores password `{}`, which has a complexity rule of its own, without \
             DisableStrongPassword",
            password.claim_type
        ),
    )
    .level(level)
    .related(complexity.attribute_location("Id"), "the complexity rule")
    .help(
        "add `<PersistedClaim ClaimTypeReferenceId=\"passwordPolicies\" \
         DefaultValue=\"DisablePasswordExpiration, DisableStrongPassword\" />`",
    )
    .policy_id(place.policy_id());
    Some(if level == Level::Error {
        finding.service_message(format!(
            "DisableStrongPassword is required in Technical Profile '{id}' of policy '{}' for custom \
             password complexity or legacy password restriction with weak custom regular expression. \
             Add \"DisablePasswordExpiration, DisableStrongPassword\" into PersistedClaim \
             \"passwordPolicies\"",
            place.policy_id()
        ))
    } else {
        finding
    })
}
