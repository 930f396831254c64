//! The Graph client over real sockets, against a server that plays a script.

#![expect(
    clippy::unwrap_used,
    reason = "the code around the tests may fail like the tests"
)]

mod keysets;
mod policies;
mod secrets;
mod server;
mod sign_in;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use iefctl::auth::{
    AccessToken, Cloud, Endpoint, Endpoints, RetryPolicy, SignIn, SignInFuture, TokenSource,
};
use iefctl::msgraph::{GraphClient, GraphOptions, RetryEvent, RetryObserver};

use server::Server;

/// Patience that costs no time: pauses of at most a millisecond, also those that the service asks
/// for.
fn quick() -> RetryPolicy {
    RetryPolicy {
        retries: 5,
        base_delay: Duration::from_micros(200),
        max_delay: Duration::from_millis(1),
        retry_after_cap: Duration::from_millis(1),
        deadline: Duration::from_secs(60),
    }
}

/// Signs in without a server; every token is another one.
#[derive(Debug, Default)]
struct Counting(std::sync::atomic::AtomicU64);

impl SignIn for Counting {
    fn acquire(&self) -> SignInFuture<'_> {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Box::pin(async move {
            let life = Duration::from_secs(3_600);
            Ok(AccessToken::new(format!("token-{number}").into(), life))
        })
    }

    fn describe(&self) -> String {
        "test".to_owned()
    }
}

#[derive(Debug, Default, Clone)]
struct Events(Arc<Mutex<Vec<RetryEvent>>>);

impl Events {
    fn all(&self) -> Vec<RetryEvent> {
        self.0.lock().unwrap().clone()
    }
}

impl RetryObserver for Events {
    fn on_retry(&self, event: &RetryEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

fn options(server: &Server) -> GraphOptions {
    let endpoint = Endpoint::parse(&server.url(), "test").unwrap();
    let mut options = GraphOptions::new(endpoint);
    options.retry = quick();
    options
}

fn client(server: &Server) -> GraphClient {
    client_with(options(server))
}

fn client_with(options: GraphOptions) -> GraphClient {
    GraphClient::new(options, TokenSource::new(Counting::default())).unwrap()
}

fn endpoints(server: &Server) -> Endpoints {
    Endpoints::new(Cloud::Global, Some(&server.url()), Some(&server.url())).unwrap()
}
