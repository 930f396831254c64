//! References by id.

pub(super) mod dangling;
