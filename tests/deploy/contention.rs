//! Two runs at one tenant that know nothing of each other, and what a killed run leaves open.

use std::time::Duration;

use iefctl::deploy::{
    self, Cancellation, Event, ExecuteOptions, Execution, Local, LockError, Outcome, Planned,
    Remote, Status, TenantLock,
};
use iefctl::emulator::{Fault, FaultRule, Faults};
use iefctl::msgraph::GraphClient;

use super::faults::fault_set;
use super::world::{TENANT, World, client, local, patient_client, policy, provider};

async fn run(
    world: &World,
    client: &GraphClient,
    planned: &Planned,
    local: &Local,
    remote: &Remote,
) -> Outcome {
    let execution = Execution {
        client,
        plan: &planned.plan,
        local,
        remote,
        materials: world.materials(planned, local),
        lock: None,
        options: ExecuteOptions::default(),
    };
    let outcome = deploy::execute(execution, &(), &Cancellation::new()).await;
    outcome.unwrap()
}

/// Two pipelines start at the same moment on different machines. Whoever is later in making a keyset
/// waits for the other's key, whatever the order in which their calls arrive.
#[tokio::test(flavor = "multi_thread")]
async fn two_deployments_at_the_same_time_make_one_key() {
    let mut world = World::new().await;
    for seed in 0..30 {
        world.begin_anew().await;
        world.faults(Faults {
            seed,
            latency_ms: 1,
            jitter_ms: 15,
            ..Faults::default()
        });
        let set = fault_set();
        let (planned, remote) = world.plan(&set).await;
        let [one, other] = [(); 2].map(|()| patient_client(&world.emulator.url()));
        let (one, two) = tokio::join!(
            run(&world, &one, &planned, &set, &remote),
            run(&world, &other, &planned, &set, &remote)
        );
        let mut made = 0;
        for keyset in one.keysets.iter().chain(&two.keysets) {
            match keyset.status {
                Status::Done => made += 1,
                Status::Skipped => {}
                _ => panic!("seed {seed}: {keyset:#?}"),
            }
        }
        assert_eq!(made, 2, "seed {seed}");
        for keyset in world.emulator.store().keysets(TENANT) {
            assert_eq!(keyset.keys.len(), 1, "seed {seed}: {keyset:?}");
        }
        world.faults(Faults::default());
        let outcome = world.deploy(&set).await;
        assert!(outcome.is_complete(), "seed {seed}: {outcome:#?}");
    }
}

fn one_keyset() -> Local {
    let body = provider("P", &[("issuer_secret", "B2C_1A_Sig")]);
    local(&[("B2C_1A_Base", policy("B2C_1A_Base", None, &body))])
}

/// Somebody creates the keyset between reading and writing, and never adds a key: nothing is added
/// behind their back, and what to do is said.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_keyset_of_somebody_else_is_left_to_them() {
    let mut world = World::new().await;
    let set = one_keyset();
    let (planned, remote) = world.plan(&set).await;
    let other = client(&world.emulator.url());
    other.create_keyset("B2C_1A_Sig").await.unwrap();
    world.execute.wait_for_others = Duration::from_millis(20);
    let materials = world.materials(&planned, &set);
    let outcome = world.execute(&planned, &set, &remote, materials).await;
    let keyset = &outcome.as_ref().unwrap().keysets[0];
    assert_eq!(keyset.status, Status::Failed);
    let message = &keyset.error.as_ref().unwrap().message;
    assert!(message.contains("somebody else"), "{message}");
    let store = world.emulator.store();
    assert!(store.keyset(TENANT, "B2C_1A_Sig").unwrap().keys.is_empty());
    // Nobody came, so the next run completes it.
    assert!(world.deploy(&set).await.is_complete());
}

/// A run dies while the service works on its key. The next one, started at once, sees an empty
/// keyset; it waits for the key instead of adding another.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_arrives_after_its_run_has_died_stays_the_only_one() {
    let locks = tempfile::tempdir().unwrap();
    let patience = Duration::from_secs(60);
    let mut world = World::new().await;
    let set = one_keyset();
    let late = FaultRule::new(Fault::Late(10))
        .path("*/generateKey")
        .limit(1);
    world.faults(Faults::default().with(late));
    world.lock = Some(TenantLock::take(locks.path(), TENANT, patience).unwrap());
    {
        // As a killed process: the call is on its way, and nobody looks for the answer.
        let dying = world.deploy(&set);
        let sent = async {
            let generates = |world: &World| {
                let requests = world.writes();
                requests.iter().any(|it| it.path.ends_with("/generateKey"))
            };
            while !generates(&world) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = sent => {}
            _ = dying => panic!("it ended before it could be killed"),
        }
    }
    let notes = std::fs::read(locks.path().join(TENANT).join(".run")).unwrap();
    world.lock = None;
    // What was running ends some time after it was given up.
    while let Err(LockError::Busy { .. }) = TenantLock::take(locks.path(), TENANT, patience) {
        tokio::task::yield_now().await;
    }
    // No destructor runs in a killed process.
    std::fs::write(locks.path().join(TENANT).join(".run"), notes).unwrap();
    world.lock = Some(TenantLock::take(locks.path(), TENANT, patience).unwrap());
    let outcome = world.deploy(&set).await;
    assert!(outcome.is_complete(), "{outcome:#?}");
    let awaited = |event: &Event| matches!(event, Event::KeyAwaited { .. });
    assert!(world.recorder.events().iter().any(awaited));
    assert_eq!(outcome.keysets[0].status, Status::Skipped);
    let store = world.emulator.store();
    assert_eq!(store.keyset(TENANT, "B2C_1A_Sig").unwrap().keys.len(), 1);
}
