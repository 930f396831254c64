use std::path::PathBuf;

use secrecy::SecretString;

use super::choice::{Choice, choose};
use super::{
    AuthError, AzureCli, AzurePipelines, ClientCertificate, ClientSecret, Cloud, DeviceCode,
    Endpoint, Endpoints, FederatedTokenFile, GithubOidc, IdentityService, ManagedIdentity,
    Surroundings, TokenSource,
};

/// The variable with the tenant.
pub(super) const TENANT: &str = "AZURE_TENANT_ID";
const AUTHORITY: &str = "AZURE_AUTHORITY_HOST";

/// Who signs in to which tenant, and how. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Id or a verified domain of the tenant.
    pub tenant: String,
    /// How.
    pub way: Way,
    /// Why this way was taken, to be read behind "because".
    pub reason: String,
    /// The login endpoint that `AZURE_AUTHORITY_HOST` names.
    pub authority: Option<Endpoint>,
}

/// How somebody signs in, with everything that belongs to it.
#[derive(Debug, Clone)]
pub enum Way {
    /// See [`ClientCertificate`].
    Certificate {
        /// The application.
        client_id: String,
        /// The PEM file.
        path: PathBuf,
        /// The setting that names the file.
        origin: String,
    },
    /// See [`FederatedTokenFile`].
    FederatedToken {
        /// The application.
        client_id: String,
        /// The file.
        path: PathBuf,
        /// The setting that names the file.
        origin: String,
    },
    /// See [`GithubOidc`].
    GithubOidc {
        /// The application.
        client_id: String,
        /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
        url: String,
        /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        request_token: SecretString,
    },
    /// See [`AzurePipelines`].
    AzurePipelines {
        /// The application.
        client_id: String,
        /// `SYSTEM_OIDCREQUESTURI`.
        url: String,
        /// `SYSTEM_ACCESSTOKEN`.
        access_token: SecretString,
        /// The id of the service connection.
        connection: String,
    },
    /// See [`ManagedIdentity`].
    ManagedIdentity {
        /// The application that trusts the identity; `None`: the identity itself.
        client_id: Option<String>,
        /// The client id of the user-assigned identity that is meant.
        identity: Option<String>,
        /// Who gives the identity's tokens.
        service: IdentityService,
    },
    /// See [`AzureCli`].
    AzureCli {
        /// The program `az`.
        program: PathBuf,
    },
    /// See [`DeviceCode`].
    DeviceCode {
        /// The public client.
        client_id: String,
    },
    /// See [`ClientSecret`].
    ClientSecret {
        /// The application.
        client_id: String,
        /// A secret that Entra knows too.
        secret: SecretString,
    },
}

impl Credentials {
    /// Finds a way to sign in by the variables that the Azure SDKs and the platforms use, read
    /// through `lookup`, with the tenant from `AZURE_TENANT_ID`. A blank variable counts as not set:
    /// CI systems pass missing secrets as empty text.
    ///
    /// # Errors
    /// As [`Credentials::find`].
    pub fn from_environment(lookup: &impl Fn(&str) -> Option<String>) -> Result<Self, AuthError> {
        Self::find(None, &Choice::default(), lookup)
    }

