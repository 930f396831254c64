//! Claims transformations: methods, slots, parameters, and where they run.

use super::Group;

mod executed;
mod format;
mod generate_json;
mod outputs;
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
        &format::CT_FORMAT_PLACEHOLDERS,
        &generate_json::CT_GENERATEJSON_ARRAY,
        &executed::CT_ASSERT_OUTSIDE_SELFASSERTED,
        &executed::CT_LOCALIZED_STRING_MISSING,
        &outputs::CT_MAPPED_VALUE_NO_RESTRICTION,
        &outputs::CT_COPY_PREDICATE_NONE,
        &executed::CT_INPUT_UNAVAILABLE,
    ],
    checks: &[
        unknown_method::check,
        slots::check,
        parameters::check,
        format::check,
        generate_json::check,
        outputs::check,
        executed::check,
    ],
    set_checks: &[],
};
