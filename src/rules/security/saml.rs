//! `sec-saml-unsigned`: SAML messages that anybody could have written.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Item, Role, Use};

/// The origin of a message is not proved, or with a broken hash.
pub(super) static SEC_SAML_UNSIGNED: Rule = Rule {
    id: "sec-saml-unsigned",
    level: Level::Warning,
    summary: "a SAML identity provider is trusted without signatures, or with SHA-1",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(execution) = view.execution() else {
        return;
    };
    for executed in &execution.profiles {
        let profile = &executed.profile;
        let exchanged = executed.uses.iter().any(|(by, _)| *by == Use::Exchange);
        if !exchanged || profile.protocol() != Some("SAML2") {
            continue;
        }
        let is = |key: &str, value: &str| {
            profile
                .metadata(key)
                .filter(|item| item.value.trim().eq_ignore_ascii_case(value))
        };
        // The service asks for signed assertions and signed responses unless told otherwise.
        if let Some(assertions) = is("WantsSignedAssertions", "false")
            && is("ResponsesSigned", "false").is_some()
        {
            findings.extend(finding(
                assertions,
                Level::Warning,
                format!(
                    "neither the assertions nor the responses that `{}` receives must be signed",
                    profile.id
                ),
                "remove one of WantsSignedAssertions and ResponsesSigned",
            ));
        }
        if let Some(requests) = is("WantsSignedRequests", "false") {
            findings.extend(finding(
                requests,
                Level::Hint,
                format!("`{}` does not sign its requests", profile.id),
                "remove the item if the identity provider can check signatures",
            ));
        }
        if let Some(algorithm) = is("XmlSignatureAlgorithm", "Sha1") {
            findings.extend(finding(
                algorithm,
                Level::Warning,
                format!("`{}` signs with SHA-1, which is broken", profile.id),
                "write Sha256",
            ));
        }
    }
}

fn finding(item: &Item<'_>, level: Level, message: String, help: &str) -> Option<Diagnostic> {
    let policy = item.site.policy;
    (policy.role == Role::Own).then(|| {
        Diagnostic::new(
            &SEC_SAML_UNSIGNED,
            item.site.location(item.site.element.text_span()),
            message,
        )
        .level(level)
        .help(help)
        .policy_id(policy.id())
    })
}
