//! `deprecated-element` and `retired-service-endpoint`: what Microsoft has replaced.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::Effective;

/// Another element has taken its place.
pub(super) static DEPRECATED_ELEMENT: Rule = Rule {
    id: "deprecated-element",
    level: Level::Hint,
    summary: "an element that Microsoft has replaced by another one",
};

/// The service behind the address has been or will be switched off.
pub(super) static RETIRED_SERVICE_ENDPOINT: Rule = Rule {
    id: "retired-service-endpoint",
    level: Level::Hint,
    summary: "an address of a service that Microsoft has retired",
};

/// Deprecated elements and what replaces them.
const DEPRECATED: &[(&str, &str)] = &[
    ("AzureApplicationInsights", "JourneyInsights"),
    ("InputValidations", "PredicateValidations"),
    ("InputValidationReference", "PredicateValidationReference"),
];

/// Parts of addresses, in lower case, and what to use instead.
const RETIRED: &[(&str, &str)] = &[
    (
        "login.microsoftonline.com/te/",
        "addresses of Azure AD B2C begin with https://{tenant}.b2clogin.com/",
    ),
    (
        "graph.windows.net",
        "call Microsoft Graph: https://graph.microsoft.com/",
    ),
];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for (name, instead) in DEPRECATED {
        for element in policy.document.elements_named(name) {
            findings.push(
                Diagnostic::new(
                    &DEPRECATED_ELEMENT,
                    policy.location(element.name_span()),
                    format!("{name} is deprecated"),
                )
                .help(format!("use {instead}"))
                .policy_id(policy.id()),
            );
        }
    }
    let addresses = ["Item", "LoadUri", "RecoveryUri"];
    for element in addresses
        .into_iter()
        .flat_map(|name| policy.document.elements_named(name))
    {
        let text = element.text();
        // A colon alone is found faster, and hardly any other text has one.
        if !text.contains(':') || !text.contains("://") {
            continue;
        }
        // A resource or an audience is a name and stays what it is; only addresses are called.
        let key = element.attribute_value("Key").unwrap_or_default();
        if ["resource", "idtokenaudience"]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(key))
        {
            continue;
        }
        let folded = text.to_ascii_lowercase();
        if let Some((retired, help)) = RETIRED.iter().find(|(part, _)| folded.contains(part)) {
            findings.push(
                Diagnostic::new(
                    &RETIRED_SERVICE_ENDPOINT,
                    policy.location(element.text_span()),
                    format!("`{retired}` is retired"),
                )
                .help(*help)
                .policy_id(policy.id()),
            );
        }
    }
}
