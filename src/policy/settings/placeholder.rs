//! Finds placeholders in a text, in linear time.

use std::ops::Range;

use super::Notation;
use super::markup::{Context, Markup};
use super::notation::{FIXED_KEYS, FIXED_WORDS};
use crate::diagnostics::Span;

/// Longest key that is looked for, in bytes; bounds the search for the closing brace.
const MAX_KEY: usize = 256;
const SETTINGS: &[u8] = b"{settings:";
const SAMPLE_TENANT: &[u8] = b"yourtenant.onmicrosoft.com";
/// What IEFPolicies replaces of it.
const SAMPLE_NAME: &[u8] = b"yourtenant";

/// A placeholder and the bytes that it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placeholder<'t> {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind<'t>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    /// The placeholder of this key.
    Key(&'t str),
    /// `{Key}`, which is a placeholder only if there is such a key.
    Maybe(&'t str),
    /// `yourtenant.onmicrosoft.com`.
    SampleTenant,
    /// `yourtenant` alone.
    SampleName,
    /// What begins like a placeholder and does not continue as one; the text says why.
    Malformed(&'static str),
}

/// A placeholder, or what may be one, in the text of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundPlaceholder<'t> {
    /// Its key; `yourtenant` for the name of Microsoft's samples.
    pub key: &'t str,
    /// Where it stands.
    pub span: Span,
}

/// What is or may be a placeholder of a setting in this notation, in the order of the text. What stands in
/// comments is never replaced.
pub fn placeholders_outside_comments(
    text: &str,
    notation: Notation,
) -> impl Iterator<Item = FoundPlaceholder<'_>> {
    let mut markup = Markup::new(text);
    placeholders(text, notation, notation == Notation::Braces).filter_map(move |found| {
        let context = markup.at(found.range.start);
        let key = match found.kind {
            Kind::Key(key) | Kind::Maybe(key) => key,
            Kind::SampleName => "yourtenant",
            Kind::SampleTenant | Kind::Malformed(_) => return None,
        };
        let span = Span::new(found.range.start as u32, found.range.end as u32);
        let is_replaced = !matches!(context, Context::Comment | Context::Declaration);
        is_replaced.then_some(FoundPlaceholder { key, span })
    })
}

/// The placeholders of `text`, in order; `yourtenant…` only on request.
pub(super) fn placeholders(
    text: &str,
    notation: Notation,
    with_sample_tenant: bool,
) -> impl Iterator<Item = Placeholder<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = match notation {
            Notation::Braces => next_in_braces(text, from, with_sample_tenant),
            _ => next(text, from, notation, with_sample_tenant),
        }?;
        from = found.range.end;
        Some(found)
    })
}

fn next(
    text: &str,
    mut from: usize,
    notation: Notation,
    with_sample_tenant: bool,
) -> Option<Placeholder<'_>> {
    let bytes = text.as_bytes();
    let least = from;
    loop {
        let rest = &bytes[from..];
        let at = from
            + match with_sample_tenant {
                // Of the letters of a domain the dot is the rarest.
                true => memchr::memchr2(b'{', b'.', rest),
                false => memchr::memchr(b'{', rest),
            }?;
        let found = match bytes[at] {
            b'{' if notation == Notation::DoubleBraces => double_braced(text, at),
            b'{' => starts_with(&bytes[at..], SETTINGS).then(|| braced(text, at, notation)),
            // Nearly all dots have another letter behind them.
            _ if !matches!(bytes.get(at + 1), Some(b'o' | b'O')) => None,
            _ => at
                .checked_sub(SAMPLE_NAME.len())
                .filter(|&start| start >= least)
                .and_then(|start| sample_tenant(text, start)),
        };
        if found.is_some() {
            return found;
        }
        from = at + 1;
    }
}

/// What IEFPolicies replaces, found as it finds it: words anywhere and in any case, and anything in
/// braces that could be a key.
fn next_in_braces(text: &str, from: usize, with_sample_tenant: bool) -> Option<Placeholder<'_>> {
    let bytes = text.as_bytes();
    (from..bytes.len()).find_map(|at| match bytes[at] {
        b'{' => in_braces(text, at),
        b'y' | b'Y' if with_sample_tenant => sample_tenant(text, at).or_else(|| {
            starts_with(&bytes[at..], SAMPLE_NAME).then(|| Placeholder {
                range: at..at + SAMPLE_NAME.len(),
                kind: Kind::SampleName,
            })
        }),
        b'p' | b'P' | b'i' | b'I' => FIXED_WORDS.iter().find_map(|word| {
            let found = bytes
                .get(at..at + word.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()));
            found.then(|| Placeholder {
                range: at..at + word.len(),
                kind: Kind::Key(word),
            })
        }),
        _ => None,
    })
}

