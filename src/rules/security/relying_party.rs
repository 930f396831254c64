//! `sec-script-allow` and `sec-framing`: what a relying party lets into its pages, and who may show
//! them.

use std::collections::BTreeSet;

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind};

/// Pages run scripts of the hosts that serve them.
pub(super) static SEC_SCRIPT_ALLOW: Rule = Rule {
    id: "sec-script-allow",
    level: Level::Hint,
    summary: "ScriptExecution lets the hosts of the page templates run scripts in sign-in pages",
};

/// Any site may show the sign-in pages in a frame.
pub(super) static SEC_FRAMING: Rule = Rule {
    id: "sec-framing",
    level: Level::Warning,
    summary: "JourneyFraming lets any site, or one over plain http, frame the sign-in pages",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    let behaviors = policy
        .document
        .root()
        .and_then(|root| root.descend(&["RelyingParty", "UserJourneyBehaviors"]));
    let Some(behaviors) = behaviors else {
        return;
    };
    if let Some(script) = behaviors.child("ScriptExecution")
        && script.trimmed_text() == "Allow"
    {
        let hosts = template_hosts(view);
        let message = if hosts.is_empty() {
            "templates may run scripts in the pages where users type their passwords".to_owned()
        } else {
            format!(
                "templates from {} may run scripts in the pages where users type their passwords",
                hosts.into_iter().collect::<Vec<_>>().join(", ")
            )
        };
        findings.push(
            Diagnostic::new(
                &SEC_SCRIPT_ALLOW,
                policy.location(script.text_span()),
                message,
            )
            .help("make sure that only you can write to these hosts")
            .policy_id(policy.id()),
        );
    }
    if let Some(framing) = behaviors.child("JourneyFraming")
        && framing
            .attribute_value("Enabled")
            .is_some_and(|enabled| matches!(enabled.trim(), "true" | "1"))
        && let Some(sources) = framing.attribute("Sources")
        && let Some(source) = sources
            .value()
            .split_whitespace()
            .find(|part| is_open(part))
    {
        findings.push(
            Diagnostic::new(
                &SEC_FRAMING,
                policy.location(sources.value_span()),
                format!("`{source}` lets pages that are not yours frame the sign-in"),
            )
            .help("name the sites of your applications, each with https://")
            .policy_id(policy.id()),
        );
    }
}

fn is_open(source: &str) -> bool {
    let folded = source.to_ascii_lowercase();
    let plain = folded.strip_prefix("http://");
    let local = plain.is_some_and(|host| host.split(':').next() == Some("localhost"));
    let bare = folded.trim_end_matches('/');
    matches!(bare, "*" | "https:" | "http:" | "https://*" | "*.com") || (plain.is_some() && !local)
}

/// Hosts of all templates that the relying party can show, except the service's own.
fn template_hosts(view: &Effective<'_>) -> BTreeSet<String> {
    view.ids(Kind::ContentDefinition)
        .iter()
        .filter_map(|id| view.merged_child(Kind::ContentDefinition, id, "LoadUri"))
        .filter_map(|uri| {
            let (_, rest) = uri.element.trimmed_text().split_once("://")?;
            let host = rest.split(['/', '?', '#']).next()?;
            Some(format!("`{}`", host.to_ascii_lowercase()))
        })
        .collect()
}
