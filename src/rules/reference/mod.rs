//! References by id.

use super::Group;

mod dangling;
mod key_prefix;
mod localization;
mod metadata;
mod precondition_claim;
mod refresh_journey;

pub(super) static GROUP: Group = Group {
    rules: &[
        &dangling::CLAIM_TYPE,
        &dangling::CLAIMS_TRANSFORMATION,
        &dangling::TECHNICAL_PROFILE,
        &dangling::INCLUDE,
        &dangling::CONTENT_DEFINITION,
        &dangling::USER_JOURNEY,
        &dangling::SUB_JOURNEY,
        &dangling::PREDICATE,
        &dangling::PREDICATE_VALIDATION,
        &dangling::INPUT_VALIDATION,
        &dangling::DISPLAY_CONTROL,
        &dangling::CLIENT_DEFINITION,
        &metadata::CONTENT_DEFINITION,
        &metadata::CLAIM,
        &localization::RESOURCES,
        &localization::ELEMENT,
        &precondition_claim::PRECONDITION_CLAIM,
        &refresh_journey::REFRESH_JOURNEY,
        &key_prefix::POLICYKEY_PREFIX,
    ],
    checks: &[
        dangling::check,
        metadata::check,
        localization::check,
        precondition_claim::check,
        refresh_journey::check,
        key_prefix::check,
    ],
    set_checks: &[],
};
