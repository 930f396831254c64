//! Repeating a request for a token, which is always safe.

use std::future::Future;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use tracing::debug;

use super::{AuthError, Backoff, Endpoint, FailedExchange};

/// An attempt that failed.
pub(super) struct Failure {
    /// Whether it may succeed when repeated.
    pub(super) transient: bool,
    /// Whether the name of the service is not known.
    pub(super) unresolved: bool,
    /// The pause that the service asked for.
    pub(super) retry_after: Option<Duration>,
    pub(super) error: AuthError,
}

impl Failure {
    /// Repeating changes nothing.
    pub(super) const fn permanent(error: AuthError) -> Self {
        Self {
            transient: false,
            unresolved: false,
            retry_after: None,
            error,
        }
    }

    /// There was no complete answer.
    pub(super) fn lost(error: &reqwest::Error, endpoint: &Endpoint) -> Self {
        let exchange = FailedExchange::new(error, endpoint);
        Self {
            transient: !exchange.permanent,
            unresolved: exchange.unresolved,
            retry_after: None,
            error: AuthError::Transport(exchange.reason),
        }
    }
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Sends a request once and reads its answer.
    pub(super) async fn of(
        request: reqwest::RequestBuilder,
        endpoint: &Endpoint,
    ) -> Result<Self, Failure> {
        let lost = |error: reqwest::Error| Failure::lost(&error, endpoint);
        let response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.map_err(lost)?.to_vec();
        debug!(status, host = endpoint.host(), "answered");
        Ok(Self {
            status,
            headers,
            body,
        })
    }

    /// Whether the service says that it cannot at the moment.
    pub(super) const fn is_busy(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..=599)
    }

    /// What came instead of what was expected, without any of it.
    pub(super) fn describe(&self) -> String {
        if self.body.is_empty() {
            return "an empty answer".to_owned();
        }
        let kind = self
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or("content of unknown type");
        kind.to_owned()
    }
}

/// Makes attempts until one succeeds, one fails for good, or the patience of the policy ends.
pub(super) async fn patiently<T, F>(
    backoff: &Backoff,
    attempt: impl Fn() -> F,
) -> Result<T, AuthError>
where
    F: Future<Output = Result<T, Failure>>,
{
    let started = Instant::now();
    let policy = backoff.policy();
    let mut number = 0;
    loop {
        number += 1;
        let failure = match attempt().await {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let delay = backoff.delay(number, failure.retry_after);
        let in_time = started.elapsed() + delay < policy.deadline;
        let retries = match failure.unresolved {
            true => policy.retries.min(FailedExchange::UNRESOLVED_RETRIES),
            false => policy.retries,
        };
        if !failure.transient || number > retries || !in_time {
            return Err(failure.error);
        }
        debug!(attempt = number, ?delay, error = %failure.error, "asked again");
        backoff.tell(&failure.error.to_string(), delay);
        tokio::time::sleep(delay).await;
    }
}
