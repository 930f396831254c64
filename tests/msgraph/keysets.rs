use std::sync::{Arc, Mutex};
use std::time::Duration;

use iefctl::msgraph::{
    GraphClient, GraphError, KeyKind, KeyStatus, KeyUse, KeyValidity, KeysetState, NewSecret,
};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::server::{Reply, Request, Server};
use crate::{client, client_with, options};

/// What happens to one request that adds a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    ResetBefore,
    ResetAfter,
    CutAfter,
    ErrorBefore(u16),
    ErrorAfter(u16),
    PageAfter,
    Throttled,
    Unauthorized,
    UnknownError,
}

/// One keyset of a tenant, with a fault for each request in turn.
#[derive(Debug, Default)]
struct Tenant {
    keys: Vec<Value>,
    faults: Vec<Fault>,
    reads: Vec<Fault>,
}

impl Tenant {
    fn answer(&mut self, request: &Request) -> Reply {
        let reading = request.method == "GET";
        let script = if reading {
            &mut self.reads
        } else {
            &mut self.faults
        };
        let fault = if script.is_empty() {
            Fault::None
        } else {
            script.remove(0)
        };
        let key = json!({"kid": format!("kid-{}", self.keys.len()), "kty": "RSA", "use": "sig"});
        match fault {
            Fault::None
            | Fault::ResetAfter
            | Fault::CutAfter
            | Fault::ErrorAfter(_)
            | Fault::PageAfter
                if !reading =>
            {
                self.keys.push(key.clone());
            }
            _ => {}
        }
        match fault {
            Fault::None if reading => {
                Reply::json(200, json!({"id": "B2C_1A_K", "keys": self.keys}))
            }
            Fault::None => Reply::json(200, key),
            Fault::ResetBefore | Fault::ResetAfter => Reply::Reset,
            Fault::CutAfter => Reply::Cut("{\"kid\":"),
            Fault::ErrorBefore(status) | Fault::ErrorAfter(status) => Reply::error(status, "x", ""),
            Fault::PageAfter => Reply::html(200),
            Fault::Throttled => Reply::error(429, "x", "").with("retry-after", "1"),
            Fault::Unauthorized => Reply::error(401, "x", ""),
            Fault::UnknownError => Reply::error(400, "UnknownError", ""),
        }
    }
}

async fn tenant(faults: &[Fault], reads: &[Fault]) -> (Server, Arc<Mutex<Tenant>>) {
    let tenant = Arc::new(Mutex::new(Tenant {
        keys: Vec::new(),
        faults: faults.to_vec(),
        reads: reads.to_vec(),
    }));
    let state = tenant.clone();
    let server = Server::start(move |request, _| state.lock().unwrap().answer(request)).await;
    (server, tenant)
}

async fn generate(client: &GraphClient) -> Result<iefctl::msgraph::AppendedKey, GraphError> {
    let (key_use, kind) = (KeyUse::Signature, KeyKind::Rsa);
    let validity = KeyValidity::default();
    client
        .generate_key("B2C_1A_K", KeysetState::Empty, key_use, kind, validity)
        .await
}

