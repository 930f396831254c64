use std::collections::BTreeMap;

use tokio::task::JoinSet;

use crate::deploy::keys::{Scope, TenantKeyset, read as read_keysets};
use crate::msgraph::{
    Application, DirectoryQuota, GraphClient, GraphError, Organization, PermissionGrant,
    ServicePrincipal,
};

use super::{EXTENSIONS, Expected, FRAMEWORK, GRAPH, PROXY};

/// Keysets that are read at a time.
const CONCURRENCY: usize = 8;

/// A part of what the tenant says, or why it cannot be had.
pub type Answer<T> = Result<T, GraphError>;

/// What a tenant says of itself; each part for itself.
#[derive(Debug)]
pub struct Facts {
    /// Who it is.
    pub organization: Answer<Organization>,
    /// How full it is; `None` if the service does not say.
    pub quota: Answer<Option<DirectoryQuota>>,
    /// Ids of its custom policies.
    pub policies: Answer<Vec<String>>,
    /// The keysets that are needed, as far as they are there.
    pub keysets: Answer<Vec<TenantKeyset>>,
    /// Microsoft Graph's service principal.
    pub graph: Answer<Option<ServicePrincipal>>,
    /// Applications with the name IdentityExperienceFramework.
    pub framework: Answer<Vec<Registration>>,
    /// Applications with the name ProxyIdentityExperienceFramework.
    pub proxy: Answer<Vec<Registration>>,
    /// Applications whose name begins with b2c-extensions-app.
    pub extensions: Answer<Vec<Application>>,
    /// The applications that policies name, by lower-case client id.
    pub named: BTreeMap<String, Answer<Option<Registration>>>,
}

/// An application with what represents it in the tenant.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The registration.
    pub application: Application,
    /// Its service principal.
    pub principal: Answer<Option<ServicePrincipal>>,
    /// What it may call.
    pub grants: Answer<Vec<PermissionGrant>>,
}

/// Asks the tenant everything at once.
pub async fn read(client: &GraphClient, expected: &Expected) -> Facts {
    let keysets = expected.keys.iter().map(|user| user.keyset.clone());
    let keysets = Scope::These(keysets.collect());
    let mut named = JoinSet::new();
    for id in expected.application_ids() {
        let client = client.clone();
        named.spawn(async move {
            let found = match client.application(&id).await {
                Ok(Some(application)) => Ok(Some(registration(&client, application).await)),
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            (id, found)
        });
    }
    let (organization, quota, policies, keysets, graph, framework, proxy, extensions) = tokio::join!(
        client.organization(),
        client.directory_quota(),
        client.list_policies(),
        read_keysets(client, &keysets, CONCURRENCY),
        client.service_principal(GRAPH),
        registrations(client, FRAMEWORK),
        registrations(client, PROXY),
        client.applications_beginning(EXTENSIONS),
    );
    let named = named.join_all().await.into_iter().collect();
    Facts {
        organization,
        quota,
        policies,
        keysets,
        graph,
        framework,
        proxy,
        extensions,
        named,
    }
}

async fn registrations(client: &GraphClient, name: &str) -> Answer<Vec<Registration>> {
    let mut found = Vec::new();
    for application in client.applications_named(name).await? {
        found.push(registration(client, application).await);
    }
    found.sort_by(|a, b| a.application.app_id.cmp(&b.application.app_id));
    Ok(found)
}

async fn registration(client: &GraphClient, application: Application) -> Registration {
    let principal = client.service_principal(&application.app_id).await;
    let grants = match &principal {
        Ok(Some(principal)) => client.permission_grants(&principal.id).await,
        _ => Ok(Vec::new()),
    };
    Registration {
        application,
        principal,
        grants,
    }
}

impl Registration {
    /// Whether an administrator has consented, for everybody, to a permission of the application
    /// with this service principal.
    pub fn may(&self, resource: &ServicePrincipal, scope: &str) -> Option<bool> {
        let grants = self.grants.as_ref().ok()?;
        Some(grants.iter().any(|grant| {
            grant.is_for_all
                && grant.resource_id.eq_ignore_ascii_case(&resource.id)
                && grant.has(scope)
        }))
    }
}
