use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::call::{Body, Call, Expects};
use super::policies::{check_id, unreadable};
use super::retry::CallKind;
use super::{GraphClient, GraphError};

/// The service puts this before the id of every keyset that lacks it.
const PREFIX: &str = "B2C_1A_";

/// What a key is for; a keyset never mixes both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// Signatures; also for secrets that are only compared or sent.
    Signature,
    /// Encryption.
    Encryption,
}

impl KeyUse {
    /// The service's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "sig",
            Self::Encryption => "enc",
        }
    }
}

/// What a generated key is; a keyset never mixes both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// An RSA key pair.
    Rsa,
    /// A symmetric key.
    Octets,
}

impl KeyKind {
    /// The service's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Octets => "oct",
        }
    }
}

/// When a key may be used, in seconds since 1970. Best left open: a key with a beginning is not
/// active before it, and the service is said to refuse one less than three hours away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyValidity {
    /// Not before.
    pub not_before: Option<i64>,
    /// Not after.
    pub expires: Option<i64>,
}

/// The public side of a key; the service never gives secret parts back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Key {
    /// The key's id, given by the service.
    pub kid: Option<String>,
    /// `RSA` or `oct` (`OCT` for uploaded secrets).
    pub kty: Option<String>,
    /// `sig` or `enc`.
    pub key_use: Option<String>,
    /// Not before, seconds since 1970.
    pub not_before: Option<i64>,
    /// Expiry, seconds since 1970.
    pub expires: Option<i64>,
    /// Public exponent of an RSA key, base64url.
    pub exponent: Option<String>,
    /// Modulus of an RSA key, base64url.
    pub modulus: Option<String>,
    /// Certificate chain, base64 DER.
    pub certificates: Vec<String>,
    /// Thumbprint of the certificate.
    pub thumbprint: Option<String>,
}

/// A keyset: the policy key that policies refer to by `StorageReferenceId`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keyset {
    /// Its id, with the prefix `B2C_1A_`.
    pub id: String,
    /// Its keys in the order of the service.
    pub keys: Vec<Key>,
}

/// The answer to [`GraphClient::create_keyset`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedKeyset {
    /// The id under which the service keeps it, with prefix.
    pub id: String,
    /// Whether it was there before. If the answer to the creation was lost, a keyset that is there
    /// and empty counts as just created.
    pub existed: bool,
}

/// Whether a key may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyStatus {
    /// It may become the active key.
    Enabled,
    /// It is kept but not used.
    Disabled,
    /// A state of the service that was not known when this was written.
    Other(String),
}

/// A key with its status (`keys_v2`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyState {
    /// The key.
    pub key: Key,
    /// Its status, where the service reports one.
    pub status: Option<KeyStatus>,
}

