//! `select-without-options` and `enumeration-duplicate-value`: the options of selection controls.

use std::collections::HashMap;

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site, has_options};

/// A selection control without anything to select.
pub(super) static SELECT_WITHOUT_OPTIONS: Rule = Rule {
    id: "select-without-options",
    level: Level::Warning,
    summary: "a claim type is shown as a selection but has no options",
};

/// Two options with one value, or two that are selected by default where one can be.
pub(super) static ENUMERATION_DUPLICATE_VALUE: Rule = Rule {
    id: "enumeration-duplicate-value",
    level: Level::Warning,
    summary: "two options of a claim type have the same value or are both the default",
};

const SELECTIONS: &[&str] = &[
    "DropdownSingleSelect",
    "RadioSingleSelect",
    "CheckboxMultiSelect",
];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for element in policy.declarations(Kind::ClaimType) {
        let own = Site { policy, element };
        let Some(id) = own.attribute("Id") else {
            continue;
        };
        duplicates(view, own, id, findings);
        let Some(input) = own.child("UserInputType") else {
            continue;
        };
        let control = input.element.trimmed_text();
        if !SELECTIONS.contains(&control) || !view.is_complete() || has_options(view.set(), id) {
            continue;
        }
        findings.push(
            Diagnostic::new(
                &SELECT_WITHOUT_OPTIONS,
                input.location(input.element.text_span()),
                format!("claim type `{id}` is a {control} without options"),
            )
            .policy_id(policy.id())
            .help(
                "add Restriction/Enumeration, or a LocalizedCollection with \
                 TargetCollection=\"Restriction\" for each language",
            ),
        );
    }
}

fn duplicates(view: &Effective<'_>, own: Site<'_>, id: &str, findings: &mut Vec<Diagnostic>) {
    let mut options = own.items("Restriction", "Enumeration").peekable();
    if options.peek().is_none() {
        return;
    }
    let mut values: HashMap<&str, Site<'_>> = HashMap::new();
    let mut default: Option<Site<'_>> = None;
    let input = view.merged_child(Kind::ClaimType, id, "UserInputType");
    let control = input.map_or("", |input| input.element.trimmed_text());
    let single = SELECTIONS[..2].contains(&control);
    for option in options {
        let Some(value) = option.attribute("Value") else {
            continue;
        };
        let first = *values.entry(value).or_insert(option);
        if first.element != option.element {
            findings.push(
                Diagnostic::new(
                    &ENUMERATION_DUPLICATE_VALUE,
                    option.attribute_location("Value"),
                    format!("claim type `{id}` has two options with the value `{value}`"),
                )
                .policy_id(own.policy.id())
                .related(first.attribute_location("Value"), "the first one"),
            );
        }
        if !single || !matches!(option.attribute("SelectByDefault"), Some("true" | "1")) {
            continue;
        }
        let Some(first) = default else {
            default = Some(option);
            continue;
        };
        findings.push(
            Diagnostic::new(
                &ENUMERATION_DUPLICATE_VALUE,
                option.attribute_location("SelectByDefault"),
                format!("claim type `{id}` has two default options, but {control} selects one"),
            )
            .policy_id(own.policy.id())
            .related(
                first.attribute_location("SelectByDefault"),
                "the first default",
            ),
        );
    }
}
