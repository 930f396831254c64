//! Whatever goes wrong: the tenant ends as planned, or the report says what is not done and a second
//! run completes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use iefctl::deploy::{Local, Outcome, RemotePolicy, Status, TenantLock};
use iefctl::emulator::{EmulatorOptions, Fault, FaultRule, Faults, RateLimit};

use super::world::{TENANT, World, claim, local, options, policy, provider, small_set};

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_of_uploads_do_no_harm() {
    for fault in [
        Fault::Reset,
        Fault::Truncate,
        Fault::UnknownError(503),
        Fault::CreatedForOk,
    ] {
        let world = World::new().await;
        let rule = FaultRule::new(fault.clone()).method("PUT").after().limit(2);
        world.faults(Faults::default().with(rule));
        let set = small_set();
        let outcome = world.deploy(&set).await;
        assert!(outcome.is_complete(), "{fault:?}: {outcome:#?}");
        world.faults(Faults::default());
        let before = world.writes().len();
        assert_eq!(world.deploy(&set).await.summary.unchanged, 4);
        assert_eq!(world.writes().len(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_cannot_be_read_gets_no_write() {
    let world = World::new().await;
    world.faults(Faults::default().with(FaultRule::new(Fault::Unavailable).path("*/keySets")));
    let error = world.read(&small_set()).await.unwrap_err();
    assert!(error.to_string().contains("keysets"), "{error}");
    assert!(world.writes().is_empty());

    let world = World::new().await;
    let gone = world.emulator.url();
    world.emulator.shutdown().await;
    let client = super::world::client(&gone);
    assert!(iefctl::deploy::read(&client, &[], 8).await.is_err());
}

fn fault_texts(version: &str) -> Vec<(&'static str, String)> {
    let keys = [
        ("issuer_secret", "B2C_1A_Sig"),
        ("issuer_refresh_token_key", "B2C_1A_Enc"),
    ];
    let base = format!("{}\n{}", claim(version), provider("P", &keys));
    let of = |id, base, body: &str| (id, policy(id, base, body));
    vec![
        of("B2C_1A_Base", None, &base),
        of("B2C_1A_Ext", Some("B2C_1A_Base"), &claim("a")),
        of("B2C_1A_A", Some("B2C_1A_Ext"), &claim(version)),
        of("B2C_1A_B", Some("B2C_1A_Ext"), ""),
        of("B2C_1A_Root2", None, &claim(version)),
        of("B2C_1A_C", Some("B2C_1A_Root2"), ""),
    ]
}

pub(crate) fn fault_set() -> Local {
    local(&fault_texts("new"))
}

/// What a tenant must hold, whatever happened in between, and that nobody else's work was touched.
const FOREIGN: &str = "B2C_1A_Foreign";

/// Three proofs for each script: the tenant ends as planned, or the report names exactly what is not
/// done and a second run completes it; no keyset ever gets a second key; no policy is written before
/// its base. Nothing that was there is lost: every other script updates a tenant that has an older
/// version of the set and a policy of somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn random_faults_lose_nothing() {
    // Side by side, because a script waits more than it works.
    let mut running = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        running.spawn(async move {
            let mut seen = Seen::default();
            // With one of them every token expires while it is used.
            let lifetime = Duration::from_secs(if worker == 0 { 1 } else { 3600 });
            let mut world = World::with(EmulatorOptions {
                token_lifetime: lifetime,
                ..options()
            })
            .await;
            let locks = tempfile::tempdir().unwrap();
            for seed in (0..SCRIPTS).filter(|seed| seed % WORKERS == worker) {
                one_script(seed, &mut world, locks.path(), &mut seen).await;
            }
            seen
        });
    }
    let mut seen = Seen::default();
    while let Some(part) = running.join_next().await {
        let part = part.unwrap();
        seen.complete += part.complete;
        seen.partial += part.partial;
        seen.unread += part.unread;
        seen.faults.extend(part.faults);
    }
    println!("{SCRIPTS} scripts: {seen:?}");
    assert!(seen.complete > 0 && seen.partial > 0 && seen.unread > 0);
    let all = [
        "BackendThrottle",
        "ConcurrentWrite",
        "CreatedForOk",
        "Garbled",
        "Late",
        "NullReference",
        "Reset",
        "RevokeToken",
        "ServiceProblem",
        "Status",
        "Throttle",
        "Truncate",
        "Unauthorized",
        "Unavailable",
        "UnknownError",
    ];
    for fault in all {
        assert!(seen.faults.contains(fault), "no script has met {fault}");
    }
}

/// How many scripts, and how many at a time.
const SCRIPTS: u64 = 400;
const WORKERS: u64 = 4;

/// What came of the scripts.
#[derive(Debug, Default)]
struct Seen {
    complete: u32,
    partial: u32,
    unread: u32,
    faults: BTreeSet<String>,
}

async fn one_script(seed: u64, world: &mut World, locks: &Path, seen: &mut Seen) {
    world.begin_anew().await;
    world.lock = None;
    world.execute.concurrency = 1 + seed as usize % 5;
    world.execute.atomic = seed.is_multiple_of(3);
    world.lock = Some(lock(locks));
    let updates = seed % 4 > 1;
    let foreign = policy(FOREIGN, None, &claim("theirs"));
    if updates {
        let store = world.emulator.store();
        store.put_policy(TENANT, &foreign).unwrap();
        for (id, text) in fault_texts("old") {
            store.put_policy(TENANT, &text).unwrap();
            // One of them is new.
            if id == "B2C_1A_C" {
                store.remove_policy(TENANT, id).unwrap();
            }
        }
    }
    let before = contents(world);
    let set = fault_set();
    world.faults(script(seed));
    let tried = match world.read(&set).await {
        Ok(remote) => {
            let identity = super::world::identity();
            let planned = iefctl::deploy::build(&identity, &set, &remote, &world.plan);
            let materials = world.materials(&planned, &set);
            Some(
                world
                    .execute(&planned, &set, &remote, materials)
                    .await
                    .unwrap(),
            )
        }
        Err(_) => None,
    };
    for request in world.requests() {
        seen.faults.extend(request.fault.map(|fault| kind(&fault)));
    }
    world.faults(Faults::default());
    let after = contents(world);
    match &tried {
        Some(outcome) => {
            is_honest(outcome, &before, &after, seed);
            match outcome.is_complete() {
                true => seen.complete += 1,
                false => seen.partial += 1,
            }
        }
        None => {
            seen.unread += 1;
            assert!(world.writes().is_empty());
            assert_eq!(before, after);
        }
    }
    let outcome = world.deploy(&set).await;
    assert!(outcome.is_complete(), "seed {seed}: {outcome:#?}");
    let planned = world.plan(&set).await.0.plan;
    assert!(!planned.has_changes(), "seed {seed}");
    let ids = world.emulator.store().policies(TENANT);
    assert_eq!(ids.len(), 6 + usize::from(updates), "seed {seed}");
    if updates {
        assert_eq!(after.get(FOREIGN), before.get(FOREIGN));
    }
    let keysets = world.emulator.store().keysets(TENANT);
    assert_eq!(keysets.len(), 2);
    for keyset in keysets {
        assert_eq!(keyset.keys.len(), 1, "seed {seed}: {keyset:?}");
    }
    if !updates {
        bases_came_first(world, &set, seed);
    }
}

/// The name of a fault without its numbers.
fn kind(fault: &str) -> String {
    let end = fault.find(|c: char| !c.is_ascii_alphanumeric());
    fault[..end.unwrap_or(fault.len())].to_owned()
}

fn lock(folder: &Path) -> TenantLock {
    TenantLock::take(folder, TENANT, Duration::from_millis(50)).unwrap()
}

/// Ids and texts of all policies.
fn contents(world: &World) -> BTreeMap<String, String> {
    let store = world.emulator.store();
    let ids = store.policies(TENANT).into_iter();
    ids.map(|id| (id.clone(), store.policy(TENANT, &id).unwrap()))
        .collect()
}

/// What the report says of a policy is so.
fn is_honest(
    outcome: &Outcome,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    seed: u64,
) {
    for policy in &outcome.policies {
        let (then, now) = (before.get(&policy.id), after.get(&policy.id));
        let canonical = |text: Option<&String>| {
            text.map(|text| RemotePolicy::new("x", text.as_str()).canonical)
        };
        match policy.status {
            Status::Done => assert!(now.is_some() && now != then, "seed {seed}: {outcome:#?}"),
            Status::Skipped => assert_eq!(then, now, "seed {seed}: {outcome:#?}"),
            Status::Restored | Status::Blocked | Status::NotStarted => {
                let (then, now) = (canonical(then), canonical(now));
                assert_eq!(then, now, "seed {seed}: {outcome:#?}");
            }
            Status::Failed => assert!(policy.error.is_some()),
        }
    }
    if outcome.is_complete() {
        assert!(outcome.stopped.is_none());
    } else {
        let unfinished = outcome.policies.iter().map(|policy| policy.status);
        let keysets = outcome.keysets.iter().map(|keyset| keyset.status);
        let done = |status| matches!(status, Status::Done | Status::Skipped);
        assert!(unfinished.chain(keysets).any(|status| !done(status)));
    }
}

/// Every other script also has a fault that never ends, which patience alone does not survive.
fn script(seed: u64) -> Faults {
    let mut faults = Faults::random(seed);
    if seed % 5 == 4 {
        faults.rate_limit = Some(RateLimit {
            requests: 3,
            window_ms: 8,
        });
    }
    if seed.is_multiple_of(2) {
        return faults;
    }
    let kinds = [
        Fault::Reset,
        Fault::ServiceProblem,
        Fault::Truncate,
        Fault::RevokeToken,
    ];
    let kind = kinds[seed as usize / 2 % kinds.len()].clone();
    let methods = ["PUT", "POST", "DELETE"];
    let mut rule = FaultRule::new(kind.clone())
        .method(methods[seed as usize / 8 % 3])
        .chance(0.7);
    if seed.is_multiple_of(3) && !matches!(kind, Fault::Truncate | Fault::RevokeToken) {
        rule = rule.after();
    }
    faults.with(rule)
}

/// No upload was answered with success before the upload of its base was.
fn bases_came_first(world: &World, set: &Local, seed: u64) {
    let writes = world.writes();
    let first = |id: &str| {
        let path = format!("/{id}/$value");
        writes
            .iter()
            .filter(|write| write.method == "PUT" && write.path.ends_with(&path))
            .map(|write| write.started)
            .min()
    };
    for policy in &set.policies {
        if let Some(base) = &policy.base {
            let (own, base) = (first(&policy.id), first(&base.id));
            assert!(own.is_none() || base < own, "seed {seed}: {}", policy.id);
        }
    }
}
