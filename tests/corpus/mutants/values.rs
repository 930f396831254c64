//! Values that the service looks up by itself: pages, resolvers, handlers, required metadata, keys.

use super::engine::Mutant;
use super::model::{Model, Place, child, has_path, is};

/// A handler that no service has.
const HANDLER: &str = "Web.TPEngine.Providers.NoProvider, Web.TPEngine, Version=1.0.0.0, \
                       Culture=neutral, PublicKeyToken=null";

pub(super) fn breaks(model: &Model<'_>, mutants: &mut Vec<Mutant>) {
    for place in model.elements() {
        let (_, element) = place;
        if has_path(element, &["ContentDefinition", "DataUri"]) {
            let text = element.text().unwrap_or_default();
            let (prefix, version) = text.trim().rsplit_once(':').unwrap_or_default();
            if prefix.contains(":contract:") {
                let other = format!("{prefix}:0.9.0");
                mutants.extend(Mutant::text(
                    "version of a page",
                    "datauri-version",
                    place,
                    other,
                ));
                let without = format!("{}:{version}", prefix.replace(":contract:", ":page:"));
                mutants.extend(Mutant::text(
                    "form of a page",
                    "datauri-unknown",
                    place,
                    without,
                ));
            } else if prefix.contains(":elements:") {
                let other = format!("{prefix}:0.9.0");
                mutants.extend(Mutant::text("old page", "datauri-unknown", place, other));
            }
            let page = prefix
                .rsplit_once(':')
                .map(|(before, _)| before)
                .unwrap_or_default();
            let other = format!("{page}:nopage:{version}");
            mutants.extend(Mutant::text(
                "name of a page",
                "datauri-unknown",
                place,
                other,
            ));
        }
        if has_path(
            element,
            &["TechnicalProfile", "OutputClaims", "OutputClaim"],
        ) {
            let rule = "resolver-unknown";
            let value = element.attribute("DefaultValue").unwrap_or_default();
            if value.starts_with("{Context:") || value.starts_with("{OIDC:") {
                let key = value.split(':').next().unwrap_or_default();
                let other = format!("{key}:Nothing}}");
                let kind = "key of a claim resolver";
                mutants.extend(Mutant::attribute(kind, rule, place, "DefaultValue", other));
                let kind = "claim of a claim resolver";
                let (rule, other) = ("resolver-claim-missing", "{Claim:brokenReference}");
                mutants.extend(Mutant::attribute(kind, rule, place, "DefaultValue", other));
            }
        }
        if has_path(element, &["ClaimsTransformation"]) {
            let kind = "method of a claims transformation";
            let (rule, attribute) = ("ct-unknown-method", "TransformationMethod");
            mutants.extend(Mutant::attribute(
                kind,
                rule,
                place,
                attribute,
                "NoSuchMethod",
            ));
        }
        if has_path(element, &["Predicate"]) {
            let kind = "method of a predicate";
            mutants.extend(Mutant::attribute(
                kind,
                "predicate-method",
                place,
                "Method",
                "NoMethod",
            ));
        }
    }
    reached(model, mutants);
}

/// What only a profile needs that is executed.
fn reached(model: &Model<'_>, mutants: &mut Vec<Mutant>) {
    for (file, _, journey) in model.relying_parties() {
        for step in model.steps(file, journey) {
            for (_, exchange) in step.exchanges() {
                let id = exchange
                    .attribute("TechnicalProfileReferenceId")
                    .unwrap_or_default();
                let declared = model.declared(file, "TechnicalProfile", id);
                let [(at, profile)] = declared[..] else {
                    continue;
                };
                if !model.may_break(at) {
                    continue;
                }
                for item in profile.descendants().filter(|item| is(*item, "Item")) {
                    metadata((at, item), (at, profile), mutants);
                }
                transformations(model, (at, profile), mutants);
                if let Some(protocol) = child(profile, "Protocol")
                    && protocol.attribute("Name") == Some("Proprietary")
                {
                    let (kind, rule) = ("handler", "tp-handler-unknown");
                    let mutant = Mutant::attribute(kind, rule, (at, protocol), "Handler", HANDLER);
                    mutants.extend(mutant);
                }
                if let Some(session) = child(profile, "UseTechnicalProfileForSessionManagement") {
                    let (kind, rule) = ("session management by another profile", "sso-handler");
                    let place = (at, session);
                    let mutant = Mutant::attribute(kind, rule, place, "ReferenceId", id);
                    mutants.extend(mutant);
                }
            }
        }
    }
}

