use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tracing::debug;

use super::{AccessToken, AuthError};

/// The future of [`SignIn::acquire`].
pub type SignInFuture<'a> =
    Pin<Box<dyn Future<Output = Result<AccessToken, AuthError>> + Send + 'a>>;

/// A way to get an access token. It asks every time; keeping the token is the business of
/// [`TokenSource`].
pub trait SignIn: fmt::Debug + Send + Sync {
    /// Asks for a token, repeating what fails in passing.
    fn acquire(&self) -> SignInFuture<'_>;

    /// What is used to sign in, for messages: `client secret of application …`. Never a secret.
    fn describe(&self) -> String;
}

/// Gives the access token that is valid now. A clone shares the token.
///
/// The token is renewed five minutes before it expires (half its life if that is shorter). When many
/// tasks ask at once, one request is made and all get its result, also if that is an error.
#[derive(Clone)]
pub struct TokenSource {
    inner: Arc<Inner>,
}

struct Inner {
    way: Box<dyn SignIn>,
    state: Mutex<State>,
    /// Number of finished requests for a token. Who waits for the lock sees by it whether another
    /// task's request ended meanwhile.
    finished: AtomicU64,
}

#[derive(Default)]
struct State {
    token: Option<AccessToken>,
    /// Not before this is the token renewed; later than its margin if renewing failed.
    renew_at: Option<Instant>,
    failure: Option<AuthError>,
}

impl TokenSource {
    /// Before its expiry by this much a token is renewed.
    pub const RENEWAL_MARGIN: Duration = Duration::from_secs(300);
    /// While an old token still holds, a failed renewal is tried again after this pause.
    const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

    /// A source that signs in by `way`, first when a token is asked for.
    pub fn new(way: impl SignIn + 'static) -> Self {
        Self {
            inner: Arc::new(Inner {
                way: Box::new(way),
                state: Mutex::default(),
                finished: AtomicU64::new(0),
            }),
        }
    }

    /// A valid token.
    ///
    /// # Errors
    /// Whatever signing in reports. While the old token still holds, a failed renewal is no error.
    pub async fn token(&self) -> Result<AccessToken, AuthError> {
        let seen = self.inner.finished.load(Ordering::Acquire);
        let mut state = self.inner.state.lock().await;
        let now = Instant::now();
        if let Some(token) = &state.token
            && !token.remaining().is_zero()
            && state.renew_at.is_some_and(|at| now < at)
        {
            return Ok(token.clone());
        }
        // Another task's request ended while this one waited for the lock: its failure is ours.
        if self.inner.finished.load(Ordering::Acquire) != seen
            && let Some(failure) = &state.failure
        {
            return Err(failure.clone());
        }
        let result = self.inner.way.acquire().await;
        self.inner.finished.fetch_add(1, Ordering::AcqRel);
        match result {
            Ok(token) => {
                let margin = Self::RENEWAL_MARGIN.min(token.lifetime() / 2);
                state.renew_at = Some(Instant::now() + (token.remaining().saturating_sub(margin)));
                state.token = Some(token.clone());
                state.failure = None;
                debug!(lifetime = ?token.lifetime(), "signed in");
                Ok(token)
            }
            Err(error) => match &state.token {
                Some(token) if !token.remaining().is_zero() => {
                    debug!(%error, "the token could not be renewed, the old one still holds");
                    let token = token.clone();
                    state.renew_at = Some(Instant::now() + Self::RENEWAL_PAUSE);
                    Ok(token)
                }
                _ => {
                    state.token = None;
                    state.failure = Some(error.clone());
                    Err(error)
                }
            },
        }
    }

    /// Drops `rejected`, which the service answered with 401, so that the next call signs in again.
    /// Does nothing if it was replaced already: of many tasks with the same rejected token only the
    /// first causes a new one.
    pub async fn invalidate(&self, rejected: &AccessToken) {
        let mut state = self.inner.state.lock().await;
        let current = state.token.as_ref();
        if current.is_some_and(|token| token.is_same(rejected)) {
            *state = State::default();
        }
    }

    /// What is used to sign in, for messages.
    pub fn describe(&self) -> String {
        self.inner.way.describe()
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenSource")
            .field(&self.describe())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Gives scripted lifetimes; `None` fails.
    #[derive(Debug, Clone, Default)]
    struct Scripted {
        script: Arc<std::sync::Mutex<VecDeque<Option<Duration>>>>,
        asked: Arc<AtomicU64>,
    }

    impl Scripted {
        fn new(script: impl IntoIterator<Item = Option<u64>>) -> Self {
            let seconds = script.into_iter().map(|s| s.map(Duration::from_secs));
            Self {
                script: Arc::new(std::sync::Mutex::new(seconds.collect())),
                asked: Arc::default(),
            }
        }

        fn asked(&self) -> u64 {
            self.asked.load(Ordering::SeqCst)
        }
    }

    impl SignIn for Scripted {
        fn acquire(&self) -> SignInFuture<'_> {
            Box::pin(async move {
                let number = self.asked.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                let next = self.script.lock().unwrap().pop_front().flatten();
                match next {
                    Some(life) => Ok(AccessToken::new(format!("token-{number}").into(), life)),
                    None => Err(AuthError::Transport(format!("failure {number}"))),
                }
            })
        }

        fn describe(&self) -> String {
            "script".to_owned()
        }
    }

    async fn ask_together(
        source: &TokenSource,
        tasks: usize,
    ) -> Vec<Result<AccessToken, AuthError>> {
        let handles: Vec<_> = (0..tasks)
            .map(|_| {
                let source = source.clone();
                tokio::spawn(async move { source.token().await })
            })
            .collect();
        let mut results = Vec::new();
        for handle in handles {
            results.push(handle.await.unwrap());
        }
        results
    }

    #[tokio::test]
    async fn many_tasks_share_one_request() {
        let way = Scripted::new([Some(3_600)]);
        let source = TokenSource::new(way.clone());
        let results = ask_together(&source, 50).await;
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(way.asked(), 1);
    }

    #[tokio::test]
    async fn many_tasks_share_one_failure() {
        let way = Scripted::new([None]);
        let source = TokenSource::new(way.clone());
        let results = ask_together(&source, 50).await;
        assert!(results.iter().all(Result::is_err));
        assert_eq!(way.asked(), 1);
        // Who asks later tries again.
        assert!(source.token().await.is_err());
        assert_eq!(way.asked(), 2);
    }

    #[tokio::test]
    async fn only_the_rejected_token_is_dropped() {
        let way = Scripted::new([Some(3_600), Some(3_600)]);
        let source = TokenSource::new(way.clone());
        let first = source.token().await.unwrap();
        source.invalidate(&first).await;
        let second = source.token().await.unwrap();
        source.invalidate(&first).await;
        assert!(source.token().await.unwrap().is_same(&second));
        assert_eq!(way.asked(), 2);
    }

    #[tokio::test]
    async fn a_token_within_its_margin_is_renewed_and_a_failed_renewal_keeps_it() {
        let way = Scripted::new([Some(0), Some(3_600)]);
        let source = TokenSource::new(way.clone());
        source.token().await.unwrap();
        source.token().await.unwrap();
        assert_eq!(way.asked(), 2);

        let way = Scripted::new([Some(3_600), None]);
        let source = TokenSource::new(way.clone());
        let first = source.token().await.unwrap();
        source.inner.state.lock().await.renew_at = Some(Instant::now());
        assert!(source.token().await.unwrap().is_same(&first));
        assert!(source.token().await.unwrap().is_same(&first));
        assert_eq!(way.asked(), 2);
    }
}
