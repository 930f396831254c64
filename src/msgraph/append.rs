//! Calls that add a key. The service has no way to take a key back, and a second key becomes the
//! active one sooner or later, so none of these calls is ever sent again before a look at the keyset
//! has shown that the first one had no effect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::call::{Body, Call, Expects, Failed};
use super::retry::CallKind;
use super::{
    Ambiguity, GraphClient, GraphError, Key, KeyKind, KeyUse, KeyValidity, Keyset, RetryEvent,
};

/// What the keyset must be like for a key to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysetState {
    /// Without any key: what is added is its first one. Anything else is
    /// [`GraphError::KeysetNotEmpty`].
    Empty,
    /// With or without keys: a further key is wanted, as in a rotation.
    Any,
}

/// A key that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendedKey {
    /// Its public side.
    pub key: Key,
    /// How often the request was sent.
    pub attempts: u32,
    /// Whether the answer was lost and the key was found by looking at the keyset.
    pub found_by_look: bool,
}

/// A secret to be stored as key.
#[derive(Debug, Clone)]
pub struct NewSecret<'a> {
    /// What it is for.
    pub key_use: KeyUse,
    /// Its value as plain text.
    pub value: &'a SecretString,
    /// When it may be used.
    pub validity: KeyValidity,
}

impl GraphClient {
    /// Lets the service generate a key in a keyset that exists.
    ///
    /// # Errors
    /// [`GraphError::Ambiguous`] if it stays unknown whether the key was added; others see
    /// [`GraphError`].
    pub async fn generate_key(
        &self,
        keyset: &str,
        expected: KeysetState,
        key_use: KeyUse,
        kind: KeyKind,
        validity: KeyValidity,
    ) -> Result<AppendedKey, GraphError> {
        let mut body = validity.to_json();
        body.insert("use".to_owned(), key_use.as_str().into());
        body.insert("kty".to_owned(), kind.as_str().into());
        let body = Body::Json(Value::Object(body));
        self.append(keyset, expected, "generateKey", body).await
    }

    /// Adds a secret to a keyset that exists.
    ///
    /// # Errors
    /// As [`GraphClient::generate_key`]. No error holds the secret.
    pub async fn upload_secret(
        &self,
        keyset: &str,
        expected: KeysetState,
        secret: NewSecret<'_>,
    ) -> Result<AppendedKey, GraphError> {
        let mut body = secret.validity.to_json();
        body.insert("use".to_owned(), secret.key_use.as_str().into());
        body.insert("k".to_owned(), secret.value.expose_secret().into());
        let body = SecretString::from(Value::Object(body).to_string());
        let body = Body::Secret(&body, vec![secret.value]);
        self.append(keyset, expected, "uploadSecret", body).await
    }

    /// Adds a certificate without private key (DER) to a keyset that exists.
    ///
    /// # Errors
    /// As [`GraphClient::generate_key`].
    pub async fn upload_certificate(
        &self,
        keyset: &str,
        expected: KeysetState,
        der: &[u8],
    ) -> Result<AppendedKey, GraphError> {
        let body = Body::Json(json!({ "key": STANDARD.encode(der) }));
        self.append(keyset, expected, "uploadCertificate", body)
            .await
    }

    /// Adds a certificate with its private key (PKCS#12) to a keyset that exists. The service reads
    /// files that are encrypted with 3DES and SHA-1 only and reports others as wrong password.
    ///
    /// # Errors
    /// As [`GraphClient::generate_key`]. No error holds the key or the password.
    pub async fn upload_pkcs12(
        &self,
        keyset: &str,
        expected: KeysetState,
        pkcs12: &[u8],
        password: &SecretString,
    ) -> Result<AppendedKey, GraphError> {
        let encoded = SecretString::from(STANDARD.encode(pkcs12));
        let body = json!({
            "key": encoded.expose_secret(),
            "password": password.expose_secret(),
        });
        let body = SecretString::from(body.to_string());
        let body = Body::Secret(&body, vec![&encoded, password]);
        self.append(keyset, expected, "uploadPkcs12", body).await
    }

