use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::application::{Application, external_token};
use super::tenant_id::TenantCheck;
use super::token_endpoint::{is_bearer, number};
use super::token_service::{Refused, TokenService, header_value};
use super::{
    AccessToken, AuthError, Endpoints, RetryPolicy, SecretObserver, SignIn, SignInFuture,
    Surroundings, TransportOptions,
};

/// The variable with the URL of App Service's endpoint for identities.
pub(super) const ENDPOINT: &str = "IDENTITY_ENDPOINT";
/// The variable with what a process proves itself by there.
pub(super) const HEADER: &str = "IDENTITY_HEADER";
/// The variable with another host for the metadata service, as in the Azure SDKs.
pub(super) const IMDS_HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/// The metadata service of a virtual machine; the address is the same everywhere.
const IMDS: &str = "http://169.254.169.254";
/// Where no metadata service is, nothing answers; it is a hop away and answers at once.
const IMDS_TIMEOUT: Duration = Duration::from_secs(10);

/// Who gives tokens to the machine.
#[derive(Debug, Clone)]
pub enum IdentityService {
    /// App Service, Functions and Container Apps, by the values of `IDENTITY_ENDPOINT` and
    /// `IDENTITY_HEADER`.
    AppService {
        /// The URL.
        endpoint: String,
        /// What the process proves itself by.
        header: SecretString,
    },
    /// The metadata service of a virtual machine, scale set or container instance.
    Metadata {
        /// Another base URL than the usual one.
        host: Option<String>,
    },
}

/// Signs in by the managed identity of the machine: as an application that trusts the identity
/// (federated credential), or as the identity itself, which only works within its own tenant.
pub struct ManagedIdentity {
    service: TokenService,
    /// What a process proves itself by to App Service; the metadata service needs nothing.
    header: Option<SecretString>,
    /// The user-assigned identity that is meant.
    identity: Option<String>,
    target: Target,
    secrets: Arc<dyn SecretObserver>,
}

/// What the identity's token is good for.
enum Target {
    Application {
        application: Box<Application>,
        audience: &'static str,
    },
    Itself {
        resource: String,
        tenant: Box<TenantCheck>,
    },
}

impl ManagedIdentity {
    /// The way in to `tenant` by the identity (the client id of a user-assigned one, or the only
    /// one), as `application` if one is given.
    ///
    /// # Errors
    /// If the platform's variables cannot be right.
    pub fn new(
        endpoints: &Endpoints,
        tenant: &str,
        application: Option<&str>,
        (service, identity): (&IdentityService, Option<&str>),
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        let target = match application {
            Some(client_id) => Target::Application {
                application: Box::new(Application::new(
                    endpoints,
                    tenant,
                    client_id,
                    surroundings,
                )?),
                audience: endpoints.cloud.federation_audience(),
            },
            None => Target::Itself {
                resource: endpoints.graph_resource(),
                tenant: Box::new(TenantCheck::new(endpoints, tenant, surroundings)?),
            },
        };
        let (service, header) = match service {
            IdentityService::AppService { endpoint, header } => {
                surroundings.secrets.on_secret(header);
                let header = header_value(header.expose_secret(), HEADER)?;
                let who = "the platform's identity endpoint";
                let service = TokenService::new(who, (endpoint, ENDPOINT), surroundings)?;
                (service, Some(header))
            }
            IdentityService::Metadata { host } => {
                let base = host.as_deref().unwrap_or(IMDS).trim_end_matches('/');
                let url = format!("{base}/metadata/identity/oauth2/token");
                let near = near(surroundings);
                let who = "the instance metadata service";
                (TokenService::new(who, (&url, IMDS_HOST), &near)?, None)
            }
        };
        Ok(Self {
            service,
            header,
            identity: identity.map(str::to_owned),
            target,
            secrets: Arc::clone(&surroundings.secrets),
        })
    }

