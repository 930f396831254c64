//! JSON bodies as leniently as the service seems to read them.

use serde_json::Value;

/// Parses a body; a comma before a closing bracket is ignored, because a published client sends
/// one and works. `None` if it is no JSON for other reasons.
pub(super) fn parse(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&without_trailing_commas(text)))
        .ok()
}

fn without_trailing_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_string = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
        } else if c == '"' {
            in_string = true;
        } else if c == ',' && text[at + 1..].trim_start().starts_with(['}', ']']) {
            continue;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_commas_outside_strings_are_ignored() {
        let parsed = parse(br#"{"kty": "RSA", "k": "a,}\",]" , }"#).unwrap();
        assert_eq!(parsed["k"], "a,}\",]");
        assert_eq!(parse(b"[1,2,]"), Some(serde_json::json!([1, 2])));
        assert_eq!(parse(b"\xef\xbb\xbf{}"), Some(serde_json::json!({})));
        for bad in [&b""[..], b"{", b",", b"{,,}", b"\xff", b"a"] {
            assert_eq!(parse(bad), None);
        }
        assert_eq!(parse("[".repeat(100_000).as_bytes()), None);
    }
}
