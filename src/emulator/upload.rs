//! The few facts that the emulator itself needs of an uploaded policy.
//!
//! Everything else about its content is the validator's business.

use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::store::{Policy, with_prefix};
use super::xml_exception;

/// The namespace of policies.
pub(super) const NAMESPACE: &str = "http://schemas.microsoft.com/online/cpim/schemas/2013/06";

/// What was read, with byte positions in the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Facts {
    /// The root element as `namespace:name`, in .NET's notation.
    pub(super) root: String,
    pub(super) policy_id: Option<String>,
    pub(super) tenant_id: Option<String>,
    pub(super) tenant_object_id: Option<String>,
    pub(super) base_policy_id: Option<String>,
    pub(super) base_tenant_id: Option<String>,
    /// Every `StorageReferenceId` that is not empty, once, in order.
    pub(super) key_references: Vec<String>,
    /// The value of the root's `PolicyId`.
    pub(super) policy_id_span: Option<(usize, usize)>,
    /// Behind the last attribute of the root.
    pub(super) root_tag_end: usize,
    /// Behind the XML declaration; 0 without one.
    pub(super) declaration_end: usize,
}

impl Facts {
    /// Whether the root is a `TrustFrameworkPolicy` in the right namespace.
    pub(super) fn is_policy(&self) -> bool {
        self.root.strip_prefix(NAMESPACE) == Some(":TrustFrameworkPolicy")
    }
}

/// Decodes and reads an upload; the error is what .NET's `XmlException` would say.
pub(super) fn read(body: &[u8]) -> Result<(&str, Facts), String> {
    let text = xml_exception::decode(body)?;
    xml_exception::check(text)?;
    let facts = facts(text).ok_or("Data at the root level is invalid. Line 1, position 1.")?;
    Ok((text, facts))
}

/// A policy in its stored form; the error is the reason in words.
pub(super) fn stored_policy(xml: &str) -> Result<Policy, String> {
    let (text, facts) = read(xml.as_bytes())?;
    if !facts.is_policy() {
        return Err("the root element is no TrustFrameworkPolicy".to_owned());
    }
    let id = facts.policy_id.filter(|id| !id.trim().is_empty());
    Ok(Policy {
        id: with_prefix(&id.ok_or("the policy has no PolicyId")?),
        xml: Arc::from(text),
        base: facts.base_policy_id,
        key_references: facts.key_references,
    })
}

fn facts(text: &str) -> Option<Facts> {
    let mut facts = Facts::default();
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    loop {
        let start = position(&reader);
        let event = reader.read_event().ok()?;
        match &event {
            Event::Eof => return Some(facts),
            Event::Decl(_) => facts.declaration_end = position(&reader),
            Event::Start(tag) | Event::Empty(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                if path.is_empty() {
                    root(&mut facts, tag, start)?;
                } else if name == "Key"
                    && let Some(reference) = attribute(tag, "StorageReferenceId")
                    && !reference.is_empty()
                    && !facts.key_references.contains(&reference)
                {
                    facts.key_references.push(reference);
                }
                if matches!(event, Event::Start(_)) {
                    path.push(name);
                }
            }
            Event::End(_) => {
                path.pop();
            }
            Event::Text(text) => base(&mut facts, &path, &text.xml10_content()),
            Event::CData(text) => base(&mut facts, &path, text),
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(c)) => c.to_string(),
                    _ => quick_xml::escape::resolve_predefined_entity(reference)
                        .unwrap_or_default()
                        .to_owned(),
                };
                base(&mut facts, &path, &resolved);
            }
            Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn root(facts: &mut Facts, tag: &BytesStart<'_>, start: usize) -> Option<()> {
    let namespace_attribute = match tag.name().prefix() {
        Some(prefix) => format!("xmlns:{}", prefix.as_ref()),
        None => "xmlns".to_owned(),
    };
    let namespace = attribute(tag, &namespace_attribute).unwrap_or_default();
    let local = tag.local_name().as_ref().to_owned();
    facts.root = if namespace.is_empty() {
        local
    } else {
        format!("{namespace}:{local}")
    };
    facts.policy_id = attribute(tag, "PolicyId");
    facts.tenant_id = attribute(tag, "TenantId");
    facts.tenant_object_id = attribute(tag, "TenantObjectId");
    // The tag's content starts behind its `<`.
    let content: &str = tag;
    facts.root_tag_end = start + 1 + content.trim_end().len();
    for found in tag.attributes() {
        let found = found.ok()?;
        if found.key.as_ref() == "PolicyId"
            && let std::borrow::Cow::Borrowed(value) = found.value
        {
            let at = start + 1 + (value.as_ptr() as usize - content.as_ptr() as usize);
            facts.policy_id_span = Some((at, at + value.len()));
        }
    }
    Some(())
}

/// Collects the text of `BasePolicy/TenantId` and `BasePolicy/PolicyId`.
fn base(facts: &mut Facts, path: &[String], text: &str) {
    let [_, parent, name] = path else { return };
    let place = match (parent.as_str(), name.as_str()) {
        ("BasePolicy", "PolicyId") => &mut facts.base_policy_id,
        ("BasePolicy", "TenantId") => &mut facts.base_tenant_id,
        _ => return,
    };
    let whole = place.take().unwrap_or_default() + text;
    // White space around an id is never meant.
    *place = Some(whole.trim().to_owned()).filter(|whole| !whole.is_empty());
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag
        .attributes()
        .flatten()
        .find(|found| found.key.as_ref() == name)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(value.into_owned())
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_and_positions() {
        let xml = format!(
            "\u{feff}<?xml version=\"1.0\"?>\r\n<!-- c --><p:TrustFrameworkPolicy xmlns:p='{NAMESPACE}' \
             PolicyId = 'a&amp;b' TenantId=\"t\" >\n<p:BasePolicy><p:TenantId>t</p:TenantId><p:PolicyId>\n \
             B2C_1A_&#66;ase<!-- x --></p:PolicyId></p:BasePolicy><p:Key StorageReferenceId='K1'/><p:Key \
             StorageReferenceId='K1'/><p:Key StorageReferenceId=''/><p:Key StorageReferenceId='K2'/>\
             </p:TrustFrameworkPolicy>"
        );
        let (text, facts) = read(xml.as_bytes()).unwrap();
        assert!(facts.is_policy(), "{}", facts.root);
        assert_eq!(facts.policy_id.as_deref(), Some("a&b"));
        assert_eq!(facts.base_policy_id.as_deref(), Some("B2C_1A_Base"));
        assert_eq!(facts.key_references, ["K1", "K2"]);
        let (start, end) = facts.policy_id_span.unwrap();
        assert_eq!(&text[start..end], "a&amp;b");
        assert!(text[facts.root_tag_end..].starts_with(" >"));
        assert!(text[facts.declaration_end..].starts_with("\r\n<!--"));
    }

    #[test]
    fn policies_without_id_or_root_are_no_stored_policies() {
        assert!(stored_policy("<a/>").is_err());
        let no_id = format!("<TrustFrameworkPolicy xmlns='{NAMESPACE}'/>");
        assert!(stored_policy(&no_id).is_err());
        assert!(stored_policy("{}").is_err());
    }
}