#[tokio::test]
async fn a_lost_answer_is_found_by_looking() {
    for fault in [
        Fault::ResetAfter,
        Fault::CutAfter,
        Fault::PageAfter,
        Fault::ErrorAfter(500),
        Fault::ErrorAfter(502),
        Fault::ErrorAfter(504),
    ] {
        let (server, tenant) = tenant(&[fault], &[]).await;
        let added = generate(&client(&server)).await.unwrap();
        assert!(added.found_by_look, "{fault:?}");
        assert_eq!(added.key.kid.as_deref(), Some("kid-0"));
        assert_eq!(tenant.lock().unwrap().keys.len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_request_without_effect_is_repeated_after_a_look() {
    // After a break of the connection or an answer of the gateway the service may still be at work.
    for (fault, looks) in [
        (Fault::ResetBefore, 3),
        (Fault::ErrorBefore(503), 3),
        (Fault::UnknownError, 3),
        (Fault::Throttled, 1),
    ] {
        let (server, tenant) = tenant(&[fault], &[]).await;
        let added = generate(&client(&server)).await.unwrap();
        assert!(!added.found_by_look);
        assert_eq!(added.attempts, 2);
        assert_eq!(tenant.lock().unwrap().keys.len(), 1);
        let methods: Vec<String> = server.requests().into_iter().map(|r| r.method).collect();
        let mut expected = vec!["GET", "POST"];
        expected.extend(vec!["GET"; looks]);
        expected.push("POST");
        assert_eq!(methods, expected, "{fault:?}");
    }
    let (server, tenant) = tenant(&[Fault::Unauthorized], &[]).await;
    generate(&client(&server)).await.unwrap();
    assert_eq!(tenant.lock().unwrap().keys.len(), 1);
    assert_eq!(server.requests().len(), 3);
}

/// While this call waits for its turn, or for the service to be well again, somebody else adds a key.
#[tokio::test]
async fn a_key_that_somebody_else_adds_meanwhile_is_seen_before_the_next_attempt() {
    for status in [429, 500] {
        let server = Server::playing(vec![
            Reply::json(200, json!({"id": "B2C_1A_K", "keys": []})),
            Reply::error(status, "AADB2C95043", "later"),
            Reply::json(200, json!({"id": "B2C_1A_K", "keys": [{"kid": "theirs"}]})),
        ])
        .await;
        let error = generate(&client(&server)).await.unwrap_err();
        assert!(
            matches!(error, GraphError::KeysetNotEmpty { keys: 1, .. }),
            "{error}"
        );
        assert_eq!(server.requests().len(), 3);
    }
}

/// Without patience nothing is repeated, and a pause ends at once.
#[tokio::test]
async fn without_patience_a_call_ends_with_what_it_has() {
    let server = Server::start(|_, _| Reply::error(429, "x", "").with("retry-after", "100")).await;
    let client = client(&server);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.get_keyset("B2C_1A_K").await }
    });
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    client.set_patience(false);
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.status(), Some(429));
    assert_eq!(server.requests().len(), 1);
    client.get_keyset("B2C_1A_K").await.unwrap_err();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn while_the_service_may_still_work_nothing_is_repeated() {
    let (server, tenant) = tenant(&[Fault::ErrorBefore(504)], &[]).await;
    let error = generate(&client(&server)).await.unwrap_err();
    assert!(matches!(error, GraphError::Ambiguous(_)), "{error}");
    assert!(error.to_string().contains("B2C_1A_K"), "{error}");
    let posts = server
        .requests()
        .iter()
        .filter(|r| r.method == "POST")
        .count();
    assert_eq!((posts, tenant.lock().unwrap().keys.len()), (1, 0));

    let server = Server::start(|request, _| match request.method.as_str() {
        "GET" => Reply::json(200, json!({"id": "B2C_1A_K", "keys": []})),
        _ => Reply::Silence,
    })
    .await;
    let mut options = options(&server);
    options.transport.timeout = Duration::from_millis(100);
    let error = generate(&client_with(options)).await.unwrap_err();
    assert!(matches!(error, GraphError::Ambiguous(_)), "{error}");
    let posts = server
        .requests()
        .iter()
        .filter(|r| r.method == "POST")
        .count();
    assert_eq!(posts, 1);
}

#[tokio::test]
async fn a_failed_look_is_ambiguous() {
    let denied = Fault::ErrorBefore(403);
    let (server, _) = tenant(&[Fault::ResetAfter], &[Fault::None, denied]).await;
    let error = generate(&client(&server)).await.unwrap_err();
    assert!(matches!(error, GraphError::Ambiguous(_)), "{error}");
}

#[tokio::test]
async fn a_first_key_is_added_to_an_empty_keyset_only() {
    let (server, tenant) = tenant(&[], &[]).await;
    let client = client(&server);
    generate(&client).await.unwrap();
    let error = generate(&client).await.unwrap_err();
    assert!(
        matches!(error, GraphError::KeysetNotEmpty { keys: 1, .. }),
        "{error}"
    );
    let secret = SecretString::from("s");
    let secret = NewSecret {
        key_use: KeyUse::Signature,
        value: &secret,
        validity: KeyValidity {
            not_before: None,
            expires: Some(9),
        },
    };
    client
        .upload_secret("B2C_1A_K", KeysetState::Any, secret)
        .await
        .unwrap();
    assert_eq!(tenant.lock().unwrap().keys.len(), 2);
    let last = server.requests().pop().unwrap();
    assert!(last.path.ends_with("/keySets/B2C_1A_K/uploadSecret"));
    let body: Value = serde_json::from_str(&last.body).unwrap();
    assert_eq!(body, json!({"exp": 9, "use": "sig", "k": "s"}));
}

#[tokio::test]
async fn a_key_for_a_missing_keyset_is_refused() {
    let text = "KeyContainer with 'id': 'B2C_1A_K' cannot be found in the directory 'x'";
    let server = Server::playing(vec![Reply::error(400, "AADB2C90073", text)]).await;
    let client = client(&server);
    let error = generate(&client).await.unwrap_err();
    assert!(matches!(error, GraphError::KeysetMissing { .. }), "{error}");
    assert_eq!(client.get_keyset("B2C_1A_K").await.unwrap(), None);
    assert_eq!(client.get_active_key("B2C_1A_K").await.unwrap(), None);
    assert!(client.list_key_states("B2C_1A_K").await.unwrap().is_empty());
    assert!(!client.delete_keyset("B2C_1A_K").await.unwrap());
    assert!(!client.set_key_enabled("B2C_1A_K", "k", true).await.unwrap());
    assert!(server.requests().iter().all(|r| r.method != "POST"));
}

