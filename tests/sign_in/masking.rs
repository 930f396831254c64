//! Masking in CI: what is secret is registered before it could appear, and nowhere else.

use std::process::{Command, Stdio};

use iefctl::emulator::{Application, Emulator};

use crate::platform::{Given, Issuer, github};
use crate::sandbox::Sandbox;
use crate::server::Server;
use crate::{CLIENT, TENANT, emulator, lasting};

struct World {
    emulator: Emulator,
    github: Server,
    given: Given,
    sandbox: Sandbox,
}

async fn world() -> World {
    let issuer = Issuer::new(
        "https://token.actions.githubusercontent.com",
        "repo:contoso/x",
    );
    let application = Application {
        federated_credentials: vec![issuer.credential()],
        ..Application::new(CLIENT)
    };
    let given = Given::default();
    World {
        github: github(issuer, "job-request-token", given.clone()).await,
        emulator: emulator(lasting(application)).await,
        given,
        sandbox: Sandbox::new(),
    }
}

impl World {
    fn command(&self, system: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_iefctl"));
        command
            .args([
                "keys", "list", "--tenant", TENANT, "--format", "json", "-vvv",
            ])
            .current_dir(self.sandbox.path())
            .env_clear()
            .env(system, "true")
            .env("AZURE_CLIENT_ID", CLIENT)
            .env("IEFCTL_GRAPH_ENDPOINT", self.emulator.url())
            .env("IEFCTL_LOGIN_ENDPOINT", self.emulator.url())
            .env(
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                format!("{}/token?v=1", self.github.url()),
            )
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-request-token");
        command
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_registered_on_standard_error_and_nowhere_else() {
    let world = world().await;
    for (variable, mark) in [
        ("GITHUB_ACTIONS", "::add-mask::"),
        ("TF_BUILD", "##vso[task.setsecret]"),
    ] {
        let output = world.command(variable).output().unwrap();
        assert!(output.status.success());
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let masked: Vec<&str> = stderr
            .lines()
            .filter_map(|line| line.strip_prefix(mark))
            .collect();
        let external = world.given.all().pop().unwrap();
        assert!(masked.contains(&"job-request-token"), "{stderr}");
        assert!(masked.contains(&external.as_str()));
        // The access token, and nothing twice.
        assert_eq!(masked.len(), 3);
        let rest: Vec<&str> = stderr
            .lines()
            .filter(|line| !line.starts_with(mark))
            .collect();
        for secret in masked {
            assert!(secret.len() >= 8);
            assert!(!stdout.contains(secret) && !rest.concat().contains(secret));
        }
        serde_json::from_str::<serde_json::Value>(&stdout).unwrap();
    }
}

/// What keys are made from is registered like what signing in reads.
#[tokio::test(flavor = "multi_thread")]
async fn values_of_keys_are_registered() {
    let mut world = world().await;
    let example = crate::sandbox::repository().join("policies-example");
    world.sandbox.copy(&example, "policies");
    world.sandbox.variables = vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        (
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "job-request-token".to_owned(),
        ),
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            format!("{}/token?v=1", world.github.url()),
        ),
        ("IEFCTL_GRAPH_ENDPOINT", world.emulator.url()),
        ("IEFCTL_LOGIN_ENDPOINT", world.emulator.url()),
        ("TF_BUILD", "True".to_owned()),
        ("CONTOSO_REST_API_KEY", "rest-api-key-of-contoso".to_owned()),
        (
            "CONTOSO_GOOGLE_CLIENT_SECRET",
            "google-secret-of-contoso".to_owned(),
        ),
        ("NEXT_KEY", "next-key-of-contoso".to_owned()),
    ];
    let deploy = [
        "deploy", "policies", "-e", "dev", "-vvv", "--format", "json",
    ];
    let rotate = [
        "keys",
        "rotate",
        "RestApiKey",
        "--secret-env",
        "NEXT_KEY",
        "--yes",
        "--tenant",
        "contosodev.onmicrosoft.com",
        "-vvv",
    ];
    for (line, values) in [
        (
            &deploy[..],
            &["rest-api-key-of-contoso", "google-secret-of-contoso"][..],
        ),
        (&rotate[..], &["next-key-of-contoso"][..]),
    ] {
        let done = world.sandbox.run(line).expect(0);
        for value in values {
            let mark = format!("##vso[task.setsecret]{value}\n");
            assert!(done.stderr.contains(&mark), "{}", done.stderr);
            let rest = done.stderr.replace(&mark, "");
            assert!(
                !rest.contains(value) && !done.stdout.contains(value),
                "{rest}"
            );
        }
    }
}

/// The request to mask must not become the leak.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_registered_where_it_would_be_kept() {
    let world = world().await;
    let path = world.sandbox.path().join("log");
    let file = std::fs::File::create(&path).unwrap();
    let status = world
        .command("GITHUB_ACTIONS")
        .stdout(Stdio::null())
        .stderr(file)
        .status()
        .unwrap();
    assert!(status.success());
    let kept = std::fs::read_to_string(path).unwrap();
    // Both streams into one pipe: somebody collects the output.
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = world.command("GITHUB_ACTIONS");
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut collected = String::new();
    std::io::Read::read_to_string(&mut reader, &mut collected).unwrap();
    assert!(child.wait().unwrap().success());
    for text in [kept, collected] {
        assert!(text.contains("signs in by GitHub"), "{text}");
        assert!(!text.contains("add-mask"), "{text}");
        let tokens = world.given.all();
        for secret in tokens
            .iter()
            .map(String::as_str)
            .chain(["job-request-token"])
        {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
