//! The applications that a tenant knows.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

/// An application that may sign in, and how it proves itself.
#[derive(Debug, Clone)]
pub struct Application {
    /// The application (client) id.
    pub client_id: String,
    /// Its secret; `None`: it has none.
    pub client_secret: Option<SecretString>,
    /// The certificates that were uploaded to it, in DER.
    pub certificates: Vec<Vec<u8>>,
    /// The external tokens that it trusts.
    pub federated_credentials: Vec<FederatedCredential>,
    /// "Allow public client flows": people may sign in with it by a device code.
    pub public_client: bool,
}

impl Application {
    /// An application that has nothing to prove itself by yet.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: None,
            certificates: Vec::new(),
            federated_credentials: Vec::new(),
            public_client: false,
        }
    }
}

/// Which tokens of whom an application trusts. All three are compared exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FederatedCredential {
    /// `iss` of the tokens.
    pub issuer: String,
    /// `sub` of the tokens.
    pub subject: String,
    /// `aud` of the tokens; Entra suggests `api://AzureADTokenExchange`.
    pub audience: String,
    /// The keys that the issuer signs with.
    pub keys: IssuerKeys,
}

/// Where the keys of an issuer come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerKeys {
    /// A JSON Web Key Set.
    Set(Value),
    /// The address of a key set on this machine, read at every sign-in: `http://127.0.0.1:…`.
    Url(String),
    /// The `jwks_uri` of the issuer's discovery document; the issuer must be on this machine.
    Discovery,
}

/// How signing in by a device code goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceCodes {
    /// The least time between two questions of a client.
    pub interval: Duration,
    /// How long a code is good.
    pub lifetime: Duration,
    /// Confirm every code at once, as if a person had done so. Default false.
    pub confirmed: bool,
}

impl Default for DeviceCodes {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            lifetime: Duration::from_secs(900),
            confirmed: false,
        }
    }
}
