//! Azure CLI, played by a script that is called `az`.

use std::os::unix::fs::PermissionsExt as _;

use iefctl::emulator::{Emulator, EmulatorOptions};
use serde_json::Value;

use crate::keys::now;
use crate::sandbox::Sandbox;
use crate::{CLIENT, TENANT, assert_says, emulator, list};

/// A folder in which `az` does as the script says, on a PATH that has the usual programs behind it.
fn install(sandbox: &mut Sandbox, script: &str) {
    sandbox.write("bin/az", &format!("#!/bin/sh\n{script}\n"));
    let az = sandbox.path().join("bin/az");
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let folder = sandbox.path().join("bin");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    sandbox.variables = vec![("PATH", path)];
}

/// A token for an application, as the emulator gives it.
async fn token(emulator: &Emulator, tenant: &str) -> String {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("scope", "https://graph.microsoft.com/.default"),
        ("client_secret", "of-az"),
    ];
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/{tenant}/oauth2/v2.0/token", emulator.url());
    let response = http.post(url).form(&form).send().await.unwrap();
    let answer: Value = response.json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_az_is_signed_in_as_signs_in() {
    let emulator = emulator(EmulatorOptions::default()).await;
    let mut sandbox = Sandbox::new();
    let token = token(&emulator, TENANT).await;
    let expires = now() + 3_000;
    let json = format!(
        "{{\"accessToken\":\"{token}\",\"expires_on\":{expires},\"tokenType\":\"Bearer\"}}"
    );
    let old =
        format!("{{\"accessToken\":\"{token}\",\"expiresOn\":\"2026-01-01 00:00:00.000000\"}}");
    for script in [
        format!("printf '%s' '{json}'"),
        // Windows line ends and warnings.
        format!(
            "echo 'WARNING: an update is there' >&2\nprintf '{{\\r\\n%s\\r\\n' '{}'",
            &json[1..]
        ),
        format!("printf '\\357\\273\\277%s\\r\\n' '{json}'"),
        // Before 2.54.
        format!("printf '%s\\n' '{old}'"),
    ] {
        install(
            &mut sandbox,
            &format!("printf '%s ' \"$@\" > asked\n{script}"),
        );
        let done = list(&mut sandbox, &emulator, &["-v"]).expect(0);
        assert_says(
            &done.stderr,
            &["signs in by Azure CLI, because no variable names another way"],
        );
        let asked = std::fs::read_to_string(sandbox.path().join("asked")).unwrap();
        assert_eq!(
            asked,
            format!(
                "account get-access-token --output json --resource https://graph.microsoft.com \
                 --tenant {TENANT} "
            )
        );
        assert!(!done.stderr.contains(&token));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_az_cannot_do_is_explained() {
    let emulator = emulator(EmulatorOptions::default()).await;
    let mut sandbox = Sandbox::new();
    let token = token(&emulator, TENANT).await;
    let foreign = self::token(&emulator, "fabrikam.onmicrosoft.com").await;
    let json = |token: &str, expires: i64| {
        format!("printf '%s' '{{\"accessToken\":\"{token}\",\"expires_on\":{expires}}}'")
    };
    let login = "az login --service-principal";
    let cases = [
        (
            "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1".to_owned(),
            vec![
                "Please run 'az login' to setup account",
                login,
                "--allow-no-subscriptions",
            ],
        ),
        (
            "printf 'ERROR: AADSTS700082: The refresh token has expired.\\r\\nInteractive \
             authentication is needed. Please run:\\r\\naz login\\r\\n' >&2; exit 1"
                .to_owned(),
            vec!["AADSTS700082", login],
        ),
        (
            "echo 'az: error: unrecognized arguments: --tenant' >&2; exit 2".to_owned(),
            vec!["unrecognized arguments", "too old"],
        ),
        (
            "echo 'Segmentation fault of the day'".to_owned(),
            vec!["printed no token"],
        ),
        ("exit 0".to_owned(), vec!["printed no token"]),
        ("exit 3".to_owned(), vec!["failed and said nothing", login]),
        (json(&token, now() - 10), vec!["expired already", "clock"]),
        (
            json(&foreign, now() + 3_000),
            vec!["Azure CLI gave a token of the tenant", TENANT, "is meant"],
        ),
        // A loop without another process, so that none is left behind.
        (
            "while :; do :; done".to_owned(),
            vec!["no answer within 1 s", "--timeout"],
        ),
    ];
    for (script, words) in cases {
        install(&mut sandbox, &script);
        let done = list(&mut sandbox, &emulator, &["--timeout", "1"]).expect(2);
        assert_says(&done.stderr, &words);
        for secret in [&token, &foreign] {
            assert!(!done.stderr.contains(secret.as_str()));
        }
    }
    let requests = emulator.requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.path.contains("/beta/"))
    );
    sandbox.variables = vec![("PATH", "/nowhere".to_owned())];
    let done = list(&mut sandbox, &emulator, &["--auth", "azure-cli"]).expect(2);
    assert_says(
        &done.stderr,
        &["`az` is in no folder of PATH", "--auth chooses azure-cli"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_at_az_lacks_the_permissions_and_hears_why() {
    let emulator = emulator(EmulatorOptions::default()).await;
    let mut sandbox = Sandbox::new();
    let id = emulator.store().tenant_id(TENANT);
    let claims =
        serde_json::json!({"tid": id, "appid": CLIENT, "scp": "User.Read", "exp": now() + 900});
    let token = crate::keys::Key::one().token(&serde_json::json!({"alg": "RS256"}), &claims);
    install(
        &mut sandbox,
        &format!("printf '%s' '{{\"accessToken\":\"{token}\"}}'"),
    );
    let done = list(&mut sandbox, &emulator, &[]).expect(2);
    assert_says(
        &done.stderr,
        &[
            "signed in as a person",
            "TrustFrameworkKeySet",
            "device-code",
        ],
    );
}
