//! Claim resolvers that resolve to nothing: `resolver-unknown`, `resolver-claim-missing` and
//! `resolver-type`.

use crate::diagnostics::{Diagnostic, Level, Location, Rule, near_miss};
use crate::policy::known::claim_resolvers::{FAMILIES, Family, Resolver, resolvers};
use crate::policy::{CLAIM_ELEMENTS, Effective, Kind};
use crate::xml::{Attribute, Element};

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
    let start = findings.len();
    for (element, attribute) in policy.default_values() {
        if attribute.value().contains('{') && CLAIM_ELEMENTS.contains(&element.name()) {
            in_attribute(view, attribute, findings);
            findings.extend(check_type(view, element, attribute));
        }
    }
    let document = &policy.document;
    for element in CLAIM_ELEMENTS
        .iter()
        .flat_map(|name| document.elements_named(name))
    {
        if let Some(attribute) = element.attribute("PartnerClaimType")
            && attribute.value().contains('{')
        {
            in_attribute(view, attribute, findings);
            let default = element.attribute("DefaultValue");
            if default.and_then(whole_resolver).is_none() {
                findings.extend(check_type(view, element, attribute));
            }
        }
    }
    for element in TEXTS.iter().flat_map(|name| document.elements_named(name)) {
        let text = element.text();
        if text.contains('{') && !(element.is_named("Item") && element.attribute("Key").is_none()) {
            in_text(view, text, policy.location(element.text_span()), findings);
        }
    }
    for finding in &mut findings[start..] {
        finding.policy_id = Some(policy.id().to_owned());
    }
}

/// Elements whose text may hold resolvers.
const TEXTS: [&str; 3] = ["LoadUri", "Parameter", "Item"];

fn in_attribute(view: &Effective<'_>, attribute: Attribute<'_>, findings: &mut Vec<Diagnostic>) {
    let location = view.policy().location(attribute.value_span());
    in_text(view, attribute.value(), location, findings);
}

fn in_text(view: &Effective<'_>, text: &str, place: Location, findings: &mut Vec<Diagnostic>) {
    findings.extend(resolvers(text).filter_map(|resolver| check_resolver(view, resolver, place)));
}

/// The resolver that a value consists of, if it is nothing else.
fn whole_resolver(attribute: Attribute<'_>) -> Option<Resolver<'_>> {
    let text = attribute.value().trim();
    let resolver = text.starts_with('{').then(|| resolvers(text).next())??;
    let length = resolver.prefix.len() + resolver.key.len() + 3;
    (text.len() == length).then_some(resolver)
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
    Some(match view.known_ids(Kind::ClaimType).near_miss(key) {
        Some(near) => finding.help(format!("did you mean `{{{prefix}:{near}}}`?")),
        None => finding,
    })
}

/// A value that is nothing but one resolver has that resolver's type.
fn check_type(
    view: &Effective<'_>,
    element: Element<'_>,
    attribute: Attribute<'_>,
) -> Option<Diagnostic> {
    let resolver = whole_resolver(attribute)?;
    let claim = element.attribute_value("ClaimTypeReferenceId")?;
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
