//! Claim resolvers that resolve to nothing: `resolver-unknown`, `resolver-claim-missing` and
//! `resolver-type`.

use crate::diagnostics::{Diagnostic, Level, Location, Rule, near_miss};
use crate::policy::known::claim_resolvers::{FAMILIES, Family, Resolver, resolvers};
use crate::policy::{Effective, Kind};
use crate::xml::Element;

macro_rules! rules {
    ($($name:ident, $id:literal, $summary:literal;)*) => {
        $(pub(super) static $name: Rule = Rule {
            id: $id,
            level: Level::Warning,
            summary: $summary,
        };)*
    };
}

rules! {
    RESOLVER_UNKNOWN, "resolver-unknown",
        "a claim resolver that the service does not have";
    RESOLVER_CLAIM_MISSING, "resolver-claim-missing",
        "a claim resolver names a claim type that the policy and its bases do not declare";
    RESOLVER_TYPE, "resolver-type",
        "a claim resolver yields another data type than the claim has";
}

/// Prefixes that look like those of resolvers and are something else.
const OTHER: [&str; 4] = ["Settings", "service", "property", "ucp"];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for element in [
        "InputClaim",
        "OutputClaim",
        "PersistedClaim",
        "DisplayClaim",
        "LoadUri",
        "Parameter",
        "Item",
    ]
    .into_iter()
    .flat_map(|name| policy.document.elements_named(name))
    {
        let mut look = |text: &str, location: Location| {
            for resolver in resolvers(text) {
                findings.extend(
                    check_resolver(view, resolver, location)
                        .map(|finding| finding.policy_id(policy.id())),
                );
            }
        };
        match element.name() {
            "InputClaim" | "OutputClaim" | "PersistedClaim" | "DisplayClaim" => {
                for name in ["DefaultValue", "PartnerClaimType"] {
                    if let Some(attribute) = element.attribute(name)
                        && attribute.value().contains('{')
                    {
                        look(attribute.value(), policy.location(attribute.value_span()));
                    }
                }
            }
            "Item" if element.attribute("Key").is_none() => continue,
            _ if element.text().contains('{') => {
                look(element.text(), policy.location(element.text_span()));
            }
            _ => {}
        }
        findings.extend(check_type(view, element).map(|finding| finding.policy_id(policy.id())));
    }
}

fn check_resolver(
    view: &Effective<'_>,
    resolver: Resolver<'_>,
    location: Location,
) -> Option<Diagnostic> {
    let Resolver { prefix, key } = resolver;
    if OTHER.iter().any(|other| other.eq_ignore_ascii_case(prefix)) {
        return None;
    }
    let Some(family) = Family::find(prefix) else {
        let prefixes = FAMILIES.iter().map(|family| family.prefix);
        let finding = Diagnostic::new(
            &RESOLVER_UNKNOWN,
            location,
            format!("there are no claim resolvers `{{{prefix}:…}}`"),
        );
        return Some(match near_miss(prefix, prefixes.clone()) {
            Some(near) => finding.help(format!("did you mean `{{{near}:{key}}}`?")),
            None => finding.level(Level::Hint).help(format!(
                "known are {}",
                prefixes.collect::<Vec<_>>().join(", ")
            )),
        });
    };
    if !family.has(key) {
        let finding = Diagnostic::new(
            &RESOLVER_UNKNOWN,
            location,
            format!("there is no claim resolver `{{{prefix}:{key}}}`"),
        );
        return Some(match near_miss(key, family.keys.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{{{prefix}:{near}}}`?")),
            None => finding.help(format!(
                "{} knows {}",
                family.prefix,
                family.keys.join(", ")
            )),
        });
    }
    let is_claim = family.prefix == "Claim";
    if !is_claim || !view.is_complete() || view.declares(Kind::ClaimType, key) {
        return None;
    }
    let finding = Diagnostic::new(
        &RESOLVER_CLAIM_MISSING,
        location,
        format!("claim type `{key}` is declared neither here nor in a base policy"),
    );
    Some(match near_miss(key, view.ids(Kind::ClaimType)) {
        Some(near) => finding.help(format!("did you mean `{{{prefix}:{near}}}`?")),
        None => finding,
    })
}

/// A value that is nothing but one resolver has that resolver's type.
fn check_type(view: &Effective<'_>, element: Element<'_>) -> Option<Diagnostic> {
    let claim = element.attribute_value("ClaimTypeReferenceId")?;
    let whole = |name: &'static str| {
        let attribute = element.attribute(name)?;
        let text = attribute.value().trim();
        let resolver = text.starts_with('{').then(|| resolvers(text).next())??;
        let length = resolver.prefix.len() + resolver.key.len() + 3;
        (text.len() == length).then_some((attribute, resolver))
    };
    let (attribute, resolver) = whole("DefaultValue").or_else(|| whole("PartnerClaimType"))?;
    let family = Family::find(resolver.prefix)?;
    let data_type = view.merged_child(Kind::ClaimType, claim, "DataType")?;
    let data_type = data_type.element.trimmed_text();
    let (fits, wanted) = match (family.prefix, resolver.key.to_ascii_lowercase().as_str()) {
        ("OAUTH2", "expires_in") => (matches!(data_type, "int" | "long"), "int or long"),
        ("Culture", "languagename" | "regionname" | "rfc5646")
        | ("Policy", _)
        | ("Context", "correlationid" | "hostname" | "ipaddress" | "deploymentmode")
        | ("OAUTH2", _) => (
            !matches!(data_type, "boolean" | "int" | "long" | "date" | "dateTime"),
            "string",
        ),
        _ => return None,
    };
    if fits {
        return None;
    }
    Some(
        Diagnostic::new(
            &RESOLVER_TYPE,
            view.policy().location(attribute.value_span()),
            format!(
                "`{{{}:{}}}` yields {wanted}, but claim `{claim}` has data type {data_type}",
                resolver.prefix, resolver.key
            ),
        )
        .help("use a claim type of that data type and convert it with a claims transformation"),
    )
}
