//! User journeys and sub journeys.

use super::Group;

mod selection_target;

pub(super) static GROUP: Group = Group {
    rules: &[&selection_target::SELECTION_TARGET],
    checks: &[selection_target::check],
    set_checks: &[],
};
