//! Judged by libraries that nobody here wrote: `azure-identity` signs in to the emulator by every way
//! that it shares with iefctl, and PyJWT verifies the assertions that iefctl makes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use iefctl::emulator::{
    Application, DeviceCodes, EmulatorOptions, FederatedCredential, IssuerKeys,
};
use serde_json::{Value, json};

use crate::keys::{DAY, Key, certificate_pem};
use crate::platform::Issuer;
use crate::sandbox::Sandbox;
use crate::server::{Reply, Server};
use crate::{CLIENT, TENANT, emulator};

const PUBLIC_CLIENT: &str = "66666666-7777-8888-9999-000000000000";
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// What the libraries say; nothing where they are not installed.
fn judge(given: &Value) -> Option<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sign_in/azure_identity.py");
    let required = std::env::var_os("CI").is_some();
    let child = Command::new("python3")
        .arg(script)
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        assert!(!required, "CI must have python3");
        return None;
    };
    serde_json::to_writer(child.stdin.take().unwrap(), given).unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.code() == Some(77) {
        assert!(!required, "CI must have the Python module azure-identity");
        return None;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Assertions of iefctl, one for each attempt at a sign-in.
async fn assertions(pem: &str) -> (Vec<String>, String) {
    let login = Server::start(|request, number| {
        if request.path.ends_with("/token") && number == 0 {
            return Reply::json(503, json!({"error": "temporarily_unavailable"}));
        }
        if request.path.ends_with("/token") {
            return Reply::json(200, json!({"access_token": "a", "expires_in": 3599}));
        }
        Reply::json(200, json!({"value": []}))
    })
    .await;
    let mut sandbox = Sandbox::new();
    sandbox.write("client.pem", pem);
    sandbox.variables = vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("AZURE_CLIENT_CERTIFICATE_PATH", "client.pem".to_owned()),
        ("IEFCTL_GRAPH_ENDPOINT", login.url()),
        ("IEFCTL_LOGIN_ENDPOINT", login.url()),
    ];
    sandbox.run(&["keys", "list", "-t", TENANT]).expect(0);
    let sent = login.requests().into_iter().filter_map(|request| {
        let (_, rest) = request.body.split_once("client_assertion=")?;
        Some(rest.split('&').next()?.to_owned())
    });
    let audience = format!("{}/{TENANT}/oauth2/v2.0/token", login.url());
    (sent.collect(), audience)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_libraries_of_everybody_else_agree() {
    let key = Key::one();
    let certificate = key.certificate(-DAY, DAY);
    let issuer = Issuer::new("https://contoso.com/issuer", "job");
    let another = Issuer::new("https://contoso.com/issuer", "another-job");
    let emulator = emulator(EmulatorOptions {
        applications: vec![
            Application {
                client_secret: Some("secret-of-contoso".into()),
                certificates: vec![certificate.clone()],
                federated_credentials: vec![FederatedCredential {
                    issuer: issuer.issuer.clone(),
                    subject: issuer.subject.clone(),
                    audience: AUDIENCE.to_owned(),
                    keys: IssuerKeys::Set(issuer.key_set()),
                }],
                ..Application::new(CLIENT)
            },
            Application {
                public_client: true,
                ..Application::new(PUBLIC_CLIENT)
            },
        ],
        device_codes: DeviceCodes {
            interval: Duration::from_secs(1),
            ..DeviceCodes::default()
        },
        ..EmulatorOptions::default()
    })
    .await;
    let pem = key.pem() + &certificate_pem(&certificate);
    let stranger = Key::other();
    let stranger = stranger.pem() + &certificate_pem(&stranger.certificate(-DAY, DAY));
    let (assertions, audience) = assertions(&pem).await;
    assert_eq!(assertions.len(), 2);
    let given = json!({
        "emulator": emulator.url(), "tenant": TENANT, "client": CLIENT,
        "public client": PUBLIC_CLIENT, "pem": pem, "stranger": stranger,
        "secret": "secret-of-contoso", "federated": issuer.token(AUDIENCE),
        "foreign": another.token(AUDIENCE), "certificate": certificate_pem(&certificate),
        "audience": audience, "assertions": assertions,
    });
    let Some(result) = judge(&given) else {
        return;
    };
    let id = emulator.store().tenant_id(TENANT);
    for way in ["certificate", "secret", "federated"] {
        let claims = &result[way];
        assert_eq!(claims["tid"], id.as_str(), "{way}: {claims}");
        assert_eq!(claims["appid"], CLIENT, "{way}: {claims}");
        let roles = claims["roles"].as_array().unwrap();
        assert!(
            roles.contains(&json!("Policy.ReadWrite.TrustFramework")),
            "{way}: {claims}"
        );
    }
    let person = &result["device code"];
    assert_eq!(person["appid"], PUBLIC_CLIENT, "{person}");
    let scopes = person["scp"].as_str().unwrap();
    assert!(
        scopes.contains("Policy.ReadWrite.TrustFramework"),
        "{person}"
    );
    assert_eq!(result["stranger"], "AADSTS700027");
    assert_eq!(result["wrong secret"], "AADSTS7000215");
    assert_eq!(result["foreign"], "AADSTS700213");
    let verified = result["assertions"].as_array().unwrap();
    for assertion in verified {
        assert_eq!(assertion["type"], "JWT");
        assert_eq!(assertion["thumbprint"], true);
        assert_eq!(assertion["subject"], CLIENT);
        let lifetime = assertion["lifetime"].as_i64().unwrap();
        assert!((60..=900).contains(&lifetime), "{lifetime}");
    }
    assert_ne!(verified[0]["id"], verified[1]["id"], "none comes twice");
}
