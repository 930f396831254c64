//! `defaultvalue-type`: a default value that the claim's data type cannot hold.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Site, data_type};

/// `DefaultValue` is no value of the claim type's data type.
pub(super) static DEFAULTVALUE_TYPE: Rule = Rule {
    id: "defaultvalue-type",
    level: Level::Error,
    summary: "a default value does not fit the data type of its claim type",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for (element, attribute) in policy.default_values() {
        let value = attribute.value();
        // A claim resolver is replaced before the value is read.
        if value.contains('{') {
            continue;
        }
        let Some(claim_type) = element.attribute_value("ClaimTypeReferenceId") else {
            continue;
        };
        let Some(declaration) = data_type(view, claim_type) else {
            continue;
        };
        let data_type = declaration.element.trimmed_text();
        let Some(level) = judge(data_type, value) else {
            continue;
        };
        let site = Site { policy, element };
        let mut finding = Diagnostic::new(
            &DEFAULTVALUE_TYPE,
            site.attribute_location("DefaultValue"),
            format!("`{value}` is no {data_type}, but claim type `{claim_type}` is"),
        )
        .level(level)
        .policy_id(policy.id())
        .related(
            declaration.location(declaration.element.text_span()),
            format!("`{claim_type}` is {data_type}"),
        );
        if level == Level::Error && matches!(data_type, "int" | "long") {
            finding = finding.service_message("Input string was not in a correct format");
        }
        findings.push(finding);
    }
}

/// How bad a value is; `None` if it fits, or if the data type has no form to check.
fn judge(data_type: &str, value: &str) -> Option<Level> {
    let value = value.trim();
    let fits = match data_type {
        "boolean" => ["true", "false"]
            .iter()
            .any(|word| word.eq_ignore_ascii_case(value)),
        "int" => value.parse::<i32>().is_ok(),
        "long" => value.parse::<i64>().is_ok(),
        "date" | "dateTime" => looks_like_date(value),
        _ => true,
    };
    if fits {
        return None;
    }
    // That an empty value, 0 or 1 for a boolean, or a date in another form is refused, is not known.
    let date = data_type.starts_with("date");
    let doubtful = value.is_empty()
        || (data_type == "boolean" && matches!(value, "0" | "1"))
        || (date && value.contains(|c: char| c.is_ascii_digit()));
    Some(if doubtful {
        Level::Warning
    } else {
        Level::Error
    })
}

/// `yyyy-mm-dd`, with or without time.
fn looks_like_date(value: &str) -> bool {
    let (date, time) = match value.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (value, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let number = |text: &str, digits, least, most| {
        text.len() == digits
            && text
                .parse::<u32>()
                .is_ok_and(|number| (least..=most).contains(&number))
    };
    let known = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | '+' | '-' | 'Z');
    number(year, 4, 1, 9999)
        && number(month, 2, 1, 12)
        && number(day, 2, 1, 31)
        && time.is_none_or(|time| time.contains(':') && time.chars().all(known))
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::diagnostics::Level;

    #[test]
    fn values_are_judged_by_their_type() {
        for (data_type, value) in [
            ("boolean", "True"),
            ("int", "-7"),
            ("long", "3000000000"),
            ("date", "2021-06-06"),
            ("dateTime", "2021-06-06T15:00:00.0000000Z"),
            ("dateTime", "2021-06-06T15:00:00+02:00"),
            ("string", "anything"),
            ("stringCollection", "null"),
        ] {
            assert_eq!(judge(data_type, value), None, "{data_type} {value}");
        }
        for (data_type, value, level) in [
            ("boolean", "yes", Level::Error),
            ("boolean", "1", Level::Warning),
            ("int", "3000000000", Level::Error),
            ("int", "", Level::Warning),
            ("int", "1.5", Level::Error),
            ("date", "tomorrow", Level::Error),
            ("date", "06/06/2021", Level::Warning),
            ("date", "2021-13-06", Level::Warning),
        ] {
            assert_eq!(judge(data_type, value), Some(level), "{data_type} {value}");
        }
    }
}