impl GraphClient {
    /// All keysets of the tenant with the public side of their keys.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn list_keysets(&self) -> Result<Vec<Keyset>, GraphError> {
        let operation = "GET keysets";
        let items = self.list(operation, self.url(&["keySets"])).await?;
        let keysets: Option<Vec<_>> = items.iter().map(Keyset::read).collect();
        keysets.ok_or_else(|| unreadable(operation, "a keyset without id"))
    }

    /// A keyset; `None` if the tenant has no such keyset.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn get_keyset(&self, id: &str) -> Result<Option<Keyset>, GraphError> {
        let operation = format!("GET keyset {id}");
        let url = self.keyset_url(id, &[])?;
        let call = Call::get(operation.clone(), url, Expects::Json);
        let Some(answer) = self.find(&call).await? else {
            return Ok(None);
        };
        match Keyset::read(&answer.json) {
            Some(keyset) => Ok(Some(keyset)),
            None => Err(unreadable(&operation, "a keyset without id")),
        }
    }

    /// Creates an empty keyset; the service refuses to create one with keys in it. That it exists
    /// already is no error, but its keys are then not ours: look at them before adding any.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn create_keyset(&self, id: &str) -> Result<CreatedKeyset, GraphError> {
        check_id("keyset", id)?;
        let call = Call {
            operation: format!("POST keyset {id}"),
            method: Method::POST,
            url: self.url(&["keySets"]),
            // The second attempt finds the keyset of the first; no key is involved.
            kind: CallKind::Idempotent,
            body: Body::Json(json!({ "id": id })),
            expects: Expects::Json,
        };
        let failed = match self.execute(&call, 0).await {
            Ok(answer) => {
                let given = answer.json.get("id").and_then(Value::as_str);
                return Ok(CreatedKeyset {
                    id: given.map_or_else(|| prefixed(id), str::to_owned),
                    existed: false,
                });
            }
            Err(failed) => failed,
        };
        let number = failed.error.rejection().and_then(super::Rejection::number);
        if !matches!(number, Some(95_028 | 95_038)) {
            return Err(failed.error);
        }
        let id = prefixed(id);
        let ours = if failed.unclear {
            let keyset = self.get_keyset(&id).await?;
            keyset.is_some_and(|keyset| keyset.keys.is_empty())
        } else {
            false
        };
        Ok(CreatedKeyset { id, existed: !ours })
    }

    /// Deletes a keyset with all its keys; `false` if the tenant had no such keyset.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn delete_keyset(&self, id: &str) -> Result<bool, GraphError> {
        let url = self.keyset_url(id, &[])?;
        self.delete(format!("DELETE keyset {id}"), url).await
    }

    /// The key that the service uses now; `None` if the keyset is missing, empty, or has no key that
    /// is valid now.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn get_active_key(&self, id: &str) -> Result<Option<Key>, GraphError> {
        let url = self.keyset_url(id, &["getActiveKey"])?;
        let call = Call::get(format!("GET keyset {id}/getActiveKey"), url, Expects::Json);
        match self.find(&call).await {
            Ok(answer) => {
                let key = answer.map(|answer| Key::read(&answer.json));
                Ok(key.filter(|key| key.kid.is_some()))
            }
            Err(error) => {
                let number = error.rejection().and_then(super::Rejection::number);
                // The states of a key container without a usable key.
                match number {
                    Some(90_130..=90_135 | 90_019) => Ok(None),
                    _ => Err(error),
                }
            }
        }
    }

    /// The keys of a keyset with their status; empty if the tenant has no such keyset.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn list_key_states(&self, id: &str) -> Result<Vec<KeyState>, GraphError> {
        let url = self.keyset_url(id, &["keys_v2"])?;
        let operation = format!("GET keyset {id}/keys_v2");
        let items = match self.list(&operation, url).await {
            Err(GraphError::Rejected(rejection)) if rejection.is_not_found() => return Ok(vec![]),
            items => items?,
        };
        Ok(items.iter().map(KeyState::read).collect())
    }

    /// Enables or disables a key; `false` if the keyset or the key is not there.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn set_key_enabled(
        &self,
        id: &str,
        kid: &str,
        enabled: bool,
    ) -> Result<bool, GraphError> {
        check_id("key", kid)?;
        let status = if enabled { "enabled" } else { "disabled" };
        let call = Call {
            operation: format!("PATCH keyset {id}/keys_v2/{kid}"),
            method: Method::PATCH,
            url: self.keyset_url(id, &["keys_v2", kid])?,
            kind: CallKind::Idempotent,
            body: Body::Json(json!({ "status": status })),
            expects: Expects::Anything,
        };
        Ok(self.find(&call).await?.is_some())
    }

    pub(super) fn keyset_url(&self, id: &str, rest: &[&str]) -> Result<Url, GraphError> {
        check_id("keyset", id)?;
        let mut segments = vec!["keySets", id];
        segments.extend(rest);
        Ok(self.url(&segments))
    }
}

impl Keyset {
    fn read(json: &Value) -> Option<Self> {
        let keys = json.get("keys").and_then(Value::as_array);
        Some(Self {
            id: json.get("id")?.as_str()?.to_owned(),
            keys: keys.into_iter().flatten().map(Key::read).collect(),
        })
    }
}

impl Key {
    pub(super) fn read(json: &Value) -> Self {
        let text = |name: &str| {
            let text = json.get(name)?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        // Documented as numbers; older pages show them as text.
        let seconds = |name: &str| {
            let value = json.get(name)?;
            value.as_i64().or_else(|| value.as_str()?.parse().ok())
        };
        let certificates = json.get("x5c").and_then(Value::as_array);
        Self {
            kid: text("kid"),
            kty: text("kty"),
            key_use: text("use"),
            not_before: seconds("nbf"),
            expires: seconds("exp"),
            exponent: text("e"),
            modulus: text("n"),
            certificates: certificates
                .into_iter()
                .flatten()
                .filter_map(|certificate| Some(certificate.as_str()?.to_owned()))
                .collect(),
            thumbprint: text("x5t"),
        }
    }
}

impl KeyState {
    fn read(json: &Value) -> Self {
        let status = json.get("status").and_then(Value::as_str);
        Self {
            key: Key::read(json),
            status: status.map(|status| match status {
                _ if status.eq_ignore_ascii_case("enabled") => KeyStatus::Enabled,
                _ if status.eq_ignore_ascii_case("disabled") => KeyStatus::Disabled,
                other => KeyStatus::Other(other.to_owned()),
            }),
        }
    }
}

/// The id under which the service keeps a keyset.
fn prefixed(id: &str) -> String {
    let has_prefix = id
        .get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    if has_prefix {
        id.to_owned()
    } else {
        format!("{PREFIX}{id}")
    }
}
