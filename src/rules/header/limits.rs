//! `file-too-large` and `too-many-policies`: the limits of a tenant.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, PolicySet};

/// The policy is larger than the service accepts.
pub(super) static FILE_TOO_LARGE: Rule = Rule {
    id: "file-too-large",
    level: Level::Error,
    summary: "a policy is larger than the 1024 KB that a tenant accepts",
};

/// The set alone is more than a tenant holds.
pub(super) static TOO_MANY_POLICIES: Rule = Rule {
    id: "too-many-policies",
    level: Level::Warning,
    summary: "the set has more than the 200 policies that a tenant holds",
};

/// Size of a policy in bytes (Microsoft's "service limits and restrictions" page of Azure AD B2C).
const LARGEST_POLICY: usize = 1024 * 1024;

/// Whether that page's kilobyte has 1000 or 1024 bytes is not said; in between is a warning.
const LARGE_POLICY: usize = 1_024_000;

/// Policies in a tenant, custom ones and user flows together, from the same page.
const MOST_POLICIES: usize = 200;

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    let bytes = policy.document.text().len();
    if bytes <= LARGE_POLICY {
        return;
    }
    let Some(root) = policy.document.root() else {
        return;
    };
    let level = if bytes > LARGEST_POLICY {
        Level::Error
    } else {
        Level::Warning
    };
    findings.push(
        Diagnostic::new(
            &FILE_TOO_LARGE,
            policy.location(root.name_span()),
            format!("this policy has {bytes} bytes; a tenant accepts 1024 KB"),
        )
        .level(level)
        .help("move a part of it into a policy that it inherits from")
        .policy_id(policy.id()),
    );
}

pub(super) fn check_set(set: &PolicySet, findings: &mut Vec<Diagnostic>) {
    let count = set.own().count();
    let Some((_, first_beyond)) = set.own().nth(MOST_POLICIES) else {
        return;
    };
    let Some(id) = &first_beyond.header.policy_id else {
        return;
    };
    findings.push(
        Diagnostic::new(
            &TOO_MANY_POLICIES,
            id.location,
            format!("the set has {count} policies; a tenant holds {MOST_POLICIES}"),
        )
        .help("deploy them to several tenants, or remove policies that nobody uses")
        .policy_id(&id.value),
    );
}