fn in_braces(text: &str, start: usize) -> Option<Placeholder<'_>> {
    let end = closing(text, start + 1, |byte| byte == b'}')?;
    let key = &text[start + 1..end];
    let fixed = FIXED_KEYS
        .iter()
        .find(|fixed| fixed.eq_ignore_ascii_case(key));
    Some(Placeholder {
        range: start..end + 1,
        kind: match fixed {
            Some(fixed) => Kind::Key(fixed),
            None => Kind::Maybe(key),
        },
    })
}

/// Where the text from `start` ends, if that is within the longest key and on one line, and neither
/// braces nor markup come before.
fn closing(text: &str, start: usize, ends: impl Fn(u8) -> bool) -> Option<usize> {
    let bytes = text.as_bytes()[start..].iter().take(MAX_KEY + 1);
    let stop = bytes.clone().position(|byte| {
        ends(*byte) || matches!(byte, b'{' | b'}' | b'<' | b'>' | b'\n' | b'\r')
    })?;
    let end = start + stop;
    (ends(text.as_bytes()[end]) && stop > 0).then_some(end)
}

fn sample_tenant(text: &str, at: usize) -> Option<Placeholder<'_>> {
    if !starts_with(&text.as_bytes()[at..], SAMPLE_TENANT) {
        return None;
    }
    let end = at + SAMPLE_TENANT.len();
    let inside_a_word =
        text[..at].ends_with(continues_name) || text[end..].starts_with(continues_name);
    (!inside_a_word).then_some(Placeholder {
        range: at..end,
        kind: Kind::SampleTenant,
    })
}

fn starts_with(bytes: &[u8], lower_case: &[u8]) -> bool {
    bytes
        .get(..lower_case.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(lower_case))
}

/// Whether a character next to a domain name makes it another name.
fn continues_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

/// Reads what begins with `{Settings:` at `start`.
fn braced(text: &str, start: usize, notation: Notation) -> Placeholder<'_> {
    let key_start = start + SETTINGS.len();
    let stop = text.as_bytes()[key_start..]
        .iter()
        .take(MAX_KEY + 1)
        .position(|byte| matches!(byte, b'}' | b'{' | b'<' | b'>' | b'\n' | b'\r'))
        .map(|length| key_start + length);
    let malformed = |reason| Placeholder {
        range: start..key_start,
        kind: Kind::Malformed(reason),
    };
    let exact = notation == Notation::Settings || text[start..].starts_with("{Settings:");
    match stop.map(|stop| (stop, text.as_bytes()[stop])) {
        Some((stop, b'}')) if text[key_start..stop].trim().is_empty() => Placeholder {
            range: start..stop + 1,
            kind: Kind::Malformed("it names no setting"),
        },
        Some((stop, b'}')) => Placeholder {
            range: start..stop + 1,
            kind: match exact {
                true => Kind::Key(&text[key_start..stop]),
                false => Kind::Malformed("case counts here: go-ieftool knows only `{Settings:`"),
            },
        },
        Some((_, b'{')) => malformed("another brace opens before it is closed"),
        Some(_) => malformed("its closing brace is missing"),
        None if text.len() - key_start > MAX_KEY => {
            malformed("no closing brace follows within 256 bytes")
        }
        None => malformed("its closing brace is missing"),
    }
}

