//! What the sign-in remembers while the emulator runs: assertions that were used, codes that wait for
//! a person, and sessions of people.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::super::guid;

/// What a person decided about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Decision {
    Waiting,
    Confirmed,
    Declined,
}

/// A person's sign-in to an application, begun or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) struct Session {
    pub(in crate::emulator) tenant: String,
    pub(in crate::emulator) client: String,
    /// As the client asked for them.
    pub(in crate::emulator) scope: String,
}

/// A code that a person has to confirm.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Pending {
    pub(in crate::emulator) session: Session,
    pub(in crate::emulator) user_code: String,
    pub(in crate::emulator) decision: Decision,
    pub(in crate::emulator) begun: Instant,
    /// When the client asked last.
    pub(in crate::emulator) asked: Option<Instant>,
}

#[derive(Debug, Default)]
pub(in crate::emulator) struct Memory {
    /// Client and `jti` of assertions, with their expiry.
    used: Mutex<BTreeMap<(String, String), i64>>,
    /// By device code.
    pending: Mutex<BTreeMap<String, Pending>>,
    /// By refresh token.
    sessions: Mutex<BTreeMap<String, Session>>,
}

impl Memory {
    /// Notes an assertion; false if it was used before.
    pub(super) fn is_first_use(&self, client: &str, id: &str, expires: i64, now: i64) -> bool {
        let mut used = locked(&self.used);
        // Those that are out of their time are refused for that.
        used.retain(|_, expiry| *expiry >= now);
        used.insert((client.to_lowercase(), id.to_owned()), expires)
            .is_none()
    }

    pub(super) fn begin(&self, pending: Pending) -> String {
        let code = guid::random_kid();
        locked(&self.pending).insert(code.clone(), pending);
        code
    }

    /// Looks at a code that waits, and may change or take it.
    pub(super) fn pending<T>(&self, code: &str, look: impl FnOnce(Option<&mut Pending>) -> T) -> T {
        look(locked(&self.pending).get_mut(code))
    }

    pub(super) fn forget(&self, code: &str) {
        locked(&self.pending).remove(code);
    }

    /// Notes what a person decided; false if no code of this name waits.
    pub(super) fn decide(&self, user_code: &str, decision: Decision) -> bool {
        let mut pending = locked(&self.pending);
        let found = pending.values_mut().find(|pending| {
            pending.decision == Decision::Waiting
                && pending.user_code.eq_ignore_ascii_case(user_code.trim())
        });
        found.is_some_and(|pending| {
            pending.decision = decision;
            true
        })
    }

    /// A refresh token for a session.
    pub(super) fn remember(&self, session: Session) -> String {
        let token = format!("{}{}", guid::random_kid(), guid::random_kid());
        locked(&self.sessions).insert(token.clone(), session);
        token
    }

    /// Ends a refresh token, which is good once.
    pub(super) fn take(&self, refresh_token: &str) -> Option<Session> {
        locked(&self.sessions).remove(refresh_token)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
