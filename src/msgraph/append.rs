//! Calls that add a key. The service has no way to take a key back, and a second key becomes the
//! active one sooner or later, so none of these calls is ever sent again before a look at the keyset
//! has shown that the first one had no effect, and that nobody else has added a key meanwhile.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::call::{Body, Call, Expects, Failed};
use super::retry::{CallKind, Pending};
use super::{
    Ambiguity, GraphClient, GraphError, Key, KeyKind, KeyUse, KeyValidity, Keyset, RetryEvent,
};

/// How often a keyset is looked at after the connection to the service broke: with the usual pauses
/// that takes some seven seconds.
const LOOKS_AFTER_A_BREAK: u32 = 3;

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
        let before = self.keyset_before(keyset, expected).await?;
        let call = Call {
            operation: format!("POST keyset {keyset}/{action}"),
            method: Method::POST,
            url: self.keyset_url(keyset, &[action])?,
            kind: CallKind::Append,
            body,
            expects: Expects::Json,
        };
        let mut attempts = 0;
        // Whether any attempt so far may have added the key.
        let mut unclear = false;
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
                Err(failed) => failed,
            };
            attempts = failed.attempts;
            unclear |= failed.unclear;
            if !unclear && !failed.passing {
                return Err(failed.error);
            }
            let key = self.look(&call.operation, &before, &failed, unclear);
            if let Some(key) = key.await? {
                return Ok(AppendedKey {
                    key,
                    attempts,
                    found_by_look: true,
                });
            }
            // The key is not there, and nobody is working on it any more.
            let patient = self.is_patient() && attempts <= self.inner.backoff.policy().retries;
            if !(patient && failed.passing) {
                return Err(failed.error);
            }
        }
    }

    async fn keyset_before(
        &self,
        keyset: &str,
        expected: KeysetState,
    ) -> Result<Keyset, GraphError> {
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
        Ok(before)
    }

    /// Looks at the keyset after an attempt that failed: whether it got the key all the same
    /// (`unclear`: it may have), and whether it is still as it was. While the service may still be
    /// working on that attempt an absent key proves little, so there are several looks, further and
    /// further apart; where it works on for sure, the end is an error.
    async fn look(
        &self,
        operation: &str,
        before: &Keyset,
        failed: &Failed,
        unclear: bool,
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
        let looks = match failed.pending {
            Pending::Ended => 1,
            Pending::Perhaps => backoff.policy().retries.clamp(1, LOOKS_AFTER_A_BREAK),
            Pending::Likely => backoff.policy().retries.max(1),
        };
        for look in 1..=looks {
            // Without patience the looks follow at once: what became of the key must be known.
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
            if now.keys.len() == before.keys.len() {
                continue;
            }
            if !unclear && before.keys.is_empty() {
                // Somebody else added it: this call surely did not.
                return Err(GraphError::KeysetNotEmpty {
                    id: now.id,
                    keys: now.keys.len(),
                });
            }
            if !unclear || now.keys.len() != before.keys.len() + 1 {
                return Err(ambiguous("somebody else changes its keys at the same time"));
            }
            return Ok(Some(added_key(before, now)));
        }
        match failed.pending {
            Pending::Likely => Err(ambiguous("no key has appeared so far")),
            // The loop above has ended early, and the attempt may not have.
            Pending::Perhaps if !self.is_patient() => Err(ambiguous(
                "no key has appeared so far, and nobody waits any longer",
            )),
            Pending::Ended | Pending::Perhaps => Ok(None),
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
            pending: Pending::Ended,
            passing: true,
            asked_pause: None,
            reason: reason.to_owned(),
        }
    }
}
