use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostics::Span;

/// The number of a node in its document; ascending in document order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

/// A parsed XML document: nodes in document order, each with its byte range in the text.
///
/// A subtree is a contiguous run of nodes, so walking descendants is walking a slice.
#[derive(Clone)]
pub struct Document {
    pub(super) text: Arc<str>,
    pub(super) nodes: Vec<NodeData>,
    pub(super) attributes: Vec<AttributeData>,
    /// Values that differ from their raw text: entity references, line ends, several text nodes.
    pub(super) unescaped: Vec<Box<str>>,
    /// Namespace names; index 0 is "no namespace".
    pub(super) namespaces: Vec<Box<str>>,
    pub(super) root: Option<NodeId>,
    pub(super) well_formed: bool,
}

#[derive(Debug, Clone)]
pub(super) struct NodeData {
    /// From `<` to behind the last `>`, or the raw text.
    pub(super) span: Span,
    pub(super) parent: Option<NodeId>,
    /// Index behind the last node of the subtree.
    pub(super) subtree_end: u32,
    pub(super) kind: KindData,
}

#[derive(Debug, Clone)]
pub(super) enum KindData {
    Element(ElementData),
    Text(Value),
    Comment,
    ProcessingInstruction,
}

#[derive(Debug, Clone)]
pub(super) struct ElementData {
    pub(super) name: Span,
    /// Length of `prefix:` in bytes, 0 without prefix.
    pub(super) prefix: u16,
    pub(super) namespace: u16,
    pub(super) attributes: Range<u32>,
    /// End of the start tag.
    pub(super) tag_end: u32,
    /// The text of the element: all direct text, joined.
    pub(super) content: Option<Value>,
}

#[derive(Debug, Clone)]
pub(super) struct AttributeData {
    pub(super) name: Span,
    pub(super) prefix: u16,
    pub(super) namespace: u16,
    /// The value without quotes, as written.
    pub(super) raw: Span,
    pub(super) value: Value,
}

/// A string of the document: either a range of its text as it stands, or an entry of `unescaped`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Raw(Span),
    Unescaped(u32),
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// An element.
    Element,
    /// Character data, including CDATA sections and references.
    Text,
    /// A comment.
    Comment,
    /// A processing instruction other than the XML declaration.
    ProcessingInstruction,
}

impl Document {
    /// The text that was parsed.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether parsing found nothing wrong. What an ill-formed document lacks says nothing about
    /// what its author meant, so checks for missing things are withheld on it.
    pub const fn is_well_formed(&self) -> bool {
        self.well_formed
    }

    /// The document element.
    pub fn root(&self) -> Option<Element<'_>> {
        self.element(self.root?)
    }

    /// The element with this id; `None` if the node is no element.
    pub fn element(&self, id: NodeId) -> Option<Element<'_>> {
        match &self.nodes.get(id.0 as usize)?.kind {
            KindData::Element(data) => Some(Element {
                document: self,
                id,
                data,
            }),
            _ => None,
        }
    }

    /// All nodes in document order, those outside the document element too.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.nodes.len() as u32).map(|index| Node {
            document: self,
            id: NodeId(index),
        })
    }

    /// All elements in document order.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        self.nodes().filter_map(Node::element)
    }

    fn value(&self, value: Value) -> &str {
        match value {
            Value::Raw(span) => span.of(&self.text),
            Value::Unescaped(index) => &self.unescaped[index as usize],
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("root", &self.root().map(Element::name))
            .field("nodes", &self.nodes.len())
            .field("well_formed", &self.well_formed)
            .finish_non_exhaustive()
    }
}

/// A node of a document, of any kind.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    document: &'d Document,
    id: NodeId,
}

impl<'d> Node<'d> {
    fn data(self) -> &'d NodeData {
        &self.document.nodes[self.id.0 as usize]
    }

    /// The number of the node.
    pub const fn id(self) -> NodeId {
        self.id
    }

    /// What the node is.
    pub fn kind(self) -> NodeKind {
        match self.data().kind {
            KindData::Element(_) => NodeKind::Element,
            KindData::Text(_) => NodeKind::Text,
            KindData::Comment => NodeKind::Comment,
            KindData::ProcessingInstruction => NodeKind::ProcessingInstruction,
        }
    }

    /// The node as an element.
    pub fn element(self) -> Option<Element<'d>> {
        self.document.element(self.id)
    }

    /// The whole node in the text.
    pub fn span(self) -> Span {
        self.data().span
    }

    /// Character data with references resolved; the raw text of a comment without its delimiters;
    /// empty for elements.
    pub fn text(self) -> &'d str {
        match &self.data().kind {
            KindData::Text(value) => self.document.value(*value),
            KindData::Comment => {
                let raw = self.data().span.of(&self.document.text);
                let inner = raw.strip_prefix("<!--").unwrap_or(raw);
                inner.strip_suffix("-->").unwrap_or(inner)
            }
            KindData::Element(_) | KindData::ProcessingInstruction => "",
        }
    }

    /// The element that contains the node.
    pub fn parent(self) -> Option<Element<'d>> {
        self.document.element(self.data().parent?)
    }
}