#[tokio::test]
async fn certificates_travel_as_base64() {
    let (server, _) = tenant(&[], &[]).await;
    let client = client(&server);
    client
        .upload_certificate("B2C_1A_K", KeysetState::Any, &[1, 2, 255])
        .await
        .unwrap();
    let password = SecretString::from("p\"w");
    client
        .upload_pkcs12("B2C_1A_K", KeysetState::Any, &[1, 2, 255], &password)
        .await
        .unwrap();
    let bodies: Vec<Value> = server
        .requests()
        .iter()
        .filter(|r| r.method == "POST")
        .map(|r| serde_json::from_str(&r.body).unwrap())
        .collect();
    assert_eq!(bodies[0], json!({"key": "AQL/"}));
    assert_eq!(bodies[1], json!({"key": "AQL/", "password": "p\"w"}));
}

#[tokio::test]
async fn creating_a_keyset_knows_whether_it_was_there() {
    let made = Reply::json(201, json!({"id": "B2C_1A_K", "keys": []}));
    let server = Server::playing(vec![made]).await;
    let created = client(&server).create_keyset("K").await.unwrap();
    assert_eq!((created.id.as_str(), created.existed), ("B2C_1A_K", false));
    assert_eq!(server.requests()[0].body, "{\"id\":\"K\"}");

    for status in [400, 409] {
        let exists = Reply::error(status, "AADB2C95028", "it already exists.");
        let server = Server::playing(vec![exists.clone()]).await;
        let created = client(&server).create_keyset("K").await.unwrap();
        assert_eq!((created.id.as_str(), created.existed), ("B2C_1A_K", true));

        for (keys, existed) in [(json!([]), false), (json!([{"kid": "k"}]), true)] {
            let keyset = Reply::json(200, json!({"id": "B2C_1A_K", "keys": keys}));
            let server = Server::playing(vec![Reply::Reset, exists.clone(), keyset]).await;
            let created = client(&server).create_keyset("b2c_1a_K").await.unwrap();
            assert_eq!(
                (created.id.as_str(), created.existed),
                ("b2c_1a_K", existed)
            );
        }
    }
}

#[tokio::test]
async fn keys_are_read_leniently_and_without_secret_parts() {
    let keyset = json!({"id": "B2C_1A_K", "keys": [
        {"kid": "a", "kty": "RSA", "use": "sig", "nbf": 5, "exp": "6", "e": "AQAB", "n": "x",
         "d": "private-part", "k": null, "x5c": ["c"], "x5t": "t", "status": "disabled"},
        {"kid": null, "kty": "OCT", "k": "private-part", "x5c": null},
    ]});
    let list = json!({"value": [keyset]});
    let server = Server::playing(vec![Reply::json(200, list)]).await;
    let keysets = client(&server).list_keysets().await.unwrap();
    let key = &keysets[0].keys[0];
    assert_eq!((key.not_before, key.expires), (Some(5), Some(6)));
    assert_eq!(key.certificates, ["c"]);
    assert_eq!(keysets[0].keys[1].kty.as_deref(), Some("OCT"));
    assert!(!format!("{keysets:?}").contains("private-part"));

    let states = json!({"value": [{"kid": "a", "status": "Disabled"}, {"kid": "b"}]});
    let server = Server::playing(vec![Reply::json(200, states)]).await;
    let states = client(&server).list_key_states("B2C_1A_K").await.unwrap();
    assert_eq!(states[0].status, Some(KeyStatus::Disabled));
    assert_eq!(states[1].status, None);
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        2 => Just(Fault::None),
        1 => Just(Fault::ResetBefore),
        1 => Just(Fault::ResetAfter),
        1 => Just(Fault::CutAfter),
        1 => prop_oneof![Just(500_u16), Just(502), Just(503), Just(504), Just(403)].prop_map(Fault::ErrorBefore),
        1 => prop_oneof![Just(500_u16), Just(502), Just(503), Just(504)].prop_map(Fault::ErrorAfter),
        1 => Just(Fault::PageAfter),
        1 => Just(Fault::Throttled),
        1 => Just(Fault::Unauthorized),
        1 => Just(Fault::UnknownError),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keyset_ever_gets_a_second_key(
        faults in proptest::collection::vec(fault(), 0..9),
        reads in proptest::collection::vec(fault(), 0..9),
        runs in 1_usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (server, tenant) = tenant(&faults, &reads).await;
            let mut options = options(&server);
            options.retry.base_delay = Duration::ZERO;
            options.retry.retry_after_cap = Duration::ZERO;
            let client = client_with(options);
            for _ in 0..runs {
                let before = tenant.lock().unwrap().keys.len();
                let result = generate(&client).await;
                let keys = tenant.lock().unwrap().keys.len();
                prop_assert!(keys <= 1, "{} keys", keys);
                match result {
                    Ok(added) => {
                        prop_assert_eq!((before, keys), (0, 1));
                        prop_assert_eq!(added.key.kid.as_deref(), Some("kid-0"));
                    }
                    // A key that was added without being found is at least said to be possible.
                    Err(error) => {
                        let known = matches!(error, GraphError::Ambiguous(_));
                        prop_assert!(keys == before || known, "{}", error);
                    }
                }
            }
            Ok(())
        })?;
    }
}
