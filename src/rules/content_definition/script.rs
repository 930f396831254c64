//! `js-needs-contract`: scripts on pages that do not allow them.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::page_contracts::DataUri;
use crate::policy::{Effective, Kind};

pub(super) static JS_NEEDS_CONTRACT: Rule = Rule {
    id: "js-needs-contract",
    level: Level::Error,
    summary: "ScriptExecution is allowed, but a page is no page contract",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    let script = view
        .relying_party()
        .and_then(|relying_party| relying_party.child("UserJourneyBehaviors"))
        .and_then(|behaviors| behaviors.child("ScriptExecution"))
        .filter(|script| script.element.trimmed_text() == "Allow");
    let Some(script) = script else {
        return;
    };
    let old: Vec<_> = view
        .ids(Kind::ContentDefinition)
        .iter()
        .filter_map(|id| {
            let uri = view.merged_child(Kind::ContentDefinition, id, "DataUri")?;
            let parsed = DataUri::parse(uri.element.trimmed_text());
            matches!(parsed, DataUri::Legacy { .. }).then_some((id, uri))
        })
        .collect();
    let Some((first, _)) = old.first() else {
        return;
    };
    let shown = view.shown_pages();
    let is_shown = |id: &str| {
        shown
            .iter()
            .any(|page| page.content_definition.eq_ignore_ascii_case(id))
    };
    let others = match old.len() - 1 {
        0 => String::new(),
        1 => " and another one".to_owned(),
        more => format!(" and {more} others"),
    };
    // Whether the service also minds definitions that the journey never shows is not known.
    let level = if old.iter().any(|(id, _)| is_shown(id)) {
        Level::Error
    } else {
        Level::Warning
    };
    let mut finding = Diagnostic::new(
        &JS_NEEDS_CONTRACT,
        script.location(script.element.text_span()),
        format!(
            "scripts are allowed, but content definition `{first}`{others} names no page contract"
        ),
    )
    .level(level)
    .help("insert `contract:` before the page in each DataUri, with a version that exists")
    .service_message("Please use page contract in content definitions when enabling JavaScript.")
    .policy_id(view.policy().id());
    for (id, uri) in old {
        finding = finding.related(uri.location(uri.element.text_span()), format!("`{id}`"));
    }
    findings.push(finding);
}
