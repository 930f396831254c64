//! The service's sentences: what its validator (.NET) says of a mistake, and where it counts it.
//!
//! The forms are those of messages that people quote (`Schema validation error found at line … col …
//! in policy … of tenant …`). Lines and columns count in the uploaded text, from 1, columns in UTF-16
//! units; an element stands at the first character of its name, an attribute at its name, an error of
//! incomplete content or of an element's text at the name in the end tag.

use std::cell::OnceCell;
use std::ops::Range;

use crate::xml::{Document, Element};

use super::notation::Declaration;
use super::values::ValueType;

const XSD_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema";

pub(super) struct Service<'d> {
    text: &'d str,
    policy: &'d str,
    tenant: &'d str,
    /// What stands before every [`CHUNK`] bytes; computed for the first finding, so that neither many
    /// lines nor long ones are counted anew.
    milestones: OnceCell<Vec<Milestone>>,
}

const CHUNK: usize = 1024;

/// A count up to a point of the text.
#[derive(Debug, Clone, Copy, Default)]
struct Milestone {
    /// Line ends.
    lines: u32,
    /// UTF-16 units.
    units: u32,
    /// The units before the line that goes on here.
    line_start: u32,
}

impl Milestone {
    /// The count up to the end of `range`, from one up to its start.
    fn add(mut self, bytes: &[u8], range: Range<usize>) -> Self {
        let chunk = &bytes[range.clone()];
        let feed_follows = |index: usize| bytes.get(index + 1) == Some(&b'\n');
        let returns = memchr::memchr_iter(b'\r', chunk).map(|index| range.start + index);
        let lone = returns.filter(|index| !feed_follows(*index));
        let (mut ends, mut last) = (0, memchr::memrchr(b'\n', chunk));
        for index in lone {
            ends += 1;
            last = last.max(Some(index - range.start));
        }
        ends += memchr::memchr_iter(b'\n', chunk).count();
        if let Some(last) = last {
            self.line_start = self.units + units(&chunk[..=last]);
        }
        self.lines += ends as u32;
        self.units += units(chunk);
        self
    }
}

/// UTF-16 units of a part of the text. One byte in a character starts it; characters of four bytes are
/// two units.
fn units(bytes: &[u8]) -> u32 {
    if bytes.is_ascii() {
        return bytes.len() as u32;
    }
    let units = |byte: &u8| u32::from(byte & 0xC0 != 0x80) + u32::from(*byte >= 0xF0);
    bytes.iter().map(units).sum()
}

impl<'d> Service<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        let of_root = |name| {
            let root = document.root()?;
            root.attribute_value(name)
        };
        Self {
            text: document.text(),
            policy: of_root("PolicyId").unwrap_or_default(),
            tenant: of_root("TenantId").unwrap_or_default(),
            milestones: OnceCell::new(),
        }
    }

    /// The sentence for a mistake at an offset.
    pub(super) fn sentence(&self, offset: u32, text: &str) -> String {
        let (line, column) = self.position(offset);
        format!(
            "Schema validation error found at line {line} col {column} in policy \"{}\" of tenant \"{}\": {text}",
            self.policy, self.tenant
        )
    }

    /// The line of an offset, from 1.
    pub(super) fn line(&self, offset: u32) -> u32 {
        self.position(offset).0
    }

    fn position(&self, offset: u32) -> (u32, u32) {
        let bytes = self.text.as_bytes();
        let milestones = self.milestones.get_or_init(|| {
            let starts = (0..bytes.len()).step_by(CHUNK);
            let sums = starts.scan(Milestone::default(), |sum, start| {
                let before = *sum;
                *sum = sum.add(bytes, start..bytes.len().min(start + CHUNK));
                Some(before)
            });
            sums.collect()
        });
        let offset = (offset as usize).min(bytes.len());
        let chunk = (offset / CHUNK).min(milestones.len().saturating_sub(1));
        let before = milestones.get(chunk).copied().unwrap_or_default();
        let here = before.add(bytes, chunk * CHUNK..offset);
        (here.lines + 1, here.units - here.line_start + 1)
    }
}

/// Where the name stands in the end tag; in the start tag where there is no end tag.
pub(super) fn end_name(element: Element<'_>) -> u32 {
    match end_tag(element) {
        Some(start) => start + 2,
        None => element.name_span().start,
    }
}

/// Where the end tag starts; `None` for an empty-element tag.
pub(super) fn end_tag(element: Element<'_>) -> Option<u32> {
    if element.span() == element.tag_span() {
        return None;
    }
    let text = element.span().of(element.document().text());
    Some(element.span().start + text.rfind("</")? as u32)
}

