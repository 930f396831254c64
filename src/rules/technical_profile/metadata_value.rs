//! `tp-metadata-invalid` and the documented ranges of numbers: what stands in a metadata item.

use super::Reached;
use super::metadata_required::invalid_value;
use crate::diagnostics::{Diagnostic, Level, Rule, near_miss};
use crate::policy::Item;
use crate::policy::known::handlers::ProfileKind;
use crate::policy::known::profile_items::{MetadataKey, Value};

pub(super) static TP_METADATA_INVALID: Rule = Rule {
    id: "tp-metadata-invalid",
    level: Level::Error,
    summary: "a metadata item of a technical profile has an empty or impossible value",
};

macro_rules! range_rules {
    ($($name:ident, $id:literal, $summary:literal;)*) => {
        $(pub(super) static $name: Rule = Rule {
            id: $id,
            level: Level::Warning,
            summary: $summary,
        };)*
    };
}

range_rules! {
    OTP_RANGES, "otp-ranges",
        "a number of a one-time password profile is outside the documented range";
    JWT_LIFETIMES, "jwt-lifetimes",
        "a token lifetime is outside the documented range";
    SAML_SKEW, "saml-skew",
        "the not-before skew of a SAML token issuer is outside the documented range";
}

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    let Some(kind) = reached.kind else {
        return;
    };
    for item in &reached.profile.metadata {
        let Some(key) = kind.metadata_key(item.key) else {
            continue;
        };
        findings.extend(check_item(reached, kind, key, item));
    }
}

fn check_item<'s>(
    reached: &Reached<'_, 's>,
    kind: ProfileKind,
    key: &MetadataKey,
    item: &Item<'s>,
) -> Option<Diagnostic> {
    let value = item.value.trim();
    // What a resolver or a setting puts there is not known.
    if value.contains('{') {
        return None;
    }
    if value.is_empty() {
        return key.required.then(|| invalid(reached, key, item))?;
    }
    match &key.value {
        Value::Text | Value::Claim => None,
        Value::Flag => {
            let flags = ["true", "false", "1", "0"];
            let known = flags.iter().any(|flag| flag.eq_ignore_ascii_case(value));
            let finding = (!known).then(|| invalid(reached, key, item))??;
            Some(
                finding
                    .level(Level::Warning)
                    .help("write `true` or `false`"),
            )
        }
        Value::Address => {
            // Metadata can also stand in the policy itself.
            if is_address(value) || value.starts_with('<') {
                return None;
            }
            Some(invalid(reached, key, item)?.help("write an address that begins with `https://`"))
        }
        // The operation of a directory profile has a rule of its own.
        Value::Word(_) if kind == ProfileKind::Directory => None,
        Value::Word(words) => Some(word(reached, key, item, words)?.level(Level::Error)),
        Value::KnownWord(words) => Some(word(reached, key, item, words)?.level(Level::Warning)),
        Value::Number(first, last) => number(reached, kind, key, item, (*first, *last)),
    }
}

fn invalid<'s>(
    reached: &Reached<'_, 's>,
    key: &MetadataKey,
    item: &Item<'s>,
) -> Option<Diagnostic> {
    let place = reached.place_at([item.site])?;
    let id = reached.profile.id;
    let value = item.value.trim();
    let message = if value.is_empty() {
        format!("metadata item `{}` of `{id}` is empty", key.name)
    } else {
        format!(
            "`{}` is no value for metadata item `{}` of `{id}`",
            shortened(value),
            key.name
        )
    };
    let finding = Diagnostic::new(&TP_METADATA_INVALID, place.location, message)
        .cause(item.site.tag_location())
        .policy_id(place.policy_id());
    if value.is_empty() {
        return Some(
            finding
                .help(format!("give `{}` a value", key.name))
                .service_message(invalid_value(id, &place, key.name, value)),
        );
    }
    Some(finding)
}

fn word<'s>(
    reached: &Reached<'_, 's>,
    key: &MetadataKey,
    item: &Item<'s>,
    words: &[&'static str],
) -> Option<Diagnostic> {
    let value = item.value.trim();
    if words.iter().any(|word| word.eq_ignore_ascii_case(value)) {
        return None;
    }
    let finding = invalid(reached, key, item)?;
    Some(match near_miss(value, words.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!("allowed are {}", words.join(", "))),
    })
}

fn number<'s>(
    reached: &Reached<'_, 's>,
    kind: ProfileKind,
    key: &MetadataKey,
    item: &Item<'s>,
    (first, last): (i64, i64),
) -> Option<Diagnostic> {
    let value = item.value.trim();
    let Ok(number) = value.parse::<i64>() else {
        return Some(invalid(reached, key, item)?.help("write a whole number"));
    };
    if (first..=last).contains(&number) {
        return None;
    }
    let rule = match kind {
        ProfileKind::OneTimePassword => &OTP_RANGES,
        ProfileKind::SamlIssuer => &SAML_SKEW,
        _ if last == i64::MAX => &TP_METADATA_INVALID,
        _ => &JWT_LIFETIMES,
    };
    let place = reached.place_at([item.site])?;
    let range = if last == i64::MAX {
        format!("at least {first}")
    } else {
        format!("from {first} to {last}")
    };
    Some(
        Diagnostic::new(
            rule,
            place.location,
            format!(
                "`{}` of `{}` is {number}, but must be {range}",
                key.name, reached.profile.id
            ),
        )
        .level(Level::Warning)
        .policy_id(place.policy_id()),
    )
}

/// Whether a text is an absolute http or https address with a host.
fn is_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    web && !host.is_empty() && !host.contains(char::is_whitespace)
}

/// A value as far as a headline can show it.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= MOST && line.len() == text.len() {
        return line.to_owned();
    }
    let start: String = line.chars().take(MOST).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_absolute() {
        assert!(is_address("https://api.contoso.com/users?x=1"));
        assert!(is_address("HTTP://localhost:8080"));
        for text in [
            "",
            "api/users",
            "https://",
            "https:///x",
            "ftp://contoso.com",
            "www.x.com",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"é".repeat(70)), format!("{}…", "é".repeat(60)));
        assert_eq!(shortened("a\nb"), "a…");
    }
}
