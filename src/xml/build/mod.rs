//! Builds the document from the events of quick-xml.

mod content;

use std::sync::Arc;

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::diagnostics::{Diagnostic, Location, SourceId, Span};

use crate::xml::XML_WELLFORMED;
use crate::xml::characters::{is_legal_character, unescape};
use crate::xml::document::{
    AttributeData, Document, ElementData, KindData, NodeData, NodeId, Value,
};
use crate::xml::findings::{Finding, syntax_error};
use crate::xml::namespaces::Namespaces;
use crate::xml::tag::{self, RawAttribute, TagError};

/// Behind this many mistakes a file is taken for something that is no XML at all.
const MAX_FINDINGS: usize = 20;

/// Parses a text (without byte order mark) into a document. Every mistake against XML 1.0 or
/// Namespaces in XML gives one finding of rule `xml-wellformed`; the document holds what could be
/// understood.
pub fn parse(text: &Arc<str>, source: SourceId) -> (Document, Vec<Diagnostic>) {
    let mut builder = Builder {
        text,
        source,
        nodes: Vec::with_capacity(text.len() / 24),
        attributes: Vec::with_capacity(text.len() / 40),
        unescaped: Vec::new(),
        namespaces: Namespaces::default(),
        open: Vec::new(),
        root: None,
        findings: Vec::new(),
        raw_attributes: Vec::new(),
        expanded_names: Vec::new(),
        tag_errors: Vec::new(),
        stray_text: None,
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
    nodes: Vec<NodeData>,
    attributes: Vec<AttributeData>,
    unescaped: Vec<Box<str>>,
    namespaces: Namespaces<'t>,
    open: Vec<NodeId>,
    root: Option<NodeId>,
    findings: Vec<Diagnostic>,
    /// Kept between tags for its memory, as the next two.
    raw_attributes: Vec<RawAttribute>,
    expanded_names: Vec<ExpandedName<'t>>,
    tag_errors: Vec<TagError>,
    /// End of the last piece of text that stood outside the root.
    stray_text: Option<u32>,
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
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        loop {
            let start = reader.buffer_position() as u32;
            let event = reader.read_event();
            let span = Span::new(start, reader.buffer_position() as u32);
            match event {
                Ok(Event::Eof) => break,
                Ok(Event::Start(_)) => self.start_tag(span, false),
                Ok(Event::Empty(_)) => self.start_tag(span, true),
                Ok(Event::End(_)) => self.end_tag(span),
                Ok(Event::Text(_) | Event::GeneralRef(_)) => self.characters(span),
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
                    return;
                }
                Err(error) => {
                    let at = (reader.error_position() as u32).min(text.len() as u32);
                    let end = text[at as usize..]
                        .char_indices()
                        .nth(1)
                        .map_or(text.len(), |(offset, _)| at as usize + offset);
                    self.find(Span::new(at, end as u32), syntax_error(&error));
                    return;
                }
            }
            if self.findings.len() >= MAX_FINDINGS {
                return;
            }
        }
        self.end_of_text();
    }

    fn end_of_text(&mut self) {
        let text: &'t str = self.text;
        let end = text.len() as u32;
        // The outermost is the slip; the elements inside it are open because it is.
        if let Some(name) = self.open.first().and_then(|&id| self.name_of(id))
            && !self.explained_by_stray_end_tag(name)
        {
            let written = name.of(text);
            self.find(name, format!("element `{written}` is never closed"))
                .help(format!("add `</{written}>`"));
        }
        while let Some(id) = self.open.last().copied() {
            self.close(id, end);
        }
        if self.root.is_none() && self.findings.is_empty() {
            self.find(Span::at(0), "the file contains no XML element");
        }
    }

    fn finish(mut self) -> (Document, Vec<Diagnostic>) {
        let end = self.text.len() as u32;
        while let Some(id) = self.open.last().copied() {
            self.close(id, end);
        }
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
        let document = Document {
            text: Arc::clone(self.text),
            nodes: self.nodes,
            attributes: self.attributes,
            unescaped: self.unescaped,
            namespaces: self.namespaces.into_names(),
            root: self.root,
            well_formed: findings.is_empty(),
        };
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
        let suspicious = |byte: u8| (byte < 0x20 && !matches!(byte, 9 | 10 | 13)) || byte == 0xEF;
        let mut start = 0;
        // Whole chunks first, without leaving early: that is a loop that uses vector registers.
        for chunk in text.as_bytes().chunks(256) {
            let found = chunk
                .iter()
                .fold(false, |found, &byte| found | suspicious(byte));
            if found && self.illegal_character(start, chunk, suspicious) {
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

    fn push(&mut self, span: Span, kind: KindData) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(NodeData {
            span,
            parent: self.open.last().copied(),
            subtree_end: id.0 + 1,
            kind,
        });
        id
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
        if self.open.is_empty() && self.root.is_some() {
            self.find(
                name,
                "a document has one root element; this is a second one",
            );
        }
        let id = self.push(
            span,
            KindData::Element(ElementData {
                name,
                prefix,
                namespace,
                attributes: first..self.attributes.len() as u32,
                tag_end: span.end,
                content: None,
            }),
        );
        if self.open.is_empty() && self.root.is_none() {
            self.root = Some(id);
        }
        self.open.push(id);
        if empty {
            self.close(id, span.end);
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
        let depth = self.open.len();
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
            true => Value::Raw(raw.value),
            false => self.value(raw.value, true),
        };
        self.attributes.push(AttributeData {
            name: raw.name,
            prefix,
            namespace,
            raw: raw.value,
            value,
        });
        let local = Span::new(raw.name.start + u32::from(prefix), raw.name.end).of(text);
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
            None => Value::Raw(raw),
            Some(value) => self.unescaped_value(value),
        }
    }

    fn unescaped_value(&mut self, value: Box<str>) -> Value {
        self.unescaped.push(value);
        Value::Unescaped((self.unescaped.len() - 1) as u32)
    }

    fn end_tag(&mut self, span: Span) {
        let text: &'t str = self.text;
        let inner = Span::new(span.start + 2, span.end - 1);
        let written = inner.of(text);
        let name = written.trim_end_matches([' ', '\t', '\r', '\n']);
        let name_span = Span::new(inner.start, inner.start + name.len() as u32);
        let matching = self.open.iter().rposition(|&id| {
            self.name_of(id)
                .is_some_and(|open_name| open_name.of(text) == name)
        });
        let Some(matching) = matching else {
            self.stray_end_tag = Some(span.start);
            let expected = self.open.last().and_then(|&id| self.name_of(id));
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
        while self.open.len() > matching + 1 {
            let Some(id) = self.open.last().copied() else {
                break;
            };
            if let Some(open_name) = self.name_of(id)
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
            self.close(id, span.start);
        }
        if let Some(id) = self.open.last().copied() {
            self.close(id, span.end);
        }
    }

    /// Whether an end tag behind this start tag was already reported as closing nothing: then it is
    /// most likely the misspelt end of this very element.
    fn explained_by_stray_end_tag(&self, name: Span) -> bool {
        self.stray_end_tag.is_some_and(|at| at > name.start)
    }

    fn name_of(&self, id: NodeId) -> Option<Span> {
        match &self.nodes[id.0 as usize].kind {
            KindData::Element(data) => Some(data.name),
            _ => None,
        }
    }

    /// Closes the innermost open element, whose text is complete now.
    fn close(&mut self, id: NodeId, end: u32) {
        self.open.pop();
        let depth = self.open.len();
        self.namespaces.leave(depth);
        let subtree_end = self.nodes.len() as u32;
        let content = self.content(id, subtree_end);
        let node = &mut self.nodes[id.0 as usize];
        node.span.end = end;
        node.subtree_end = subtree_end;
        if let KindData::Element(data) = &mut node.kind {
            data.content = content;
        }
    }

    /// The direct text of an element. Text nodes are finished here too: until now they hold raw
    /// text, since references may have been joined to them.
    fn content(&mut self, id: NodeId, end: u32) -> Option<Value> {
        let mut first = None;
        let mut several = false;
        // White space between children is no text worth keeping a copy of.
        let mut blank = true;
        let mut index = id.0 + 1;
        while index < end {
            let node = &self.nodes[index as usize];
            let next = node.subtree_end;
            if let KindData::Text(value) = node.kind {
                let value = match value {
                    Value::Raw(raw) => self.value(raw, false),
                    unescaped @ Value::Unescaped(_) => unescaped,
                };
                self.nodes[index as usize].kind = KindData::Text(value);
                blank = blank && self.text_of(value).bytes().all(|b| b.is_ascii_whitespace());
                several |= first.is_some();
                first = first.or(Some(value));
            }
            index = next;
        }
        if !several || blank {
            return first;
        }
        let mut joined = String::new();
        let mut index = id.0 + 1;
        while index < end {
            let node = &self.nodes[index as usize];
            if let KindData::Text(value) = node.kind {
                joined.push_str(self.text_of(value));
            }
            index = node.subtree_end;
        }
        Some(self.unescaped_value(joined.into()))
    }

    fn text_of(&self, value: Value) -> &str {
        match value {
            Value::Raw(span) => span.of(self.text),
            Value::Unescaped(index) => &self.unescaped[index as usize],
        }
    }
}