/// An element of a document. Copying it is free.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document,
    id: NodeId,
    data: &'d ElementData,
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.id == other.id
    }
}

impl Eq for Element<'_> {}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}#{}>", self.name(), self.id.0)
    }
}

impl<'d> Element<'d> {
    fn node(self) -> &'d NodeData {
        &self.document.nodes[self.id.0 as usize]
    }

    /// The document that holds the element.
    pub const fn document(self) -> &'d Document {
        self.document
    }

    /// The number of the element's node.
    pub const fn id(self) -> NodeId {
        self.id
    }

    /// The local name.
    pub fn name(self) -> &'d str {
        let name = self.data.name;
        Span::new(name.start + u32::from(self.data.prefix), name.end).of(&self.document.text)
    }

    /// The name as written, with its prefix.
    pub fn qualified_name(self) -> &'d str {
        self.data.name.of(&self.document.text)
    }

    /// The namespace name; empty for none.
    pub fn namespace(self) -> &'d str {
        &self.document.namespaces[self.data.namespace as usize]
    }

    /// The qualified name in the start tag.
    pub const fn name_span(self) -> Span {
        self.data.name
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
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'d>> {
        let range = self.data.attributes.start as usize..self.data.attributes.end as usize;
        self.document.attributes[range]
            .iter()
            .map(move |data| Attribute {
                document: self.document,
                data,
            })
    }

    /// The attribute of this name that is in no namespace.
    pub fn attribute(self, name: &str) -> Option<Attribute<'d>> {
        self.attributes()
            .find(|attribute| attribute.data.namespace == 0 && attribute.name() == name)
    }

    /// The value of an attribute that is in no namespace.
    pub fn attribute_value(self, name: &str) -> Option<&'d str> {
        Some(self.attribute(name)?.value())
    }

    /// All child nodes in document order.
    pub fn child_nodes(self) -> impl Iterator<Item = Node<'d>> {
        let document = self.document;
        let end = self.node().subtree_end;
        let mut next = self.id.0 + 1;
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
    pub fn children(self) -> impl Iterator<Item = Self> {
        self.child_nodes().filter_map(Node::element)
    }

    /// The child elements of this local name.
    pub fn children_named(self, name: &str) -> impl Iterator<Item = Self> {
        self.children().filter(move |child| child.name() == name)
    }

    /// The first child element of this local name.
    pub fn child(self, name: &str) -> Option<Self> {
        self.children().find(|child| child.name() == name)
    }

    /// The first element at the end of a path of child names.
    pub fn descend(self, path: &[&str]) -> Option<Self> {
        path.iter()
            .try_fold(self, |element, name| element.child(name))
    }

    /// All elements below this one, in document order.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        let document = self.document;
        (self.id.0 + 1..self.node().subtree_end)
            .filter_map(move |index| document.element(NodeId(index)))
    }

    /// The element that contains this one.
    pub fn parent(self) -> Option<Self> {
        self.document.element(self.node().parent?)
    }

    /// Parent, its parent and so on up to the document element.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), |element| element.parent())
    }

    /// The direct text of the element, references resolved, comments left out.
    pub fn text(self) -> &'d str {
        self.data
            .content
            .map_or("", |value| self.document.value(value))
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
    document: &'d Document,
    data: &'d AttributeData,
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?}", self.name(), self.value())
    }
}

impl<'d> Attribute<'d> {
    /// The local name.
    pub fn name(self) -> &'d str {
        let name = self.data.name;
        Span::new(name.start + u32::from(self.data.prefix), name.end).of(&self.document.text)
    }

    /// The namespace name; empty for none.
    pub fn namespace(self) -> &'d str {
        &self.document.namespaces[self.data.namespace as usize]
    }

    /// The value, references resolved and white space normalised as XML 1.0 §3.3.3 says.
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
