//! `precondition-never`: a condition on a claim that cannot exist.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site};

use super::doubt_unless_declared;

pub(super) static PRECONDITION_NEVER: Rule = Rule {
    id: "precondition-never",
    level: Level::Hint,
    summary: "a precondition asks for a claim that no step before can yield",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(flow) = view.flow() else {
        return;
    };
    if !flow.is_certain() {
        return;
    }
    let start = findings.len();
    let journey = flow.journey();
    for step in &journey.steps {
        for precondition in step.sites.iter().flat_map(|step| {
            step.items("Preconditions", "Precondition")
                .filter(|precondition| precondition.attribute("Type") == Some("ClaimsExist"))
        }) {
            let Some(value) = precondition.child("Value") else {
                continue;
            };
            let claim = value.element.trimmed_text();
            // An undeclared claim is another mistake, and so is one that a page keeps.
            if flow.exists_before(claim, step.order)
                || flow.kept(claim).is_some_and(|kept| kept.order < step.order)
                || flow.may_be_restored(claim)
                || !view.declares(Kind::ClaimType, claim)
                || !precondition.is_own()
            {
                continue;
            }
            findings.push(never(precondition, value, claim, step.order));
        }
    }
    doubt_unless_declared(view, flow, findings, start);
}

fn never(precondition: Site<'_>, value: Site<'_>, claim: &str, order: u32) -> Diagnostic {
    let consequence = match precondition.attribute("ExecuteActionsIf") {
        Some("true" | "1") => "never skipped for it",
        _ => "always skipped",
    };
    Diagnostic::new(
        &PRECONDITION_NEVER,
        value.location(value.element.text_span()),
        format!("no step before step {order} yields claim `{claim}`, so the step is {consequence}"),
    )
    .help("remove the precondition, or add the claim to the output claims of an earlier step")
    .policy_id(precondition.policy.id())
}
