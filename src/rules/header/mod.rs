//! The head of a policy file: ids, tenant, mode, size.

use super::Group;

pub(super) static GROUP: Group = Group {
    rules: &[],
    checks: &[],
};
