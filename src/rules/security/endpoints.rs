//! `sec-http-endpoint` and `sec-openredirect-loaduri`: where a policy sends data, and who decides it.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind};
use crate::xml::Element;

/// Data travels without encryption.
pub(super) static SEC_HTTP_ENDPOINT: Rule = Rule {
    id: "sec-http-endpoint",
    level: Level::Warning,
    summary: "a policy calls an endpoint over plain http",
};

/// The caller chooses the host.
pub(super) static SEC_OPENREDIRECT_LOADURI: Rule = Rule {
    id: "sec-openredirect-loaduri",
    level: Level::Warning,
    summary: "the host of an address comes from the request, so whoever sends it chooses the host",
};

/// Prefixes of claim resolvers whose value the request supplies.
const FROM_REQUEST: &[&str] = &["oauth-kv:", "oidc:", "saml:"];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for profile in policy.sites(Kind::TechnicalProfile) {
        for item in profile.items("Metadata", "Item") {
            let Some(key) = item.attribute("Key") else {
                continue;
            };
            if !is_address(key) {
                continue;
            }
            findings.extend(plain_http(view, key, item.element));
            findings.extend(chosen_host(view, item.element));
        }
    }
    for definition in policy.sites(Kind::ContentDefinition) {
        for name in ["LoadUri", "RecoveryUri"] {
            if let Some(uri) = definition.child(name) {
                findings.extend(chosen_host(view, uri.element));
            }
        }
    }
}

fn is_address(key: &str) -> bool {
    const ENDPOINT: &[u8] = b"endpoint";
    let whole = ["serviceurl", "metadata", "partnerentity"];
    let end = key.len().checked_sub(ENDPOINT.len());
    end.is_some_and(|end| key.as_bytes()[end..].eq_ignore_ascii_case(ENDPOINT))
        || whole.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// The part of an address between `://` and the path.
fn authority<'v>(value: &'v str, scheme: &str) -> Option<&'v str> {
    let start = value.get(..scheme.len())?;
    if !start.eq_ignore_ascii_case(scheme) {
        return None;
    }
    let rest = &value[scheme.len()..];
    // A placeholder may hold any character, slashes too.
    let mut depth = 0;
    let end = rest.find(|c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(c, '/' | '?' | '#')
    });
    Some(&rest[..end.unwrap_or(rest.len())])
}

fn plain_http(view: &Effective<'_>, key: &str, address: Element<'_>) -> Option<Diagnostic> {
    let host = authority(address.trimmed_text(), "http://")?;
    let name = host.split(':').next().unwrap_or(host);
    if name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" {
        return None;
    }
    Some(
        Diagnostic::new(
            &SEC_HTTP_ENDPOINT,
            view.policy().location(address.text_span()),
            format!("{key} sends data to `{host}` without encryption"),
        )
        .help("write https://")
        .policy_id(view.policy().id()),
    )
}

fn chosen_host(view: &Effective<'_>, address: Element<'_>) -> Option<Diagnostic> {
    let value = address.trimmed_text();
    if !value.contains('{') {
        return None;
    }
    let host = authority(value, "https://")
        .or_else(|| authority(value, "http://"))
        .unwrap_or(if value.starts_with('{') { value } else { "" });
    let resolver = host
        .split('{')
        .skip(1)
        .filter_map(|part| part.split('}').next())
        .find(|name| {
            let folded = name.to_ascii_lowercase();
            FROM_REQUEST.iter().any(|prefix| folded.starts_with(prefix))
        })?;
    Some(
        Diagnostic::new(
            &SEC_OPENREDIRECT_LOADURI,
            view.policy().location(address.text_span()),
            format!(
                "`{{{resolver}}}` is part of the host, and whoever sends the request chooses it"
            ),
        )
        .help("keep the host fixed and use the value in the path or the query")
        .policy_id(view.policy().id()),
    )
}
