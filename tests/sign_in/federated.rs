//! Tokens of others: in a file, from GitHub, from Azure Pipelines.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use iefctl::emulator::{Application, FederatedCredential, IssuerKeys};
use serde_json::json;

use crate::keys::now;
use crate::platform::{Given, Issuer, github, query};
use crate::sandbox::Sandbox;
use crate::server::{Reply, Server};
use crate::{CLIENT, assert_says, emulator, knows, lasting, list, sign_ins, source};

const AUDIENCE: &str = "api://AzureADTokenExchange";
const SUBJECT: &str = "repo:contoso/policies:environment:prod";

fn trusting(issuer: &Issuer, keys: IssuerKeys) -> Application {
    Application {
        federated_credentials: vec![FederatedCredential {
            issuer: issuer.issuer.clone(),
            subject: issuer.subject.clone(),
            audience: AUDIENCE.to_owned(),
            keys,
        }],
        ..Application::new(CLIENT)
    }
}

fn cluster() -> Issuer {
    Issuer::new(
        "https://oidc.contoso.com/cluster",
        "system:serviceaccount:build:deploy",
    )
}

fn file_variables(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    let path = sandbox.path().join("token.jwt").display().to_string();
    vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("AZURE_FEDERATED_TOKEN_FILE", path),
    ]
}

#[tokio::test]
async fn the_file_is_read_at_every_renewal() {
    let issuer = cluster();
    let keys = IssuerKeys::Set(issuer.key_set());
    let emulator = emulator(knows(trusting(&issuer, keys))).await;
    let sandbox = Sandbox::new();
    sandbox.write("token.jwt", &format!("{}\r\n", issuer.token(AUDIENCE)));
    let source = source(&emulator, &file_variables(&sandbox)).unwrap();
    source.token().await.unwrap();
    // Kubernetes keeps a token for a while: the same is good again.
    source.token().await.unwrap();
    // Not the old one is sent, but what is in the file now.
    let mut late = issuer.claims(AUDIENCE);
    late["exp"] = (now() - 1_000).into();
    sandbox.write("token.jwt", &issuer.token_of(&late));
    let error = source.token().await.unwrap_err().to_string();
    assert_says(
        &error,
        &[
            "AZURE_FEDERATED_TOKEN_FILE",
            "token.jwt",
            "holds a token that expired at 20",
            "the clock of this machine says 20",
        ],
    );
    sandbox.write("token.jwt", "");
    let error = source.token().await.unwrap_err().to_string();
    assert_says(
        &error,
        &["AZURE_FEDERATED_TOKEN_FILE", "token.jwt", "is empty"],
    );
    sandbox.write("token.jwt", &issuer.token(AUDIENCE));
    source.token().await.unwrap();
    // A token that expired is not even sent.
    assert_eq!(sign_ins(&emulator), 3);
}

