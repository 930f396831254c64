//! Which way to sign in: the one that was chosen, or the first that is there, in the order of
//! [`Method::ALL`]. Half a way is an error, never passed over: who set one of two variables means
//! something by it.

use std::path::PathBuf;

use secrecy::SecretString;

use super::credentials::{TENANT, checked_name};
use super::managed_identity::{ENDPOINT, HEADER, IMDS_HOST};
use super::{AuthError, IdentityService, Method, Way, azure_pipelines, github_oidc};

const CLIENT: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
const IDENTITY: &str = "IEFCTL_MANAGED_IDENTITY_CLIENT_ID";

/// A value and what it stands in: a variable, or a place in a file.
#[derive(Debug, Clone)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// The name of the variable, or the place.
    pub origin: String,
}

/// What is said about signing in otherwise than by the environment; all of it goes before the
/// environment.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The way.
    pub method: Option<Given<Method>>,
    /// The application.
    pub client_id: Option<Given<String>>,
    /// Its secret.
    pub client_secret: Option<Given<SecretString>>,
    /// The PEM file with its certificate.
    pub certificate: Option<Given<PathBuf>>,
    /// The file with a federated token.
    pub token_file: Option<Given<PathBuf>>,
    /// The Azure Pipelines service connection.
    pub service_connection: Option<Given<String>>,
    /// The user-assigned managed identity.
    pub managed_identity: Option<Given<String>>,
}

/// Reads a variable, trimmed; blank ones are not set.
type Read<'r> = &'r dyn Fn(&str) -> Option<String>;

/// Looks for one way at a time.
struct Search<'s> {
    choice: &'s Choice,
    read: Read<'s>,
    /// Whether the tenant is missing, which is told together with the rest.
    without_tenant: bool,
}

/// What a look for one way brings: the way and what shows that it is meant, or nothing.
type Found = Result<Option<(Way, String)>, AuthError>;

/// The way to sign in and why it is the one.
pub(super) fn choose(
    choice: &Choice,
    read: Read<'_>,
    without_tenant: bool,
) -> Result<(Way, String), AuthError> {
    let search = Search {
        choice,
        read,
        without_tenant,
    };
    if let Some(chosen) = &choice.method {
        let reason = format!("{} chooses {}", chosen.origin, chosen.value);
        return match search.look(chosen.value, Some(&reason))? {
            Some((way, _)) => search.with_tenant(chosen.value, way, reason),
            None => Err(search.missing(chosen.value, reason, &[])),
        };
    }
    for method in Method::ALL {
        if let Some((way, reason)) = search.look(method, None)? {
            return search.with_tenant(method, way, reason);
        }
    }
    Err(search.nothing())
}

