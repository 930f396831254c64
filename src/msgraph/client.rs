use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Url;

use tokio::sync::watch;

use super::GraphError;
use crate::auth::{Backoff, Endpoint, RetryPolicy, TokenSource, TransportOptions};

/// How a [`GraphClient`] is set up.
#[derive(Clone)]
pub struct GraphOptions {
    /// Base URL of Microsoft Graph; `/beta/…` is appended.
    pub endpoint: Endpoint,
    /// Time limit of one request, certificates, user agent.
    pub transport: TransportOptions,
    /// How often and how patiently calls are repeated.
    pub retry: RetryPolicy,
    /// Who is told about repetitions.
    pub observer: Option<Arc<dyn RetryObserver>>,
}

impl GraphOptions {
    /// The usual settings for this endpoint.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            transport: TransportOptions::default(),
            retry: RetryPolicy::default(),
            observer: None,
        }
    }
}

impl fmt::Debug for GraphOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphOptions")
            .field("endpoint", &self.endpoint)
            .field("transport", &self.transport)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// A call that is about to be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryEvent {
    /// The call, for example `PUT policy B2C_1A_X`.
    pub operation: String,
    /// The attempt that failed, from 1.
    pub attempt: u32,
    /// The pause before the next one.
    pub delay: Duration,
    /// Why it failed, in a few words.
    pub reason: String,
}

/// Is told about repetitions while calls run, for a progress display. Called from many tasks.
pub trait RetryObserver: Send + Sync {
    /// A call failed in passing and will be repeated after a pause.
    fn on_retry(&self, event: &RetryEvent);
}

/// What a client and its clones did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClientStats {
    /// Requests sent to Microsoft Graph, repetitions included.
    pub requests: u64,
    /// Repetitions among them, and looks at a keyset whose change got no clear answer.
    pub retries: u64,
}

/// A connection to Microsoft Graph for one tenant. Clones are cheap and share connections, token and
/// counters.
#[derive(Clone)]
pub struct GraphClient {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) endpoint: Endpoint,
    pub(super) http: reqwest::Client,
    pub(super) timeout: Duration,
    pub(super) tokens: TokenSource,
    pub(super) backoff: Backoff,
    observer: Option<Arc<dyn RetryObserver>>,
    /// Whether calls are repeated.
    patient: watch::Sender<bool>,
    requests: AtomicU64,
    retries: AtomicU64,
}

impl GraphClient {
    /// A client that signs in through `tokens`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`GraphError::Setup`] if the CA certificate is unreadable or TLS cannot be set up.
    pub fn new(options: GraphOptions, tokens: TokenSource) -> Result<Self, GraphError> {
        let http = options.transport.client(&options.endpoint);
        Ok(Self {
            inner: Arc::new(Inner {
                http: http.map_err(GraphError::Setup)?,
                timeout: options.transport.timeout,
                endpoint: options.endpoint,
                tokens,
                backoff: Backoff::new(options.retry),
                observer: options.observer,
                patient: watch::Sender::new(true),
                requests: AtomicU64::new(0),
                retries: AtomicU64::new(0),
            }),
        })
    }

    /// What this client and its clones did so far.
    pub fn stats(&self) -> ClientStats {
        ClientStats {
            requests: self.inner.requests.load(Ordering::Relaxed),
            retries: self.inner.retries.load(Ordering::Relaxed),
        }
    }

    /// The source of tokens, for who wants to explain what the application may do.
    pub fn tokens(&self) -> &TokenSource {
        &self.inner.tokens
    }

    /// The URL of something below `/beta/trustFramework`. Every segment is percent-encoded.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let path: Vec<&str> = ["beta", "trustFramework"]
            .into_iter()
            .chain(segments.iter().copied())
            .collect();
        self.inner.endpoint.join(&path)
    }

    pub(super) fn count_request(&self) {
        self.inner.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether calls that fail in passing are repeated, from now on and for all clones. Without
    /// patience a call that waits for its next attempt ends with the failure that it has; one that
    /// runs is not disturbed.
    pub fn set_patience(&self, patient: bool) {
        self.inner.patient.send_replace(patient);
    }

    /// Whether calls are repeated.
    pub(super) fn is_patient(&self) -> bool {
        *self.inner.patient.borrow()
    }

    /// Reports a repetition and waits before it; `false` if nobody wants to wait any more.
    pub(super) async fn pause(&self, event: RetryEvent) -> bool {
        if !self.is_patient() {
            return false;
        }
        self.inner.retries.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(
            operation = event.operation,
            attempt = event.attempt,
            delay = ?event.delay,
            reason = event.reason,
            "will be repeated"
        );
        if let Some(observer) = &self.inner.observer {
            observer.on_retry(&event);
        }
        if !event.delay.is_zero() {
            let mut patient = self.inner.patient.subscribe();
            let lost = patient.wait_for(|patient| !patient);
            // It waits for nothing else to happen; whichever comes first ends the pause.
            let _ = tokio::time::timeout(event.delay, lost).await;
        }
        self.is_patient()
    }
}

impl fmt::Debug for GraphClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphClient")
            .field("endpoint", &self.inner.endpoint)
            .field("tokens", &self.inner.tokens)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
