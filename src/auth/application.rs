//! An application at the token endpoint of a tenant: where the ways end that prove an application.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::token_endpoint::{Field, TokenEndpoint};
use super::{AccessToken, AuthError, Endpoints, Surroundings, aadsts};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client credentials grant of one application.
pub(super) struct Application {
    endpoint: TokenEndpoint,
    client_id: String,
    scope: String,
}

impl Application {
    pub(super) fn new(
        endpoints: &Endpoints,
        tenant: &str,
        client_id: &str,
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        Ok(Self {
            endpoint: TokenEndpoint::new(&endpoints.login, tenant, surroundings)?,
            client_id: client_id.to_owned(),
            scope: endpoints.graph_scope(),
        })
    }

    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Who an assertion of the application itself is for.
    pub(super) fn audience(&self) -> &str {
        self.endpoint.url()
    }

    pub(super) async fn by_secret(&self, secret: &SecretString) -> Result<AccessToken, AuthError> {
        let proof = || Ok(vec![Field::secret("client_secret", secret.clone())]);
        self.request(proof).await
    }

    /// `assertion` is asked for every attempt, because one of our own is good for one only.
    pub(super) async fn by_assertion(
        &self,
        assertion: impl Fn() -> Result<SecretString, AuthError>,
    ) -> Result<AccessToken, AuthError> {
        let proof = || {
            Ok(vec![
                Field::plain("client_assertion_type", ASSERTION_TYPE),
                Field::secret("client_assertion", assertion()?),
            ])
        };
        self.request(proof).await
    }

    /// A token of another issuer that the application trusts.
    pub(super) async fn by_external_token(
        &self,
        token: &SecretString,
    ) -> Result<AccessToken, AuthError> {
        let result = self.by_assertion(|| Ok(token.clone())).await;
        result.map_err(|error| match error {
            AuthError::Entra(mut entra) if entra.code.is_some_and(aadsts::is_about_trust) => {
                entra.presented = presented(token);
                AuthError::Entra(entra)
            }
            other => other,
        })
    }

    async fn request(
        &self,
        proof: impl Fn() -> Result<Vec<Field>, AuthError>,
    ) -> Result<AccessToken, AuthError> {
        let fields = || {
            let mut fields = vec![
                Field::plain("grant_type", "client_credentials"),
                Field::plain("client_id", &self.client_id),
                Field::plain("scope", &self.scope),
            ];
            fields.extend(proof()?);
            Ok(fields)
        };
        Ok(self.endpoint.token(fields).await?.access)
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// What is compared with the application's federated credentials; no secret by itself.
fn presented(token: &SecretString) -> Option<String> {
    let claims = claims(token)?;
    let text = |name: &str| match claims.get(name) {
        Some(Value::String(text)) => shortened(text),
        Some(Value::Array(values)) => {
            let values = values.iter().filter_map(Value::as_str).map(shortened);
            values.collect::<Vec<_>>().join(", ")
        }
        _ => "(none)".to_owned(),
    };
    Some(format!(
        "issuer `{}`, subject `{}`, audience `{}`",
        text("iss"),
        text("sub"),
        text("aud")
    ))
}

fn shortened(text: &str) -> String {
    // Federated credentials hold 600 characters at most.
    text.chars().filter(|c| !c.is_control()).take(600).collect()
}

fn claims(token: &SecretString) -> Option<Value> {
    let payload = token.expose_secret().split('.').nth(1)?;
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}

/// When an external token expires, if it says so.
pub(super) fn expiry(token: &SecretString) -> Option<SystemTime> {
    let claims = claims(token)?;
    let seconds = claims.get("exp")?.as_f64()?;
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// The text of an external token, if it can be one: a JWT, which no header or form distorts.
pub(super) fn external_token(text: &str) -> Option<SecretString> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let parts: Vec<&str> = text.split('.').collect();
    let is_jwt = parts.len() == 3
        && parts.iter().all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='))
        });
    is_jwt.then(|| SecretString::from(text))
}
