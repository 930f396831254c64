//! When trying on makes no sense.

use crate::msgraph::GraphError;

use super::outcome::Stop;

/// Notices when trying on makes no sense.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    pub(super) stop: Option<Stop>,
    /// Calls in a row that got no answer, each after all its repetitions.
    unanswered: u32,
}

impl Breaker {
    /// So many calls without any answer mean that the next one gets none either.
    const MOST_UNANSWERED: u32 = 3;

    pub(super) fn succeeded(&mut self) {
        self.unanswered = 0;
    }

    pub(super) fn failed(&mut self, error: &GraphError) {
        match error {
            GraphError::NoAnswer(_) => self.unanswered += 1,
            _ => self.unanswered = 0,
        }
        let refused =
            matches!(error, GraphError::SignIn { .. }) || matches!(error.status(), Some(401 | 403));
        if refused {
            self.stop
                .get_or_insert_with(|| Stop::Refused(error.to_string()));
        } else if self.unanswered >= Self::MOST_UNANSWERED {
            self.stop
                .get_or_insert_with(|| Stop::Unreachable(error.to_string()));
        }
    }
}
