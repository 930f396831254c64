//! `ref-precondition-claim`: a precondition about a claim that does not exist.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind};

/// The condition can never hold.
pub(super) static PRECONDITION_CLAIM: Rule = Rule {
    id: "ref-precondition-claim",
    level: Level::Warning,
    summary: "a precondition asks for a claim type that is not declared, so it never holds",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    let policy = view.policy();
    let kind = Kind::ClaimType;
    for precondition in policy.document.elements_named("Precondition") {
        let Some(value) = precondition.child("Value") else {
            continue;
        };
        let id = value.trimmed_text();
        if id.is_empty() || view.declares(kind, id) || view.declared_below(kind, id) {
            continue;
        }
        let location = policy.location(value.text_span());
        let finding = Diagnostic::new(
            &PRECONDITION_CLAIM,
            location,
            format!("this precondition asks for claim `{id}`, which is not declared"),
        )
        .policy_id(policy.id());
        findings.push(
            finding
                .did_you_mean(location, id, view.known_ids(kind))
                .or_help("such a condition never holds; the tenant does not check it"),
        );
    }
}