impl Search<'_> {
    /// Looks for a way. `chosen` says by whom it was asked for; then what is missing is an error.
    fn look(&self, method: Method, chosen: Option<&str>) -> Found {
        match method {
            Method::Certificate => self.certificate(chosen),
            Method::FederatedToken => self.federated_token(chosen),
            Method::GithubOidc => self.github(chosen),
            Method::AzurePipelines => self.azure_pipelines(chosen),
            Method::ManagedIdentity => self.managed_identity(chosen),
            Method::AzureCli => self.azure_cli(chosen),
            Method::DeviceCode => self.device_code(chosen),
            Method::ClientSecret => self.client_secret(chosen),
        }
    }

    fn certificate(&self, chosen: Option<&str>) -> Found {
        let file = self.file(&self.choice.certificate, CERTIFICATE)?;
        let client_id = self.client_id(CLIENT)?;
        let Some(file) = file else {
            return self.absent(
                Method::Certificate,
                chosen,
                &[(CERTIFICATE, true), self.needs(&client_id)],
            );
        };
        let reason = format!("{} names a certificate", file.origin);
        let Some(client_id) = client_id else {
            return Err(self.missing(Method::Certificate, reason, &[CLIENT]));
        };
        let way = Way::Certificate {
            client_id,
            path: file.value,
            origin: file.origin,
        };
        Ok(Some((way, reason)))
    }

    fn federated_token(&self, chosen: Option<&str>) -> Found {
        let file = self.file(&self.choice.token_file, TOKEN_FILE)?;
        let client_id = self.client_id(CLIENT)?;
        let Some(file) = file else {
            return self.absent(
                Method::FederatedToken,
                chosen,
                &[(TOKEN_FILE, true), self.needs(&client_id)],
            );
        };
        let reason = format!("{} names the file of a token", file.origin);
        let Some(client_id) = client_id else {
            return Err(self.missing(Method::FederatedToken, reason, &[CLIENT]));
        };
        let way = Way::FederatedToken {
            client_id,
            path: file.value,
            origin: file.origin,
        };
        Ok(Some((way, reason)))
    }

    fn github(&self, chosen: Option<&str>) -> Found {
        let url = self.variable(github_oidc::URL)?;
        let token = self.variable(github_oidc::TOKEN)?;
        let client_id = self.client_id(CLIENT)?;
        let all = [
            (github_oidc::URL, url.is_none()),
            (github_oidc::TOKEN, token.is_none()),
            self.needs(&client_id),
        ];
        match (url, token, client_id) {
            (Some(url), Some(token), Some(client_id)) => {
                let way = Way::GithubOidc {
                    client_id,
                    url,
                    request_token: SecretString::from(token),
                };
                let reason = format!("{} and {} are set", github_oidc::URL, github_oidc::TOKEN);
                Ok(Some((way, reason)))
            }
            (None, None, _) => self.absent(Method::GithubOidc, chosen, &all),
            (url, _, _) => {
                let found = if url.is_some() {
                    github_oidc::URL
                } else {
                    github_oidc::TOKEN
                };
                Err(self.incomplete(Method::GithubOidc, chosen, found, &all))
            }
        }
    }

    fn azure_pipelines(&self, chosen: Option<&str>) -> Found {
        let url = self.variable(azure_pipelines::URL)?;
        let token = self.variable(azure_pipelines::TOKEN)?;
        let connection = self.name(
            &self.choice.service_connection,
            azure_pipelines::CONNECTION,
            "the id of a service connection, a GUID",
        )?;
        let client_id = match self.client_id(CLIENT)? {
            Some(client_id) => Some(client_id),
            None => self.client_id(azure_pipelines::CLIENT)?,
        };
        let all = [
            (azure_pipelines::URL, url.is_none()),
            (azure_pipelines::TOKEN, token.is_none()),
            (azure_pipelines::CONNECTION, connection.is_none()),
            self.needs(&client_id),
        ];
        match (url, token, connection, client_id) {
            (Some(url), Some(token), Some(connection), Some(client_id)) => {
                let reason = format!("{} names a service connection", connection.origin);
                let way = Way::AzurePipelines {
                    client_id,
                    url,
                    access_token: SecretString::from(token),
                    connection: connection.value,
                };
                Ok(Some((way, reason)))
            }
            // Only the connection shows that this is meant: the agent sets the URL in every job, and
            // jobs map their token for other purposes.
            (_, _, Some(connection), _) => {
                Err(self.incomplete(Method::AzurePipelines, chosen, &connection.origin, &all))
            }
            _ => self.absent(Method::AzurePipelines, chosen, &all),
        }
    }

    fn managed_identity(&self, chosen: Option<&str>) -> Found {
        let endpoint = self.variable(ENDPOINT)?;
        let header = self.variable(HEADER)?;
        let service = match (endpoint, header) {
            (Some(endpoint), Some(header)) => IdentityService::AppService {
                endpoint,
                header: SecretString::from(header),
            },
            (None, None) if chosen.is_some() => IdentityService::Metadata {
                host: self.variable(IMDS_HOST)?,
            },
            (None, None) => return Ok(None),
            (endpoint, header) => {
                let all = [(ENDPOINT, endpoint.is_none()), (HEADER, header.is_none())];
                let found = if endpoint.is_some() { ENDPOINT } else { HEADER };
                return Err(self.incomplete(Method::ManagedIdentity, chosen, found, &all));
            }
        };
        let expected = "the client id of a user-assigned identity, a GUID";
        let identity = self.name(&self.choice.managed_identity, IDENTITY, expected)?;
        let way = Way::ManagedIdentity {
            client_id: self.client_id(CLIENT)?,
            identity: identity.map(|identity| identity.value),
            service,
        };
        Ok(Some((way, format!("{ENDPOINT} and {HEADER} are set"))))
    }

    /// Not looked for where an application is named, which az need not be signed in as.
    fn azure_cli(&self, chosen: Option<&str>) -> Found {
        let named = (self.read)(CLIENT).is_some() || (self.read)(SECRET).is_some();
        let named = named || self.choice.client_secret.is_some();
        if chosen.is_none() && named {
            return Ok(None);
        }
        let Some(program) = self.on_path(&["az", "az.cmd", "az.exe"]) else {
            return match chosen {
                None => Ok(None),
                Some(reason) => Err(AuthError::Source {
                    who: "Azure CLI",
                    what: format!("is not installed: `az` is in no folder of PATH ({reason})"),
                    advice: Some(
                        "Install Azure CLI, or choose another way with --auth.".to_owned(),
                    ),
                }),
            };
        };
        let reason = format!(
            "no variable names another way, and Azure CLI is there (`{}`)",
            program.display()
        );
        Ok(Some((Way::AzureCli { program }, reason)))
    }

    /// Never taken unasked: it waits for a person.
    fn device_code(&self, chosen: Option<&str>) -> Found {
        if chosen.is_none() {
            return Ok(None);
        }
        let client_id = self.client_id(CLIENT)?;
        let needs = self.needs(&client_id);
        match client_id {
            Some(client_id) => Ok(Some((Way::DeviceCode { client_id }, String::new()))),
            None => self.absent(Method::DeviceCode, chosen, &[needs]),
        }
    }

    fn client_secret(&self, chosen: Option<&str>) -> Found {
        let secret = match &self.choice.client_secret {
            Some(given) => Some(given.clone()),
            None => self.variable(SECRET)?.map(|value| Given {
                value: SecretString::from(value),
                origin: SECRET.to_owned(),
            }),
        };
        let client_id = self.client_id(CLIENT)?;
        let all = [(SECRET, secret.is_none()), self.needs(&client_id)];
        match (secret, client_id) {
            (Some(secret), Some(client_id)) => {
                let reason = format!("{} is set, and nothing better", secret.origin);
                let way = Way::ClientSecret {
                    client_id,
                    secret: secret.value,
                };
                Ok(Some((way, reason)))
            }
            (Some(secret), None) => {
                Err(self.incomplete(Method::ClientSecret, chosen, &secret.origin, &all))
            }
            (None, _) => self.absent(Method::ClientSecret, chosen, &all),
        }
    }

    /// Nothing of a way is there: no error, unless it was chosen.
    fn absent(&self, method: Method, chosen: Option<&str>, all: &[(&str, bool)]) -> Found {
        match chosen {
            None => Ok(None),
            Some(reason) => Err(self.missing(method, reason.to_owned(), &lacking(all))),
        }
    }

    /// A part of a way is there.
    fn incomplete(
        &self,
        method: Method,
        chosen: Option<&str>,
        found: &str,
        all: &[(&str, bool)],
    ) -> AuthError {
        let reason = chosen.map_or_else(|| format!("{found} is set"), str::to_owned);
        self.missing(method, reason, &lacking(all))
    }

    fn missing(&self, method: Method, reason: String, names: &[&str]) -> AuthError {
        let tenant = self.without_tenant.then_some(TENANT);
        let names = tenant.into_iter().chain(names.iter().copied());
        AuthError::MissingVariables {
            method,
            reason,
            names: names.map(str::to_owned).collect(),
        }
    }

    fn with_tenant(
        &self,
        method: Method,
        way: Way,
        reason: String,
    ) -> Result<(Way, String), AuthError> {
        if self.without_tenant {
            return Err(self.missing(method, reason, &[]));
        }
        Ok((way, reason))
    }

    /// Nothing is complete. What was almost a way is the best hint.
    fn nothing(&self) -> AuthError {
        let is_set = |name: &str| (self.read)(name).is_some();
        let is_true =
            |name: &str| (self.read)(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let mut hints = Vec::new();
        if is_set(CLIENT) {
            hints.push(format!(
                "{CLIENT} is set, but nothing by which the application proves itself, such as {SECRET}"
            ));
        } else {
            hints.push(format!("neither {CLIENT} nor {SECRET} is set"));
        }
        if is_true("GITHUB_ACTIONS") {
            hints.push(format!(
                "the job has no `permissions: id-token: write`, with which GitHub sets {} and {}",
                github_oidc::URL,
                github_oidc::TOKEN
            ));
        }
        if is_set(azure_pipelines::URL) {
            let token = if is_set(azure_pipelines::TOKEN) {
                String::new()
            } else {
                format!("{} and ", azure_pipelines::TOKEN)
            };
            hints.push(format!(
                "{} is there, but {token}{} (the service connection) is not set",
                azure_pipelines::URL,
                azure_pipelines::CONNECTION
            ));
        }
        if self.without_tenant {
            hints.push(format!("{TENANT} is not set"));
        }
        AuthError::NothingFound {
            hint: Some(hints.join("; ")),
        }
    }

    const fn needs(&self, client_id: &Option<String>) -> (&'static str, bool) {
        (CLIENT, client_id.is_none())
    }

    /// The application: the one that was chosen, else that of the variable.
    fn client_id(&self, variable: &str) -> Result<Option<String>, AuthError> {
        let expected = "the application's id, a GUID";
        let found = self.name(&self.choice.client_id, variable, expected)?;
        Ok(found.map(|client_id| client_id.value))
    }

    /// An id, chosen or from a variable.
    fn name(
        &self,
        chosen: &Option<Given<String>>,
        variable: &str,
        expected: &str,
    ) -> Result<Option<Given<String>>, AuthError> {
        let found = match chosen {
            Some(given) => Some(given.clone()),
            None => self.variable(variable)?.map(|value| Given {
                value,
                origin: variable.to_owned(),
            }),
        };
        found
            .map(|Given { value, origin }| {
                let value = checked_name(value, &origin, expected)?;
                Ok(Given { value, origin })
            })
            .transpose()
    }

    fn file(
        &self,
        chosen: &Option<Given<PathBuf>>,
        variable: &str,
    ) -> Result<Option<Given<PathBuf>>, AuthError> {
        if let Some(given) = chosen {
            return Ok(Some(given.clone()));
        }
        let Some(path) = self.variable(variable)? else {
            return Ok(None);
        };
        // Somebody stored the content where its path belongs; a message must not repeat it.
        if path.contains("-----BEGIN") || path.contains('\n') || path.starts_with("eyJ") {
            return Err(AuthError::InvalidSetting {
                name: variable.to_owned(),
                reason: "must hold the path of a file, not its content: write the content to a \
                         file that only this job can read"
                    .to_owned(),
            });
        }
        Ok(Some(Given {
            value: PathBuf::from(path),
            origin: variable.to_owned(),
        }))
    }

    /// A variable, which must not be a macro that Azure Pipelines left as it stands.
    fn variable(&self, name: &str) -> Result<Option<String>, AuthError> {
        let Some(value) = (self.read)(name) else {
            return Ok(None);
        };
        let macro_name = value
            .strip_prefix("$(")
            .and_then(|rest| rest.strip_suffix(')'))
            .filter(|name| {
                name.chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
            });
        match macro_name {
            None => Ok(Some(value)),
            Some(inner) => Err(AuthError::InvalidSetting {
                name: name.to_owned(),
                reason: format!(
                    "holds the text $({inner}) itself: Azure Pipelines knows no variable {inner}, or \
                     it is in a group that this job does not use"
                ),
            }),
        }
    }

    fn on_path(&self, names: &[&str]) -> Option<PathBuf> {
        let path = (self.read)("PATH")?;
        std::env::split_paths(&path)
            // A relative folder means another program wherever one is.
            .filter(|folder| folder.is_absolute())
            .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
            .find(|file| is_program(file))
    }
}

/// The names of what is missing.
fn lacking<'n>(all: &[(&'n str, bool)]) -> Vec<&'n str> {
    let missing = all.iter().filter(|(_, missing)| *missing);
    missing.map(|(name, _)| *name).collect()
}

fn is_program(file: &std::path::Path) -> bool {
    let Ok(metadata) = std::fs::metadata(file) else {
        return false;
    };
    #[cfg(unix)]
    let may_run = {
        use std::os::unix::fs::PermissionsExt as _;
        metadata.permissions().mode() & 0o111 != 0
    };
    // Only what has an extension runs on Windows; `az` without one is for other shells.
    #[cfg(not(unix))]
    let may_run = file.extension().is_some();
    metadata.is_file() && may_run
}

#[cfg(test)]
mod tests;
