//! `/applications`.

use serde_json::{Map, Value, json};

use super::super::answer::{Answer, Refusal};
use super::super::guid;
use super::super::server::Call;
use super::super::store::Tenant;
use super::{
    Directory, Entity, Target, bad, change, check_properties, directory, entity_answer,
    list_answer, merge, object_body, one, required, wrong_method,
};

const OF: &str = "applications";
/// What a request may set.
const WRITABLE: &[&str] = &[
    "displayName",
    "description",
    "notes",
    "signInAudience",
    "identifierUris",
    "isFallbackPublicClient",
    "isDeviceOnlyAuthSupported",
    "groupMembershipClaims",
    "web",
    "spa",
    "publicClient",
    "api",
    "appRoles",
    "requiredResourceAccess",
    "optionalClaims",
    "tags",
    "info",
    "keyCredentials",
    "passwordCredentials",
    "parentalControlSettings",
];
const AUDIENCES: &[&str] = &[
    "AzureADMyOrg",
    "AzureADMultipleOrgs",
    "AzureADandPersonalMicrosoftAccount",
    "PersonalMicrosoftAccount",
];

pub(super) fn answer(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    match (call.method, &target.key) {
        ("GET", None) => list_answer(call, target, OF, &directory(call).applications),
        ("POST", None) => create(call, target),
        ("GET", Some(key)) => {
            let directory = directory(call);
            let application = one(call, &directory.applications, key)?;
            Ok(entity_answer(call, target, 200, OF, application))
        }
        ("PATCH", Some(key)) => {
            let body = object_body(call)?;
            check_properties(&body, WRITABLE)?;
            let known = directory(call);
            let id = one(call, &known.applications, key)?.text("id").to_owned();
            change(call, |directory, tenant| {
                update(directory, tenant, &id, body)?;
                Ok(Answer::empty(204))
            })
        }
        ("DELETE", Some(key)) => {
            let known = directory(call);
            let application = one(call, &known.applications, key)?.clone();
            change(call, |directory, _| {
                let app_id = application.text("appId");
                directory
                    .applications
                    .retain(|other| !other.is("id", application.text("id")));
                directory
                    .service_principals
                    .retain(|other| !other.is("appId", app_id));
                Ok(Answer::empty(204))
            })
        }
        _ => Err(wrong_method()),
    }
}

fn create(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    let body = object_body(call)?;
    check_properties(&body, WRITABLE)?;
    required(&body, "displayName")?;
    let (id, app_id) = (guid::random(), guid::random());
    let created = change(call, |directory, tenant| {
        let domain = tenant.domain.as_deref();
        let application = registered(&id, &app_id, domain, body, Value::Null);
        check(directory, tenant, &application, None)?;
        directory.applications.push(application.clone());
        Ok(application)
    })?;
    let misses = call.server.options().directory.replication_misses;
    call.server.lag().begin(&id, misses);
    let location = format!("{}/v1.0/applications/{id}", call.server.url());
    Ok(entity_answer(call, target, 201, OF, &created).header("location", location))
}

fn update(
    directory: &mut Directory,
    tenant: &Tenant,
    id: &str,
    body: Map<String, Value>,
) -> Result<(), Refusal> {
    let position = directory
        .applications
        .iter()
        .position(|application| application.is("id", id))
        .ok_or_else(|| super::not_found(id))?;
    let before = directory.applications[position].clone();
    let mut after = Value::Object(before.0.clone());
    merge(&mut after, &Value::Object(body));
    let after = Entity::new(after);
    check(directory, tenant, &after, Some(&before))?;
    // The service principal shows the scopes of its application.
    for principal in &mut directory.service_principals {
        if principal.is("appId", after.text("appId")) {
            let scopes = scopes(&after).into_iter().cloned().collect::<Vec<_>>();
            principal
                .0
                .insert("oauth2PermissionScopes".to_owned(), scopes.into());
            principal.0.insert(
                "appDisplayName".to_owned(),
                after.text("displayName").into(),
            );
        }
    }
    directory.applications[position] = after;
    Ok(())
}

