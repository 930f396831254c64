//! Deployment: from a set of policies and a tenant to a plan, and from the plan to the tenant.
//!
//! [`Local`] is what is wanted, [`Remote`] what is there ([`read`] asks the tenant), [`build`] makes
//! a [`Plan`] of both, which is pure data: every dry run, output and test uses the same one.
//! [`Materials::gather`] reads the values of keys that have to be made, and [`execute`] carries the
//! plan out, and only after what it overwrites was saved by [`Snapshot`]. [`Outcome`] tells what
//! became of every step. [`keys`] is the life of keysets after their first key.
//!
//! The room reaches the network through `msgraph` only, and the disk only for snapshots, locks, the
//! ledger, and the files of key values. It prints nothing, reads no environment, and knows no configuration format.

mod breaker;
mod cancellation;
mod difference;
mod execute;
mod failure;
mod file_name;
mod fingerprint;
mod generated_keyset;
mod impact;
pub mod keys;
mod keyset_plan;
mod ledger;
mod local;
mod locate;
mod lock;
mod materials;
mod moved;
mod observer;
mod outcome;
mod pkcs12;
mod place;
mod plan;
mod preconditions;
mod provision;
mod prune;
mod recipe;
mod rejected;
mod remote;
mod restore;
mod retention;
mod schedule;
mod snapshot;
mod upload;

pub use crate::utc::{DateError, date, parse_date, parse_span};
pub use crate::x509::Certificate;
pub use cancellation::Cancellation;
pub use difference::{Change, Difference, How};
pub use execute::{ExecuteError, ExecuteOptions, Execution, execute};
pub use failure::{Failure, FailureItem};
pub use file_name::file_name;
pub use fingerprint::Fingerprint;
pub use generated_keyset::{KeysetNotMade, make_generated_keyset};
pub use keyset_plan::{
    KEYSET_CONFLICTING_RECIPES, KEYSET_MISSING, KEYSET_MIXED_USE, KEYSET_WRONG_KIND, KeyMaker,
};
pub use ledger::{Ledger, LedgerError, Owned, Scope};
pub use local::{Local, LocalBase, LocalPolicy, Undeployable};
pub use lock::{LockError, TenantLock};
pub use materials::{KEYSET_WITHOUT_VALUE, Materials, ValueError};
pub use moved::Moved;
pub use observer::{Event, Observer, RetriesTo};
pub use outcome::{KeysetOutcome, Outcome, OutcomeSummary, PolicyOutcome, Status, Stop};
pub use pkcs12::Pkcs12Problem;
pub use place::Place;
pub use plan::{
    KeysetAction, KeysetCondition, KeysetStep, Need, PLAN_VERSION, Plan, PlanError, PlanOptions,
    Planned, PolicyAction, PolicyStep, TenantIdentity, build,
};
pub use preconditions::{
    POLICY_TOO_LARGE, POLICY_UNDEPLOYABLE, POLICYID_UNPREFIXED, PRODUCTION_DEBUGGING, RULES,
    TENANT_FULL, TENANT_OTHER, without_doubles,
};
pub use prune::{PRUNE_CHANGED, PRUNE_INHERITED, Pruning, heirs_outside, prune};
pub use recipe::{GeneratedKind, KeyContent, Recipe, Usage, ValueSource};
pub use rejected::{Evidence, UPLOAD_FAILED};
pub use remote::{Remote, RemotePolicy, read, read_all};
pub use restore::NOT_RESTORED;
pub use snapshot::{Manifest, SavedPolicy, Snapshot, SnapshotError};

use crate::utc;

/// Ids as the service compares them: without regard to case.
fn fold(id: &str) -> String {
    id.to_ascii_lowercase()
}
