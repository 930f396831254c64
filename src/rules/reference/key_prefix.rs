//! `policykey-prefix`: a keyset that no tenant can hold under this name.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, keyset_references};

/// Keysets of a tenant begin with `B2C_1A_`.
pub(super) static POLICYKEY_PREFIX: Rule = Rule {
    id: "policykey-prefix",
    level: Level::Hint,
    summary: "a StorageReferenceId does not begin with B2C_1A_",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for reference in keyset_references(view.policy()) {
        let prefix = reference.keyset.get(..7);
        if prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("B2C_1A_")) {
            continue;
        }
        findings.push(
            Diagnostic::new(
                &POLICYKEY_PREFIX,
                reference.location,
                format!(
                    "keyset `{}` does not begin with `B2C_1A_`",
                    reference.keyset
                ),
            )
            .help("a tenant puts the prefix before the name of every keyset; write it here too")
            .policy_id(reference.policy_id),
        );
    }
}
