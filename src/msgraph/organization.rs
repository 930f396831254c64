use serde_json::Value;

use super::directory::text;
use super::policies::unreadable;
use super::{GraphClient, GraphError};

/// Who a tenant is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub display_name: Option<String>,
    /// `AAD B2C` for a B2C tenant.
    pub tenant_type: Option<String>,
    /// Its verified domains.
    pub domains: Vec<VerifiedDomain>,
}

/// A domain that belongs to a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedDomain {
    /// Its name.
    pub name: String,
    /// The first one, such as contoso.onmicrosoft.com.
    pub is_initial: bool,
    /// The one that new users get.
    pub is_default: bool,
}

impl Organization {
    /// The domain that the tenant began with, which the names of policies and their URLs use.
    pub fn initial_domain(&self) -> Option<&str> {
        let initial = self.domains.iter().find(|domain| domain.is_initial);
        initial.map(|domain| domain.name.as_str())
    }
}

/// How many objects a directory holds and may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryQuota {
    /// Objects that are there; deleted ones count for some time.
    pub used: u64,
    /// The limit.
    pub total: u64,
}

impl GraphClient {
    /// The tenant that was signed in to.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn organization(&self) -> Result<Organization, GraphError> {
        let operation = "GET organization";
        let select = [("$select", "id,displayName,tenantType,verifiedDomains")];
        let url = self.directory_url(&["organization"], &select);
        let items = self.list(operation, url).await?;
        items
            .first()
            .and_then(Organization::read)
            .ok_or_else(|| unreadable(operation, "no organization"))
    }

    /// How full the directory is; `None` if the service does not say.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn directory_quota(&self) -> Result<Option<DirectoryQuota>, GraphError> {
        let select = [("$select", "directorySizeQuota")];
        let url = self.versioned_url("beta", &["organization"], &select);
        let items = self.list("GET directory quota", url).await?;
        let quota = items
            .first()
            .and_then(|item| item.get("directorySizeQuota"));
        let number = |name: &str| quota?.get(name)?.as_u64();
        let (used, total) = (number("used"), number("total"));
        Ok(used
            .zip(total)
            .map(|(used, total)| DirectoryQuota { used, total }))
    }
}

impl Organization {
    fn read(json: &Value) -> Option<Self> {
        let domains = json.get("verifiedDomains").and_then(Value::as_array);
        let flag = |json: &Value, name: &str| json.get(name).and_then(Value::as_bool) == Some(true);
        Some(Self {
            id: text(json, "id")?,
            display_name: text(json, "displayName"),
            tenant_type: text(json, "tenantType"),
            domains: domains
                .into_iter()
                .flatten()
                .filter_map(|domain| {
                    Some(VerifiedDomain {
                        name: text(domain, "name")?,
                        is_initial: flag(domain, "isInitial"),
                        is_default: flag(domain, "isDefault"),
                    })
                })
                .collect(),
        })
    }
}
