//! `sec-secret-metadata`: a secret in the text of a policy.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::diagnostics::{Diagnostic, Level, Rule, Span};
use crate::policy::{CLAIM_ELEMENTS, Effective};

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

/// The fewest and the most characters that must follow a mark.
const SHORTEST: usize = 20;
const LONGEST: usize = 30;

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
    let parameters = document.elements_named("InputParameter");
    let parameters = parameters.filter_map(|parameter| parameter.attribute("Value"));
    let defaults = view.policy().default_values();
    let defaults = defaults.filter(|(element, _)| CLAIM_ELEMENTS.contains(&element.name()));
    for attribute in parameters.chain(defaults.map(|(_, attribute)| attribute)) {
        let value = attribute.value();
        if holds_secret(value) && !looks_like_template(value) {
            findings.push(finding(view, attribute.value_span()));
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
    if value.len() < SHORTEST_SECRET {
        return false;
    }
    follows_mark(value)
        || is_json_web_token(value)
        || is_private_key(value)
        || is_sendgrid_key(value)
}

/// The length of `eyJ.eyJ.x`, a web token without content.
const SHORTEST_SECRET: usize = 9;

fn is_private_key(value: &str) -> bool {
    static MARK: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("PRIVATE KEY-----"));
    value.len() >= MARK.needle().len() && MARK.find(value.as_bytes()).is_some()
}

fn follows_mark(value: &str) -> bool {
    let value = value.as_bytes();
    // Every mark ends with one of these, and hardly anything but a secret follows it without a blank.
    memchr::memchr2_iter(b'=', b' ', value).any(|last| {
        let (before, after) = value.split_at(last + 1);
        let following = after
            .iter()
            .take(LONGEST)
            .take_while(|byte| is_opaque(**byte));
        let following = following.count();
        following >= SHORTEST
            && MARKS.iter().any(|(mark, least)| {
                let start = before.len().checked_sub(mark.len());
                following >= *least
                    && start
                        .is_some_and(|start| before[start..].eq_ignore_ascii_case(mark.as_bytes()))
            })
    })
}

const fn is_opaque(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'%' | b'+' | b'/' | b'=')
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
        for (_, least) in MARKS {
            assert!((SHORTEST..=LONGEST).contains(least));
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
