//! References by id.

use super::Group;

mod dangling;

pub(super) static GROUP: Group = Group {
    rules: dangling::RULES,
    checks: &[dangling::check],
};
