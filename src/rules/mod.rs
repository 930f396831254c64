//! The rules: one file per rule or family of rules with one algorithm, in groups named after what
//! they look at.
//!
//! A rule is a pure function of one policy with what it inherits. Rules never call rules; what
//! several of them need to know lives in `policy/`. Each group lists its rules and checks; the order
//! of the groups here is the order in which they run and in which `explain` lists them. Rules that
//! another room finds by itself (ill-formed XML, a cycle of bases) are listed in [`FOUND_ELSEWHERE`].

mod claims;
mod content_definition;
mod docs;
mod header;
mod inheritance;
mod journey;
mod pages;
mod reference;
mod same_mistake;
mod security;
mod suppression;
mod technical_profile;
mod transformation;
mod unused;

pub use docs::page;
pub use same_mistake::tell_once;
pub use suppression::suppress;

use crate::diagnostics::{Diagnostic, Rule};
use crate::policy::{Effective, PolicySet};
use crate::{policy, schema, xml};

/// One check: looks at a policy with its ancestors and adds what it finds in the policy's own file.
type Check = fn(&Effective<'_>, &mut Vec<Diagnostic>);

/// A check that no single policy can decide: looks at the whole set once.
pub type SetCheck = fn(&PolicySet, &mut Vec<Diagnostic>);

/// Rules that belong together.
struct Group {
    rules: &'static [&'static Rule],
    checks: &'static [Check],
    set_checks: &'static [SetCheck],
}

static GROUPS: &[&Group] = &[
    &header::GROUP,
    &inheritance::GROUP,
    &reference::GROUP,
    &claims::GROUP,
    &transformation::GROUP,
    &technical_profile::GROUP,
    &content_definition::GROUP,
    &journey::GROUP,
    &security::GROUP,
    &unused::GROUP,
];

/// Rules whose findings come from other rooms.
static FOUND_ELSEWHERE: &[&Rule] = &[
    &xml::FILE_UNREADABLE,
    &xml::XML_WELLFORMED,
    &policy::POLICYID_DUPLICATE,
    &policy::TENANTID_MISMATCH,
    &policy::BASE_NOT_FOUND,
    &policy::BASE_UNKNOWN,
    &policy::BASE_CYCLE,
    &policy::BASE_DEPTH,
    &policy::BASE_CASE,
    &policy::MULTIPLE_ROOTS,
    &policy::JOURNEY_STEPS_KEPT,
];

/// Every rule that the tool knows, once.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    let groups = GROUPS.iter().flat_map(|group| group.rules);
    FOUND_ELSEWHERE
        .iter()
        .chain(&schema::RULES)
        .chain(policy::SETTINGS_RULES)
        .chain(groups)
        .chain(suppression::RULES)
        .copied()
}

/// The record of a rule.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// Whether a rule finds nothing where it cannot know enough, so that its silence proves nothing: it
/// speaks only in production environments or over complete sets.
fn is_conditional(rule: &Rule) -> bool {
    let conditional = security::PRODUCTION_ONLY
        .iter()
        .chain(unused::OVER_COMPLETE_SETS);
    conditional.into_iter().any(|known| *known == rule)
}

/// The rules on references to claim types and display controls that nobody declares.
const UNDECLARED_CLAIM: &str = "ref-claimtype";
const UNDECLARED_CONTROL: &str = "ref-displaycontrol";

/// Marks findings on what is missed while a rule may have found it under another name.
fn doubt_while(rule: &'static str, findings: &mut [Diagnostic]) {
    for finding in findings {
        finding.doubtful_while = Some(rule);
    }
}

/// The checks that look at a whole set, each to be run once.
pub fn set_checks() -> impl Iterator<Item = SetCheck> {
    GROUPS
        .iter()
        .flat_map(|group| group.set_checks.iter().copied())
}

/// Runs every check on a policy.
pub fn check(view: &Effective<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for check in GROUPS.iter().flat_map(|group| group.checks) {
        check(view, &mut findings);
    }
    findings
}
