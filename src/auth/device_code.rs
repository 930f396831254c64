use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::debug;

use super::token_endpoint::{Field, TokenEndpoint, Tokens, number};
use super::{
    AccessToken, AuthError, DevicePrompt, Endpoints, Person, SecretObserver, SignIn, SignInFuture,
    Surroundings,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What a person's sign-in needs for everything that iefctl does.
const PERMISSIONS: [&str; 2] = [
    "Policy.ReadWrite.TrustFramework",
    "TrustFrameworkKeySet.ReadWrite.All",
];
/// RFC 8628: between two questions if the service does not say, and by how much longer after
/// `slow_down`.
const INTERVAL: Duration = Duration::from_secs(5);

/// Signs in a person, who confirms a code in a browser on any device (RFC 8628). Renewal uses the
/// refresh token, which stays in memory; only if that fails the person is asked again.
pub struct DeviceCode {
    endpoint: TokenEndpoint,
    client_id: String,
    scope: String,
    person: Arc<dyn Person>,
    refresh: Mutex<Option<SecretString>>,
    secrets: Arc<dyn SecretObserver>,
}

impl DeviceCode {
    /// The way in for a person by the public client `client_id` of `tenant`.
    ///
    /// # Errors
    /// [`AuthError::Source`] if there is nobody to ask.
    pub fn new(
        endpoints: &Endpoints,
        tenant: &str,
        client_id: &str,
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        let Some(person) = &surroundings.person else {
            return Err(AuthError::Source {
                who: "device code",
                what: "needs a person at a terminal, and there is none".to_owned(),
                advice: Some(
                    "In CI, sign in as an application: see `iefctl deploy --help` or choose another \
                     way with --auth."
                        .to_owned(),
                ),
            });
        };
        let graph = endpoints.graph_resource();
        let permissions = PERMISSIONS.map(|permission| format!("{graph}/{permission}"));
        Ok(Self {
            endpoint: TokenEndpoint::new(&endpoints.login, tenant, surroundings)?,
            client_id: client_id.to_owned(),
            scope: format!("{} offline_access", permissions.join(" ")),
            person: Arc::clone(person),
            refresh: Mutex::default(),
            secrets: Arc::clone(&surroundings.secrets),
        })
    }

    async fn sign_in(&self) -> Result<AccessToken, AuthError> {
        let mut refresh = self.refresh.lock().await;
        let tokens = match refresh.as_ref() {
            None => self.ask().await?,
            Some(token) => match self.renew(token).await {
                Ok(tokens) => tokens,
                // Revoked or too old. Anything else is no reason to bother a person.
                Err(AuthError::Entra(error)) if error.error == "invalid_grant" => {
                    debug!(%error, "the session cannot be renewed");
                    self.ask().await?
                }
                Err(other) => return Err(other),
            },
        };
        if tokens.refresh.is_some() {
            *refresh = tokens.refresh;
        }
        Ok(tokens.access)
    }

    async fn renew(&self, token: &SecretString) -> Result<Tokens, AuthError> {
        let fields = || {
            Ok(vec![
                Field::plain("grant_type", "refresh_token"),
                Field::plain("client_id", &self.client_id),
                Field::plain("scope", &self.scope),
                Field::secret("refresh_token", token.clone()),
            ])
        };
        self.endpoint.token(fields).await
    }

    async fn ask(&self) -> Result<Tokens, AuthError> {
        let fields = [
            Field::plain("client_id", &self.client_id),
            Field::plain("scope", &self.scope),
        ];
        let answer = self.endpoint.device_code(&fields).await?;
        let code = answer.get("device_code").and_then(Value::as_str);
        let code = SecretString::from(code.unwrap_or_default());
        self.secrets.on_secret(&code);
        let prompt = prompt(&answer)?;
        self.person.ask(&prompt);
        let mut interval = answer
            .get("interval")
            .and_then(number)
            .map_or(INTERVAL, |seconds| {
                Duration::from_secs(seconds.clamp(1, 60))
            });
        let mut waited = Duration::ZERO;
        loop {
            self.person.wait(interval).await;
            waited += interval;
            let error = match self.poll(&code).await {
                Ok(tokens) => return Ok(tokens),
                Err(AuthError::Entra(error)) => error,
                Err(other) => return Err(other),
            };
            match error.error.as_str() {
                "authorization_pending" => {}
                "slow_down" => interval += INTERVAL,
                "authorization_declined" | "access_denied" => {
                    return Err(failed("the sign-in was declined in the browser"));
                }
                "expired_token" | "code_expired" => return Err(expired()),
                _ => return Err(AuthError::Entra(error)),
            }
            // The service says it too, if only it answers.
            if waited >= prompt.expires_in {
                return Err(expired());
            }
        }
    }

    async fn poll(&self, code: &SecretString) -> Result<Tokens, AuthError> {
        let fields = || {
            Ok(vec![
                Field::plain("grant_type", GRANT),
                Field::plain("client_id", &self.client_id),
                Field::secret("device_code", code.clone()),
            ])
        };
        self.endpoint.token(fields).await
    }
}

fn prompt(answer: &Value) -> Result<DevicePrompt, AuthError> {
    // What is shown on a terminal must not be able to do anything to it.
    let text = |name: &str| {
        let text = answer.get(name)?.as_str()?;
        let plain = !text.is_empty() && text.chars().all(|c| !c.is_control());
        plain.then(|| text.to_owned())
    };
    match (text("verification_uri"), text("user_code")) {
        (Some(verification_uri), Some(user_code)) => Ok(DevicePrompt {
            verification_uri,
            user_code,
            expires_in: Duration::from_secs(
                answer.get("expires_in").and_then(number).unwrap_or(900),
            ),
        }),
        _ => Err(failed("the login endpoint gave no code to enter")),
    }
}

fn expired() -> AuthError {
    failed("the code expired before it was confirmed; run the command again")
}

fn failed(what: &str) -> AuthError {
    AuthError::Source {
        who: "device code:",
        what: what.to_owned(),
        advice: None,
    }
}

impl SignIn for DeviceCode {
    fn acquire(&self) -> SignInFuture<'_> {
        Box::pin(self.sign_in())
    }

    fn describe(&self) -> String {
        format!(
            "device code for a person, by application {}",
            self.client_id
        )
    }
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
