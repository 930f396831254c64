//! Knows where in XML a byte stands. Works on raw text, well-formed or not, because placeholders are
//! replaced before anything is parsed.

use crate::diagnostics::Span;

/// What surrounds a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// Character data.
    Text,
    /// Between `<` and `>`, outside of quotes.
    Tag,
    /// An attribute value in these quotes.
    AttributeValue(u8),
    /// A CDATA section.
    CData,
    /// A comment.
    Comment,
    /// A processing instruction or the XML declaration.
    Instruction,
    /// A document type declaration, which policies cannot have.
    Declaration,
}

/// Whether a range of a text lies within text, a section or an attribute value, where a value can stand;
/// nothing where it lies in a comment or a declaration.
pub fn is_inside_value(text: &str, span: Span) -> Option<bool> {
    let held = span.of(text);
    match Markup::new(text).at(span.start as usize) {
        Context::Comment | Context::Declaration => None,
        Context::Text => Some(!held.contains(['<', '>'])),
        Context::AttributeValue(quote) => Some(!held.contains(['<', '>', char::from(quote)])),
        Context::CData => Some(!held.contains("]]>")),
        Context::Tag | Context::Instruction => Some(false),
    }
}

/// Walks once through the text; questions come in ascending order.
pub(super) struct Markup<'t> {
    bytes: &'t [u8],
    position: usize,
    context: Context,
    /// Open brackets of a document type declaration.
    depth: usize,
}

impl<'t> Markup<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            bytes: text.as_bytes(),
            position: 0,
            context: Context::Text,
            depth: 0,
        }
    }

    /// The context of the byte at `offset`, which must not be smaller than in the last question and
    /// must not stand inside a delimiter.
    pub(super) fn at(&mut self, offset: usize) -> Context {
        while self.position < offset {
            match self.context {
                Context::Text => self.text(offset),
                Context::Tag => self.tag(offset),
                Context::AttributeValue(quote) => self.skip_past(&[quote], Context::Tag, offset),
                Context::CData => self.skip_past(b"]]>", Context::Text, offset),
                Context::Comment => self.skip_past(b"-->", Context::Text, offset),
                Context::Instruction => self.skip_past(b"?>", Context::Text, offset),
                Context::Declaration => self.declaration(),
            }
        }
        self.context
    }

    fn skip_past(&mut self, delimiter: &[u8], then: Context, offset: usize) {
        let window = &self.bytes[self.position..offset];
        match window
            .windows(delimiter.len())
            .position(|candidate| candidate == delimiter)
        {
            Some(found) => {
                self.position += found + delimiter.len();
                self.context = then;
            }
            None => self.position = offset,
        }
    }

    fn text(&mut self, offset: usize) {
        let window = &self.bytes[self.position..offset];
        let Some(found) = memchr::memchr(b'<', window) else {
            self.position = offset;
            return;
        };
        self.position += found;
        let rest = &self.bytes[self.position..];
        let (context, length) = if rest.starts_with(b"<!--") {
            (Context::Comment, 4)
        } else if rest.starts_with(b"<![CDATA[") {
            (Context::CData, 9)
        } else if rest.starts_with(b"<?") {
            (Context::Instruction, 2)
        } else if rest.starts_with(b"<!") {
            self.depth = 0;
            (Context::Declaration, 2)
        } else if rest.get(1).is_some_and(|byte| opens_tag(*byte)) {
            (Context::Tag, 1)
        } else {
            (Context::Text, 1)
        };
        self.context = context;
        self.position += length;
    }

    fn tag(&mut self, offset: usize) {
        let window = &self.bytes[self.position..offset];
        let Some(found) = window
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\'' | b'>' | b'<'))
        else {
            self.position = offset;
            return;
        };
        self.position += found;
        match self.bytes[self.position] {
            b'>' => {
                self.context = Context::Text;
                self.position += 1;
            }
            // The tag was never closed; what follows is markup of its own.
            b'<' => self.context = Context::Text,
            quote => {
                self.context = Context::AttributeValue(quote);
                self.position += 1;
            }
        }
    }

    fn declaration(&mut self) {
        match self.bytes[self.position] {
            b'[' => self.depth += 1,
            b']' => self.depth = self.depth.saturating_sub(1),
            b'>' if self.depth == 0 => self.context = Context::Text,
            _ => {}
        }
        self.position += 1;
    }
}

fn opens_tag(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'_' | b':' | b'{') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_recognised() {
        let text = "<?xml {?><!DOCTYPE a [<!ENTITY x '{'> ]><a {b=\"{'{\" c='{\"{'>{ 1 < 2 {\
                    <!-- <x y=\"{ --><![CDATA[<{]]>{</{a>{";
        let mut markup = Markup::new(text);
        let contexts: Vec<Context> = text
            .match_indices('{')
            .map(|(offset, _)| markup.at(offset))
            .collect();
        use Context::{AttributeValue, CData, Comment, Declaration, Instruction, Tag, Text};
        assert_eq!(
            contexts,
            [
                Instruction,
                Declaration,
                Tag,
                AttributeValue(b'"'),
                AttributeValue(b'"'),
                AttributeValue(b'\''),
                AttributeValue(b'\''),
                Text,
                Text,
                Comment,
                CData,
                Text,
                Tag,
                Text
            ]
        );
    }

    #[test]
    fn a_tag_that_is_never_closed_ends_at_the_next() {
        let text = "<a <b>{";
        assert_eq!(Markup::new(text).at(6), Context::Text);
    }
}
