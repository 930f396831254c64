//! `/trustFramework/policies`.

use std::sync::Arc;

use aws_lc_rs::digest;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::options::{DuplicatePolicy, IdMismatch};
use super::route::Target;
use super::server::Call;
use super::state::StateError;
use super::store::{Change, Policy, Tenant, has_prefix, key, with_prefix};
use super::stored_form;
use super::upload::{self, Facts};
use crate::validate;

/// Largest policy file: 1024 KB (service limits).
const MAX_POLICY: usize = 1024 * 1024;
/// Levels of inheritance, the policy itself included (service limits).
const MAX_DEPTH: usize = 10;

impl From<StateError> for Refusal {
    fn from(error: StateError) -> Self {
        Self::graph(500, "InternalServerError", error.to_string())
    }
}

/// Answers a call to the policies, to the container, or to nothing that exists.
pub(super) fn answer(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    match (call.method, target) {
        ("GET", Target::Root) => Ok(Answer::json(
            200,
            &json!({"@odata.context": call.context("trustFramework/$entity")}),
        )),
        ("GET", Target::Policies) => Ok(list(call)),
        ("GET", Target::PolicyCount) => {
            let count = call
                .server
                .store()
                .read(call.tenant(), |tenant| tenant.policies.len());
            Ok(Answer::count(count))
        }
        ("POST", Target::Policies) => put(call, None),
        ("GET", Target::Policy(id)) => {
            let policy = find(call, id)?;
            let context = call.context("trustFramework/policies/$entity");
            let body = json!({"@odata.context": context, "id": policy.id});
            Ok(with_etag(call, Answer::json(200, &body), &policy.xml))
        }
        ("GET", Target::PolicyValue(id)) => {
            let policy = find(call, id)?;
            Ok(with_etag(call, Answer::xml(200, &policy.xml), &policy.xml))
        }
        ("PUT", Target::PolicyValue(id)) => put(call, Some(id)),
        ("PUT", Target::Policy(_)) => Err(Refusal::numbered(
            400,
            99009,
            "Put operation not supported for this entity on this uri. Please append '$value' to \
             the request uri and send the request again.",
        )),
        ("DELETE", Target::Policy(id) | Target::PolicyValue(id)) => delete(call, id),
        _ => Ok(call.no_action()),
    }
}

/// The name under which a policy is claimed by a request that writes it.
pub(super) fn object(id: &str) -> String {
    format!("policies/{}", key(&with_prefix(id)))
}

/// The same for a POST, which names the policy in its body only.
pub(super) fn object_of_body(body: &[u8]) -> Option<String> {
    let (_, facts) = upload::read(body).ok()?;
    facts.policy_id.as_deref().map(object)
}

/// The service's answer to a policy that has these faults.
pub(super) fn validation_failed(
    policy: &str,
    tenant: &str,
    items: &[String],
    separator: &str,
) -> Refusal {
    let head = format!(
        "Validation failed: {} validation error(s) found in policy \"{}\" of tenant \"{tenant}\".",
        items.len(),
        policy.to_uppercase()
    );
    let parts: Vec<&str> = std::iter::once(head.as_str())
        .chain(items.iter().map(String::as_str))
        .collect();
    Refusal::bare(400, parts.join(separator))
}

fn list(call: &Call<'_>) -> Answer {
    let ids: Vec<_> = call.server.store().read(call.tenant(), |tenant| {
        tenant
            .policies
            .values()
            .map(|policy| json!({"id": policy.id}))
            .collect()
    });
    let context = call.context("trustFramework/policies");
    Answer::json(200, &json!({"@odata.context": context, "value": ids}))
}

fn find(call: &Call<'_>, id: &str) -> Result<Policy, Refusal> {
    let found = call
        .server
        .store()
        .read(call.tenant(), |tenant| tenant.policy(id).cloned());
    found.ok_or_else(|| missing(call, id, &call.tenant_name()))
}

fn missing(call: &Call<'_>, id: &str, directory: &str) -> Refusal {
    let status = call.server.options().unknowns.missing_policy_status;
    Refusal::numbered(status, 90073, not_found(id, directory))
}

fn not_found(id: &str, directory: &str) -> String {
    format!("Policy with 'policyId': {id} cannot be found in the directory '{directory}'.")
}

