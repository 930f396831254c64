//! The only caller of Microsoft Graph: policies and keysets under `/beta/trustFramework`.
//!
//! [`GraphClient`] has one function per thing that can be done to a tenant. Each call is repeated by
//! its kind (`retry.rs`): what can be repeated safely is, and calls that append a key look at the
//! keyset before they are sent again. [`GraphError`] keeps everything that the service said;
//! [`split_validation_message`] takes its sentences about a rejected policy apart.
//!
//! This room does not know what policies contain, which ones belong together, or in which order they
//! are written. It holds no state but counters and connections.

mod append;
mod call;
mod client;
mod error;
mod error_body;
mod keysets;
mod policies;
mod retry;
mod validation;

pub use append::{AppendedKey, KeysetState, NewSecret};
pub use client::{ClientStats, GraphClient, GraphOptions, RetryEvent, RetryObserver};
pub use error::{Ambiguity, GraphError, NoAnswer, Rejection};
pub use keysets::{CreatedKeyset, Key, KeyKind, KeyState, KeyStatus, KeyUse, KeyValidity, Keyset};
pub use policies::PutOutcome;
pub use validation::{
    Name, NamedThing, SentenceKind, UploadedPosition, ValidationFailure, ValidationItem,
    split_validation_message,
};
