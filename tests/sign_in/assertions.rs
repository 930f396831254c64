//! What the emulator makes of assertions that are not as they should be; they are made here, not by
//! the client.

use iefctl::emulator::{Application, Emulator, EmulatorOptions};
use serde_json::{Value, json};

use crate::keys::{DAY, Key, base64url, now, sha256_thumbprint};
use crate::{CLIENT, TENANT, emulator, lasting};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn present(emulator: &Emulator, assertion: &str) -> (u16, Value) {
    present_as(emulator, assertion, Some(TYPE)).await
}

async fn present_as(emulator: &Emulator, assertion: &str, kind: Option<&str>) -> (u16, Value) {
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("scope", "https://graph.microsoft.com/.default"),
        ("client_assertion", assertion),
    ];
    form.extend(kind.map(|kind| ("client_assertion_type", kind)));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", emulator.url());
    let response = http.post(url).form(&form).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

#[track_caller]
fn code((status, body): &(u16, Value)) -> u64 {
    assert!((400..500).contains(status), "{body}");
    let code = body["error_codes"][0].as_u64().unwrap();
    let text = body["error_description"].as_str().unwrap();
    assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
    code
}

fn claims(emulator: &Emulator) -> Value {
    json!({
        "aud": format!("{}/{TENANT}/oauth2/v2.0/token", emulator.url()),
        "iss": CLIENT, "sub": CLIENT, "jti": format!("{:?}", std::time::Instant::now()),
        "nbf": now(), "iat": now(), "exp": now() + 600,
    })
}

fn with(mut value: Value, name: &str, changed: impl Into<Value>) -> Value {
    value[name] = changed.into();
    value
}

#[tokio::test]
async fn an_assertion_of_a_registered_application_is_verified_in_every_part() {
    let key = Key::one();
    let stranger = Key::other();
    let certificate = key.certificate(-DAY, DAY);
    let expired = key.certificate(-9 * DAY, -DAY);
    let emulator = emulator(lasting(Application {
        certificates: vec![expired.clone(), certificate.clone()],
        ..Application::new(CLIENT)
    }))
    .await;
    let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": sha256_thumbprint(&certificate)});
    let good = claims(&emulator);
    let both = present(&emulator, &key.token(&header, &good)).await;
    assert_eq!(both.0, 200, "{}", both.1);
    // RS256 is good as well.
    let older = with(header.clone(), "alg", "RS256");
    let answer = present(&emulator, &key.token(&older, &claims(&emulator))).await;
    assert_eq!(answer.0, 200, "{}", answer.1);

    let fresh = || claims(&emulator);
    let elsewhere = good["aud"]
        .as_str()
        .unwrap()
        .replace(TENANT, "fabrikam.onmicrosoft.com");
    let cases = [
        (50_013, key.token(&header, &good)),
        (50_013, key.token(&header, &with(fresh(), "jti", ""))),
        (
            700_023,
            key.token(&header, &with(fresh(), "aud", elsewhere)),
        ),
        (
            700_023,
            key.token(
                &header,
                &with(fresh(), "aud", "https://login.microsoftonline.com/x"),
            ),
        ),
        (
            700_021,
            key.token(&header, &with(fresh(), "iss", "another")),
        ),
        (
            700_021,
            key.token(&header, &with(fresh(), "sub", "another")),
        ),
        (
            700_024,
            key.token(&header, &with(fresh(), "exp", now() - 400)),
        ),
        (
            700_024,
            key.token(&header, &with(fresh(), "nbf", now() + 400)),
        ),
        (50_027, key.token(&header, &with(fresh(), "exp", "soon"))),
        (700_027, stranger.token(&header, &fresh())),
        (
            700_027,
            key.token(&with(header.clone(), "x5t#S256", "AAAA"), &fresh()),
        ),
        (
            700_027,
            key.token(
                &with(header.clone(), "x5t#S256", sha256_thumbprint(&expired)),
                &fresh(),
            ),
        ),
        (5_002_723, key.token(&json!({"alg": "PS256"}), &fresh())),
        (
            5_002_738,
            key.token(&with(header.clone(), "alg", "HS256"), &fresh()),
        ),
        (
            5_002_738,
            format!(
                "{}.{}.",
                base64url(r#"{"alg":"none"}"#),
                base64url(fresh().to_string())
            ),
        ),
        (50_027, "a.b.c".to_owned()),
        (50_027, "nonsense".to_owned()),
        (50_027, key.token(&header, &json!([]))),
    ];
    for (number, (expected, assertion)) in cases.into_iter().enumerate() {
        let answer = present(&emulator, &assertion).await;
        assert_eq!(code(&answer), expected, "case {number}: {}", answer.1);
        assert_eq!(answer.1["error"], "invalid_client");
    }
    // Claims that were changed after they were signed.
    let signed = key.token(&header, &fresh());
    let parts: Vec<&str> = signed.split('.').collect();
    let altered = format!(
        "{}.{}.{}",
        parts[0],
        base64url(fresh().to_string()),
        parts[2]
    );
    assert_eq!(code(&present(&emulator, &altered).await), 700_027);
    for kind in [None, Some("urn:other")] {
        let answer = present_as(&emulator, &key.token(&header, &fresh()), kind).await;
        assert_eq!(code(&answer), 900_144);
    }
}

#[tokio::test]
async fn without_registered_applications_an_assertion_must_be_well_formed() {
    let emulator = emulator(EmulatorOptions::default()).await;
    let key = Key::one();
    let header = json!({"alg": "PS256"});
    let good = key.token(&header, &claims(&emulator));
    assert_eq!(present(&emulator, &good).await.0, 200);
    for (expected, assertion) in [
        (50_027, "nonsense".to_owned()),
        (
            5_002_738,
            key.token(&json!({"alg": "HS256"}), &claims(&emulator)),
        ),
        (
            700_024,
            key.token(&header, &with(claims(&emulator), "exp", now() - 400)),
        ),
    ] {
        assert_eq!(code(&present(&emulator, &assertion).await), expected);
    }
}

#[tokio::test]
async fn a_registered_application_does_not_take_any_secret() {
    let emulator = emulator(lasting(Application {
        client_secret: Some("right-secret".into()),
        ..Application::new(CLIENT)
    }))
    .await;
    let ask = async |client: &str, secret: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("scope", "https://graph.microsoft.com/.default"),
            ("client_secret", secret),
        ];
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/{TENANT}/oauth2/v2.0/token", emulator.url());
        let response = http.post(url).form(&form).send().await.unwrap();
        (
            response.status().as_u16(),
            response.json::<Value>().await.unwrap(),
        )
    };
    assert_eq!(ask(CLIENT, "right-secret").await.0, 200);
    assert_eq!(code(&ask(CLIENT, "wrong-secret").await), 7_000_215);
    assert_eq!(code(&ask("another", "right-secret").await), 700_016);
}
