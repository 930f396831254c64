//! `predicate-method` and `predicategroup-matchatleast`: predicates that cannot be evaluated.

use crate::diagnostics::{Diagnostic, Level, Rule, near_miss};
use crate::policy::{Effective, Kind, Site};

/// A predicate with an unknown method or with parameters that do not fit it.
pub(super) static PREDICATE_METHOD: Rule = Rule {
    id: "predicate-method",
    level: Level::Error,
    summary: "a predicate has an unknown method or parameters that do not fit it",
};

/// A predicate group that asks for more matches than it has predicates.
pub(super) static PREDICATEGROUP_MATCHATLEAST: Rule = Rule {
    id: "predicategroup-matchatleast",
    level: Level::Warning,
    summary: "a predicate group asks for more matches than it has predicates",
};

/// The methods with their parameters, all of which are required.
static METHODS: &[(&str, &[&str])] = &[
    ("IsLengthRange", &["Minimum", "Maximum"]),
    ("MatchesRegex", &["RegularExpression"]),
    ("IncludesCharacters", &["CharacterSet"]),
    ("IsDateRange", &["Minimum", "Maximum"]),
];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    let start = findings.len();
    for element in policy.declarations(Kind::Predicate) {
        let predicate = Site { policy, element };
        let Some(written) = predicate.attribute("Method") else {
            continue;
        };
        match METHODS.iter().find(|(name, _)| *name == written) {
            Some((method, parameters)) => {
                parameter_names(view, predicate, method, parameters, findings);
                range(predicate, method, findings);
            }
            None => findings.push(unknown_method(predicate, written)),
        }
    }
    for element in policy.declarations(Kind::PredicateValidation) {
        let validation = Site { policy, element };
        for group in validation.items("PredicateGroups", "PredicateGroup") {
            let lists = group.element.children_named("PredicateReferences");
            findings.extend(lists.filter_map(|element| {
                let list = Site { policy, element };
                let least = list.attribute("MatchAtLeast")?.trim();
                let count = element.children_named("PredicateReference").count();
                if least.parse::<usize>().ok()? <= count {
                    return None;
                }
                Some(Diagnostic::new(
                    &PREDICATEGROUP_MATCHATLEAST,
                    list.attribute_location("MatchAtLeast"),
                    format!(
                        "predicate group `{}` asks for {least} matches but has {count} predicates",
                        group.attribute("Id").unwrap_or_default()
                    ),
                ))
            }));
        }
    }
    for finding in &mut findings[start..] {
        finding.policy_id = Some(policy.id().to_owned());
    }
}

fn unknown_method(predicate: Site<'_>, written: &str) -> Diagnostic {
    let names = || METHODS.iter().map(|(name, _)| *name);
    let near = near_miss(written, names());
    // Whether letter case counts is not known.
    let case_only = near.is_some_and(|near| near.eq_ignore_ascii_case(written));
    let finding = Diagnostic::new(
        &PREDICATE_METHOD,
        predicate.attribute_location("Method"),
        format!("there is no predicate method `{written}`"),
    )
    .level(if case_only {
        Level::Warning
    } else {
        Level::Error
    });
    match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!(
            "there is {}",
            names().collect::<Vec<_>>().join(", ")
        )),
    }
}

