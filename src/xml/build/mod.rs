//! Builds the document: text and tags as nearly everybody writes them at once, everything else with the
//! help of quick-xml, one piece of markup at a time.

mod content;
mod eight;
mod plain;
mod tree;

use std::sync::Arc;

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::diagnostics::{Diagnostic, Location, SourceId, Span};

use crate::xml::Fingerprint;
use crate::xml::XML_WELLFORMED;
use crate::xml::characters::{is_legal_character, unescape};
use crate::xml::document::{AttributeData, Document, KindData, Value};
use crate::xml::findings::{Finding, syntax_error};
use crate::xml::namespaces::Namespaces;
use crate::xml::tag::{self, RawAttribute, TagError};

use plain::{PlainTag, TextRun};
use tree::{NewElement, Tree};

/// Behind this many mistakes a file is taken for something that is no XML at all.
const MAX_FINDINGS: usize = 20;

/// Parses a text (without byte order mark) into a document. Every mistake against XML 1.0 or
/// Namespaces in XML gives one finding of rule `xml-wellformed`; the document holds what could be
/// understood.
pub fn parse(text: &Arc<str>, source: SourceId) -> (Document, Vec<Diagnostic>) {
    let mut builder = Builder {
        text,
        source,
        tree: Tree::for_text(text),
        attributes: Vec::with_capacity(text.len() / 40),
        unescaped: Vec::new(),
        namespaces: Namespaces::default(),
        findings: Vec::new(),
        raw_attributes: Vec::new(),
        expanded_names: Vec::new(),
        tag_errors: Vec::new(),
        stray_end_tag: None,
    };
    builder.run();
    builder.finish()
}

/// Namespace and local name, by which the attributes of a tag must differ; and the name in the text.
type ExpandedName<'t> = (u16, &'t str, Span);

struct Builder<'t> {
    text: &'t Arc<str>,
    source: SourceId,
    tree: Tree,
    attributes: Vec<AttributeData>,
    unescaped: Vec<Box<str>>,
    namespaces: Namespaces<'t>,
    findings: Vec<Diagnostic>,
    /// Kept between tags for its memory, as the next two.
    raw_attributes: Vec<RawAttribute>,
    expanded_names: Vec<ExpandedName<'t>>,
    tag_errors: Vec<TagError>,
    /// Where the last end tag stood that closed nothing.
    stray_end_tag: Option<u32>,
}

impl<'t> Builder<'t> {
    fn run(&mut self) {
        let text: &'t str = self.text;
        self.illegal_characters();
        let illegal = self.findings.len();
        self.read(text);
        if illegal > 0 {
            // What such a character breaks is no mistake of its own.
            self.findings.truncate(illegal);
        }
    }

    fn read(&mut self, text: &'t str) {
        let bytes = text.as_bytes();
        let mut at = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
        while at < text.len() {
            if bytes[at] == b'<' {
                match self.markup(at as u32) {
                    Some(end) => at = end as usize,
                    None => return,
                }
            } else {
                let run = TextRun::read(bytes, at);
                self.characters(&run);
                at = run.span.end as usize;
            }
            if self.findings.len() >= MAX_FINDINGS {
                return;
            }
        }
        self.end_of_text();
    }

    /// Reads the markup that begins with the `<` at `start`; returns its end, or `None` if nothing
    /// behind it can be understood.
    fn markup(&mut self, start: u32) -> Option<u32> {
        self.plain_markup(start).or_else(|| self.any_markup(start))
    }

    /// The same for markup without anything unusual; `None` if it is not of this kind.
    #[inline(always)]
    fn plain_markup(&mut self, start: u32) -> Option<u32> {
        let bytes = self.text.as_bytes();
        match bytes.get(start as usize + 1) {
            Some(b'/') => return self.plain_end_tag(start),
            Some(b'!') => {
                let end = plain::comment_end(bytes, start as usize)? as u32;
                self.tree.push(Span::new(start, end), KindData::Comment);
                return Some(end);
            }
            _ => {}
        }
        if self.tree.is_outside() && self.tree.has_root() {
            return None;
        }
        let first = self.attributes.len() as u32;
        let tag = PlainTag::read(bytes, start, &mut self.attributes)?;
        self.plain_start_tag(&tag, first);
        Some(tag.span.end)
    }

