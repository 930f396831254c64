//! `ref-localizedresources` and `ref-localization-element`: texts in other languages that are not
//! there, and texts for what is not there.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site};

/// A content definition refers to resources that nobody declares.
pub(super) static RESOURCES: Rule = Rule {
    id: "ref-localizedresources",
    level: Level::Warning,
    summary: "a content definition names localized resources that are not declared",
};

/// A text belongs to an element that does not exist.
pub(super) static ELEMENT: Rule = Rule {
    id: "ref-localization-element",
    level: Level::Hint,
    summary: "a localized text belongs to an element that no policy of the set declares",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    for definition in view.policy().sites(Kind::ContentDefinition) {
        let references = definition.items(
            "LocalizedResourcesReferences",
            "LocalizedResourcesReference",
        );
        findings.extend(references.filter_map(|reference| resources(view, reference)));
    }
    for resources in view.policy().sites(Kind::LocalizedResources) {
        let strings = resources.items("LocalizedStrings", "LocalizedString");
        let collections = resources.items("LocalizedCollections", "LocalizedCollection");
        findings.extend(
            strings
                .chain(collections)
                .filter_map(|text| element(view, text)),
        );
    }
}

fn resources(view: &Effective<'_>, reference: Site<'_>) -> Option<Diagnostic> {
    let attribute = "LocalizedResourcesReferenceId";
    let id = reference.attribute(attribute)?;
    let kind = Kind::LocalizedResources;
    if view.declares(kind, id) || view.declared_below(kind, id) {
        return None;
    }
    let location = reference.attribute_location(attribute);
    let finding = Diagnostic::new(
        &RESOURCES,
        location,
        format!("localized resources `{id}` are declared neither here nor in a base policy"),
    )
    .policy_id(view.policy().id());
    Some(
        finding
            .did_you_mean(location, id, view.known_ids(kind))
            .or_help("the page is shown with its default texts in this language"),
    )
}

fn element(view: &Effective<'_>, text: Site<'_>) -> Option<Diagnostic> {
    let id = text.attribute("ElementId").filter(|id| !id.is_empty())?;
    let kind = match text.attribute("ElementType")? {
        "ClaimType" => Kind::ClaimType,
        "Predicate" => Kind::Predicate,
        "PredicateValidation" => Kind::PredicateValidation,
        "InputValidation" => Kind::InputValidation,
        "DisplayControl" => Kind::DisplayControl,
        _ => return None,
    };
    // Resources are often kept in one place for several policies of the set.
    let declared = view.declares(kind, id) || view.set().declares(kind, id);
    (!declared).then(|| {
        let location = text.attribute_location("ElementId");
        Diagnostic::new(
            &ELEMENT,
            location,
            format!("no policy of the set declares {} `{id}`", kind.noun()),
        )
        .policy_id(view.policy().id())
        .did_you_mean(location, id, view.known_ids(kind))
        .or_help("the text is never shown; remove it or declare the element")
    })
}