fn parameter_names(
    view: &Effective<'_>,
    predicate: Site<'_>,
    method: &str,
    known: &[&str],
    findings: &mut Vec<Diagnostic>,
) {
    let id = predicate.attribute("Id").unwrap_or_default();
    let mut given = Vec::new();
    for parameter in predicate.items("Parameters", "Parameter") {
        let Some(name) = parameter.attribute("Id") else {
            continue;
        };
        let near = near_miss(name, known.iter().copied());
        if known.contains(&name) {
            given.push(name);
            continue;
        }
        let case_only = near.filter(|near| near.eq_ignore_ascii_case(name));
        given.extend(case_only);
        let finding = Diagnostic::new(
            &PREDICATE_METHOD,
            parameter.attribute_location("Id"),
            format!("predicate method {method} has no parameter `{name}`"),
        )
        .level(if case_only.is_some() {
            Level::Warning
        } else {
            Level::Error
        });
        // The slip explains why the other one is missing.
        given.extend(near);
        findings.push(match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(format!("it has {}", known.join(" and "))),
        });
    }
    // Whether parameters can be inherited from a base policy's predicate is not known.
    let overrides = view.sites(Kind::Predicate, id).len() > 1;
    if overrides || !view.is_complete() {
        return;
    }
    for missing in known.iter().filter(|name| !given.contains(name)) {
        findings.push(
            Diagnostic::new(
                &PREDICATE_METHOD,
                predicate.attribute_location("Method"),
                format!("predicate `{id}` lacks parameter `{missing}` of method {method}"),
            )
            .help(format!("{method} needs {}", known.join(" and "))),
        );
    }
}

/// A bound of a range.
enum Bound {
    Number(i64),
    Date(u32, u32, u32),
    /// `Today`, or a date in a form that is not documented.
    Unknown,
}

fn range(predicate: Site<'_>, method: &str, findings: &mut Vec<Diagnostic>) {
    if !matches!(method, "IsLengthRange" | "IsDateRange") {
        return;
    }
    let bound = |name: &str| {
        predicate
            .items("Parameters", "Parameter")
            .find(|parameter| parameter.attribute("Id") == Some(name))
    };
    let bounds: Vec<_> = ["Minimum", "Maximum"]
        .into_iter()
        .filter_map(bound)
        .map(|parameter| (parameter, read_bound(parameter, method, findings)))
        .collect();
    let [(minimum, Some(low)), (maximum, Some(high))] = bounds.as_slice() else {
        return;
    };
    let reversed = match (low, high) {
        (Bound::Number(low), Bound::Number(high)) => low > high,
        (Bound::Date(a, b, c), Bound::Date(d, e, f)) => (a, b, c) > (d, e, f),
        _ => false,
    };
    if reversed {
        findings.push(
            Diagnostic::new(
                &PREDICATE_METHOD,
                minimum.location(minimum.element.text_span()),
                format!(
                    "predicate `{}` has a minimum above its maximum; no input can match",
                    predicate.attribute("Id").unwrap_or_default()
                ),
            )
            .related(maximum.location(maximum.element.text_span()), "the maximum"),
        );
    }
}

fn read_bound(parameter: Site<'_>, method: &str, findings: &mut Vec<Diagnostic>) -> Option<Bound> {
    let text = parameter.element.trimmed_text();
    let (bound, level, wanted) = if method == "IsLengthRange" {
        let number = text.parse::<i64>().ok().filter(|number| *number >= 0);
        (number.map(Bound::Number), Level::Error, "a whole number")
    } else {
        let date = date(text).map(|(year, month, day)| Bound::Date(year, month, day));
        let today = text.eq_ignore_ascii_case("Today").then_some(Bound::Unknown);
        // .NET reads more forms of dates than the documented one.
        let level = if text.contains(|c: char| c.is_ascii_digit()) {
            Level::Warning
        } else {
            Level::Error
        };
        (date.or(today), level, "a date as yyyy-mm-dd, or Today")
    };
    if bound.is_none() {
        findings.push(
            Diagnostic::new(
                &PREDICATE_METHOD,
                parameter.location(parameter.element.text_span()),
                format!(
                    "parameter `{}` of method {method} must be {wanted}, not `{text}`",
                    parameter.attribute("Id").unwrap_or_default()
                ),
            )
            .level(level),
        );
    }
    bound
}

/// `yyyy-mm-dd`.
fn date(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('-');
    let mut part = |digits: usize| {
        let part = parts.next()?;
        let plain = part.len() <= digits && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<u32>().ok())?
    };
    let date = (part(4)?, part(2)?, part(2)?);
    let valid = parts.next().is_none() && (1..=12).contains(&date.1) && (1..=31).contains(&date.2);
    valid.then_some(date)
}
