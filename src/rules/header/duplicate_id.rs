//! `duplicate-id-case`, `duplicate-displaycontrol-id` and `duplicate-localizedresources-id`: what is
//! one element for the service and two for the schema.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Id, IdMap, Kind, Site};

/// Ids that only the schema tells apart.
pub(super) static DUPLICATE_ID_CASE: Rule = Rule {
    id: "duplicate-id-case",
    level: Level::Warning,
    summary: "two elements of one kind in one file have ids that differ only in letter case",
};

/// The schema has no key for display controls.
pub(super) static DUPLICATE_DISPLAYCONTROL_ID: Rule = Rule {
    id: "duplicate-displaycontrol-id",
    level: Level::Warning,
    summary: "two display controls of one file have the same id",
};

/// The schema has no key for localized resources.
pub(super) static DUPLICATE_LOCALIZEDRESOURCES_ID: Rule = Rule {
    id: "duplicate-localizedresources-id",
    level: Level::Warning,
    summary: "two LocalizedResources of one file have the same id",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    if !policy.declares_twice() {
        return;
    }
    for kind in Kind::ALL {
        let mut first: IdMap<'_, Site<'_>> = IdMap::default();
        for site in policy.sites(kind) {
            let Some(id) = site.attribute("Id") else {
                continue;
            };
            let known = *first.entry(Id::of(id)).or_insert(site);
            if known.element == site.element {
                continue;
            }
            let same_case = known.attribute("Id") == Some(id);
            let rule = match kind {
                _ if !same_case => &DUPLICATE_ID_CASE,
                Kind::DisplayControl => &DUPLICATE_DISPLAYCONTROL_ID,
                Kind::LocalizedResources => &DUPLICATE_LOCALIZEDRESOURCES_ID,
                // The schema's own keys see the others.
                _ => continue,
            };
            let message = if same_case {
                format!("{} `{id}` is declared twice in this file", kind.noun())
            } else {
                format!(
                    "{} `{id}` differs only in letter case from another one of this file",
                    kind.noun()
                )
            };
            findings.push(
                Diagnostic::new(rule, site.attribute_location("Id"), message)
                    .related(known.attribute_location("Id"), "declared here first")
                    .help("references do not tell them apart; give one of them another id")
                    .policy_id(policy.id()),
            );
        }
    }
}
