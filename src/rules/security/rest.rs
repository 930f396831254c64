//! `sec-rest-none`: a REST service that anybody may call.

use std::collections::HashMap;

use crate::diagnostics::{Diagnostic, Level, Rule, SourceId};
use crate::policy::{Effective, Policy, PolicySet, Role};

/// The service does not know who calls it.
pub(super) static SEC_REST_NONE: Rule = Rule {
    id: "sec-rest-none",
    level: Level::Warning,
    summary: "a policy in development mode calls a REST service without authentication",
};

/// Only in development mode: elsewhere the tenant refuses it, or the policy says by
/// `AllowInsecureAuthInProduction` that it is meant, and other rules say so.
pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let mode = view.policy().header.deployment_mode.as_ref();
    if mode.is_none_or(|mode| mode.value != "Development") {
        return;
    }
    let Some(execution) = view.execution() else {
        return;
    };
    let mut used_outside: HashMap<SourceId, bool> = HashMap::new();
    for executed in &execution.profiles {
        let profile = &executed.profile;
        let rest = profile
            .handler()
            .is_some_and(|handler| handler == "Web.TPEngine.Providers.RestfulProvider");
        let allowed = profile
            .metadata("AllowInsecureAuthInProduction")
            .is_some_and(|item| item.value.trim().eq_ignore_ascii_case("true"));
        let Some(item) = profile.metadata("AuthenticationType") else {
            continue;
        };
        let none = item.value.trim().eq_ignore_ascii_case("None");
        let policy = item.site.policy;
        if !rest || allowed || !none || policy.role == Role::Context {
            continue;
        }
        if *used_outside
            .entry(policy.source)
            .or_insert_with(|| is_used_outside(view.set(), policy))
        {
            continue;
        }
        findings.push(
            Diagnostic::new(
                &SEC_REST_NONE,
                item.site.location(item.site.element.text_span()),
                format!("`{}` calls its service without authentication", profile.id),
            )
            .help(
                "use Basic, Bearer, ClientCertificate or ApiKeyHeader; outside development mode the \
                 tenant refuses None",
            )
            .policy_id(policy.id()),
        );
    }
}

/// Whether a relying party in another mode inherits from a policy. What the tenant says of that one
/// says more.
fn is_used_outside(set: &PolicySet, policy: &Policy) -> bool {
    set.iter().any(|(index, other)| {
        let mode = other.header.deployment_mode.as_ref();
        mode.is_none_or(|mode| mode.value != "Development")
            && other.relying_party().is_some()
            && set
                .chain(index)
                .0
                .iter()
                .any(|&ancestor| set.get(ancestor).source == policy.source)
    })
}
