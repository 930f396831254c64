use std::fmt;

use secrecy::SecretString;

use super::application::Application;
use super::{AuthError, Endpoints, SignIn, SignInFuture, Surroundings};

/// Signs in as an application that proves itself by a client secret (OAuth 2.0 client credentials).
pub struct ClientSecret {
    application: Application,
    secret: SecretString,
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
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        surroundings.secrets.on_secret(&secret);
        Ok(Self {
            application: Application::new(endpoints, tenant, client_id, surroundings)?,
            secret,
        })
    }
}

impl SignIn for ClientSecret {
    fn acquire(&self) -> SignInFuture<'_> {
        Box::pin(self.application.by_secret(&self.secret))
    }

    fn describe(&self) -> String {
        format!(
            "client secret of application {}",
            self.application.client_id()
        )
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret")
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}