    /// The same for markup of any kind.
    #[cold]
    fn any_markup(&mut self, start: u32) -> Option<u32> {
        let text: &'t str = self.text;
        let mut reader = Reader::from_str(&text[start as usize..]);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        let event = reader.read_event();
        let span = Span::new(start, start + reader.buffer_position() as u32);
        match event {
            Ok(Event::Start(_)) => self.start_tag(span, false),
            Ok(Event::Empty(_)) => self.start_tag(span, true),
            Ok(Event::End(_)) => self.end_tag(span),
            Ok(Event::CData(_)) => self.cdata(span),
            Ok(Event::Comment(_)) => self.comment(span),
            Ok(Event::Decl(_)) => self.declaration(span),
            Ok(Event::PI(_)) => self.processing_instruction(span),
            Ok(Event::DocType(_)) => {
                self.find(
                    span,
                    "document type declarations are not allowed in a policy",
                )
                .help("remove the `<!DOCTYPE …>`; the tenant refuses it");
                // What it declares would change the meaning of everything that follows.
                return None;
            }
            // At a `<` begins markup, never text.
            Ok(Event::Text(_) | Event::GeneralRef(_) | Event::Eof) => return None,
            Err(error) => {
                let at = (start + reader.error_position() as u32).min(text.len() as u32);
                let end = text[at as usize..]
                    .char_indices()
                    .nth(1)
                    .map_or(text.len(), |(offset, _)| at as usize + offset);
                self.find(Span::new(at, end as u32), syntax_error(&error));
                return None;
            }
        }
        Some(span.end)
    }

    fn end_of_text(&mut self) {
        let text: &'t str = self.text;
        let end = text.len() as u32;
        // The outermost is the slip; the elements inside it are open because it is.
        let outermost = self.tree.open_names().next();
        if let Some(name) = outermost
            && !self.explained_by_stray_end_tag(name)
        {
            let written = name.of(text);
            self.find(name, format!("element `{written}` is never closed"))
                .help(format!("add `</{written}>`"));
        }
        self.close_all(end);
        if !self.tree.has_root() && self.findings.is_empty() {
            self.find(Span::at(0), "the file contains no XML element");
        }
    }

    fn finish(mut self) -> (Document, Vec<Diagnostic>) {
        self.close_all(self.text.len() as u32);
        let findings = self
            .findings
            .into_iter()
            .map(|finding| Diagnostic {
                service_message: Some(
                    "The policy being uploaded is not XML or is not correctly formatted".into(),
                ),
                ..finding
            })
            .collect::<Vec<_>>();
        let document = self.tree.into_document(
            Arc::clone(self.text),
            self.attributes,
            self.unescaped,
            self.namespaces.into_names(),
            findings.is_empty(),
        );
        (document, findings)
    }

