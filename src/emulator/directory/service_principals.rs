//! `/servicePrincipals`.

use serde_json::{Value, json};

use super::super::answer::{Answer, Refusal};
use super::super::guid;
use super::super::server::Call;
use super::applications::scopes;
use super::{
    Entity, Target, change, check_properties, conflict, directory, entity_answer, list_answer,
    object_body, one, required, wrong_method,
};

const OF: &str = "servicePrincipals";
const WRITABLE: &[&str] = &[
    "appId",
    "accountEnabled",
    "displayName",
    "notes",
    "tags",
    "appRoleAssignmentRequired",
];

pub(super) fn answer(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    match (call.method, &target.key) {
        ("GET", None) => list_answer(call, target, OF, &directory(call).service_principals),
        ("POST", None) => create(call, target),
        ("GET", Some(key)) => {
            let directory = directory(call);
            let principal = one(call, &directory.service_principals, key)?;
            Ok(entity_answer(call, target, 200, OF, principal))
        }
        ("PATCH", Some(key)) => {
            let body = object_body(call)?;
            check_properties(&body, WRITABLE)?;
            let known = directory(call);
            let id = one(call, &known.service_principals, key)?
                .text("id")
                .to_owned();
            change(call, |directory, _| {
                for principal in &mut directory.service_principals {
                    if principal.is("id", &id) {
                        principal.0.extend(body.clone());
                    }
                }
                Ok(Answer::empty(204))
            })
        }
        ("DELETE", Some(key)) => {
            let known = directory(call);
            let id = one(call, &known.service_principals, key)?
                .text("id")
                .to_owned();
            change(call, |directory, _| {
                directory
                    .service_principals
                    .retain(|principal| !principal.is("id", &id));
                directory
                    .permission_grants
                    .retain(|grant| !grant.is("clientId", &id) && !grant.is("resourceId", &id));
                Ok(Answer::empty(204))
            })
        }
        _ => Err(wrong_method()),
    }
}

fn create(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    let body = object_body(call)?;
    check_properties(&body, WRITABLE)?;
    let app_id = required(&body, "appId")?.to_owned();
    let id = guid::random();
    let lag = call.server.lag();
    let created = change(call, |directory, _| {
        let application = directory
            .applications
            .iter()
            .find(|application| application.is("appId", &app_id))
            .filter(|application| !lag.hides(application.text("id")));
        let Some(application) = application else {
            return Err(Refusal::graph(
                400,
                "NoBackingApplicationObject",
                format!(
                    "The appId '{app_id}' of the service principal does not reference a valid \
                     application object."
                ),
            ));
        };
        let taken = directory
            .service_principals
            .iter()
            .any(|principal| principal.is("appId", &app_id));
        if taken {
            return Err(conflict(format!(
                "The service principal cannot be created, updated, or restored because the \
                 service principal name {app_id} is already in use."
            )));
        }
        let principal = principal_of(&id, application);
        directory.service_principals.push(principal.clone());
        Ok(principal)
    })?;
    let misses = call.server.options().directory.replication_misses;
    lag.begin(&id, misses);
    Ok(entity_answer(call, target, 201, OF, &created))
}

/// The service principal of an application.
pub(super) fn principal_of(id: &str, application: &Entity) -> Entity {
    let scopes: Vec<Value> = scopes(application).into_iter().cloned().collect();
    Entity::new(json!({
        "id": id,
        "deletedDateTime": null,
        "accountEnabled": true,
        "appDisplayName": application.text("displayName"),
        "appId": application.text("appId"),
        "displayName": application.text("displayName"),
        "servicePrincipalType": "Application",
        "signInAudience": application.text("signInAudience"),
        "servicePrincipalNames": [application.text("appId")],
        "oauth2PermissionScopes": scopes,
        "appRoleAssignmentRequired": false,
    }))
}
