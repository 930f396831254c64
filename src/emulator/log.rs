//! What was asked, for tests and for the command's own log.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Records that are kept; older ones go.
const CAPACITY: usize = 100_000;

/// One request, as it was received and answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// Position in the order of arrival, from 0.
    pub sequence: u64,
    /// The HTTP method.
    pub method: String,
    /// The path as sent, without query.
    pub path: String,
    /// The query as sent.
    pub query: Option<String>,
    /// The status that was answered; `None` while it runs and where the connection was reset.
    pub status: Option<u16>,
    /// The `client-request-id` header.
    pub client_request_id: Option<String>,
    /// The id that the emulator gave the request.
    pub request_id: String,
    /// Whether a valid bearer token was sent. False for the token endpoint.
    pub auth_ok: bool,
    /// The id of the tenant that the token is for.
    pub tenant: Option<String>,
    /// The fault that hit it, as the script writes it.
    pub fault: Option<String>,
    /// Which connection it came on, from 0.
    pub connection: u64,
    /// When it had arrived completely, from the emulator's start.
    pub started: Duration,
    /// When its answer was ready; `None` while it runs.
    pub finished: Option<Duration>,
}

/// All requests, in order of arrival.
#[derive(Debug)]
pub(super) struct Log {
    start: Instant,
    records: Mutex<(u64, VecDeque<RequestRecord>)>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            records: Mutex::default(),
        }
    }

    /// Adds a request that has just arrived; answers its number.
    pub(super) fn open(&self, mut record: RequestRecord) -> u64 {
        let mut guard = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, records) = &mut *guard;
        record.sequence = *next;
        record.started = self.start.elapsed();
        *next += 1;
        if records.len() == CAPACITY {
            records.pop_front();
        }
        let sequence = record.sequence;
        records.push_back(record);
        sequence
    }

    /// Changes the record of a request, unless it is gone.
    pub(super) fn update(&self, sequence: u64, change: impl FnOnce(&mut RequestRecord)) {
        let mut guard = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, records) = &mut *guard;
        let oldest = *next - records.len() as u64;
        let index = sequence
            .checked_sub(oldest)
            .and_then(|at| usize::try_from(at).ok());
        if let Some(record) = index.and_then(|at| records.get_mut(at)) {
            change(record);
        }
    }

    /// Notes the end of a request.
    pub(super) fn close(&self, sequence: u64, status: Option<u16>) {
        let now = self.start.elapsed();
        self.update(sequence, |record| {
            record.status = status;
            record.finished = Some(now);
        });
    }

    pub(super) fn snapshot(&self) -> Vec<RequestRecord> {
        let guard = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1.iter().cloned().collect()
    }
}
