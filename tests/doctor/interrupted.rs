//! Setting up under faults: whatever fails, and when, nothing is made twice, and the next run completes
//! it.

use iefctl::emulator::{Body, DirectoryOptions, EmulatorOptions, Fault, FaultRule, Faults, Store};
use iefctl::msgraph::{ApplicationSettings, GraphError};
use iefctl::setup::{self, Applied, Expected, SetupPlan, StepOutcome, look_up};

use crate::assert_prepared;
use crate::world::{TENANT, World, options};

fn expected() -> Expected {
    let keys = setup::keysets_of_tokens().map(|(keyset, _)| iefctl::deploy::keys::KeyUser {
        keyset: keyset.to_owned(),
        policy_id: String::new(),
        element: String::new(),
        key: String::new(),
        place: None,
    });
    Expected {
        keys: keys.to_vec(),
        ..Expected::default()
    }
}

async fn prepare(world: &World) -> Result<Applied, String> {
    let expected = expected();
    let facts = setup::read(&world.client, &expected).await;
    let plan = SetupPlan::new(&facts, &expected, TENANT).map_err(|obstacles| {
        let messages = obstacles.iter().map(|obstacle| obstacle.message.clone());
        messages.collect::<Vec<_>>().join("\n")
    })?;
    Ok(setup::apply(&world.client, &plan, None, &()).await)
}

fn lagging(misses: u32) -> EmulatorOptions {
    EmulatorOptions {
        directory: DirectoryOptions {
            replication_misses: misses,
            ..DirectoryOptions::default()
        },
        ..options()
    }
}

fn is_single(store: &Store) -> bool {
    let directory = store.directory(TENANT);
    [crate::FRAMEWORK, crate::PROXY]
        .iter()
        .all(|name| crate::app_ids(&directory, name).len() <= 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_directory_is_waited_for() {
    let world = World::with(lagging(4)).await;
    let applied = prepare(&world).await.unwrap();
    assert!(applied.is_complete(), "{applied:#?}");
    assert_prepared(world.emulator.store(), TENANT);
}

/// Every write fails once, in every way, before and after it was carried out.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_the_second_run_completes_it() {
    let status = |status, body| Fault::Status {
        status,
        body,
        retry_after: None,
    };
    let faults = [
        FaultRule::new(Fault::Reset),
        FaultRule::new(Fault::Reset).after(),
        FaultRule::new(Fault::Truncate),
        FaultRule::new(Fault::Throttle {
            retry_after: Some(0),
        }),
        FaultRule::new(status(503, Body::OData)),
        FaultRule::new(status(503, Body::Html)).after(),
        FaultRule::new(status(504, Body::Empty)).after(),
        FaultRule::new(status(403, Body::OData)),
        FaultRule::new(status(404, Body::OData)),
        FaultRule::new(Fault::RevokeToken),
    ];
    let mut completed_at_once = 0;
    for fault in &faults {
        for nth in 1..=11 {
            let rule = fault.clone().method("POST").nth(nth);
            let world = World::with(EmulatorOptions {
                faults: Faults::default().with(rule),
                ..lagging(1)
            })
            .await;
            let first = prepare(&world).await.unwrap();
            let store = world.emulator.store();
            assert!(is_single(store), "{fault:?} {nth}");
            if first.is_complete() {
                completed_at_once += 1;
            } else {
                world.emulator.set_faults(Faults::default());
                let second = prepare(&world).await.unwrap();
                assert!(
                    second.is_complete(),
                    "{fault:?} {nth}: {first:#?} {second:#?}"
                );
            }
            assert_prepared(store, TENANT);
        }
    }
    // What can be repeated safely is, within the run.
    assert!(completed_at_once > 70, "{completed_at_once}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_failed_step_is_not_tried_and_the_rest_is_done() {
    let rule = FaultRule::new(Fault::Status {
        status: 403,
        body: Body::OData,
        retry_after: None,
    });
    let world = World::with(EmulatorOptions {
        faults: Faults::default().with(rule.method("POST").path("/v1.0/applications")),
        ..options()
    })
    .await;
    let applied = prepare(&world).await.unwrap();
    let outcomes = &applied.outcomes;
    assert!(
        matches!(outcomes[0], StepOutcome::Failed { .. }),
        "{outcomes:#?}"
    );
    assert!(
        outcomes[1..8]
            .iter()
            .all(|outcome| *outcome == StepOutcome::Blocked)
    );
    // Keysets need no application.
    assert_eq!(outcomes[8..], [StepOutcome::Done, StepOutcome::Done]);
    let posts = world.emulator.requests();
    let posts = posts
        .iter()
        .filter(|request| request.method == "POST" && request.path == "/v1.0/applications");
    assert_eq!(
        posts.count(),
        1,
        "a refusal is final, and nothing follows it"
    );
}

/// An answer that never came may hide an application that the directory does not show yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_creation_that_does_not_show_is_not_repeated() {
    let own = format!("https://{TENANT}/contoso");
    for (uri, hidden) in [(own.as_str(), true), ("https://fabrikam.com/x", false)] {
        let rule = FaultRule::new(Fault::Reset)
            .after()
            .method("POST")
            .path("/v1.0/applications");
        // The foreign URI is refused first.
        let nth = if hidden { 1 } else { 2 };
        let world = World::with(EmulatorOptions {
            faults: Faults::default().with(rule.nth(nth)),
            ..lagging(1_000)
        })
        .await;
        let settings = ApplicationSettings::default();
        let created = world.client.create_application("Contoso", &settings, uri);
        let error = created.await.unwrap_err();
        match error {
            GraphError::HiddenApplication { .. } if hidden => {}
            GraphError::UnknownCreation(_) if !hidden => {}
            other => panic!("{other}"),
        }
        let directory = world.emulator.store().directory(TENANT);
        assert_eq!(crate::app_ids(&directory, "Contoso").len(), 1);
    }
}

/// What an earlier run made may not show yet when the next one begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_right_after_a_broken_one_makes_nothing_twice() {
    let refusal = FaultRule::new(Fault::Status {
        status: 403,
        body: Body::OData,
        retry_after: None,
    });
    let rule = refusal
        .method("POST")
        .path("/v1.0/servicePrincipals")
        .nth(2);
    let world = World::with(EmulatorOptions {
        faults: Faults::default().with(rule),
        ..lagging(3)
    })
    .await;
    assert!(!prepare(&world).await.unwrap().is_complete());
    let second = prepare(&world).await.unwrap();
    assert!(second.is_complete(), "{second:#?}");
    assert_prepared(world.emulator.store(), TENANT);
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_fail_together_and_once_per_reason() {
    let world = World::with(options()).await;
    let all = iefctl::policy::TenantValue::ALL;
    let errors = look_up(&world.client, &all).await.unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(
        errors
            .iter()
            .all(|error| error.advice().contains("init --tenant"))
    );
    prepare(&world).await.unwrap();
    let found = look_up(&world.client, &all).await.unwrap();
    assert_eq!(found.len(), all.len());
    assert_eq!(found[&iefctl::policy::TenantValue::TenantDomain], TENANT);
}
