//! Text and start tags as nearly everybody writes them: names of the vocabulary without prefix, values
//! that stand for themselves, nothing wrong. They are recognised in one pass, eight bytes at a time.
//!
//! Whatever ends in the last bytes of the file may be left to those who read everything.

use crate::diagnostics::Span;
use crate::xml::Fingerprint;
use crate::xml::document::{AttributeData, Value};
use crate::xml::tag::is_blank;
use crate::xml::vocabulary::{self, Ends};

use super::eight::Eight;

/// More attributes than this are not compared with each other here.
const MOST_ATTRIBUTES: usize = 8;

/// A start tag that needs no second look.
pub(super) struct PlainTag {
    /// From `<` to behind `>`.
    pub(super) span: Span,
    pub(super) name: PlainName,
    /// Whether it is its own end tag.
    pub(super) is_empty: bool,
}

impl PlainTag {
    /// Reads the tag whose `<` stands at `start` and adds its attributes to the others. `None` for
    /// everything that is not plain, whether it is right or wrong.
    #[inline]
    pub(super) fn read(
        bytes: &[u8],
        start: u32,
        attributes: &mut Vec<AttributeData>,
    ) -> Option<Self> {
        let before = attributes.len();
        let tag = Self::read_with(bytes, start, attributes);
        if tag.is_none() {
            attributes.truncate(before);
        }
        tag
    }

    #[inline(always)]
    fn read_with(bytes: &[u8], start: u32, attributes: &mut Vec<AttributeData>) -> Option<Self> {
        let first = attributes.len();
        let name = PlainName::read(bytes, start as usize + 1)?;
        let mut at = name.span.end as usize;
        loop {
            let before = at;
            while is_blank(*bytes.get(at)?) {
                at += 1;
            }
            let (end, is_empty) = match bytes[at] {
                b'>' => (at + 1, false),
                b'/' if bytes.get(at + 1) == Some(&b'>') => (at + 2, true),
                _ if at == before => return None,
                _ => {
                    let attribute = attribute_at(bytes, at)?;
                    let others = &attributes[first..];
                    let is_new = |other: &AttributeData| other.fingerprint != attribute.fingerprint;
                    if others.len() == MOST_ATTRIBUTES || !others.iter().all(is_new) {
                        return None;
                    }
                    at = attribute.raw.end as usize + 1;
                    attributes.push(attribute);
                    continue;
                }
            };
            return Some(Self {
                span: Span::new(start, end as u32),
                name,
                is_empty,
            });
        }
    }
}

/// Where a comment ends, whose `<` stands at `start`; `None` if there is none or something is odd about it.
pub(super) fn comment_end(bytes: &[u8], start: usize) -> Option<usize> {
    let body = bytes.get(start..)?.strip_prefix(b"<!--")?;
    if matches!(body.first(), Some(b'-' | b'>')) {
        return None;
    }
    let dashes = memchr::memchr_iter(b'-', body).find(|dash| body.get(dash + 1) == Some(&b'-'))?;
    (body.get(dashes + 2) == Some(&b'>')).then_some(start + "<!---->".len() + dashes)
}

/// A name of the vocabulary.
pub(super) struct PlainName {
    pub(super) span: Span,
    pub(super) fingerprint: Fingerprint,
}

impl PlainName {
    #[inline(always)]
    fn read(bytes: &[u8], start: usize) -> Option<Self> {
        // What is no letter and below them ends a word. If it does not end the name, the name is no
        // word: then what comes is none of the things that may follow.
        let ends_word = |eight: Eight| eight.mark_below(b'A').first();
        let first = Eight::at(bytes, start)?;
        let (ends, end) = if let Some(length) = ends_word(first) {
            let whole = first.first(length);
            (Ends::new(whole, whole, length as u32), start + length)
        } else {
            let mut end = start + Eight::COUNT;
            loop {
                match ends_word(Eight::at(bytes, end)?) {
                    Some(more) => break end += more,
                    None => end += Eight::COUNT,
                }
            }
            let last = Eight::at(bytes, end - Eight::COUNT)?;
            let length = (end - start) as u32;
            (Ends::new(first.number(), last.number(), length), end)
        };
        let word = vocabulary::word_with(ends, &bytes[start..end])?;
        Some(Self {
            span: Span::new(start as u32, end as u32),
            fingerprint: Fingerprint::of_number(word),
        })
    }
}

