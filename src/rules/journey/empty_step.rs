//! `step-no-exchange` and `step-no-selection`: steps that have nothing to run or to offer.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Journey, Site, Step};

use super::{here, is_selection, settled};

pub(super) static STEP_NO_EXCHANGE: Rule = Rule {
    id: super::EMPTY_STEP,
    level: Level::Error,
    summary: "a ClaimsExchange step has no claims exchange",
};

pub(super) static STEP_NO_SELECTION: Rule = Rule {
    id: "step-no-selection",
    level: Level::Error,
    summary: "a step that lets the user choose offers nothing to choose from",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for journey in settled(view) {
        for step in &journey.steps {
            let (rule, what, help) = if lacks_exchange(journey, step) {
                (
                    &STEP_NO_EXCHANGE,
                    "has no claims exchange to run",
                    "add ClaimsExchanges/ClaimsExchange with the TechnicalProfileReferenceId; at run \
                     time the sign-in ends with AADB2C90304",
                )
            } else if is_selection(step.step_type()) && step.selections.is_empty() {
                (
                    &STEP_NO_SELECTION,
                    "lets the user choose, but has no claims provider selection",
                    "add ClaimsProviderSelections/ClaimsProviderSelection with a \
                     TargetClaimsExchangeId of the next step, or a ValidationClaimsExchangeId of this \
                     one",
                )
            } else {
                continue;
            };
            let Some(place) = place(view, journey, step) else {
                continue;
            };
            findings.push(
                Diagnostic::new(
                    rule,
                    place.location(place.element.tag_span()),
                    format!("step {} of `{}` {what}", step.order, journey.id),
                )
                .help(help)
                .policy_id(view.policy().id()),
            );
        }
    }
}

fn lacks_exchange(journey: &Journey<'_>, step: &Step<'_>) -> bool {
    // A selection of what is not there is the finding.
    let before = step.order.checked_sub(1).and_then(|it| journey.step(it));
    let mut wanted = before.iter().flat_map(|before| &before.selections);
    step.runs_nothing() && !wanted.any(|selection| selection.target.is_some())
}

/// The element of the policy's own file that gives the step its type, or its journey; none where a policy
/// that inherits from this one completes the journey.
fn place<'s>(view: &Effective<'s>, journey: &Journey<'s>, step: &Step<'s>) -> Option<Site<'s>> {
    if view.declared_below(journey.kind, journey.id) {
        return None;
    }
    let typed = step.sites.iter().rev().copied();
    let typed = typed.filter(|site| site.attribute("Type").is_some());
    here(view, typed.chain(journey.sites.iter().rev().copied()))
}
