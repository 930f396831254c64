//! `userinput-datatype`: an input control for data that it cannot take.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site, data_type};

/// The pair of `UserInputType` and `DataType` is neither documented nor known to work.
pub(super) static USERINPUT_DATATYPE: Rule = Rule {
    id: "userinput-datatype",
    level: Level::Warning,
    summary: "the user input type of a claim type does not fit its data type",
};

/// Which data types a control takes, by the documentation and by policies that work.
static CONTROLS: &[(&str, &[&str])] = &[
    (
        "TextBox",
        &["string", "boolean", "int", "long", "phoneNumber"],
    ),
    ("EmailBox", &["string"]),
    ("Password", &["string"]),
    ("CheckboxMultiSelect", &["string", "boolean"]),
    ("DropdownSingleSelect", &["string", "boolean"]),
    ("RadioSingleSelect", &["string", "boolean"]),
    ("DateTimeDropdown", &["date", "dateTime"]),
    (
        "Paragraph",
        &[
            "string", "boolean", "date", "dateTime", "duration", "int", "long",
        ],
    ),
    (
        "Readonly",
        &[
            "string",
            "boolean",
            "date",
            "dateTime",
            "duration",
            "int",
            "long",
            "phoneNumber",
        ],
    ),
];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for element in policy.declarations(Kind::ClaimType) {
        let own = Site { policy, element };
        let Some(id) = own.attribute("Id") else {
            continue;
        };
        // The policy that sets one of the two answers for the pair.
        let Some(place) = own.child("UserInputType").or_else(|| own.child("DataType")) else {
            continue;
        };
        let Some(input) = view.merged_child(Kind::ClaimType, id, "UserInputType") else {
            continue;
        };
        let Some(data) = data_type(view, id) else {
            continue;
        };
        let (control, data_type) = (input.element.trimmed_text(), data.element.trimmed_text());
        let Some((_, known)) = CONTROLS.iter().find(|(name, _)| *name == control) else {
            continue;
        };
        if known.contains(&data_type) {
            continue;
        }
        let other = if place.element == input.element {
            (data, format!("data type {data_type}"))
        } else {
            (input, format!("user input type {control}"))
        };
        let mut finding = Diagnostic::new(
            &USERINPUT_DATATYPE,
            place.location(place.element.text_span()),
            format!("{control} does not fit claim type `{id}`, which is {data_type}"),
        )
        .policy_id(policy.id())
        .related(other.0.location(other.0.element.text_span()), other.1);
        let fitting: Vec<_> = CONTROLS
            .iter()
            .filter(|(_, types)| types.contains(&data_type))
            .map(|(name, _)| *name)
            .collect();
        if !fitting.is_empty() {
            finding = finding.help(format!("for {data_type} there is {}", fitting.join(", ")));
        }
        findings.push(finding);
    }
}
