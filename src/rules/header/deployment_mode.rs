//! `deployment-mode`: a journey recorder that records nothing.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::Effective;

/// The two attributes that switch the recorder on contradict each other.
pub(super) static DEPLOYMENT_MODE: Rule = Rule {
    id: "deployment-mode",
    level: Level::Warning,
    summary: "UserJourneyRecorderEndpoint has no effect: its value is unknown or the policy is not \
              in development mode",
};

/// The only value that Microsoft documents.
const RECORDER: &str = "urn:journeyrecorder:applicationinsights";

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    let Some(root) = policy.document.root() else {
        return;
    };
    let Some(endpoint) = root.attribute("UserJourneyRecorderEndpoint") else {
        return;
    };
    let mode = root.attribute_value("DeploymentMode");
    let (message, help) = if endpoint.value() != RECORDER {
        (
            format!(
                "`{}` is no journey recorder that the service knows",
                endpoint.value()
            ),
            format!("write `{RECORDER}`, or remove the attribute"),
        )
    } else if mode == Some("Development") {
        return;
    } else {
        let mode = mode.map_or_else(
            || "has no DeploymentMode".to_owned(),
            |mode| format!("has DeploymentMode `{mode}`"),
        );
        (
            format!("journeys are recorded in development mode only, and this policy {mode}"),
            "remove UserJourneyRecorderEndpoint, or write `DeploymentMode=\"Development\"` while \
             you look for a mistake"
                .to_owned(),
        )
    };
    findings.push(
        Diagnostic::new(
            &DEPLOYMENT_MODE,
            policy.location(endpoint.value_span()),
            message,
        )
        .help(help)
        .policy_id(policy.id()),
    );
}
