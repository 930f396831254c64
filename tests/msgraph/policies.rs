use std::time::Duration;

use iefctl::auth::{Endpoint, TransportOptions};
use iefctl::msgraph::{GraphError, GraphOptions};
use serde_json::json;

use crate::server::{Reply, Server};
use crate::{Events, client, client_with, options};

const XML: &str = "<TrustFrameworkPolicy PolicyId=\"B2C_1A_X\"/>";

#[tokio::test]
async fn put_sends_utf8_xml_without_byte_order_mark_and_accepts_200_and_201() {
    let server = Server::playing(vec![Reply::xml(201, XML), Reply::xml(200, XML)]).await;
    let client = client(&server);
    let first = client.put_policy("B2C_1A_X", "\u{feff}<ä/>").await.unwrap();
    let second = client.put_policy("B2C_1A_X", "<ä/>").await.unwrap();
    assert!(first.created && !second.created);
    assert_eq!((first.attempts, first.body.as_str()), (1, XML));
    let requests = server.requests();
    for request in &requests {
        assert_eq!(
            request.line(),
            "PUT /beta/trustFramework/policies/B2C_1A_X/$value"
        );
        assert_eq!(request.body, "<ä/>");
        let kind = request.header("content-type");
        assert_eq!(kind, Some("application/xml; charset=utf-8"));
        assert_eq!(request.header("authorization"), Some("Bearer token-0"));
    }
    let ids: Vec<_> = requests
        .iter()
        .map(|r| r.header("client-request-id"))
        .collect();
    assert!(ids[0].is_some() && ids[0] != ids[1], "{ids:?}");
    assert_eq!(server.connections(), 1, "connections are reused");
    assert_eq!((client.stats().requests, client.stats().retries), (2, 0));
}

