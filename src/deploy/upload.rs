//! One upload, and what is there after an answer that says nothing.

use std::sync::Arc;

use crate::msgraph::{GraphClient, GraphError, PutOutcome};

use super::failure::Failure;
use super::{LocalPolicy, RemotePolicy};

/// What is sent, and what the tenant must hold afterwards.
#[derive(Debug)]
pub(super) struct Upload {
    text: Arc<str>,
    canonical: String,
}

/// Why a policy is not as planned.
#[derive(Debug)]
pub(super) enum WriteError {
    /// The call failed.
    Graph(GraphError),
    /// Something answered with success, but the tenant does not hold what was sent.
    Other {
        /// How often it was sent.
        attempts: u32,
    },
}

impl WriteError {
    /// The error, in words for the report.
    pub(super) fn failure(&self) -> Failure {
        match self {
            Self::Graph(error) => Failure::of_call(error),
            Self::Other { .. } => Failure::internal(NOT_STORED),
        }
    }
}

/// What [`WriteError::Other`] means.
pub(super) const NOT_STORED: &str = "the upload was answered with success, but without the policy in \
    the answer, and the tenant does not hold what was uploaded: a proxy may have answered instead of \
    the service";

impl Upload {
    pub(super) fn of(policy: &LocalPolicy) -> Self {
        Self {
            text: Arc::clone(&policy.text),
            canonical: policy.canonical.clone(),
        }
    }

    /// What the tenant had before.
    pub(super) fn again(id: &str, text: &str) -> Self {
        let policy = RemotePolicy::new(id, text);
        Self {
            canonical: policy.canonical.unwrap_or_else(|| text.to_owned()),
            text: text.into(),
        }
    }

    /// Sends the policy; how often that took. The service answers with the policy that it has stored.
    /// After a success that looks otherwise (a page of a proxy, nothing at all) the policy is read,
    /// and only what is there counts.
    pub(super) async fn send(self, client: &GraphClient, id: &str) -> Result<u32, WriteError> {
        let put = client.put_policy(id, &self.text).await;
        let (attempts, error) = match put {
            Ok(put) if holds_policy(&put) => return Ok(put.attempts),
            Ok(put) => (put.attempts, None),
            Err(GraphError::NoAnswer(no_answer)) if no_answer.unusable => {
                (no_answer.attempts, Some(GraphError::NoAnswer(no_answer)))
            }
            Err(error) => return Err(WriteError::Graph(error)),
        };
        let stored = client.get_policy(id).await;
        let stored = stored.map_err(|failed| WriteError::Graph(error.clone().unwrap_or(failed)))?;
        let is_stored = stored.is_some_and(|text| {
            RemotePolicy::new(id, text).canonical.as_ref() == Some(&self.canonical)
        });
        match error {
            _ if is_stored => Ok(attempts),
            Some(error) => Err(WriteError::Graph(error)),
            None => Err(WriteError::Other { attempts }),
        }
    }
}

fn holds_policy(put: &PutOutcome) -> bool {
    put.body.contains("TrustFrameworkPolicy")
}
