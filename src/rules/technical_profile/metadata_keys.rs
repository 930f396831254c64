//! `tp-metadata-duplicate` and `tp-metadata-unknown`: the keys of metadata items.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::declared;
use crate::diagnostics::{Diagnostic, Edit, Level, Rule, near_miss};
use crate::policy::known::handlers::ProfileKind;
use crate::policy::{Effective, IdHasher, Site, TechnicalProfile};

pub(super) static TP_METADATA_DUPLICATE: Rule = Rule {
    id: "tp-metadata-duplicate",
    level: Level::Warning,
    summary: "one Metadata element has two items of the same key",
};

pub(super) static TP_METADATA_UNKNOWN: Rule = Rule {
    id: "tp-metadata-unknown",
    level: Level::Hint,
    summary: "a metadata item has a key that this kind of technical profile does not know",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for (site, profile) in declared(view) {
        let mut seen: HashMap<&str, Site<'_>, BuildHasherDefault<IdHasher>> = HashMap::default();
        for item in site.items("Metadata", "Item") {
            let Some(key) = item.attribute("Key") else {
                continue;
            };
            let first = *seen.entry(key).or_insert(item);
            if first.element != item.element {
                findings.push(
                    Diagnostic::new(
                        &TP_METADATA_DUPLICATE,
                        item.attribute_location("Key"),
                        format!("metadata item `{key}` stands here twice"),
                    )
                    .related(first.attribute_location("Key"), "also here")
                    .help("only one of them can count: remove the other")
                    .policy_id(view.policy().id()),
                );
            }
            findings.extend(unknown(view, &profile, item, key));
        }
    }
}

/// What a profile may be besides its kind: a token issuer with a provider's protocol can have the items
/// of both.
fn issuers(profile: &TechnicalProfile<'_>) -> &'static [ProfileKind] {
    if profile.child("OutputTokenFormat").is_some() {
        &[ProfileKind::JwtIssuer, ProfileKind::SamlIssuer]
    } else {
        &[]
    }
}

/// Only slips are worth a word: the service ignores keys that it does not know, and some that it
/// does know are not documented.
fn unknown(
    view: &Effective<'_>,
    profile: &TechnicalProfile<'_>,
    item: Site<'_>,
    key: &str,
) -> Option<Diagnostic> {
    let kind = profile.kind()?;
    let knows = |kind: &ProfileKind| kind.metadata_key(key).is_some();
    if knows(&kind) || is_message(key) {
        return None;
    }
    let issuers = issuers(profile);
    if issuers.iter().any(knows) {
        return None;
    }
    let names = std::iter::once(&kind)
        .chain(issuers)
        .flat_map(|kind| kind.metadata_keys())
        .map(|known| known.name);
    let trimmed = key.trim();
    let near = names
        .clone()
        .find(|name| *name == trimmed)
        .or_else(|| near_miss(trimmed, names))?;
    let location = item.attribute_location("Key");
    let finding = Diagnostic::new(
        &TP_METADATA_UNKNOWN,
        location,
        format!("{} has no metadata item `{key}`", with_article(kind.noun())),
    )
    .help(format!("did you mean `{near}`?"))
    .policy_id(view.policy().id());
    // A slip of case or blanks is certain, and the right key must not be there already.
    let certain = near.eq_ignore_ascii_case(trimmed) && profile.metadata(near).is_none();
    Some(if certain {
        let edit = Edit {
            location,
            replacement: near.to_owned(),
        };
        finding.fix(format!("write `{near}`"), vec![edit])
    } else {
        finding
    })
}

/// Messages to the user are named after what happened, in any profile.
fn is_message(key: &str) -> bool {
    let start = |prefix: &str| {
        key.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    start("UserMessage") || start("DefaultUserMessage") || start("language.") || start("ucp.")
}

fn with_article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'O']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}
