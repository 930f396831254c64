//! The device code: a person confirms in a browser.

#[cfg(target_os = "linux")]
use std::io::{BufRead as _, BufReader};
#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use iefctl::auth::{
    Choice, Credentials, DevicePrompt, Given, Method, Pause, Person, Surroundings, TokenClaims,
    TokenSource,
};
use iefctl::emulator::{Application, DeviceCodes, Emulator, EmulatorOptions};
use serde_json::json;

use crate::sandbox::Sandbox;
use crate::server::{Reply, Server};
use crate::{CLIENT, TENANT, assert_says, emulator, list, surroundings};

/// Remembers what it was asked.
#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Vec<DevicePrompt>>>);

impl Person for Witness {
    fn ask(&self, prompt: &DevicePrompt) {
        self.0.lock().unwrap().push(prompt.clone());
    }

    fn wait(&self, _: Duration) -> Pause<'_> {
        Box::pin(std::future::ready(()))
    }
}

/// For whom no time passes, and who decides while it is waited for the last time.
struct Hasty {
    emulator: String,
    decision: &'static str,
    waits: usize,
    code: Mutex<String>,
    waited: Mutex<Vec<u64>>,
}

impl Person for Hasty {
    fn ask(&self, prompt: &DevicePrompt) {
        self.code.lock().unwrap().clone_from(&prompt.user_code);
    }

    fn wait(&self, time: Duration) -> Pause<'_> {
        Box::pin(async move {
            let waits = {
                let mut waited = self.waited.lock().unwrap();
                waited.push(time.as_secs());
                waited.len()
            };
            if waits == self.waits {
                let code = self.code.lock().unwrap().clone();
                assert_eq!(decide_at(&self.emulator, &code, self.decision).await, 200);
            }
        })
    }
}

fn source(url: &str, witness: &Witness) -> TokenSource {
    asking(url, Arc::new(witness.clone()))
}

fn asking(url: &str, person: Arc<dyn Person>) -> TokenSource {
    let choice = Choice {
        method: Some(Given {
            value: Method::DeviceCode,
            origin: "--auth".to_owned(),
        }),
        ..Choice::default()
    };
    let lookup = |name: &str| (name == "AZURE_CLIENT_ID").then(|| CLIENT.to_owned());
    let credentials = Credentials::find(Some(TENANT), &choice, &lookup).unwrap();
    let endpoints = credentials.endpoints(None, Some(url), Some(url)).unwrap();
    let surroundings = Surroundings {
        person: Some(person),
        ..surroundings()
    };
    credentials.token_source(&endpoints, &surroundings).unwrap()
}

fn options(codes: DeviceCodes) -> EmulatorOptions {
    EmulatorOptions {
        device_codes: DeviceCodes {
            interval: Duration::from_secs(1),
            ..codes
        },
        ..EmulatorOptions::default()
    }
}

async fn decide(emulator: &Emulator, code: &str, decision: &str) -> u16 {
    decide_at(&emulator.url(), code, decision).await
}

async fn decide_at(emulator: &str, code: &str, decision: &str) -> u16 {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = [("code", code), ("decision", decision)];
    let url = format!("{emulator}/devicelogin");
    http.post(url)
        .form(&form)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn a_person_is_asked_once_and_the_session_is_renewed() {
    let confirmed = DeviceCodes {
        confirmed: true,
        ..DeviceCodes::default()
    };
    let emulator = emulator(EmulatorOptions {
        token_lifetime: Duration::ZERO,
        applications: vec![Application {
            public_client: true,
            ..Application::new(CLIENT)
        }],
        ..options(confirmed)
    })
    .await;
    let witness = Witness::default();
    let source = source(&emulator.url(), &witness);
    for _ in 0..3 {
        let token = source.token().await.unwrap();
        let claims = TokenClaims::decode(&token).unwrap();
        assert!(claims.roles.is_empty());
        assert!(claims.grants("Policy.ReadWrite.TrustFramework"));
        assert!(claims.grants("TrustFrameworkKeySet.ReadWrite.All"));
    }
    let asked = witness.0.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].verification_uri,
        format!("{}/devicelogin", emulator.url())
    );
    assert_eq!(asked[0].user_code.len(), 9);
}

