//! `/oauth2PermissionGrants`: delegated permissions that an administrator consented to.

use serde_json::{Value, json};

use super::super::answer::{Answer, Refusal};
use super::super::guid;
use super::super::server::Call;
use super::{
    Entity, Target, bad, change, check_properties, conflict, directory, entity_answer, list_answer,
    not_found, object_body, one, required, wrong_method,
};

const OF: &str = "oauth2PermissionGrants";
const WRITABLE: &[&str] = &[
    "clientId",
    "consentType",
    "principalId",
    "resourceId",
    "scope",
    "startTime",
    "expiryTime",
];

pub(super) fn answer(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    match (call.method, &target.key) {
        ("GET", None) => list_answer(call, target, OF, &directory(call).permission_grants),
        ("POST", None) => create(call, target),
        ("GET", Some(key)) => {
            let directory = directory(call);
            let grant = one(call, &directory.permission_grants, key)?;
            Ok(entity_answer(call, target, 200, OF, grant))
        }
        ("PATCH", Some(key)) => {
            let body = object_body(call)?;
            check_properties(&body, &["scope"])?;
            let scope = body.get("scope").and_then(Value::as_str);
            let scope = scope
                .ok_or_else(|| bad("Invalid value specified for property 'scope'."))?
                .to_owned();
            let known = directory(call);
            let id = one(call, &known.permission_grants, key)?
                .text("id")
                .to_owned();
            change(call, |directory, _| {
                for grant in &mut directory.permission_grants {
                    if grant.is("id", &id) {
                        grant.0.insert("scope".to_owned(), scope.clone().into());
                    }
                }
                Ok(Answer::empty(204))
            })
        }
        ("DELETE", Some(key)) => {
            let known = directory(call);
            let id = one(call, &known.permission_grants, key)?
                .text("id")
                .to_owned();
            change(call, |directory, _| {
                directory
                    .permission_grants
                    .retain(|grant| !grant.is("id", &id));
                Ok(Answer::empty(204))
            })
        }
        _ => Err(wrong_method()),
    }
}

fn create(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    let body = object_body(call)?;
    check_properties(&body, WRITABLE)?;
    let client = required(&body, "clientId")?.to_owned();
    let resource = required(&body, "resourceId")?.to_owned();
    let consent = required(&body, "consentType")?.to_owned();
    let scope = required(&body, "scope")?.to_owned();
    let principal = body.get("principalId").and_then(Value::as_str);
    let fits = match consent.as_str() {
        "AllPrincipals" => principal.is_none(),
        "Principal" => principal.is_some(),
        _ => false,
    };
    if !fits {
        return Err(bad(
            "Invalid value specified for property 'consentType' of resource \
             'OAuth2PermissionGrant'.",
        ));
    }
    let lag = call.server.lag();
    let created = change(call, |directory, _| {
        for id in [&client, &resource] {
            let found = directory
                .service_principals
                .iter()
                .any(|principal| principal.is("id", id));
            if !found || lag.hides(id) {
                return Err(not_found(id));
            }
        }
        let same = |grant: &Entity| {
            grant.is("clientId", &client)
                && grant.is("resourceId", &resource)
                && grant.is("consentType", &consent)
                && grant.text("principalId") == principal.unwrap_or_default()
        };
        if directory.permission_grants.iter().any(same) {
            return Err(conflict("Permission entry already exists."));
        }
        let grant = Entity::new(json!({
            "id": guid::random_kid(),
            "clientId": client,
            "consentType": consent,
            "principalId": principal,
            "resourceId": resource,
            "scope": scope,
        }));
        directory.permission_grants.push(grant.clone());
        Ok(grant)
    })?;
    Ok(entity_answer(call, target, 201, OF, &created))
}
