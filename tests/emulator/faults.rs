//! Failing on purpose, seen from the client's side.

use iefctl::emulator::{Body, Fault, FaultRule, Faults, RateLimit};

use super::*;

const ID: &str = "B2C_1A_X";

async fn failing(rule: FaultRule) -> Session {
    let session = default_session().await;
    session.emulator.set_faults(Faults::default().with(rule));
    session
}

async fn put(session: &Session) -> Reply {
    session.put_policy(ID, &policy(ID, None, &[])).await
}

fn stored(session: &Session) -> bool {
    session.emulator.store().policy(TENANT, ID).is_some()
}

#[tokio::test]
async fn answers_of_every_fault() {
    let status = |status, body| Fault::Status {
        status,
        body,
        retry_after: None,
    };
    let cases = [
        (
            Fault::Throttle {
                retry_after: Some(3),
            },
            429,
            "TooManyRequests",
        ),
        (Fault::UnknownError(503), 503, "UnknownError"),
        (Fault::Unavailable, 503, "AADB2C90035"),
        (Fault::ServiceProblem, 500, "AADB2C90063"),
        (Fault::BackendThrottle(90229), 429, "AADB2C90229"),
        (Fault::BackendThrottle(95043), 429, "AADB2C95043"),
        (Fault::ConcurrentWrite, 409, "AADB2C95053"),
        (Fault::NullReference, 400, "AADB2C"),
        (Fault::Unauthorized, 401, "InvalidAuthenticationToken"),
        (status(504, Body::OData), 504, "GatewayTimeout"),
    ];
    for (fault, expected, code) in cases {
        let session = failing(FaultRule::new(fault.clone()).limit(1)).await;
        let reply = put(&session).await;
        let (found, found_code, message) = reply.error();
        assert_eq!((found, found_code.as_str()), (expected, code), "{fault:?}");
        let inner = &reply.json()["error"]["innerError"];
        assert_eq!(
            inner["correlationId"].is_string(),
            code.starts_with("AADB2C"),
            "{fault:?}"
        );
        match fault {
            Fault::Throttle { .. } => assert_eq!(reply.header("retry-after"), "3"),
            Fault::UnknownError(_) => assert_eq!(message, ""),
            Fault::NullReference => assert_eq!(
                message,
                "Validation failed: 1 validation error(s) found in policy \"B2C_1A_X\" of tenant \
                 \"contoso.onmicrosoft.com\".Object reference not set to an instance of an object."
            ),
            _ => {}
        }
        assert!(!stored(&session));
        put(&session).await.expect(201);
    }
}

#[tokio::test]
async fn bodies_that_are_no_odata() {
    for (body, kind, text) in [
        (Body::Html, "text/html", "<title>502 Bad Gateway"),
        (Body::Empty, "", ""),
        (
            Body::WebApi,
            "application/json; charset=utf-8",
            "No HTTP resource was found",
        ),
    ] {
        let fault = Fault::Status {
            status: 502,
            body,
            retry_after: Some(0),
        };
        let session = failing(FaultRule::new(fault)).await;
        let reply = put(&session).await.expect(502);
        assert_eq!(reply.header("content-type"), kind);
        assert_eq!(reply.header("retry-after"), "0");
        assert!(reply.text.contains(text) && (body != Body::Empty || reply.text.is_empty()));
    }
    let session = failing(FaultRule::new(Fault::Throttle { retry_after: None })).await;
    let reply = put(&session).await.expect(429);
    assert!(reply.headers.get("retry-after").is_none());
}

#[tokio::test]
async fn resets_lose_the_request_or_the_answer() {
    for after in [false, true] {
        let rule = FaultRule::new(Fault::Reset).limit(1);
        let session = failing(if after { rule.after() } else { rule }).await;
        let request = session.request("PUT", &format!("/policies/{ID}/$value"));
        let error = request
            .body(policy(ID, None, &[]))
            .send()
            .await
            .unwrap_err();
        assert!(error.status().is_none(), "{error:?}");
        assert!(error.is_request(), "{error:?}");
        assert_eq!(stored(&session), after);
        let record = session.emulator.requests().pop().unwrap();
        assert_eq!(record.status, None);
        assert_eq!(record.fault.as_deref(), Some("Reset"));
        assert!(record.finished.is_some());
        put(&session).await.expect(if after { 200 } else { 201 });
    }
}