#[tokio::test]
async fn codes_that_are_declined_or_expire_or_belong_to_no_public_client_end_it() {
    let expiring = DeviceCodes {
        lifetime: Duration::ZERO,
        ..DeviceCodes::default()
    };
    let emulator = emulator(options(expiring)).await;
    let error = source(&emulator.url(), &Witness::default())
        .token()
        .await
        .unwrap_err();
    assert_says(&error.to_string(), &["expired before it was confirmed"]);
    assert_eq!(decide(&emulator, "UNKNOWN12", "confirm").await, 400);

    let confidential = crate::emulator(EmulatorOptions {
        applications: vec![Application::new(CLIENT)],
        ..options(DeviceCodes {
            confirmed: true,
            ..DeviceCodes::default()
        })
    })
    .await;
    let error = source(&confidential.url(), &Witness::default())
        .token()
        .await
        .unwrap_err();
    assert_says(
        &error.to_string(),
        &["AADSTS7000218", "public client flows"],
    );

    let refused = |error: &'static str| {
        Server::start(move |request, _| {
            if request.path.ends_with("/devicecode") {
                return Reply::json(
                    200,
                    json!({"device_code": "dc", "user_code": "ABC", "interval": 0,
                           "verification_uri": "https://contoso.com", "expires_in": "900"}),
                );
            }
            Reply::json(
                400,
                json!({"error": error, "error_description": "AADSTS65004: no"}),
            )
        })
    };
    for (name, words) in [
        ("authorization_declined", "was declined"),
        ("expired_token", "expired before"),
        ("bad_verification_code", "AADSTS65004"),
    ] {
        let server = refused(name).await;
        let error = source(&server.url(), &Witness::default())
            .token()
            .await
            .unwrap_err();
        assert_says(&error.to_string(), &[words]);
    }
}

/// The emulator refuses whoever asks again too early; RFC 8628 demands five seconds more each time,
/// for all questions to come.
#[tokio::test]
async fn who_asks_too_often_waits_longer() {
    let codes = DeviceCodes {
        interval: Duration::from_secs(3600),
        ..DeviceCodes::default()
    };
    let emulator = emulator(EmulatorOptions {
        device_codes: codes,
        ..EmulatorOptions::default()
    })
    .await;
    let hasty = |decision| {
        Arc::new(Hasty {
            emulator: emulator.url(),
            decision,
            waits: 4,
            code: Mutex::default(),
            waited: Mutex::default(),
        })
    };
    // However much the service asks for, a person is not kept waiting for more than a minute.
    let person = hasty("confirm");
    let token = asking(&emulator.url(), Arc::clone(&person) as _)
        .token()
        .await;
    token.unwrap();
    assert_eq!(*person.waited.lock().unwrap(), [60, 60, 65, 70]);

    let person = hasty("decline");
    let token = asking(&emulator.url(), Arc::clone(&person) as _)
        .token()
        .await;
    assert_says(&token.unwrap_err().to_string(), &["was declined"]);
    assert_eq!(*person.waited.lock().unwrap(), [60, 60, 65, 70]);
}

#[tokio::test]
async fn a_service_that_never_decides_is_not_asked_for_ever() {
    let server = Server::start(|request, number| {
        if request.path.ends_with("/devicecode") {
            return Reply::json(
                200,
                json!({"device_code": "dc", "user_code": "ABC", "interval": 5,
                       "verification_uri": "https://contoso.com", "expires_in": 60}),
            );
        }
        let error = match number {
            2 => "slow_down",
            _ => "authorization_pending",
        };
        Reply::json(
            400,
            json!({"error": error, "error_description": "AADSTS70016: wait"}),
        )
    })
    .await;
    let error = source(&server.url(), &Witness::default())
        .token()
        .await
        .unwrap_err();
    assert_says(&error.to_string(), &["expired before it was confirmed"]);
    // 5 + 5 + 10 + 10 + 10 + 10 + 10 seconds.
    assert_eq!(server.requests().len(), 1 + 7);
}

