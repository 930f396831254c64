//! What an attacker would look for.

use crate::diagnostics::Rule;

use super::Group;

pub(super) static GROUP: Group = Group {
    rules: &[],
    checks: &[],
    set_checks: &[],
};

/// Rules that speak only where the environment is marked production.
pub(super) static PRODUCTION_ONLY: &[&Rule] = &[];
