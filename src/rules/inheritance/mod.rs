//! What a policy changes of what it inherits.

use super::Group;

mod include;
mod journey_tail;
mod override_kind;
mod override_text;

pub(super) static GROUP: Group = Group {
    rules: &[
        &override_text::OVERRIDE_CASE,
        &override_kind::OVERRIDE_TYPE_CONFLICT,
        &override_text::OVERRIDE_IDENTICAL,
        &journey_tail::JOURNEY_TAIL_INHERITED,
        &include::INCLUDE_CYCLE,
        &include::INCLUDE_CLAIMS_SCOPE,
    ],
    checks: &[
        override_text::check,
        override_kind::check,
        journey_tail::check,
        include::check,
    ],
    set_checks: &[],
};
