//! `ct-format-placeholders`: format strings that .NET's `String.Format` cannot fill.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::Effective;

/// A format string asks for more values than there are, has stray braces, or is too long.
pub(super) static CT_FORMAT_PLACEHOLDERS: Rule = Rule {
    id: "ct-format-placeholders",
    level: Level::Warning,
    summary: "a format string of a claims transformation cannot be filled",
};

/// How many values the methods with a format string have to fill it.
static VALUES: &[(&str, u32)] = &[
    ("FormatStringClaim", 1),
    ("FormatStringMultipleClaims", 2),
    ("CreateRandomString", 1),
    ("GuidAndRandomGenerator", 1),
];

/// The longest format string, in characters.
const LONGEST: usize = 4000;

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for transformation in view.own_transformations() {
        let known = VALUES.iter().find(|(name, _)| transformation.is(name));
        let (Some((_, values)), Some(parameter)) =
            (known, transformation.parameter("stringFormat"))
        else {
            continue;
        };
        let Some(format) = parameter.attribute("Value") else {
            continue;
        };
        let Some(problem) = problem(format, *values) else {
            continue;
        };
        findings.push(
            Diagnostic::new(
                &CT_FORMAT_PLACEHOLDERS,
                parameter.attribute_location("Value"),
                format!("the format of `{}` {problem}", transformation.id),
            )
            .policy_id(view.policy().id())
            .help("placeholders are {0}, {1} and so on; a brace of its own is written twice"),
        );
    }
}

fn problem(format: &str, values: u32) -> Option<String> {
    if format.chars().count() > LONGEST {
        return Some(format!("is longer than {LONGEST} characters"));
    }
    let mut rest = format;
    while let Some(brace) = rest.find(['{', '}']) {
        let close = rest[brace..].starts_with('}');
        let after = &rest[brace + 1..];
        if let Some(escaped) = after.strip_prefix(if close { '}' } else { '{' }) {
            rest = escaped;
            continue;
        }
        if close {
            return Some("has a `}` that closes nothing".to_owned());
        }
        let Some(end) = after.find('}') else {
            return Some("has a `{` that is not closed".to_owned());
        };
        let inner = &after[..end];
        rest = &after[end + 1..];
        let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            // Tokens and claim resolvers are replaced before the format is filled.
            if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) || inner.contains('{') {
                return Some(format!("has no valid placeholder in `{{{inner}}}`"));
            }
            continue;
        }
        if !matches!(
            inner[digits..].trim_start().bytes().next(),
            None | Some(b',' | b':')
        ) {
            return Some(format!("has no valid placeholder in `{{{inner}}}`"));
        }
        if inner[..digits]
            .parse::<u32>()
            .is_ok_and(|index| index < values)
        {
            continue;
        }
        let last = values - 1;
        return Some(format!(
            "uses {{{}}}, but its method fills only up to {{{last}}}",
            &inner[..digits]
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn formats_are_read_as_dotnet_reads_them() {
        for format in [
            "cpim_{0}@{RelyingPartyTenantId}",
            "{0} {1}",
            "{{literal}} {0,10:D}",
            "plain",
            "{Culture:LanguageName}",
            "",
        ] {
            assert_eq!(problem(format, 2), None, "{format}");
        }
        for format in ["{2}", "{0", "0}", "{}", "{ 0}", "{0x}", "{{0}", "{-1}"] {
            assert!(problem(format, 2).is_some(), "{format}");
        }
        assert!(problem(&"x".repeat(4001), 1).is_some());
    }
}
