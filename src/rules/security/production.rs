//! `sec-development-mode` and `sec-insights-developer`: what is meant for finding mistakes, in an
//! environment that the team marked as production.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::Effective;

/// Claims of users are recorded.
pub(super) static SEC_DEVELOPMENT_MODE: Rule = Rule {
    id: "sec-development-mode",
    level: Level::Warning,
    summary: "a policy for a production environment is in development mode",
};

/// Claims of users are sent to Application Insights.
pub(super) static SEC_INSIGHTS_DEVELOPER: Rule = Rule {
    id: "sec-insights-developer",
    level: Level::Warning,
    summary: "JourneyInsights is in developer mode in a production environment",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.set().is_production() {
        return;
    }
    let policy = view.policy();
    let Some(root) = policy.document.root() else {
        return;
    };
    let mode = root
        .attribute("DeploymentMode")
        .filter(|mode| mode.value() != "Production");
    if let Some(mode) = mode {
        findings.push(
            Diagnostic::new(
                &SEC_DEVELOPMENT_MODE,
                policy.location(mode.value_span()),
                format!(
                    "DeploymentMode `{}` in a production environment",
                    mode.value()
                ),
            )
            .help("take the value from a setting, so that production has `Production`")
            .policy_id(policy.id()),
        );
    }
    let insights = root
        .descend(&["RelyingParty", "UserJourneyBehaviors", "JourneyInsights"])
        .and_then(|insights| insights.attribute("DeveloperMode"))
        .filter(|mode| matches!(mode.value().trim(), "true" | "1"));
    if let Some(mode) = insights {
        findings.push(
            Diagnostic::new(
                &SEC_INSIGHTS_DEVELOPER,
                policy.location(mode.value_span()),
                "DeveloperMode sends the claims of users to Application Insights",
            )
            .help("take the value from a setting, so that production has `false`")
            .policy_id(policy.id()),
        );
    }
}