#[inline(always)]
fn attribute_at(bytes: &[u8], start: usize) -> Option<AttributeData> {
    let name = PlainName::read(bytes, start)?;
    let end = name.span.end as usize;
    let [b'=', quote @ (b'"' | b'\'')] = *bytes.get(end..)?.first_chunk()? else {
        return None;
    };
    let value_start = end + 2;
    let mut value_end = value_start;
    loop {
        let eight = Eight::at(bytes, value_end)?;
        // Control characters are line breaks and tabs, or no characters of XML at all.
        let marks = eight
            .mark(quote)
            .or(eight.mark(b'&'))
            .or(eight.mark(b'<'))
            .or(eight.mark_below(b' '));
        if let Some(first) = marks.first() {
            value_end += first;
            break;
        }
        value_end += Eight::COUNT;
    }
    let value = Span::new(value_start as u32, value_end as u32);
    (bytes[value_end] == quote).then_some(AttributeData {
        fingerprint: name.fingerprint,
        name: name.span,
        prefix: 0,
        namespace: 0,
        raw: value,
        value: Value::raw(value),
    })
}

/// Everything between two pieces of markup.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TextRun {
    pub(super) span: Span,
    /// `None` if there are references, line ends of Windows but at the start, or `]`, which may be wrong.
    pub(super) plain: Option<PlainText>,
}

/// Text that stands for itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlainText {
    /// Where it begins to: at the start of the run, or behind the first byte of a line end of Windows.
    pub(super) from: u32,
    /// Whether it is nothing but white space.
    pub(super) is_blank: bool,
}

impl TextRun {
    /// Reads the text at `start` up to the next `<`.
    #[inline]
    pub(super) fn read(bytes: &[u8], start: usize) -> Self {
        let from = start + usize::from(bytes[start..].starts_with(b"\r\n"));
        let blanks = behind_blanks(bytes, from);
        let end = behind_plain(bytes, blanks);
        let is_plain = bytes.get(end).is_none_or(|byte| *byte == b'<');
        if !is_plain {
            let length = memchr::memchr(b'<', &bytes[end..]);
            let end = length.map_or(bytes.len(), |length| end + length);
            return Self {
                span: Span::new(start as u32, end as u32),
                plain: None,
            };
        }
        Self {
            span: Span::new(start as u32, end as u32),
            plain: Some(PlainText {
                from: from as u32,
                is_blank: end == blanks,
            }),
        }
    }
}

/// The first offset at which stands no blank, tab or line break.
#[inline(always)]
fn behind_blanks(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    loop {
        match (Eight::at(bytes, at), bytes.get(at)) {
            (Some(eight), Some(b' ')) => at += eight.count(b' '),
            (_, Some(b' ' | b'\n' | b'\t')) => at += 1,
            _ => return at,
        }
    }
}