    /// Finds a way to sign in to `tenant` (`None`: the one in `AZURE_TENANT_ID`). What `choice` says
    /// goes before the environment; what it leaves open is looked for in the order of
    /// [`super::Method::ALL`].
    ///
    /// # Errors
    /// [`AuthError::NothingFound`]; [`AuthError::MissingVariables`] names all that are missing of a
    /// way that was chosen or is half there; [`AuthError::InvalidSetting`] and
    /// [`AuthError::Endpoint`] name the setting whose value cannot be right.
    pub fn find(
        tenant: Option<&str>,
        choice: &Choice,
        lookup: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, AuthError> {
        let read = |name: &str| {
            let value = lookup(name)?;
            let value = value.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let tenant_name = if tenant.is_some() {
            "the tenant"
        } else {
            TENANT
        };
        let tenant = tenant.map(str::to_owned).or_else(|| read(TENANT));
        let (way, reason) = choose(choice, &read, tenant.is_none())?;
        let authority = read(AUTHORITY)
            .map(|text| Endpoint::parse(&text, AUTHORITY))
            .transpose()?;
        let tenant = tenant.unwrap_or_default();
        Ok(Self {
            tenant: checked_name(tenant, tenant_name, "contoso.onmicrosoft.com or a GUID")?,
            way,
            reason,
            authority,
        })
    }

    /// The endpoints to use: explicit ones first, then `cloud`, then `AZURE_AUTHORITY_HOST` with the
    /// Graph of the cloud that it belongs to, then the global cloud. With `cloud`, the variable only
    /// counts if it is the login host of that cloud or of none.
    ///
    /// # Errors
    /// [`AuthError::Endpoint`] if an explicit endpoint is unusable, [`AuthError::InvalidSetting`] if
    /// the authority is not Microsoft's and nothing says which Graph belongs to it.
    pub fn endpoints(
        &self,
        cloud: Option<Cloud>,
        login: Option<&str>,
        graph: Option<&str>,
    ) -> Result<Endpoints, AuthError> {
        // Platforms set the variable to their own cloud.
        let of_other_cloud = |host: &Endpoint| {
            let of_host = Cloud::of_login_host(host.host());
            let both = of_host.zip(cloud);
            both.is_some_and(|(one, other)| one.login_endpoint() != other.login_endpoint())
        };
        let authority = self.authority.as_ref();
        let authority = authority.filter(|host| login.is_none() && !of_other_cloud(host));
        let of_authority = authority.and_then(|host| Cloud::of_login_host(host.host()));
        if let Some(host) = authority
            && of_authority.is_none()
            && cloud.is_none()
            && graph.is_none()
        {
            return Err(AuthError::InvalidSetting {
                name: AUTHORITY.to_owned(),
                reason: format!(
                    "names {}, which is no login host of Microsoft: say which Graph endpoint or \
                     cloud belongs to it",
                    host.host()
                ),
            });
        }
        let of_login = || {
            let login = Endpoint::parse(login?, "").ok()?;
            Cloud::of_login_host(login.host())
        };
        let cloud = cloud.or(of_authority).or_else(of_login);
        let mut endpoints = Endpoints::new(cloud.unwrap_or(Cloud::Global), login, graph)?;
        if let Some(host) = authority {
            endpoints.login = host.clone();
        }
        Ok(endpoints)
    }

    /// A source of tokens for these credentials. Files are read, but nothing is sent before the
    /// first token is asked for.
    ///
    /// # Errors
    /// [`AuthError::Transport`] if the HTTP client cannot be set up, and what is wrong with a file
    /// or a variable.
    pub fn token_source(
        &self,
        endpoints: &Endpoints,
        surroundings: &Surroundings,
    ) -> Result<TokenSource, AuthError> {
        let tenant = &self.tenant;
        Ok(match &self.way {
            Way::Certificate {
                client_id,
                path,
                origin,
            } => {
                let file = (path.as_path(), origin.as_str());
                let way = ClientCertificate::new(endpoints, tenant, client_id, file, surroundings);
                TokenSource::new(way?)
            }
            Way::FederatedToken {
                client_id,
                path,
                origin,
            } => {
                let file = (path.as_path(), origin.as_str());
                let way = FederatedTokenFile::new(endpoints, tenant, client_id, file, surroundings);
                TokenSource::new(way?)
            }
            Way::GithubOidc {
                client_id,
                url,
                request_token,
            } => {
                let job = (url.as_str(), request_token);
                TokenSource::new(GithubOidc::new(
                    endpoints,
                    tenant,
                    client_id,
                    job,
                    surroundings,
                )?)
            }
            Way::AzurePipelines {
                client_id,
                url,
                access_token,
                connection,
            } => {
                let job = (url.as_str(), access_token, connection.as_str());
                let way = AzurePipelines::new(endpoints, tenant, client_id, job, surroundings);
                TokenSource::new(way?)
            }
            Way::ManagedIdentity {
                client_id,
                identity,
                service,
            } => {
                let application = client_id.as_deref();
                let machine = (service, identity.as_deref());
                let way =
                    ManagedIdentity::new(endpoints, tenant, application, machine, surroundings);
                TokenSource::new(way?)
            }
            Way::AzureCli { program } => {
                TokenSource::new(AzureCli::new(endpoints, tenant, program, surroundings)?)
            }
            Way::DeviceCode { client_id } => {
                TokenSource::new(DeviceCode::new(endpoints, tenant, client_id, surroundings)?)
            }
            Way::ClientSecret { client_id, secret } => TokenSource::new(ClientSecret::new(
                endpoints,
                tenant,
                client_id,
                secret.clone(),
                surroundings,
            )?),
        })
    }
}

/// Tenants and application ids consist of letters, digits, dots, hyphens and underscores; anything
/// else is a placeholder that was not replaced, or a value in the wrong variable.
pub(super) fn checked_name(value: String, name: &str, expected: &str) -> Result<String, AuthError> {
    let plausible = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if value.chars().all(plausible) && value.chars().any(char::is_alphanumeric) {
        Ok(value)
    } else {
        Err(AuthError::InvalidSetting {
            name: name.to_owned(),
            reason: format!("has a value that cannot be right; expected is {expected}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| {
            let pair = pairs.iter().find(|(key, _)| *key == name)?;
            Some(pair.1.to_owned())
        }
    }

    const CLIENT: &str = "AZURE_CLIENT_ID";
    const SECRET: &str = "AZURE_CLIENT_SECRET";
    const COMPLETE: [(&str, &str); 3] = [
        (TENANT, "contoso.onmicrosoft.com"),
        (CLIENT, "11111111-1111-1111-1111-111111111111"),
        (SECRET, "s3cret~value\n"),
    ];

    #[test]
    fn values_in_the_wrong_variable_are_refused_without_being_shown() {
        let pairs = [
            (TENANT, "contoso.com"),
            (CLIENT, "a~b/s3cret"),
            (SECRET, "x"),
        ];
        let error = Credentials::from_environment(&lookup(&pairs)).unwrap_err();
        assert!(error.to_string().starts_with(CLIENT), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
        let pairs = [(TENANT, "../x"), (CLIENT, "a"), (SECRET, "x")];
        assert!(Credentials::from_environment(&lookup(&pairs)).is_err());
    }

    #[test]
    fn credentials_show_no_secret() {
        let credentials = Credentials::from_environment(&lookup(&COMPLETE)).unwrap();
        assert!(!format!("{credentials:?}").contains("s3cret"));
    }

    #[test]
    fn the_authority_leads_to_its_cloud() {
        let mut pairs = COMPLETE.to_vec();
        pairs.push((AUTHORITY, "https://login.microsoftonline.us/"));
        let credentials = Credentials::from_environment(&lookup(&pairs)).unwrap();
        let endpoints = credentials.endpoints(None, None, None).unwrap();
        assert_eq!(endpoints.graph.to_string(), "https://graph.microsoft.us");
        let dod = credentials
            .endpoints(Some(Cloud::UsGovL5), None, None)
            .unwrap();
        assert_eq!(dod.graph.to_string(), "https://dod-graph.microsoft.us");
        assert_eq!(dod.login.to_string(), "https://login.microsoftonline.us");
        // A cloud that is named goes before the variable, which platforms set to their own.
        let china = credentials
            .endpoints(Some(Cloud::China), None, None)
            .unwrap();
        assert_eq!(
            (china.login.to_string(), china.graph.to_string()),
            (
                "https://login.partner.microsoftonline.cn".to_owned(),
                "https://microsoftgraph.chinacloudapi.cn".to_owned()
            )
        );

        pairs.pop();
        pairs.push((AUTHORITY, "http://contoso.com"));
        let error = Credentials::from_environment(&lookup(&pairs)).unwrap_err();
        assert!(matches!(error, AuthError::Endpoint(_)), "{error}");

        pairs.pop();
        pairs.push((AUTHORITY, "https://login.contoso.com"));
        let credentials = Credentials::from_environment(&lookup(&pairs)).unwrap();
        assert!(credentials.endpoints(None, None, None).is_err());
        let graph = Some("http://127.0.0.1:1");
        let endpoints = credentials.endpoints(None, None, graph).unwrap();
        assert_eq!(endpoints.login.host(), "login.contoso.com");
        let endpoints = credentials
            .endpoints(Some(Cloud::China), None, None)
            .unwrap();
        assert_eq!(endpoints.login.host(), "login.contoso.com");
        assert_eq!(endpoints.cloud, Cloud::China);
    }

    #[test]
    fn an_explicit_login_endpoint_leads_to_its_cloud() {
        let credentials = Credentials::from_environment(&lookup(&COMPLETE)).unwrap();
        let login = Some("https://login.partner.microsoftonline.cn");
        let endpoints = credentials.endpoints(None, login, None).unwrap();
        assert_eq!(endpoints.cloud, Cloud::China);
        // A stand-in for one cloud's login and Graph still asks for tokens of that cloud.
        let stand_in = Some("http://127.0.0.1:1");
        let endpoints = credentials
            .endpoints(Some(Cloud::UsGovL5), stand_in, stand_in)
            .unwrap();
        assert_eq!(
            endpoints.graph_scope(),
            "https://dod-graph.microsoft.us/.default"
        );
    }
}
