use reqwest::Method;
use serde_json::{Map, Value, json};

use super::call::{Body, Call, Expects, Failed};
use super::directory::{REPLICATION_LOOKS, is_duplicate, is_unknown_object, literal, text, texts};
use super::policies::{check_id, unreadable};
use super::retry::{CallKind, Pending};
use super::{GraphClient, GraphError, RetryEvent, UnknownCreation};

/// An application registration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Application {
    /// Id of the registration in this tenant; `ApplicationObjectId` in policies.
    pub object_id: String,
    /// Id of the application; the client id.
    pub app_id: String,
    /// Its name, which others may have too.
    pub display_name: String,
    /// Who may sign in; `AzureADMyOrg` for the own tenant.
    pub sign_in_audience: Option<String>,
    /// Whether sign-ins without secret are allowed; the portal's "allow public client flows".
    pub is_public_client: bool,
    /// Reply URLs of public clients.
    pub public_redirect_uris: Vec<String>,
    /// Reply URLs of web applications.
    pub web_redirect_uris: Vec<String>,
    /// URIs that name it in scopes.
    pub identifier_uris: Vec<String>,
    /// Delegated permissions that it offers.
    pub scopes: Vec<PermissionScope>,
    /// Permissions that it asks for.
    pub required_access: Vec<RequiredAccess>,
}

/// A delegated permission that an application offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionScope {
    /// Its id.
    pub id: String,
    /// Its name in scopes.
    pub value: String,
    /// Whether it can be used.
    pub is_enabled: bool,
    /// All of it, so that a change leaves what it does not know.
    whole: Value,
}

impl PermissionScope {
    /// A permission that an administrator consents to.
    pub fn for_admins(id: &str, value: &str, name: &str, description: &str) -> Self {
        let whole = json!({
            "id": id, "value": value, "type": "Admin", "isEnabled": true,
            "adminConsentDisplayName": name, "adminConsentDescription": description,
        });
        Self::read(&whole)
    }

    /// The same, enabled.
    #[must_use]
    pub fn enabled(mut self) -> Self {
        self.is_enabled = true;
        if let Some(whole) = self.whole.as_object_mut() {
            whole.insert("isEnabled".to_owned(), true.into());
        }
        self
    }

    pub(super) fn read(json: &Value) -> Self {
        Self {
            id: text(json, "id").unwrap_or_default(),
            value: text(json, "value").unwrap_or_default(),
            is_enabled: json.get("isEnabled").and_then(Value::as_bool) == Some(true),
            whole: json.clone(),
        }
    }
}

/// Permissions of one resource that an application asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredAccess {
    /// App id of the resource.
    pub resource_app_id: String,
    /// Ids of the permissions, each with its kind: `Scope` or `Role`.
    pub permissions: Vec<(String, String)>,
}

impl RequiredAccess {
    fn read(json: &Value) -> Self {
        let access = json.get("resourceAccess").and_then(Value::as_array);
        Self {
            resource_app_id: text(json, "resourceAppId").unwrap_or_default(),
            permissions: access
                .into_iter()
                .flatten()
                .filter_map(|item| Some((text(item, "id")?, text(item, "type")?)))
                .collect(),
        }
    }

    fn to_json(&self) -> Value {
        let access = self.permissions.iter();
        let access: Vec<Value> = access
            .map(|(id, kind)| json!({"id": id, "type": kind}))
            .collect();
        json!({"resourceAppId": self.resource_app_id, "resourceAccess": access})
    }
}

/// What to set on an application; what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApplicationSettings {
    /// See [`Application::is_public_client`].
    pub is_public_client: Option<bool>,
    /// See [`Application::public_redirect_uris`]; replaces all.
    pub public_redirect_uris: Option<Vec<String>>,
    /// See [`Application::web_redirect_uris`]; replaces all.
    pub web_redirect_uris: Option<Vec<String>>,
    /// See [`Application::identifier_uris`]; replaces all.
    pub identifier_uris: Option<Vec<String>>,
    /// See [`Application::scopes`]; replaces all.
    pub scopes: Option<Vec<PermissionScope>>,
    /// See [`Application::required_access`]; replaces all.
    pub required_access: Option<Vec<RequiredAccess>>,
}

