//! `/organization`.

use serde_json::{Value, json};

use super::super::answer::{Answer, Refusal};
use super::super::server::Call;
use super::query::Query;
use super::{Entity, Target, context, not_found, wrong_method};

/// Given only if it is asked for, and in beta only.
const QUOTA: &str = "directorySizeQuota";

pub(super) fn answer(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    if call.method != "GET" {
        return Err(wrong_method());
    }
    let query = Query::parse(call.query)?;
    let organization = organization(call);
    if let Some(key) = &target.key {
        let (property, value) = key.property();
        if !organization.is(property, value) {
            return Err(not_found(value));
        }
    }
    let unknown = query.select().iter().find(|name| {
        let in_beta = target.beta || name.as_str() != QUOTA;
        !(in_beta && organization.0.contains_key(name.as_str()))
    });
    if let Some(name) = unknown {
        return Err(Refusal::graph(
            400,
            "BadRequest",
            format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{name}' \
                 on type 'microsoft.graph.organization'."
            ),
        ));
    }
    let mut shown = query.selected(&organization);
    if query.select().is_empty()
        && let Some(shown) = shown.as_object_mut()
    {
        shown.remove(QUOTA);
    }
    let context = context(call, target);
    if target.key.is_some() {
        let mut body = json!({"@odata.context": format!("{context}#organization/$entity")});
        super::merge(&mut body, &shown);
        return Ok(Answer::json(200, &body));
    }
    let body = json!({
        "@odata.context": format!("{context}#organization"),
        "value": [shown],
    });
    Ok(Answer::json(200, &body))
}

fn organization(call: &Call<'_>) -> Entity {
    let options = &call.server.options().directory;
    let (id, domain) = call.server.store().read(call.tenant(), |tenant| {
        (tenant.id.clone(), tenant.domain.clone())
    });
    // A tenant that only its id is known of has a domain all the same.
    let domain = domain.unwrap_or_else(|| format!("tenant{}.onmicrosoft.com", &id[..8]));
    let mut domains = vec![verified(&domain, true)];
    domains.extend(
        options
            .more_domains
            .iter()
            .map(|name| verified(name, false)),
    );
    let label = domain.split('.').next().unwrap_or_default().to_owned();
    let (used, total) = options.quota;
    Entity::new(json!({
        "id": id,
        "deletedDateTime": null,
        "countryLetterCode": "US",
        "createdDateTime": "2020-01-01T00:00:00Z",
        "displayName": label,
        "tenantType": options.tenant_type,
        "verifiedDomains": domains,
        QUOTA: {"used": used, "total": total},
    }))
}

fn verified(name: &str, first: bool) -> Value {
    json!({
        "capabilities": "Email, OfficeCommunicationsOnline",
        "isDefault": first,
        "isInitial": first,
        "name": name,
        "type": "Managed",
    })
}