fn delete(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    let protect = call.server.options().unknowns.protect_base_policies;
    call.server.store().change(call.tenant(), |tenant| {
        let policy = tenant
            .policy(id)
            .ok_or_else(|| missing(call, id, tenant.name()))?;
        check_etag(call, Some(policy))?;
        let child = tenant.policies.values().find(|other| {
            other
                .base
                .as_ref()
                .is_some_and(|base| key(base) == key(&policy.id))
        });
        match child.filter(|_| protect) {
            Some(child) => Err(Refusal::bare(
                400,
                format!(
                    "Policy '{}' of tenant '{}' cannot be deleted because policy '{}' inherits \
                     from it.",
                    policy.id,
                    tenant.name(),
                    child.id
                ),
            )),
            None => Ok((
                vec![Change::RemovePolicy(policy.id.clone())],
                Answer::empty(204),
            )),
        }
    })
}

/// PUT to `url_id`, or POST.
fn put(call: &Call<'_>, url_id: Option<&str>) -> Result<Answer, Refusal> {
    let unknowns = &call.server.options().unknowns;
    if call.body.len() > MAX_POLICY {
        return Err(Refusal::bare(
            unknowns.oversize_status,
            format!(
                "The policy being uploaded is {} bytes long. A policy must not be larger than \
                 1024 KB.",
                call.body.len()
            ),
        ));
    }
    check_content_type(call)?;
    let (text, facts) = upload::read(call.body).map_err(|exception| {
        Refusal::bare(
            400,
            format!(
                "The policy being uploaded is not XML or is not correctly formatted: {exception}"
            ),
        )
    })?;
    let tenant = call.server.store().read(call.tenant(), |tenant| Tenant {
        id: tenant.id.clone(),
        domain: tenant.domain.clone(),
        id_is_real: tenant.id_is_real,
        ..Tenant::default()
    });
    let policy_id = policy_id(call, &facts, &tenant)?;
    if let Some(url_id) = url_id
        && key(&with_prefix(url_id)) != key(&policy_id)
        && unknowns.id_mismatch == IdMismatch::Refuse
    {
        return Err(Refusal::bare(
            400,
            format!(
                "The policy id '{url_id}' in the request uri does not match the PolicyId \
                 '{policy_id}' in the policy xml."
            ),
        ));
    }
    let refused = |items: &[String]| {
        validation_failed(&policy_id, tenant.name(), items, &unknowns.item_separator)
    };
    let adopted = check_tenant(&facts, &tenant).map_err(|item| refused(&[item]))?;

    let xml = stored_form::of(text, &facts, &policy_id, &tenant.id, unknowns.stored_form);
    let policy = Policy {
        id: policy_id.clone(),
        xml: Arc::from(xml),
        base: facts.base_policy_id.clone(),
        key_references: facts.key_references.clone(),
    };
    let items = faults(call, text, &facts, &policy);
    if !items.is_empty() {
        return Err(refused(&items));
    }
    if unknowns.revalidate_children {
        revalidate_children(call, &policy)?;
    }
    store(call, policy, url_id.is_none(), adopted)
}

/// Writes a policy that has passed. The tenant may have changed meanwhile, as the service's may.
fn store(
    call: &Call<'_>,
    policy: Policy,
    is_post: bool,
    adopted: Option<String>,
) -> Result<Answer, Refusal> {
    let unknowns = &call.server.options().unknowns;
    call.server.store().change(call.tenant(), |tenant| {
        let existing = tenant.policy(&policy.id);
        check_etag(call, existing)?;
        if existing.is_some() && is_post {
            let status = match unknowns.duplicate_policy {
                DuplicatePolicy::Conflict => Some(409),
                DuplicatePolicy::BadRequest => Some(400),
                DuplicatePolicy::Overwrite => None,
            };
            if let Some(status) = status {
                let message = format!(
                    "Policy with id '{}' already exists in tenant '{}'.",
                    policy.id,
                    tenant.name()
                );
                return Err(Refusal::bare(status, message));
            }
        }
        let full = unknowns
            .policy_limit
            .filter(|limit| tenant.policies.len() >= *limit);
        if let Some(limit) = full.filter(|_| existing.is_none()) {
            let message = format!(
                "Tenant '{}' has reached its limit of {limit} policies.",
                tenant.name()
            );
            return Err(Refusal::bare(400, message));
        }
        let status = if existing.is_none() || is_post {
            201
        } else {
            200
        };
        let mut answer = with_etag(call, Answer::xml(status, &policy.xml), &policy.xml);
        if status == 201 {
            let location = format!("/trustFramework/policies/{}/", policy.id);
            answer = answer.header("location", location);
        }
        let domain = adopted
            .filter(|_| tenant.domain.is_none())
            .map(Change::Domain);
        Ok((
            domain.into_iter().chain([Change::Policy(policy)]).collect(),
            answer,
        ))
    })
}

