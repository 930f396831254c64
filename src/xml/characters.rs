use std::borrow::Cow;

/// Whether XML 1.0 allows the character in a document.
pub const fn is_legal_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether an ASCII byte may stand in a name; other bytes need [`is_name_character`].
const ASCII_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = is_name_character(byte as char);
        byte += 1;
    }
    table
};

/// Length of the name at the start of `text`, 0 if there is none. Names of policies are ASCII, so
/// that is the fast way.
pub(super) fn name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'-' | b'.' | b'0'..=b'9') | None => return 0,
        Some(_) => {}
    }
    let ascii = bytes
        .iter()
        .position(|&byte| !ASCII_NAME[usize::from(byte)])
        .unwrap_or(bytes.len());
    if bytes.get(ascii).is_none_or(u8::is_ascii) {
        return ascii;
    }
    let rest = &text[ascii..];
    if ascii == 0 && !rest.starts_with(is_name_start) {
        return 0;
    }
    let more = rest.find(|c| !is_name_character(c)).unwrap_or(rest.len());
    ascii + more
}

/// Whether a name may begin with the character (XML 1.0, 5th edition, `NameStartChar`).
pub(super) const fn is_name_start(c: char) -> bool {
    matches!(c,
        ':' | '_' | 'a'..='z' | 'A'..='Z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// Whether a name may contain the character (`NameChar`).
pub(super) const fn is_name_character(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Why a reference cannot be resolved.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReferenceError {
    /// `&` that begins no reference.
    Bare,
    /// An entity that only a document type declaration could define.
    Undefined,
    /// A number that is no legal character.
    IllegalCharacter,
}

/// Resolves the reference that begins with the `&` at the start of `text`; returns the character and
/// the length of the reference in bytes. On error the length of what looks like the reference.
pub(super) fn reference(text: &str) -> Result<(char, usize), (ReferenceError, usize)> {
    let body = &text[1..];
    let Some(end) = body
        .find(|c: char| !is_name_character(c) && c != '#')
        .filter(|&end| end > 0 && body[end..].starts_with(';'))
    else {
        return Err((ReferenceError::Bare, 1));
    };
    let name = &body[..end];
    let length = end + 2;
    let number = match name.as_bytes() {
        [b'#', b'x', ..] => Some((&name[2..], 16)),
        [b'#', ..] => Some((&name[1..], 10)),
        _ => None,
    };
    let character = match (number, name) {
        (Some((digits, radix)), _) => {
            // `from_str_radix` would accept a sign.
            let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
            let code = plain
                .then(|| u32::from_str_radix(digits, radix).ok())
                .flatten();
            let Some(character) = code
                .and_then(char::from_u32)
                .filter(|&c| is_legal_character(c))
            else {
                return Err((ReferenceError::IllegalCharacter, length));
            };
            character
        }
        (None, "amp") => '&',
        (None, "lt") => '<',
        (None, "gt") => '>',
        (None, "quot") => '"',
        (None, "apos") => '\'',
        _ => return Err((ReferenceError::Undefined, length)),
    };
    Ok((character, length))
}

/// Resolves references and normalises line ends; in attributes white space becomes blanks. Broken
/// references stay as they are. `None` if nothing changes.
pub(super) fn unescape(raw: &str, attribute: bool) -> Option<Box<str>> {
    // All of these are ASCII, so a byte of that value is that character.
    let special =
        |byte: &u8| matches!(byte, b'&' | b'\r') || (attribute && matches!(byte, b'\n' | b'\t'));
    let next_special = |text: &str| text.as_bytes().iter().position(special);
    let mut rest = raw;
    let first = next_special(rest)?;
    let mut out = String::with_capacity(raw.len());
    let mut next = Some(first);
    while let Some(at) = next {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            match reference(rest) {
                Ok((character, length)) => {
                    out.push(character);
                    rest = &rest[length..];
                }
                Err((_, length)) => {
                    out.push_str(&rest[..length]);
                    rest = &rest[length..];
                }
            }
        } else {
            let length = if rest.starts_with("\r\n") { 2 } else { 1 };
            out.push(if attribute { ' ' } else { '\n' });
            rest = &rest[length..];
        }
        next = next_special(rest);
    }
    out.push_str(rest);
    Some(out.into())
}

/// Escapes a string for element content.
pub fn escape_text(value: &str) -> Cow<'_, str> {
    escape(value, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#13;"),
        _ => None,
    })
}

/// Escapes a string for an attribute value in either kind of quotes.
pub fn escape_attribute(value: &str) -> Cow<'_, str> {
    escape(value, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&apos;"),
        '\t' => Some("&#9;"),
        '\n' => Some("&#10;"),
        '\r' => Some("&#13;"),
        _ => None,
    })
}

fn escape(value: &str, entity: impl Fn(char) -> Option<&'static str>) -> Cow<'_, str> {
    if !value.chars().any(|c| entity(c).is_some()) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 16);
    for c in value.chars() {
        match entity(c) {
            Some(replacement) => out.push_str(replacement),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        assert_eq!(reference("&amp;x"), Ok(('&', 5)));
        assert_eq!(reference("&#x41;"), Ok(('A', 6)));
        assert_eq!(reference("&#65;"), Ok(('A', 5)));
        assert_eq!(reference("&nbsp;"), Err((ReferenceError::Undefined, 6)));
        assert_eq!(
            reference("&#0;"),
            Err((ReferenceError::IllegalCharacter, 4))
        );
        assert_eq!(reference("&#x+41;"), Err((ReferenceError::Bare, 1)));
        assert_eq!(reference("& b;"), Err((ReferenceError::Bare, 1)));
        assert_eq!(reference("&a"), Err((ReferenceError::Bare, 1)));
        assert_eq!(reference("&;"), Err((ReferenceError::Bare, 1)));
    }

    #[test]
    fn unescaping_keeps_what_it_cannot_resolve() {
        assert_eq!(unescape("plain", true), None);
        assert_eq!(
            unescape("a&lt;b&x;c\r\nd", false).as_deref(),
            Some("a<b&x;c\nd")
        );
        assert_eq!(unescape("a\r\nb\tc\n", true).as_deref(), Some("a b c "));
    }

    #[test]
    fn escaping_is_undone_by_unescaping() {
        let value = "a<b>&\"'\t\r\n c";
        let escaped = escape_attribute(value);
        assert_eq!(unescape(&escaped, true).as_deref(), Some(value));
    }
}
