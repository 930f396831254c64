//! Looking up the values of settings in the tenant.

use std::collections::BTreeMap;

use crate::msgraph::{Application, GraphClient, GraphError};
use crate::policy::TenantValue;

use super::{EXTENSIONS, FRAMEWORK, PROXY};

/// Why a value cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LookupError {
    /// The tenant cannot be asked.
    #[error("cannot look up `{}` in the tenant: {source}", value.notation())]
    Graph {
        /// The value.
        value: TenantValue,
        /// What the service said.
        source: GraphError,
    },
    /// There is no such application.
    #[error("cannot look up `{}`: the tenant has no application {name}", value.notation())]
    Missing {
        /// The value.
        value: TenantValue,
        /// The application.
        name: &'static str,
    },
    /// There are several, and nothing says which one is meant.
    #[error(
        "cannot look up `{}`: the tenant has {} applications {name}: {}",
        value.notation(), app_ids.len(), app_ids.join(", ")
    )]
    Several {
        /// The value.
        value: TenantValue,
        /// The application.
        name: &'static str,
        /// Their client ids.
        app_ids: Vec<String>,
    },
    /// The tenant does not say which of its domains is the first one.
    #[error("cannot look up `{}`: the tenant names no initial domain", value.notation())]
    NoDomain {
        /// The value.
        value: TenantValue,
    },
}

impl LookupError {
    /// What to do.
    pub fn advice(&self) -> String {
        match self {
            Self::Graph { value, source } => {
                let permission = match value {
                    TenantValue::TenantId | TenantValue::TenantDomain => "Organization.Read.All",
                    _ => "Application.Read.All",
                };
                if source.status() == Some(403) {
                    format!(
                        "grant the application permission {permission} of Microsoft Graph and \
                         admin consent, or write the value itself into the configuration"
                    )
                } else {
                    source.advice().map_or_else(
                        || "`iefctl doctor` looks at the connection".to_owned(),
                        str::to_owned,
                    )
                }
            }
            Self::Missing { name, .. } if *name == EXTENSIONS => "it belongs to every B2C tenant: \
                 restore it in the portal under App registrations > Deleted applications"
                .to_owned(),
            Self::Missing { .. } => "`iefctl init --tenant` creates it".to_owned(),
            Self::Several { .. } => "names of applications are not unique: write the id of the \
                 right one into the configuration, or rename or delete the others"
                .to_owned(),
            Self::NoDomain { .. } => "write the domain into the configuration".to_owned(),
        }
    }
}

/// Looks up values; each application and the organization are asked for once. All that cannot be
/// had are told together.
///
/// # Errors
/// See [`LookupError`].
pub async fn look_up(
    client: &GraphClient,
    values: &[TenantValue],
) -> Result<BTreeMap<TenantValue, String>, Vec<LookupError>> {
    let wants =
        |wanted: &[TenantValue]| values.iter().find(|value| wanted.contains(value)).copied();
    let framework = wants(&[TenantValue::FrameworkAppId]);
    let proxy = wants(&[TenantValue::ProxyAppId]);
    let extensions = wants(&[
        TenantValue::ExtensionsAppId,
        TenantValue::ExtensionsObjectId,
    ]);
    let tenant = wants(&[TenantValue::TenantId, TenantValue::TenantDomain]);
    let (framework, proxy, extensions, tenant) = tokio::join!(
        application(client, framework, FRAMEWORK),
        application(client, proxy, PROXY),
        application(client, extensions, EXTENSIONS),
        async {
            let value = tenant?;
            let found = client.organization().await;
            Some(found.map_err(|source| LookupError::Graph { value, source }))
        },
    );
    let mut found = BTreeMap::new();
    let mut errors: Vec<LookupError> = Vec::new();
    for &value in values {
        let application = match value {
            TenantValue::FrameworkAppId => &framework,
            TenantValue::ProxyAppId => &proxy,
            TenantValue::ExtensionsAppId | TenantValue::ExtensionsObjectId => &extensions,
            TenantValue::TenantId | TenantValue::TenantDomain => {
                match &tenant {
                    Some(Ok(tenant)) if value == TenantValue::TenantId => {
                        found.insert(value, tenant.id.clone());
                    }
                    Some(Ok(tenant)) => match tenant.initial_domain() {
                        Some(domain) => {
                            found.insert(value, domain.to_owned());
                        }
                        None => errors.push(LookupError::NoDomain { value }),
                    },
                    Some(Err(error)) => errors.push(error.clone()),
                    None => {}
                }
                continue;
            }
        };
        match application {
            Some(Ok(application)) => {
                let id = match value {
                    TenantValue::ExtensionsObjectId => &application.object_id,
                    _ => &application.app_id,
                };
                found.insert(value, id.clone());
            }
            Some(Err(error)) => errors.push(error.clone()),
            None => {}
        }
    }
    // Two values of one source fail for one reason.
    let mut said = Vec::new();
    errors.retain(|error| {
        let advice = error.advice();
        let text = match error {
            LookupError::Graph { source, .. } => format!("{source}"),
            LookupError::Missing { name, .. } | LookupError::Several { name, .. } => {
                (*name).to_owned()
            }
            LookupError::NoDomain { .. } => String::new(),
        };
        let key = format!("{text}{advice}");
        let is_new = !said.contains(&key);
        said.push(key);
        is_new
    });
    if errors.is_empty() {
        Ok(found)
    } else {
        Err(errors)
    }
}

/// The one application of a name, if somebody wants it.
async fn application(
    client: &GraphClient,
    wanted_for: Option<TenantValue>,
    name: &'static str,
) -> Option<Result<Application, LookupError>> {
    let value = wanted_for?;
    let found = if name == EXTENSIONS {
        client.applications_beginning(name).await
    } else {
        client.applications_named(name).await
    };
    Some(match found {
        Err(source) => Err(LookupError::Graph { value, source }),
        Ok(mut applications) if applications.len() > 1 => {
            applications.sort_by(|a, b| a.app_id.cmp(&b.app_id));
            let app_ids = applications.into_iter().map(|it| it.app_id).collect();
            Err(LookupError::Several {
                value,
                name,
                app_ids,
            })
        }
        Ok(applications) => applications
            .into_iter()
            .next()
            .ok_or(LookupError::Missing { value, name }),
    })
}
