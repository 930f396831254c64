//! Claim types, predicates and localization.

use super::Group;

pub(super) static GROUP: Group = Group {
    rules: &[],
    checks: &[],
    set_checks: &[],
};