impl ApplicationSettings {
    /// Whether nothing is to be set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn to_json(&self) -> Map<String, Value> {
        let mut json = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                json.insert(name.to_owned(), value);
            }
        };
        set(
            "isFallbackPublicClient",
            self.is_public_client.map(Value::from),
        );
        let uris =
            |uris: &Option<Vec<String>>| uris.as_ref().map(|uris| json!({"redirectUris": uris}));
        set("publicClient", uris(&self.public_redirect_uris));
        set("web", uris(&self.web_redirect_uris));
        set(
            "identifierUris",
            self.identifier_uris.as_ref().map(|uris| json!(uris)),
        );
        let scopes = self.scopes.as_ref().map(|scopes| {
            let scopes: Vec<&Value> = scopes.iter().map(|scope| &scope.whole).collect();
            json!({"oauth2PermissionScopes": scopes})
        });
        set("api", scopes);
        let access = self.required_access.as_ref().map(|access| {
            let access: Vec<Value> = access.iter().map(RequiredAccess::to_json).collect();
            Value::from(access)
        });
        set("requiredResourceAccess", access);
        json
    }
}

impl GraphClient {
    /// The applications of exactly this display name; names are not unique.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn applications_named(&self, name: &str) -> Result<Vec<Application>, GraphError> {
        let filter = format!("displayName eq {}", literal(name));
        self.applications(&format!("GET applications named {name}"), &filter)
            .await
    }

    /// The applications whose display name begins with this text.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn applications_beginning(
        &self,
        start: &str,
    ) -> Result<Vec<Application>, GraphError> {
        let filter = format!("startsWith(displayName,{})", literal(start));
        self.applications(&format!("GET applications {start}…"), &filter)
            .await
    }

    /// The application with this client id; `None` if it is not registered in this tenant.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn application(&self, app_id: &str) -> Result<Option<Application>, GraphError> {
        let filter = format!("appId eq {}", literal(app_id));
        let found = self
            .applications(&format!("GET application {app_id}"), &filter)
            .await?;
        Ok(found.into_iter().next())
    }

    async fn applications(
        &self,
        operation: &str,
        filter: &str,
    ) -> Result<Vec<Application>, GraphError> {
        let url = self.directory_url(&["applications"], &[("$filter", filter)]);
        let items = self.list(operation, url).await?;
        let applications: Option<Vec<_>> = items.iter().map(Application::read).collect();
        applications.ok_or_else(|| unreadable(operation, "an application without id"))
    }

    /// Creates an application whose application id URI is `uri`. Names are not unique, URIs are: a
    /// second creation, because an answer was lost or an earlier run was broken off, is refused by
    /// the service, and the application of the first one is returned as soon as the directory shows
    /// it. Where the tenant does not take the URI, it is created without.
    ///
    /// # Errors
    /// [`GraphError::HiddenApplication`] if the URI is taken and the application does not show;
    /// [`GraphError::UnknownCreation`] if, without URI, it stays unknown whether it was created;
    /// others see [`GraphError`].
    pub async fn create_application(
        &self,
        name: &str,
        settings: &ApplicationSettings,
        uri: &str,
    ) -> Result<Application, GraphError> {
        let settings = ApplicationSettings {
            identifier_uris: Some(vec![uri.to_owned()]),
            ..settings.clone()
        };
        let call = self.creation(name, &settings, CallKind::Idempotent);
        match self.execute(&call, 0).await {
            Ok(answer) => Application::read(&answer.json)
                .ok_or_else(|| unreadable(&call.operation, "an application without id")),
            Err(failed) if is_uri_taken(&failed.error) => {
                self.wait_for(name, uri, &call.operation).await
            }
            Err(failed) if is_uri_refused(&failed.error) => {
                let settings = ApplicationSettings {
                    identifier_uris: None,
                    ..settings
                };
                self.create_without_uri(name, &settings).await
            }
            Err(failed) => Err(failed.error),
        }
    }

    fn creation<'c>(&self, name: &str, settings: &ApplicationSettings, kind: CallKind) -> Call<'c> {
        let mut body = settings.to_json();
        body.insert("displayName".to_owned(), name.into());
        body.insert("signInAudience".to_owned(), "AzureADMyOrg".into());
        Call {
            operation: format!("POST application {name}"),
            method: Method::POST,
            url: self.directory_url(&["applications"], &[]),
            kind,
            body: Body::Json(Value::Object(body)),
            expects: Expects::Json,
        }
    }

    /// Waits until the directory shows the application that has this URI.
    async fn wait_for(
        &self,
        name: &str,
        uri: &str,
        operation: &str,
    ) -> Result<Application, GraphError> {
        for look in 1..=REPLICATION_LOOKS {
            let found = self.applications_named(name).await?;
            let has_it = |application: &Application| {
                let mut uris = application.identifier_uris.iter();
                uris.any(|known| known.eq_ignore_ascii_case(uri))
            };
            if let Some(found) = found.into_iter().find(has_it) {
                return Ok(found);
            }
            self.pause(RetryEvent {
                operation: operation.to_owned(),
                attempt: look,
                delay: self.inner.backoff.delay(look, None),
                reason: "the directory does not show the application yet".to_owned(),
            })
            .await;
        }
        Err(GraphError::HiddenApplication {
            name: name.to_owned(),
            uri: uri.to_owned(),
        })
    }

    /// Creates an application that nothing makes unique. If the answer is lost, the directory is asked
    /// for it before anything is sent again.
    async fn create_without_uri(
        &self,
        name: &str,
        settings: &ApplicationSettings,
    ) -> Result<Application, GraphError> {
        let before = self.applications_named(name).await?;
        let call = self.creation(name, settings, CallKind::Append);
        let operation = call.operation.clone();
        let mut attempts = 0;
        loop {
            let failed = match self.execute(&call, attempts).await {
                Ok(answer) => {
                    return Application::read(&answer.json)
                        .ok_or_else(|| unreadable(&operation, "an application without id"));
                }
                Err(failed) if !failed.unclear => return Err(failed.error),
                Err(failed) => failed,
            };
            attempts = failed.attempts;
            if let Some(created) = self.look_for(name, &before, &failed).await? {
                return Ok(created);
            }
            // The service itself said that it failed; a lost answer may hide a success that the
            // directory does not show yet.
            let refused = failed.error.rejection().is_some() && failed.pending == Pending::Ended;
            if !refused || attempts > self.inner.backoff.policy().retries {
                return Err(UnknownCreation {
                    operation,
                    name: name.to_owned(),
                    cause: failed.error,
                }
                .into());
            }
        }
    }

    /// Looks for an application that an attempt with an unclear end may have created.
    async fn look_for(
        &self,
        name: &str,
        before: &[Application],
        failed: &Failed,
    ) -> Result<Option<Application>, GraphError> {
        let backoff = &self.inner.backoff;
        for look in 1..=backoff.policy().retries.max(1) {
            self.pause(RetryEvent {
                operation: format!("POST application {name}"),
                attempt: failed.attempts,
                delay: backoff.delay(look, failed.asked_pause),
                reason: failed.reason.clone(),
            })
            .await;
            let now = self.applications_named(name).await?;
            let is_new = |application: &Application| {
                !before
                    .iter()
                    .any(|old| old.object_id == application.object_id)
            };
            if let Some(created) = now.into_iter().find(is_new) {
                return Ok(Some(created));
            }
        }
        Ok(None)
    }

    /// Changes an application, which may have been created a moment ago.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn update_application(
        &self,
        object_id: &str,
        settings: &ApplicationSettings,
    ) -> Result<(), GraphError> {
        check_id("application", object_id)?;
        let call = Call {
            operation: format!("PATCH application {object_id}"),
            method: Method::PATCH,
            url: self.directory_url(&["applications", object_id], &[]),
            kind: CallKind::Idempotent,
            body: Body::Json(Value::Object(settings.to_json())),
            expects: Expects::Anything,
        };
        self.execute_on_new(&call, is_unknown_object).await?;
        Ok(())
    }
}

