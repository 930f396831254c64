use std::fmt;

use crate::diagnostics::Span;

use super::Fingerprint;
use super::document::{AttributeData, Document, ElementData, Node, NodeData, NodeId, NodeKind};

/// An element of a document. Copying it is free.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    pub(super) document: &'d Document,
    pub(super) data: &'d ElementData,
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.data, other.data)
    }
}

impl Eq for Element<'_> {}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}#{}>", self.name(), self.id().0)
    }
}

impl<'d> Element<'d> {
    fn node(self) -> &'d NodeData {
        &self.document.nodes[self.data.node.0 as usize]
    }

    /// The document that holds the element.
    pub const fn document(self) -> &'d Document {
        self.document
    }

    /// The number of the element's node.
    pub const fn id(self) -> NodeId {
        self.data.node
    }

    /// The local name.
    #[inline]
    pub fn name(self) -> &'d str {
        let name = self.name_span();
        Span::new(name.start + u32::from(self.data.prefix), name.end).of(&self.document.text)
    }

    /// Whether this is the local name.
    #[inline(always)]
    pub fn is_named(self, name: &str) -> bool {
        self.has_name(Fingerprint::of(name), name)
    }

    /// The same for those who have the fingerprint of the name at hand.
    #[inline]
    pub fn has_name(self, fingerprint: Fingerprint, name: &str) -> bool {
        self.data.fingerprint == fingerprint && (fingerprint.is_exact() || self.is_called(name))
    }

    /// Compares the name letter by letter.
    #[cold]
    fn is_called(self, name: &str) -> bool {
        self.name() == name
    }

    /// The name as written, with its prefix.
    pub fn qualified_name(self) -> &'d str {
        self.name_span().of(&self.document.text)
    }

    /// The namespace name; empty for none.
    pub fn namespace(self) -> &'d str {
        &self.document.namespaces[self.data.namespace as usize]
    }

    /// Whether this and another element of the document are in one namespace.
    #[inline]
    pub fn shares_namespace(self, other: Self) -> bool {
        // A document has every namespace name once.
        self.data.namespace == other.data.namespace
    }

    /// The qualified name in the start tag.
    #[inline]
    pub fn name_span(self) -> Span {
        let start = self.node().span.start + 1;
        Span::new(start, start + self.data.name_length)
    }

    /// The start tag, from `<` to behind `>`.
    pub fn tag_span(self) -> Span {
        Span::new(self.node().span.start, self.data.tag_end)
    }

    /// The whole element with its content.
    pub fn span(self) -> Span {
        self.node().span
    }

    /// The attributes in the order of the text, without namespace declarations.
    #[inline]
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'d>> {
        let (start, end) = self.data.attributes;
        let document = self.document;
        document.attributes[start as usize..end as usize]
            .iter()
            .map(move |data| Attribute { document, data })
    }

    /// The attribute of this name that is in no namespace.
    #[inline(always)]
    pub fn attribute(self, name: &str) -> Option<Attribute<'d>> {
        self.attribute_with(Fingerprint::of(name), name)
    }

    /// The same for those who have the fingerprint of the name at hand.
    #[inline(always)]
    pub fn attribute_with(self, fingerprint: Fingerprint, name: &str) -> Option<Attribute<'d>> {
        if fingerprint.is_exact() {
            self.exact_attribute(fingerprint)
        } else {
            self.attribute_called(fingerprint, name)
        }
    }

    fn exact_attribute(self, name: Fingerprint) -> Option<Attribute<'d>> {
        self.attributes()
            .find(|attribute| attribute.data.fingerprint == name && attribute.is_plain())
    }

    #[cold]
    fn attribute_called(self, fingerprint: Fingerprint, name: &str) -> Option<Attribute<'d>> {
        self.attributes()
            .find(|attribute| attribute.is_plain() && attribute.has_name(fingerprint, name))
    }

    /// The value of an attribute that is in no namespace.
    #[inline(always)]
    pub fn attribute_value(self, name: &str) -> Option<&'d str> {
        Some(self.attribute(name)?.value())
    }

    /// All child nodes in document order.
    pub fn child_nodes(self) -> impl Iterator<Item = Node<'d>> {
        let document = self.document;
        let end = self.node().subtree_end;
        let mut next = self.data.node.0 + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let id = NodeId(next);
            next = document.nodes[next as usize].subtree_end;
            Some(Node { document, id })
        })
    }

    /// The child elements in document order.
    #[inline]
    pub fn children(self) -> impl Iterator<Item = Self> {
        let document = self.document;
        std::iter::successors(
            document.numbered(self.data.first_child),
            move |child: &Self| document.numbered(child.data.next_sibling),
        )
    }

    /// The child elements of this local name.
    #[inline(always)]
    pub fn children_named(self, name: &str) -> impl Iterator<Item = Self> {
        let fingerprint = Fingerprint::of(name);
        self.children()
            .filter(move |child| child.has_name(fingerprint, name))
    }

    /// The first child element of this local name.
    #[inline(always)]
    pub fn child(self, name: &str) -> Option<Self> {
        self.child_with(Fingerprint::of(name), name)
    }

    /// The same for those who have the fingerprint of the name at hand.
    #[inline(always)]
    pub fn child_with(self, fingerprint: Fingerprint, name: &str) -> Option<Self> {
        if fingerprint.is_exact() {
            self.exact_child(fingerprint)
        } else {
            self.child_called(fingerprint, name)
        }
    }

    fn exact_child(self, name: Fingerprint) -> Option<Self> {
        self.children().find(|child| child.data.fingerprint == name)
    }

    #[cold]
    fn child_called(self, fingerprint: Fingerprint, name: &str) -> Option<Self> {
        self.children()
            .find(|child| child.has_name(fingerprint, name))
    }

    /// The first element at the end of a path of child names.
    pub fn descend(self, path: &[&str]) -> Option<Self> {
        path.iter()
            .try_fold(self, |element, name| element.child(name))
    }

    /// All elements below this one, in document order.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        let document = self.document;
        let end = self.node().subtree_end;
        let behind = match document.nodes[self.data.node.0 as usize].kind {
            super::document::KindData::Element(number) => number as usize + 1,
            _ => document.elements.len(),
        };
        document.elements[behind..]
            .iter()
            .take_while(move |data| data.node.0 < end)
            .map(move |data| Self { document, data })
    }

    /// The element that contains this one.
    pub fn parent(self) -> Option<Self> {
        self.document.numbered(self.node().parent)
    }

    /// Parent, its parent and so on up to the document element.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), |element| element.parent())
    }

    /// The direct text of the element, references resolved, comments left out.
    #[inline]
    pub fn text(self) -> &'d str {
        self.document.value(self.data.content)
    }

    /// Whether the element directly holds text that is more than white space. A CDATA section is,
    /// whatever stands in it.
    pub const fn holds_text(self) -> bool {
        self.data.holds_text
    }

    /// The direct text without white space around it.
    pub fn trimmed_text(self) -> &'d str {
        self.text().trim_matches([' ', '\t', '\r', '\n'])
    }

    /// Where the text stands, without white space around it: from the first to the last character of
    /// direct text; the start tag if there is none.
    pub fn text_span(self) -> Span {
        let mut texts = self
            .child_nodes()
            .filter(|node| node.kind() == NodeKind::Text)
            .map(|node| {
                let span = node.span();
                let raw = span.of(&self.document.text);
                let blank = |c: char| c.is_ascii_whitespace();
                let start = span.start + (raw.len() - raw.trim_start_matches(blank).len()) as u32;
                let end = span.end - (raw.len() - raw.trim_end_matches(blank).len()) as u32;
                Span::new(start, end)
            })
            .filter(|span| !span.is_empty());
        let Some(first) = texts.next() else {
            return self.tag_span();
        };
        texts.fold(first, Span::cover)
    }
}