fn metadata(item: Place<'_>, profile: Place<'_>, mutants: &mut Vec<Mutant>) {
    let (_, element) = item;
    match element.attribute("Key").unwrap_or_default() {
        // An empty list would be a second mistake.
        "Operation" if item.1.next_sibling_element().is_some() => {
            let kind = "required metadata item";
            let mutant =
                Mutant::without(kind, "tp-metadata-required", item).at_attribute(profile, "Id");
            mutants.push(mutant);
        }
        "ServiceUrl" => {
            let kind = "address of a REST service";
            let mutant = Mutant::text(kind, "tp-metadata-invalid", item, "nowhere");
            mutants.extend(mutant);
            let (kind, rule) = ("claim in an address", "rest-url-placeholder");
            let mutant = Mutant::text(kind, rule, item, "https://contoso.com/{brokenReference}");
            mutants.extend(mutant);
            let kind = "address that is missing";
            let mutant =
                Mutant::without(kind, "tp-metadata-required", item).at_attribute(profile, "Id");
            mutants.push(mutant);
        }
        "client_id" => {
            let kind = "empty client id";
            let mutant = Mutant::text(kind, "tp-metadata-invalid", item, " ");
            mutants.extend(mutant);
        }
        _ => {}
    }
}

/// Claims transformations that need a text or an option that is nowhere, run by a profile.
fn transformations(model: &Model<'_>, (file, profile): Place<'_>, mutants: &mut Vec<Mutant>) {
    let root = model.documents[file].root_element();
    let mut elements = root.descendants();
    let Some(first) = elements.find(|element| is(*element, "ClaimsTransformation")) else {
        return;
    };
    let mut references = profile.descendants();
    let reference = references.find(|element| is(*element, "OutputClaimsTransformation"));
    let Some(reference) = reference else {
        return;
    };
    let call = "<OutputClaimsTransformation ReferenceId=\"broken\" />";
    let start = reference.range().start;
    for (kind, rule, method, content) in [
        (
            "localized string of a claims transformation",
            "ct-localized-string-missing",
            "FormatLocalizedString",
            "<InputParameters><InputParameter Id=\"stringFormatId\" DataType=\"string\" \
             Value=\"brokenReference\" /></InputParameters><OutputClaims><OutputClaim \
             ClaimTypeReferenceId=\"displayName\" TransformationClaimType=\"outputClaim\" />\
             </OutputClaims>",
        ),
        (
            "options of a claims transformation",
            "ct-mapped-value-no-restriction",
            "GetMappedValueFromLocalizedCollection",
            "<InputClaims><InputClaim ClaimTypeReferenceId=\"displayName\" \
             TransformationClaimType=\"mapFromClaim\" /></InputClaims><OutputClaims><OutputClaim \
             ClaimTypeReferenceId=\"displayName\" \
             TransformationClaimType=\"restrictionValueClaim\" /></OutputClaims>",
        ),
    ] {
        let declaration = format!(
            "<ClaimsTransformation Id=\"broken\" TransformationMethod=\"{method}\">{content}\
             </ClaimsTransformation>"
        );
        let mutant = Mutant::before(kind, rule, (file, first), &declaration);
        mutants.push(mutant.and(start..start, call));
    }
}
