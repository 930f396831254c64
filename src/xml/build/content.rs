//! What stands between tags: text, references, CDATA sections, comments, declarations.

use crate::diagnostics::Span;
use crate::xml::characters::{ReferenceError, reference};
use crate::xml::document::{KindData, Value};
use crate::xml::{declaration, tag};

use super::plain::TextRun;
use super::{Builder, MAX_FINDINGS};

/// White space as XML means it.
const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'t> Builder<'t> {
    pub(super) fn check_references(&mut self, raw: Span) {
        let text: &'t str = self.text;
        let mut at = raw.start;
        while let Some(offset) = Span::new(at, raw.end).of(text).find('&') {
            at += offset as u32;
            at += self.check_reference(Span::new(at, raw.end));
        }
    }

    /// Checks the reference at the start of `rest` and returns its length.
    fn check_reference(&mut self, rest: Span) -> u32 {
        let text: &'t str = self.text;
        let (error, length) = match reference(rest.of(text)) {
            Ok((_, length)) => return length as u32,
            Err((error, length)) => (error, length as u32),
        };
        let span = Span::new(rest.start, rest.start + length);
        match error {
            ReferenceError::Bare => self
                .find(
                    span,
                    "`&` begins a reference such as `&amp;`, but none follows",
                )
                .help("write `&amp;` for the character itself"),
            ReferenceError::Undefined => self
                .find(span, format!("entity `{}` is not defined", span.of(text)))
                .help("XML knows only `&amp;` `&lt;` `&gt;` `&quot;` `&apos;` and `&#…;`"),
            ReferenceError::IllegalCharacter => self.find(
                span,
                format!("`{}` names no character that XML allows", span.of(text)),
            ),
        };
        length
    }

    /// Adds text to the innermost open element.
    #[inline]
    pub(super) fn characters(&mut self, run: &TextRun) {
        let span = run.span;
        if self.tree.is_outside() {
            self.outside(span);
        } else if let Some(plain) = &run.plain {
            let value = Value::raw(Span::new(plain.from, span.end));
            self.tree.add_text(span, value, plain.is_blank);
        } else {
            self.check_characters(span);
            let value = self.value(span, false);
            self.tree.add_text(span, value, self.is_blank(value));
        }
    }

    /// Text outside the document element, where only white space may stand.
    fn outside(&mut self, span: Span) {
        let raw = span.of(self.text);
        let text = raw.trim_matches(BLANK);
        if text.is_empty() {
            return;
        }
        let start = span.start + (raw.len() - raw.trim_start_matches(BLANK).len()) as u32;
        let place = if self.tree.has_root() {
            "behind"
        } else {
            "before"
        };
        self.find(
            Span::new(start, start + text.len() as u32),
            format!("text is not allowed {place} the root element"),
        );
    }

    /// Checks the references in a text, and what stands between them.
    fn check_characters(&mut self, span: Span) {
        let text: &'t str = self.text;
        let mut at = span.start;
        while at < span.end && self.findings.len() < MAX_FINDINGS {
            let rest = Span::new(at, span.end).of(text);
            if rest.starts_with('&') {
                at += self.check_reference(Span::new(at, text.len() as u32));
                continue;
            }
            let piece = rest.split('&').next().unwrap_or(rest);
            if let Some(offset) = piece.find("]]>") {
                let at = at + offset as u32;
                self.find(Span::new(at, at + 3), "`]]>` is not allowed in text")
                    .help("write `]]&gt;`");
            }
            at += piece.len() as u32;
        }
    }

    fn is_blank(&self, value: Value) -> bool {
        let text = value.of(self.text, &self.unescaped);
        text.bytes().all(|byte| byte.is_ascii_whitespace())
    }

    pub(super) fn cdata(&mut self, span: Span) {
        if self.tree.is_outside() {
            self.find(
                span,
                "a CDATA section is not allowed outside the root element",
            );
            return;
        }
        let inner = Span::new(
            span.start + "<![CDATA[".len() as u32,
            span.end - "]]>".len() as u32,
        );
        let value = inner
            .of(self.text)
            .replace("\r\n", "\n")
            .replace('\r', "\n");
        let value = self.unescaped_value(value.into());
        self.tree.add_section(span, value, self.is_blank(value));
    }

    pub(super) fn comment(&mut self, span: Span) {
        let text: &'t str = self.text;
        let inner = Span::new(span.start + 4, span.end - 3);
        let body = inner.of(text);
        if let Some(offset) = body.find("--") {
            let at = inner.start + offset as u32;
            self.find(
                Span::new(at, at + 2),
                "`--` is not allowed inside a comment",
            );
        } else if body.ends_with('-') {
            self.find(
                Span::new(inner.end - 1, span.end),
                "a comment cannot end with `--->`",
            );
        }
        self.tree.push(span, KindData::Comment);
    }

    pub(super) fn declaration(&mut self, span: Span) {
        let text: &'t str = self.text;
        if span.start != 0 {
            self.find(
                span,
                "the XML declaration must be the very first thing in the file",
            )
            .help("remove what stands before it, blank lines too");
            return;
        }
        if !declaration::is_well_formed(span.of(text)) {
            self.find(
                span,
                "the XML declaration is malformed or not of version 1.0",
            )
            .help("write `<?xml version=\"1.0\" encoding=\"utf-8\"?>`");
        }
    }

    pub(super) fn processing_instruction(&mut self, span: Span) {
        let text: &'t str = self.text;
        let inner = Span::new(span.start + 2, span.end - 2);
        let body = inner.of(text);
        let length = body.find(BLANK).unwrap_or(body.len()) as u32;
        let target = Span::new(inner.start, inner.start + length);
        let name = target.of(text);
        if !tag::is_name(name) || name.contains(':') {
            self.find(
                target,
                format!("`{name}` is not the name of a processing instruction"),
            );
        } else if name.eq_ignore_ascii_case("xml") {
            self.find(
                target,
                "the XML declaration is written `<?xml …?>` and comes first",
            );
        }
        self.tree.push(span, KindData::ProcessingInstruction);
    }
}
