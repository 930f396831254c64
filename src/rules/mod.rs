//! The rules: one file per rule or family of rules with one algorithm, in groups named after the
//! first word of the rule's id.
//!
//! A rule is a pure function of one policy with what it inherits. Rules never call rules; what
//! several of them need to know lives in `policy/`. [`CHECKS`] is the list of all checks in the order
//! in which they run, [`ALL`] the list of every rule that the tool knows, those of other rooms
//! included.

mod journey;
mod reference;

use crate::diagnostics::{Diagnostic, Rule};
use crate::policy::Effective;
use crate::{policy, xml};

/// One check: looks at a policy with its ancestors and adds what it finds in the policy's own file.
type Check = fn(&Effective<'_>, &mut Vec<Diagnostic>);

/// Every check, in the order in which they run.
static CHECKS: &[Check] = &[reference::dangling::check, journey::selection_target::check];

/// Every rule record, in the order in which `explain` lists them.
pub static ALL: &[&[&Rule]] = &[
    &[&xml::XML_WELLFORMED],
    &[
        &policy::POLICYID_DUPLICATE,
        &policy::TENANTID_MISMATCH,
        &policy::BASE_NOT_FOUND,
        &policy::BASE_UNKNOWN,
        &policy::BASE_CYCLE,
        &policy::BASE_DEPTH,
        &policy::BASE_CASE,
        &policy::MULTIPLE_ROOTS,
    ],
    reference::dangling::RULES,
    &[&journey::selection_target::SELECTION_TARGET],
];

/// Every rule record once.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    ALL.iter().flat_map(|group| group.iter().copied())
}

/// The record of a rule.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// Runs every check on a policy.
pub fn check(view: &Effective<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for check in CHECKS {
        check(view, &mut findings);
    }
    findings
}
