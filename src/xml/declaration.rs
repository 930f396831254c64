use crate::diagnostics::Span;

use super::tag;

/// Whether an XML declaration, given from `<?xml` to `?>`, has the form that XML 1.0 prescribes:
/// version, then encoding, then standalone, the last two optional. The XML reader of .NET, which the
/// service uses, takes no other version, though the standard lets readers try.
pub(super) fn is_well_formed(declaration: &str) -> bool {
    let inner = Span::new("<?xml".len() as u32, declaration.len() as u32 - 2);
    let mut raw = Vec::new();
    let mut errors = Vec::new();
    tag::attributes(declaration, inner, &mut raw, &mut errors);
    let mut parts = raw
        .iter()
        .map(|part| (part.name.of(declaration), part.value.of(declaration)))
        .peekable();
    let mut take = |name: &str| parts.next_if(|part| part.0 == name).map(|part| part.1);
    let version = take("version") == Some("1.0");
    let encoding = take("encoding").is_none_or(is_encoding_name);
    let standalone = take("standalone").is_none_or(|value| matches!(value, "yes" | "no"));
    errors.is_empty() && version && encoding && standalone && parts.next().is_none()
}

fn is_encoding_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::is_well_formed;

    #[test]
    fn order_and_values_count() {
        assert!(is_well_formed("<?xml version='1.0'?>"));
        assert!(is_well_formed(
            "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\" ?>"
        ));
        assert!(!is_well_formed("<?xml ?>"));
        assert!(!is_well_formed("<?xml encoding='utf-8' version='1.0'?>"));
        assert!(!is_well_formed("<?xml version='2.0'?>"));
        assert!(!is_well_formed("<?xml version='1.1'?>"));
        assert!(!is_well_formed("<?xml version='1.0' encoding='8'?>"));
        assert!(!is_well_formed("<?xml version='1.0' other='x'?>"));
    }
}
