use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::{Backoff, RetryPolicy, TransportOptions};

/// Is told every secret that signing in reads or obtains, before anything else happens with it, so
/// that a CI system can be asked to mask it.
pub trait SecretObserver: Send + Sync {
    /// A secret came up.
    fn on_secret(&self, secret: &SecretString);
}

/// Nobody needs to know.
impl SecretObserver for () {
    fn on_secret(&self, _: &SecretString) {}
}

/// What a person has to do to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePrompt {
    /// The page to open.
    pub verification_uri: String,
    /// What to enter there; meant to be shown.
    pub user_code: String,
    /// How long the code is good.
    pub expires_in: Duration,
}

/// A wait that ends.
pub type Pause<'p> = Pin<Box<dyn Future<Output = ()> + Send + 'p>>;

/// Somebody who can tell a person to open a page, and who waits until they have.
pub trait Person: Send + Sync {
    /// Shows what to do.
    fn ask(&self, prompt: &DevicePrompt);

    /// Gives the person this much time before the login endpoint is asked again.
    fn wait(&self, time: Duration) -> Pause<'_> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Somebody who should know that a request is sent again, and why nothing seems to happen meanwhile.
pub trait Waiting: Send + Sync {
    /// A request has failed in passing and is sent again after a pause.
    fn on_wait(&self, reason: &str, delay: Duration);
}

/// Nobody looks.
impl Waiting for () {
    fn on_wait(&self, _: &str, _: Duration) {}
}

/// What the ways to sign in need from outside.
#[derive(Clone)]
pub struct Surroundings {
    /// How connections are made.
    pub transport: TransportOptions,
    /// How patiently requests are repeated.
    pub retry: RetryPolicy,
    /// Who is told of secrets.
    pub secrets: Arc<dyn SecretObserver>,
    /// Who is told of repetitions.
    pub waiting: Arc<dyn Waiting>,
    /// Who can sign in by hand; `None` where nobody sits at a terminal.
    pub person: Option<Arc<dyn Person>>,
}

impl Surroundings {
    /// Surroundings without a person, in which nobody needs to know of secrets.
    pub fn new(transport: TransportOptions, retry: RetryPolicy) -> Self {
        Self {
            transport,
            retry,
            secrets: Arc::new(()),
            waiting: Arc::new(()),
            person: None,
        }
    }

    /// How patiently requests are repeated, with who is told of it.
    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(self.retry.clone()).watched_by(Arc::clone(&self.waiting))
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("transport", &self.transport)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