/// Whose clock is wrong cannot be known: a difference of minutes is left to the login endpoint.
#[tokio::test]
async fn an_expiry_is_judged_with_some_tolerance() {
    let issuer = cluster();
    let keys = IssuerKeys::Set(issuer.key_set());
    let emulator = emulator(knows(trusting(&issuer, keys))).await;
    let sandbox = Sandbox::new();
    for (expiry, accepted) in [
        (json!(now() - 200), true),
        (json!("soon"), false),
        (json!(-1e9), false),
    ] {
        let mut claims = issuer.claims(AUDIENCE);
        claims["exp"] = expiry;
        sandbox.write("token.jwt", &issuer.token_of(&claims));
        let source = source(&emulator, &file_variables(&sandbox)).unwrap();
        assert_eq!(source.token().await.is_ok(), accepted, "{claims}");
    }
    assert_eq!(sign_ins(&emulator), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_external_token_must_be_the_one_that_is_trusted() {
    let issuer = cluster();
    let keys = IssuerKeys::Set(issuer.key_set());
    let emulator = emulator(lasting(trusting(&issuer, keys))).await;
    let mut sandbox = Sandbox::new();
    let with = |name: &str, value: &str| {
        let mut claims = issuer.claims(AUDIENCE);
        claims[name] = value.into();
        issuer.token_of(&claims)
    };
    let stranger = Issuer {
        key: crate::keys::Key::other(),
        ..cluster()
    };
    let rotated = Issuer {
        kid: "key-2",
        ..cluster()
    };
    let cases = [
        (
            with("iss", "https://oidc.fabrikam.com"),
            "AADSTS700211",
            "https://oidc.fabrikam.com",
        ),
        (with("aud", "api://Other"), "AADSTS700212", "api://Other"),
        (
            with("sub", "system:serviceaccount:build:Deploy"),
            "AADSTS700213",
            "build:Deploy",
        ),
        (
            stranger.token(AUDIENCE),
            "AADSTS50013",
            "issuer `https://oidc.contoso.com/cluster`",
        ),
        (rotated.token(AUDIENCE), "AADSTS50013", "signed by a key"),
    ];
    for (token, code, words) in cases {
        sandbox.write("token.jwt", &token);
        sandbox.variables = file_variables(&sandbox);
        let done = list(&mut sandbox, &emulator, &[]).expect(2);
        assert_says(&done.stderr, &[code, words]);
        assert!(!done.stderr.contains(&token[..40]), "{}", done.stderr);
    }
    // What is no token is never sent.
    let before = sign_ins(&emulator);
    for text in ["no token\n", "a.b", "a.b.c d", "{\"value\":\"a.b.c\"}"] {
        sandbox.write("token.jwt", text);
        let done = list(&mut sandbox, &emulator, &[]).expect(2);
        assert_says(
            &done.stderr,
            &["AZURE_FEDERATED_TOKEN_FILE", "holds no token"],
        );
    }
    assert_eq!(sign_ins(&emulator), before);
    sandbox.write("token.jwt", &issuer.token(AUDIENCE));
    list(&mut sandbox, &emulator, &[]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_without_trust_and_an_issuer_without_keys_are_told_apart() {
    let issuer = cluster();
    let sandbox = Sandbox::new();
    sandbox.write("token.jwt", &issuer.token(AUDIENCE));
    let variables = file_variables(&sandbox);
    let none = emulator(knows(Application::new(CLIENT))).await;
    let error = source(&none, &variables)
        .unwrap()
        .token()
        .await
        .unwrap_err();
    assert_says(&error.to_string(), &["AADSTS70025"]);
    // Nothing listens there.
    let keys = IssuerKeys::Url("http://127.0.0.1:1/keys".to_owned());
    let silent = emulator(knows(trusting(&issuer, keys))).await;
    let error = source(&silent, &variables)
        .unwrap()
        .token()
        .await
        .unwrap_err();
    assert_says(&error.to_string(), &["AADSTS50166"]);
}

fn job(server: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            format!("{}/token?api-version=2.0", server.url()),
        ),
        (
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "job-request-token".to_owned(),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn github_gives_a_job_a_new_token_for_every_renewal() {
    let issuer = Issuer::new("https://token.actions.githubusercontent.com", SUBJECT);
    let keys = IssuerKeys::Set(issuer.key_set());
    let application = trusting(&issuer, keys);
    let given = Given::default();
    let server = github(issuer, "job-request-token", given.clone()).await;
    let emulator = emulator(knows(application)).await;
    let source = source(&emulator, &job(&server)).unwrap();
    source.token().await.unwrap();
    source.token().await.unwrap();
    assert_eq!(given.all().len(), 2);
    let request = &server.requests()[0];
    assert_eq!(
        request.path,
        "/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_signs_in_without_any_secret_and_refusals_say_what_the_job_lacks() {
    let issuer = Issuer::new("https://token.actions.githubusercontent.com", SUBJECT);
    let mut application = trusting(&issuer, IssuerKeys::Discovery);
    let server = github(issuer, "job-request-token", Given::default()).await;
    application.federated_credentials[0].keys = IssuerKeys::Url(format!("{}/jwks", server.url()));
    let right = emulator(lasting(application.clone())).await;
    let mut sandbox = Sandbox::new();
    sandbox.variables = job(&server);
    let done = list(&mut sandbox, &right, &["-v"]).expect(0);
    assert_says(
        &done.stderr,
        &[
            "signs in by GitHub Actions OIDC",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
        ],
    );

    application.federated_credentials[0].subject =
        "repo:contoso/policies:ref:refs/heads/main".into();
    let wrong = emulator(lasting(application)).await;
    let done = list(&mut sandbox, &wrong, &[]).expect(2);
    assert_says(
        &done.stderr,
        &[
            "AADSTS700213",
            SUBJECT,
            "federated credentials",
            "case included",
        ],
    );

    let requests = right.requests().len();
    sandbox.variables[2].1 = "expired-request-token".to_owned();
    let done = list(&mut sandbox, &right, &[]).expect(2);
    assert_says(
        &done.stderr,
        &["GitHub answered 401", "permissions: id-token: write"],
    );
    sandbox.variables.pop();
    let done = list(&mut sandbox, &right, &[]).expect(2);
    assert_says(
        &done.stderr,
        &[
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set",
            "id-token: write",
        ],
    );
    sandbox.variables.pop();
    sandbox
        .variables
        .push(("GITHUB_ACTIONS", "true".to_owned()));
    let done = list(&mut sandbox, &right, &[]).expect(2);
    assert_says(&done.stderr, &["permissions: id-token: write"]);
    assert_eq!(right.requests().len(), requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cloud_has_its_own_audience() {
    for (cloud, expected) in [
        ("global", "api://AzureADTokenExchange"),
        ("usgov", "api://AzureADTokenExchangeUSGov"),
        ("dod", "api://AzureADTokenExchangeUSGov"),
        ("china", "api://AzureADTokenExchangeChina"),
    ] {
        let issuer = Issuer::new("https://token.actions.githubusercontent.com", SUBJECT);
        let mut application = trusting(&issuer, IssuerKeys::Set(issuer.key_set()));
        application.federated_credentials[0].audience = expected.to_owned();
        let server = github(issuer, "job-request-token", Given::default()).await;
        let emulator = emulator(lasting(application)).await;
        let mut sandbox = Sandbox::new();
        sandbox.variables = job(&server);
        list(&mut sandbox, &emulator, &["--cloud", cloud]).expect(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_pipelines_gives_a_token_for_a_service_connection() {
    const CONNECTION: &str = "33333333-4444-5555-6666-777777777777";
    let subject = "sc://contoso/policies/b2c";
    let issuer = Issuer::new("https://vstoken.dev.azure.com/contoso", subject);
    let application = trusting(&issuer, IssuerKeys::Set(issuer.key_set()));
    let signed_in = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&signed_in);
    let server = Server::start(move |request, _| {
        if !state.load(Ordering::SeqCst) {
            // A token that is no good leads to the page for people.
            return Reply::html(203);
        }
        let is_right = request.method == "POST"
            && request.header("authorization") == Some("Bearer job-access-token")
            && request.header("x-tfs-fedauthredirect") == Some("Suppress")
            && request.header("content-type") == Some("application/json")
            && query(request, "api-version").as_deref() == Some("7.1");
        if !is_right {
            return Reply::json(400, json!({"message": "bad request"}));
        }
        if query(request, "serviceConnectionId").as_deref() != Some(CONNECTION) {
            return Reply::json(404, json!({"message": "No service connection found."}));
        }
        Reply::json(200, json!({"oidcToken": issuer.token(AUDIENCE)}))
    })
    .await;
    let right = emulator(knows(application.clone())).await;
    let variables = vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        (
            "SYSTEM_OIDCREQUESTURI",
            format!("{}/contoso/_apis/oidctoken", server.url()),
        ),
        ("SYSTEM_ACCESSTOKEN", "job-access-token".to_owned()),
        (
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
            CONNECTION.to_owned(),
        ),
    ];
    let renewing = source(&right, &variables).unwrap();
    renewing.token().await.unwrap();
    renewing.token().await.unwrap();
    assert_eq!(server.requests().len(), 2);

    let lasting = emulator(lasting(application)).await;
    let mut sandbox = Sandbox::new();
    sandbox.variables = variables;
    let done = list(&mut sandbox, &lasting, &["-v"]).expect(0);
    assert_says(
        &done.stderr,
        &["signs in by Azure Pipelines service connection", CONNECTION],
    );
    sandbox.variables[3].1 = "99999999-4444-5555-6666-777777777777".to_owned();
    let done = list(&mut sandbox, &lasting, &[]).expect(2);
    assert_says(
        &done.stderr,
        &[
            "No service connection found.",
            "workload identity federation",
        ],
    );
    sandbox.variables[3].1 = CONNECTION.to_owned();
    signed_in.store(false, Ordering::SeqCst);
    let done = list(&mut sandbox, &lasting, &[]).expect(2);
    assert_says(&done.stderr, &["answered 203", "$(System.AccessToken)"]);
    sandbox.variables[2].1 = "$(System.AccessToken)".to_owned();
    let done = list(&mut sandbox, &lasting, &[]).expect(2);
    assert_says(
        &done.stderr,
        &["SYSTEM_ACCESSTOKEN holds the text $(System.AccessToken)"],
    );
    sandbox.variables.remove(2);
    let done = list(&mut sandbox, &lasting, &[]).expect(2);
    assert_says(&done.stderr, &["SYSTEM_ACCESSTOKEN is not set"]);
}
