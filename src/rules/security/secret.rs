//! `sec-secret-metadata`: a secret in the text of a policy.

use crate::diagnostics::{Diagnostic, Level, Rule, Span};
use crate::policy::Effective;

/// Everybody who may read policies or their repository can read the secret.
pub(super) static SEC_SECRET_METADATA: Rule = Rule {
    id: "sec-secret-metadata",
    level: Level::Warning,
    summary: "a policy holds a secret in plain text",
};

/// Metadata keys, in lower case, whose values are secrets.
const SECRET_KEYS: &[&str] = &[
    "client_secret",
    "clientsecret",
    "secret",
    "password",
    "basicauthenticationpassword",
    "apikey",
    "api-key",
    "api_key",
    "x-api-key",
    "x-functions-key",
    "ocp-apim-subscription-key",
    "accesskey",
    "accountkey",
    "sharedaccesskey",
    "connectionstring",
    "bearerauthenticationtoken",
];

/// What precedes a secret inside a longer value, with the least number of characters that follow.
const MARKS: &[(&str, usize)] = &[
    ("?sig=", 20),
    ("&sig=", 20),
    ("?code=", 30),
    ("&code=", 30),
    ("accountkey=", 20),
    ("sharedaccesskey=", 20),
    ("subscription-key=", 20),
    ("bearer ", 30),
    ("basic ", 20),
];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let document = &view.policy().document;
    for item in document.elements_named("Item") {
        let key = item.attribute_value("Key").unwrap_or_default();
        let by_key = SECRET_KEYS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(key));
        let value = item.trimmed_text();
        if (by_key || holds_secret(value)) && !looks_like_template(value) {
            findings.push(finding(view, item.text_span()));
        }
    }
    let elsewhere = [
        ("InputClaim", "DefaultValue"),
        ("OutputClaim", "DefaultValue"),
        ("PersistedClaim", "DefaultValue"),
        ("DisplayClaim", "DefaultValue"),
        ("InputParameter", "Value"),
    ];
    for (name, attribute) in elsewhere {
        for element in document.elements_named(name) {
            let Some(attribute) = element.attribute(attribute) else {
                continue;
            };
            let value = attribute.value();
            if holds_secret(value) && !looks_like_template(value) {
                findings.push(finding(view, attribute.value_span()));
            }
        }
    }
}

fn finding(view: &Effective<'_>, span: Span) -> Diagnostic {
    let policy = view.policy();
    Diagnostic::new(
        &SEC_SECRET_METADATA,
        policy.location(span),
        "this value looks like a secret, and who may read the policy can read it",
    )
    .help(
        "keep it in a keyset and refer to that from CryptographicKeys, then replace the secret: it \
         is in the history of the file",
    )
    .policy_id(policy.id())
}

/// Values that nobody has filled in, or that are filled in elsewhere.
fn looks_like_template(value: &str) -> bool {
    let folded = value.to_ascii_lowercase();
    value.is_empty()
        || value.contains(['{', '<', '['])
        || [
            "your",
            "xxxx",
            "****",
            "....",
            "placeholder",
            "example",
            "secret-here",
            "todo",
        ]
        .iter()
        .any(|word| folded.contains(word))
}

fn holds_secret(value: &str) -> bool {
    follows_mark(value)
        || is_json_web_token(value)
        || value.contains("PRIVATE KEY-----")
        || is_sendgrid_key(value)
}

fn follows_mark(value: &str) -> bool {
    // Every mark ends with one of these, and few values hold any.
    if memchr::memchr2(b'=', b' ', value.as_bytes()).is_none() {
        return false;
    }
    let folded = value.to_ascii_lowercase();
    let opaque = |c: char| c.is_ascii_alphanumeric() || "-_.~%+/=".contains(c);
    let follows = |start: usize| {
        let rest = folded.get(start..).unwrap_or_default();
        rest.find(|c: char| !opaque(c)).unwrap_or(rest.len())
    };
    MARKS.iter().any(|(mark, least)| {
        folded
            .find(mark)
            .is_some_and(|at| follows(at + mark.len()) >= *least)
    })
}

fn is_json_web_token(value: &str) -> bool {
    if !value.trim_start().starts_with("eyJ") {
        return false;
    }
    let parts: Vec<&str> = value.trim().split('.').collect();
    parts.len() == 3
        && parts[0].starts_with("eyJ")
        && parts[1].starts_with("eyJ")
        && !parts[2].is_empty()
}

/// `SG.` with 22 and 43 characters behind it.
fn is_sendgrid_key(value: &str) -> bool {
    if !value.trim_start().starts_with("SG.") {
        return false;
    }
    let parts: Vec<&str> = value.trim().split('.').collect();
    parts.len() == 3 && parts[0] == "SG" && parts[1].len() == 22 && parts[2].len() == 43
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_templates_and_plain_values() {
        for secret in [
            "https://contoso.azurewebsites.net/api/f?code=0123456789abcdefghijABCDEFGHIJ==",
            "https://contoso.blob.core.windows.net/c?sv=2020&sig=0123456789abcdefghij%3D",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln",
            "SG.0123456789012345678901.0123456789012345678901234567890123456789012",
        ] {
            assert!(
                holds_secret(secret) && !looks_like_template(secret),
                "{secret}"
            );
        }
        for plain in [
            "https://contoso.com/api?code=short",
            "api://contoso/basic user access",
            "Bearer",
            "eyJust.a.text",
        ] {
            assert!(!holds_secret(plain), "{plain}");
        }
        assert!(looks_like_template(
            "https://x/f?code={Settings:FunctionKey}"
        ));
        assert!(looks_like_template("your-app-secret"));
    }
}
