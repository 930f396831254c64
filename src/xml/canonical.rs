use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Element, NodeKind, escape_attribute, escape_text};

/// What counts when two documents are compared.
pub trait Significance {
    /// The value of an attribute as it counts; `None` if the attribute does not count.
    fn attribute<'v>(
        &self,
        element: Element<'_>,
        name: &str,
        value: &'v str,
    ) -> Option<Cow<'v, str>>;

    /// The text of a leaf element as it counts.
    fn text<'v>(&self, element: Element<'_>, text: &'v str) -> Cow<'v, str>;
}

/// The canonical form of an element: what two texts with the same meaning have in common. Without
/// declaration, comments, processing instructions, prefixes and white space between elements;
/// attributes sorted by name; references resolved. Leaf text keeps its inner white space, without
/// that around it. Each element begins a line, so that a text comparison of two canonical forms
/// reads well.
pub fn canonical(root: Element<'_>, significance: &impl Significance) -> String {
    let mut out = String::with_capacity(root.span().len() as usize);
    let mut open: Vec<Element<'_>> = Vec::new();
    for element in std::iter::once(root).chain(root.descendants()) {
        while let Some(last) = open.last()
            && !last.span().contains(element.span().start)
        {
            open.pop();
        }
        // Writing to a string cannot fail.
        let _ = write!(out, "{:indent$}<", "", indent = open.len() * 2);
        if element.namespace() != root.namespace() {
            let _ = write!(out, "{{{}}}", element.namespace());
        }
        out.push_str(element.name());
        let mut attributes: Vec<_> = element
            .attributes()
            .filter_map(|attribute| {
                let value = significance.attribute(element, attribute.name(), attribute.value())?;
                Some((attribute.namespace(), attribute.name(), value))
            })
            .collect();
        attributes.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        for (namespace, name, value) in attributes {
            out.push(' ');
            if !namespace.is_empty() {
                let _ = write!(out, "{{{namespace}}}");
            }
            let _ = write!(out, "{name}=\"{}\"", escape_attribute(&value));
        }
        out.push('>');
        if element.children().next().is_none() {
            let text = significance.text(element, element.trimmed_text());
            out.push_str(&escape_text(&text));
        } else {
            // Text beside elements is invalid in a policy, but a difference all the same.
            for node in element
                .child_nodes()
                .filter(|node| node.kind() == NodeKind::Text)
            {
                out.push_str(&escape_text(node.text().trim_ascii()));
            }
        }
        out.push('\n');
        open.push(element);
    }
    out
}
