//! The way back from a resolved text to a template: values of settings become placeholders again.

use std::collections::HashMap;

use super::Resolver;
use super::expand::Chunk;
use crate::diagnostics::{Source, SourceMap, Span, Splice, Splices};
use crate::policy::canonical_form;
use crate::xml::{self, Document, Element, NodeKind};

/// A shorter value stands for itself too often to be taken for a setting.
const SHORTEST_WHOLE: usize = 3;
/// A shorter value is not looked for inside of others.
const SHORTEST_PART: usize = 6;

impl Resolver<'_> {
    /// Turns values of settings in `text` back into placeholders. `like` is a template of the same
    /// policy: where it has a placeholder in a place whose value is the same in `text`, the template's
    /// way of writing it is taken. Elsewhere, and without template, a value that is a setting as a
    /// whole, or that contains one between characters that end a name, gets that setting's
    /// placeholder: longest first, none where two settings have the same value, and none in ids.
    ///
    /// Without `elsewhere` only the places of the template count.
    ///
    /// The answer, resolved again under the name `name`, means the same as `text`; where that cannot
    /// be had, it is `text` itself.
    pub fn template(
        &self,
        name: &str,
        text: &str,
        like: Option<&Source>,
        elsewhere: bool,
    ) -> String {
        let mut sources = SourceMap::new();
        let id = sources.add(Source::new(name, text));
        let (document, findings) = xml::parse(sources.get(id).text(), id);
        if !findings.is_empty() || !document.is_well_formed() {
            return text.to_owned();
        }
        let written = like.map(written_places).unwrap_or_default();
        let values = match elsewhere {
            true => self.values(),
            false => Vec::new(),
        };
        let attempts = [
            self.attempt(&document, &written, &values),
            self.attempt(&document, &written, &[]),
            self.attempt(&document, &HashMap::new(), &values),
        ];
        let meaning = canonical_form(&document);
        let fits = |template: &String| {
            let mut sources = SourceMap::new();
            let resolution = self.resolve(Source::new(name, template.as_str()), &mut sources);
            let source = sources.get(resolution.id);
            let (document, _) = xml::parse(source.text(), resolution.id);
            let readable = document.is_well_formed() && resolution.unresolved.is_empty();
            readable && canonical_form(&document) == meaning
        };
        let fitting = attempts.into_iter().find(fits);
        fitting.unwrap_or_else(|| text.to_owned())
    }

    fn attempt(
        &self,
        document: &Document,
        written: &HashMap<Spot, Written>,
        values: &[(String, String)],
    ) -> String {
        let text = document.text();
        let mut splices = Vec::new();
        visit(document, |spot, span, value| {
            if let Some(written) = written.get(&spot)
                && written.value == value
            {
                splices.push(Splice {
                    span,
                    replacement: written.raw.clone(),
                });
            } else if !spot.is_id() {
                placeholders(span, text, values, &mut splices);
            }
        });
        Splices::new(splices).apply(text)
    }

    /// What is looked for, with its placeholder: longest first, each value only once.
    fn values(&self) -> Vec<(String, String)> {
        let settings = self.settings;
        let mut values: Vec<(String, String)> = Vec::new();
        for (position, setting) in settings.values.iter().enumerate() {
            if self.expansion.find(&setting.key) != Some(position) {
                continue;
            }
            let Ok(chunks) = self.expansion.value(position) else {
                continue;
            };
            let mut value = String::new();
            let plain = chunks.iter().all(|chunk| match chunk {
                Chunk::Text { text, is_xml } => {
                    value.push_str(text);
                    !is_xml
                }
                Chunk::FileName(_) => false,
            });
            let telling = value.len() >= SHORTEST_WHOLE && value != "true" && value != "false";
            if plain && telling && value.trim() == value {
                values.push((value, settings.notation.placeholder(&setting.key)));
            }
        }
        let mut count: HashMap<String, usize> = HashMap::new();
        for (value, _) in &values {
            *count.entry(value.clone()).or_default() += 1;
        }
        values.retain(|(value, _)| count.get(value) == Some(&1));
        if let Some(tenant) = &settings.tenant
            && settings.notation.built_in("Tenant").is_some()
        {
            values.retain(|(value, _)| value != tenant);
            values.push((tenant.clone(), "{Settings:Tenant}".to_owned()));
        }
        values.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values
    }
}