/// An element as the validator names it.
pub(super) fn named(name: &str, namespace: &str) -> String {
    if namespace.is_empty() {
        format!("'{name}'")
    } else {
        format!("'{name}' in namespace '{namespace}'")
    }
}

fn of(element: Element<'_>) -> String {
    named(element.name(), element.namespace())
}

/// The end of a sentence that lists what may follow.
pub(super) fn expecting(expected: &[&str], namespace: &str) -> String {
    if expected.is_empty() {
        return String::new();
    }
    let list = named(&expected.join(", "), namespace);
    format!(" List of possible elements expected: {list}.")
}

/// What may follow the child of rank `last`, up to the first that must.
pub(super) fn following(particles: &[Declaration], last: Option<usize>) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut next = 0;
    if let Some(last) = last {
        names.extend(particles[last].repeats.then_some(particles[last].name));
        next = last + 1;
    }
    for particle in &particles[next.min(particles.len())..] {
        names.push(particle.name);
        if particle.required {
            break;
        }
    }
    names
}

/// A child that is not allowed at its place.
pub(super) fn invalid_child(parent: Element<'_>, child: Element<'_>, expected: &[&str]) -> String {
    let list = expecting(expected, parent.namespace());
    let (parent, child) = (of(parent), of(child));
    format!("The element {parent} has invalid child element {child}.{list}")
}

/// A child in an element that holds no elements; `model` is "empty" or "text only".
pub(super) fn no_children(parent: Element<'_>, child: Element<'_>, model: &str) -> String {
    let (parent, child) = (of(parent), of(child));
    format!(
        "The element {parent} cannot contain child element {child} because the parent element's content model is {model}."
    )
}

/// Children that are missing at the end.
pub(super) fn incomplete(parent: Element<'_>, expected: &[&str]) -> String {
    let list = expecting(expected, parent.namespace());
    format!("The element {} has incomplete content.{list}", of(parent))
}

/// Text in an element of elements; `list` tells what may stand there.
pub(super) fn no_text(parent: Element<'_>, list: &str) -> String {
    format!("The element {} cannot contain text.{list}", of(parent))
}

/// Text in an element that holds nothing.
pub(super) const fn text_in_empty(blank: bool) -> &'static str {
    if blank {
        "The element cannot contain white space. Content model is empty."
    } else {
        "The element cannot contain text. Content model is empty."
    }
}

/// A value that is not of its type; `what` is "attribute" or "element".
pub(super) fn wrong_value(name: &str, what: &str, value: &str, of: &ValueType) -> String {
    let namespace = if of.builtin {
        XSD_NAMESPACE
    } else {
        super::NAMESPACE
    };
    let reason = of.service_reason(value);
    format!(
        "The '{name}' {what} is invalid - The value '{value}' is invalid according to its datatype '{namespace}:{}' - {reason}",
        of.name
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::diagnostics::{Source, SourceMap};

    #[test]
    fn positions_are_those_of_dotnet() {
        let text: Arc<str> = "a\r\nb\rä😀c\nd".into();
        let id = SourceMap::new().add(Source::new("x", "x"));
        let (document, _) = crate::xml::parse(&text, id);
        let service = Service::new(&document);
        let of = |part: &str| service.position(text.find(part).unwrap() as u32);
        assert_eq!(of("a"), (1, 1));
        assert_eq!(of("b"), (2, 1));
        assert_eq!(of("c"), (3, 4));
        assert_eq!(of("d"), (4, 1));
    }

    proptest! {
        #[test]
        fn long_texts_are_counted_in_pieces_and_at_once_alike(
            parts in prop::collection::vec(prop::sample::select(vec!["\r", "\n", "\r\n", "ä", "😀", "word ", "and some more words "]), 0..400),
        ) {
            let text: Arc<str> = parts.concat().into();
            let id = SourceMap::new().add(Source::new("x", "x"));
            let (document, _) = crate::xml::parse(&text, id);
            let service = Service::new(&document);
            let (mut line, mut column) = (1, 1);
            let mut characters = text.char_indices().peekable();
            while let Some((offset, character)) = characters.next() {
                prop_assert_eq!(service.position(offset as u32), (line, column));
                let next = characters.peek().map(|(_, next)| *next);
                if character == '\n' || (character == '\r' && next != Some('\n')) {
                    (line, column) = (line + 1, 1);
                } else {
                    column += character.len_utf16() as u32;
                }
            }
            prop_assert_eq!(service.position(text.len() as u32), (line, column));
        }
    }
}
