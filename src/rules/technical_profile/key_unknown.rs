//! `tp-key-unknown`: a cryptographic key that nothing reads.

use super::declared;
use crate::diagnostics::{Diagnostic, Level, Rule, near_miss};
use crate::policy::Effective;

pub(super) static TP_KEY_UNKNOWN: Rule = Rule {
    id: "tp-key-unknown",
    level: Level::Hint,
    summary: "a cryptographic key has an id that this kind of technical profile does not know",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for (site, profile) in declared(view) {
        let Some(kind) = profile.kind() else {
            continue;
        };
        // Without a look at its use an issuer cannot be told from a provider.
        if profile.child("OutputTokenFormat").is_some() {
            continue;
        }
        let Some(known) = kind.cryptographic_keys() else {
            continue;
        };
        for key in site.items("CryptographicKeys", "Key") {
            let Some(id) = key.attribute("Id") else {
                continue;
            };
            if known.contains(&id) {
                continue;
            }
            let finding = Diagnostic::new(
                &TP_KEY_UNKNOWN,
                key.attribute_location("Id"),
                format!("no {} reads a cryptographic key `{id}`", kind.noun()),
            )
            .policy_id(view.policy().id());
            findings.push(match near_miss(id, known.iter().copied()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help(format!("known are {}", known.join(", "))),
            });
        }
    }
}
