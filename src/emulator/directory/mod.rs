//! Microsoft Graph's directory as far as custom policies need it: applications, service principals,
//! permission grants and the organization.
//!
//! A new tenant has the application b2c-extensions-app, as the service makes it, and the service
//! principal of Microsoft Graph; [`DirectoryOptions`] adds the two applications that policies sign
//! in through, or takes away. What is created appears only after as many looks as
//! [`DirectoryOptions::replication_misses`] says, because the service's directory is replicated.

mod applications;
mod grants;
mod organization;
mod query;
mod seed;
mod service_principals;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal};
use super::json;
use super::server::Call;
use super::store::{Change, Tenant};

pub(super) use seed::seed;

/// What the directory of a new tenant holds, and how it behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryOptions {
    /// `tenantType` of the organization; `AAD B2C` for a B2C tenant.
    pub tenant_type: String,
    /// Verified domains besides the tenant's own.
    pub more_domains: Vec<String>,
    /// Whether a new tenant has b2c-extensions-app; every real B2C tenant has.
    pub extensions_application: bool,
    /// Whether a new tenant has IdentityExperienceFramework and ProxyIdentityExperienceFramework,
    /// complete with consent.
    pub ief_applications: bool,
    /// Objects in the directory, and how many there may be.
    pub quota: (u64, u64),
    /// Items on a page of a list.
    pub page_size: usize,
    /// How often a new object is not found before it is.
    pub replication_misses: u32,
}

impl Default for DirectoryOptions {
    fn default() -> Self {
        Self {
            tenant_type: "AAD B2C".to_owned(),
            more_domains: Vec::new(),
            extensions_application: true,
            ief_applications: false,
            quota: (211, 50_000),
            page_size: 100,
            replication_misses: 0,
        }
    }
}

/// One object as it reads back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Entity(pub Map<String, Value>);

impl Entity {
    fn new(value: Value) -> Self {
        match value {
            Value::Object(map) => Self(map),
            _ => Self::default(),
        }
    }

    /// A property that is text; empty if it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.text(name).eq_ignore_ascii_case(value)
    }
}

/// The objects of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Directory {
    /// Application registrations.
    pub applications: Vec<Entity>,
    /// Their representatives in the tenant.
    pub service_principals: Vec<Entity>,
    /// Delegated permissions that were consented to.
    pub permission_grants: Vec<Entity>,
}

/// What a path addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    beta: bool,
    resource: Resource,
    key: Option<Key>,
    /// Something follows that the emulator does not have.
    beyond: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    Applications,
    ServicePrincipals,
    PermissionGrants,
    Organization,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Id(String),
    AppId(String),
}

impl Key {
    fn property(&self) -> (&'static str, &str) {
        match self {
            Self::Id(id) => ("id", id),
            Self::AppId(id) => ("appId", id),
        }
    }
}

impl Target {
    /// Reads the segments behind the version; `None` if they name another resource.
    pub(super) fn parse(beta: bool, segments: &[String]) -> Option<Self> {
        let (first, rest) = segments.split_first()?;
        let lower = first.to_lowercase();
        let (name, alternate) = match lower.split_once("(appid='") {
            Some((name, key)) => (name, Some(key.strip_suffix("')")?)),
            None => (lower.as_str(), None),
        };
        let resource = match name {
            "applications" => Resource::Applications,
            "serviceprincipals" => Resource::ServicePrincipals,
            "oauth2permissiongrants" => Resource::PermissionGrants,
            "organization" => Resource::Organization,
            _ => return None,
        };
        let (key, rest) = match alternate {
            Some(id) => (Some(Key::AppId(id.to_owned())), rest),
            None => match rest.split_first() {
                Some((id, rest)) => (Some(Key::Id(id.clone())), rest),
                None => (None, rest),
            },
        };
        Some(Self {
            beta,
            resource,
            key,
            beyond: !rest.is_empty(),
        })
    }
}

/// New objects that are not to be found yet.
#[derive(Debug, Default)]
pub(super) struct Lag(Mutex<BTreeMap<String, u32>>);

impl Lag {
    fn begin(&self, id: &str, misses: u32) {
        if misses > 0 {
            self.lock().insert(id.to_lowercase(), misses);
        }
    }

