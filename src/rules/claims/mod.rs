//! Claim types, predicates and localization.

use super::Group;

mod data_type;
mod default_value;
mod localization;
mod options;
mod predicates;
mod regex;
mod user_input;
mod well_known;

pub(super) static GROUP: Group = Group {
    rules: &[
        &data_type::CLAIMTYPE_NO_DATATYPE,
        &data_type::CLAIMTYPE_NO_DISPLAYNAME,
        &user_input::USERINPUT_DATATYPE,
        &options::SELECT_WITHOUT_OPTIONS,
        &options::ENUMERATION_DUPLICATE_VALUE,
        &regex::REGEX_INVALID,
        &regex::REGEX_NOT_JS,
        &regex::MASK_REGEX_MISSING,
        &predicates::PREDICATE_METHOD,
        &predicates::PREDICATEGROUP_MATCHATLEAST,
        &default_value::DEFAULTVALUE_TYPE,
        &well_known::RESERVED_CLAIM_TYPE_CHANGE,
        &well_known::EXTENSION_CLAIM_DATATYPE,
        &localization::LOCALIZATION_LANGUAGE,
        &localization::LOCALIZATION_STRING_TYPE,
    ],
    checks: &[
        data_type::check,
        user_input::check,
        options::check,
        regex::check,
        predicates::check,
        default_value::check,
        well_known::check,
        localization::check,
    ],
    set_checks: &[],
};
