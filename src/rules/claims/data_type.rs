//! `claimtype-no-datatype` and `claimtype-no-displayname`: what a claim type must say about itself.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site};

/// A claim type without `DataType`.
pub(super) static CLAIMTYPE_NO_DATATYPE: Rule = Rule {
    id: "claimtype-no-datatype",
    level: Level::Error,
    summary: "a claim type has no data type",
};

/// A claim type that a user fills in has no `DisplayName`, so the page shows no label.
pub(super) static CLAIMTYPE_NO_DISPLAYNAME: Rule = Rule {
    id: "claimtype-no-displayname",
    level: Level::Warning,
    summary: "a claim type that a user fills in has no display name",
};

/// Input types that take no input: what they show may speak for itself.
const SHOWN_ONLY: &[&str] = &["Paragraph", "Readonly", "Button"];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    let policy = view.policy();
    for element in policy.declarations(Kind::ClaimType) {
        let Some(id) = element.attribute_value("Id") else {
            continue;
        };
        // The policy that introduces the claim type answers for it.
        let first = view.first_site(Kind::ClaimType, id);
        if first.is_none_or(|first| first.element != element) {
            continue;
        }
        let sites = view.sites(Kind::ClaimType, id);
        let location = || Site { policy, element }.attribute_location("Id");
        let lacks = |child: &str| !sites.iter().any(|site| site.child(child).is_some());
        if lacks("DataType") {
            findings.push(
                Diagnostic::new(
                    &CLAIMTYPE_NO_DATATYPE,
                    location(),
                    format!("claim type `{id}` has no DataType"),
                )
                .policy_id(policy.id())
                .help(
                    "only a policy that inherits the claim type may leave it out; here, add for \
                     example <DataType>string</DataType>",
                ),
            );
        }
        let input = sites
            .iter()
            .rev()
            .find_map(|site| site.child("UserInputType"));
        let filled_in =
            input.is_some_and(|input| !SHOWN_ONLY.contains(&input.element.trimmed_text()));
        if filled_in && lacks("DisplayName") && !is_localized(view, id) {
            findings.push(
                Diagnostic::new(
                    &CLAIMTYPE_NO_DISPLAYNAME,
                    location(),
                    format!("claim type `{id}` has no DisplayName to label its input"),
                )
                .policy_id(policy.id()),
            );
        }
    }
}

/// Whether any policy of the set gives the display name as a localized string.
fn is_localized(view: &Effective<'_>, id: &str) -> bool {
    let resources = view
        .set()
        .iter()
        .flat_map(|(_, policy)| policy.declarations(Kind::LocalizedResources));
    resources
        .filter_map(|resources| resources.child("LocalizedStrings"))
        .flat_map(|list| list.children_named("LocalizedString"))
        .any(|string| {
            string.attribute_value("StringId") == Some("DisplayName")
                && string
                    .attribute_value("ElementId")
                    .is_some_and(|element| element.eq_ignore_ascii_case(id))
        })
}
