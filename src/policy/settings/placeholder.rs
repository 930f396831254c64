//! Finds placeholders in a text, in linear time.

use std::ops::Range;

/// Longest key that is looked for, in bytes; bounds the search for the closing brace.
const MAX_KEY: usize = 256;
const SETTINGS: &[u8] = b"{settings:";
const SAMPLE_TENANT: &[u8] = b"yourtenant.onmicrosoft.com";
/// Length of what stands before its first dot.
const SAMPLE_LABEL: usize = 10;

/// A placeholder and the bytes that it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placeholder<'t> {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind<'t>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    /// `{Settings:Key}`.
    Key(&'t str),
    /// `yourtenant.onmicrosoft.com`.
    SampleTenant,
    /// `{Settings:` that does not continue as a placeholder; the text says why.
    Malformed(&'static str),
}

/// The placeholders of `text`, in order; `yourtenant.onmicrosoft.com` only on request.
pub(super) fn placeholders(
    text: &str,
    with_sample_tenant: bool,
) -> impl Iterator<Item = Placeholder<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = next(text, from, with_sample_tenant)?;
        from = found.range.end;
        Some(found)
    })
}

fn next(text: &str, mut from: usize, with_sample_tenant: bool) -> Option<Placeholder<'_>> {
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
        if bytes[at] == b'{' {
            if starts_with(&bytes[at..], SETTINGS) {
                return Some(braced(text, at));
            }
        } else if let Some(start) = at.checked_sub(SAMPLE_LABEL).filter(|&start| start >= least)
            && starts_with(&bytes[start..], SAMPLE_TENANT)
        {
            let end = start + SAMPLE_TENANT.len();
            let inside_a_word =
                text[..start].ends_with(continues_name) || text[end..].starts_with(continues_name);
            if !inside_a_word {
                return Some(Placeholder {
                    range: start..end,
                    kind: Kind::SampleTenant,
                });
            }
        }
        from = at + 1;
    }
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
fn braced(text: &str, start: usize) -> Placeholder<'_> {
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
    match stop.map(|stop| (stop, text.as_bytes()[stop])) {
        Some((stop, b'}')) if text[key_start..stop].trim().is_empty() => Placeholder {
            range: start..stop + 1,
            kind: Kind::Malformed("it names no setting"),
        },
        Some((stop, b'}')) => Placeholder {
            range: start..stop + 1,
            kind: Kind::Key(&text[key_start..stop]),
        },
        Some((_, b'{')) => malformed("another brace opens before it is closed"),
        Some(_) => malformed("its closing brace is missing"),
        None if text.len() - key_start > MAX_KEY => {
            malformed("no closing brace follows within 256 bytes")
        }
        None => malformed("its closing brace is missing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind<'_>> {
        placeholders(text, true).map(|found| found.kind).collect()
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
            placeholders("yourtenant.onmicrosoft.com", false)
                .next()
                .is_none()
        );
    }
}
