//! What a policy changes of what it inherits.

use super::Group;

pub(super) static GROUP: Group = Group {
    rules: &[],
    checks: &[],
};
