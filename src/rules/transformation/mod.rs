//! Claims transformations: methods, slots, parameters.

use super::Group;

mod parameters;
mod slots;
mod unknown_method;

pub(super) static GROUP: Group = Group {
    rules: &[
        &unknown_method::CT_UNKNOWN_METHOD,
        &slots::CT_INPUT_MISMATCH,
        &slots::CT_OUTPUT_MISMATCH,
        &parameters::CT_PARAMETER_MISMATCH,
        &parameters::CT_PARAMETER_VALUE,
    ],
    checks: &[unknown_method::check, slots::check, parameters::check],
};
