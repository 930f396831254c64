//! Preconditions, one at a time: how many values, which words, which action.

use crate::diagnostics::{Diagnostic, Edit, Level, Rule};
use crate::policy::{Effective, Kind, Site};
use crate::xml::Element;

pub(super) static PRECONDITION_ARITY: Rule = Rule {
    id: "precondition-arity",
    level: Level::Error,
    summary: "a precondition has too few or too many values",
};

pub(super) static PRECONDITION_ACTION_PLACE: Rule = Rule {
    id: "precondition-action-place",
    level: Level::Warning,
    summary: "a precondition skips a step where it guards a technical profile, or the reverse",
};

pub(super) static PRECONDITION_BOOLEAN_LITERAL: Rule = Rule {
    id: "precondition-boolean-literal",
    level: Level::Warning,
    summary: "a precondition compares a boolean claim with other words than True and False",
};

pub(super) static PRECONDITION_LITERAL_IS_CLAIM: Rule = Rule {
    id: "precondition-literal-is-claim",
    level: Level::Warning,
    summary: "a precondition compares a claim with the id of another claim",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for element in policy.document.elements_named("Precondition") {
        let site = Site { policy, element };
        findings
            .extend(check_precondition(view, site).map(|finding| finding.policy_id(policy.id())));
        findings.extend(action(site).map(|finding| finding.policy_id(policy.id())));
    }
}

fn check_precondition(view: &Effective<'_>, site: Site<'_>) -> Option<Diagnostic> {
    let values: Vec<_> = site.element.children_named("Value").collect();
    match (site.attribute("Type")?, &values[..]) {
        ("ClaimsExist", [_]) => None,
        ("ClaimEquals", [claim, literal]) => boolean(view, site, *claim, *literal)
            .or_else(|| other_claim(view, site, *claim, *literal)),
        (kind @ ("ClaimsExist" | "ClaimEquals"), values) => Some(arity(site, kind, values)),
        // The schema reports other types.
        _ => None,
    }
}

fn arity(site: Site<'_>, kind: &str, values: &[Element<'_>]) -> Diagnostic {
    let (expected, help) = if kind == "ClaimsExist" {
        (1, "ClaimsExist takes one Value: the id of the claim")
    } else {
        (
            2,
            "ClaimEquals takes two Values: the id of the claim, and what it is compared with",
        )
    };
    let span = values
        .get(expected)
        .map_or_else(|| site.element.tag_span(), |value| value.span());
    Diagnostic::new(
        &PRECONDITION_ARITY,
        site.location(span),
        format!(
            "a {kind} precondition has {expected} {}, not {}",
            if expected == 1 { "value" } else { "values" },
            values.len()
        ),
    )
    .help(help)
}

fn boolean(
    view: &Effective<'_>,
    site: Site<'_>,
    claim: Element<'_>,
    literal: Element<'_>,
) -> Option<Diagnostic> {
    let data_type = view.merged_child(Kind::ClaimType, claim.trimmed_text(), "DataType")?;
    let word = literal.text();
    if data_type.element.trimmed_text() != "boolean" || matches!(word, "True" | "False") {
        return None;
    }
    let location = site.location(literal.text_span());
    let finding = Diagnostic::new(
        &PRECONDITION_BOOLEAN_LITERAL,
        location,
        format!(
            "`{}` is a boolean claim: compared as text, it is `True` or `False`, never `{word}`",
            claim.trimmed_text()
        ),
    )
    .related(
        data_type.location(data_type.element.text_span()),
        "its type",
    );
    let meant = ["True", "False"]
        .into_iter()
        .find(|meant| meant.eq_ignore_ascii_case(word.trim()));
    Some(match meant {
        Some(meant) => finding.help(format!("write `{meant}`")).fix(
            format!("write `{meant}`"),
            vec![Edit {
                location,
                replacement: meant.to_owned(),
            }],
        ),
        None => finding.help("write `True` or `False`"),
    })
}

fn other_claim(
    view: &Effective<'_>,
    site: Site<'_>,
    claim: Element<'_>,
    literal: Element<'_>,
) -> Option<Diagnostic> {
    let word = literal.trimmed_text();
    let declaration = view.sites(Kind::ClaimType, word).into_iter().next_back()?;
    // A word that the policies use as a value elsewhere is one here, too.
    let exact = declaration.attribute("Id") == Some(word);
    if !exact || is_value_somewhere(view, word, literal) {
        return None;
    }
    Some(
        Diagnostic::new(
            &PRECONDITION_LITERAL_IS_CLAIM,
            site.location(literal.text_span()),
            format!(
                "`{}` is compared with the text `{word}`, not with the claim of that name",
                claim.trimmed_text()
            ),
        )
        .related(declaration.attribute_location("Id"), "a claim of that name")
        .help(
            "compare two claims with a CompareClaims transformation, and its result with `True` \
             here",
        ),
    )
}

/// Whether a policy of the chain uses the word as a value: a default, an option, a parameter, a text.
fn is_value_somewhere(view: &Effective<'_>, word: &str, here: Element<'_>) -> bool {
    view.chain().iter().any(|policy| {
        policy.document.elements().any(|element| {
            let value = match element.name() {
                "Enumeration" | "InputParameter" => element.attribute_value("Value"),
                "InputClaim" | "OutputClaim" | "PersistedClaim" => {
                    element.attribute_value("DefaultValue")
                }
                "Item" => Some(element.attribute_value("Value").unwrap_or(element.text())),
                _ => None,
            };
            value.is_some_and(|value| value.trim() == word)
                && !(element.id() == here.id() && std::ptr::eq(element.document(), here.document()))
        })
    })
}

fn action(site: Site<'_>) -> Option<Diagnostic> {
    let owner = site.element.parent()?.parent()?;
    let (expected, noun) = match owner.name() {
        "OrchestrationStep" => ("SkipThisOrchestrationStep", "an orchestration step"),
        "ValidationTechnicalProfile" | "ValidationClaimsExchangeTechnicalProfile" => (
            "SkipThisValidationTechnicalProfile",
            "a validation technical profile",
        ),
        _ => return None,
    };
    let action = site.element.children_named("Action").find(|action| {
        let word = action.trimmed_text();
        word != expected && word.starts_with("SkipThis")
    })?;
    let location = site.location(action.text_span());
    Some(
        Diagnostic::new(
            &PRECONDITION_ACTION_PLACE,
            location,
            format!("{} does not fit {noun}", action.trimmed_text()),
        )
        .help(format!("write {expected}"))
        .fix(
            format!("write {expected}"),
            vec![Edit {
                location,
                replacement: expected.to_owned(),
            }],
        ),
    )
}