/// Where a value stands, independent of what else changed in the file: the way down from the root,
/// each element by its name and its own id, and the attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Spot {
    element: String,
    attribute: Option<String>,
}

impl Spot {
    /// Whether ids stand there, whose parts say nothing.
    fn is_id(&self) -> bool {
        match self.attribute.as_deref() {
            Some("TenantId") => false,
            Some(name) => name.ends_with("Id") || name == "Key" || name == "schemaLocation",
            None => self.element.ends_with("/PolicyId[]"),
        }
    }
}

/// How a template writes a value.
#[derive(Debug)]
struct Written {
    value: String,
    raw: String,
}

/// The places of a template that hold placeholders.
fn written_places(template: &Source) -> HashMap<Spot, Written> {
    let mut sources = SourceMap::new();
    let id = sources.add(template.clone());
    let (document, _) = xml::parse(sources.get(id).text(), id);
    let mut written = HashMap::new();
    visit(&document, |spot, span, value| {
        let resolved = span.of(template.text());
        let raw = template.to_original(span).of(template.original());
        if resolved != raw && !span.is_empty() {
            let raw = raw.to_owned();
            let value = value.to_owned();
            written.insert(spot, Written { value, raw });
        }
    });
    written
}

/// Shows every attribute value, and the text of every element that has nothing but text: place, raw
/// range, value.
fn visit<'d>(document: &'d Document, mut see: impl FnMut(Spot, Span, &'d str)) {
    let Some(root) = document.root() else {
        return;
    };
    // Elements that look alike are told apart by their number.
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut open = vec![(root, format!("/{}", root.name()))];
    while let Some((element, path)) = open.pop() {
        for attribute in element.attributes() {
            let spot = Spot {
                element: path.clone(),
                attribute: Some(attribute.name().to_owned()),
            };
            see(spot, attribute.value_span(), attribute.value());
        }
        let mut nodes = element.child_nodes();
        if let (Some(node), None) = (nodes.next(), nodes.next())
            && node.kind() == NodeKind::Text
        {
            let spot = Spot {
                element: path.clone(),
                attribute: None,
            };
            see(spot, element.text_span(), element.trimmed_text());
        }
        for child in element.children() {
            let mut step = format!("{path}/{}[{}]", child.name(), own_id(child));
            let number = seen.entry(step.clone()).or_default();
            *number += 1;
            if *number > 1 {
                step.push_str(&format!("#{number}"));
            }
            open.push((child, step));
        }
    }
}

/// What an element is known by among its siblings.
fn own_id(element: Element<'_>) -> String {
    let attributes = [
        "Id",
        "Key",
        "ReferenceId",
        "ClaimTypeReferenceId",
        "TechnicalProfileReferenceId",
        "Order",
        "ElementId",
        "StringId",
        "Language",
    ];
    let known = attributes
        .iter()
        .filter_map(|name| element.attribute_value(name));
    known.collect::<Vec<_>>().join(" ")
}

/// Replaces the values in one raw text.
fn placeholders(span: Span, text: &str, values: &[(String, String)], splices: &mut Vec<Splice>) {
    let raw = span.of(text);
    let mut at = 0;
    'text: while at < raw.len() {
        for (value, placeholder) in values {
            // What had to be escaped is left alone: how it was written is not known.
            if !raw[at..].starts_with(value.as_str()) || value.contains(['<', '&', '>', '"', '\''])
            {
                continue;
            }
            let end = at + value.len();
            let is_whole = value.len() == raw.len();
            let is_part = value.len() >= SHORTEST_PART
                && value.contains(|character: char| !character.is_ascii_digit())
                && !raw[..at].ends_with(continues_name)
                && !raw[end..].starts_with(continues_name);
            if is_whole || is_part {
                let start = span.start + at as u32;
                splices.push(Splice {
                    span: Span::new(start, span.start + end as u32),
                    replacement: placeholder.clone(),
                });
                at = end;
                continue 'text;
            }
        }
        at += raw[at..].chars().next().map_or(1, char::len_utf8);
    }
}

