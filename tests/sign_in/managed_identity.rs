//! Managed identities: of App Service and of a virtual machine, for an application that trusts them
//! and as themselves.

use iefctl::emulator::{Application, EmulatorOptions};
use serde_json::json;

use crate::keys::now;
use crate::platform::{Issuer, query};
use crate::sandbox::Sandbox;
use crate::server::{Reply, Request, Server};
use crate::{CLIENT, TENANT, assert_says, emulator, knows, lasting, list, source};

const IDENTITY: &str = "aaaaaaaa-2222-3333-4444-555555555555";

/// The identity's tenant, a workforce tenant.
fn workforce() -> Issuer {
    Issuer::new(
        "https://login.microsoftonline.com/99999999-0000-0000-0000-000000000000/v2.0",
        "bbbbbbbb-2222-3333-4444-555555555555",
    )
}

fn trusting(issuer: &Issuer) -> Application {
    Application {
        federated_credentials: vec![issuer.credential()],
        ..Application::new(CLIENT)
    }
}

fn is_app_service(request: &Request) -> bool {
    request.header("x-identity-header") == Some("identity-header-value")
        && query(request, "api-version").as_deref() == Some("2019-08-01")
}

fn is_metadata(request: &Request) -> bool {
    request.header("metadata") == Some("true")
        && request.path.starts_with("/metadata/identity/oauth2/token?")
        && query(request, "api-version").as_deref() == Some("2018-02-01")
}

/// Both services at one address; they name the resource and know one user-assigned identity.
async fn platform(issuer: Issuer) -> Server {
    Server::start(move |request, _| {
        if !is_app_service(request) && !is_metadata(request) {
            return Reply::json(400, json!({"statusCode": 400, "message": "bad request"}));
        }
        let id = query(request, "client_id");
        if id.as_deref().is_some_and(|id| id != IDENTITY) {
            let refusal =
                json!({"error": "invalid_request", "error_description": "Identity not found"});
            return Reply::json(400, refusal);
        }
        let resource = query(request, "resource").unwrap_or_default();
        let mut claims = issuer.claims(&resource);
        claims["tid"] = "99999999-0000-0000-0000-000000000000".into();
        let token = issuer.token_of(&claims);
        // Texts, not numbers: so App Service.
        let expires = (now() + 3_600).to_string();
        Reply::json(200, json!({"access_token": token, "expires_on": expires}))
    })
    .await
}

fn app_service(server: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("IDENTITY_ENDPOINT", format!("{}/msi/token/", server.url())),
        ("IDENTITY_HEADER", "identity-header-value".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_trusts_the_identity_of_app_service_and_of_a_machine() {
    let issuer = workforce();
    let application = trusting(&issuer);
    let server = platform(issuer).await;
    let renewing = emulator(knows(application.clone())).await;
    let mut variables = app_service(&server);
    variables.push(("AZURE_CLIENT_ID", CLIENT.to_owned()));
    let source = source(&renewing, &variables).unwrap();
    source.token().await.unwrap();
    source.token().await.unwrap();
    assert_eq!(server.requests().len(), 2);

    let emulator = emulator(lasting(application)).await;
    let mut sandbox = Sandbox::new();
    sandbox.variables = variables;
    sandbox
        .variables
        .push(("IEFCTL_MANAGED_IDENTITY_CLIENT_ID", IDENTITY.to_owned()));
    let done = list(&mut sandbox, &emulator, &["-v"]).expect(0);
    assert_says(
        &done.stderr,
        &[
            "signs in by managed identity",
            IDENTITY,
            "IDENTITY_ENDPOINT",
        ],
    );
    let asked = server.requests().pop().unwrap();
    assert_eq!(query(&asked, "client_id").as_deref(), Some(IDENTITY));

    sandbox.variables = vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url()),
    ];
    list(&mut sandbox, &emulator, &["--auth", "managed-identity"]).expect(0);
    assert!(is_metadata(&server.requests().pop().unwrap()));

    sandbox
        .variables
        .push(("IEFCTL_MANAGED_IDENTITY_CLIENT_ID", "another".to_owned()));
    let done = list(&mut sandbox, &emulator, &["--auth", "managed-identity"]).expect(2);
    assert_says(
        &done.stderr,
        &[
            "Identity not found",
            "another",
            "managed_identity_client_id",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_identity_itself_is_of_another_tenant_and_that_is_said() {
    let server = platform(workforce()).await;
    let emulator = emulator(EmulatorOptions::default()).await;
    let mut sandbox = Sandbox::new();
    sandbox.variables = app_service(&server);
    let done = list(&mut sandbox, &emulator, &[]).expect(2);
    let id = emulator.store().tenant_id(TENANT);
    assert_says(
        &done.stderr,
        &[
            "gave a token of the tenant 99999999-0000-0000-0000-000000000000",
            &format!("{TENANT} ({id}) is meant"),
            "multitenant application",
        ],
    );
    let asked = server.requests().pop().unwrap();
    assert_eq!(
        query(&asked, "resource").as_deref(),
        Some("https://graph.microsoft.com")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_identity_and_none_at_all() {
    let emulator = emulator(EmulatorOptions::default()).await;
    let mut sandbox = Sandbox::new();
    sandbox.variables = vec![("IDENTITY_ENDPOINT", "http://127.0.0.1:1/".to_owned())];
    let done = list(&mut sandbox, &emulator, &[]).expect(2);
    assert_says(
        &done.stderr,
        &["IDENTITY_ENDPOINT is set", "IDENTITY_HEADER is not set"],
    );
    // A name that anybody may own is no place for plain http.
    sandbox.variables[0].1 = "http://identity.contoso.com/".to_owned();
    sandbox
        .variables
        .push(("IDENTITY_HEADER", "identity-header-value".to_owned()));
    let done = list(&mut sandbox, &emulator, &[]).expect(2);
    assert_says(
        &done.stderr,
        &["IDENTITY_ENDPOINT names http://identity.contoso.com"],
    );
    // Nothing listens there.
    sandbox.variables[0].1 = "http://127.0.0.1:1/".to_owned();
    let done = list(&mut sandbox, &emulator, &[]).expect(2);
    assert_says(
        &done.stderr,
        &["identity endpoint did not answer", "127.0.0.1"],
    );
    assert_eq!(emulator.requests(), []);
}
