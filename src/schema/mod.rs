//! The grammar of `TrustFrameworkPolicy` in a notation of our own, and the check of a document
//! against it.
//!
//! [`validate`] gives the verdict of the schema that the service validates with (0.3.0.0, read with
//! .NET's meaning of patterns), and more: findings point at the very attribute, value, element or
//! text, say what is allowed there, and one mistake gives one finding. What the service is documented
//! to accept beyond the published schema gives a warning of rule `schema-newer`.
//!
//! Start reading in `grammar/mod.rs`; `notation.rs` explains how it is written, `check.rs` walks the
//! document, `children.rs` explains what is wrong with a list of children. This room knows no other
//! policy and no meaning: whether a reference leads somewhere is not its business.

mod alphabet;
mod attributes;
mod check;
mod children;
mod describe;
mod grammar;
mod instance;
mod keys;
mod notation;
mod order;
mod service;
mod suggest;
mod uri;
mod values;

pub use check::validate;
pub use describe::{declared_elements, element_description};
pub use values::{DATA_TYPES, PROTOCOLS, STEP_TYPES};

use crate::diagnostics::{Level, Rule, near_miss};
use crate::xml::Document;

/// The namespace of all elements of a policy.
pub const NAMESPACE: &str = grammar::NAMESPACE;

/// The document element is not `TrustFrameworkPolicy` of the policy namespace.
pub static XML_ROOT_NS: Rule = Rule {
    id: "xml-root-ns",
    level: Level::Error,
    summary: "the document element is not `TrustFrameworkPolicy` in the namespace of policies",
};

/// An element stands where it is not allowed.
pub static XSD_CHILD_ORDER: Rule = Rule {
    id: "xsd-child-order",
    level: Level::Error,
    summary: "an element is unknown, not allowed in its parent, repeated, or in the wrong place",
};

/// An element lacks a child that it must have.
pub static XSD_MISSING_CHILD: Rule = Rule {
    id: "xsd-missing-child",
    level: Level::Error,
    summary: "an element lacks a child element that it must have",
};

/// Text stands where it is not allowed.
pub static XSD_TEXT_CONTENT: Rule = Rule {
    id: "xsd-text-content",
    level: Level::Error,
    summary: "text stands where only elements may, or is not what its element asks for",
};

/// An attribute is unknown, missing or wrong.
pub static XSD_ATTR: Rule = Rule {
    id: "xsd-attr",
    level: Level::Error,
    summary: "an attribute is unknown, missing, or has a value that its type does not allow",
};

/// Two elements have the same value where it must be unique.
pub static XSD_DUPLICATE_ID: Rule = Rule {
    id: "xsd-duplicate-id",
    level: Level::Error,
    summary: "two elements of one file share an id or a step number that must be unique",
};

/// The policy names another version of the schema.
pub static SCHEMA_VERSION: Rule = Rule {
    id: "schema-version",
    level: Level::Error,
    summary: "`PolicySchemaVersion` is not `0.3.0.0`, the only version that the service accepts",
};

/// The service is documented to accept it, the published schema is not.
pub static SCHEMA_NEWER: Rule = Rule {
    id: "schema-newer",
    level: Level::Warning,
    summary: "documented for the service, but unknown to the schema that Microsoft publishes",
};

/// Whether the document element has a name that can only be a slip for that of a policy.
pub fn is_misspelt_policy(document: &Document) -> bool {
    let name = document.root().map(|root| root.name());
    let policy = grammar::POLICY.name;
    name.is_some_and(|name| name != policy && near_miss(name, [policy]).is_some())
}

/// The rules of this room.
pub static RULES: [&Rule; 8] = [
    &XML_ROOT_NS,
    &XSD_CHILD_ORDER,
    &XSD_MISSING_CHILD,
    &XSD_TEXT_CONTENT,
    &XSD_ATTR,
    &XSD_DUPLICATE_ID,
    &SCHEMA_VERSION,
    &SCHEMA_NEWER,
];
