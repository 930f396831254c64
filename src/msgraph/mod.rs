//! The only caller of Microsoft Graph: policies and keysets under `/beta/trustFramework`, and what
//! policies need of the directory: applications, service principals, consent, the organization.
//!
//! [`GraphClient`] has one function per thing that can be done to a tenant. Each call is repeated by
//! its kind (`retry.rs`): what can be repeated safely is, and calls that append a key look at the
//! keyset before they are sent again. [`GraphError`] keeps everything that the service said;
//! [`split_validation_message`] takes its sentences about a rejected policy apart.
//!
//! This room does not know what policies contain, which ones belong together, or in which order they
//! are written. It holds no state but counters and connections.

mod append;
mod applications;
mod call;
mod client;
mod directory;
mod error;
mod error_body;
mod keysets;
mod organization;
mod permission_grants;
mod policies;
mod retry;
mod service_principals;
mod validation;

pub use append::{AppendedKey, KeysetState, NewSecret};
pub use applications::{Application, ApplicationSettings, PermissionScope, RequiredAccess};
pub use client::{ClientStats, GraphClient, GraphOptions, RetryEvent, RetryObserver};
pub use error::{Ambiguity, GraphError, NoAnswer, Rejection, UnknownCreation};
pub use keysets::{CreatedKeyset, Key, KeyKind, KeyState, KeyStatus, KeyUse, KeyValidity, Keyset};
pub use organization::{DirectoryQuota, Organization, VerifiedDomain};
pub use permission_grants::PermissionGrant;
pub use policies::PutOutcome;
pub use service_principals::ServicePrincipal;
pub use validation::{
    Name, NamedThing, SentenceKind, UploadedPosition, ValidationFailure, ValidationItem,
    split_validation_message,
};
