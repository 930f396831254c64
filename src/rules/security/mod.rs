//! What an attacker would look for.

use super::Group;

pub(super) static GROUP: Group = Group {
    rules: &[],
    checks: &[],
};
