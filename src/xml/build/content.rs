//! What stands between tags: text, references, CDATA sections, comments, declarations.

use crate::diagnostics::Span;
use crate::xml::characters::{ReferenceError, reference};
use crate::xml::document::{KindData, Value};
use crate::xml::{declaration, tag};

use super::Builder;

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

    pub(super) fn characters(&mut self, span: Span) {
        let text: &'t str = self.text;
        let raw = span.of(text);
        if raw.is_empty() {
            return;
        }
        if self.open.is_empty() {
            if let Some(offset) = raw.find(|c: char| !matches!(c, ' ' | '\t' | '\r' | '\n')) {
                let start = span.start + offset as u32;
                let end = span.start + raw.trim_ascii_end().len() as u32;
                let place = if self.root.is_some() {
                    "behind"
                } else {
                    "before"
                };
                // Text and references arrive in pieces; one stray text is one finding.
                if self.stray_text != Some(span.start) {
                    self.find(
                        Span::new(start, end.max(start)),
                        format!("text is not allowed {place} the root element"),
                    );
                }
                self.stray_text = Some(span.end);
            }
            return;
        }
        if raw.starts_with('&') {
            self.check_reference(Span::new(span.start, text.len() as u32));
        } else if raw.contains(']')
            && let Some(offset) = raw.find("]]>")
        {
            let at = span.start + offset as u32;
            self.find(Span::new(at, at + 3), "`]]>` is not allowed in text")
                .help("write `]]&gt;`");
        }
        // Text around references is one text node.
        if let Some(last) = self.nodes.last_mut()
            && last.span.end == span.start
            && last.parent == self.open.last().copied()
            && let KindData::Text(Value::Raw(raw)) = &mut last.kind
        {
            last.span.end = span.end;
            raw.end = span.end;
            return;
        }
        self.push(span, KindData::Text(Value::Raw(span)));
    }

    pub(super) fn cdata(&mut self, span: Span) {
        if self.open.is_empty() {
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
        // Unescaped, so that the text behind it is not joined to it and `&` keeps its meaning.
        let value = inner
            .of(self.text)
            .replace("\r\n", "\n")
            .replace('\r', "\n");
        let value = self.unescaped_value(value.into());
        self.push(span, KindData::Text(value));
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
        self.push(span, KindData::Comment);
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
            self.find(span, "the XML declaration is malformed")
                .help("write `<?xml version=\"1.0\" encoding=\"utf-8\"?>`");
        }
    }

    pub(super) fn processing_instruction(&mut self, span: Span) {
        let text: &'t str = self.text;
        let inner = Span::new(span.start + 2, span.end - 2);
        let body = inner.of(text);
        let length = body.find([' ', '\t', '\r', '\n']).unwrap_or(body.len()) as u32;
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
        self.push(span, KindData::ProcessingInstruction);
    }
}
