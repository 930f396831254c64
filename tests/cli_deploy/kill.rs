//! `kill -9` at any moment, of the deployment or of the tenant: the next run does what is left, and
//! nothing needs repair by hand.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::gate::{Gate, Pass};
use super::sandbox::Sandbox;
use super::tenant::{Tenant, access, policy, stored_keys, stored_policies, write_set};

/// A child that others may kill, once it is there.
type Victim = Arc<Mutex<Option<Child>>>;

fn kill(victim: &Victim) {
    let mut victim = victim.lock().unwrap();
    victim.as_mut().unwrap().kill().unwrap();
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// A deployment into an empty tenant, or an update of one that has the old version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Create,
    Update,
    Atomic,
}

/// So many runs are killed.
const KILLS: u32 = 18;

/// How many requests such a deployment makes at least: killed at any of them.
const REQUESTS: [(Mode, u64); 3] = [(Mode::Create, 23), (Mode::Update, 15), (Mode::Atomic, 15)];

#[test]
fn a_deployment_that_is_killed_anywhere_is_completed_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let tenant = Tenant::start(&["--state", state.to_str().unwrap(), "--latency", "20"]);
    let mut killed = 0;
    for seed in 0..u64::from(KILLS) {
        let mut random = Random(seed);
        let (mode, requests) = REQUESTS[seed as usize % REQUESTS.len()];
        // The token and the two lists come first; most kills shall come later.
        let at = 1 + random.below(requests);
        let moment = random.below(3);
        killed += u32::from(one_kill(seed, mode, at as usize, moment, &tenant, &state));
    }
    assert!(
        killed * 4 >= KILLS * 3,
        "only {killed} of {KILLS} were killed before their end"
    );
}

/// Whether the run was killed before it ended by itself.
fn one_kill(seed: u64, mode: Mode, at: usize, moment: u64, tenant: &Tenant, state: &Path) -> bool {
    let what = format!("seed {seed}: {mode:?}, killed at request {at}, moment {moment}");
    let name = format!("contoso{seed}.onmicrosoft.com");
    let mut sandbox = Sandbox::new();
    sandbox.variables = access(&tenant.url);
    let command = |verb: &'static str, more: &[&'static str]| {
        let mut args: Vec<String> = [verb, "set", "--tenant", &name, "--timeout", "5"]
            .map(str::to_owned)
            .to_vec();
        args.extend(more.iter().map(|word| (*word).to_owned()));
        args
    };
    let run = |sandbox: &Sandbox, args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        sandbox.run(&args)
    };
    if mode != Mode::Create {
        sandbox.write("foreign/F.xml", &policy("B2C_1A_Foreign", None, ""));
        let foreign = ["deploy", "foreign", "--tenant", &name];
        sandbox.run(&foreign).expect(0);
        write_set(&sandbox, "set", "old");
        run(&sandbox, &command("deploy", &[])).expect(0);
        std::fs::remove_dir_all(sandbox.path().join(".iefctl/snapshots")).unwrap();
    }
    let before = stored_policies(state, &name);
    write_set(&sandbox, "set", "new");

    // The run that dies.
    let victim = Victim::default();
    let gate = {
        let victim = Arc::clone(&victim);
        Gate::new(tenant.address(), move |number, _| {
            if number != at {
                return Pass::Through;
            }
            let victim = Arc::clone(&victim);
            let shot = Box::new(move || kill(&victim));
            match moment {
                0 => Pass::Lost(shot),
                1 => Pass::Then(shot),
                _ => Pass::OnAnswer(shot),
            }
        })
    };
    sandbox.variables = access(&gate.url);
    let more: &[&str] = match mode {
        Mode::Atomic => &["--atomic"],
        _ => &[],
    };
    let args = command("deploy", more);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    {
        // Whoever kills it waits until it is there.
        let mut victim = victim.lock().unwrap();
        let child = sandbox
            .command(&args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        *victim = Some(child.unwrap());
    }
    let status = loop {
        // Not waited for under the lock: the gate needs it.
        if let Some(status) = victim.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
            break status;
        }
        std::thread::yield_now();
    };
    assert!(gate.requests() >= at || status.success(), "{what}");
    files_are_whole(&sandbox.path().join(".iefctl"), &what);

    // The next one, at once.
    sandbox.variables = access(&tenant.url);
    sandbox.run(&["rollback", "--list"]).expect(0);
    let again = run(&sandbox, &command("deploy", &["--format", "json"]));
    assert_eq!(
        again.status,
        Some(0),
        "{what}\n{}{}",
        again.stdout,
        again.stderr
    );
    let keys = stored_keys(state, &name);
    assert_eq!(
        keys,
        [
            ("b2c_1a_enc.json".to_owned(), 1),
            ("b2c_1a_sig.json".to_owned(), 1)
        ],
        "{what}"
    );
    let now = stored_policies(state, &name);
    assert_eq!(now.len(), 6 + usize::from(mode != Mode::Create), "{what}");
    if mode != Mode::Create {
        let foreign = |policies: &[(String, String)]| {
            policies
                .iter()
                .find(|(name, _)| name == "b2c_1a_foreign.xml")
                .cloned()
        };
        assert!(
            foreign(&now).is_some() && foreign(&now) == foreign(&before),
            "{what}"
        );
    }
    let third = run(&sandbox, &command("deploy", &["--format", "json"]))
        .expect(0)
        .json();
    assert_eq!(third["summary"]["unchanged"], 6, "{what}");
    let left = files_are_whole(&sandbox.path().join(".iefctl"), &what);
    assert!(!left, "{what}: half-written files are left");

    // The way back to what was there before the run that died.
    let folders = sandbox.path().join(".iefctl/snapshots").join(&name);
    let mut snapshots: Vec<_> = std::fs::read_dir(&folders)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    snapshots.sort();
    let oldest = snapshots[0].to_str().unwrap();
    let undo = sandbox.run(&["rollback", oldest, "--timeout", "5"]);
    assert_eq!(
        undo.status,
        Some(0),
        "{what}\n{}{}",
        undo.stdout,
        undo.stderr
    );
    assert_eq!(stored_policies(state, &name), before, "{what}");
    !status.success()
}