/// The first offset at which stands `<` or something that may not stand for itself.
#[inline(always)]
fn behind_plain(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(eight) = Eight::at(bytes, at) {
        let marks = eight
            .mark(b'<')
            .or(eight.mark(b'&'))
            .or(eight.mark(b']'))
            .or(eight.mark(b'\r'));
        if let Some(first) = marks.first() {
            return at + first;
        }
        at += Eight::COUNT;
    }
    let is_plain = |byte: &u8| !matches!(byte, b'<' | b'&' | b']' | b'\r');
    at + bytes[at..].iter().take_while(|byte| is_plain(byte)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::xml::tag;

    /// Texts of pieces that have a meaning in tags and between them.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "Item",
            "Key",
            "Id",
            "TechnicalProfile",
            "TechnicalProfileReferenceId",
            "Ids",
            "a",
            "=",
            "=\"",
            "\"",
            "'",
            "='",
            " ",
            "  ",
            "\n",
            "\r\n",
            "\r",
            "\t",
            "/",
            ">",
            "/>",
            "<",
            "&",
            "&amp;",
            "]",
            "]]>",
            ":",
            "xmlns",
            "1",
            "ü",
            "text of some length",
            "\u{1}",
            " Id=\"B2C_1A_x\"",
            " Key='some value'",
            "                 ",
        ]);
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    /// One byte at a time.
    fn read_slowly(bytes: &[u8], start: usize) -> TextRun {
        let rest = &bytes[start..];
        let text = rest.split(|byte| *byte == b'<').next().unwrap();
        let skipped = usize::from(text.starts_with(b"\r\n"));
        let unusual = |byte: &u8| matches!(byte, b'&' | b']' | b'\r');
        TextRun {
            span: Span::new(start as u32, (start + text.len()) as u32),
            plain: (!text[skipped..].iter().any(unusual)).then_some(PlainText {
                from: (start + skipped) as u32,
                is_blank: text.iter().all(|byte| is_blank(*byte)),
            }),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn texts_are_read_as_slowly(text in pieces(), start in 0..4usize) {
            let bytes = text.as_bytes();
            let start = start.min(bytes.len());
            prop_assert_eq!(TextRun::read(bytes, start), read_slowly(bytes, start));
        }

        /// What is plain is a tag, with the attributes that those find who look at everything.
        #[test]
        fn plain_tags_are_read_as_others(rest in pieces(), name in prop::sample::select(vec!["Item", "TechnicalProfile"])) {
            let text = format!("<{name} {rest}                ");
            let mut attributes = Vec::new();
            let Some(plain) = PlainTag::read(text.as_bytes(), 0, &mut attributes) else {
                prop_assert!(attributes.is_empty());
                return Ok(());
            };
            let tag = plain.span.of(&text);
            prop_assert_eq!(plain.name.span.of(&text), name);
            prop_assert!(plain.name.fingerprint == Fingerprint::of(name));
            prop_assert_eq!(plain.is_empty, tag.ends_with("/>"));
            prop_assert!(tag.ends_with('>'));
            let inner = Span::new(plain.name.span.end, plain.span.end - 1 - u32::from(plain.is_empty));
            let (mut raw, mut errors) = (Vec::new(), Vec::new());
            tag::attributes(&text, inner, &mut raw, &mut errors);
            prop_assert!(errors.is_empty(), "{errors:?}");
            prop_assert_eq!(raw.len(), attributes.len());
            for (raw, attribute) in raw.iter().zip(&attributes) {
                prop_assert!(raw.is_plain);
                prop_assert_eq!(raw.name, attribute.name);
                prop_assert_eq!(raw.value, attribute.raw);
                prop_assert!(attribute.fingerprint == Fingerprint::of(raw.name.of(&text)));
            }
            for (index, attribute) in attributes.iter().enumerate() {
                let name = attribute.name.of(&text);
                prop_assert!(attributes[..index].iter().all(|other| other.name.of(&text) != name));
            }
        }
    }

    #[test]
    fn comments_end_at_the_first_two_dashes() {
        for (text, end) in [
            ("<!---->", None),
            ("<!-- a - b -->c-->", Some(14)),
            ("<!-- a -- b -->", None),
            ("<!-- a --->", None),
            ("<!--->-->", None),
            ("<!-->-->", None),
            ("<!-- a", None),
            ("<![CDATA[", None),
        ] {
            assert_eq!(comment_end(text.as_bytes(), 0), end, "{text}");
        }
    }

    #[test]
    fn what_everybody_writes_is_plain() {
        for tag in [
            "<Item Key=\"a\">",
            "<Item Key='it is \"so\"' Id=\"\"/>",
            "<TechnicalProfile\r\n   Id=\"AAD-Common\"\n>",
            "<TechnicalProfileReferenceId />",
            "<Metadata>",
        ] {
            let text = format!("{tag}        ");
            let read = PlainTag::read(text.as_bytes(), 0, &mut Vec::new());
            assert_eq!(read.map(|read| read.span.len()), Some(tag.len() as u32));
        }
    }
}
