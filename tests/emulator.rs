//! The emulator over real sockets: every quirk that clients of the service rely on or stumble over.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it left out"
)]

#[path = "emulator/concurrency.rs"]
mod concurrency;
#[path = "emulator/directory.rs"]
mod directory;
#[path = "emulator/faults.rs"]
mod faults;
#[path = "emulator/hostile.rs"]
mod hostile;
#[path = "emulator/key_files.rs"]
mod key_files;
#[path = "emulator/keysets.rs"]
mod keysets;
#[path = "emulator/openapi.rs"]
mod openapi;
#[path = "emulator/policies.rs"]
mod policies;
#[path = "emulator/sign_in.rs"]
mod sign_in;
#[path = "emulator/state.rs"]
mod state;
#[path = "emulator/unknowns.rs"]
mod unknowns;

use std::net::SocketAddr;

use iefctl::emulator::{Emulator, EmulatorError, EmulatorOptions};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

const TENANT: &str = "contoso.onmicrosoft.com";
const NAMESPACE: &str = "http://schemas.microsoft.com/online/cpim/schemas/2013/06";

/// A running emulator with a client that is signed in to contoso.
struct Session {
    emulator: Emulator,
    http: reqwest::Client,
    token: String,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Status, code and message of an OData error.
    #[track_caller]
    fn error(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |name: &str| body["error"][name].as_str().unwrap().to_owned();
        (self.status, text("code"), text("message"))
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

async fn try_start(options: EmulatorOptions) -> Result<Emulator, EmulatorError> {
    Emulator::start(options, SocketAddr::from(([127, 0, 0, 1], 0))).await
}

async fn session(options: EmulatorOptions) -> Session {
    let emulator = try_start(options).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = sign_in::token(&http, &emulator.url(), TENANT).await;
    Session {
        emulator,
        http,
        token,
    }
}

async fn default_session() -> Session {
    session(EmulatorOptions {
        reuse_rsa_key: true,
        ..EmulatorOptions::default()
    })
    .await
}

impl Session {
    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/beta/trustFramework{path}", self.emulator.url());
        self.http
            .request(method.parse().unwrap(), url)
            .bearer_auth(&self.token)
    }

    async fn call(&self, method: &str, path: &str) -> Reply {
        send(self.request(method, path)).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).await
    }

    async fn put_policy(&self, id: &str, xml: &str) -> Reply {
        let request = self.request("PUT", &format!("/policies/{id}/$value"));
        let request = request.header("content-type", "application/xml; charset=utf-8");
        send(request.body(xml.to_owned())).await
    }

    async fn json(&self, method: &str, path: &str, body: Value) -> Reply {
        send(self.request(method, path).json(&body)).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.json("POST", path, body).await
    }

    async fn keyset(&self, id: &str) {
        self.post("/keySets", json!({"id": id})).await.expect(201);
    }
}

async fn send(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// A policy of contoso with these parts.
fn policy(id: &str, base: Option<&str>, keys: &[&str]) -> String {
    policy_of(TENANT, id, base, keys)
}

fn policy_of(tenant: &str, id: &str, base: Option<&str>, keys: &[&str]) -> String {
    let base = base.map_or(String::new(), |base| {
        format!("<BasePolicy><TenantId>{tenant}</TenantId><PolicyId>{base}</PolicyId></BasePolicy>")
    });
    let keys: String = keys
        .iter()
        .map(|key| format!("<Key Id=\"issuer_secret\" StorageReferenceId=\"{key}\"/>"))
        .collect();
    let profiles = if keys.is_empty() {
        String::new()
    } else {
        format!(
            "<ClaimsProviders><ClaimsProvider><DisplayName>Token issuer</DisplayName>\
             <TechnicalProfiles><TechnicalProfile Id=\"JwtIssuer\"><DisplayName>JWT</DisplayName>\
             <Protocol Name=\"OpenIdConnect\"/><OutputTokenFormat>JWT</OutputTokenFormat>\
             <CryptographicKeys>{keys}</CryptographicKeys></TechnicalProfile>\
             </TechnicalProfiles></ClaimsProvider></ClaimsProviders>"
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<!-- {id} -->\r\n<TrustFrameworkPolicy \
         xmlns=\"{NAMESPACE}\" PolicySchemaVersion=\"0.3.0.0\" TenantId=\"{tenant}\" \
         PolicyId=\"{id}\" PublicPolicyUri=\"http://{tenant}/{id}\">{base}{profiles}\
         </TrustFrameworkPolicy>\r\n"
    )
}
