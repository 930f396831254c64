//! Every secret that signing in reads or obtains, through every level and format, and none comes out.

use iefctl::emulator::{Application, FederatedCredential, IssuerKeys};
use serde_json::json;

use crate::keys::{DAY, Key, certificate_pem};
use crate::platform::{Given, Issuer, github};
use crate::sandbox::Sandbox;
use crate::server::{Reply, Server};
use crate::{CLIENT, TENANT, emulator, lasting};

/// A login endpoint that gives a token that can be recognised, and one that repeats what it was sent.
async fn logins() -> (Server, Server) {
    let good = Server::start(|request, _| {
        if request.path.ends_with("/token") {
            let answer = json!({"access_token": "access-token-Kq3v", "expires_in": 3599,
                                "refresh_token": "refresh-token-Kq3v"});
            return Reply::json(200, answer);
        }
        Reply::json(200, json!({"value": []}))
    })
    .await;
    let echo = Server::start(|request, _| {
        let text = format!("AADSTS50027: {} {:?}", request.body, request.headers);
        Reply::json(
            401,
            json!({"error": "invalid_client", "error_description": text}),
        )
    })
    .await;
    (good, echo)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_signing_in_comes_out() {
    let key = Key::one();
    let issuer = Issuer::new(
        "https://token.actions.githubusercontent.com",
        "repo:contoso/x",
    );
    let federated = issuer.token("api://AzureADTokenExchange");
    let pem = key.pem() + &certificate_pem(&key.certificate(-DAY, DAY));
    let given = Given::default();
    let github = github(issuer, "github-request-token-Kq3v", given.clone()).await;
    let platform = Server::start(|request, _| {
        // A platform that repeats what it was sent, once it has given a token.
        let repeats = request.header("x-identity-header") == Some("bad-identity-header-Kq3v");
        if repeats || request.path.contains("bad") {
            return Reply::json(400, json!({"message": format!("{:?}", request.headers)}));
        }
        Reply::json(
            200,
            json!({"access_token": "eyJh.aW1k.c0txM3Y", "oidcToken": "eyJh.b2lk.c0txM3Y"}),
        )
    })
    .await;
    let (good, echo) = logins().await;
    let mut sandbox = Sandbox::new();
    sandbox.write("client.pem", &pem);
    sandbox.write("token.jwt", &federated);
    let ways: Vec<Vec<(&'static str, String)>> = vec![
        vec![("AZURE_CLIENT_SECRET", "client-secret-Kq3v".into())],
        vec![("AZURE_CLIENT_CERTIFICATE_PATH", "client.pem".into())],
        vec![("AZURE_FEDERATED_TOKEN_FILE", "token.jwt".into())],
        vec![
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                format!("{}/token?v=1", github.url()),
            ),
            (
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                "github-request-token-Kq3v".into(),
            ),
        ],
        vec![
            ("SYSTEM_OIDCREQUESTURI", format!("{}/oidc", platform.url())),
            ("SYSTEM_ACCESSTOKEN", "job-access-token-Kq3v".into()),
            (
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
                "connection".into(),
            ),
        ],
        vec![
            ("SYSTEM_OIDCREQUESTURI", format!("{}/bad", platform.url())),
            ("SYSTEM_ACCESSTOKEN", "job-access-token-Kq3v".into()),
            (
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
                "connection".into(),
            ),
        ],
        vec![
            ("IDENTITY_ENDPOINT", format!("{}/msi", platform.url())),
            ("IDENTITY_HEADER", "identity-header-Kq3v".into()),
        ],
        vec![
            ("IDENTITY_ENDPOINT", format!("{}/msi", platform.url())),
            ("IDENTITY_HEADER", "bad-identity-header-Kq3v".into()),
        ],
    ];
    let mut seen = Vec::new();
    for way in &ways {
        for login in [&good, &echo] {
            for level in ["-q", "-v", "-vvv"] {
                for format in ["human", "json", "github"] {
                    sandbox.variables = way.clone();
                    sandbox.variables.extend([
                        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
                        ("IEFCTL_GRAPH_ENDPOINT", login.url()),
                        ("IEFCTL_LOGIN_ENDPOINT", login.url()),
                    ]);
                    let args = ["keys", "list", "-t", TENANT, "--format", format, level];
                    let done = sandbox.run(&args);
                    assert!(matches!(done.status, Some(0 | 2)), "{}", done.stderr);
                    seen.push(done.stdout + &done.stderr);
                }
            }
        }
    }
    let all = seen.concat();
    let assertions: Vec<String> = [&good, &echo]
        .iter()
        .flat_map(|login| login.requests())
        .filter_map(|request| {
            let (_, rest) = request.body.split_once("client_assertion=")?;
            Some(rest.split('&').next()?.to_owned())
        })
        .collect();
    assert!(assertions.len() >= 2 * 9 * 3, "assertions were sent");
    let mut secrets = vec!["Kq3v".to_owned(), "c0txM3Y".to_owned(), federated];
    secrets.extend(assertions);
    secrets.extend(given.all());
    secrets.extend(
        pem.lines()
            .filter(|line| line.len() == 64)
            .map(str::to_owned),
    );
    for secret in secrets {
        assert!(!all.contains(&secret), "{secret}");
        // Nor the signature alone, with which the rest could be guessed.
        let signature = secret.rsplit('.').next().unwrap();
        assert!(!all.contains(signature), "{signature}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_to_the_disk() {
    let key = Key::one();
    let certificate = key.certificate(-DAY, DAY);
    let emulator = emulator(lasting(Application {
        certificates: vec![certificate.clone()],
        federated_credentials: vec![FederatedCredential {
            issuer: "https://contoso.com".to_owned(),
            subject: "x".to_owned(),
            audience: "y".to_owned(),
            keys: IssuerKeys::Discovery,
        }],
        ..Application::new(CLIENT)
    }))
    .await;
    let mut sandbox = Sandbox::new();
    sandbox.write("client.pem", &(key.pem() + &certificate_pem(&certificate)));
    let home = sandbox.path().display().to_string();
    sandbox.variables = vec![
        ("HOME", home),
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("AZURE_CLIENT_CERTIFICATE_PATH", "client.pem".to_owned()),
    ];
    crate::list(&mut sandbox, &emulator, &["-vvv"]).expect(0);
    let entries = std::fs::read_dir(sandbox.path()).unwrap();
    assert_eq!(entries.count(), 1, "only the certificate is there");
}
