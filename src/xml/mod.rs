//! XML with positions: an arena document whose every tag name, attribute name, attribute value and
//! text knows its byte range.
//!
//! [`parse`] never fails: it returns what it understood and a finding for each mistake. quick-xml
//! delimits all markup but plain tags; what a conforming processor must refuse beyond that (two roots, unbound
//! prefixes, undefined entities, document type declarations and so on) is refused here. This room
//! knows XML and nothing of policies.

mod build;
mod canonical;
mod characters;
mod declaration;
mod document;
mod element;
mod findings;
mod fingerprint;
mod namespaces;
mod tag;
mod vocabulary;

pub use build::parse;
pub use canonical::{Significance, canonical};
pub use characters::{escape_attribute, escape_text, is_legal_character};
pub use document::{Document, Node, NodeId, NodeKind};
pub use element::{Attribute, Element};
pub use fingerprint::Fingerprint;

use crate::diagnostics::{Level, Rule};

/// There is no text to parse: the system refuses the file, or it is not UTF-8. Whoever reads files finds
/// it. No configuration changes its level, as nothing else is known about such a file.
pub static FILE_UNREADABLE: Rule = Rule {
    id: "file-unreadable",
    level: Level::Error,
    summary: "a file or folder cannot be read, or a file is not UTF-8",
};

/// The file is not a well-formed XML document, or contains a document type declaration.
pub static XML_WELLFORMED: Rule = Rule {
    id: "xml-wellformed",
    level: Level::Error,
    summary: "the file is not well-formed XML, or contains a document type declaration",
};
