//! How a command signs in: what the command line, the environment and the configuration choose, who
//! is asked, and what is said about it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use secrecy::SecretString;

use super::Shell;
use super::masking::Masking;
use crate::auth::{
    AuthError, Choice, Cloud, Credentials, DevicePrompt, Endpoints, Given, Method, Person,
    RetryPolicy, Surroundings, TokenClaims, TransportOptions, Waiting, Way,
};
use crate::config::{Stated, TenantAccess, ValueSource};
use crate::diagnostics::near_miss;

const AUTH: &str = "IEFCTL_AUTH";

impl clap::ValueEnum for Method {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()))
    }
}

/// Who signs in, and where.
pub(super) struct SignInPlan {
    pub(super) credentials: Credentials,
    pub(super) endpoints: Endpoints,
}

/// What the command line says about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) auth: Option<Method>,
    pub(super) cloud: Option<&'a str>,
    pub(super) login_endpoint: Option<&'a str>,
    pub(super) graph_endpoint: Option<&'a str>,
}

/// Finds out who signs in to `tenant`; nothing is sent.
pub(super) fn plan(
    tenant: &str,
    asked: Asked<'_>,
    access: &TenantAccess,
    shell: &Shell,
) -> Result<SignInPlan> {
    let cloud = cloud(asked.cloud, access.cloud.as_ref())?;
    let (choice, unread) = choice(asked.auth, access, shell)?;
    let lookup = |name: &str| shell.variable(name);
    let found = Credentials::find(Some(tenant), &choice, &lookup);
    let credentials = found.map_err(|error| match (&error, unread) {
        (AuthError::NothingFound { .. }, Some(unread)) => anyhow!("{error}; {unread}"),
        _ => explained(&error),
    })?;
    let endpoints = credentials
        .endpoints(cloud, asked.login_endpoint, asked.graph_endpoint)
        .map_err(|error| explained(&error))?;
    Ok(SignInPlan {
        credentials,
        endpoints,
    })
}

/// An error with what to do about it.
pub(super) fn explained(error: &AuthError) -> anyhow::Error {
    match error.advice() {
        Some(advice) => anyhow!("{error}\n  help: {advice}"),
        None => anyhow!("{error}"),
    }
}

/// What signing in needs from outside: the person at the terminal, and the CI system that masks.
pub(super) fn surroundings(
    transport: TransportOptions,
    retry: RetryPolicy,
    shell: &Shell,
) -> Surroundings {
    let mut surroundings = Surroundings::new(transport, retry);
    if let Some(masking) = Masking::new(shell) {
        surroundings.secrets = Arc::new(masking);
    }
    surroundings.waiting = Arc::new(Watcher(*shell));
    if shell.stderr_is_terminal() {
        surroundings.person = Some(Arc::new(Terminal(*shell)));
    }
    surroundings
}

/// Whoever wonders why signing in takes so long.
struct Watcher(Shell);

impl Waiting for Watcher {
    fn on_wait(&self, reason: &str, delay: Duration) {
        self.0.say(format!(
            "{reason}; trying again in {} s",
            delay.as_secs_f32().round().max(1.0)
        ));
    }
}

/// The person at the terminal.
struct Terminal(Shell);

impl Person for Terminal {
    fn ask(&self, prompt: &DevicePrompt) {
        // Asked with `-q` as well: without an answer nothing goes on.
        let loud = Shell {
            quiet: false,
            ..self.0
        };
        loud.say(format!(
            "To sign in, open {} in a browser and enter the code {} within {} minutes.",
            prompt.verification_uri,
            prompt.user_code,
            prompt.expires_in.as_secs().div_ceil(60)
        ));
    }
}

fn cloud(asked: Option<&str>, stated: Option<&Stated<String>>) -> Result<Option<Cloud>> {
    let (name, place) = match (asked, stated) {
        (Some(name), _) => (name, String::new()),
        (None, Some(stated)) => (stated.value.as_str(), format!("{}: ", stated.place)),
        (None, None) => return Ok(None),
    };
    match Cloud::from_name(name) {
        Some(cloud) => Ok(Some(cloud)),
        None => {
            let names = Cloud::ALL.map(Cloud::name);
            let suggestion = match near_miss(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected one of {}", names.join(", ")),
            };
            bail!(
                "{place}unknown cloud `{}`, {suggestion}",
                name.escape_debug()
            )
        }
    }
}