/// Whether another application has the URI.
fn is_uri_taken(error: &GraphError) -> bool {
    is_duplicate(error)
        || error.rejection().is_some_and(|rejection| {
            rejection.status == 400
                && rejection.message.contains("identifierUris")
                && rejection.message.contains("already exists")
        })
}

/// Whether the tenant takes no such URI.
fn is_uri_refused(error: &GraphError) -> bool {
    error.rejection().is_some_and(|rejection| {
        let code = rejection.code.as_deref().unwrap_or_default();
        rejection.status == 400
            && (code == "HostNameNotOnVerifiedDomain"
                || rejection.message.to_lowercase().contains("identifieruri"))
    })
}

impl Application {
    fn read(json: &Value) -> Option<Self> {
        let within = |owner: &str, name: &str| json.get(owner).and_then(|it| it.get(name));
        let array = |value: Option<&Value>| {
            let items = value.and_then(Value::as_array);
            items.cloned().unwrap_or_default()
        };
        Some(Self {
            object_id: text(json, "id")?,
            app_id: text(json, "appId")?,
            display_name: text(json, "displayName").unwrap_or_default(),
            sign_in_audience: text(json, "signInAudience"),
            is_public_client: json.get("isFallbackPublicClient").and_then(Value::as_bool)
                == Some(true),
            public_redirect_uris: texts(within("publicClient", "redirectUris")),
            web_redirect_uris: texts(within("web", "redirectUris")),
            identifier_uris: texts(json.get("identifierUris")),
            scopes: array(within("api", "oauth2PermissionScopes"))
                .iter()
                .map(PermissionScope::read)
                .collect(),
            required_access: array(json.get("requiredResourceAccess"))
                .iter()
                .map(RequiredAccess::read)
                .collect(),
        })
    }
}
