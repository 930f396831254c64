//! User journeys and sub journeys.

pub(super) mod selection_target;
