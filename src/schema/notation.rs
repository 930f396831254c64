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
    /// How many of the declared children a list must have come past to be complete: up to the last
    /// that is required.
    pub(super) requires: usize,
    pub(super) attributes: &'static [AttributeDeclaration],
    /// The attributes that must be there, one bit each.
    pub(super) required_attributes: u32,
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
    /// Whether there is nothing to be said of any value.
    pub(super) unjudged: bool,
    /// Documented for the service, but absent from the schema that Microsoft publishes.
    pub(super) newer: bool,
}

/// A constraint that no two of the selected elements have the same value of an attribute.
#[derive(Debug)]
pub(super) struct Key {
    /// The name in the service's schema, which its message quotes.
    pub(super) name: &'static str,
    /// Child names that lead from the element that holds the key to the selected ones.
    pub(super) path: &'static [Name],
    pub(super) attribute: Name,
    /// Values are compared as numbers: `01` equals `1`.
    pub(super) numeric: bool,
}

/// A name to look for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    pub(super) text: &'static str,
    pub(super) fingerprint: Fingerprint,
}

/// A name in the path of a key.
pub(super) const fn name(text: &'static str) -> Name {
    Name {
        text,
        fingerprint: Fingerprint::of_word(text),
    }
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
        requires: 0,
        attributes: &[],
        required_attributes: 0,
        keys: &[],
    }
}

/// A type of child elements in a fixed order.
pub(super) const fn sequence(children: &'static [Declaration]) -> Type {
    let mut of = anonymous(Content::Sequence(children));
    of.requires = children.len();
    while of.requires > 0 && !children[of.requires - 1].required {
        of.requires -= 1;
    }
    of
}

/// A type of child elements of one kind out of several.
pub(super) const fn choice(children: &'static [Declaration]) -> Type {
    anonymous(Content::Choice(children))
}

/// A type of text. Without attributes it is named as its values are.
pub(super) const fn text(of: &'static ValueType) -> Type {
    anonymous(Content::Text(of)).named(of.name)
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
        self.required_attributes = 0;
        let mut index = 0;
        while index < attributes.len() {
            self.required_attributes |= (attributes[index].required as u32) << index;
            index += 1;
        }
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
        unjudged: of.is_any_text(),
        newer: false,
    }
}

/// An optional attribute that the service accepts and the published schema lacks.
pub(super) const fn newer(name: &'static str, of: &'static ValueType) -> AttributeDeclaration {
    AttributeDeclaration {
        newer: true,
        unjudged: false,
        ..attribute(name, of)
    }
}

/// A key over the texts of an attribute.
pub(super) const fn key(name: &'static str, path: &'static [Name], attribute: &'static str) -> Key {
    Key {
        name,
        path,
        attribute: self::name(attribute),
        numeric: false,
    }
}

/// A key over the numbers in an attribute.
pub(super) const fn numeric_key(
    name: &'static str,
    path: &'static [Name],
    attribute: &'static str,
) -> Key {
    Key {
        numeric: true,
        ..key(name, path, attribute)
    }
}
