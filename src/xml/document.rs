use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::diagnostics::Span;

use super::element::{Attribute, Element};
use super::{Fingerprint, vocabulary};

/// The number of a node in its document; ascending in document order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

/// Stands for "none" where a number of a node or an element is kept.
pub(super) const NONE: u32 = u32::MAX;

/// A parsed XML document: nodes in document order, each with its byte range in the text.
///
/// A subtree is a contiguous run of nodes, so walking descendants is walking a slice. What only
/// elements have is kept apart, in document order too, so that walking elements passes over the
/// white space between them.
#[derive(Clone)]
pub struct Document {
    pub(super) text: Arc<str>,
    pub(super) nodes: Vec<NodeData>,
    pub(super) elements: Vec<ElementData>,
    pub(super) attributes: Vec<AttributeData>,
    /// Values that differ from their raw text: entity references, line ends, several text nodes.
    pub(super) unescaped: Vec<Box<str>>,
    /// Namespace names; index 0 is "no namespace".
    pub(super) namespaces: Vec<Box<str>>,
    pub(super) names: Names,
    /// Number of the document element, or [`NONE`].
    pub(super) root: u32,
    pub(super) well_formed: bool,
}

#[derive(Debug, Clone)]
pub(super) struct NodeData {
    /// From `<` to behind the last `>`, or the raw text.
    pub(super) span: Span,
    /// Number of the element that contains the node, or [`NONE`].
    pub(super) parent: u32,
    /// Index behind the last node of the subtree.
    pub(super) subtree_end: u32,
    pub(super) kind: KindData,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum KindData {
    /// The number of the element.
    Element(u32),
    Text(Value),
    Comment,
    ProcessingInstruction,
}

#[derive(Debug, Clone)]
pub(super) struct ElementData {
    pub(super) node: NodeId,
    /// Of the local name.
    pub(super) fingerprint: Fingerprint,
    /// Length of the name as written, which begins behind the `<`.
    pub(super) name_length: u32,
    /// Length of `prefix:` in bytes, 0 without prefix.
    pub(super) prefix: u16,
    pub(super) namespace: u16,
    /// Whether it directly holds text that is more than white space, or a CDATA section.
    pub(super) holds_text: bool,
    /// The first attribute and the one behind the last.
    pub(super) attributes: (u32, u32),
    /// End of the start tag.
    pub(super) tag_end: u32,
    /// The text of the element: all direct text, joined; an empty range without any.
    pub(super) content: Value,
    /// Number of the first child element, or [`NONE`].
    pub(super) first_child: u32,
    /// Number of the next element below the same parent, or [`NONE`].
    pub(super) next_sibling: u32,
    /// Number of the next element with this fingerprint, or [`NONE`].
    pub(super) next_alike: u32,
}

#[derive(Debug, Clone)]
pub(super) struct AttributeData {
    /// Of the local name.
    pub(super) fingerprint: Fingerprint,
    pub(super) name: Span,
    pub(super) prefix: u16,
    pub(super) namespace: u16,
    /// The value without quotes, as written.
    pub(super) raw: Span,
    pub(super) value: Value,
}

/// A string of the document: a range of its text as it stands, or an entry of `unescaped`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value(Span);

impl Value {
    pub(super) const EMPTY: Self = Self(Span::at(0));

    #[inline]
    pub(super) const fn raw(span: Span) -> Self {
        Self(span)
    }

    #[inline]
    pub(super) const fn unescaped(index: u32) -> Self {
        Self(Span::new(NONE, index))
    }

    #[inline]
    pub(super) fn of<'d>(self, text: &'d str, unescaped: &'d [Box<str>]) -> &'d str {
        if self.0.start == NONE {
            &unescaped[self.0.end as usize]
        } else {
            self.0.of(text)
        }
    }
}

/// The first and the last element of each fingerprint.
#[derive(Debug, Clone)]
pub(super) struct Names {
    words: Box<[Ends; vocabulary::COUNT]>,
    others: HashMap<Fingerprint, Ends>,
}

/// The first and the last of several elements.
#[derive(Debug, Clone, Copy)]
struct Ends {
    first: u32,
    last: u32,
}

impl Ends {
    const NONE: Self = Self {
        first: NONE,
        last: NONE,
    };
}

impl Default for Names {
    fn default() -> Self {
        Self {
            words: Box::new([Ends::NONE; vocabulary::COUNT]),
            others: HashMap::new(),
        }
    }
}

impl Names {
    /// Adds an element; returns the one before it of the same fingerprint.
    #[inline]
    pub(super) fn add(&mut self, fingerprint: Fingerprint, element: u32) -> Option<u32> {
        let ends = match fingerprint.word() {
            Some(word) => &mut self.words[word],
            None => self.others.entry(fingerprint).or_insert(Ends::NONE),
        };
        let before = std::mem::replace(&mut ends.last, element);
        if before == NONE {
            ends.first = element;
            return None;
        }
        Some(before)
    }

    fn first(&self, fingerprint: Fingerprint) -> u32 {
        let ends = match fingerprint.word() {
            Some(word) => self.words.get(word),
            None => self.others.get(&fingerprint),
        };
        ends.map_or(NONE, |ends| ends.first)
    }
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
        self.numbered(self.root)
    }

    /// The element with this id; `None` if the node is no element.
    pub fn element(&self, id: NodeId) -> Option<Element<'_>> {
        match self.nodes.get(id.0 as usize)?.kind {
            KindData::Element(number) => self.numbered(number),
            _ => None,
        }
    }

    /// The element of this number.
    #[inline]
    pub(super) fn numbered(&self, number: u32) -> Option<Element<'_>> {
        let data = self.elements.get(number as usize)?;
        Some(Element {
            document: self,
            data,
        })
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
        self.elements.iter().map(|data| Element {
            document: self,
            data,
        })
    }

    /// All elements of this local name, in document order. Others are not looked at.
    pub fn elements_named<'d>(&'d self, name: &str) -> impl Iterator<Item = Element<'d>> {
        let fingerprint = Fingerprint::of(name);
        let first = self.names.first(fingerprint);
        let alike = std::iter::successors(self.numbered(first), move |element| {
            self.numbered(element.data.next_alike)
        });
        alike.filter(move |element| element.has_name(fingerprint, name))
    }

    /// All attributes of this name that are in no namespace, with the elements that have them, in
    /// document order. Other elements are not looked at.
    pub fn attributes_named<'d>(
        &'d self,
        name: &str,
    ) -> impl Iterator<Item = (Element<'d>, Attribute<'d>)> {
        let fingerprint = Fingerprint::of(name);
        let attributes = self.attributes.iter().zip(0..);
        attributes.filter_map(move |(data, number)| {
            let attribute = Attribute {
                document: self,
                data,
            };
            if !attribute.has_name(fingerprint, name) || !attribute.is_plain() {
                return None;
            }
            // Of elements whose attributes begin at the same number the last one has some.
            let behind = (self.elements).partition_point(|other| other.attributes.0 <= number);
            let element = self.numbered((behind as u32).checked_sub(1)?)?;
            Some((element, attribute))
        })
    }

    #[inline]
    pub(super) fn value(&self, value: Value) -> &str {
        value.of(&self.text, &self.unescaped)
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
    pub(super) document: &'d Document,
    pub(super) id: NodeId,
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
        match self.data().kind {
            KindData::Text(value) => self.document.value(value),
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
        self.document.numbered(self.data().parent)
    }
}
