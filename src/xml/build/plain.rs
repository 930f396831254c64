//! Text and start tags as nearly everybody writes them: names of ASCII letters without prefix, values
//! that stand for themselves, nothing wrong. They are recognised in one pass.

use crate::diagnostics::Span;
use crate::xml::characters::is_name_character;
use crate::xml::tag::{RawAttribute, is_blank};

/// More attributes than this are not compared with each other here.
const MOST_ATTRIBUTES: usize = 8;

/// A start tag that needs no second look.
pub(super) struct PlainTag {
    /// From `<` to behind `>`.
    pub(super) span: Span,
    pub(super) name: Span,
    /// Whether it is its own end tag.
    pub(super) is_empty: bool,
}

impl PlainTag {
    /// Reads the tag whose `<` stands at `start`, its attributes into `attributes`. `None` for
    /// everything that is not plain, whether it is right or wrong.
    pub(super) fn read(text: &str, start: u32, attributes: &mut Vec<RawAttribute>) -> Option<Self> {
        attributes.clear();
        let bytes = text.as_bytes();
        let name = name_at(bytes, start as usize + 1)?;
        let mut at = name.end as usize;
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
                    if !is_new(bytes, attribute.name, attributes) {
                        return None;
                    }
                    at = attribute.value.end as usize + 1;
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

/// Everything between two pieces of markup.
pub(super) struct TextRun {
    pub(super) span: Span,
    /// Whether it is nothing but white space.
    pub(super) is_blank: bool,
    /// Where it begins to stand for itself: at its start, or behind the first byte of a line end of
    /// Windows. `None` if there are references, other such line ends, or `]`, which may be wrong.
    pub(super) plain_from: Option<u32>,
}

impl TextRun {
    /// Reads the text at `start` up to the next `<`.
    pub(super) fn read(bytes: &[u8], start: usize) -> Self {
        let skipped = usize::from(bytes[start..].starts_with(b"\r\n"));
        let mut seen = 0;
        let rest = &bytes[start + skipped..];
        let ends = rest.iter().position(|&byte| {
            seen |= CLASSES[usize::from(byte)];
            byte == b'<'
        });
        let length = skipped + ends.unwrap_or(rest.len());
        let from = (start + skipped) as u32;
        Self {
            span: Span::new(start as u32, (start + length) as u32),
            is_blank: seen & class::TEXT == 0,
            plain_from: (seen & class::UNUSUAL == 0).then_some(from),
        }
    }
}

/// What a byte is.
mod class {
    pub(super) const NAME_START: u8 = 1;
    pub(super) const NAME: u8 = 2;
    /// A quote, or what makes a value stand for something else.
    pub(super) const ENDS_VALUE: u8 = 4;
    /// No white space. The end of a text has no class.
    pub(super) const TEXT: u8 = 8;
    /// What makes a text stand for something else or may be wrong in it.
    pub(super) const UNUSUAL: u8 = 16;
}

static CLASSES: [u8; 256] = {
    // All bytes of other letters.
    let mut classes = [class::TEXT; 256];
    let mut byte = 0u8;
    while byte < 128 {
        let mut class = 0;
        if !is_blank(byte) && byte != b'<' {
            class |= class::TEXT;
        }
        if matches!(byte, b'&' | b']' | b'\r') {
            class |= class::UNUSUAL;
        }
        // A prefix is looked at more closely.
        if is_name_character(byte as char) && byte != b':' {
            class |= class::NAME;
            if byte.is_ascii_alphabetic() || byte == b'_' {
                class |= class::NAME_START;
            }
        }
        if matches!(byte, b'"' | b'\'' | b'&' | b'<' | b'\r' | b'\n' | b'\t') {
            class |= class::ENDS_VALUE;
        }
        classes[byte as usize] = class;
        byte += 1;
    }
    classes
};

fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

fn name_at(bytes: &[u8], start: usize) -> Option<Span> {
    if !is(*bytes.get(start)?, class::NAME_START) {
        return None;
    }
    let rest = &bytes[start..];
    let length = rest.iter().position(|&byte| !is(byte, class::NAME))?;
    // Letters of other alphabets go on with the name.
    let is_whole = rest[length].is_ascii() && rest[length] != b':';
    is_whole.then(|| Span::new(start as u32, (start + length) as u32))
}

fn attribute_at(bytes: &[u8], start: usize) -> Option<RawAttribute> {
    let name = name_at(bytes, start)?;
    let equals = name.end as usize;
    if &bytes[start..equals] == b"xmlns" {
        return None;
    }
    let [b'=', quote @ (b'"' | b'\''), rest @ ..] = &bytes[equals..] else {
        return None;
    };
    let mut length = 0;
    loop {
        length += rest[length..]
            .iter()
            .position(|&byte| is(byte, class::ENDS_VALUE))?;
        match rest[length] {
            byte if byte == *quote => break,
            b'"' | b'\'' => length += 1,
            _ => return None,
        }
    }
    let value = Span::new(equals as u32 + 2, (equals + 2 + length) as u32);
    Some(RawAttribute {
        name,
        value,
        is_plain: true,
    })
}

/// Whether no other attribute has this name.
fn is_new(bytes: &[u8], name: Span, others: &[RawAttribute]) -> bool {
    let written = |name: Span| &bytes[name.start as usize..name.end as usize];
    others.len() < MOST_ATTRIBUTES
        && others
            .iter()
            .all(|other| other.name.len() != name.len() || written(other.name) != written(name))
}