/// What is chosen: by the command line before IEFCTL_AUTH before the configuration. Also what the
/// configuration names that is not there, which only matters if nothing else is.
fn choice(
    asked: Option<Method>,
    access: &TenantAccess,
    shell: &Shell,
) -> Result<(Choice, Option<String>)> {
    let configured = match &access.auth {
        Some(stated) => {
            let method = method(&stated.value, &format!("{}: `auth`", stated.place))?;
            belongs(method, access)?;
            Some(Given {
                value: method,
                origin: format!("{} (`auth`)", stated.place),
            })
        }
        None => None,
    };
    let method = match (asked, shell.variable(AUTH)) {
        (Some(value), _) => Some(Given {
            value,
            origin: "--auth".to_owned(),
        }),
        (None, Some(name)) => Some(Given {
            value: method(name.trim(), AUTH)?,
            origin: AUTH.to_owned(),
        }),
        (None, None) => configured,
    };
    let mut unread = None;
    let client_secret = match &access.client_secret {
        None => None,
        Some(stated) => match secret(stated, shell) {
            Ok(given) => Some(given),
            Err(reason) => {
                let is_needed = method
                    .as_ref()
                    .is_some_and(|method| method.value == Method::ClientSecret);
                if is_needed {
                    bail!(reason);
                }
                unread = Some(reason);
                None
            }
        },
    };
    let choice = Choice {
        method,
        client_id: access.client_id.as_ref().map(given),
        client_secret,
        certificate: access.certificate.as_ref().map(given),
        token_file: access.token_file.as_ref().map(given),
        service_connection: access.service_connection_id.as_ref().map(given),
        managed_identity: access.managed_identity_client_id.as_ref().map(given),
    };
    Ok((choice, unread))
}

fn given<T: Clone>(stated: &Stated<T>) -> Given<T> {
    Given {
        value: stated.value.clone(),
        origin: stated.place.clone(),
    }
}

fn method(name: &str, origin: &str) -> Result<Method> {
    if let Some(method) = Method::from_name(name) {
        return Ok(method);
    }
    let names = Method::ALL.map(Method::name);
    let suggestion = match near_miss(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the ways are {}", names.join(", ")),
    };
    bail!(
        "{origin} is `{}`, which is no way to sign in; {suggestion}",
        name.escape_debug()
    )
}

/// Keys that belong to another way than the one that the same environment chooses are a mistake.
fn belongs(method: Method, access: &TenantAccess) -> Result<()> {
    let keys = [
        (
            "client_secret",
            Method::ClientSecret,
            access.client_secret.as_ref().map(|it| &it.place),
        ),
        (
            "certificate",
            Method::Certificate,
            access.certificate.as_ref().map(|it| &it.place),
        ),
        (
            "token_file",
            Method::FederatedToken,
            access.token_file.as_ref().map(|it| &it.place),
        ),
        (
            "service_connection_id",
            Method::AzurePipelines,
            access.service_connection_id.as_ref().map(|it| &it.place),
        ),
        (
            "managed_identity_client_id",
            Method::ManagedIdentity,
            access
                .managed_identity_client_id
                .as_ref()
                .map(|it| &it.place),
        ),
    ];
    for (key, of, place) in keys {
        if let Some(place) = place
            && of != method
        {
            bail!(
                "{place}: `{key}` belongs to auth = \"{of}\", but the environment chooses \
                 \"{method}\"; remove one of them"
            );
        }
    }
    if let Some(client_id) = &access.client_id
        && method == Method::AzureCli
    {
        bail!(
            "{}: `client_id` has no meaning for auth = \"azure-cli\", which signs in as whoever az \
             is; remove it",
            client_id.place
        );
    }
    Ok(())
}

fn secret(stated: &Stated<ValueSource>, shell: &Shell) -> Result<Given<SecretString>, String> {
    let place = &stated.place;
    let text = match &stated.value {
        ValueSource::Env(name) => shell.variable(name).ok_or_else(|| {
            format!(
                "{place}: `client_secret` needs the environment variable `{name}`, which is not set"
            )
        })?,
        ValueSource::File(path) => std::fs::read_to_string(path).map_err(|error| {
            format!(
                "{place}: `client_secret`: cannot read `{}`: {error}",
                path.display()
            )
        })?,
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(format!(
            "{place}: `client_secret` is empty where it comes from"
        ));
    }
    Ok(Given {
        value: SecretString::from(text),
        origin: place.clone(),
    })
}

/// Says which permissions are missing, and where they are given to such a sign-in.
pub(super) fn lacks(claims: &TokenClaims, way: &Way, missing: &[&str]) -> anyhow::Error {
    let missing = missing.join(" and ");
    let application = claims
        .application_id
        .as_deref()
        .unwrap_or("of this sign-in");
    let is_person = !claims.scopes.is_empty();
    match way {
        Way::AzureCli { .. } if is_person => anyhow!(
            "Azure CLI is signed in as a person, and the tokens that it gets for people never carry \
             {missing}: sign it in as an application (`az login --service-principal`), or choose \
             --auth device-code with an application of your own"
        ),
        _ if is_person => anyhow!(
            "application {application} lacks the permission {missing} for this person: in the \
             tenant's portal, open App registrations > API permissions, add it for Microsoft Graph as \
             a delegated permission, and grant admin consent"
        ),
        _ => anyhow!(
            "application {application} lacks the permission {missing}: in the tenant's portal, open \
             App registrations > API permissions, add it for Microsoft Graph as an application \
             permission, and grant admin consent"
        ),
    }
}
