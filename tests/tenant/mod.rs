//! An emulated tenant as a process of its own.
#![allow(dead_code, reason = "not every test binary uses all of it")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// A running `iefctl emulator`; killed when dropped.
pub(crate) struct Tenant {
    pub(crate) process: Child,
    pub(crate) url: String,
}

impl Tenant {
    /// Starts it with these arguments, on a free port.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_iefctl"))
            .arg("emulator")
            .args(args)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{line}");
        Self { process, url }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Variables that lead a command to a tenant.
pub(crate) fn access(url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AZURE_CLIENT_ID", "app".to_owned()),
        ("AZURE_CLIENT_SECRET", "a-secret-of-contoso".to_owned()),
        ("IEFCTL_GRAPH_ENDPOINT", url.to_owned()),
        ("IEFCTL_LOGIN_ENDPOINT", url.to_owned()),
    ]
}
