use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use iefctl::auth::TokenClaims;
use iefctl::msgraph::{GraphClient, KeyUse, KeyValidity, KeysetState, NewSecret};
use secrecy::SecretString;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::options;
use crate::server::{Reply, Server};
use crate::sign_in::{SECRET, credentials, source};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const TOKEN: &str = "eyJ0.t0k3n-value.sig";
const KEY: &str = "upl0aded\"k\\ey";
const PASSWORD: &str = "pfx-passw0rd";
/// Base64 of the PKCS#12 bytes below.
const PKCS12: &str = "cHJpdmF0ZS1wYXJ0";

#[tokio::test]
async fn no_secret_appears_in_errors_debug_or_trace() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // For the whole process: whether a call site is enabled is cached for all threads, and a test
    // without a subscriber that comes first would switch it off for a scoped one.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    // A service that repeats whatever it was sent, as .NET's JSON errors do.
    let shape = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let current = shape.clone();
    let server = Server::start(move |request, _| {
        if request.path.ends_with("/token") {
            return Reply::json(200, json!({"expires_in": 3599, "access_token": TOKEN}));
        }
        if request.method == "GET" {
            return Reply::json(200, json!({"id": "B2C_1A_K", "keys": []}));
        }
        let token = request.header("authorization").unwrap_or_default();
        let message = format!("Error converting value {} of {token}", request.body);
        match current.load(Ordering::SeqCst) {
            0 => Reply::error(400, "BadRequest", &message),
            1 => Reply::typed(500, "text/plain", message),
            _ => Reply::typed(
                400,
                "application/json",
                format!("{{\"error\":{{\"message\":\"{message}"),
            ),
        }
    })
    .await;
    let options = options(&server);
    let tokens = source(&server);
    let mut shown = format!("{options:?} {tokens:?} {:?}", credentials());
    let client = GraphClient::new(options, tokens.clone()).unwrap();
    let (key, password) = (SecretString::from(KEY), SecretString::from(PASSWORD));
    for number in 0..3 {
        shape.store(number, Ordering::SeqCst);
        let secret = NewSecret {
            key_use: KeyUse::Signature,
            value: &key,
            validity: KeyValidity::default(),
        };
        shown += &format!("{secret:?}");
        let error = client
            .upload_secret("B2C_1A_K", KeysetState::Any, secret)
            .await
            .unwrap_err();
        shown += &format!("{error} {error:?}");
        let pkcs12 = b"private-part";
        let error = client
            .upload_pkcs12("B2C_1A_K", KeysetState::Any, pkcs12, &password)
            .await
            .unwrap_err();
        shown += &format!("{error} {error:?}");
    }
    let token = tokens.token().await.unwrap();
    shown += &format!("{client:?} {token:?} {:?}", TokenClaims::decode(&token));

    // An endpoint that repeats the form.
    let server = Server::start(|request, _| {
        let text = format!(
            "AADSTS7000215: Invalid secret {SECRET} in {}.",
            request.body
        );
        Reply::json(
            401,
            json!({"error": "invalid_client", "error_description": text}),
        )
    })
    .await;
    let error = source(&server).token().await.unwrap_err();
    shown += &format!("{error} {error:?}");

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("uploadSecret"), "calls are logged");
    let encoded = "cl1ent%2Bs%26cret%3D%7E";
    for secret in [
        TOKEN,
        KEY,
        "upl0aded",
        PASSWORD,
        PKCS12,
        SECRET,
        encoded,
        "private-part",
    ] {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
        assert!(!log.contains(secret), "{secret} is logged");
    }
}
