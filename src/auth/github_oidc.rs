use std::fmt;
use std::sync::Arc;

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::application::{Application, external_token};
use super::token_service::{Refused, TokenService, header_value};
use super::{
    AccessToken, AuthError, Endpoints, SecretObserver, SignIn, SignInFuture, Surroundings,
};

/// The variable with the URL that gives tokens to a job.
pub(super) const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
/// The variable with what a job proves itself by there.
pub(super) const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// Signs in as an application that trusts GitHub Actions: GitHub gives the job a token that says
/// which repository, branch or environment it runs for. A new one is asked for at every renewal,
/// because they are good for minutes only.
pub struct GithubOidc {
    application: Application,
    service: TokenService,
    request_token: SecretString,
    audience: &'static str,
    secrets: Arc<dyn SecretObserver>,
}

impl GithubOidc {
    /// The way in for application `client_id` of `tenant`, with the values of
    /// `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    ///
    /// # Errors
    /// If one of the two cannot be right.
    pub fn new(
        endpoints: &Endpoints,
        tenant: &str,
        client_id: &str,
        (url, request_token): (&str, &SecretString),
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        surroundings.secrets.on_secret(request_token);
        Ok(Self {
            application: Application::new(endpoints, tenant, client_id, surroundings)?,
            service: TokenService::new("GitHub", (url, URL), surroundings)?,
            request_token: header_value(request_token.expose_secret(), TOKEN)?,
            audience: endpoints.cloud.federation_audience(),
            secrets: Arc::clone(&surroundings.secrets),
        })
    }

    async fn sign_in(&self) -> Result<AccessToken, AuthError> {
        let token = &self.request_token;
        let answer = self
            .service
            .ask(
                Method::GET,
                &[("audience", self.audience)],
                |request| request.bearer_auth(token.expose_secret()),
                &[token],
                advice,
            )
            .await?;
        let external = answer
            .get("value")
            .and_then(Value::as_str)
            .and_then(external_token)
            .ok_or_else(|| self.service.unexpected("a token in `value`"))?;
        self.secrets.on_secret(&external);
        self.application.by_external_token(&external).await
    }
}

fn advice(refused: &Refused) -> Option<String> {
    matches!(refused.status, 401 | 403 | 404).then(|| {
        "The job may have no permission or its token expired: it needs `permissions: id-token: write` \
         and must still be running; jobs of pull requests from forks never get tokens."
            .to_owned()
    })
}

impl SignIn for GithubOidc {
    fn acquire(&self) -> SignInFuture<'_> {
        Box::pin(self.sign_in())
    }

    fn describe(&self) -> String {
        let client_id = self.application.client_id();
        format!("GitHub Actions OIDC for application {client_id}")
    }
}

impl fmt::Debug for GithubOidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubOidc")
            .field("application", &self.application)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