/// An application with everything that the service adds.
pub(super) fn registered(
    id: &str,
    app_id: &str,
    domain: Option<&str>,
    body: Map<String, Value>,
    more: Value,
) -> Entity {
    let mut application = json!({
        "id": id,
        "appId": app_id,
        "deletedDateTime": null,
        "createdDateTime": "2020-01-01T00:00:00Z",
        "displayName": null,
        "description": null,
        "publisherDomain": domain,
        "signInAudience": "AzureADMyOrg",
        "identifierUris": [],
        "isFallbackPublicClient": null,
        "requiredResourceAccess": [],
        "appRoles": [],
        "tags": [],
        "web": {
            "redirectUris": [], "homePageUrl": null, "logoutUrl": null,
            "implicitGrantSettings": {
                "enableAccessTokenIssuance": false, "enableIdTokenIssuance": false,
            },
        },
        "spa": {"redirectUris": []},
        "publicClient": {"redirectUris": []},
        "api": {
            "acceptMappedClaims": null, "knownClientApplications": [],
            "requestedAccessTokenVersion": null, "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "keyCredentials": [],
        "passwordCredentials": [],
    });
    merge(&mut application, &Value::Object(body));
    if !more.is_null() {
        merge(&mut application, &more);
    }
    Entity::new(application)
}

pub(super) fn scopes(application: &Entity) -> Vec<&Value> {
    let scopes = application
        .0
        .get("api")
        .and_then(|api| api.get("oauth2PermissionScopes"));
    scopes
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .collect()
}

/// What the service refuses.
fn check(
    directory: &Directory,
    tenant: &Tenant,
    application: &Entity,
    before: Option<&Entity>,
) -> Result<(), Refusal> {
    let name = application.text("displayName");
    if name.trim().is_empty() || name.chars().count() > 256 {
        return Err(bad(
            "Invalid value specified for property 'displayName' of resource 'Application'.",
        ));
    }
    if !AUDIENCES.contains(&application.text("signInAudience")) {
        return Err(bad(
            "Invalid value specified for property 'signInAudience' of resource 'Application'.",
        ));
    }
    for (owner, at) in [("web", 0), ("spa", 1), ("publicClient", 2)] {
        let uris = application
            .0
            .get(owner)
            .and_then(|it| it.get("redirectUris"));
        for uri in uris.and_then(Value::as_array).into_iter().flatten() {
            let absolute = uri.as_str().is_some_and(|uri| {
                uri.split_once(':')
                    .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
            });
            let secure = at == 2
                || uri.as_str().is_some_and(|uri| {
                    uri.starts_with("https://") || uri.starts_with("http://localhost")
                });
            if !absolute || !secure {
                return Err(bad(format!(
                    "Invalid value specified for property '{owner}.redirectUris' of resource \
                     'Application'."
                )));
            }
        }
    }
    check_identifiers(directory, tenant, application)?;
    check_scopes(application, before)
}

fn check_identifiers(
    directory: &Directory,
    tenant: &Tenant,
    application: &Entity,
) -> Result<(), Refusal> {
    let texts = |entity: &Entity| -> Vec<String> {
        let uris = entity.0.get("identifierUris").and_then(Value::as_array);
        let uris = uris.into_iter().flatten().filter_map(Value::as_str);
        uris.map(str::to_lowercase).collect()
    };
    for uri in texts(application) {
        let host = uri
            .strip_prefix("https://")
            .or_else(|| uri.strip_prefix("http://"));
        let host = host.map(|rest| rest.split('/').next().unwrap_or_default());
        let own = match (host, &tenant.domain) {
            (Some(host), Some(domain)) => host == domain || host.ends_with(&format!(".{domain}")),
            (Some(_), None) => true,
            (None, _) => uri.starts_with("api://"),
        };
        if !own {
            return Err(Refusal::graph(
                400,
                "HostNameNotOnVerifiedDomain",
                format!(
                    "Values of identifierUris property must use a verified domain of the \
                     organization or its subdomain: '{uri}'"
                ),
            ));
        }
        let taken = directory
            .applications
            .iter()
            .filter(|other| !other.is("id", application.text("id")))
            .any(|other| texts(other).contains(&uri));
        if taken {
            return Err(bad(
                "Another object with the same value for property identifierUris already exists.",
            ));
        }
    }
    Ok(())
}

fn check_scopes(application: &Entity, before: Option<&Entity>) -> Result<(), Refusal> {
    let text = |scope: &Value, name: &str| {
        let text = scope.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let now = scopes(application);
    for (at, scope) in now.iter().enumerate() {
        if !guid::is_guid(&text(scope, "id")) {
            return Err(bad(
                "Invalid value specified for property 'id' of resource 'PermissionScope'.",
            ));
        }
        let again = |other: &&&Value| {
            text(other, "id") == text(scope, "id") || text(other, "value") == text(scope, "value")
        };
        if now[..at].iter().find(again).is_some() {
            return Err(bad(
                "Request contains a property with duplicate values: api.oauth2PermissionScopes.",
            ));
        }
    }
    let removed = before.map(scopes).into_iter().flatten().any(|old| {
        let enabled = old.get("isEnabled").and_then(Value::as_bool) == Some(true);
        enabled && !now.iter().any(|scope| text(scope, "id") == text(old, "id"))
    });
    if removed {
        return Err(Refusal::graph(
            400,
            "CannotDeleteOrUpdateEnabledEntitlement",
            "Permission (scope or role) cannot be deleted or updated unless disabled first.",
        ));
    }
    Ok(())
}
