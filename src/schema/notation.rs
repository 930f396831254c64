//! The notation in which the grammar is written: element declarations, types, attributes and keys as
//! constant data.

use crate::xml::Fingerprint;

use super::values::ValueType;

/// An element as it may stand at one place of its parent.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) name: &'static str,
    /// Of the name.
    pub(super) fingerprint: Fingerprint,
    /// Whether the parent is incomplete without it.
    pub(super) required: bool,
    /// Whether it may stand there more than once, one behind the other.
    pub(super) repeats: bool,
    pub(super) of: &'static Type,
    /// One sentence on what the element is for.
    pub(super) description: &'static str,
}

/// What an element may hold.
#[derive(Debug)]
pub(super) struct Type {
    /// The name in the service's schema; empty for a type without one.
    pub(super) name: &'static str,
    pub(super) content: Content,
    pub(super) attributes: &'static [AttributeDeclaration],
    pub(super) keys: &'static [Key],
}

#[derive(Debug)]
pub(super) enum Content {
    /// Nothing, not even white space.
    Empty,
    /// Text and no elements.
    Text(&'static ValueType),
    /// Child elements in this order.
    Sequence(&'static [Declaration]),
    /// Child elements of one of these kinds, or none.
    Choice(&'static [Declaration]),
    /// Any elements, which nobody looks into; no text.
    Unchecked,
    /// Text, elements and attributes of any kind.
    Anything,
}

/// An attribute that is in no namespace.
#[derive(Debug)]
pub(super) struct AttributeDeclaration {
    pub(super) name: &'static str,
    /// Of the name.
    pub(super) fingerprint: Fingerprint,
    pub(super) required: bool,
    pub(super) of: &'static ValueType,
    /// Documented for the service, but absent from the schema that Microsoft publishes.
    pub(super) newer: bool,
}

/// A constraint that no two of the selected elements have the same value of an attribute.
#[derive(Debug)]
pub(super) struct Key {
    /// The name in the service's schema, which its message quotes.
    pub(super) name: &'static str,
    /// Child names that lead from the element that holds the key to the selected ones.
    pub(super) path: &'static [&'static str],
    pub(super) attribute: &'static str,
    /// Values are compared as numbers: `01` equals `1`.
    pub(super) numeric: bool,
}

const fn declaration(
    name: &'static str,
    (required, repeats): (bool, bool),
    of: &'static Type,
    description: &'static str,
) -> Declaration {
    Declaration {
        name,
        fingerprint: Fingerprint::of_word(name),
        required,
        repeats,
        of,
        description,
    }
}

/// Exactly one.
pub(super) const fn once(
    name: &'static str,
    of: &'static Type,
    description: &'static str,
) -> Declaration {
    declaration(name, (true, false), of, description)
}

/// None or one.
pub(super) const fn optional(
    name: &'static str,
    of: &'static Type,
    description: &'static str,
) -> Declaration {
    declaration(name, (false, false), of, description)
}

/// Any number, also none.
pub(super) const fn any_number(
    name: &'static str,
    of: &'static Type,
    description: &'static str,
) -> Declaration {
    declaration(name, (false, true), of, description)
}

/// One or more.
pub(super) const fn at_least_one(
    name: &'static str,
    of: &'static Type,
    description: &'static str,
) -> Declaration {
    declaration(name, (true, true), of, description)
}

const fn anonymous(content: Content) -> Type {
    Type {
        name: "",
        content,
        attributes: &[],
        keys: &[],
    }
}

/// A type of child elements in a fixed order.
pub(super) const fn sequence(children: &'static [Declaration]) -> Type {
    anonymous(Content::Sequence(children))
}

/// A type of child elements of one kind out of several.
pub(super) const fn choice(children: &'static [Declaration]) -> Type {
    anonymous(Content::Choice(children))
}

/// A type of text. Without attributes it is named as its values are.
pub(super) const fn text(of: &'static ValueType) -> Type {
    Type {
        name: of.name,
        content: Content::Text(of),
        attributes: &[],
        keys: &[],
    }
}

/// A type that has attributes only.
pub(super) const fn empty(attributes: &'static [AttributeDeclaration]) -> Type {
    anonymous(Content::Empty).attributes(attributes)
}

/// A type that holds elements of which nothing is known.
pub(super) const fn unchecked() -> Type {
    anonymous(Content::Unchecked)
}

/// The type of everything.
pub(super) const fn anything() -> Type {
    anonymous(Content::Anything)
}

impl Type {
    /// Gives the type its name in the service's schema.
    pub(super) const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Adds the attributes.
    pub(super) const fn attributes(mut self, attributes: &'static [AttributeDeclaration]) -> Self {
        self.attributes = attributes;
        self
    }

    /// Adds the keys.
    pub(super) const fn keys(mut self, keys: &'static [Key]) -> Self {
        self.keys = keys;
        self
    }

    /// The declarations of child elements, if the type has any.
    pub(super) const fn children(&self) -> &'static [Declaration] {
        match self.content {
            Content::Sequence(children) | Content::Choice(children) => children,
            Content::Empty | Content::Text(_) | Content::Unchecked | Content::Anything => &[],
        }
    }

    /// The declaration of the child element of this name.
    pub(super) fn child(&self, name: &str) -> Option<&'static Declaration> {
        self.children().iter().find(|child| child.name == name)
    }
}

/// An attribute that must be there.
pub(super) const fn required(name: &'static str, of: &'static ValueType) -> AttributeDeclaration {
    AttributeDeclaration {
        required: true,
        ..attribute(name, of)
    }
}

/// An attribute that may be left out.
pub(super) const fn attribute(name: &'static str, of: &'static ValueType) -> AttributeDeclaration {
    AttributeDeclaration {
        name,
        fingerprint: Fingerprint::of_word(name),
        required: false,
        of,
        newer: false,
    }
}

/// An optional attribute that the service accepts and the published schema lacks.
pub(super) const fn newer(name: &'static str, of: &'static ValueType) -> AttributeDeclaration {
    AttributeDeclaration {
        newer: true,
        ..attribute(name, of)
    }
}

/// A key over the texts of an attribute.
pub(super) const fn key(
    name: &'static str,
    path: &'static [&'static str],
    attribute: &'static str,
) -> Key {
    Key {
        name,
        path,
        attribute,
        numeric: false,
    }
}

/// A key over the numbers in an attribute.
pub(super) const fn numeric_key(
    name: &'static str,
    path: &'static [&'static str],
    attribute: &'static str,
) -> Key {
    Key {
        name,
        path,
        attribute,
        numeric: true,
    }
}
