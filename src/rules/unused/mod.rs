//! What nothing refers to, what never runs, and what is out of date.

use crate::diagnostics::Rule;

use super::Group;

mod always_skipped;
mod outdated;
mod usage;

pub(super) static GROUP: Group = Group {
    rules: &[
        &usage::UNUSED_CLAIM,
        &usage::UNUSED_TECHNICALPROFILE,
        &usage::UNUSED_JOURNEY,
        &usage::UNUSED_SUBJOURNEY,
        &usage::UNUSED_CONTENTDEFINITION,
        &usage::UNUSED_DISPLAYCONTROL,
        &usage::UNUSED_PREDICATE,
        &usage::CT_UNUSED,
        &usage::LOCALIZATION_UNUSED,
        &always_skipped::STEP_ALWAYS_SKIPPED,
        &outdated::DEPRECATED_ELEMENT,
        &outdated::RETIRED_SERVICE_ENDPOINT,
    ],
    checks: &[always_skipped::check, outdated::check],
    set_checks: &[usage::check],
};

/// Rules that speak only over sets which hold everything that could use an element.
pub(super) static OVER_COMPLETE_SETS: &[&Rule] = &[
    &usage::UNUSED_CLAIM,
    &usage::UNUSED_TECHNICALPROFILE,
    &usage::UNUSED_JOURNEY,
    &usage::UNUSED_SUBJOURNEY,
    &usage::UNUSED_CONTENTDEFINITION,
    &usage::UNUSED_DISPLAYCONTROL,
    &usage::UNUSED_PREDICATE,
    &usage::CT_UNUSED,
    &usage::LOCALIZATION_UNUSED,
];