    fn find(&mut self, span: Span, message: impl Into<String>) -> Finding<'_> {
        let location = Location {
            source: self.source,
            span,
        };
        self.findings
            .push(Diagnostic::new(&XML_WELLFORMED, location, message));
        Finding(self.findings.last_mut())
    }

    /// Reports the first character that no XML document may hold.
    fn illegal_characters(&mut self) {
        let text = self.text;
        // Only control characters and the sparse non-characters need a second look.
        let is_control = |byte: u8| byte < 0x20 && !matches!(byte, 9 | 10 | 13);
        let mut start = 0;
        // Whole chunks first, without leaving early: that is a loop that uses vector registers.
        for chunk in text.as_bytes().chunks(256) {
            let found = chunk
                .iter()
                .fold(false, |found, &byte| found | is_control(byte));
            let suspicious = |byte: u8| is_control(byte) || byte == 0xEF;
            if (found || !chunk.is_ascii()) && self.illegal_character(start, chunk, suspicious) {
                return;
            }
            start += chunk.len();
        }
    }

    /// Reports the first illegal character that begins in a chunk of the text; whether there is one.
    fn illegal_character(
        &mut self,
        start: usize,
        chunk: &[u8],
        suspicious: impl Fn(u8) -> bool,
    ) -> bool {
        let text = self.text;
        for (offset, _) in chunk
            .iter()
            .enumerate()
            .filter(|(_, byte)| suspicious(**byte))
        {
            let at = start + offset;
            // Control characters and lead bytes always begin a character.
            let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else {
                continue;
            };
            if !is_legal_character(c) {
                let span = Span::new(at as u32, (at + c.len_utf8()) as u32);
                self.find(
                    span,
                    format!("character U+{:04X} is not allowed in XML", c as u32),
                )
                .help("remove it; it is often invisible in an editor");
                return true;
            }
        }
        false
    }

    fn start_tag(&mut self, span: Span, empty: bool) {
        let text: &'t str = self.text;
        let inner_end = span.end - if empty { 2 } else { 1 };
        let inner = Span::new(span.start + 1, inner_end).of(text);
        let name_length = inner
            .bytes()
            .position(|byte| tag::is_blank(byte) || matches!(byte, b'"' | b'\'' | b'='))
            .unwrap_or(inner.len()) as u32;
        let name = Span::new(span.start + 1, span.start + 1 + name_length);
        let prefix = self.qualified_name(name);

        let mut raw = std::mem::take(&mut self.raw_attributes);
        let mut errors = std::mem::take(&mut self.tag_errors);
        raw.clear();
        // Behind `<` without a name nothing is what it seems.
        if !name.is_empty() {
            tag::attributes(text, Span::new(name.end, inner_end), &mut raw, &mut errors);
        }
        for error in errors.drain(..) {
            self.find(error.span, error.message);
        }
        self.tag_errors = errors;

        self.declare_namespaces(&raw);
        let first = self.attributes.len() as u32;
        let mut seen = std::mem::take(&mut self.expanded_names);
        seen.clear();
        seen.extend(raw.iter().map(|attribute| self.attribute(*attribute)));
        self.twin_attributes(&mut seen);
        self.expanded_names = seen;
        self.raw_attributes = raw;

        let namespace = self.resolve(name, prefix, true);
        if self.tree.is_outside() && self.tree.has_root() {
            self.find(
                name,
                "a document has one root element; this is a second one",
            );
        }
        let local = Span::new(name.start + u32::from(prefix), name.end).of(text);
        self.tree.open(NewElement {
            tag: span,
            fingerprint: Fingerprint::of(local),
            name_length: name.len(),
            prefix,
            namespace,
            attributes: (first, self.attributes.len() as u32),
        });
        if empty {
            self.close(span.end);
        }
    }

    /// A start tag without anything unusual, whose attributes are there, from the `first` on.
    #[inline(always)]
    fn plain_start_tag(&mut self, tag: &PlainTag, first: u32) {
        self.tree.open(NewElement {
            tag: tag.span,
            fingerprint: tag.name.fingerprint,
            name_length: tag.name.span.len(),
            prefix: 0,
            namespace: self.namespaces.unprefixed(),
            attributes: (first, self.attributes.len() as u32),
        });
        if tag.is_empty {
            self.close(tag.span.end);
        }
    }

    /// Checks a qualified name and returns the length of its prefix with the colon.
    fn qualified_name(&mut self, name: Span) -> u16 {
        let written = name.of(self.text);
        if written.is_empty() {
            let at = Span::new(name.start.saturating_sub(1), name.start);
            self.find(at, "`<` is not followed by a name")
                .help("write `&lt;` for the character itself");
            return 0;
        }
        if !tag::is_name(written) {
            self.find(name, format!("`{written}` is not an XML name"));
            return 0;
        }
        self.prefix(name)
    }

    /// The length of the prefix of a name with the colon.
    fn prefix(&mut self, name: Span) -> u16 {
        let written = name.of(self.text);
        match tag::prefix_length(written) {
            Some(length) => length,
            None => {
                self.find(
                    name,
                    format!("`{written}` is not a name with at most one prefix"),
                );
                0
            }
        }
    }

    fn declare_namespaces(&mut self, raw: &[RawAttribute]) {
        let text: &'t str = self.text;
        let depth = self.tree.depth();
        for attribute in raw {
            let name: &'t str = attribute.name.of(text);
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) if rest.starts_with(':') => &rest[1..],
                _ => continue,
            };
            let value = attribute.value.of(text);
            let value = unescape(value, true).unwrap_or_else(|| value.into());
            if !self.namespaces.declare(prefix, &value, depth) {
                self.find(
                    attribute.name,
                    format!("`{name}` cannot be bound to `{value}`"),
                );
            }
        }
    }

    /// The namespace of a name; elements without prefix are in the default namespace.
    fn resolve(&mut self, name: Span, prefix: u16, element: bool) -> u16 {
        if prefix == 0 && !element {
            return 0;
        }
        let prefix = Span::new(name.start, name.start + u32::from(prefix)).of(self.text);
        let prefix = prefix.trim_end_matches(':');
        if let Some(namespace) = self.namespaces.resolve(prefix) {
            return namespace;
        }
        self.find(
            name,
            format!("prefix `{prefix}` is not bound to a namespace"),
        )
        .help(format!("declare it with `xmlns:{prefix}=\"…\"`"));
        0
    }

    /// Checks and adds one attribute; namespace declarations are checked but not added.
    fn attribute(&mut self, raw: RawAttribute) -> ExpandedName<'t> {
        let text: &'t str = self.text;
        let name = raw.name.of(text);
        // That it is a name was seen when the tag was read.
        let prefix = self.prefix(raw.name);
        if !raw.is_plain {
            self.check_references(raw.value);
        }
        if !raw.is_plain
            && let Some(offset) = raw.value.of(text).find('<')
        {
            let at = raw.value.start + offset as u32;
            self.find(
                Span::new(at, at + 1),
                format!("`<` is not allowed in the value of attribute `{name}`"),
            )
            .help("write `&lt;`, or close the quote if it was left open");
        }
        if name == "xmlns" || name.starts_with("xmlns:") {
            return (u16::MAX, name, raw.name);
        }
        let namespace = self.resolve(raw.name, prefix, false);
        let value = match raw.is_plain {
            true => Value::raw(raw.value),
            false => self.value(raw.value, true),
        };
        let local = Span::new(raw.name.start + u32::from(prefix), raw.name.end).of(text);
        self.attributes.push(AttributeData {
            fingerprint: Fingerprint::of(local),
            name: raw.name,
            prefix,
            namespace,
            raw: raw.value,
            value,
        });
        (namespace, local, raw.name)
    }

    fn twin_attributes(&mut self, seen: &mut [ExpandedName<'t>]) {
        if seen.len() < 2 {
            return;
        }
        seen.sort_unstable();
        for pair in seen.windows(2) {
            let ((namespace, local, _), (other_namespace, other_local, span)) = (pair[0], pair[1]);
            if (namespace, local) == (other_namespace, other_local) {
                let name = span.of(self.text).to_owned();
                self.find(span, format!("attribute `{name}` occurs twice in this tag"));
            }
        }
    }

    fn value(&mut self, mut raw: Span, attribute: bool) -> Value {
        // The white space before most children. Without its `\r` it is what it stands for.
        if !attribute && raw.of(self.text).starts_with("\r\n") {
            raw.start += 1;
        }
        match unescape(raw.of(self.text), attribute) {
            None => Value::raw(raw),
            Some(value) => self.unescaped_value(value),
        }
    }

    fn unescaped_value(&mut self, value: Box<str>) -> Value {
        self.unescaped.push(value);
        Value::unescaped((self.unescaped.len() - 1) as u32)
    }

    /// Closes the innermost open element if nothing but its end tag stands at `start`; returns the
    /// end of the tag.
    #[inline(always)]
    fn plain_end_tag(&mut self, start: u32) -> Option<u32> {
        let bytes = self.text.as_bytes();
        let open = self.tree.innermost_name()?;
        let name = start + "</".len() as u32;
        let end = name + open.len();
        let written = |span: Span| bytes.get(span.start as usize..span.end as usize);
        if bytes.get(end as usize) != Some(&b'>') || written(Span::new(name, end)) != written(open)
        {
            return None;
        }
        self.close(end + 1);
        Some(end + 1)
    }

    fn end_tag(&mut self, span: Span) {
        let text: &'t str = self.text;
        let inner = Span::new(span.start + 2, span.end - 1);
        let written = inner.of(text);
        let name = written.trim_end_matches([' ', '\t', '\r', '\n']);
        let name_span = Span::new(inner.start, inner.start + name.len() as u32);
        let matching = self
            .tree
            .open_names()
            .rposition(|open_name| open_name.of(text) == name);
        let Some(matching) = matching else {
            self.stray_end_tag = Some(span.start);
            let expected = self.tree.innermost_name();
            let finding = self.find(
                name_span,
                format!("end tag `</{name}>` closes no open element"),
            );
            if let Some(expected) = expected {
                finding.help(format!("`</{}>` is expected here", expected.of(text)));
            }
            return;
        };
        // Elements between the match and here were left open. Only the outermost is reported: the
        // others are most likely consequences of the same slip.
        let mut reported = false;
        while self.tree.depth() > matching + 1 {
            if let Some(open_name) = self.tree.innermost_name()
                && !std::mem::replace(&mut reported, true)
                && !self.explained_by_stray_end_tag(open_name)
            {
                let location = Location {
                    source: self.source,
                    span: name_span,
                };
                self.find(
                    open_name,
                    format!("element `{}` is never closed", open_name.of(text)),
                )
                .related(location, format!("`</{name}>` comes first"))
                .help(format!("add `</{}>`", open_name.of(text)));
            }
            self.close(span.start);
        }
        self.close(span.end);
    }

    /// Whether an end tag behind this start tag was already reported as closing nothing: then it is
    /// most likely the misspelt end of this very element.
    fn explained_by_stray_end_tag(&self, name: Span) -> bool {
        self.stray_end_tag.is_some_and(|at| at > name.start)
    }

    /// Closes the innermost open element, whose text is complete now.
    fn close(&mut self, end: u32) {
        self.tree.close(end, self.text, &mut self.unescaped);
        self.namespaces.leave(self.tree.depth());
    }

    fn close_all(&mut self, end: u32) {
        while !self.tree.is_outside() {
            self.close(end);
        }
    }
}
