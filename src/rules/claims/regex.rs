//! `regex-invalid`, `regex-not-js` and `mask-regex-missing`: regular expressions in claim types,
//! predicates and claims transformations.

use crate::diagnostics::{Diagnostic, Level, Location, Rule};
use crate::policy::{Effective, Kind, Site, analyse_regex};

/// .NET cannot read the expression.
pub(super) static REGEX_INVALID: Rule = Rule {
    id: "regex-invalid",
    level: Level::Error,
    summary: "a regular expression is not valid",
};

/// The browser, which checks the same expression, reads it differently.
pub(super) static REGEX_NOT_JS: Rule = Rule {
    id: "regex-not-js",
    level: Level::Warning,
    summary: "a regular expression that the browser checks too uses what JavaScript does not have",
};

/// A mask of type `Regex` without expression.
pub(super) static MASK_REGEX_MISSING: Rule = Rule {
    id: "mask-regex-missing",
    level: Level::Warning,
    summary: "the mask of a claim type is of type Regex but has no regular expression",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    let mut examine = |pattern: &str, place: Location, browser: bool| {
        let analysis = analyse_regex(pattern);
        let finding = if let Some(error) = analysis.error {
            Diagnostic::new(
                &REGEX_INVALID,
                place,
                format!("the regular expression is not valid: {error}"),
            )
        } else if browser && !analysis.not_javascript.is_empty() {
            let constructs: Vec<_> = analysis
                .not_javascript
                .iter()
                .map(|construct| format!("`{construct}`"))
                .collect();
            Diagnostic::new(
                &REGEX_NOT_JS,
                place,
                format!(
                    "JavaScript reads {} differently than .NET",
                    constructs.join(" and ")
                ),
            )
            .help("the page checks the input in the browser, the service checks it again")
        } else {
            return;
        };
        findings.push(finding.policy_id(policy.id()));
    };
    let mut empty_masks = Vec::new();
    for element in policy.declarations(Kind::ClaimType) {
        let claim_type = Site { policy, element };
        for pattern in claim_type.items("Restriction", "Pattern") {
            if let Some(text) = pattern.attribute("RegularExpression") {
                examine(text, pattern.attribute_location("RegularExpression"), true);
            }
        }
        let Some(mask) = claim_type.child("Mask") else {
            continue;
        };
        if let Some(text) = mask.attribute("Regex") {
            examine(text, mask.attribute_location("Regex"), false);
        }
        if mask.attribute("Type") == Some("Regex")
            && mask.attribute("Regex").is_none_or(str::is_empty)
        {
            empty_masks.push((claim_type, mask));
        }
    }
    for element in policy.declarations(Kind::Predicate) {
        let predicate = Site { policy, element };
        for parameter in predicate.items("Parameters", "Parameter") {
            if parameter.attribute("Id") == Some("RegularExpression") {
                let place = parameter.location(parameter.element.text_span());
                examine(parameter.element.text(), place, true);
            }
        }
    }
    for transformation in view.own_transformations() {
        if transformation.is("SetClaimsIfRegexMatch")
            && let Some(parameter) = transformation.parameter("matchTo")
            && let Some(text) = parameter.attribute("Value")
            && !holds_resolver(text)
        {
            examine(text, parameter.attribute_location("Value"), false);
        }
    }
    for (claim_type, mask) in empty_masks {
        findings.push(
            Diagnostic::new(
                &MASK_REGEX_MISSING,
                mask.attribute_location("Type"),
                format!(
                    "the mask of claim type `{}` has no regular expression",
                    claim_type.attribute("Id").unwrap_or_default()
                ),
            )
            .policy_id(policy.id())
            .help("add the attribute Regex, or use Type=\"Simple\""),
        );
    }
}

/// Whether the text holds something like `{Claim:email}`, which is replaced before it is used.
fn holds_resolver(text: &str) -> bool {
    text.match_indices('{').any(|(start, _)| {
        let inner = text[start + 1..].split('}').next().unwrap_or_default();
        inner.contains(':') && inner.starts_with(|c: char| c.is_ascii_alphabetic())
    })
}
