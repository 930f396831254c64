//! The two kinds of addresses in a policy: `xs:anyURI` and the type of page addresses.

use std::sync::LazyLock;

use regex::Regex;

use super::alphabet::Alphabet;

/// Whether a value without white space around it is an `xs:anyURI`: a URI reference (RFC 3986) in
/// which characters that a URI may not hold count as if they were percent-encoded.
pub(super) fn is_uri_reference(value: &str) -> bool {
    let (value, fragment) = match value.split_once('#') {
        Some((value, fragment)) => (value, Some(fragment)),
        None => (value, None),
    };
    let (value, query) = match value.split_once('?') {
        Some((value, query)) => (value, Some(query)),
        None => (value, None),
    };
    // Square brackets are tolerated in fragments, where people use them for XPath.
    let fragment_ok = fragment.is_none_or(|part| is_made_of(part, b"/?:@[]"));
    let query_ok = query.is_none_or(|part| is_made_of(part, b"/?:@"));
    fragment_ok && query_ok && is_hierarchy(value)
}

fn is_hierarchy(value: &str) -> bool {
    let rest = match value.find([':', '/']) {
        Some(colon) if value[colon..].starts_with(':') => {
            if !is_scheme(&value[..colon]) {
                return false;
            }
            &value[colon + 1..]
        }
        _ => value,
    };
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            if !is_authority(&rest[..end]) {
                return false;
            }
            &rest[end..]
        }
        None => rest,
    };
    is_made_of(path, b"/:@")
}

fn is_scheme(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn is_authority(value: &str) -> bool {
    let host = match value.split_once('@') {
        Some((user, host)) => {
            if !is_made_of(user, b":") {
                return false;
            }
            host
        }
        None => value,
    };
    let (host_ok, port) = match host.strip_prefix('[') {
        Some(literal) => match literal.split_once(']') {
            Some((_, "")) => (true, None),
            Some((_, rest)) => (rest.starts_with(':'), rest.strip_prefix(':')),
            None => (false, None),
        },
        None => match host.split_once(':') {
            Some((name, port)) => (is_made_of(name, b""), Some(port)),
            None => (is_made_of(host, b""), None),
        },
    };
    let digits =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<i32>().is_ok();
    host_ok && port.is_none_or(digits)
}

/// Whether a part holds nothing but unreserved characters, sub-delimiters, percent-encoded bytes,
/// characters that would be percent-encoded, and those of `also`.
fn is_made_of(part: &str, also: &[u8]) -> bool {
    let bytes = part.as_bytes();
    bytes.iter().enumerate().all(|(index, b)| match b {
        b'%' => bytes
            .get(index + 1..index + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        b'/' | b'?' | b'#' | b'[' | b']' | b'@' | b':' => also.contains(b),
        _ => true,
    })
}

/// Whether a value is an address of page content: `http://`, `https://` or `~/` and segments
/// divided by single slashes, or a URN in small letters.
pub(super) fn is_content_uri(value: &str) -> bool {
    if let Some(urn) = value.strip_prefix("urn:") {
        return is_urn_rest(urn);
    }
    let Some(path) = ["http://", "https://", "~/"]
        .into_iter()
        .find_map(|prefix| value.strip_prefix(prefix))
    else {
        return false;
    };
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').all(|segment| {
        !segment.is_empty()
            && (SEGMENT.spells(segment) || segment.chars().all(is_segment_character))
    })
}

/// `[\w.,@?^=%&:~+#\-_$!’();]` where `\w` is XML Schema's: everything but punctuation, separators
/// and control characters, which the service's engine understands in the same way. This is what of it
/// is ASCII.
static SEGMENT: Alphabet = Alphabet::with(b".,@?%&:#-_!();$+<=>^`|~");

fn is_segment_character(c: char) -> bool {
    /// Punctuation, separators and the rest that is no word character.
    static NO_WORD: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^[\p{P}\p{Z}\p{C}]$").ok());
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => SEGMENT.holds(byte),
        _ if c == '’' => true,
        _ => NO_WORD
            .as_ref()
            .is_none_or(|class| !class.is_match(c.encode_utf8(&mut [0; 4]))),
    }
}

/// What follows `urn:`.
fn is_urn_rest(rest: &str) -> bool {
    let Some((namespace, specific)) = rest.split_once(':') else {
        return false;
    };
    let small = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=32).contains(&namespace.len())
        && !namespace.starts_with('-')
        && namespace.bytes().all(|b| small(b) || b == b'-')
        && !specific.is_empty()
        && specific
            .bytes()
            .all(|b| small(b) || b"()+,/-.:=@;$_!*'%?#".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uri_references_are_judged_as_libxml2_does() {
        let accepted = [
            "",
            "http://",
            "http://a b",
            "a:b",
            "%41",
            "#",
            "//",
            "///",
            "http:///x",
            "http://{x}",
            "é",
            "http://a#[b]",
            "a/b:c",
            "a:",
            "http://user@:80",
            "http://@",
            "?",
            "a&b=^|",
            "urn:a b",
            "a'b(c)*",
            "1a",
            "./a:b",
            "x+-.1:",
            "http://%41",
            "http://:80",
            "http://[::1]",
            "http://[::1]:80/x",
        ];
        let refused = [
            ":b",
            "1:b",
            "http://a:99999999999",
            "http://a:b",
            "http://[::1",
            "http://[::1]x",
            "%",
            "%zz",
            "##",
            "a#b#c",
            "http://a/[b]",
            "http://a?[b]",
            "[x",
            "-a:b",
            "http://a@b@c",
            "{Settings:x}",
            "_a:b",
            "http://a:",
            "http://a:-1",
            "http://a:80x",
            "http://%4",
            "http://a%",
        ];
        for value in accepted {
            assert!(is_uri_reference(value), "{value:?}");
        }
        for value in refused {
            assert!(!is_uri_reference(value), "{value:?}");
        }
    }

    #[test]
    fn content_addresses() {
        let accepted = [
            "~/tenant/default/idpSelector.cshtml",
            "https://contoso.example/a/b.html",
            "http://x/",
            "https://x?y=z&w={}".trim_end_matches("{}"),
            "urn:com:microsoft:aad:b2c:elements:contract:selfasserted:2.1.7",
            "https://contoso.example/ä",
            "~/a’b",
        ];
        let refused = [
            "",
            "~/",
            "https://",
            "https:///a",
            "https://a//b",
            "https://a//",
            "ftp://a",
            "a/b",
            "HTTPS://a",
            "https://a b",
            "https://a{b}",
            "https://a'b",
            "urn:com:Microsoft:x",
            "urn:com",
            "urn::x",
            "urn:-a:x",
            "urn:com:",
            "https://a\n",
            " https://a",
            "https://a“b",
            "https://a\u{a0}b",
        ];
        for value in accepted {
            assert!(is_content_uri(value), "{value:?}");
        }
        for value in refused {
            assert!(!is_content_uri(value), "{value:?}");
        }
    }
}
