//! Asking a running deployment to stop, and two runs at the same time.

use std::io::{BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::gate::{Gate, Pass};
use super::sandbox::{Finished, Sandbox};
use super::tenant::{Tenant, access, write_set};

const DEPLOY: [&str; 8] = [
    "deploy",
    "set",
    "--tenant",
    "contoso.onmicrosoft.com",
    "--concurrency",
    "1",
    "--format",
    "human",
];

/// A deployment whose first upload is held back at the gate.
struct Held {
    child: Child,
    sandbox: Sandbox,
    /// Lets the upload pass.
    release: mpsc::Sender<()>,
    arrived: mpsc::Receiver<()>,
    _tenant: Tenant,
}

fn held() -> Held {
    held_at(|_, _| ())
}

/// The same, after something was prepared in the tenant.
fn held_at(prepare: impl FnOnce(&Tenant, &mut Sandbox)) -> Held {
    let tenant = Tenant::start(&[]);
    let mut sandbox = Sandbox::new();
    prepare(&tenant, &mut sandbox);
    let (release, released) = mpsc::channel();
    let (arrives, arrived) = mpsc::channel();
    let (released, arrives) = (Mutex::new(released), Mutex::new(arrives));
    let gate = Gate::new(tenant.address(), move |_, line| {
        if line.starts_with("PUT ") {
            // Only the first one waits: afterwards the sender is gone.
            let _ = arrives.lock().unwrap().send(());
            let _ = released.lock().unwrap().recv();
        }
        Pass::Through
    });
    sandbox.variables = access(&gate.url);
    write_set(&sandbox, "set", "new");
    let child = sandbox
        .command(&DEPLOY)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Held {
        child,
        sandbox,
        release,
        arrived,
        _tenant: tenant,
    }
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &id]).status();
    assert!(sent.unwrap().success());
}

/// Waits until the process has said this.
fn wait_for(stderr: &mut impl std::io::BufRead, words: &str) -> String {
    let mut said = String::new();
    loop {
        let mut line = String::new();
        let length = stderr.read_line(&mut line).unwrap();
        said.push_str(&line);
        if line.contains(words) {
            return said;
        }
        assert!(length > 0, "it never said {words:?}:\n{said}");
    }
}

#[test]
fn a_signal_lets_running_uploads_end_and_starts_no_others() {
    for name in ["INT", "TERM"] {
        let mut held = held();
        held.arrived.recv().unwrap();
        let mut stderr = BufReader::new(held.child.stderr.take().unwrap());
        signal(&held.child, name);
        wait_for(&mut stderr, "stopping");
        held.release.send(()).unwrap();
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        let output = held.child.wait_with_output().unwrap();
        let done = Finished::new(&output);
        assert_eq!(done.status, Some(1), "{name}: {}{rest}", done.stdout);
        assert!(rest.contains("interrupted"), "{rest}");
        let text = &done.stdout;
        assert!(
            text.contains("1 created") && text.contains("5 not started"),
            "{text}"
        );
        // The lock is free, and the next run does the rest.
        drop(held.release);
        let again = held.sandbox.run(&DEPLOY).expect(0);
        assert!(
            again.stdout.contains("5 created, 1 unchanged"),
            "{}",
            again.stdout
        );
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let mut held = held();
    held.arrived.recv().unwrap();
    let mut stderr = BufReader::new(held.child.stderr.take().unwrap());
    signal(&held.child, "INT");
    wait_for(&mut stderr, "stopping");
    signal(&held.child, "INT");
    // The upload is still held: nothing but the signal can have ended it.
    wait_for(&mut stderr, "ended");
    assert_eq!(held.child.wait().unwrap().code(), Some(130));
    drop(held.release);
    held.sandbox.run(&DEPLOY).expect(0);
}

/// A deployment that reports into a pipe.
fn reporting(sandbox: &mut Sandbox, tenant: &Tenant) -> Child {
    sandbox.variables = access(&tenant.url);
    write_set(sandbox, "set", "new");
    let made = Command::new("mkfifo").arg(sandbox.at("pipe")).status();
    assert!(made.unwrap().success());
    sandbox
        .command(&DEPLOY)
        .env("IEFCTL_REPORT", "pipe")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn whoever_reads_the_report_from_a_pipe_gets_it() {
    let tenant = Tenant::start(&[]);
    let mut sandbox = Sandbox::new();
    let mut child = reporting(&mut sandbox, &tenant);
    let report = std::fs::read(sandbox.at("pipe")).unwrap();
    if report.is_empty() {
        // It would wait for another reader.
        child.kill().unwrap();
    }
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["summary"]["created"], 6);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// All is written then, and nothing but telling so is left: that may take for ever, and holds nobody up
/// who wants it to end.
#[test]
fn a_report_that_nobody_reads_does_not_outlast_a_signal() {
    for (name, status) in [("TERM", 143), ("INT", 130)] {
        let tenant = Tenant::start(&[]);
        let mut sandbox = Sandbox::new();
        let mut child = reporting(&mut sandbox, &tenant);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        // A mistake lets it run for ever, and the test with it.
        let id = child.id().to_string();
        let (done, is_done) = mpsc::channel::<()>();
        let watchdog = std::thread::spawn(move || {
            if is_done.recv_timeout(Duration::from_secs(120)) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-s", "KILL", &id]).status();
            }
        });
        // The result comes before the report.
        wait_for(&mut stdout, "6 created");
        signal(&child, name);
        let ended = child.wait().unwrap();
        drop(done);
        watchdog.join().unwrap();
        assert_eq!(ended.code(), Some(status), "{name}");
        // Nothing was left undone.
        let again = sandbox.run(&DEPLOY).expect(0);
        assert!(again.stdout.contains("nothing changed"), "{}", again.stdout);
    }
}

#[test]
fn whoever_waits_for_a_throttled_tenant_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let faults = folder.path().join("faults.json");
    std::fs::write(
        &faults,
        r#"{"rules":[{"when":{"method":"PUT"},"fault":{"throttle":{"retryAfter":100}}}]}"#,
    )
    .unwrap();
    let tenant = Tenant::start(&["--faults", faults.to_str().unwrap()]);
    let mut sandbox = Sandbox::new();
    sandbox.variables = access(&tenant.url);
    write_set(&sandbox, "set", "new");
    let mut child = sandbox
        .command(&DEPLOY)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for(&mut stderr, "trying again in");
    signal(&child, "INT");
    let rest = wait_for(&mut stderr, "interrupted");
    assert!(rest.contains("stopping"), "{rest}");
    let done = Finished::new(&child.wait_with_output().unwrap()).expect(1);
    assert!(done.stdout.contains("429"), "{}", done.stdout);
}

