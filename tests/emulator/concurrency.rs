//! Many requests at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use iefctl::emulator::{ConcurrentWrites, Fault, FaultRule, Faults, Unknowns};
use tokio::task::JoinSet;

use super::*;

fn roomy(concurrent_writes: ConcurrentWrites) -> EmulatorOptions {
    EmulatorOptions {
        reuse_rsa_key: true,
        unknowns: Unknowns {
            policy_limit: None,
            concurrent_writes,
            ..Unknowns::default()
        },
        ..EmulatorOptions::default()
    }
}

async fn all<F>(calls: impl IntoIterator<Item = F>) -> Vec<Reply>
where
    F: Future<Output = Reply> + Send + 'static,
{
    let mut set: JoinSet<Reply> = calls.into_iter().collect();
    let mut replies = Vec::new();
    while let Some(reply) = set.join_next().await {
        replies.push(reply.unwrap());
    }
    replies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_uploads_at_once_with_latency() {
    let state = tempfile::tempdir().unwrap();
    let session = Arc::new(
        session(EmulatorOptions {
            state: Some(state.path().to_owned()),
            faults: Faults::latency(300),
            ..roomy(ConcurrentWrites::Refuse)
        })
        .await,
    );
    session
        .put_policy("B2C_1A_Base", &policy("B2C_1A_Base", None, &[]))
        .await
        .expect(201);
    let calls = (0..300).map(|number| {
        let session = Arc::clone(&session);
        async move {
            let id = format!("B2C_1A_P{number}");
            session
                .put_policy(&id, &policy(&id, Some("B2C_1A_Base"), &[]))
                .await
        }
    });
    for reply in all(calls).await {
        reply.expect(201);
    }
    assert_eq!(session.get("/policies/$count").await.text, "301");
    // Latency overlaps: the requests that run while another one runs are many, not one or two.
    let requests = session.emulator.requests();
    let uploads: Vec<_> = requests
        .iter()
        .filter(|request| request.method == "PUT")
        .collect();
    let overlapping = uploads
        .iter()
        .map(|one| {
            uploads
                .iter()
                .filter(|other| {
                    other.started <= one.started && one.started < other.finished.unwrap()
                })
                .count()
        })
        .max()
        .unwrap();
    assert!(overlapping > 50, "at most {overlapping} at once");
    let sequences: Vec<u64> = requests.iter().map(|request| request.sequence).collect();
    assert!(sequences.windows(2).all(|two| two[0] < two[1]));
    let files = std::fs::read_dir(state.path().join(TENANT).join("policies"))
        .unwrap()
        .count();
    assert_eq!(files, 301);
}

#[tokio::test]
async fn connections_are_numbered_and_reused() {
    let session = default_session().await;
    for _ in 0..5 {
        session.get("/policies").await.expect(200);
    }
    let connections: BTreeSet<u64> = session
        .emulator
        .requests()
        .iter()
        .map(|request| request.connection)
        .collect();
    assert_eq!(connections.len(), 1);
}

#[tokio::test]
async fn the_second_writer_of_an_object_is_refused() {
    let session = Arc::new(session(roomy(ConcurrentWrites::Refuse)).await);
    session.keyset("K").await;
    // The first write waits long; the others arrive while it does.
    let slow = FaultRule::new(Fault::Delay(1500)).method("PUT").nth(1);
    session.emulator.set_faults(Faults::default().with(slow));
    let id = "B2C_1A_X";
    let first = {
        let session = Arc::clone(&session);
        tokio::spawn(async move { session.put_policy(id, &policy(id, None, &[])).await })
    };
    while !session
        .emulator
        .requests()
        .iter()
        .any(|request| request.method == "PUT")
    {
        tokio::task::yield_now().await;
    }
    let second = session.put_policy("b2c_1a_x", &policy(id, None, &[])).await;
    let (status, code, message) = second.error();
    assert_eq!((status, code.as_str()), (409, "AADB2C95053"));
    assert!(message.starts_with("Multiple concurrent writes to the same object detected."));
    let posted = send(
        session
            .request("POST", "/policies")
            .body(policy(id, None, &[])),
    )
    .await;
    assert_eq!(posted.error().1, "AADB2C95053");
    session
        .call("DELETE", &format!("/policies/{id}"))
        .await
        .expect(409);
    // Other objects, and reading, are free.
    session
        .put_policy("B2C_1A_Y", &policy("B2C_1A_Y", None, &[]))
        .await
        .expect(201);
    session.get("/policies").await.expect(200);
    session
        .post(
            "/keySets/B2C_1A_K/uploadSecret",
            json!({"use": "sig", "k": "x"}),
        )
        .await
        .expect(200);
    first.await.unwrap().expect(201);
    session
        .put_policy(id, &policy(id, None, &[]))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_write_the_same_object_and_one_of_them_wins() {
    let state = tempfile::tempdir().unwrap();
    let session = Arc::new(
        session(EmulatorOptions {
            state: Some(state.path().to_owned()),
            ..roomy(ConcurrentWrites::LastWins)
        })
        .await,
    );
    let id = "B2C_1A_X";
    let calls = (0..60).map(|number| {
        let session = Arc::clone(&session);
        let xml = policy(id, None, &[]).replace("<!-- ", &format!("<!-- writer {number} "));
        async move { session.put_policy(id, &xml).await }
    });
    let replies = all(calls).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 201).count(),
        1
    );
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        59
    );
    let memory = session.emulator.store().policy(TENANT, id).unwrap();
    assert!(replies.iter().any(|reply| reply.text == memory));
    let file = state.path().join(TENANT).join("policies/b2c_1a_x.xml");
    assert_eq!(
        std::fs::read_to_string(file).unwrap(),
        memory,
        "disk and memory agree"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_to_one_keyset_lose_nothing() {
    let session = Arc::new(session(roomy(ConcurrentWrites::LastWins)).await);
    session.keyset("K").await;
    let calls = (0..50).map(|_| {
        let session = Arc::clone(&session);
        async move {
            session
                .post(
                    "/keySets/B2C_1A_K/uploadSecret",
                    json!({"use": "sig", "k": "x"}),
                )
                .await
        }
    });
    let kids: BTreeSet<String> = all(calls)
        .await
        .into_iter()
        .map(|reply| reply.expect(200).json()["kid"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kids.len(), 50);
    assert_eq!(
        session
            .emulator
            .store()
            .keyset(TENANT, "B2C_1A_K")
            .unwrap()
            .keys
            .len(),
        50
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_creations_of_a_keyset_make_one() {
    let session = Arc::new(session(roomy(ConcurrentWrites::LastWins)).await);
    let calls = (0..30).map(|_| {
        let session = Arc::clone(&session);
        async move { session.post("/keySets", json!({"id": "K"})).await }
    });
    let replies = all(calls).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 201).count(),
        1
    );
    assert!(
        replies
            .iter()
            .filter(|r| r.status != 201)
            .all(|r| r.error().1 == "AADB2C95028")
    );
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_undo_its_write() {
    let session = default_session().await;
    session
        .emulator
        .set_faults(Faults::default().with(FaultRule::new(Fault::Delay(300)).method("PUT")));
    let request = session
        .request("PUT", "/policies/B2C_1A_X/$value")
        .body(policy("B2C_1A_X", None, &[]));
    let error = request
        .timeout(std::time::Duration::from_millis(100))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    while session
        .emulator
        .requests()
        .iter()
        .any(|request| request.finished.is_none())
    {
        tokio::task::yield_now().await;
    }
    let put = session
        .emulator
        .requests()
        .into_iter()
        .find(|request| request.method == "PUT");
    assert!(
        put.is_some(),
        "the request arrived before the client gave up"
    );
    assert!(
        session
            .emulator
            .store()
            .policy(TENANT, "B2C_1A_X")
            .is_some()
    );
}
