use std::borrow::Cow;

use crate::xml::{Document, Element, Significance, canonical};

/// The canonical form of a policy: equal for two texts that the tenant would not tell apart.
///
/// The service adds `TenantObjectId` to what it stores and drops the declaration; white space,
/// comments and the case of policy ids and tenant names do not count. `None` if the document is
/// empty.
pub fn canonical_form(document: &Document) -> Option<String> {
    Some(canonical(document.root()?, &PolicySignificance))
}

struct PolicySignificance;

impl Significance for PolicySignificance {
    fn attribute<'v>(
        &self,
        element: Element<'_>,
        name: &str,
        value: &'v str,
    ) -> Option<Cow<'v, str>> {
        if element.parent().is_some() {
            return Some(Cow::Borrowed(value));
        }
        match name {
            "TenantObjectId" | "schemaLocation" => None,
            "PolicyId" | "TenantId" => Some(Cow::Owned(value.to_ascii_lowercase())),
            _ => Some(Cow::Borrowed(value)),
        }
    }

    fn text<'v>(&self, element: Element<'_>, text: &'v str) -> Cow<'v, str> {
        let base = element
            .parent()
            .is_some_and(|parent| parent.name() == "BasePolicy");
        if base {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        }
    }
}