    async fn append(
        &self,
        keyset: &str,
        expected: KeysetState,
        action: &str,
        body: Body<'_>,
    ) -> Result<AppendedKey, GraphError> {
        let Some(before) = self.get_keyset(keyset).await? else {
            let id = keyset.to_owned();
            return Err(GraphError::KeysetMissing { id });
        };
        if expected == KeysetState::Empty && !before.keys.is_empty() {
            return Err(GraphError::KeysetNotEmpty {
                id: before.id,
                keys: before.keys.len(),
            });
        }
        let call = Call {
            operation: format!("POST keyset {keyset}/{action}"),
            method: Method::POST,
            url: self.keyset_url(keyset, &[action])?,
            kind: CallKind::Append,
            body,
            expects: Expects::Json,
        };
        let mut attempts = 0;
        loop {
            let failed = match self.execute(&call, attempts).await {
                Ok(answer) => {
                    attempts = answer.attempts;
                    let key = Key::read(&answer.json);
                    if key.kid.is_some() {
                        return Ok(AppendedKey {
                            key,
                            attempts,
                            found_by_look: false,
                        });
                    }
                    Failed::by_odd_answer(&call.operation, attempts)
                }
                Err(failed) if !failed.unclear => return Err(failed.error),
                Err(failed) => failed,
            };
            attempts = failed.attempts;
            match self.look(&call.operation, &before, &failed).await? {
                Some(key) => {
                    return Ok(AppendedKey {
                        key,
                        attempts,
                        found_by_look: true,
                    });
                }
                // The key is not there, and nobody is working on it any more.
                None if attempts <= self.inner.backoff.policy().retries => {}
                None => return Err(failed.error),
            }
        }
    }

    /// Whether the keyset got the key of an attempt whose answer is unknown. While the service may
    /// still be working on that attempt, an absent key proves nothing: then all looks are used up,
    /// and the end is an error.
    async fn look(
        &self,
        operation: &str,
        before: &Keyset,
        failed: &Failed,
    ) -> Result<Option<Key>, GraphError> {
        let ambiguous = |look: &str| {
            GraphError::from(Ambiguity {
                operation: operation.to_owned(),
                keyset: before.id.clone(),
                cause: failed.error.clone(),
                look: look.to_owned(),
            })
        };
        let backoff = &self.inner.backoff;
        let looks = if failed.still_running {
            backoff.policy().retries.max(1)
        } else {
            1
        };
        for look in 1..=looks {
            self.pause(RetryEvent {
                operation: operation.to_owned(),
                attempt: failed.attempts,
                delay: backoff.delay(look.max(failed.attempts), failed.asked_pause),
                reason: failed.reason.clone(),
            })
            .await;
            let now = match self.get_keyset(&before.id).await {
                Ok(Some(now)) => now,
                Ok(None) => return Err(ambiguous("the keyset is no longer there")),
                Err(error) => {
                    let look = format!("looking at the keyset failed too: {error}");
                    return Err(ambiguous(&look));
                }
            };
            if now.keys.len() == before.keys.len() + 1 {
                return Ok(Some(added_key(before, now)));
            }
            if now.keys.len() != before.keys.len() {
                return Err(ambiguous("somebody else changes its keys at the same time"));
            }
        }
        if failed.still_running {
            Err(ambiguous("no key has appeared so far"))
        } else {
            Ok(None)
        }
    }
}

impl KeyValidity {
    fn to_json(self) -> Map<String, Value> {
        let mut json = Map::new();
        let bounds = [("nbf", self.not_before), ("exp", self.expires)];
        for (name, seconds) in bounds {
            if let Some(seconds) = seconds {
                json.insert(name.to_owned(), seconds.into());
            }
        }
        json
    }
}

/// The key that `now` has and `before` had not; the last one if the ids do not tell.
fn added_key(before: &Keyset, now: Keyset) -> Key {
    let is_new = |key: &Key| !before.keys.iter().any(|known| known.kid == key.kid);
    let position = now.keys.iter().position(is_new);
    let mut keys = now.keys;
    match position {
        Some(position) => keys.swap_remove(position),
        None => keys.pop().unwrap_or_default(),
    }
}

impl Failed {
    fn by_odd_answer(operation: &str, attempts: u32) -> Self {
        let reason = "the service sent a key without id";
        Self {
            error: super::policies::unreadable(operation, "a key without id"),
            attempts,
            unclear: true,
            still_running: false,
            asked_pause: None,
            reason: reason.to_owned(),
        }
    }
}
