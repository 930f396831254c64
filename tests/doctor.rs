//! A tenant is diagnosed and prepared: the library over real sockets under faults, and the binary as a
//! user types it, against the emulator.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "doctor/commands.rs"]
mod commands;
#[path = "doctor/interrupted.rs"]
mod interrupted;
#[path = "doctor/lookups.rs"]
mod lookups;
#[path = "sandbox/mod.rs"]
mod sandbox;
#[expect(dead_code, reason = "the tests of deployments use the rest")]
#[path = "deploy/world.rs"]
mod world;

use std::net::SocketAddr;

use iefctl::emulator::{Directory, Emulator, EmulatorOptions};
use sandbox::Sandbox;
use serde_json::Value;

const TENANT: &str = "contosodev.onmicrosoft.com";
const FRAMEWORK: &str = "IdentityExperienceFramework";
const PROXY: &str = "ProxyIdentityExperienceFramework";

/// An emulated tenant, and the program in a folder that reaches it.
struct Scene {
    emulator: Emulator,
    sandbox: Sandbox,
}

impl Scene {
    async fn new(options: EmulatorOptions) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = EmulatorOptions {
            reuse_rsa_key: true,
            ..options
        };
        let emulator = Emulator::start(options, any).await.unwrap();
        let mut sandbox = Sandbox::new();
        let url = emulator.url();
        for (name, value) in [
            ("IEFCTL_GRAPH_ENDPOINT", url.as_str()),
            ("IEFCTL_LOGIN_ENDPOINT", url.as_str()),
            ("AZURE_CLIENT_ID", "11111111-1111-1111-1111-111111111111"),
            ("AZURE_CLIENT_SECRET", "contoso-secret-of-the-test"),
            ("CONTOSO_REST_API_KEY", "contoso-rest-api-key"),
            ("CONTOSO_GOOGLE_CLIENT_SECRET", "contoso-google-secret"),
        ] {
            sandbox.variables.push((name, value.to_owned()));
        }
        Self { emulator, sandbox }
    }

    /// The example set, whose ids are looked up in the tenant.
    async fn with_example(options: EmulatorOptions) -> Self {
        let scene = Self::new(options).await;
        let example = sandbox::repository().join("policies-example");
        scene.sandbox.copy(&example, "policies");
        let text = std::fs::read_to_string(example.join("iefctl.toml")).unwrap();
        let mut edited = String::new();
        for line in text.lines() {
            let key = line.split(" =").next().unwrap_or_default();
            let value = match key {
                "ExtensionsAppClientId" => Some("b2c-extensions-app.appId"),
                "ExtensionsAppObjectId" => Some("b2c-extensions-app.objectId"),
                "IdentityExperienceFrameworkAppId" => Some("IdentityExperienceFramework.appId"),
                "ProxyIdentityExperienceFrameworkAppId" => {
                    Some("ProxyIdentityExperienceFramework.appId")
                }
                _ => None,
            };
            match value {
                Some(value) => edited += &format!("{key} = {{ tenant = \"{value}\" }}\n"),
                None => edited += &format!("{line}\n"),
            }
        }
        assert!(edited.matches("tenant = \"b2c-").count() >= 4, "{edited}");
        scene.sandbox.write("policies/iefctl.toml", &edited);
        scene
    }

    /// What the doctor says of the example and its tenant.
    #[track_caller]
    fn doctor(&self, status: i32) -> Value {
        let args = ["doctor", "policies", "-e", "dev", "--format", "json"];
        self.sandbox.run(&args).expect(status).json()
    }

    /// What it says of the tenant alone.
    #[track_caller]
    fn doctor_of_tenant(&self, status: i32) -> Value {
        let args = ["doctor", "-t", TENANT, "--format", "json"];
        self.sandbox.run(&args).expect(status).json()
    }

    fn directory(&self) -> Directory {
        self.emulator.store().directory(TENANT)
    }

    fn app_ids(&self, name: &str) -> Vec<String> {
        app_ids(&self.directory(), name)
    }

    /// How many requests wanted to change something.
    fn writes(&self) -> usize {
        let requests = self.emulator.requests();
        let writes = requests
            .iter()
            .filter(|request| request.method != "GET" && !request.path.ends_with("/token"));
        writes.count()
    }
}

fn app_ids(directory: &Directory, name: &str) -> Vec<String> {
    let named = directory
        .applications
        .iter()
        .filter(|application| application.text("displayName") == name);
    named
        .map(|application| application.text("appId").to_owned())
        .collect()
}

/// What must be true of a tenant that is prepared, however often and however badly that was tried.
fn assert_prepared(store: &iefctl::emulator::Store, tenant: &str) {
    let directory = store.directory(tenant);
    for name in [FRAMEWORK, PROXY] {
        let ids = app_ids(&directory, name);
        assert_eq!(ids.len(), 1, "{name}: {ids:?}");
        let principals = directory
            .service_principals
            .iter()
            .filter(|principal| principal.text("appId") == ids[0]);
        assert_eq!(principals.count(), 1, "{name}");
    }
    assert_eq!(directory.permission_grants.len(), 3, "{directory:#?}");
    for (keyset, usage) in [
        ("B2C_1A_TokenSigningKeyContainer", "sig"),
        ("B2C_1A_TokenEncryptionKeyContainer", "enc"),
    ] {
        let keys = store.keyset(tenant, keyset).unwrap().keys;
        assert_eq!(keys.len(), 1, "{keyset}");
        assert_eq!(keys[0].usage, usage);
    }
}
