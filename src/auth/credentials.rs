use secrecy::SecretString;

use super::{
    AuthError, ClientSecret, Cloud, Endpoint, Endpoints, RetryPolicy, TokenSource, TransportOptions,
};

const TENANT: &str = "AZURE_TENANT_ID";
const CLIENT: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const AUTHORITY: &str = "AZURE_AUTHORITY_HOST";

/// Who signs in to which tenant, and how. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Id or a verified domain of the tenant.
    pub tenant: String,
    /// Id of the application.
    pub client_id: String,
    /// How the application proves itself.
    pub way: Way,
    /// The login endpoint that `AZURE_AUTHORITY_HOST` names.
    pub authority: Option<Endpoint>,
}

/// How the application proves itself.
#[derive(Debug, Clone)]
pub enum Way {
    /// By a secret that Entra knows too.
    ClientSecret(SecretString),
}

impl Credentials {
    /// Reads the variables that the Azure SDKs use, through `lookup`. A blank variable counts as not
    /// set: CI systems pass missing secrets as empty text.
    ///
    /// # Errors
    /// [`AuthError::MissingVariables`] names all that are missing; [`AuthError::InvalidSetting`] and
    /// [`AuthError::Endpoint`] name the variable whose value cannot be right.
    pub fn from_environment(lookup: &impl Fn(&str) -> Option<String>) -> Result<Self, AuthError> {
        Self::for_tenant(None, lookup)
    }

    /// The same for a tenant that is known otherwise; then `AZURE_TENANT_ID` is not read.
    ///
    /// # Errors
    /// As [`Credentials::from_environment`].
    pub fn for_tenant(
        tenant: Option<&str>,
        lookup: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, AuthError> {
        let read = |name: &'static str| {
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
        let client_id = read(CLIENT);
        let secret = read(SECRET);
        let (Some(tenant), Some(client_id), Some(secret)) =
            (tenant.clone(), client_id.clone(), secret.clone())
        else {
            let all = [
                (TENANT, tenant.is_none()),
                (CLIENT, client_id.is_none()),
                (SECRET, secret.is_none()),
            ];
            let missing = all.into_iter().filter(|(_, missing)| *missing);
            return Err(AuthError::MissingVariables {
                names: missing.map(|(name, _)| name).collect(),
            });
        };
        let authority = read(AUTHORITY)
            .map(|text| Endpoint::parse(&text, AUTHORITY))
            .transpose()?;
        Ok(Self {
            tenant: checked_name(tenant, tenant_name, "contoso.onmicrosoft.com or a GUID")?,
            client_id: checked_name(client_id, CLIENT, "the application's GUID")?,
            way: Way::ClientSecret(SecretString::from(secret)),
            authority,
        })
    }

    /// The endpoints to use: explicit ones first, then `AZURE_AUTHORITY_HOST` (with the Graph of
    /// the cloud that it belongs to), then `cloud`, then the global cloud.
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
        let authority = self.authority.as_ref().filter(|_| login.is_none());
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
        let cloud = cloud.or(of_authority).unwrap_or(Cloud::Global);
        let mut endpoints = Endpoints::new(cloud, login, graph)?;
        if let Some(host) = authority {
            endpoints.login = host.clone();
        }
        Ok(endpoints)
    }

    /// A source of tokens for these credentials. Nothing is sent before the first token is asked
    /// for.
    ///
    /// # Errors
    /// [`AuthError::Transport`] if the HTTP client cannot be set up.
    pub fn token_source(
        &self,
        endpoints: &Endpoints,
        transport: &TransportOptions,
        retry: RetryPolicy,
    ) -> Result<TokenSource, AuthError> {
        match &self.way {
            Way::ClientSecret(secret) => Ok(TokenSource::new(ClientSecret::new(
                endpoints,
                &self.tenant,
                &self.client_id,
                secret.clone(),
                transport,
                retry,
            )?)),
        }
    }
}

/// Tenants and application ids consist of letters, digits, dots, hyphens and underscores; anything
/// else is a placeholder that was not replaced, or a value in the wrong variable.
fn checked_name(value: String, name: &str, expected: &str) -> Result<String, AuthError> {
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

    const COMPLETE: [(&str, &str); 3] = [
        (TENANT, "contoso.onmicrosoft.com"),
        (CLIENT, "11111111-1111-1111-1111-111111111111"),
        (SECRET, "s3cret~value\n"),
    ];

    #[test]
    fn all_missing_variables_are_named_at_once() {
        let error =
            Credentials::from_environment(&lookup(&[(CLIENT, "a"), (SECRET, "  ")])).unwrap_err();
        let names = vec![TENANT, SECRET];
        assert_eq!(error, AuthError::MissingVariables { names });
        let error = Credentials::for_tenant(Some("contoso.com"), &lookup(&[])).unwrap_err();
        let names = vec![CLIENT, SECRET];
        assert_eq!(error, AuthError::MissingVariables { names });
    }

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
    }
}
