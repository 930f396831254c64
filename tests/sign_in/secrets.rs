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

/// Azure CLI as a script.
fn az(sandbox: &Sandbox, name: &str, script: &str) -> Vec<(&'static str, String)> {
    let file = format!("{name}/az");
    sandbox.write(&file, &format!("#!/bin/sh\n{script}\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(sandbox.path().join(file), mode).unwrap();
    }
    let folder = sandbox.path().join(name);
    vec![
        ("IEFCTL_AUTH", "azure-cli".into()),
        ("PATH", format!("{}:/usr/bin:/bin", folder.display())),
    ]
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
        vec![
            ("IEFCTL_AUTH", "managed-identity".into()),
            ("AZURE_POD_IDENTITY_AUTHORITY_HOST", platform.url()),
        ],
        az(
            &sandbox,
            "good",
            "printf '{\"accessToken\":\"%s\"}' eyJh.YXo.c0txM3Y",
        ),
        az(
            &sandbox,
            "loud",
            "echo 'ERROR: token eyJh.YXo.c0txM3Y is no good' >&2; exit 1",
        ),
        az(&sandbox, "odd", "echo 'eyJh.YXo.c0txM3Y'"),
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

/// The code by which a device is recognised, and what a person's session is renewed with.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_device_code_comes_out() {
    use std::process::{Command, Stdio};
    if Command::new("script").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "`script` is needed in CI");
        return;
    }
    let code = json!({"device_code": "device-code-Kq3v", "user_code": "ABC", "interval": 1,
                      "verification_uri": "https://contoso.com", "expires_in": 900});
    for is_refused in [false, true] {
        let code = code.clone();
        let login = Server::start(move |request, _| {
            if request.path.ends_with("/devicecode") {
                return Reply::json(200, code.clone());
            }
            if request.path.ends_with("/token") && is_refused {
                let text = format!("AADSTS50027: {}", request.body);
                return Reply::json(400, json!({"error": "x", "error_description": text}));
            }
            if request.path.ends_with("/token") {
                let answer = json!({"access_token": "access-token-Kq3v", "expires_in": 3599,
                                    "refresh_token": "refresh-token-Kq3v"});
                return Reply::json(200, answer);
            }
            Reply::json(200, json!({"value": []}))
        })
        .await;
        let program = env!("CARGO_BIN_EXE_iefctl");
        let command =
            format!("{program} keys list --tenant {TENANT} --auth device-code -vvv --format json");
        let output = Command::new("script")
            .args(["-qefc", &command, "/dev/null"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("AZURE_CLIENT_ID", CLIENT)
            .env("IEFCTL_GRAPH_ENDPOINT", login.url())
            .env("IEFCTL_LOGIN_ENDPOINT", login.url())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let expected = if is_refused { 2 } else { 0 };
        assert_eq!(output.status.code(), Some(expected), "{said}");
        assert!(said.contains("enter the code ABC"), "{said}");
        assert!(!said.contains("Kq3v"), "{said}");
    }
}

/// Every way through every command that writes or records something: nothing of what signs in, and of
/// what keys are made from, is said or left on the disk.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_deployment_is_said_or_kept() {
    let key = Key::one();
    let certificate = key.certificate(-DAY, DAY);
    let issuer = Issuer::new("https://contoso.com", "job");
    let federated = issuer.token("api://AzureADTokenExchange");
    let application = Application {
        client_secret: Some("client-secret-Kq3v".into()),
        certificates: vec![certificate.clone()],
        federated_credentials: vec![issuer.credential()],
        ..Application::new(CLIENT)
    };
    let pem = key.pem() + &certificate_pem(&certificate);
    let way = [
        "auth = \"client-secret\"\nclient_secret = { env = \"OF_TEST\" }",
        "auth = \"client-secret\"\nclient_secret = { file = \"secret.txt\" }",
        "auth = \"certificate\"\ncertificate = \"client.pem\"",
        "auth = \"federated-token\"\ntoken_file = \"token.jwt\"",
    ];
    let wrong = [
        "secret = { env = \"NO_PFX\" }\ncertificate = { env = \"NO_PFX\" }",
        "certificate = { env = \"NO_PFX\" }",
        "pkcs12 = { env = \"NO_PFX\", password = { env = \"PASSWORD\" } }",
        "pkcs12 = { file = \"secret.txt\", password = { env = \"PASSWORD\" } }",
    ];
    let mut said = String::new();
    let mut seen = 0;
    for (number, way) in way.iter().enumerate() {
        let emulator = emulator(lasting(application.clone())).await;
        let mut sandbox = Sandbox::new();
        let example = crate::sandbox::repository().join("policies-example");
        sandbox.copy(&example, "policies");
        let configuration = std::fs::read_to_string(example.join("iefctl.toml")).unwrap();
        let configuration = configuration.replace(
            "[environments.dev]\n",
            &format!("[environments.dev]\nclient_id = \"{CLIENT}\"\n{way}\n"),
        );
        let recipe =
            "[keysets.B2C_1A_GoogleSecret]\nsecret = { env = \"CONTOSO_GOOGLE_CLIENT_SECRET\" }";
        assert!(configuration.contains(recipe));
        sandbox.write("policies/secret.txt", "client-secret-Kq3v\n");
        sandbox.write("policies/client.pem", &pem);
        sandbox.write("policies/token.jwt", &federated);
        sandbox.variables = vec![
            ("OF_TEST", "client-secret-Kq3v".to_owned()),
            ("CONTOSO_REST_API_KEY", "rest-key-Kq3v".to_owned()),
            (
                "CONTOSO_GOOGLE_CLIENT_SECRET",
                "google-secret-Kq3v".to_owned(),
            ),
            ("NO_PFX", "MIIKq3vKq3vKq3vKq3v".to_owned()),
            ("PASSWORD", "password-Kq3v".to_owned()),
            ("IEFCTL_GRAPH_ENDPOINT", emulator.url()),
            ("IEFCTL_LOGIN_ENDPOINT", emulator.url()),
        ];
        for wrong in wrong {
            let wrong =
                configuration.replace(recipe, &format!("[keysets.B2C_1A_GoogleSecret]\n{wrong}"));
            sandbox.write("policies/iefctl.toml", &wrong);
            let done = sandbox.run(&["deploy", "policies", "-e", "dev", "-vvv"]);
            assert!(matches!(done.status, Some(1 | 2)), "{}", done.stdout);
            said.extend([done.stdout, done.stderr]);
        }
        sandbox.write("policies/iefctl.toml", &configuration);
        for (line, status) in [
            ("plan policies -e dev --diff --out plan.json", 0),
            ("deploy policies -e dev --plan plan.json", 0),
            ("deploy policies -e dev --format json", 0),
            ("build policies -e dev --output out", 0),
            ("doctor policies -e dev", 1),
            ("pull pulled -e dev --config policies/iefctl.toml", 0),
            ("keys check policies -e dev --format json", 0),
        ] {
            let mut args: Vec<&str> = line.split(' ').collect();
            args.push("-vvv");
            let done = sandbox.run(&args);
            assert_eq!(
                done.status,
                Some(status),
                "{way}: {line}: {}{}",
                done.stdout,
                done.stderr
            );
            said.extend([done.stdout, done.stderr]);
        }
        for input in ["secret.txt", "client.pem", "token.jwt"] {
            std::fs::remove_file(sandbox.path().join("policies").join(input)).unwrap();
        }
        let mut open = vec![sandbox.path().to_owned()];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
            } else {
                seen += 1;
                said += &String::from_utf8_lossy(&std::fs::read(&path).unwrap());
            }
        }
        assert!(seen > 20 * (number + 1) / 2, "{seen} files were searched");
    }
    assert!(!said.contains("Kq3v"), "{}", around(&said, "Kq3v"));
    // Tokens and assertions of every kind begin so.
    assert!(!said.contains("eyJ"), "{}", around(&said, "eyJ"));
    for line in pem.lines().take(20).filter(|line| line.len() == 64) {
        assert!(!said.contains(line));
    }
}

/// What stands around the first place.
fn around(text: &str, word: &str) -> String {
    let at = text.find(word).unwrap_or(0);
    let from = text[..at]
        .char_indices()
        .rev()
        .nth(300)
        .map_or(0, |(at, _)| at);
    text[from..].chars().take(600).collect()
}