/// Whether a character next to a value makes it another one.
fn continues_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::super::{Semantics, Setting, Settings};
    use super::*;
    use crate::diagnostics::Location;

    fn settings(values: &[(&str, &str)]) -> Settings {
        let mut sources = SourceMap::new();
        let location = Location {
            source: sources.add(Source::new("iefctl.toml", "")),
            span: Span::at(0),
        };
        let setting = |(key, value): &(&str, &str)| Setting {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            key_location: location,
            value_location: location,
            semantics: Semantics::Recursive,
        };
        Settings {
            tenant: Some("contoso.onmicrosoft.com".to_owned()),
            environment: Some("dev".to_owned()),
            values: values.iter().map(setting).collect(),
            ..Settings::default()
        }
    }

    fn template(values: &[(&str, &str)], text: &str, like: Option<&str>) -> String {
        let settings = settings(values);
        let resolver = Resolver::new(&settings);
        let like = like.map(|like| {
            let mut sources = SourceMap::new();
            let resolution = resolver.resolve(Source::new("a.xml", like), &mut sources);
            sources.get(resolution.id).clone()
        });
        resolver.template("a.xml", text, like.as_ref(), true)
    }

    #[test]
    fn values_become_placeholders_where_they_are_meant() {
        let values = [
            ("Host", "https://api.contoso.com"),
            ("HostV2", "https://api.contoso.com/v2"),
            ("Lifetime", "3600"),
            ("Flag", "true"),
            ("Twin", "same-value"),
            ("OtherTwin", "same-value"),
            ("Odd", "a&b<c>d"),
        ];
        let text = r#"<P TenantId="contoso.onmicrosoft.com" PolicyId="B2C_1A_3600"
  PublicPolicyUri="http://contoso.onmicrosoft.com/B2C_1A_X"><T Id="3600">
<I>3600</I><I>36000</I><I>1 3600 2</I><I>true</I><I>same-value</I>
<I>https://api.contoso.com/v1</I><I>https://api.contoso.com/v2</I><I>https://api.contoso.community</I>
<I>mycontoso.onmicrosoft.com</I><I>a&amp;b&lt;c>d</I></T></P>"#;
        let expected = text
            .replace("Id=\"contoso.onmicrosoft.com", "Id=\"{Settings:Tenant}")
            .replace("//contoso.onmicrosoft.com", "//{Settings:Tenant}")
            .replace(">3600<", ">{Settings:Lifetime}<")
            .replace(">https://api.contoso.com/v1", ">{Settings:Host}/v1")
            .replace(">https://api.contoso.com/v2", ">{Settings:HostV2}");
        assert_eq!(template(&values, text, None), expected);
    }

    #[test]
    fn a_template_shows_how_a_value_is_written() {
        let values = [("A", "same-value"), ("B", "same-value"), ("Flag", "true")];
        let like = r#"<P PolicyId="B2C_1A_{Settings:Environment}_X"><M><I Key="1">{Settings:B}</I>
<I Key="2">{Settings:Flag}</I><I Key="3">true</I><I Key="4">{Settings:A}</I></M></P>"#;
        // Another order, one value changed, one new.
        let text = r#"<P PolicyId="B2C_1A_dev_X"><M><I Key="3">true</I><I Key="2">true</I>
<I Key="0">same-value</I><I Key="1">same-value</I><I Key="4">other-value</I></M></P>"#;
        let expected = r#"<P PolicyId="B2C_1A_{Settings:Environment}_X"><M><I Key="3">true</I><I Key="2">{Settings:Flag}</I>
<I Key="0">same-value</I><I Key="1">{Settings:B}</I><I Key="4">other-value</I></M></P>"#;
        assert_eq!(template(&values, text, Some(like)), expected);
    }

    #[test]
    fn what_is_no_xml_stays() {
        assert_eq!(template(&[("A", "value")], "<a>value", None), "<a>value");
    }
}