#[tokio::test]
async fn passing_failures_are_repeated_and_reported() {
    let server = Server::playing(vec![
        Reply::error(429, "TooManyRequests", "slow down").with("retry-after", "3600"),
        Reply::Reset,
        Reply::Cut("<Trust"),
        Reply::error(503, "UnknownError", "").with("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
        Reply::error(400, "AADB2C90063", "There is a problem with the service."),
        Reply::xml(200, XML),
    ])
    .await;
    let events = Events::default();
    let mut options = options(&server);
    options.observer = Some(std::sync::Arc::new(events.clone()));
    let client = client_with(options);
    let outcome = client.put_policy("B2C_1A_X", XML).await.unwrap();
    assert_eq!(outcome.attempts, 6);
    assert_eq!((client.stats().requests, client.stats().retries), (6, 5));
    let events = events.all();
    assert_eq!(events.len(), 5);
    assert!(
        events
            .iter()
            .all(|event| event.operation == "PUT policy B2C_1A_X")
    );
    assert!(
        events
            .iter()
            .all(|event| event.delay < Duration::from_millis(5)),
        "{events:?}"
    );
    assert!(events[0].reason.contains("429"), "{events:?}");
    let attempts: Vec<u32> = events.iter().map(|event| event.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn patience_ends_and_the_error_says_everything() {
    let server = Server::playing(vec![Reply::error(503, "AADB2C90035", "Try later. ")]).await;
    let error = client(&server)
        .put_policy("B2C_1A_X", XML)
        .await
        .unwrap_err();
    assert_eq!(server.requests().len(), 6);
    assert_eq!(
        (error.status(), error.code()),
        (Some(503), Some("AADB2C90035"))
    );
    assert_eq!(error.attempts(), 6);
    let text = error.to_string();
    for part in [
        "PUT policy B2C_1A_X",
        "503",
        "AADB2C90035",
        "Try later.",
        "req-1",
        "cli-1",
        "corr-1",
        "2026-01-02T03:04:05",
        "6 attempts",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn what_is_wrong_stays_wrong_and_is_not_repeated() {
    let message = "Validation failed: 1 validation error(s) found in policy \"B2C_1A_X\" of tenant \
                   \"contoso.onmicrosoft.com\".Tenant \"contoso.onmicrosoft.com\" does not have \
                   CryptographicKey referenced by storageReferenceId \"B2C_1A_K\".";
    let server = Server::playing(vec![Reply::error(400, "AADB2C", message)]).await;
    let error = client(&server)
        .put_policy("B2C_1A_X", XML)
        .await
        .unwrap_err();
    assert_eq!(server.requests().len(), 1);
    assert_eq!(error.validation().unwrap().items.len(), 1);
}

#[tokio::test]
async fn the_intermittent_service_fault_is_tried_once_more() {
    let fault = "Object reference not set to an instance of an object.";
    let server = Server::playing(vec![Reply::error(400, "AADB2C", fault)]).await;
    assert!(client(&server).put_policy("B2C_1A_X", XML).await.is_err());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_rejected_token_is_renewed_once() {
    let denied = Reply::error(401, "InvalidAuthenticationToken", "expired");
    let server = Server::playing(vec![denied.clone(), Reply::xml(200, XML)]).await;
    client(&server).put_policy("B2C_1A_X", XML).await.unwrap();
    let tokens: Vec<_> = server.requests();
    let tokens: Vec<_> = tokens
        .iter()
        .map(|r| r.header("authorization").unwrap())
        .collect();
    assert_eq!(tokens, ["Bearer token-0", "Bearer token-1"]);

    let server = Server::playing(vec![denied]).await;
    let error = client(&server)
        .put_policy("B2C_1A_X", XML)
        .await
        .unwrap_err();
    assert_eq!((error.status(), server.requests().len()), (Some(401), 2));
    assert!(error.advice().is_some());
}

#[tokio::test]
async fn a_missing_policy_is_none_but_a_wrong_endpoint_is_an_error() {
    let text = "Policy with 'policyId': B2C_1A_X cannot be found in the directory 'x'.";
    for missing in [
        Reply::error(404, "AADB2C90073", text),
        Reply::error(400, "AADB2C90073", text),
        Reply::error(400, "AADB2C", text),
        Reply::error(404, "ResourceNotFound", ""),
        Reply::empty(404),
    ] {
        let server = Server::playing(vec![missing]).await;
        let client = client(&server);
        assert_eq!(client.get_policy("B2C_1A_X").await.unwrap(), None);
        assert!(!client.delete_policy("B2C_1A_X").await.unwrap());
    }
    let api = json!({"message": "No HTTP resource was found", "messageDetail": "No action"});
    for wrong in [
        Reply::json(404, api),
        Reply::html(404),
        Reply::error(403, "AADB2C", "no "),
    ] {
        let server = Server::playing(vec![wrong]).await;
        let client = client(&server);
        let error = client.get_policy("B2C_1A_X").await.unwrap_err();
        assert!(error.advice().is_some(), "{error}");
        assert!(client.delete_policy("B2C_1A_X").await.is_err());
    }
}

#[tokio::test]
async fn pages_of_others_never_pass_as_success() {
    for odd in [
        Reply::html(200),
        Reply::typed(200, "application/xml", "<html></html>"),
        Reply::empty(202),
        Reply::empty(302).with("location", "https://login.contoso.com/?secret=1"),
    ] {
        let server = Server::playing(vec![odd]).await;
        let client = client(&server);
        let error = client.put_policy("B2C_1A_X", XML).await.unwrap_err();
        assert!(matches!(error, GraphError::NoAnswer(_)), "{error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(client.get_policy("B2C_1A_X").await.is_err());
        assert!(client.list_policies().await.is_err());
        assert!(client.delete_policy("B2C_1A_X").await.is_err());
        assert!(client.get_keyset("B2C_1A_X").await.is_err());
    }
    let server = Server::playing(vec![Reply::json(200, "{\"value\":[")]).await;
    assert!(client(&server).list_policies().await.is_err());
    assert!(client(&server).get_policy("B2C_1A_X").await.is_err());
}

#[tokio::test]
async fn a_policy_is_read_without_byte_order_mark_from_any_xml_type() {
    let reply = Reply::typed(200, "application/octet-stream", format!("\u{feff}{XML}"));
    let server = Server::playing(vec![Reply::Cut("<Tr"), reply]).await;
    let policy = client(&server).get_policy("B2C_1A_X").await.unwrap();
    assert_eq!(policy.as_deref(), Some(XML));
}

#[tokio::test]
async fn a_delete_whose_answer_was_lost_has_deleted() {
    let gone = Reply::error(404, "AADB2C90073", "cannot be found in the directory");
    let server = Server::playing(vec![Reply::Reset, gone]).await;
    assert!(client(&server).delete_policy("B2C_1A_X").await.unwrap());
    let server = Server::playing(vec![Reply::empty(204)]).await;
    assert!(client(&server).delete_policy("B2C_1A_X").await.unwrap());
}

#[tokio::test]
async fn lists_follow_pages_on_the_same_origin_only() {
    let server = Server::start(|request, _| {
        let page = if request.path.contains("skip") {
            json!({"value": [{"id": "B2C_1A_B"}]})
        } else {
            let link = format!(
                "http://{}/beta/trustFramework/policies?$skip=1",
                request.header("host").unwrap()
            );
            json!({"value": [{"id": "B2C_1A_A"}], "@odata.nextLink": link})
        };
        Reply::json(200, page)
    })
    .await;
    let ids = client(&server).list_policies().await.unwrap();
    assert_eq!(ids, ["B2C_1A_A", "B2C_1A_B"]);

    let thief = Server::playing(vec![Reply::json(200, json!({"value": []}))]).await;
    for link in [
        thief.url(),
        "https://graph.contoso.com/x".to_owned(),
        "//evil/x".to_owned(),
    ] {
        let page = json!({"value": [], "@odata.nextLink": link});
        let server = Server::playing(vec![Reply::json(200, page)]).await;
        let error = client(&server).list_policies().await.unwrap_err();
        assert!(matches!(error, GraphError::ForeignLink { .. }), "{error}");
    }
    assert!(thief.requests().is_empty());

    let endless = json!({"value": [], "@odata.nextLink": "policies"});
    let server = Server::playing(vec![Reply::json(200, endless)]).await;
    assert!(client(&server).list_policies().await.is_err());
    assert!(server.requests().len() < 5);
}

#[tokio::test]
async fn odd_ids_are_encoded_or_refused() {
    let server = Server::playing(vec![Reply::xml(200, XML)]).await;
    let client = client(&server);
    client.get_policy("B2C_1A_a b/../c?d#e%2F").await.unwrap();
    let path = "GET /beta/trustFramework/policies/B2C_1A_a%20b%2F..%2Fc%3Fd%23e%252F/$value";
    assert_eq!(server.lines(), [path]);
    for id in ["", " ", ".", "..", "a\nb"] {
        for error in [
            client.put_policy(id, XML).await.unwrap_err(),
            client.delete_policy(id).await.unwrap_err(),
            client.delete_keyset(id).await.unwrap_err(),
            client.create_keyset(id).await.unwrap_err(),
        ] {
            assert!(matches!(error, GraphError::InvalidId { .. }), "{error}");
        }
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn time_limits_hold() {
    // Large bases take long to store.
    assert!(TransportOptions::default().timeout >= Duration::from_secs(100));
    let server = Server::playing(vec![Reply::Silence]).await;
    let mut options = options(&server);
    options.transport.timeout = Duration::from_millis(20);
    options.retry.retries = 1;
    let error = client_with(options)
        .put_policy("B2C_1A_X", XML)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("in time"), "{error}");
    assert_eq!(error.attempts(), 2);

    let server = Server::playing(vec![Reply::error(503, "x", "")]).await;
    let mut options = crate::options(&server);
    options.retry.deadline = Duration::ZERO;
    assert!(client_with(options).list_policies().await.is_err());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn nobody_listening_on_loopback_is_told_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let options = GraphOptions {
        endpoint: Endpoint::parse(&url, "test").unwrap(),
        transport: TransportOptions::default(),
        retry: crate::quick(),
        observer: None,
    };
    let client = client_with(options);
    let error = client.list_policies().await.unwrap_err();
    assert!(error.to_string().contains("cannot connect"), "{error}");
    assert_eq!(client.stats().requests, 1);
}
