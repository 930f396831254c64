use reqwest::Method;
use serde_json::{Value, json};

use super::call::{Body, Call, Expects};
use super::directory::{is_duplicate, is_unknown_object, literal, text};
use super::policies::{check_id, unreadable};
use super::retry::CallKind;
use super::{GraphClient, GraphError};

/// Delegated permissions that were consented to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionGrant {
    /// Its id.
    pub id: String,
    /// Service principal of the application that may call.
    pub client_id: String,
    /// Service principal of the application that is called.
    pub resource_id: String,
    /// Whether it is for everybody, not for one user.
    pub is_for_all: bool,
    /// The permissions.
    pub scopes: Vec<String>,
}

impl PermissionGrant {
    /// Whether it is about this permission; case does not count.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes
            .iter()
            .any(|own| own.eq_ignore_ascii_case(scope))
    }

    fn read(json: &Value) -> Option<Self> {
        let scopes = text(json, "scope").unwrap_or_default();
        Some(Self {
            id: text(json, "id")?,
            client_id: text(json, "clientId")?,
            resource_id: text(json, "resourceId")?,
            is_for_all: text(json, "consentType")
                .is_some_and(|kind| kind.eq_ignore_ascii_case("AllPrincipals")),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

impl GraphClient {
    /// What the application with this service principal may call.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn permission_grants(
        &self,
        client_id: &str,
    ) -> Result<Vec<PermissionGrant>, GraphError> {
        let filter = format!("clientId eq {}", literal(client_id));
        let url = self.directory_url(&["oauth2PermissionGrants"], &[("$filter", &filter)]);
        let operation = format!("GET permission grants of {client_id}");
        let items = self.list(&operation, url).await?;
        let grants: Option<Vec<_>> = items.iter().map(PermissionGrant::read).collect();
        grants.ok_or_else(|| unreadable(&operation, "a permission grant without id"))
    }

    /// Consents, for everybody, to permissions of a resource. Of one client and resource there is
    /// one grant; if it is there already, what it lacks is added.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn grant_permissions(
        &self,
        client_id: &str,
        resource_id: &str,
        scopes: &[&str],
    ) -> Result<(), GraphError> {
        if let Some(grant) = self.grant_for_all(client_id, resource_id).await? {
            return self.widen(&grant, scopes).await;
        }
        let call = Call {
            operation: format!("POST permission grant of {client_id}"),
            method: Method::POST,
            url: self.directory_url(&["oauth2PermissionGrants"], &[]),
            kind: CallKind::Idempotent,
            body: Body::Json(json!({
                "clientId": client_id,
                "consentType": "AllPrincipals",
                "resourceId": resource_id,
                "scope": scopes.join(" "),
            })),
            expects: Expects::Json,
        };
        match self.execute_on_new(&call, is_unknown_object).await {
            Ok(_) => Ok(()),
            // An attempt whose answer was lost, or somebody else.
            Err(failed) if is_duplicate(&failed.error) => {
                match self.grant_for_all(client_id, resource_id).await? {
                    Some(grant) => self.widen(&grant, scopes).await,
                    None => Err(failed.error),
                }
            }
            Err(failed) => Err(failed.error),
        }
    }

    async fn grant_for_all(
        &self,
        client_id: &str,
        resource_id: &str,
    ) -> Result<Option<PermissionGrant>, GraphError> {
        let grants = self.permission_grants(client_id).await?;
        Ok(grants
            .into_iter()
            .find(|grant| grant.is_for_all && grant.resource_id.eq_ignore_ascii_case(resource_id)))
    }

    async fn widen(&self, grant: &PermissionGrant, scopes: &[&str]) -> Result<(), GraphError> {
        let mut all: Vec<&str> = grant.scopes.iter().map(String::as_str).collect();
        all.extend(scopes.iter().copied().filter(|scope| !grant.has(scope)));
        if all.len() == grant.scopes.len() {
            return Ok(());
        }
        check_id("permission grant", &grant.id)?;
        let call = Call {
            operation: format!("PATCH permission grant {}", grant.id),
            method: Method::PATCH,
            url: self.directory_url(&["oauth2PermissionGrants", &grant.id], &[]),
            kind: CallKind::Idempotent,
            body: Body::Json(json!({ "scope": all.join(" ") })),
            expects: Expects::Anything,
        };
        self.execute(&call, 0).await?;
        Ok(())
    }
}
