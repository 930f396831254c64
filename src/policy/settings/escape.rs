//! Writes a value into a text so that a parser reads exactly that value, wherever it stands.

use super::markup::Context;

/// A value, or a part of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'v> {
    pub(super) text: &'v str,
    /// Whether the text holds character references that are meant as such.
    pub(super) is_xml: bool,
}

/// Why a value cannot stand in a place where XML knows no escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misplaced {
    /// In a tag, outside of quotes, only characters of names can be inserted.
    Tag,
    /// `?>` would end the processing instruction.
    Instruction,
}

/// Appends the fragments to `out`, which ends right before the placeholder; `following` is the
/// original text right behind it. Nothing is appended where the value cannot be written.
pub(super) fn append<'v>(
    out: &mut String,
    fragments: impl Iterator<Item = Fragment<'v>> + Clone,
    context: Context,
    following: &str,
) -> Result<(), Misplaced> {
    match context {
        Context::Text => {
            for fragment in fragments {
                append_text(out, fragment);
            }
            if forms_section_end(out, following) {
                // An empty section keeps `]]` and `>` apart without adding a character.
                out.push_str("<![CDATA[]]>");
            }
        }
        Context::AttributeValue(quote) => {
            for fragment in fragments {
                append_attribute(out, fragment, quote);
            }
        }
        Context::CData => {
            for fragment in fragments {
                append_section(out, fragment.text);
            }
            if forms_section_end(out, following) {
                out.push_str("]]><![CDATA[");
            }
        }
        Context::Tag => {
            if !fragments
                .clone()
                .all(|fragment| fragment.text.chars().all(is_name_character))
            {
                return Err(Misplaced::Tag);
            }
            out.extend(fragments.map(|fragment| fragment.text));
        }
        Context::Comment | Context::Instruction | Context::Declaration => {
            let start = out.len();
            out.extend(fragments.map(|fragment| fragment.text));
            let from = start - usize::from(out[..start].ends_with('?'));
            let ends_inside = out[from..].contains("?>");
            if ends_inside || (out.ends_with('?') && following.starts_with('>')) {
                out.truncate(start);
                return Err(Misplaced::Instruction);
            }
        }
    }
    Ok(())
}

/// Whether the last characters of `out` and the first of `following` are `]]>` across the seam.
fn forms_section_end(out: &str, following: &str) -> bool {
    (out.ends_with("]]") && following.starts_with('>'))
        || (out.ends_with(']') && following.starts_with("]>"))
}

fn append_text(out: &mut String, fragment: Fragment<'_>) {
    for (offset, character) in fragment.text.char_indices() {
        match character {
            '<' => out.push_str("&lt;"),
            '&' if !keeps_ampersand(fragment, offset) => out.push_str("&amp;"),
            '>' if out.ends_with("]]") => out.push_str("&gt;"),
            // A parser reads a bare carriage return as a line feed.
            '\r' => out.push_str("&#13;"),
            other => out.push(other),
        }
    }
}

fn append_attribute(out: &mut String, fragment: Fragment<'_>, quote: u8) {
    for (offset, character) in fragment.text.char_indices() {
        match character {
            '<' => out.push_str("&lt;"),
            '&' if !keeps_ampersand(fragment, offset) => out.push_str("&amp;"),
            '"' if quote == b'"' => out.push_str("&quot;"),
            '\'' if quote == b'\'' => out.push_str("&apos;"),
            // A parser reads bare white space in attribute values as blanks.
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            other => out.push(other),
        }
    }
}

/// Nothing can be escaped in a section; what cannot stand in it stands between two.
fn append_section(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '>' if out.ends_with("]]") => out.push_str("]]><![CDATA[>"),
            '\r' => out.push_str("]]>&#13;<![CDATA["),
            other => out.push(other),
        }
    }
}

fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | ':')
}

fn keeps_ampersand(fragment: Fragment<'_>, offset: usize) -> bool {
    fragment.is_xml && starts_with_reference(&fragment.text[offset..])
}

/// Whether `text` contains a well-formed reference to a predefined entity or to a character.
pub fn contains_reference(text: &str) -> bool {
    text.match_indices('&')
        .any(|(offset, _)| starts_with_reference(&text[offset..]))
}

fn starts_with_reference(text: &str) -> bool {
    // The longest reference to a character without leading zeros has ten bytes; a few zeros are fine.
    let window = text.as_bytes().iter().take(16);
    let Some(end) = window.clone().position(|byte| *byte == b';') else {
        return false;
    };
    let Some(name) = text.get(1..end) else {
        return false;
    };
    if matches!(name, "amp" | "lt" | "gt" | "quot" | "apos") {
        return true;
    }
    let number = match name.strip_prefix("#x") {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u32::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => name
            .strip_prefix('#')
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok()),
    };
    number.and_then(char::from_u32).is_some_and(is_legal)
}

/// Whether XML 1.0 can contain the character at all.
pub(super) const fn is_legal(character: char) -> bool {
    !matches!(character,
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_recognised_only_when_well_formed() {
        for text in ["&amp;", "x&#38;", "&#x1F600;", "&#x00041;"] {
            assert!(contains_reference(text), "{text}");
        }
        for text in [
            "&", "&nbsp;", "&#0;", "&#xD800;", "&#;", "&#x;", "&#+38;", "a&b=c;", "&AMP;", "&ä;",
        ] {
            assert!(!contains_reference(text), "{text}");
        }
    }

    fn written(text: &str, is_xml: bool, context: Context) -> String {
        let mut out = String::new();
        let fragment = Fragment { text, is_xml };
        append(&mut out, [fragment].into_iter(), context, "").expect("can be written");
        out
    }

    #[test]
    fn only_what_must_be_escaped_is_escaped() {
        assert_eq!(
            written("a -> b & c", false, Context::Text),
            "a -> b &amp; c"
        );
        assert_eq!(written("a&amp;b&c", true, Context::Text), "a&amp;b&amp;c");
        assert_eq!(written("a&amp;b", false, Context::Text), "a&amp;amp;b");
        let quote = Context::AttributeValue(b'\'');
        assert_eq!(written("\"it's\"\n", false, quote), "\"it&apos;s\"&#10;");
        assert_eq!(written("<a&b>", false, Context::CData), "<a&b>");
        assert_eq!(written("]]>", false, Context::CData), "]]]]><![CDATA[>");
    }

    #[test]
    fn a_value_cannot_add_markup() {
        let try_in = |text, context, following| {
            let fragment = Fragment {
                text,
                is_xml: false,
            };
            append(
                &mut "<?x ?".to_owned(),
                [fragment].into_iter(),
                context,
                following,
            )
        };
        assert_eq!(try_in("a b", Context::Tag, ""), Err(Misplaced::Tag));
        assert_eq!(
            try_in("a?>b", Context::Instruction, ""),
            Err(Misplaced::Instruction)
        );
        assert_eq!(
            try_in(">", Context::Instruction, ""),
            Err(Misplaced::Instruction)
        );
        assert_eq!(
            try_in("", Context::Instruction, ">"),
            Err(Misplaced::Instruction)
        );
        assert_eq!(try_in("a?b", Context::Instruction, "?>"), Ok(()));
    }
}
