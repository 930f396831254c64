//! `tp-metadata-duplicate` and `tp-metadata-unknown`: the keys of metadata items.

use super::declared;
use crate::diagnostics::{Diagnostic, Edit, Level, Rule, near_miss};
use crate::policy::known::handlers::ProfileKind;
use crate::policy::{Effective, Site, TechnicalProfile};

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
        let kinds = kinds(&profile);
        let mut seen: Vec<Site<'_>> = Vec::new();
        for item in site.items("Metadata", "Item") {
            let Some(key) = item.attribute("Key") else {
                continue;
            };
            let same = |known: &&Site<'_>| known.attribute("Key") == Some(key);
            if let Some(first) = seen.iter().find(same) {
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
            seen.push(item);
            findings.extend(unknown(view, &profile, &kinds, item, key));
        }
    }
}

/// What the profile may be; nothing if that is not known.
fn kinds(profile: &TechnicalProfile<'_>) -> Vec<ProfileKind> {
    let Some(kind) = ProfileKind::of(profile) else {
        return Vec::new();
    };
    // A token issuer with a provider's protocol can have the items of both.
    let issuer = profile.child("OutputTokenFormat").is_some();
    if issuer {
        vec![kind, ProfileKind::JwtIssuer, ProfileKind::SamlIssuer]
    } else {
        vec![kind]
    }
}

/// Only slips are worth a word: the service ignores keys that it does not know, and some that it
/// does know are not documented.
fn unknown(
    view: &Effective<'_>,
    profile: &TechnicalProfile<'_>,
    kinds: &[ProfileKind],
    item: Site<'_>,
    key: &str,
) -> Option<Diagnostic> {
    let kind = *kinds.first()?;
    if kinds.iter().any(|kind| kind.metadata_key(key).is_some()) || is_message(key) {
        return None;
    }
    let names = kinds
        .iter()
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