    /// Whether the object is not to be found this time; every look brings it nearer.
    fn hides(&self, id: &str) -> bool {
        let mut waiting = self.lock();
        let id = id.to_lowercase();
        match waiting.get_mut(&id) {
            None => false,
            Some(left) => {
                *left -= 1;
                if *left == 0 {
                    waiting.remove(&id);
                }
                true
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a call to the directory.
pub(super) fn answer(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    let reads = call.method == "GET";
    let permissions: &[&str] = match (target.resource, reads) {
        (Resource::Applications | Resource::ServicePrincipals, true) => &[
            "Application.Read.All",
            "Application.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        (Resource::Applications | Resource::ServicePrincipals, false) => {
            &["Application.ReadWrite.All", "Directory.ReadWrite.All"]
        }
        (Resource::PermissionGrants, true) => &[
            "DelegatedPermissionGrant.Read.All",
            "DelegatedPermissionGrant.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        (Resource::PermissionGrants, false) => &[
            "DelegatedPermissionGrant.ReadWrite.All",
            "Directory.ReadWrite.All",
        ],
        (Resource::Organization, _) => &[
            "Organization.Read.All",
            "Organization.ReadWrite.All",
            "Directory.Read.All",
        ],
    };
    call.caller.require(permissions).map_err(|_| {
        Refusal::graph(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    })?;
    if target.beyond {
        return Err(no_segment(call));
    }
    match target.resource {
        Resource::Applications => applications::answer(call, target),
        Resource::ServicePrincipals => service_principals::answer(call, target),
        Resource::PermissionGrants => grants::answer(call, target),
        Resource::Organization => organization::answer(call, target),
    }
}

/// The directory of the caller's tenant.
fn directory(call: &Call<'_>) -> Directory {
    call.server.store().read(call.tenant(), |tenant| {
        call.server.store().directory_of(tenant)
    })
}

/// Changes the directory of the caller's tenant.
fn change<R>(
    call: &Call<'_>,
    decide: impl FnOnce(&mut Directory, &Tenant) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let store = call.server.store();
    store.change(call.tenant(), |tenant| {
        let mut directory = store.directory_of(tenant);
        let result = decide(&mut directory, tenant)?;
        Ok((vec![Change::Directory(directory)], result))
    })
}

/// One object, or the service's 404.
fn one<'d>(call: &Call<'_>, of: &'d [Entity], key: &Key) -> Result<&'d Entity, Refusal> {
    let (property, value) = key.property();
    of.iter()
        .find(|entity| entity.is(property, value))
        .filter(|entity| !call.server.lag().hides(entity.text("id")))
        .ok_or_else(|| not_found(value))
}

/// An object as answer, with its context.
fn entity_answer(
    call: &Call<'_>,
    target: &Target,
    status: u16,
    of: &str,
    entity: &Entity,
) -> Answer {
    let mut body = Map::new();
    let context = format!("{}#{of}/$entity", context(call, target));
    body.insert("@odata.context".to_owned(), context.into());
    body.extend(entity.0.clone());
    Answer::json(status, &Value::Object(body))
}

fn context(call: &Call<'_>, target: &Target) -> String {
    format!("{}/{}/$metadata", call.server.url(), version(target))
}

const fn version(target: &Target) -> &'static str {
    if target.beta { "beta" } else { "v1.0" }
}

/// The JSON object that a request carries.
fn object_body(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    match json::parse(call.body) {
        Some(Value::Object(body)) => Ok(body),
        _ => Err(Refusal::graph(
            400,
            "BadRequest",
            "Unable to read JSON request payload. Please ensure Content-Type header is set and \
             payload is of valid JSON format.",
        )),
    }
}

/// Refuses properties that the entity does not have.
fn check_properties(body: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match body
        .keys()
        .find(|name| !name.starts_with('@') && !known.contains(&name.as_str()))
    {
        Some(name) => Err(bad(format!("Invalid property '{name}'."))),
        None => Ok(()),
    }
}

/// Text that the request must carry.
fn required<'b>(body: &'b Map<String, Value>, name: &str) -> Result<&'b str, Refusal> {
    body.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| {
            bad(format!(
                "A value is required for property '{name}' of resource."
            ))
        })
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::graph(400, "Request_BadRequest", message)
}

fn not_found(id: &str) -> Refusal {
    Refusal::graph(
        404,
        "Request_ResourceNotFound",
        format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are \
             not present."
        ),
    )
}

fn conflict(message: impl Into<String>) -> Refusal {
    Refusal::graph(409, "Request_MultipleObjectsWithSameKeyValue", message)
}

fn no_segment(call: &Call<'_>) -> Refusal {
    let last = call.path.segments.last().map_or("", String::as_str);
    Refusal::graph(
        400,
        "BadRequest",
        format!("Resource not found for the segment '{last}'."),
    )
}

fn wrong_method() -> Refusal {
    Refusal::graph(
        405,
        "Request_BadRequest",
        "Specified HTTP method is not allowed for the request target.",
    )
}

/// Puts `more` over `into`: objects are merged, everything else is replaced.
fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more.clone(),
    }
}

fn list_answer(
    call: &Call<'_>,
    target: &Target,
    of: &str,
    items: &[Entity],
) -> Result<Answer, Refusal> {
    let query = query::Query::parse(call.query)?;
    let found: Vec<&Entity> = query.filtered(items)?;
    let visible: Vec<&Entity> = found
        .into_iter()
        .filter(|entity| !call.server.lag().hides(entity.text("id")))
        .collect();
    let page_size = call.server.options().directory.page_size;
    let (page, next) = query.page(&visible, page_size);
    let selected: Vec<Value> = page.iter().map(|entity| query.selected(entity)).collect();
    let mut body = json!({
        "@odata.context": format!("{}#{of}", context(call, target)),
        "value": selected,
    });
    if let (Some(next), Some(body)) = (next, body.as_object_mut()) {
        let link = format!(
            "{}/{}/{of}?{}",
            call.server.url(),
            version(target),
            query.with_skip(next)
        );
        body.insert("@odata.nextLink".to_owned(), link.into());
    }
    Ok(Answer::json(200, &body))
}
