use iefctl::auth::{AuthError, Credentials, Surroundings, TokenSource, TransportOptions};
use serde_json::json;

use crate::server::{Reply, Server};
use crate::{endpoints, options, quick};

pub(crate) const SECRET: &str = "cl1ent+s&cret=~";

pub(crate) fn credentials() -> Credentials {
    Credentials::from_environment(&|name| {
        let value = match name {
            "AZURE_TENANT_ID" => "contoso.onmicrosoft.com",
            "AZURE_CLIENT_ID" => "11111111-2222-3333-4444-555555555555",
            "AZURE_CLIENT_SECRET" => SECRET,
            _ => return None,
        };
        Some(value.to_owned())
    })
    .unwrap()
}

pub(crate) fn source(server: &Server) -> TokenSource {
    let surroundings = Surroundings::new(TransportOptions::default(), quick());
    credentials()
        .token_source(&endpoints(server), &surroundings)
        .unwrap()
}

#[tokio::test]
async fn the_token_request_is_a_form_and_the_token_reaches_graph() {
    let server = Server::start(|request, _| {
        if request.path.ends_with("/token") {
            let token =
                json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "t0k3n"});
            Reply::json(200, token)
        } else {
            Reply::json(200, json!({"value": []}))
        }
    })
    .await;
    let client = iefctl::msgraph::GraphClient::new(options(&server), source(&server)).unwrap();
    let (one, two) = tokio::join!(client.list_policies(), client.list_keysets());
    one.unwrap();
    two.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 3, "one token for both");
    assert_eq!(
        requests[0].line(),
        "POST /contoso.onmicrosoft.com/oauth2/v2.0/token"
    );
    assert_eq!(
        requests[0].body,
        "grant_type=client_credentials&client_id=11111111-2222-3333-4444-555555555555\
         &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_secret=cl1ent%2Bs%26cret%3D%7E"
    );
    assert_eq!(requests[1].header("authorization"), Some("Bearer t0k3n"));
}

#[tokio::test]
async fn entras_refusal_is_explained_and_not_repeated() {
    let error = json!({
        "error": "unauthorized_client",
        "error_description": "AADSTS700016: Application with identifier 'x' was not found in the \
            directory 'Contoso'. This can happen. Trace ID: tr\r\nCorrelation ID: co",
        "error_codes": [700016], "trace_id": "tr", "correlation_id": "co",
    });
    let server = Server::playing(vec![Reply::json(400, error)]).await;
    let error = source(&server).token().await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    let text = error.to_string();
    for part in [
        "AADSTS700016",
        "was not found in the directory 'Contoso'.",
        "B2C tenant itself",
        "tr",
        "co",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("This can happen"), "{text}");
}

#[tokio::test]
async fn a_busy_token_endpoint_is_asked_again() {
    let busy = json!({"error": "temporarily_unavailable", "error_description": "AADSTS90033: A transient error."});
    let token = json!({"expires_in": "3599", "access_token": "t0k3n"});
    let server = Server::playing(vec![
        Reply::Reset,
        Reply::empty(503).with("retry-after", "60"),
        Reply::json(400, busy),
        Reply::json(200, token),
    ])
    .await;
    source(&server).token().await.unwrap();
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn pages_are_no_tokens() {
    let server = Server::playing(vec![Reply::html(200)]).await;
    let error = source(&server).token().await.unwrap_err();
    assert!(
        matches!(error, AuthError::Unexpected { status: 200, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("text/html"), "{error}");
}

#[tokio::test]
async fn a_failed_sign_in_fails_the_call() {
    let server = Server::playing(vec![Reply::html(404)]).await;
    let client = iefctl::msgraph::GraphClient::new(options(&server), source(&server)).unwrap();
    let error = client.list_policies().await.unwrap_err();
    assert!(error.to_string().starts_with("sign-in failed"), "{error}");
    assert_eq!(client.stats().requests, 0);
}
