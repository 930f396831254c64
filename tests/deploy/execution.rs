//! Carrying plans out: order, failures in the middle, stopping.

use std::collections::HashMap;

use iefctl::deploy::{Event, Local, PolicyAction, Status, Stop};
use iefctl::emulator::{Body, EmulatorOptions, Fault, FaultRule, Faults, RequestRecord};

use super::world::{TENANT, World, claim, local, options, policy, small_set};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_deployment_writes_nothing() {
    let world = World::new().await;
    let set = small_set();
    let outcome = world.deploy(&set).await;
    assert!(outcome.is_complete(), "{outcome:#?}");
    assert_eq!(outcome.summary.created, 4);
    let order: Vec<_> = outcome
        .policies
        .iter()
        .map(|policy| policy.id.as_str())
        .collect();
    assert_eq!(order[..2], ["B2C_1A_Base", "B2C_1A_Ext"]);
    let writes = world.writes().len();
    assert_eq!(writes, 4);

    let outcome = world.deploy(&set).await;
    assert!(outcome.is_complete());
    assert_eq!(outcome.summary.unchanged, 4);
    assert_eq!(world.writes().len(), writes, "{:#?}", world.writes());
    assert!(
        outcome
            .policies
            .iter()
            .all(|policy| policy.status == Status::Skipped)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_written() {
    let world = World::new().await;
    world.deploy(&small_set()).await;
    let before = world.writes().len();
    let changed = local(&[
        ("B2C_1A_Base", policy("B2C_1A_Base", None, &claim("email"))),
        // White space, comments, declaration and the case of ids are no change.
        (
            "B2C_1A_Ext",
            policy("B2C_1A_Ext", Some("B2C_1A_BASE"), &claim("loyalty"))
                .replace("PolicyId=\"B2C_1A_Ext", "PolicyId=\"b2c_1a_EXT")
                .replace('\n', "\r\n <!-- c -->"),
        ),
        (
            "B2C_1A_SignIn",
            policy("B2C_1A_SignIn", Some("B2C_1A_Ext"), &claim("shoeSize")),
        ),
    ]);
    let (planned, _) = world.plan(&changed).await;
    assert_eq!(planned.plan.only_in_tenant, ["B2C_1A_Reset"]);
    let outcome = world.deploy(&changed).await;
    assert_eq!((outcome.summary.updated, outcome.summary.unchanged), (1, 2));
    assert_eq!(world.writes().len(), before + 1);
    assert!(world.stored("B2C_1A_SignIn").unwrap().contains("shoeSize"));
}

#[tokio::test(flavor = "multi_thread")]
async fn descendants_of_a_failure_are_blocked_and_other_branches_finish() {
    let world = World::new().await;
    world.faults(
        Faults::default().with(
            FaultRule::new(Fault::Status {
                status: 400,
                body: Body::OData,
                retry_after: None,
            })
            .method("PUT")
            .path("*/B2C_1A_Mid/*"),
        ),
    );
    let set = local(&[
        ("B2C_1A_Base", policy("B2C_1A_Base", None, "")),
        ("B2C_1A_Mid", policy("B2C_1A_Mid", Some("B2C_1A_Base"), "")),
        ("B2C_1A_Deep", policy("B2C_1A_Deep", Some("B2C_1A_Mid"), "")),
        (
            "B2C_1A_Deeper",
            policy("B2C_1A_Deeper", Some("B2C_1A_Deep"), ""),
        ),
        (
            "B2C_1A_Other",
            policy("B2C_1A_Other", Some("B2C_1A_Base"), ""),
        ),
    ]);
    let outcome = world.deploy(&set).await;
    assert!(!outcome.is_complete());
    let status = |id| outcome.policy(id).unwrap().status;
    assert_eq!(status("B2C_1A_Base"), Status::Done);
    assert_eq!(status("B2C_1A_Other"), Status::Done);
    assert_eq!(status("B2C_1A_Mid"), Status::Failed);
    for id in ["B2C_1A_Deep", "B2C_1A_Deeper"] {
        assert_eq!(status(id), Status::Blocked);
        let blocked_by = outcome.policy(id).unwrap().blocked_by.as_deref();
        assert_eq!(blocked_by, Some("B2C_1A_Mid"));
    }
    let failure = outcome.policy("B2C_1A_Mid").unwrap().error.clone().unwrap();
    assert_eq!(failure.http_status, Some(400));
    assert!(failure.request_id.is_some() && failure.client_request_id.is_some());

    world.faults(Faults::default());
    let again = world.deploy(&set).await;
    assert!(again.is_complete());
    assert_eq!((again.summary.created, again.summary.unchanged), (3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_sentences_point_at_the_users_lines() {
    let world = World::new().await;
    // What the emulator's validator refuses, deployed without asking ours.
    let body = "<UserJourneys>\n<UserJourney Id=\"J\">\n<OrchestrationSteps>\n\
        <OrchestrationStep Order=\"1\" Type=\"ClaimsExchange\">\n<ClaimsExchanges>\n\
        <ClaimsExchange Id=\"E\" TechnicalProfileReferenceId=\"Nowhere\" />\n</ClaimsExchanges>\n\
        </OrchestrationStep>\n</OrchestrationSteps>\n</UserJourney>\n</UserJourneys>";
    let text = policy("B2C_1A_Base", None, body);
    let line = text
        .lines()
        .position(|line| line.contains("Nowhere"))
        .unwrap()
        + 1;
    let outcome = world.deploy(&local(&[("B2C_1A_Base", text)])).await;
    let failure = outcome.policies[0].error.clone().unwrap();
    assert_eq!(failure.code.as_deref(), Some("AADB2C"));
    let item = failure
        .items
        .iter()
        .find(|item| item.text.contains("Nowhere"))
        .unwrap_or_else(|| panic!("{failure:#?}"));
    let place = item.place.as_ref().unwrap();
    assert_eq!(
        (place.file.as_str(), place.line as usize),
        ("policies/B2C_1A_Base.xml", line)
    );
    assert!(failure.unforeseen);
    assert!(
        failure.advice.unwrap().contains("report"),
        "{:?}",
        failure.message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_application_stops_everything() {
    let world = World::with(EmulatorOptions {
        roles: vec![
            "Policy.Read.All".to_owned(),
            "TrustFrameworkKeySet.Read.All".to_owned(),
        ],
        ..options()
    })
    .await;
    let mut names = Vec::new();
    for number in 0..40 {
        names.push(format!("B2C_1A_P{number:02}"));
    }
    let files: Vec<_> = names
        .iter()
        .map(|id| (id.as_str(), policy(id, None, "")))
        .collect();
    let outcome = world.deploy(&local(&files)).await;
    assert!(
        matches!(outcome.stopped, Some(Stop::Refused(_))),
        "{:?}",
        outcome.stopped
    );
    assert!(outcome.summary.failed <= world.execute.concurrency);
    assert_eq!(outcome.summary.failed + outcome.summary.not_started, 40);
    let failure = outcome
        .policies
        .iter()
        .find_map(|policy| policy.error.clone())
        .unwrap();
    assert_eq!(failure.http_status, Some(403));
    assert!(
        failure
            .advice
            .unwrap()
            .contains("Policy.ReadWrite.TrustFramework")
    );
    assert!(world.emulator.store().policies(TENANT).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_disappears_is_reported_and_completed_later() {
    let mut world = World::new().await;
    world.execute.concurrency = 2;
    let set = small_set();
    let (planned, remote) = world.plan(&set).await;
    // From the second upload on nobody answers any more.
    let gone = FaultRule::new(Fault::Reset).method("PUT");
    world.faults(
        Faults::default()
            .with(FaultRule::new(Fault::Delay(0)).method("PUT").nth(1))
            .with(gone.path("*/B2C_1A_Ext/*")),
    );
    let materials = world.materials(&planned, &set);
    let outcome = world
        .execute(&planned, &set, &remote, materials)
        .await
        .unwrap();
    assert_eq!((outcome.summary.created, outcome.summary.failed), (1, 1));
    assert_eq!(outcome.summary.blocked, 2);
    assert!(outcome.summary.retries > 0);
    assert!(outcome.policy("B2C_1A_Ext").unwrap().attempts > 1);

    world.faults(Faults::default());
    let again = world.deploy(&set).await;
    assert!(again.is_complete());
    assert_eq!(again.summary.created, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_tenant_is_not_asked_by_every_policy() {
    let mut world = World::new().await;
    world.execute.concurrency = 1;
    let names: Vec<String> = (0..30)
        .map(|number| format!("B2C_1A_P{number:02}"))
        .collect();
    let files: Vec<_> = names
        .iter()
        .map(|id| (id.as_str(), policy(id, None, "")))
        .collect();
    let set = local(&files);
    let (planned, remote) = world.plan(&set).await;
    world.faults(Faults::default().with(FaultRule::new(Fault::Reset)));
    let materials = world.materials(&planned, &set);
    let outcome = world
        .execute(&planned, &set, &remote, materials)
        .await
        .unwrap();
    assert!(
        matches!(outcome.stopped, Some(Stop::Unreachable(_))),
        "{:?}",
        outcome.stopped
    );
    assert_eq!(
        (outcome.summary.failed, outcome.summary.not_started),
        (3, 27)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_deployment_finishes_running_calls_only() {
    struct Interrupter<'w>(&'w World);
    impl iefctl::deploy::Observer for Interrupter<'_> {
        fn on_event(&self, event: &Event) {
            if matches!(event, Event::PolicyStarted { id, .. } if id == "B2C_1A_Ext") {
                self.0.cancellation.cancel();
            }
        }
    }
    let world = World::new().await;
    let set = small_set();
    let (planned, remote) = world.plan(&set).await;
    let execution = iefctl::deploy::Execution {
        client: &world.client,
        plan: &planned.plan,
        local: &set,
        remote: &remote,
        materials: world.materials(&planned, &set),
        lock: None,
        options: world.execute.clone(),
    };
    let interrupter = Interrupter(&world);
    let outcome = iefctl::deploy::execute(execution, &interrupter, &world.cancellation)
        .await
        .unwrap();
    assert_eq!(outcome.stopped, Some(Stop::Interrupted));
    assert_eq!(
        (outcome.summary.created, outcome.summary.not_started),
        (2, 2)
    );
    assert!(world.stored("B2C_1A_Ext").is_some());
    assert!(world.stored("B2C_1A_SignIn").is_none());
}

/// Base ← Extensions ← so many leaves.
fn wide_set(leaves: usize) -> Local {
    let mut files = vec![
        (
            "B2C_1A_Base".to_owned(),
            policy("B2C_1A_Base", None, &claim("email")),
        ),
        (
            "B2C_1A_Ext".to_owned(),
            policy("B2C_1A_Ext", Some("B2C_1A_Base"), ""),
        ),
    ];
    for number in 0..leaves {
        let id = format!("B2C_1A_Leaf{number:02}");
        files.push((id.clone(), policy(&id, Some("B2C_1A_Ext"), "")));
    }
    let files: Vec<_> = files
        .iter()
        .map(|(id, text)| (id.as_str(), text.clone()))
        .collect();
    local(&files)
}

/// The longest row of requests of which each began after the one before had ended.
fn rounds(mut requests: Vec<RequestRecord>) -> usize {
    requests.sort_by_key(|request| request.finished);
    let mut rounds = 0;
    let mut end = None;
    for request in requests {
        if end.is_none_or(|end| request.started >= end) {
            rounds += 1;
            end = request.finished;
        }
    }
    rounds
}

/// The rounds that a client would need whose calls all take the same time.
fn rounds_of_events(events: &[Event], concurrency: usize) -> usize {
    let mut ends_at: HashMap<&str, usize> = HashMap::new();
    let mut slots = vec![0usize; concurrency];
    let mut running: Vec<&str> = Vec::new();
    let mut freed: Vec<usize> = (0..concurrency).collect();
    let mut slot_of: HashMap<&str, usize> = HashMap::new();
    for event in events {
        match event {
            Event::PolicyStarted { id, .. } => {
                running.push(id);
                assert!(running.len() <= concurrency, "more calls than allowed");
                freed.sort_by_key(|slot| slots[*slot]);
                let slot = freed.remove(0);
                let base = match id.as_str() {
                    "B2C_1A_Base" => 0,
                    "B2C_1A_Ext" => ends_at["B2C_1A_Base"],
                    _ => ends_at["B2C_1A_Ext"],
                };
                slots[slot] = slots[slot].max(base) + 1;
                slot_of.insert(id, slot);
            }
            Event::PolicyFinished { id, .. } => {
                running.retain(|known| known != id);
                let slot = slot_of[id.as_str()];
                ends_at.insert(id, slots[slot]);
                freed.push(slot);
            }
            _ => {}
        }
    }
    slots.into_iter().max().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_come_near_the_bound_of_any_client() {
    for (concurrency, bound) in [(48, 3), (16, 5), (8, 8)] {
        let mut world = World::with(EmulatorOptions {
            validate: false,
            ..options()
        })
        .await;
        world.execute.concurrency = concurrency;
        world.faults(Faults::latency(if concurrency == 48 { 400 } else { 20 }));
        let set = wide_set(48);
        let outcome = world.deploy(&set).await;
        assert!(outcome.is_complete());

        let puts = world.writes();
        assert_eq!(puts.len(), 50);
        let put = |id: &str| puts.iter().find(|put| put.path.contains(id)).unwrap();
        assert!(put("B2C_1A_Ext").started >= put("B2C_1A_Base").finished.unwrap());
        for leaf in puts.iter().filter(|put| put.path.contains("Leaf")) {
            assert!(leaf.started >= put("B2C_1A_Ext").finished.unwrap());
        }
        if concurrency == 48 {
            assert_eq!(rounds(puts), bound);
        }
        let slack = usize::from(concurrency != 48);
        let rounds = rounds_of_events(&world.recorder.events(), concurrency);
        assert!(
            (bound..=bound + slack).contains(&rounds),
            "{rounds} at {concurrency}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_without_changes_takes_four_latencies() {
    let mut world = World::with(EmulatorOptions {
        validate: false,
        ..options()
    })
    .await;
    let set = wide_set(48);
    world.deploy(&set).await;
    let before = world.emulator.requests().len();
    world.execute.concurrency = 48;
    world.faults(Faults::latency(400));
    // A new process has no token yet.
    world.client = super::world::client(&world.emulator.url());
    let remote = world.read(&set).await.unwrap();
    let plan = iefctl::deploy::build(
        &super::world::identity(),
        &set,
        &remote,
        &iefctl::deploy::PlanOptions::default(),
    )
    .plan;
    assert!(!plan.has_changes());
    let requests = world.emulator.requests().split_off(before);
    assert_eq!(requests.len(), 1 + 2 + 50);
    assert!(rounds(requests) <= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_come_last_and_children_first() {
    let mut world = World::new().await;
    world.deploy(&small_set()).await;
    world.plan.delete = [
        "B2C_1A_EXT",
        "B2C_1A_Reset",
        "B2C_1A_SignIn",
        "B2C_1A_Gone",
        "B2C_1A_Base",
    ]
    .map(str::to_owned)
    .to_vec();
    let before = world.writes().len();
    let set = local(&[("B2C_1A_Base", policy("B2C_1A_Base", None, &claim("other")))]);
    let outcome = world.deploy(&set).await;
    assert!(outcome.is_complete(), "{outcome:#?}");
    assert_eq!((outcome.summary.updated, outcome.summary.deleted), (1, 3));
    let writes = world.writes().split_off(before);
    assert_eq!(writes[0].method, "PUT");
    assert!(writes[3].path.contains("B2C_1A_Ext"), "{writes:#?}");
    assert_eq!(world.emulator.store().policies(TENANT), ["B2C_1A_Base"]);
    let deleted = outcome.policy("B2C_1A_Ext").unwrap();
    assert_eq!(
        (deleted.action, deleted.status),
        (PolicyAction::Delete, Status::Done)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_vanishes_after_planning_is_led_back_to_the_element() {
    let world = World::new().await;
    let store = world.emulator.store();
    store
        .put_simple_keyset(TENANT, "B2C_1A_Google", "OCT", "sig")
        .unwrap();
    store
        .put_policy(TENANT, &policy("B2C_1A_Tenant", None, ""))
        .unwrap();
    let keys = super::world::provider("P", &[("client_secret", "B2C_1A_Google")]);
    let key_policy = policy("B2C_1A_Keys", None, &keys);
    let set = local(&[
        ("B2C_1A_Keys", key_policy.clone()),
        (
            "B2C_1A_Orphan",
            policy("B2C_1A_Orphan", Some("B2C_1A_Tenant"), ""),
        ),
    ]);
    let (planned, remote) = world.plan(&set).await;
    assert!(planned.findings.is_empty(), "{:?}", planned.findings);
    let materials = world.materials(&planned, &set);
    store.remove_keyset(TENANT, "B2C_1A_Google").unwrap();
    store.remove_policy(TENANT, "B2C_1A_Tenant").unwrap();
    let outcome = world
        .execute(&planned, &set, &remote, materials)
        .await
        .unwrap();
    let place = |id: &str| {
        let failure = outcome.policy(id).unwrap().error.clone().unwrap();
        assert_eq!(failure.items.len(), 1, "{failure:#?}");
        // The tenant has changed; validation could not know.
        assert!(!failure.unforeseen);
        let place = failure.items[0].place.clone().unwrap();
        (place.line as usize, place.column as usize)
    };
    let line_of = |text: &str, part: &str| {
        let (number, line) = text
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(part))
            .unwrap();
        (number + 1, line.find(part).unwrap() + 1)
    };
    assert_eq!(place("B2C_1A_Keys"), line_of(&key_policy, "B2C_1A_Google"));
    let orphan = policy("B2C_1A_Orphan", Some("B2C_1A_Tenant"), "");
    assert_eq!(place("B2C_1A_Orphan"), line_of(&orphan, "B2C_1A_Tenant"));
}
