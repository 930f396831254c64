use std::borrow::Cow;

use crate::diagnostics::{Source, SourceMap, Span, Splice, Splices};
use crate::xml;

/// A policy as the tenant gives it, without the `TenantObjectId` that the service adds when it stores
/// one, and which would tie the file to that tenant.
pub fn without_tenant_object_id(text: &str) -> Cow<'_, str> {
    let mut sources = SourceMap::new();
    let id = sources.add(Source::new("tenant", text));
    let (document, _) = xml::parse(sources.get(id).text(), id);
    let root = document.root();
    let Some(attribute) = root.and_then(|root| root.attribute("TenantObjectId")) else {
        return Cow::Borrowed(text);
    };
    let before = Span::new(0, attribute.name_span().start).of(text);
    let start = before.trim_end_matches([' ', '\t', '\r', '\n']).len() as u32;
    // With the closing quote.
    let span = Span::new(start, attribute.value_span().end + 1);
    let splice = Splice {
        span,
        replacement: String::new(),
    };
    Cow::Owned(Splices::new(vec![splice]).apply(text))
}

#[cfg(test)]
mod tests {
    use super::without_tenant_object_id;

    #[test]
    fn only_the_attribute_goes() {
        let text = "<P A=\"1\"\r\n  TenantObjectId = 'x'\tB=\"TenantObjectId='y'\"/>";
        let expected = "<P A=\"1\"\tB=\"TenantObjectId='y'\"/>";
        assert_eq!(without_tenant_object_id(text), expected);
        assert_eq!(without_tenant_object_id(expected), expected);
        assert_eq!(without_tenant_object_id("no XML"), "no XML");
    }
}