/// The id with prefix, if the document is a policy that has one.
fn policy_id(call: &Call<'_>, facts: &Facts, tenant: &Tenant) -> Result<String, Refusal> {
    let separator = &call.server.options().unknowns.item_separator;
    let id = facts.policy_id.as_deref().unwrap_or_default();
    let schema_error = |what: String| {
        let item = format!(
            "Schema validation error found at line 1 col 1 in policy \"{}\" of tenant \"{}\": \
             {what}",
            id.to_uppercase(),
            tenant.name()
        );
        validation_failed(id, tenant.name(), &[item], separator)
    };
    if !facts.is_policy() {
        return Err(schema_error(format!(
            "The '{}' element is not declared.",
            facts.root
        )));
    }
    if id.trim().is_empty() {
        return Err(schema_error(
            "The required attribute 'PolicyId' is missing.".to_owned(),
        ));
    }
    if !has_prefix(id) && call.server.options().unknowns.refuse_unprefixed_policy {
        let message = format!("The policy id '{id}' must be prefixed by B2C_1A_.");
        return Err(Refusal::bare(400, message));
    }
    Ok(with_prefix(id))
}

/// Compares the tenant that the policy names with the one that the token names; answers the domain
/// if the emulator learns it from the policy.
fn check_tenant(facts: &Facts, tenant: &Tenant) -> Result<Option<String>, String> {
    let named = facts.tenant_id.as_deref().unwrap_or_default();
    let is_own =
        named.eq_ignore_ascii_case(tenant.name()) || named.eq_ignore_ascii_case(&tenant.id);
    let may_adopt = tenant.domain.is_none() && !named.is_empty();
    if !is_own && !may_adopt {
        return Err(format!(
            "TenantId in the policy xml '{named}' is not same as the one in login tenant '{}'.",
            tenant.name()
        ));
    }
    if let Some(object) = &facts.tenant_object_id
        && tenant.id_is_real
        && !object.eq_ignore_ascii_case(&tenant.id)
    {
        return Err(format!(
            "TenantObjectId in the policy xml '{object}' is not same as the one in login tenant \
             '{}'.",
            tenant.id
        ));
    }
    Ok((may_adopt && !is_own).then(|| named.to_lowercase()))
}

/// The items of the validation message: the chain of bases, keysets, content.
fn faults(call: &Call<'_>, text: &str, facts: &Facts, policy: &Policy) -> Vec<String> {
    let store = call.server.store();
    let (bases, keysets, name) = store.read(call.tenant(), |tenant| {
        let keysets: Vec<String> = tenant
            .keysets
            .values()
            .map(|keyset| keyset.id.clone())
            .collect();
        (ancestors(tenant, policy), keysets, tenant.name().to_owned())
    });
    let foreign = facts
        .base_tenant_id
        .as_deref()
        .filter(|_| facts.base_policy_id.is_some())
        .filter(|base| {
            !base.eq_ignore_ascii_case(&name) && !base.eq_ignore_ascii_case(call.tenant())
        });
    if let (Some(tenant), Some(base)) = (foreign, &facts.base_policy_id)
        && facts
            .tenant_id
            .as_deref()
            .is_none_or(|own| !own.eq_ignore_ascii_case(tenant))
    {
        return vec![not_found(&base.to_uppercase(), tenant)];
    }
    let bases = match bases {
        Ok(bases) => bases,
        Err(item) => return vec![item],
    };
    let mut items = Vec::new();
    let references = policy
        .key_references
        .iter()
        .chain(bases.iter().flat_map(|base| &base.key_references));
    let mut seen = Vec::new();
    for reference in references {
        let wanted = key(reference);
        let exists = keysets.iter().any(|keyset| key(keyset) == wanted);
        if !exists && !seen.contains(&wanted) {
            items.push(format!(
                "Tenant \"{name}\" does not have CryptographicKey referenced by \
                 storageReferenceId \"{reference}\"."
            ));
            seen.push(wanted);
        }
    }
    if call.server.options().validate {
        items.extend(verdict(text, &bases));
    }
    items
}