    async fn sign_in(&self) -> Result<AccessToken, AuthError> {
        match &self.target {
            Target::Application {
                application,
                audience,
            } => {
                let (token, _) = self.token(audience).await?;
                let token = external_token(token.expose_secret())
                    .ok_or_else(|| self.service.unexpected("a JWT"))?;
                application.by_external_token(&token).await
            }
            Target::Itself { resource, tenant } => {
                let (token, lifetime) = self.token(resource).await?;
                let token = AccessToken::new(token, lifetime);
                let advice = "A managed identity belongs to the tenant of its subscription, which is \
                              no B2C tenant: let a multitenant application of that tenant trust the \
                              identity, consent to it in the B2C tenant, and set AZURE_CLIENT_ID to it.";
                tenant.check(&token, "the managed identity", advice).await?;
                Ok(token)
            }
        }
    }

    /// A token of the identity and how long it is good.
    async fn token(&self, resource: &str) -> Result<(SecretString, Duration), AuthError> {
        let version = match self.header {
            Some(_) => "2019-08-01",
            None => "2018-02-01",
        };
        let mut query = vec![("api-version", version), ("resource", resource)];
        query.extend(self.identity.as_deref().map(|id| ("client_id", id)));
        let secrets: Vec<&SecretString> = self.header.iter().collect();
        let answer = self
            .service
            .ask(
                Method::GET,
                &query,
                |request| match &self.header {
                    Some(header) => request.header("x-identity-header", header.expose_secret()),
                    None => request.header("metadata", "true"),
                },
                &secrets,
                |refused| advice(refused, self.identity.as_deref()),
            )
            .await?;
        let token = answer
            .get("access_token")
            .and_then(Value::as_str)
            .filter(|token| is_bearer(token))
            .ok_or_else(|| self.service.unexpected("a token in `access_token`"))?;
        let token = SecretString::from(token);
        self.secrets.on_secret(&token);
        Ok((token, lifetime(&answer)))
    }
}

/// The metadata service is a hop away: whoever waits long for it is not on Azure.
fn near(surroundings: &Surroundings) -> Surroundings {
    Surroundings {
        transport: TransportOptions {
            timeout: surroundings.transport.timeout.min(IMDS_TIMEOUT),
            ..surroundings.transport.clone()
        },
        retry: RetryPolicy {
            deadline: surroundings.retry.deadline.min(Duration::from_secs(60)),
            retries: surroundings.retry.retries.min(3),
            ..surroundings.retry.clone()
        },
        ..surroundings.clone()
    }
}

/// `expires_in` where it is given, otherwise from `expires_on`, seconds since 1970.
fn lifetime(answer: &Value) -> Duration {
    let given = answer.get("expires_in").and_then(number);
    let seconds = given.or_else(|| {
        let expires = answer.get("expires_on").and_then(number)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(expires.saturating_sub(now.as_secs()))
    });
    // Without either, the token is renewed soon.
    Duration::from_secs(seconds.unwrap_or(300))
}

fn advice(refused: &Refused, identity: Option<&str>) -> Option<String> {
    let found = match identity {
        Some(id) => format!("a user-assigned identity with client id {id}"),
        None => "an identity".to_owned(),
    };
    matches!(refused.status, 400 | 401 | 403 | 404).then(|| {
        format!(
            "Check that {found} is assigned to this machine. Where several are, name one as \
             managed_identity_client_id in iefctl.toml or in IEFCTL_MANAGED_IDENTITY_CLIENT_ID."
        )
    })
}

impl SignIn for ManagedIdentity {
    fn acquire(&self) -> SignInFuture<'_> {
        Box::pin(self.sign_in())
    }

    fn describe(&self) -> String {
        let identity = match &self.identity {
            Some(id) => format!("managed identity {id}"),
            None => "managed identity".to_owned(),
        };
        match &self.target {
            Target::Application { application, .. } => {
                format!("{identity} for application {}", application.client_id())
            }
            Target::Itself { .. } => identity,
        }
    }
}

impl fmt::Debug for ManagedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentity")
            .field("service", &self.service)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
