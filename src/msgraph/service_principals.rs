use reqwest::Method;
use serde_json::{Value, json};

use super::call::{Body, Call, Expects};
use super::directory::{is_duplicate, is_unknown_object, literal, text};
use super::policies::unreadable;
use super::retry::CallKind;
use super::{GraphClient, GraphError, Rejection};

/// What represents an application in a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePrincipal {
    /// Its id, which consent refers to.
    pub id: String,
    /// Id of the application.
    pub app_id: String,
    /// Whether it may be used.
    pub is_enabled: bool,
}

impl GraphClient {
    /// The service principal of an application; `None` if the tenant has none.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn service_principal(
        &self,
        app_id: &str,
    ) -> Result<Option<ServicePrincipal>, GraphError> {
        let filter = format!("appId eq {}", literal(app_id));
        let url = self.directory_url(&["servicePrincipals"], &[("$filter", &filter)]);
        let operation = format!("GET service principal of {app_id}");
        let items = self.list(&operation, url).await?;
        items
            .first()
            .map(|item| {
                ServicePrincipal::read(item)
                    .ok_or_else(|| unreadable(&operation, "a service principal without id"))
            })
            .transpose()
    }

    /// Creates the service principal of an application, which may have been created a moment ago.
    /// An application has at most one, so that one that is there is the one wanted.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn create_service_principal(
        &self,
        app_id: &str,
    ) -> Result<ServicePrincipal, GraphError> {
        let operation = format!("POST service principal of {app_id}");
        let call = Call {
            operation: operation.clone(),
            method: Method::POST,
            url: self.directory_url(&["servicePrincipals"], &[]),
            kind: CallKind::Idempotent,
            body: Body::Json(json!({ "appId": app_id })),
            expects: Expects::Json,
        };
        match self.execute_on_new(&call, is_application_unknown).await {
            Ok(answer) => ServicePrincipal::read(&answer.json)
                .ok_or_else(|| unreadable(&operation, "a service principal without id")),
            Err(failed) if is_duplicate(&failed.error) => {
                self.service_principal(app_id).await?.ok_or(failed.error)
            }
            Err(failed) => Err(failed.error),
        }
    }
}

/// Whether the service does not know the application yet.
fn is_application_unknown(rejection: &Rejection) -> bool {
    let code = rejection.code.as_deref().unwrap_or_default();
    is_unknown_object(rejection)
        || code.eq_ignore_ascii_case("NoBackingApplicationObject")
        || rejection
            .message
            .contains("does not reference a valid application object")
}

impl ServicePrincipal {
    fn read(json: &Value) -> Option<Self> {
        Some(Self {
            id: text(json, "id")?,
            app_id: text(json, "appId")?,
            is_enabled: json.get("accountEnabled").and_then(Value::as_bool) != Some(false),
        })
    }
}
