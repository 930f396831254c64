//! Technical profiles: protocols, metadata, keys, claims.

use super::Group;

pub(super) static GROUP: Group = Group {
    rules: &[],
    checks: &[],
    set_checks: &[],
};
