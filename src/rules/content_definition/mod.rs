//! Content definitions and page contracts.

use super::Group;

pub(super) static GROUP: Group = Group {
    rules: &[],
    checks: &[],
    set_checks: &[],
};