#[test]
fn from_one_folder_one_run_at_a_time_writes_to_a_tenant() {
    let mut held = held_at(|tenant, sandbox| {
        sandbox.variables = access(&tenant.url);
        let create = [
            "keys",
            "create",
            "Unused",
            "--generate",
            "rsa",
            "--use",
            "sig",
        ];
        let create = [&create[..], &["--tenant", "contoso.onmicrosoft.com"]].concat();
        sandbox.run(&create).expect(0);
    });
    held.arrived.recv().unwrap();
    let id = held.child.id().to_string();
    let second = held.sandbox.run(&DEPLOY).expect(2);
    for words in ["another run", &id, "contoso.onmicrosoft.com"] {
        assert!(second.stderr.contains(words), "{}", second.stderr);
    }
    // Nor do keys change meanwhile.
    let tenant = ["--tenant", "contoso.onmicrosoft.com", "--yes"];
    for command in [
        &["keys", "delete", "Unused"][..],
        &["keys", "rotate", "Unused", "--generate", "rsa"],
        &["keys", "create", "New", "--generate", "rsa", "--use", "sig"],
    ] {
        let command = [command, &tenant].concat();
        let refused = held.sandbox.run(&command).expect(2);
        assert!(refused.stderr.contains("another run"), "{}", refused.stderr);
    }
    // Another tenant and a plan are not concerned.
    let plan = ["plan", "set", "--tenant", "contoso.onmicrosoft.com"];
    held.sandbox.run(&plan).expect(0);
    let mut other = DEPLOY;
    other[3] = "fabrikam.onmicrosoft.com";
    drop(held.release);
    held.sandbox.run(&other).expect(0);
    let first = held.child.wait().unwrap();
    assert_eq!(first.code(), Some(0));
}

/// A key that a killed run has asked for may still come: `keys create` does not add another one.
#[test]
fn a_key_that_may_still_come_is_not_asked_for_again() {
    let tenant = Tenant::start(&[]);
    let mut sandbox = Sandbox::new();
    sandbox.variables = access(&tenant.url);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let note = format!("process 1\nkey {} b2c_1a_x\n", now.unwrap().as_secs());
    let file = ".iefctl/snapshots/contoso.onmicrosoft.com/.run";
    sandbox.write(file, &note);
    let create = [
        "keys",
        "create",
        "X",
        "--tenant",
        "contoso.onmicrosoft.com",
        "--generate",
        "rsa",
        "--use",
        "sig",
    ];
    let refused = sandbox.run(&create).expect(1);
    assert!(
        refused.stdout.contains("may still appear"),
        "{}",
        refused.stdout
    );
    sandbox.write(file, &note.replace("key 1", "key 0"));
    sandbox.run(&create).expect(0);
}

#[test]
fn two_emulators_on_one_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    let first = Tenant::start(&["--state", state]);
    let sandbox = Sandbox::new();
    write_set(&sandbox, "set", "new");
    let number = first.process.id().to_string();
    let embedded = ["deploy", "set", "--emulator", "--emulator-state", state];
    for args in [&["emulator", "--state", state][..], &embedded] {
        let refused = sandbox.run(args).expect(2);
        assert!(refused.stderr.contains(&number), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("another emulator"),
            "{}",
            refused.stderr
        );
    }
    // It ends in order when it is asked to, and leaves the folder to others.
    signal(&first.process, "TERM");
    let first = Arc::new(Mutex::new(first));
    assert_eq!(
        first.lock().unwrap().process.wait().unwrap().code(),
        Some(0)
    );
    sandbox.run(&embedded).expect(0);
}
