//! `action.yml`, its steps executed in order as a runner would, against an emulated tenant and a
//! server of releases on this machine.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "github_action/installing.rs"]
mod installing;
#[path = "github_action/keysets.rs"]
mod keysets;
#[path = "github_action/policies.rs"]
mod policies;
#[path = "github_action/releases.rs"]
mod releases;
#[path = "github_action/runner.rs"]
mod runner;

use std::net::SocketAddr;

use iefctl::emulator::{Emulator, EmulatorOptions};
use runner::Runner;

const TENANT: &str = "contoso.onmicrosoft.com";
const SECRET: &str = "s3cr%t~of-the-application";

/// An emulated tenant.
struct Tenant {
    emulator: Emulator,
    _runtime: tokio::runtime::Runtime,
}

impl Tenant {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let emulator = runtime
            .block_on(Emulator::start(EmulatorOptions::default(), any))
            .unwrap();
        Self {
            emulator,
            _runtime: runtime,
        }
    }

    /// A runner whose jobs reach this tenant, with the program installed.
    fn runner(&self) -> Runner {
        let mut runner = Runner::new().installed();
        for name in ["IEFCTL_GRAPH_ENDPOINT", "IEFCTL_LOGIN_ENDPOINT"] {
            runner.job.insert(name.to_owned(), self.emulator.url());
        }
        runner
    }

    fn policies(&self) -> Vec<String> {
        self.emulator.store().policies(TENANT)
    }
}

/// What every workflow with a secret in the repository says.
const SIGN_IN: [(&str, &str); 3] = [
    ("tenant", TENANT),
    ("clientId", "11111111-1111-1111-1111-111111111111"),
    ("clientSecret", SECRET),
];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    SIGN_IN.iter().chain(more).copied().collect()
}