#[tokio::test]
async fn a_page_that_plays_tricks_with_the_terminal_is_refused() {
    let server = Server::start(|_, _| {
        Reply::json(
            200,
            json!({"device_code": "dc", "user_code": "A\u{1b}[2J", "interval": 1,
                   "verification_uri": "https://contoso.com", "expires_in": 900}),
        )
    })
    .await;
    let witness = Witness::default();
    let error = source(&server.url(), &witness).token().await.unwrap_err();
    assert_says(&error.to_string(), &["no code to enter"]);
    assert_eq!(*witness.0.lock().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_there_is_nobody_to_ask() {
    let emulator = emulator(options(DeviceCodes::default())).await;
    let mut sandbox = Sandbox::new();
    sandbox.variables = vec![("AZURE_CLIENT_ID", CLIENT.to_owned())];
    let done = list(&mut sandbox, &emulator, &["--auth", "device-code"]).expect(2);
    assert_says(&done.stderr, &["needs a person at a terminal"]);
    assert_eq!(emulator.requests(), []);
}

/// The program on a terminal that `script` (of bsdutils) provides.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_the_code_is_shown_and_the_program_goes_on_when_it_is_confirmed() {
    if Command::new("script").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "`script` is needed in CI");
        return;
    }
    let emulator = emulator(options(DeviceCodes::default())).await;
    let program = env!("CARGO_BIN_EXE_iefctl");
    let command = format!("'{program}' keys list --tenant {TENANT} --auth device-code -q");
    let mut child = Command::new("script")
        .args(["-qefc", &command, "/dev/null"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("AZURE_CLIENT_ID", CLIENT)
        .env("IEFCTL_GRAPH_ENDPOINT", emulator.url())
        .env("IEFCTL_LOGIN_ENDPOINT", emulator.url())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    shown.read_line(&mut line).unwrap();
    assert_says(
        &line,
        &[
            "To sign in, open",
            "/devicelogin",
            "enter the code",
            "15 minutes",
        ],
    );
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.iter().position(|word| *word == "code").unwrap();
    assert_eq!(decide(&emulator, words[at + 1], "confirm").await, 200);
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut shown, &mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "{rest}");
}

/// Ctrl-C while a person is waited for ends the program, and no token is asked for any more.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_person_can_be_broken_off() {
    if Command::new("script").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "`script` is needed in CI");
        return;
    }
    for line in ["keys list", "deploy policies -e dev"] {
        let emulator = emulator(options(DeviceCodes::default())).await;
        let sandbox = Sandbox::new();
        sandbox.copy("policies-example", "policies");
        let program = env!("CARGO_BIN_EXE_iefctl");
        // Whoever runs the tests in the background may have Ctrl-C ignored, which children inherit.
        let command = format!(
            "exec env --default-signal=INT '{program}' {line} --tenant contosodev.onmicrosoft.com \
             --auth device-code"
        );
        let mut child = Command::new("script")
            .args(["-qefc", &command, "/dev/null"])
            .current_dir(sandbox.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("AZURE_CLIENT_ID", CLIENT)
            .env("CONTOSO_REST_API_KEY", "x")
            .env("CONTOSO_GOOGLE_CLIENT_SECRET", "x")
            .env("IEFCTL_GRAPH_ENDPOINT", emulator.url())
            .env("IEFCTL_LOGIN_ENDPOINT", emulator.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        let mut shown = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("enter the code") {
            assert!(shown.read_line(&mut said).unwrap() > 0, "{said}");
        }
        std::io::Write::write_all(&mut keyboard, b"\x03").unwrap();
        std::io::Read::read_to_string(&mut shown, &mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{line}: {said}");
        assert!(
            emulator
                .requests()
                .iter()
                .all(|it| !it.path.contains("trustFramework")),
            "{line}"
        );
    }
}
