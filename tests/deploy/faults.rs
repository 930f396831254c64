//! Whatever goes wrong: the tenant ends as planned, or the report says what is not done and a second
//! run completes it.

use iefctl::deploy::{Local, Status};
use iefctl::emulator::{Fault, FaultRule, Faults};

use super::world::{TENANT, World, claim, local, policy, provider, small_set};

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

fn fault_set() -> Local {
    let keys = [
        ("issuer_secret", "B2C_1A_Sig"),
        ("issuer_refresh_token_key", "B2C_1A_Enc"),
    ];
    local(&[
        (
            "B2C_1A_Base",
            policy("B2C_1A_Base", None, &provider("P", &keys)),
        ),
        (
            "B2C_1A_Ext",
            policy("B2C_1A_Ext", Some("B2C_1A_Base"), &claim("a")),
        ),
        ("B2C_1A_A", policy("B2C_1A_A", Some("B2C_1A_Ext"), "")),
        ("B2C_1A_B", policy("B2C_1A_B", Some("B2C_1A_Ext"), "")),
        ("B2C_1A_Root2", policy("B2C_1A_Root2", None, "")),
        ("B2C_1A_C", policy("B2C_1A_C", Some("B2C_1A_Root2"), "")),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn random_faults_lose_nothing() {
    let scripts = 120u64;
    let (mut complete, mut partial, mut unread) = (0, 0, 0);
    for seed in 0..scripts {
        let mut world = World::new().await;
        world.execute.concurrency = 1 + seed as usize % 5;
        world.execute.atomic = seed.is_multiple_of(3);
        let set = fault_set();
        world.faults(script(seed));
        if let Ok(remote) = world.read(&set).await {
            let planned =
                iefctl::deploy::build(&super::world::identity(), &set, &remote, &world.plan);
            let materials = world.materials(&planned, &set);
            let outcome = world
                .execute(&planned, &set, &remote, materials)
                .await
                .unwrap();
            for policy in &outcome.policies {
                let stored = world.stored(&policy.id).is_some();
                match policy.status {
                    Status::Done => assert!(stored, "seed {seed}: {outcome:#?}"),
                    Status::Restored | Status::Blocked | Status::NotStarted => {
                        assert!(!stored, "seed {seed}: {outcome:#?}");
                    }
                    Status::Failed => assert!(policy.error.is_some()),
                    Status::Skipped => unreachable!(),
                }
            }
            if outcome.is_complete() {
                complete += 1;
            } else {
                partial += 1;
            }
        } else {
            unread += 1;
            assert!(world.writes().is_empty());
        }
        world.faults(Faults::default());
        let outcome = world.deploy(&set).await;
        assert!(outcome.is_complete(), "seed {seed}: {outcome:#?}");
        assert_eq!(
            world.emulator.store().policies(TENANT).len(),
            6,
            "seed {seed}"
        );
        for keyset in world.emulator.store().keysets(TENANT) {
            assert_eq!(keyset.keys.len(), 1, "seed {seed}: {keyset:?}");
        }
        bases_came_first(&world, &set, seed);
    }
    println!("{scripts} scripts: {complete} complete, {partial} partial, {unread} not read");
    assert!(complete > 0 && partial > 0 && unread > 0);
}

/// Every other script also has a fault that never ends, which patience alone does not survive.
fn script(seed: u64) -> Faults {
    let faults = Faults::random(seed);
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