/// Keysets are checked here, in any case, and not a second time by the validator.
fn verdict(text: &str, bases: &[Policy]) -> Vec<String> {
    let ancestors: Vec<&str> = bases.iter().map(|base| base.xml.as_ref()).collect();
    validate::upload_verdict(text, &ancestors, None)
}

/// The policies that `policy` inherits from, nearest first; the error is the service's sentence.
fn ancestors(tenant: &Tenant, policy: &Policy) -> Result<Vec<Policy>, String> {
    let mut chain: Vec<Policy> = Vec::new();
    let mut base = policy.base.as_ref();
    while let Some(id) = base {
        let is_cycle =
            key(id) == key(&policy.id) || chain.iter().any(|ancestor| key(&ancestor.id) == key(id));
        let found = tenant.policy(id);
        // A policy that inherits from itself has no base as long as it is not stored.
        if found.is_none() {
            return Err(not_found(&id.to_uppercase(), tenant.name()));
        }
        let Some(found) = found.filter(|_| !is_cycle && chain.len() + 1 < MAX_DEPTH) else {
            let ids = chain.iter().map(|ancestor| &ancestor.id).chain([id]);
            let chain = json!(std::iter::once(&policy.id).chain(ids).collect::<Vec<_>>());
            return Err(format!(
                "Policy '{}' of tenant '{}' is not allowed to inherit from the specified base \
                 policy. Inheritance chain: {chain}",
                policy.id,
                tenant.name()
            ));
        };
        chain.push(found.clone());
        base = found.base.as_ref();
    }
    Ok(chain)
}

/// Validates everything that inherits from a policy as if the new form of it were stored.
fn revalidate_children(call: &Call<'_>, policy: &Policy) -> Result<(), Refusal> {
    let options = call.server.options();
    let (chains, name) = call.server.store().read(call.tenant(), |tenant| {
        let mut ahead = tenant.clone();
        ahead.policies.insert(key(&policy.id), policy.clone());
        let chains: Vec<_> = ahead
            .policies
            .values()
            .filter_map(|child| Some((child.clone(), ancestors(&ahead, child).ok()?)))
            .filter(|(_, bases)| bases.iter().any(|base| key(&base.id) == key(&policy.id)))
            .collect();
        (chains, tenant.name().to_owned())
    });
    for (child, bases) in chains.iter().filter(|_| options.validate) {
        let items = verdict(&child.xml, bases);
        if !items.is_empty() {
            let separator = &options.unknowns.item_separator;
            return Err(validation_failed(&child.id, &name, &items, separator));
        }
    }
    Ok(())
}

/// JSON in a POST is taken for a malformed policy, and anything else is accepted, unless the
/// switch asks for the type that the documentation asks for.
fn check_content_type(call: &Call<'_>) -> Result<(), Refusal> {
    if !call.server.options().unknowns.require_xml_content_type {
        return Ok(());
    }
    let value = call
        .headers
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    let essence = value
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if ["application/xml", "text/xml"]
        .iter()
        .any(|xml| essence.eq_ignore_ascii_case(xml))
    {
        Ok(())
    } else {
        Err(Refusal::graph(
            415,
            "UnsupportedMediaType",
            format!("The content type '{essence}' is not supported. Use application/xml."),
        ))
    }
}

fn etag(xml: &str) -> String {
    let hash = digest::digest(&digest::SHA256, xml.as_bytes());
    let hex: String = hash
        .as_ref()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

fn with_etag(call: &Call<'_>, answer: Answer, xml: &str) -> Answer {
    if call.server.options().unknowns.etags {
        answer.header("etag", etag(xml))
    } else {
        answer
    }
}

fn check_etag(call: &Call<'_>, existing: Option<&Policy>) -> Result<(), Refusal> {
    let wanted = call
        .headers
        .get("if-match")
        .and_then(|value| value.to_str().ok());
    let Some(wanted) = wanted.filter(|_| call.server.options().unknowns.etags) else {
        return Ok(());
    };
    let fits =
        existing.is_some_and(|policy| wanted.trim() == "*" || wanted.trim() == etag(&policy.xml));
    if fits {
        Ok(())
    } else {
        let message = "The policy was changed since it was read.";
        Err(Refusal::graph(412, "PreconditionFailed", message))
    }
}