/// Whether anything that is not finished lies below the folder. What has its real name is whole.
fn files_are_whole(folder: &Path, what: &str) -> bool {
    let mut unfinished = false;
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".incomplete") || name.ends_with(".tmp") {
            unfinished = true;
        } else if path.is_dir() {
            unfinished |= files_are_whole(&path, what);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => {
                    let json: Result<Value, _> = serde_json::from_str(&text);
                    assert!(json.is_ok(), "{what}: {}", path.display());
                }
                Some("xml") => {
                    let end = text.trim_end().ends_with("</TrustFrameworkPolicy>");
                    assert!(end, "{what}: {}", path.display());
                }
                _ => {}
            }
        }
    }
    unfinished
}

/// The tenant's process dies in the middle of its writes: what it has told a client is still there
/// when it starts again, and its folder is in order.
#[test]
fn a_tenant_that_is_killed_while_it_writes_keeps_what_it_has_confirmed() {
    for seed in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let start = || Tenant::start(&["--state", state.to_str().unwrap()]);
        let tenant = start();
        let address = tenant.address();
        let tenant = Arc::new(Mutex::new(tenant));
        let mut random = Random(100 + seed);
        // Behind the token, the lists, what was guessed to be there, and the first keyset.
        let at = 11 + random.below(12) as usize;
        let gate = {
            let tenant = Arc::clone(&tenant);
            Gate::new(address, move |number, _| {
                if number != at {
                    return Pass::Through;
                }
                let tenant = Arc::clone(&tenant);
                Pass::Then(Box::new(move || tenant.lock().unwrap().kill()))
            })
        };
        let mut sandbox = Sandbox::new();
        sandbox.variables = access(&gate.url);
        write_set(&sandbox, "set", "new");
        let name = "contoso.onmicrosoft.com";
        let command = [
            "deploy",
            "set",
            "--tenant",
            name,
            "--timeout",
            "2",
            "--format",
            "json",
        ];
        let first = sandbox.run(&command);
        assert_eq!(first.status, Some(1), "seed {seed}: {}", first.stderr);
        let report = first.json();
        let stored = stored_policies(&state, name);
        for policy in report["policies"].as_array().unwrap() {
            if policy["status"] == "done" {
                let file = policy["id"].as_str().unwrap().to_lowercase() + ".xml";
                assert!(
                    stored.iter().any(|(name, _)| *name == file),
                    "seed {seed}: {file}"
                );
            }
        }
        let again = start();
        sandbox.variables = access(&again.url);
        sandbox.run(&command).expect(0);
        assert_eq!(stored_policies(&state, name).len(), 6, "seed {seed}");
        let keys = stored_keys(&state, name);
        assert!(
            keys.len() == 2 && keys.iter().all(|(_, count)| *count == 1),
            "{keys:?}"
        );
    }
}
