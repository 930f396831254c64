//! Attributes of the namespace `http://www.w3.org/2001/XMLSchema-instance`, which may stand on any
//! element: `schemaLocation` says nothing to the service, `nil` is never allowed because nothing in a
//! policy is nillable, `type` may name the declared type or one that is derived from it.

use crate::diagnostics::Span;
use crate::xml::{Attribute, Element};

use super::XSD_ATTR;
use super::check::{Checker, shorten};
use super::describe;
use super::grammar::NAMESPACE;
use super::notation::{Content, Type, anything, text};
use super::values::{ANY_URI, BOOLEAN, Form, INT, INTEGER, STRING, collapse};

const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";

static ANY_TYPE: Type = anything();
static STRING_TYPE: Type = text(&STRING);
static BOOLEAN_TYPE: Type = text(&BOOLEAN);
static INT_TYPE: Type = text(&INT);
static INTEGER_TYPE: Type = text(&INTEGER);
static ANY_URI_TYPE: Type = text(&ANY_URI);

/// Whether an attribute is one of the four that may stand on any element.
pub(super) fn is_instance_attribute(attribute: Attribute<'_>) -> bool {
    attribute.namespace() == INSTANCE
        && matches!(
            attribute.name(),
            "type" | "nil" | "schemaLocation" | "noNamespaceSchemaLocation"
        )
}

/// The type that holds for an element that may state one; `None`, with a finding, if it states one
/// that is not allowed.
pub(super) fn effective_type<'d>(
    checker: &mut Checker<'d>,
    element: Element<'d>,
    declared: &'static Type,
) -> Option<&'static Type> {
    if let Some(nil) = stated(element, "nil") {
        let sentence = format!(
            "If the 'nillable' attribute is false in the schema, the '{INSTANCE}:nil' attribute must not be present in the instance."
        );
        let sentence = checker.service.sentence(nil.name_span().start, &sentence);
        let finding = checker
            .finding(
                &XSD_ATTR,
                nil.name_span(),
                format!("`{}` is not allowed on `{}`", nil.name(), element.name()),
            )
            .help("remove it; no element of a policy may be nil")
            .service_message(sentence);
        checker.findings.push(finding);
    }
    let Some(attribute) = stated(element, "type") else {
        return Some(declared);
    };
    let stated = stated_type(element);
    if let Some(of) = stated.filter(|of| is_derived(of, declared)) {
        return Some(of);
    }
    let sentence = format!("This is an invalid xsi:type '{}'.", attribute.value());
    let sentence = checker
        .service
        .sentence(attribute.name_span().start, &sentence);
    let finding = checker
        .finding(
            &XSD_ATTR,
            super::check::value_or_name(attribute),
            format!(
                "`{}` is not a type that `{}` can have",
                shorten(attribute.value()),
                element.name()
            ),
        )
        .help("remove the attribute; the place of an element decides its type")
        .service_message(sentence);
    checker.findings.push(finding);
    None
}

/// The type that an element states for itself, if it is one that the grammar knows.
pub(super) fn stated_type(element: Element<'_>) -> Option<&'static Type> {
    let written = collapse(stated(element, "type")?.value());
    let (prefix, name) = written.split_once(':').unwrap_or(("", written));
    // Far deeper than any place of the grammar; the bound keeps hostile nesting cheap.
    const DEEPEST: usize = 64;
    let namespace = std::iter::once(element)
        .chain(element.ancestors().take(DEEPEST))
        .find_map(|element| declared_namespace(element, prefix))?
        .0;
    match namespace {
        NAMESPACE => describe::named_type(name),
        XSD => match name {
            "anyType" => Some(&ANY_TYPE),
            "string" | "normalizedString" | "token" => Some(&STRING_TYPE),
            "boolean" => Some(&BOOLEAN_TYPE),
            "int" => Some(&INT_TYPE),
            "integer" => Some(&INTEGER_TYPE),
            "anyURI" => Some(&ANY_URI_TYPE),
            _ => None,
        },
        _ => None,
    }
}

fn stated<'d>(element: Element<'d>, name: &str) -> Option<Attribute<'d>> {
    element
        .attributes()
        .find(|attribute| attribute.namespace() == INSTANCE && attribute.name() == name)
}

/// Whether a type is the declared one or derived from it.
fn is_derived(of: &'static Type, declared: &'static Type) -> bool {
    if std::ptr::eq(of, declared) || matches!(declared.content, Content::Anything) {
        return true;
    }
    let (Content::Text(of_values), Content::Text(values)) = (&of.content, &declared.content) else {
        return !of.name.is_empty() && of.name == declared.name;
    };
    if !declared.attributes.is_empty() {
        return !of.name.is_empty() && of.name == declared.name;
    }
    std::ptr::eq(*of_values, *values)
        || match values.form {
            // All types of texts in a policy but the builtin ones restrict or extend the string.
            Form::String => !of_values.builtin && !matches!(of_values.form, Form::Int),
            Form::Int => values.builtin && matches!(of_values.form, Form::Int),
            Form::Integer => matches!(of_values.form, Form::Int),
            _ => false,
        }
}

/// Where the namespace of an element without prefix is declared on the element itself.
pub(super) fn default_namespace_span(element: Element<'_>) -> Option<Span> {
    let name = element.qualified_name();
    let prefix = name.split_once(':').map_or("", |(prefix, _)| prefix);
    declared_namespace(element, prefix).map(|(_, span)| span)
}

/// The namespace that the start tag declares for a prefix, and where. References in the name are not
/// resolved: nobody writes a namespace with them.
fn declared_namespace<'d>(element: Element<'d>, prefix: &str) -> Option<(&'d str, Span)> {
    let tag = element.tag_span();
    let text: &'d str = element.document().text();
    let mut offset = element.name_span().end;
    // Attributes as text: the document lists them without declarations.
    loop {
        let rest = Span::new(offset, tag.end).of(text);
        let (name, behind) = rest.split_once('=')?;
        let quote = behind.trim_start().chars().next()?;
        let open = rest.len() - behind.trim_start().len() + quote.len_utf8();
        let value = rest[open..].split(quote).next()?;
        let name = name.trim();
        let declares = match name.strip_prefix("xmlns") {
            Some("") => prefix.is_empty(),
            Some(rest) => !prefix.is_empty() && rest.strip_prefix(':') == Some(prefix),
            None => false,
        };
        let start = offset + open as u32;
        let span = Span::new(start, start + value.len() as u32);
        if declares {
            return Some((value, span));
        }
        offset = span.end + quote.len_utf8() as u32;
    }
}
