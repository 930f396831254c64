use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::msgraph::{RetryEvent, RetryObserver};

use super::outcome::Status;
use super::plan::{KeysetAction, PolicyAction};

/// Something that happened while a plan was executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Execution begins; so many keysets and policies will be written.
    Started {
        /// Keysets that get a key.
        keysets: usize,
        /// Policies that are written or deleted.
        policies: usize,
    },
    /// What will be overwritten is saved.
    SnapshotSaved {
        /// Where.
        folder: PathBuf,
    },
    /// A keyset is being made.
    KeysetStarted {
        /// Its id.
        id: String,
        /// Created or filled.
        action: KeysetAction,
    },
    /// An earlier run was interrupted while the key of this keyset was being added; it is waited for
    /// before another one is added.
    KeyAwaited {
        /// The keyset.
        id: String,
        /// The longest wait.
        at_most: Duration,
    },
    /// A keyset is done or failed.
    KeysetFinished {
        /// Its id.
        id: String,
        /// How it ended.
        status: Status,
    },
    /// A policy is being written or deleted.
    PolicyStarted {
        /// Its id.
        id: String,
        /// What happens to it.
        action: PolicyAction,
    },
    /// A policy is done, failed, blocked or restored. Unchanged policies cause no event.
    PolicyFinished {
        /// Its id.
        id: String,
        /// What happened to it.
        action: PolicyAction,
        /// How it ended.
        status: Status,
        /// How often it was sent.
        attempts: u32,
        /// How long it took.
        duration: Duration,
    },
    /// A call failed in passing and is repeated after a pause.
    Retry {
        /// The call, for example `PUT policy B2C_1A_X`.
        operation: String,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// The pause.
        delay: Duration,
        /// Why, in a few words.
        reason: String,
    },
    /// The deployment failed and the tenant is being put back.
    Restoring {
        /// Policies that are put back or deleted.
        policies: usize,
    },
}

/// Is told what happens while a plan is executed. Called from several threads, and must not block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn on_event(&self, event: &Event);
}

/// Looks at nothing.
impl Observer for () {
    fn on_event(&self, _: &Event) {}
}

/// Passes the client's repetitions on to an [`Observer`], as [`Event::Retry`].
#[derive(Clone)]
pub struct RetriesTo(pub Arc<dyn Observer>);

impl RetryObserver for RetriesTo {
    fn on_retry(&self, event: &RetryEvent) {
        self.0.on_event(&Event::Retry {
            operation: event.operation.clone(),
            attempt: event.attempt,
            delay: event.delay,
            reason: event.reason.clone(),
        });
    }
}
