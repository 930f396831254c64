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

/// The variable with the URL that gives tokens to a job; the agent sets it in every job.
pub(super) const URL: &str = "SYSTEM_OIDCREQUESTURI";
/// The variable with the token of the job; a pipeline has to map it.
pub(super) const TOKEN: &str = "SYSTEM_ACCESSTOKEN";
/// The variable with the id of the service connection, by the name that the Azure tasks use.
pub(super) const CONNECTION: &str = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID";
/// The application of the service connection, as the Azure tasks pass it.
pub(super) const CLIENT: &str = "AZURESUBSCRIPTION_CLIENT_ID";

/// Signs in as an application that trusts an Azure Pipelines service connection (workload identity
/// federation). A new token is asked for at every renewal.
pub struct AzurePipelines {
    application: Application,
    service: TokenService,
    access_token: SecretString,
    connection: String,
    secrets: Arc<dyn SecretObserver>,
}

impl AzurePipelines {
    /// The way in for application `client_id` of `tenant`, with the values of
    /// `SYSTEM_OIDCREQUESTURI` and `SYSTEM_ACCESSTOKEN` and the id of the service connection.
    ///
    /// # Errors
    /// If one of the values cannot be right.
    pub fn new(
        endpoints: &Endpoints,
        tenant: &str,
        client_id: &str,
        (url, access_token, connection): (&str, &SecretString, &str),
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        surroundings.secrets.on_secret(access_token);
        Ok(Self {
            application: Application::new(endpoints, tenant, client_id, surroundings)?,
            service: TokenService::new("Azure Pipelines", (url, URL), surroundings)?,
            access_token: header_value(access_token.expose_secret(), TOKEN)?,
            connection: connection.to_owned(),
            secrets: Arc::clone(&surroundings.secrets),
        })
    }

    async fn sign_in(&self) -> Result<AccessToken, AuthError> {
        let token = &self.access_token;
        let answer = self
            .service
            .ask(
                Method::POST,
                &[
                    ("api-version", "7.1"),
                    ("serviceConnectionId", &self.connection),
                ],
                |request| {
                    request
                        .bearer_auth(token.expose_secret())
                        .header("content-type", "application/json")
                        // Otherwise a token that is no good leads to a page for people.
                        .header("x-tfs-fedauthredirect", "Suppress")
                        .body("")
                },
                &[token],
                |refused| advice(refused, &self.connection),
            )
            .await?;
        let external = answer
            .get("oidcToken")
            .and_then(Value::as_str)
            .and_then(external_token)
            .ok_or_else(|| self.service.unexpected("a token in `oidcToken`"))?;
        self.secrets.on_secret(&external);
        self.application.by_external_token(&external).await
    }
}

fn advice(refused: &Refused, connection: &str) -> Option<String> {
    match refused.status {
        203 | 302 | 401 => Some(
            "SYSTEM_ACCESSTOKEN is not good: map it from $(System.AccessToken) in the step, and do \
             not keep it longer than the job."
                .to_owned(),
        ),
        400 | 403 | 404 | 500 => Some(format!(
            "Check that {connection} is the id of a service connection of the project with workload \
             identity federation, and that this pipeline may use it (its security page, or \"Permit\" \
             on the run's page)."
        )),
        _ => None,
    }
}

impl SignIn for AzurePipelines {
    fn acquire(&self) -> SignInFuture<'_> {
        Box::pin(self.sign_in())
    }

    fn describe(&self) -> String {
        format!(
            "Azure Pipelines service connection {} for application {}",
            self.connection,
            self.application.client_id()
        )
    }
}

impl fmt::Debug for AzurePipelines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzurePipelines")
            .field("application", &self.application)
            .field("service", &self.service)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}
