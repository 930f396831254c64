//! `localization-language` and `localization-string-type`: texts that nobody will see.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::diagnostics::{Diagnostic, Level, Rule, near_miss};
use crate::policy::{Effective, Id, IdHasher, Kind, Policy, Site};
use crate::xml::Element;

/// A language that is used but not supported.
pub(super) static LOCALIZATION_LANGUAGE: Rule = Rule {
    id: "localization-language",
    level: Level::Warning,
    summary: "localized resources or the default language name a language that is not supported",
};

/// A localized string that is addressed to nothing, or given twice.
pub(super) static LOCALIZATION_STRING_TYPE: Rule = Rule {
    id: "localization-string-type",
    level: Level::Hint,
    summary: "a localized string has an unknown element type or string id, or is given twice",
};

/// The element types, each with the string ids that it can have; none where the policy chooses them.
static ELEMENT_TYPES: &[(&str, &[&str])] = &[
    ("ClaimsProvider", &[]),
    (
        "ClaimType",
        &[
            "DisplayName",
            "UserHelpText",
            "AdminHelpText",
            "PatternHelpText",
        ],
    ),
    ("ErrorMessage", &[]),
    ("GetLocalizedStringsTransformationClaimType", &[]),
    ("FormatLocalizedStringTransformationClaimType", &[]),
    ("Predicate", &["HelpText", "UserHelpText"]),
    ("PredicateValidation", &[]),
    ("InputValidation", &[]),
    ("UxElement", &[]),
    ("DisplayControl", &[]),
];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let start = findings.len();
    let policy = view.policy();
    default_language(view, findings);
    reference_languages(view, findings);
    for element in policy.declarations(Kind::LocalizedResources) {
        strings(Site { policy, element }, findings);
    }
    for finding in &mut findings[start..] {
        finding.policy_id = Some(policy.id().to_owned());
    }
}

fn supported_languages(policy: &Policy) -> Option<Element<'_>> {
    policy
        .document
        .root()?
        .descend(&["BuildingBlocks", "Localization", "SupportedLanguages"])
}

fn languages(element: Element<'_>) -> impl Iterator<Item = &str> {
    element
        .children_named("SupportedLanguage")
        .map(Element::trimmed_text)
}

fn default_language(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    let Some(element) = supported_languages(policy) else {
        return;
    };
    let own = Site { policy, element };
    let Some(default) = own.attribute("DefaultLanguage") else {
        return;
    };
    let alone = own.attribute("MergeBehavior") == Some("ReplaceAll");
    if !alone && !view.is_complete() {
        return;
    }
    let chain: Vec<&Policy> = if alone {
        vec![policy]
    } else {
        view.chain().to_vec()
    };
    let supported: Vec<&str> = chain
        .into_iter()
        .filter_map(supported_languages)
        .flat_map(languages)
        .collect();
    if supported.is_empty() || contains(&supported, default) {
        return;
    }
    findings.push(
        Diagnostic::new(
            &LOCALIZATION_LANGUAGE,
            own.attribute_location("DefaultLanguage"),
            format!("the default language `{default}` is not among the supported languages"),
        )
        .help(format!("supported are {}", supported.join(", "))),
    );
}

/// A policy that inherits the content definition may support the language, so all of the set count.
fn reference_languages(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    let references = policy
        .declarations(Kind::ContentDefinition)
        .filter_map(|element| element.child("LocalizedResourcesReferences"))
        .flat_map(|list| list.children_named("LocalizedResourcesReference"));
    let mut supported: Option<Vec<&str>> = None;
    for element in references {
        let reference = Site { policy, element };
        let Some(language) = reference.attribute("Language") else {
            continue;
        };
        let supported = supported.get_or_insert_with(|| {
            view.set()
                .iter()
                .filter_map(|(_, policy)| supported_languages(policy))
                .flat_map(languages)
                .collect()
        });
        // Without any list, localization is not in use here, or its policy is not known.
        if supported.is_empty() || contains(supported, language) || !view.is_complete() {
            continue;
        }
        findings.push(
            Diagnostic::new(
                &LOCALIZATION_LANGUAGE,
                reference.attribute_location("Language"),
                format!("language `{language}` is not among the supported languages"),
            )
            .help("add it to SupportedLanguages, or leave its resources out"),
        );
    }
}

fn contains(languages: &[&str], language: &str) -> bool {
    languages
        .iter()
        .any(|known| known.eq_ignore_ascii_case(language.trim()))
}

fn strings(resources: Site<'_>, findings: &mut Vec<Diagnostic>) {
    let mut first_of: HashMap<_, Site<'_>, BuildHasherDefault<IdHasher>> = HashMap::default();
    for string in resources.items("LocalizedStrings", "LocalizedString") {
        let (Some(kind), Some(id)) = (
            string.attribute("ElementType"),
            string.attribute("StringId"),
        ) else {
            continue;
        };
        let element = string.attribute("ElementId").unwrap_or_default();
        let key = (kind, Id::of(element), id);
        let first = *first_of.entry(key).or_insert(string);
        if first.element != string.element {
            findings.push(
                Diagnostic::new(
                    &LOCALIZATION_STRING_TYPE,
                    string.attribute_location("StringId"),
                    format!("the string `{id}` is given twice in these resources"),
                )
                .related(first.attribute_location("StringId"), "the first one"),
            );
        }
        let Some((_, ids)) = ELEMENT_TYPES.iter().find(|(name, _)| *name == kind) else {
            let finding = Diagnostic::new(
                &LOCALIZATION_STRING_TYPE,
                string.attribute_location("ElementType"),
                format!("there is no element type `{kind}` of localized strings"),
            );
            let near = near_miss(kind, ELEMENT_TYPES.iter().map(|(name, _)| *name));
            findings.push(match near {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            });
            continue;
        };
        if !ids.is_empty() && !ids.contains(&id) {
            let finding = Diagnostic::new(
                &LOCALIZATION_STRING_TYPE,
                string.attribute_location("StringId"),
                format!("a {kind} has no text `{id}`"),
            );
            findings.push(match near_miss(id, ids.iter().copied()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help(format!("it has {}", ids.join(", "))),
            });
        }
    }
}
