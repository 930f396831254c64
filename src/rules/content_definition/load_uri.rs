//! `loaduri-not-https` and `loaduri-not-absolute`: where the template of a page comes from.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site};

pub(super) static LOADURI_NOT_HTTPS: Rule = Rule {
    id: "loaduri-not-https",
    level: Level::Warning,
    summary: "a page template is loaded over plain http",
};

pub(super) static LOADURI_NOT_ABSOLUTE: Rule = Rule {
    id: "loaduri-not-absolute",
    level: Level::Warning,
    summary: "a LoadUri is neither a template of the service nor an absolute URL",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for element in policy.declarations(Kind::ContentDefinition) {
        let Some(uri) = (Site { policy, element }).child("LoadUri") else {
            continue;
        };
        let text = uri.element.trimmed_text();
        let location = uri.location(uri.element.text_span());
        let finding = match scheme(text) {
            // A claim resolver or placeholder at the front can hold anything.
            _ if text.is_empty() || text.starts_with("~/") || text.starts_with('{') => continue,
            Some("https") => continue,
            Some("http") => Diagnostic::new(
                &LOADURI_NOT_HTTPS,
                location,
                "the page template is loaded over plain http",
            )
            .help("browsers refuse it on the sign-in page; serve the template over https"),
            Some(_) | None => Diagnostic::new(
                &LOADURI_NOT_ABSOLUTE,
                location,
                format!("`{text}` is neither a template of the service nor an absolute https URL"),
            )
            .help("templates of the service start with `~/`, own ones with `https://`"),
        };
        findings.push(finding.policy_id(policy.id()));
    }
}

/// The scheme in lower case, if it is one of a web address.
fn scheme(text: &str) -> Option<&'static str> {
    let (scheme, _) = text.split_once("://")?;
    ["https", "http"]
        .into_iter()
        .find(|known| scheme.eq_ignore_ascii_case(known))
}
