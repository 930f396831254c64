//! The token endpoint, discovery, and what a bearer token must be.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

pub(crate) async fn token(http: &reqwest::Client, url: &str, tenant: &str) -> String {
    let reply = ask(http, url, tenant, &form(url)).await.expect(200);
    assert_eq!(reply.json()["token_type"], "Bearer");
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

fn form(url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "client_credentials".to_owned()),
        (
            "client_id",
            "11111111-2222-3333-4444-555555555555".to_owned(),
        ),
        ("client_secret", "s3cret+&=%ü".to_owned()),
        ("scope", format!("{url}/.default")),
    ]
}

async fn ask(http: &reqwest::Client, url: &str, tenant: &str, form: &[(&str, String)]) -> Reply {
    send(
        http.post(format!("{url}/{tenant}/oauth2/v2.0/token"))
            .form(form),
    )
    .await
}

fn without(url: &str, name: &str) -> Vec<(&'static str, String)> {
    form(url)
        .into_iter()
        .filter(|(field, _)| *field != name)
        .collect()
}

fn with(url: &str, name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    let mut form = without(url, name);
    form.push((name, value.to_owned()));
    form
}

#[track_caller]
fn assert_refused(reply: &Reply, status: u16, error: &str, code: u64) {
    assert_eq!(reply.status, status, "{}", reply.text);
    let body = reply.json();
    assert_eq!(body["error"], error);
    assert_eq!(body["error_codes"], json!([code]));
    let text = body["error_description"].as_str().unwrap();
    assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
    for name in ["trace_id", "correlation_id"] {
        assert_eq!(body[name].as_str().unwrap().len(), 36);
        assert!(text.contains(body[name].as_str().unwrap()));
    }
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn access_tokens_are_jwts_that_the_published_key_verifies() {
    let session = default_session().await;
    let parts: Vec<&str> = session.token.split('.').collect();
    let part = |at: usize| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap()
    };
    let (header, claims) = (part(0), part(1));
    assert_eq!(header["alg"], "RS256");
    assert_eq!(claims["aud"], session.emulator.url());
    assert_eq!(claims["appid"], "11111111-2222-3333-4444-555555555555");
    assert_eq!(claims["tid"], session.emulator.store().tenant_id(TENANT));
    assert!(claims["exp"].as_i64() > claims["iat"].as_i64());
    let roles: Vec<&str> = claims["roles"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(Value::as_str)
        .collect();
    assert!(
        roles.contains(&"Policy.ReadWrite.TrustFramework"),
        "{roles:?}"
    );

    let url = session.emulator.url();
    let discovery = format!("{url}/{TENANT}/v2.0/.well-known/openid-configuration");
    let discovery = send(session.http.get(discovery)).await.expect(200).json();
    let keys = discovery["jwks_uri"].as_str().unwrap();
    let keys = send(session.http.get(keys)).await.expect(200).json();
    let key = &keys["keys"][0];
    assert_eq!(key["kid"], header["kid"]);
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let public = aws_lc_rs::signature::RsaPublicKeyComponents {
        n: number("n"),
        e: number("e"),
    };
    public
        .verify(
            &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256,
            format!("{}.{}", parts[0], parts[1]).as_bytes(),
            &URL_SAFE_NO_PAD.decode(parts[2]).unwrap(),
        )
        .unwrap();
    assert_eq!(
        discovery["token_endpoint"].as_str().unwrap(),
        format!(
            "{url}/{}/oauth2/v2.0/token",
            claims["tid"].as_str().unwrap()
        )
    );
}

#[tokio::test]
async fn refusals_of_the_token_endpoint() {
    let options = EmulatorOptions {
        tenant: Some(TENANT.to_owned()),
        client_id: Some("11111111-2222-3333-4444-555555555555".to_owned()),
        client_secret: Some("s3cret+&=%ü".into()),
        ..EmulatorOptions::default()
    };
    let Session { emulator, http, .. } = session(options).await;
    let url = emulator.url();
    let cases = [
        (
            TENANT,
            without(&url, "grant_type"),
            400,
            "invalid_request",
            900_144,
        ),
        (
            TENANT,
            without(&url, "client_id"),
            400,
            "invalid_request",
            900_144,
        ),
        (
            TENANT,
            without(&url, "scope"),
            400,
            "invalid_request",
            900_144,
        ),
        (
            TENANT,
            without(&url, "client_secret"),
            401,
            "invalid_client",
            7_000_216,
        ),
        (
            TENANT,
            with(&url, "client_secret", ""),
            401,
            "invalid_client",
            7_000_216,
        ),
        (
            TENANT,
            with(&url, "client_secret", "wrong"),
            401,
            "invalid_client",
            7_000_215,
        ),
        (
            TENANT,
            with(&url, "client_id", "other"),
            400,
            "unauthorized_client",
            700_016,
        ),
        (
            TENANT,
            with(&url, "grant_type", "password"),
            400,
            "unsupported_grant_type",
            70_003,
        ),
        (
            TENANT,
            with(&url, "scope", "openid"),
            400,
            "invalid_scope",
            1_002_012,
        ),
        (
            TENANT,
            with(&url, "scope", "nonsense/.default"),
            400,
            "invalid_resource",
            500_011,
        ),
        (
            "fabrikam.onmicrosoft.com",
            form(&url),
            400,
            "invalid_request",
            90_002,
        ),
        ("contoso", form(&url), 400, "invalid_request", 900_023),
        ("..%2f..", form(&url), 400, "invalid_request", 900_023),
        ("common", form(&url), 400, "invalid_request", 50_194),
    ];
    for (tenant, form, status, error, code) in cases {
        let reply = ask(&http, &url, tenant, &form).await;
        assert_refused(&reply, status, error, code);
        assert!(!reply.text.contains("s3cret"));
    }
    let reply = send(http.get(format!("{url}/{TENANT}/oauth2/v2.0/token"))).await;
    assert_refused(&reply, 400, "invalid_request", 900_561);
    // The id stands for the domain.
    let id = emulator.store().tenant_id(TENANT);
    ask(&http, &url, &id, &form(&url)).await.expect(200);
}

#[tokio::test]
async fn credentials_may_come_as_http_basic() {
    let session = default_session().await;
    let url = session.emulator.url();
    let form: Vec<_> = form(&url)
        .into_iter()
        .filter(|(name, _)| !name.starts_with("client"))
        .collect();
    let request = session
        .http
        .post(format!("{url}/{TENANT}/oauth2/v2.0/token"))
        .form(&form);
    send(request.basic_auth("app", Some("secret")))
        .await
        .expect(200);
}

#[tokio::test]
async fn wrong_bearers_get_401_and_write_nothing() {
    let session = default_session().await;
    let other = default_session().await;
    let url = session.emulator.url();
    let path = format!("{url}/beta/trustFramework/policies/B2C_1A_X/$value");
    let foreign = with(&url, "scope", "https://management.azure.com/.default");
    let foreign = ask(&session.http, &url, TENANT, &foreign)
        .await
        .expect(200)
        .json();
    let mut altered = session.token.clone();
    altered.replace_range(altered.len() - 8.., "AAAAAAAA");
    let tokens = [
        "nonsense",
        "a.b.c",
        &other.token,
        &altered,
        foreign["access_token"].as_str().unwrap(),
    ];
    for token in tokens {
        let request = session.http.put(&path).bearer_auth(token);
        let reply = send(request.body(policy("B2C_1A_X", None, &[]))).await;
        let (status, code, _) = reply.error();
        assert_eq!((status, code.as_str()), (401, "InvalidAuthenticationToken"));
        assert!(reply.json()["error"]["innerError"]["correlationId"].is_null());
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
    }
    let reply = send(session.http.put(&path).body("x")).await;
    assert_eq!(reply.error().2, "Access token is empty.");
    assert!(session.emulator.store().policies(TENANT).is_empty());
    let requests = session.emulator.requests();
    assert!(requests.iter().all(|request| !request.auth_ok));
    assert_eq!(requests.last().unwrap().status, Some(401));
}

#[tokio::test]
async fn graph_hosts_and_localhost_are_own_audiences() {
    let session = default_session().await;
    let url = session.emulator.url();
    for scope in [
        "https://graph.microsoft.com/.default",
        "https://graph.microsoft.com//.default",
        "00000003-0000-0000-c000-000000000000/.default",
        &format!("{}/.default", url.replace("127.0.0.1", "localhost")),
    ] {
        let reply = ask(&session.http, &url, TENANT, &with(&url, "scope", scope))
            .await
            .expect(200);
        let request = session
            .http
            .get(format!("{url}/beta/trustFramework/policies"));
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        send(request.bearer_auth(token)).await.expect(200);
    }
}

#[tokio::test]
async fn a_token_expires() {
    let session = session(EmulatorOptions {
        token_lifetime: Duration::ZERO,
        ..EmulatorOptions::default()
    })
    .await;
    let (status, _, message) = session.get("/policies").await.error();
    assert_eq!(status, 401);
    assert_eq!(message, "Lifetime validation failed, the token is expired.");
}

#[tokio::test]
async fn missing_roles_are_named() {
    let roles = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let session = session(EmulatorOptions {
        client_roles: BTreeMap::from([(
            "11111111-2222-3333-4444-555555555555".to_owned(),
            roles(&["Policy.Read.All", "TrustFrameworkKeySet.Read.All"]),
        )]),
        ..EmulatorOptions::default()
    })
    .await;
    session.get("/policies").await.expect(200);
    session.get("/keySets").await.expect(200);
    let sentence = |roles: &str| {
        format!(
            "The application does not have any of the required application permissions ({roles}) \
             to access the resource. "
        )
    };
    let reply = session
        .put_policy("B2C_1A_X", &policy("B2C_1A_X", None, &[]))
        .await;
    let expected = (
        403,
        "AADB2C".to_owned(),
        sentence("Policy.ReadWrite.TrustFramework"),
    );
    assert_eq!(reply.error(), expected);
    assert!(reply.json()["error"]["innerError"]["correlationId"].is_string());
    let reply = session.post("/keySets", json!({"id": "X"})).await;
    let expected = (
        403,
        "AADB2C".to_owned(),
        sentence("TrustFrameworkKeySet.ReadWrite.All"),
    );
    assert_eq!(reply.error(), expected);

    let none = session_without_roles().await;
    let (status, _, message) = none.get("/policies").await.error();
    assert_eq!(status, 403);
    assert_eq!(
        message,
        sentence("Policy.Read.All, Policy.ReadWrite.TrustFramework")
    );
}

async fn session_without_roles() -> Session {
    session(EmulatorOptions {
        roles: Vec::new(),
        ..EmulatorOptions::default()
    })
    .await
}

#[tokio::test]
async fn tenants_are_kept_apart() {
    let session = default_session().await;
    session
        .put_policy("B2C_1A_X", &policy("B2C_1A_X", None, &[]))
        .await
        .expect(201);
    session.keyset("K").await;
    let fabrikam = "fabrikam.onmicrosoft.com";
    let token = token(&session.http, &session.emulator.url(), fabrikam).await;
    let other = Session { token, ..session };
    assert_eq!(other.get("/policies").await.json()["value"], json!([]));
    assert_eq!(other.get("/keySets").await.json()["value"], json!([]));
    other.get("/policies/B2C_1A_X/$value").await.expect(404);
    let own = policy_of(fabrikam, "B2C_1A_X", None, &[]);
    other.put_policy("B2C_1A_X", &own).await.expect(201);
    assert!(
        other
            .emulator
            .store()
            .policy(TENANT, "B2C_1A_X")
            .unwrap()
            .contains(TENANT)
    );
}

#[tokio::test]
async fn only_loopback_unless_allowed() {
    let addr = SocketAddr::from(([0, 0, 0, 0], 0));
    let error = Emulator::start(EmulatorOptions::default(), addr)
        .await
        .unwrap_err();
    assert!(matches!(error, EmulatorError::NotLoopback(_)), "{error}");
    let running = try_start(EmulatorOptions::default()).await.unwrap();
    let taken: SocketAddr = running.url().trim_start_matches("http://").parse().unwrap();
    let error = Emulator::start(EmulatorOptions::default(), taken)
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
}
