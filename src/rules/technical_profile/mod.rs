//! Technical profiles: protocols, metadata, keys, claims.

use super::Group;

mod sa_output_no_source;

pub(super) static GROUP: Group = Group {
    rules: &[&sa_output_no_source::SA_OUTPUT_NO_SOURCE],
    checks: &[sa_output_no_source::check],
    set_checks: &[],
};
