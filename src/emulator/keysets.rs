//! `/trustFramework/keySets`.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal};
use super::clock;
use super::json;
use super::key_material::{self, check_mix, missing_parameter, own_key, wrong_format};
use super::route::{KeysetAction, Target};
use super::server::Call;
use super::store::{Change, Key, Keyset, Tenant, key, with_prefix};

/// Reserved for the copies that the portal leaves behind.
const BACKUP: &str = ".bak";

/// Answers a call to the keysets.
pub(super) fn answer(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    match (call.method, target) {
        ("GET", Target::Keysets) => Ok(list(call)),
        ("GET", Target::KeysetCount) => {
            let count = call
                .server
                .store()
                .read(call.tenant(), |tenant| tenant.keysets.len());
            Ok(Answer::count(count))
        }
        ("POST", Target::Keysets) => create(call),
        ("GET", Target::Keyset(id)) => {
            let keyset = find(call, id)?;
            let mut body = Map::new();
            body.insert(
                "@odata.context".to_owned(),
                call.context("trustFramework/keySets/$entity").into(),
            );
            body.extend(keyset_json(&keyset));
            Ok(Answer::json(200, &Value::Object(body)))
        }
        ("PUT", Target::Keyset(id)) => replace(call, id),
        ("DELETE", Target::Keyset(id)) => delete(call, id),
        ("GET", Target::ActiveKey(id)) => {
            let keyset = find(call, id)?;
            let active = keyset.active_key(clock::now());
            let active = active.ok_or_else(|| no_active_key(call, &keyset))?;
            Ok(key_answer(call, active))
        }
        ("GET", Target::Keys(id)) => {
            let keyset = find(call, id)?;
            let keys: Vec<Value> = keyset.keys.iter().map(key_v2_json).collect();
            let of = format!("trustFramework/keySets('{}')/keys_v2", keyset.id);
            Ok(Answer::json(
                200,
                &json!({"@odata.context": call.context(&of), "value": keys}),
            ))
        }
        ("GET", Target::KeyCount(id)) => Ok(Answer::count(find(call, id)?.keys.len())),
        ("GET", Target::Key(id, kid)) => {
            let keyset = find(call, id)?;
            let found = keyset.keys.iter().find(|key| key.kid == *kid);
            let found = found.ok_or_else(|| missing_key(call, &keyset.id, kid))?;
            let of = format!("trustFramework/keySets('{}')/keys_v2/$entity", keyset.id);
            let mut body = json!({"@odata.context": call.context(&of)});
            merge(&mut body, key_v2_json(found));
            Ok(Answer::json(200, &body))
        }
        ("PATCH", Target::Key(id, kid)) => set_status(call, id, kid),
        ("POST", Target::KeysetAction(id, action)) => act(call, id, *action),
        _ => Ok(call.no_action()),
    }
}

/// The name under which a keyset is claimed by a request that writes it.
pub(super) fn object(id: &str) -> String {
    format!("keySets/{}", key(&with_prefix(id)))
}

/// The same for a POST, which names the keyset in its body only.
pub(super) fn object_of_body(body: &[u8]) -> Option<String> {
    json::parse(body)?.get("id")?.as_str().map(object)
}

fn list(call: &Call<'_>) -> Answer {
    let keysets: Vec<Value> = call.server.store().read(call.tenant(), |tenant| {
        tenant
            .keysets
            .values()
            .map(|keyset| Value::Object(keyset_json(keyset)))
            .collect()
    });
    let context = call.context("trustFramework/keySets");
    Answer::json(200, &json!({"@odata.context": context, "value": keysets}))
}

