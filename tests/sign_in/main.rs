//! Every way to sign in, from the program to the emulator, with keys that are made here: what is sent
//! is verified, and what is wrong is explained.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod assertions;
#[cfg(unix)]
mod azure_cli;
mod certificate;
mod choosing;
mod device_code;
mod federated;
mod keys;
mod managed_identity;
#[cfg(unix)]
mod masking;
mod oracle;
mod platform;
#[path = "../sandbox/mod.rs"]
mod sandbox;
mod secrets;
#[path = "../msgraph/server.rs"]
#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod server;

use std::net::SocketAddr;
use std::time::Duration;

use iefctl::auth::{
    AuthError, Choice, Credentials, RetryPolicy, Surroundings, TokenSource, TransportOptions,
};
use iefctl::emulator::{Application, Emulator, EmulatorOptions};
use sandbox::{Finished, Sandbox};

const TENANT: &str = "contoso.onmicrosoft.com";
const CLIENT: &str = "11111111-2222-3333-4444-555555555555";

async fn emulator(options: EmulatorOptions) -> Emulator {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    Emulator::start(options, address).await.unwrap()
}

/// Options of an emulator that knows one application, and whose tokens expire at once.
fn knows(application: Application) -> EmulatorOptions {
    EmulatorOptions {
        applications: vec![application],
        token_lifetime: Duration::ZERO,
        ..EmulatorOptions::default()
    }
}

/// The same with tokens that last, for the program.
fn lasting(application: Application) -> EmulatorOptions {
    EmulatorOptions {
        applications: vec![application],
        ..EmulatorOptions::default()
    }
}

fn surroundings() -> Surroundings {
    let retry = RetryPolicy {
        retries: 2,
        base_delay: Duration::from_micros(100),
        max_delay: Duration::from_millis(1),
        retry_after_cap: Duration::from_millis(1),
        deadline: Duration::from_secs(60),
    };
    Surroundings::new(TransportOptions::default(), retry)
}

/// A source of tokens of the way that the variables name.
fn source(emulator: &Emulator, variables: &[(&str, String)]) -> Result<TokenSource, AuthError> {
    let url = emulator.url();
    let credentials = Credentials::find(Some(TENANT), &Choice::default(), &|name| {
        let found = variables.iter().find(|(key, _)| *key == name)?;
        Some(found.1.clone())
    })?;
    let endpoints = credentials.endpoints(None, Some(&url), Some(&url))?;
    credentials.token_source(&endpoints, &surroundings())
}

/// The program at an emulator: `keys list`, which signs in and reads.
fn list(sandbox: &mut Sandbox, emulator: &Emulator, args: &[&str]) -> Finished {
    let endpoints = [
        ("IEFCTL_GRAPH_ENDPOINT", emulator.url()),
        ("IEFCTL_LOGIN_ENDPOINT", emulator.url()),
    ];
    let count = sandbox.variables.len();
    sandbox.variables.extend(endpoints);
    let mut all = vec!["keys", "list", "--tenant", TENANT];
    all.extend(args);
    let finished = sandbox.run(&all);
    sandbox.variables.truncate(count);
    finished
}

/// The number of requests that reached the token endpoint.
fn sign_ins(emulator: &Emulator) -> usize {
    let requests = emulator.requests();
    let mut paths = requests.iter().map(|request| request.path.as_str());
    paths
        .by_ref()
        .filter(|path| path.ends_with("/oauth2/v2.0/token"))
        .count()
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}
