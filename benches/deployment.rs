//! How near a deployment comes to what any client could reach, in latencies of the tenant.
//!
//! The tenant is an emulator in a process of its own, in which every answer takes 200 ms; the set is a
//! base, extensions, and 48 policies that inherit from them, of 2 KB to 100 KB. The bound of any client
//! is the longest chain of bases, or the policies divided by the calls that may run at a time. Printed
//! beside it: the time of the uploads one after the other, which is what other tools take.
//!
//! `cargo bench --bench deployment`; the environment variable `IEFCTL` names another binary to measure,
//! so that the bench itself need not be built optimised (`--profile dev`).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench is a program of its own, for people who watch it"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

/// Milliseconds.
const LATENCY: u64 = 200;
const LEAVES: usize = 48;
/// Each figure is the best of so many runs: the others were disturbed.
const RUNS: usize = 5;

fn main() {
    let binary =
        std::env::var("IEFCTL").unwrap_or_else(|_| env!("CARGO_BIN_EXE_iefctl").to_owned());
    let folder = tempfile::tempdir().unwrap();
    let bytes = write_set(&folder.path().join("set"));
    let mut tenant = emulator(&binary);
    let url = url_of(&mut tenant);
    println!(
        "{} policies of 2 to 100 KB ({} KB), latency {LATENCY} ms, best of {RUNS}: {binary}",
        LEAVES + 2,
        bytes / 1024
    );
    let sequential = (LEAVES as u64 + 2) * LATENCY;
    println!(
        "one after the other: {} latencies, {sequential} ms",
        LEAVES + 2
    );
    let mut number = 0;
    for (concurrency, rounds) in [(48, 3), (16, 5), (8, 8)] {
        let best = (0..RUNS)
            .map(|_| {
                number += 1;
                let report = deploy(&binary, folder.path(), &url, number, concurrency).0;
                assert_eq!(report["summary"]["created"], LEAVES + 2, "{report}");
                report["summary"]["durationMs"].as_u64().unwrap()
            })
            .min()
            .unwrap();
        let bound = rounds * LATENCY;
        println!(
            "uploads, --concurrency {concurrency:2}: {best:5} ms = {:.2} x the {rounds} latencies of any \
             client (limit 1.15), {:.1} x faster than one after the other",
            best as f64 / bound as f64,
            sequential as f64 / best as f64
        );
    }
    let best = (0..RUNS)
        .map(|_| {
            let (report, milliseconds) = deploy(&binary, folder.path(), &url, number, 48);
            assert_eq!(report["summary"]["unchanged"], LEAVES + 2, "{report}");
            milliseconds
        })
        .min()
        .unwrap();
    println!(
        "without changes, --concurrency 48: {best:5} ms = {:.2} latencies from start to end (limit 4)",
        best as f64 / LATENCY as f64
    );
    tenant.kill().unwrap();
    tenant.wait().unwrap();
}

fn emulator(binary: &str) -> Child {
    Command::new(binary)
        .args(["emulator", "--latency", &LATENCY.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn url_of(tenant: &mut Child) -> String {
    let mut line = String::new();
    let mut output = BufReader::new(tenant.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    line.trim().rsplit(' ').next().unwrap().to_owned()
}

/// Deploys into tenant number so-and-so; the report, and the milliseconds from start to end.
fn deploy(
    binary: &str,
    folder: &Path,
    url: &str,
    number: usize,
    concurrency: usize,
) -> (Value, u64) {
    let started = Instant::now();
    let output = Command::new(binary)
        .args(["deploy", "set", "--format", "json"])
        .args(["--tenant", &format!("contoso{number}.onmicrosoft.com")])
        .args(["--concurrency", &concurrency.to_string()])
        .current_dir(folder)
        .env("IEFCTL_GRAPH_ENDPOINT", url)
        .env("IEFCTL_LOGIN_ENDPOINT", url)
        .env("AZURE_CLIENT_ID", "bench")
        .env("AZURE_CLIENT_SECRET", "bench")
        .output()
        .unwrap();
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    (
        serde_json::from_slice(&output.stdout).unwrap(),
        milliseconds,
    )
}

/// Writes the set; its size in bytes.
fn write_set(folder: &Path) -> usize {
    std::fs::create_dir_all(folder).unwrap();
    let mut total = 0;
    let mut write = |id: &str, base: Option<&str>, size: usize| {
        let text = policy(id, base, size);
        std::fs::write(folder.join(format!("{id}.xml")), &text).unwrap();
        total += text.len();
    };
    write("B2C_1A_Base", None, 100 * 1024);
    write("B2C_1A_Extensions", Some("B2C_1A_Base"), 40 * 1024);
    for leaf in 0..LEAVES {
        // From 2 KB to 100 KB, most of them small, as real ones are.
        let share = leaf as f64 / (LEAVES - 1) as f64;
        let size = (2048.0 * 50_f64.powf(share)) as usize;
        write(
            &format!("B2C_1A_Leaf{leaf}"),
            Some("B2C_1A_Extensions"),
            size,
        );
    }
    total
}

fn policy(id: &str, base: Option<&str>, size: usize) -> String {
    const TENANT: &str = "yourtenant.onmicrosoft.com";
    let base = base.map_or_else(String::new, |base| {
        format!(
            "  <BasePolicy>\n    <TenantId>{TENANT}</TenantId>\n    <PolicyId>{base}</PolicyId>\n  \
             </BasePolicy>\n"
        )
    });
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<TrustFrameworkPolicy \
         xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"{TENANT}\" PolicyId=\"{id}\" \
         PublicPolicyUri=\"http://{TENANT}/{id}\">\n{base}  <BuildingBlocks>\n    <ClaimsSchema>\n"
    );
    let mut number = 0;
    while number == 0 || text.len() + 100 < size {
        let name = format!("{}_{number}", id.trim_start_matches("B2C_1A_"));
        text.push_str(&format!(
            "      <ClaimType Id=\"{name}\">\n        <DisplayName>{name}</DisplayName>\n        \
             <DataType>string</DataType>\n        <UserHelpText>What {name} is for.</UserHelpText>\n      \
             </ClaimType>\n"
        ));
        number += 1;
    }
    text.push_str("    </ClaimsSchema>\n  </BuildingBlocks>\n</TrustFrameworkPolicy>\n");
    text
}
