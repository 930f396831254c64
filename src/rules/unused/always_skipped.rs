//! `step-always-skipped`: what is written into a journey and never runs.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site};

/// A step whose preconditions cover all cases, or whose profiles are switched off.
pub(super) static STEP_ALWAYS_SKIPPED: Rule = Rule {
    id: "step-always-skipped",
    level: Level::Hint,
    summary: "an orchestration step never runs: its preconditions cover all cases, or its profiles \
              are switched off",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for kind in [Kind::UserJourney, Kind::SubJourney] {
        for journey in policy.sites(kind) {
            for step in journey.items("OrchestrationSteps", "OrchestrationStep") {
                let finding = contradiction(step).or_else(|| switched_off(view, step));
                findings.extend(finding.map(|finding| finding.policy_id(policy.id())));
            }
        }
    }
}

/// Two preconditions that skip the step, one if something holds and one if it does not.
fn contradiction(step: Site<'_>) -> Option<Diagnostic> {
    let preconditions: Vec<Site<'_>> = step
        .items("Preconditions", "Precondition")
        .filter(|precondition| {
            precondition
                .child("Action")
                .is_some_and(|action| action.element.trimmed_text() == "SkipThisOrchestrationStep")
        })
        .collect();
    let condition = |site: &Site<'_>| {
        let values: Vec<String> = site
            .element
            .children_named("Value")
            .map(|value| value.trimmed_text().to_owned())
            .collect();
        (
            site.attribute("Type").unwrap_or_default().to_owned(),
            values,
        )
    };
    let executes = |site: &Site<'_>| {
        let value = site.attribute("ExecuteActionsIf").unwrap_or_default();
        matches!(value.trim(), "true" | "1")
    };
    // A claim that is not there equals nothing, so only the test for existence has two sides.
    let (first, second) = preconditions.iter().enumerate().find_map(|(index, a)| {
        let b = preconditions[index + 1..].iter().find(|b| {
            a.attribute("Type") == Some("ClaimsExist")
                && executes(a) != executes(b)
                && condition(a) == condition(b)
        })?;
        Some((a, b))
    })?;
    Some(
        Diagnostic::new(
            &STEP_ALWAYS_SKIPPED,
            step.attribute_location("Order"),
            format!(
                "step {} is skipped if `{}` exists and if it does not",
                step.attribute("Order").unwrap_or_default(),
                condition(first).1.join("`, `")
            ),
        )
        .related(first.location(first.element.tag_span()), "in one case")
        .related(second.location(second.element.tag_span()), "in the other"),
    )
}

fn switched_off(view: &Effective<'_>, step: Site<'_>) -> Option<Diagnostic> {
    if step.attribute("Type") != Some("ClaimsExchange") || !view.is_complete() {
        return None;
    }
    let mut exchanges = step.items("ClaimsExchanges", "ClaimsExchange").peekable();
    exchanges.peek()?;
    let mut off = None;
    for exchange in exchanges {
        let profile = view.technical_profile(exchange.attribute("TechnicalProfileReferenceId")?)?;
        let enabled = profile.child("EnabledForUserJourneys")?;
        if !matches!(enabled.element.trimmed_text(), "Never" | "false") {
            return None;
        }
        off = Some((profile.id.to_owned(), enabled));
    }
    let (id, enabled) = off?;
    Some(
        Diagnostic::new(
            &STEP_ALWAYS_SKIPPED,
            step.attribute_location("Order"),
            format!(
                "step {} never runs, because `{id}` is switched off",
                step.attribute("Order").unwrap_or_default()
            ),
        )
        .related(
            enabled.location(enabled.element.text_span()),
            "switched off here",
        ),
    )
}