fn create(call: &Call<'_>) -> Result<Answer, Refusal> {
    let unknowns = &call.server.options().unknowns;
    let body = object_body(call)?;
    let id = match body.get("id") {
        Some(Value::String(id)) if !id.trim().is_empty() => id.trim(),
        None | Some(Value::Null | Value::String(_)) => return Err(missing_parameter("id")),
        Some(_) => return Err(wrong_format()),
    };
    let carries_keys = match body.get("keys") {
        None | Some(Value::Null) => false,
        Some(Value::Array(keys)) => !keys.is_empty(),
        Some(_) => true,
    };
    if carries_keys {
        return Err(Refusal::bare(
            400,
            "The 'keySet' field is invalid in request. Please check the request body and \
             parameters.",
        ));
    }
    if key(id).ends_with(BACKUP) {
        return Err(Refusal::numbered(
            400,
            95027,
            format!("The trustframework backup key set Id '{id}' must end with .bak."),
        ));
    }
    let keyset = Keyset {
        id: with_prefix(id),
        keys: Vec::new(),
    };
    call.server.store().change(call.tenant(), |tenant| {
        if let Some(existing) = tenant.keyset(&keyset.id) {
            return Err(Refusal::numbered(
                unknowns.existing_keyset_status,
                95028,
                format!(
                    "Can't create trustframework key set with name '{}' because it already \
                     exists.",
                    existing.id
                ),
            ));
        }
        if let Some(limit) = unknowns
            .keyset_limit
            .filter(|limit| tenant.keysets.len() >= *limit)
        {
            let message = format!(
                "Tenant '{}' has reached its limit of {limit} keysets.",
                tenant.name()
            );
            return Err(Refusal::bare(400, message));
        }
        let mut body = json!({"@odata.context": call.context("trustFramework/keySets/$entity")});
        merge(&mut body, Value::Object(keyset_json(&keyset)));
        let answer = Answer::json(201, &body).header(
            "location",
            format!("/trustFramework/keySets('{}')", keyset.id),
        );
        Ok((vec![Change::Keyset(keyset)], answer))
    })
}

fn delete(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    let leave_backup = call.server.options().unknowns.delete_leaves_backup;
    call.server.store().change(call.tenant(), |tenant| {
        let keyset = resolve(call, tenant, id).ok_or_else(|| missing(call, id, tenant))?;
        let mut changes = vec![Change::RemoveKeyset(keyset.id.clone())];
        if leave_backup && !key(&keyset.id).ends_with(BACKUP) {
            changes.push(Change::Keyset(Keyset {
                id: format!("{}{BACKUP}", keyset.id),
                keys: keyset.keys.clone(),
            }));
        }
        Ok((changes, Answer::empty(204)))
    })
}

/// PUT: replaces all keys, which works only for keys that the client holds completely.
fn replace(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    let body = object_body(call)?;
    let Some(Value::Array(entries)) = body.get("keys") else {
        return Err(missing_parameter("keys"));
    };
    let enabled = call.server.options().unknowns.new_key_enabled;
    let mut keys: Vec<Key> = Vec::new();
    for entry in entries {
        let key = Key {
            enabled,
            ..own_key(entry.as_object().ok_or_else(wrong_format)?)?
        };
        check_mix(&keys, &key)?;
        keys.push(key);
    }
    call.server.store().change(call.tenant(), |tenant| {
        let id = resolve(call, tenant, id)
            .ok_or_else(|| missing(call, id, tenant))?
            .id
            .clone();
        let keyset = Keyset { id, keys };
        let mut body = json!({"@odata.context": call.context("trustFramework/keySets/$entity")});
        merge(&mut body, Value::Object(keyset_json(&keyset)));
        Ok((vec![Change::Keyset(keyset)], Answer::json(200, &body)))
    })
}

fn set_status(call: &Call<'_>, id: &str, kid: &str) -> Result<Answer, Refusal> {
    let body = object_body(call)?;
    if let Some(name) = body
        .keys()
        .find(|name| *name != "status" && !name.starts_with('@'))
    {
        return Err(Refusal::numbered(
            400,
            99014,
            format!("The property '{name}' can not be modified. It's a read only property. "),
        ));
    }
    let status = body
        .get("status")
        .and_then(Value::as_str)
        .map(str::to_lowercase);
    let enabled = match status.as_deref() {
        Some("enabled") => true,
        Some("disabled") => false,
        _ => return Err(wrong_format()),
    };
    call.server.store().change(call.tenant(), |tenant| {
        let keyset = resolve(call, tenant, id).ok_or_else(|| missing(call, id, tenant))?;
        let mut keyset = keyset.clone();
        match keyset.keys.iter_mut().find(|key| key.kid == kid) {
            Some(key) => key.enabled = enabled,
            None => return Err(missing_key(call, &keyset.id, kid)),
        }
        Ok((vec![Change::Keyset(keyset)], Answer::empty(204)))
    })
}

