//! Keysets after their first key: what a tenant has, what is wrong with it, and how keys are added
//! and keysets removed.
//!
//! [`read`] asks the tenant, [`users_in_set`] and [`users_in_tenant`] tell which policies need which
//! keyset, [`check`] compares both, and [`RotationPlan`] says what a new key would change and when.
//! All of that is data; only `apply.rs` writes. This room takes the time of day from its caller.

mod active;
mod apply;
mod check;
mod rotation;
mod tenant;
mod users;

pub use active::{Handover, active_key, handovers};
pub use apply::{Added, Change, KeysError, create, delete, offer_from, rotate};
pub use check::{
    CheckOptions, KEYSET_EXPIRED, KEYSET_EXPIRING, KEYSET_NOT_YET_ACTIVE,
    KEYSET_WITHOUT_ACTIVE_KEY, KEYSET_WITHOUT_KEY, KeyFinding, KeysReport, check,
};
pub use rotation::{Offer, Refusal, RotationPlan, Warning};
pub use tenant::{Scope, TenantKey, TenantKeyset, find, read};
pub use users::{KeyUser, users_in_set, users_in_tenant};