#[tokio::test]
async fn truncated_answers() {
    let session = failing(FaultRule::new(Fault::Truncate).limit(1)).await;
    let request = session.request("PUT", &format!("/policies/{ID}/$value"));
    let response = request.body(policy(ID, None, &[])).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let error = response.bytes().await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert!(stored(&session));
    put(&session).await.expect(200);
}

#[tokio::test]
async fn failures_after_the_write() {
    let session = failing(FaultRule::new(Fault::ServiceProblem).after().limit(1)).await;
    put(&session).await.expect(500);
    assert!(stored(&session));
    session
        .emulator
        .set_faults(Faults::default().with(FaultRule::new(Fault::CreatedForOk)));
    put(&session).await.expect(201);
    session.get("/policies").await.expect(200);
}

#[tokio::test]
async fn a_revoked_token_stays_worthless_and_a_new_one_works() {
    let session = failing(FaultRule::new(Fault::RevokeToken).limit(1)).await;
    put(&session).await.expect(401);
    put(&session).await.expect(401);
    let token = sign_in::token(&session.http, &session.emulator.url(), TENANT).await;
    let session = Session { token, ..session };
    put(&session).await.expect(201);
}

#[tokio::test]
async fn rules_address_requests() {
    let session = failing(
        FaultRule::new(Fault::Unavailable)
            .method("put")
            .path("*/policies/b2c_1a_x/*")
            .nth(2),
    )
    .await;
    put(&session).await.expect(201);
    session.get("/policies/B2C_1A_X/$value").await.expect(200);
    put(&session).await.expect(503);
    put(&session).await.expect(200);
    // Sign-in is spared unless it is named.
    session
        .emulator
        .set_faults(Faults::default().with(FaultRule::new(Fault::Unavailable)));
    sign_in::token(&session.http, &session.emulator.url(), TENANT).await;
    session.get("/policies").await.expect(503);
    let rule = FaultRule::new(Fault::Unavailable).path("*/token");
    session.emulator.set_faults(Faults::default().with(rule));
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", session.emulator.url());
    send(session.http.post(url)).await.expect(503);
}

#[tokio::test]
async fn the_rate_limit_is_per_tenant_and_says_how_long() {
    let session = default_session().await;
    session.emulator.set_faults(Faults {
        rate_limit: Some(RateLimit {
            requests: 3,
            window_ms: 3_600_000,
        }),
        ..Faults::default()
    });
    for _ in 0..3 {
        session.get("/policies").await.expect(200);
    }
    let reply = session.get("/policies").await.expect(429);
    let seconds: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=3600).contains(&seconds), "{seconds}");
    let fabrikam = "fabrikam.onmicrosoft.com";
    let token = sign_in::token(&session.http, &session.emulator.url(), fabrikam).await;
    let session = Session { token, ..session };
    session.get("/policies").await.expect(200);
}

#[tokio::test]
async fn scripts_without_meaning_are_refused() {
    for rule in [
        FaultRule::new(Fault::Reset).nth(0),
        FaultRule::new(Fault::Reset).chance(1.5),
        FaultRule::new(Fault::UnknownError(200)),
        FaultRule::new(Fault::BackendThrottle(5)),
    ] {
        let options = EmulatorOptions {
            faults: Faults::default().with(rule),
            ..EmulatorOptions::default()
        };
        let error = try_start(options).await.unwrap_err();
        assert!(error.to_string().starts_with("fault rule 1: "), "{error}");
    }
}

/// A client that repeats what may be repeated reaches its end under every random script.
#[tokio::test]
async fn random_scripts_let_a_patient_client_through() {
    let mut session = default_session().await;
    for seed in 0..150 {
        session.emulator.set_faults(Faults::random(seed));
        let mut done = false;
        for _ in 0..40 {
            let request = session.request("PUT", &format!("/policies/{ID}/$value"));
            let sent = request.body(policy(ID, None, &[])).send().await;
            let status = match sent {
                Ok(response) => {
                    let status = response.status().as_u16();
                    // A truncated answer is no answer.
                    if response.bytes().await.is_ok() {
                        status
                    } else {
                        0
                    }
                }
                Err(_) => 0,
            };
            match status {
                200 | 201 => {
                    done = true;
                    break;
                }
                401 => {
                    session.token =
                        sign_in::token(&session.http, &session.emulator.url(), TENANT).await;
                }
                0 | 400 | 409 | 429 | 500..=504 => {}
                other => panic!("seed {seed}: {other}"),
            }
        }
        assert!(done, "seed {seed}");
        assert!(stored(&session));
    }
}
