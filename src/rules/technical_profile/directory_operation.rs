//! `aad-operation` and `aad-write-persisted`: what an Azure AD profile does with the directory.

use super::Reached;
use crate::diagnostics::{Diagnostic, Level, Rule, near_miss};
use crate::policy::known::handlers::ProfileKind;

pub(super) static AAD_OPERATION: Rule = Rule {
    id: "aad-operation",
    level: Level::Error,
    summary: "an Azure AD profile names an operation that does not exist",
};

pub(super) static AAD_WRITE_PERSISTED: Rule = Rule {
    id: "aad-write-persisted",
    level: Level::Error,
    summary: "an Azure AD profile that writes or deletes claims names none",
};

const OPERATIONS: [&str; 4] = ["Read", "Write", "DeleteClaims", "DeleteClaimsPrincipal"];

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    if reached.kind != Some(ProfileKind::Directory) {
        return;
    }
    let Some(operation) = reached.metadata_text("Operation") else {
        return;
    };
    if operation.is_empty() || operation.contains('{') {
        return;
    }
    findings.extend(unknown(reached, operation));
    findings.extend(nothing_persisted(reached, operation));
}

fn unknown(reached: &Reached<'_, '_>, operation: &str) -> Option<Diagnostic> {
    if OPERATIONS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(operation))
    {
        return None;
    }
    let item = reached.metadata("Operation")?;
    let place = reached.place_at([item.site])?;
    let finding = Diagnostic::new(
        &AAD_OPERATION,
        place.location,
        format!("Azure AD has no operation `{operation}`"),
    )
    .cause(item.site.tag_location())
    .policy_id(place.policy_id());
    Some(match near_miss(operation, OPERATIONS) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!("allowed are {}", OPERATIONS.join(", "))),
    })
}

fn nothing_persisted(reached: &Reached<'_, '_>, operation: &str) -> Option<Diagnostic> {
    let writes = ["Write", "DeleteClaims"];
    if !writes
        .iter()
        .any(|known| known.eq_ignore_ascii_case(operation))
        || !reached.profile.persisted_claims.is_empty()
    {
        return None;
    }
    let place = reached.place()?;
    Some(
        Diagnostic::new(
            &AAD_WRITE_PERSISTED,
            place.location,
            format!(
                "`{}` has operation {operation}, but no PersistedClaims",
                reached.profile.id
            ),
        )
        .help("list the attributes in PersistedClaims, with the one that identifies the account")
        .policy_id(place.policy_id()),
    )
}
