use std::fmt;

use secrecy::SecretString;

use super::token_endpoint::TokenEndpoint;
use super::{AuthError, Endpoints, RetryPolicy, SignIn, SignInFuture, TransportOptions};

/// Signs in as an application that proves itself by a client secret (OAuth 2.0 client credentials).
pub struct ClientSecret {
    endpoint: TokenEndpoint,
    client_id: String,
    secret: SecretString,
    scope: String,
}

impl ClientSecret {
    /// The way in for application `client_id` of `tenant` (id or domain).
    ///
    /// # Errors
    /// [`AuthError::Transport`] if the HTTP client cannot be set up.
    pub fn new(
        endpoints: &Endpoints,
        tenant: &str,
        client_id: &str,
        secret: SecretString,
        transport: &TransportOptions,
        retry: RetryPolicy,
    ) -> Result<Self, AuthError> {
        Ok(Self {
            endpoint: TokenEndpoint::new(&endpoints.login, tenant, transport, retry)?,
            client_id: client_id.to_owned(),
            secret,
            scope: endpoints.graph_scope(),
        })
    }
}

impl SignIn for ClientSecret {
    fn acquire(&self) -> SignInFuture<'_> {
        Box::pin(async move {
            let form = [
                ("grant_type", "client_credentials"),
                ("client_id", self.client_id.as_str()),
                ("scope", self.scope.as_str()),
            ];
            let secrets = [("client_secret", &self.secret)];
            self.endpoint.request(&form, &secrets).await
        })
    }

    fn describe(&self) -> String {
        format!("client secret of application {}", self.client_id)
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