/// The POST actions: each makes one key, which is appended.
fn act(call: &Call<'_>, id: &str, action: KeysetAction) -> Result<Answer, Refusal> {
    let body = object_body(call)?;
    // Before the work of making a key, and again when it is stored.
    let name = call.server.store().read(call.tenant(), |tenant| {
        resolve(call, tenant, id)
            .map(|keyset| keyset.id.clone())
            .ok_or_else(|| not_created(id, tenant))
    })?;
    let made = key_material::made_by(action, call, &body, &name)?;
    call.server.store().change(call.tenant(), |tenant| {
        let keyset = resolve(call, tenant, id).ok_or_else(|| not_created(id, tenant))?;
        check_mix(&keyset.keys, &made)?;
        let mut keyset = keyset.clone();
        keyset.keys.push(made.clone());
        Ok((vec![Change::Keyset(keyset)], key_answer(call, &made)))
    })
}

fn object_body(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    match json::parse(call.body) {
        Some(Value::Object(body)) => Ok(body),
        _ => Err(Refusal::numbered(
            400,
            95026,
            format!(
                "The uploaded JSON Web Key for tenant '{}' is not in the correct JSON format.",
                call.tenant_name()
            ),
        )),
    }
}

fn find(call: &Call<'_>, id: &str) -> Result<Keyset, Refusal> {
    call.server.store().read(call.tenant(), |tenant| {
        resolve(call, tenant, id)
            .cloned()
            .ok_or_else(|| missing(call, id, tenant))
    })
}

fn resolve<'t>(call: &Call<'_>, tenant: &'t Tenant, id: &str) -> Option<&'t Keyset> {
    let lenient = call.server.options().unknowns.resolve_unprefixed_keyset;
    tenant
        .keyset(id)
        .or_else(|| tenant.keyset(&with_prefix(id)).filter(|_| lenient))
}

fn missing(call: &Call<'_>, id: &str, tenant: &Tenant) -> Refusal {
    Refusal::numbered(
        call.server.options().unknowns.missing_keyset_status,
        90073,
        format!(
            "KeyContainer with 'id': '{id}' cannot be found in the directory '{}'.",
            tenant.name()
        ),
    )
}

fn missing_key(call: &Call<'_>, id: &str, kid: &str) -> Refusal {
    Refusal::numbered(
        call.server.options().unknowns.missing_keyset_status,
        90073,
        format!(
            "Key with 'kid': '{kid}' cannot be found in the directory '{}' in KeyContainer '{id}'.",
            call.tenant_name()
        ),
    )
}

fn not_created(id: &str, tenant: &Tenant) -> Refusal {
    Refusal::numbered(
        400,
        95052,
        format!(
            "The trustframework key set with id '{id}' in tenant '{}' is not created. Please use \
             'Create api' to create the key set first.",
            tenant.name()
        ),
    )
}

fn no_active_key(call: &Call<'_>, keyset: &Keyset) -> Refusal {
    let reason = if keyset.keys.is_empty() {
        "The key container is empty."
    } else {
        "No key is enabled and within its validity."
    };
    Refusal::numbered(
        400,
        90019,
        format!(
            "The key container with ID '{}' in tenant '{}' does not has a valid key. Reason: \
             {reason}.",
            keyset.id,
            call.tenant_name()
        ),
    )
}

fn key_answer(call: &Call<'_>, key: &Key) -> Answer {
    let mut body = json!({"@odata.context": call.context("microsoft.graph.trustFrameworkKey")});
    merge(&mut body, key_json(key));
    Answer::json(200, &body)
}

fn keyset_json(keyset: &Keyset) -> Map<String, Value> {
    let keys: Vec<Value> = keyset.keys.iter().map(key_json).collect();
    let mut object = Map::new();
    object.insert("id".to_owned(), keyset.id.clone().into());
    object.insert("keys".to_owned(), keys.into());
    object
}

/// A key as it reads back: the private parts are null, whatever was uploaded.
fn key_json(key: &Key) -> Value {
    json!({
        "k": null, "x5c": key.x5c, "x5t": key.x5t, "kty": key.kty, "use": key.usage,
        "exp": key.exp, "nbf": key.nbf, "kid": key.kid, "e": key.e, "n": key.n,
        "d": null, "p": null, "q": null, "dp": null, "dq": null, "qi": null,
    })
}

fn key_v2_json(key: &Key) -> Value {
    let mut value = key_json(key);
    let status = if key.enabled { "enabled" } else { "disabled" };
    merge(&mut value, json!({"status": status}));
    value
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
