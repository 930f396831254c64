//! Requests that are carried out after their client has given them up.

use super::answer::{Ids, Refusal};
use super::bearer::Caller;
use super::server::Incoming;

/// Requests that nobody waits for any more and that are still to be carried out.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// Graph requests so far.
    seen: u64,
    /// Each with the number of the request before which it is carried out.
    waiting: Vec<(u64, Forgotten)>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Forgotten {
    pub(super) request: Incoming,
    pub(super) caller: Result<Caller, Refusal>,
    pub(super) ids: Ids,
}

impl Late {
    /// Counts a request; what is to be carried out before it.
    pub(super) fn count(&mut self) -> Vec<Forgotten> {
        self.seen += 1;
        let seen = self.seen;
        let waiting = std::mem::take(&mut self.waiting);
        let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(due, _)| *due <= seen);
        self.waiting = later;
        due.into_iter().map(|(_, request)| request).collect()
    }

    /// Puts a request off until so many others have come.
    pub(super) fn put_off(&mut self, request: Forgotten, requests: u32) {
        let due = self.seen + u64::from(requests);
        self.waiting.push((due, request));
    }
}