/// Reads what may begin with `{{` at `start`. White space around the name may contain line ends.
fn double_braced(text: &str, start: usize) -> Option<Placeholder<'_>> {
    let bytes = text.as_bytes();
    if bytes.get(start + 1) != Some(&b'{') {
        return None;
    }
    let inner = start + 2;
    let malformed = |reason| {
        Some(Placeholder {
            range: start..inner,
            kind: Kind::Malformed(reason),
        })
    };
    let stop = bytes[inner..]
        .iter()
        .take(MAX_KEY + 1)
        .position(|byte| matches!(byte, b'{' | b'}' | b'<' | b'>'));
    let Some(stop) = stop.map(|stop| inner + stop) else {
        return malformed("no closing braces follow within 256 bytes");
    };
    if !bytes[stop..].starts_with(b"}}") {
        return malformed("its closing braces are missing");
    }
    let name = text[inner..stop].trim();
    Some(Placeholder {
        range: start..stop + 2,
        kind: match name {
            "" => Kind::Malformed("it names no setting"),
            _ if name.contains(['\n', '\r']) => Kind::Malformed("a name is on one line"),
            _ => Kind::Key(name),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind<'_>> {
        placeholders(text, Notation::Settings, true)
            .map(|found| found.kind)
            .collect()
    }

    fn written(text: &str, notation: Notation) -> Vec<Kind<'_>> {
        let found = placeholders(text, notation, true);
        found.map(|found| found.kind).collect()
    }

    #[test]
    fn ieftool_writes_two_braces() {
        let kinds = |text| written(text, Notation::DoubleBraces);
        assert_eq!(
            kinds("{{a}} {{ b.c }} {{\n d\n}} {e} {Settings:F}"),
            [Kind::Key("a"), Kind::Key("b.c"), Kind::Key("d")]
        );
        for text in [
            "{{", "{{ }}", "{{a", "{{a}", "{{a\nb}}", "{{a<b}}", "{{{a}}",
        ] {
            assert!(matches!(kinds(text)[..], [Kind::Malformed(_)]), "{text}");
        }
    }

    #[test]
    fn iefpolicies_replaces_words_and_what_is_in_braces() {
        let kinds = |text| written(text, Notation::Braces);
        assert_eq!(
            kinds("{A:B} {0} https://YOURTENANT.b2clogin.com yourtenant.onmicrosoft.com"),
            [
                Kind::Maybe("A:B"),
                Kind::Maybe("0"),
                Kind::SampleName,
                Kind::SampleTenant
            ]
        );
        assert_eq!(
            kinds(
                "proxyidentityexperienceframeworkappid IdentityExperienceFrameworkAppId {EXTAPPID}"
            ),
            [
                Kind::Key("ProxyIdentityExperienceFrameworkAppId"),
                Kind::Key("IdentityExperienceFrameworkAppId"),
                Kind::Key("ExtAppId")
            ]
        );
        assert_eq!(kinds("{} {\n} {a{b} {<x/>}"), [Kind::Maybe("b")]);
    }

    #[test]
    fn go_ieftool_reads_case() {
        let kinds = |text| written(text, Notation::ExactSettings);
        assert_eq!(kinds("{Settings:K}"), [Kind::Key("K")]);
        assert!(matches!(kinds("{settings:K}")[..], [Kind::Malformed(_)]));
    }

    #[test]
    fn keys_are_found_in_any_case_and_taken_literally() {
        assert_eq!(
            kinds("a{settings:K}b{SETTINGS:a(b.c}"),
            [Kind::Key("K"), Kind::Key("a(b.c")]
        );
        assert_eq!(kinds("{Context:K} {Setting:K} {"), []);
    }

    #[test]
    fn what_is_no_placeholder_is_named() {
        for text in [
            "{Settings:",
            "{Settings:K",
            "{Settings:K\n}",
            "{Settings:}",
            "{Settings: }",
        ] {
            assert!(matches!(kinds(text)[..], [Kind::Malformed(_)]), "{text}");
        }
        let long = format!("{{Settings:{}}}", "k".repeat(300));
        assert!(matches!(kinds(&long)[..], [Kind::Malformed(reason)] if reason.contains("256")));
        assert!(matches!(
            kinds("{Settings:{Settings:K}}")[..],
            [Kind::Malformed(_), Kind::Key("K")]
        ));
        let longest = format!("{{Settings:{}}}", "k".repeat(256));
        assert!(matches!(kinds(&longest)[..], [Kind::Key(_)]));
    }

    #[test]
    fn the_sample_tenant_is_a_whole_word() {
        assert_eq!(kinds("http://YourTenant.onmicrosoft.com/B2C").len(), 1);
        for text in [
            "cljunyourtenantx",
            "myyourtenant.onmicrosoft.com",
            "my-yourtenant.onmicrosoft.com",
            "äyourtenant.onmicrosoft.com",
            "yourtenant.onmicrosoft.community",
            "yourtenant",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
        assert!(
            placeholders("yourtenant.onmicrosoft.com", Notation::Settings, false)
                .next()
                .is_none()
        );
    }
}
