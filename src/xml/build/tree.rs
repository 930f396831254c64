//! The nodes of a document while it is read: which elements are open, and how they hang together.

use std::sync::Arc;

use crate::diagnostics::Span;
use crate::xml::Fingerprint;
use crate::xml::document::{
    AttributeData, Document, ElementData, KindData, NONE, Names, NodeData, NodeId, Value,
};

/// Everything that is known of an element when its start tag has been read.
pub(super) struct NewElement {
    pub(super) tag: Span,
    pub(super) fingerprint: Fingerprint,
    pub(super) name_length: u32,
    pub(super) prefix: u16,
    pub(super) namespace: u16,
    pub(super) attributes: (u32, u32),
}

/// An element whose end tag has not been read.
struct Open {
    element: u32,
    name: Span,
    last_child: u32,
    has_text: bool,
    /// Whether there is more text than the first.
    has_more_text: bool,
    is_blank: bool,
}

/// Nodes and elements, linked as far as they have been read.
pub(super) struct Tree {
    nodes: Vec<NodeData>,
    elements: Vec<ElementData>,
    names: Names,
    open: Vec<Open>,
    root: u32,
}

impl Tree {
    /// An empty tree with room for what a text of this length usually holds.
    pub(super) fn for_text(text: &str) -> Self {
        Self {
            nodes: Vec::with_capacity(text.len() / 28),
            elements: Vec::with_capacity(text.len() / 60),
            names: Names::default(),
            open: Vec::new(),
            root: NONE,
        }
    }

    /// Whether no element is open.
    #[inline]
    pub(super) fn is_outside(&self) -> bool {
        self.open.is_empty()
    }

    #[inline]
    pub(super) const fn has_root(&self) -> bool {
        self.root != NONE
    }

    /// How many elements are open.
    #[inline]
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The names of the open elements, the outermost first.
    pub(super) fn open_names(&self) -> impl DoubleEndedIterator<Item = Span> + ExactSizeIterator {
        self.open.iter().map(|open| open.name)
    }

    #[inline]
    pub(super) fn innermost_name(&self) -> Option<Span> {
        self.open.last().map(|open| open.name)
    }

    /// Adds a node to the innermost open element.
    #[inline]
    pub(super) fn push(&mut self, span: Span, kind: KindData) -> NodeId {
        let id = self.nodes.len() as u32;
        self.nodes.push(NodeData {
            span,
            parent: self.open.last().map_or(NONE, |open| open.element),
            subtree_end: id + 1,
            kind,
        });
        NodeId(id)
    }

    /// Adds text to the innermost open element.
    pub(super) fn add_text(&mut self, span: Span, value: Value, is_blank: bool) {
        self.push(span, KindData::Text(value));
        let Some(open) = self.open.last_mut() else {
            return;
        };
        open.is_blank &= is_blank;
        let element = &mut self.elements[open.element as usize];
        element.holds_text |= !is_blank;
        if std::mem::replace(&mut open.has_text, true) {
            open.has_more_text = true;
        } else {
            element.content = value;
        }
    }

    /// Adds a CDATA section to the innermost open element.
    pub(super) fn add_section(&mut self, span: Span, value: Value, is_blank: bool) {
        self.add_text(span, value, is_blank);
        if let Some(open) = self.open.last() {
            self.elements[open.element as usize].holds_text = true;
        }
    }

    /// Adds an element to the innermost open one and opens it.
    pub(super) fn open(&mut self, new: NewElement) {
        let number = self.elements.len() as u32;
        let node = self.push(new.tag, KindData::Element(number));
        match self.open.last_mut() {
            Some(parent) => {
                let elder = std::mem::replace(&mut parent.last_child, number);
                if elder == NONE {
                    self.elements[parent.element as usize].first_child = number;
                } else {
                    self.elements[elder as usize].next_sibling = number;
                }
            }
            None if self.root == NONE => self.root = number,
            None => {}
        }
        if let Some(alike) = self.names.add(new.fingerprint, number) {
            self.elements[alike as usize].next_alike = number;
        }
        self.elements.push(ElementData {
            node,
            fingerprint: new.fingerprint,
            name_length: new.name_length,
            prefix: new.prefix,
            namespace: new.namespace,
            holds_text: false,
            attributes: new.attributes,
            tag_end: new.tag.end,
            content: Value::EMPTY,
            first_child: NONE,
            next_sibling: NONE,
            next_alike: NONE,
        });
        let name = new.tag.start + 1;
        self.open.push(Open {
            element: number,
            name: Span::new(name, name + new.name_length),
            last_child: NONE,
            has_text: false,
            has_more_text: false,
            is_blank: true,
        });
    }

    /// Closes the innermost open element, which ends at `end`.
    pub(super) fn close(&mut self, end: u32, text: &str, unescaped: &mut Vec<Box<str>>) {
        let Some(open) = self.open.pop() else {
            return;
        };
        let subtree_end = self.nodes.len() as u32;
        let element = &mut self.elements[open.element as usize];
        let node = &mut self.nodes[element.node.0 as usize];
        node.span.end = end;
        node.subtree_end = subtree_end;
        // White space between children is no text worth keeping a copy of.
        if open.has_more_text && !open.is_blank {
            let joined = joined_text(&self.nodes, element.node, text, unescaped);
            element.content = Value::unescaped(unescaped.len() as u32);
            unescaped.push(joined.into());
        }
    }

    pub(super) fn into_document(
        self,
        text: Arc<str>,
        attributes: Vec<AttributeData>,
        unescaped: Vec<Box<str>>,
        namespaces: Vec<Box<str>>,
        well_formed: bool,
    ) -> Document {
        Document {
            text,
            nodes: self.nodes,
            elements: self.elements,
            attributes,
            unescaped,
            namespaces,
            names: self.names,
            root: self.root,
            well_formed,
        }
    }
}

/// The direct text of an element that has several pieces of it.
fn joined_text(nodes: &[NodeData], of: NodeId, text: &str, unescaped: &[Box<str>]) -> String {
    let mut joined = String::new();
    let mut next = of.0 + 1;
    while next < nodes[of.0 as usize].subtree_end {
        let node = &nodes[next as usize];
        if let KindData::Text(value) = node.kind {
            joined.push_str(value.of(text, unescaped));
        }
        next = node.subtree_end;
    }
    joined
}