/// An attribute of an element. Copying it is free.
#[derive(Clone, Copy)]
pub struct Attribute<'d> {
    pub(super) document: &'d Document,
    pub(super) data: &'d AttributeData,
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?}", self.name(), self.value())
    }
}

impl<'d> Attribute<'d> {
    /// The local name.
    #[inline]
    pub fn name(self) -> &'d str {
        let name = self.data.name;
        Span::new(name.start + u32::from(self.data.prefix), name.end).of(&self.document.text)
    }

    /// Whether the attribute is in no namespace, as all of a policy's own are.
    #[inline]
    pub const fn is_plain(self) -> bool {
        self.data.namespace == 0
    }

    /// Whether this is the local name; for those who have its fingerprint at hand.
    #[inline]
    pub fn has_name(self, fingerprint: Fingerprint, name: &str) -> bool {
        self.data.fingerprint == fingerprint && (fingerprint.is_exact() || self.is_called(name))
    }

    /// Compares the name letter by letter.
    #[cold]
    fn is_called(self, name: &str) -> bool {
        self.name() == name
    }

    /// The namespace name; empty for none.
    pub fn namespace(self) -> &'d str {
        &self.document.namespaces[self.data.namespace as usize]
    }

    /// The value, references resolved and white space normalised as XML 1.0 §3.3.3 says.
    #[inline]
    pub fn value(self) -> &'d str {
        self.document.value(self.data.value)
    }

    /// The name in the text.
    pub const fn name_span(self) -> Span {
        self.data.name
    }

    /// The value in the text, without quotes.
    pub const fn value_span(self) -> Span {
        self.data.raw
    }
}
