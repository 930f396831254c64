//! Properties of the placeholders and replacements of other tools: a parser reads exactly the value, and
//! every place leads back to the user's file.

use iefctl::diagnostics::{Location, Source, SourceMap, Span};
use iefctl::policy::{Notation, Replacement, Resolver, Semantics, Setting, Settings};
use proptest::prelude::*;

use super::origins::Origins;

fn settings(notation: Notation, values: &[(&str, &str)]) -> (SourceMap, Settings) {
    let mut sources = SourceMap::new();
    let location = Location {
        source: sources.add(Source::new("config", "x")),
        span: Span::at(0),
    };
    let values = values.iter().map(|(key, value)| Setting {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
        key_location: location,
        value_location: location,
        semantics: Semantics::Plain,
    });
    let settings = Settings {
        tenant: Some("fab.onmicrosoft.com".to_owned()),
        notation,
        values: values.collect(),
        ..Settings::default()
    };
    (sources, settings)
}

fn resolved(sources: &SourceMap, settings: &Settings, text: &str) -> Source {
    let mut sources = sources.clone();
    let id = Resolver::new(settings)
        .resolve(Source::new("a.xml", text), &mut sources)
        .id;
    sources.get(id).clone()
}

/// Any characters of XML, those with a meaning often.
fn value() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        3 => prop::sample::select(vec!['<', '>', '&', '"', '\'', ']', '$', '\\', '\n', '\r', '\t', 'é', ';']),
        1 => any::<char>().prop_filter("legal", |c| !c.is_control() && !('\u{fffe}'..='\u{ffff}').contains(c)),
    ];
    prop::collection::vec(character, 0..12)
        .prop_map(|characters| characters.into_iter().collect::<String>())
        // What looks like a reference is one for these tools.
        .prop_map(|text| text.replace('&', "& "))
}

/// Text without markup and without what any of the notations begins with.
fn data() -> impl Strategy<Value = String> {
    "[a-hj-oq-x é.:]{0,8}"
}

proptest! {
    #[test]
    fn a_parser_reads_exactly_the_value(value in value(), before in data(), after in data()) {
        let replacement = value.replace('$', "$$");
        for notation in [Notation::DoubleBraces, Notation::Braces, Notation::ExactSettings] {
            let (sources, settings) = settings(notation, &[("G:K", &value)]);
            let placeholder = notation.placeholder("G:K");
            let text = format!(
                "<r a=\"{before}{placeholder}{after}\" b='{placeholder}'>{before}{placeholder}{after}</r>"
            );
            let read = resolved(&sources, &settings, &text);
            check(read.text(), &before, &value, &after)?;
        }
        // The same by search and replace, where a value is not markup by itself.
        let (mut sources, mut settings) = settings(Notation::Settings, &[]);
        let location = Location {
            source: sources.add(Source::new("deployment.json", "")),
            span: Span::at(0),
        };
        let found = Replacement::new("a.xml", "ZZ[0-9]+", &replacement, location).unwrap();
        settings.replacements.push(found);
        let text = format!("<r a=\"{before}zz1{after}\" b='ZZ22'>{before}Zz3{after}</r>");
        let read = resolved(&sources, &settings, &text);
        check(read.text(), &before, &value, &after)?;
    }

    #[test]
    fn every_range_leads_back_to_the_original(
        pieces in prop::collection::vec((data(), 0..6usize), 0..8),
        tail in data(),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        // Replacements work on what those before them made.
        let (mut sources, mut settings) = settings(Notation::Settings, &[]);
        let location = Location {
            source: sources.add(Source::new("deployment.json", "")),
            span: Span::at(0),
        };
        for (find, with) in [("zz(\\d)", "yy$1 & é"), ("YY1", "$&$&"), ("pp", "")] {
            let replacement = Replacement::new("a.xml", find, with, location).unwrap();
            settings.replacements.push(replacement);
        }
        let known = [
            ("zz1", Some("yy1yy1 &amp; é")),
            ("zz2", Some("yy2 &amp; é")),
            ("yy1", Some("yy1yy1")),
            ("yourtenant.onmicrosoft.com", Some("fab.onmicrosoft.com")),
            ("<!-- zz2 -->", None),
            ("zz", None),
        ];
        let mut origins = Origins::default();
        for (data, kind) in &pieces {
            origins.add(&format!(" {data} "), None);
            let (part, value) = known[*kind];
            if *kind == 4 {
                origins.add("<!-- ", None);
                origins.add("zz2", Some("yy2 & é"));
                origins.add(" -->", None);
            } else {
                origins.add(part, value);
            }
        }
        origins.add(&format!(" {tail}"), None);
        let source = resolved(&sources, &settings, &origins.text);
        origins.check(&source, from, to)?;
    }

    #[test]
    fn nothing_panics(
        text in "([<>!?'\"=a/ {}é\n-]|\\{\\{|\\}\\}|K|\\{K\\}|yourtenant|\\{tenantid\\}|IdentityExperienceFrameworkAppId|<!\\[CDATA\\[|\\]\\]>|<!--|-->){0,60}",
        value in ".{0,10}",
        find in ".{0,8}",
        with in "([$&`'<>1-9a]|.){0,8}",
    ) {
        for notation in [Notation::DoubleBraces, Notation::Braces, Notation::ExactSettings] {
            let (mut sources, mut settings) = settings(notation, &[("K", &value)]);
            let location = Location {
                source: sources.add(Source::new("deployment.json", "")),
                span: Span::at(0),
            };
            settings.replacements.extend(Replacement::new("a.xml", &find, &with, location));
            let source = resolved(&sources, &settings, &text);
            for piece in source.map().pieces() {
                let inside = source.original().get(piece.original.start as usize..piece.original.end as usize);
                prop_assert!(inside.is_some());
            }
        }
    }
}

fn check(text: &str, before: &str, value: &str, after: &str) -> Result<(), TestCaseError> {
    let document = roxmltree::Document::parse(text);
    let document = document.map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    let root = document.root_element();
    let expected = format!("{before}{value}{after}");
    prop_assert_eq!(root.attribute("a"), Some(expected.as_str()));
    prop_assert_eq!(root.attribute("b"), Some(value));
    let read: String = root.children().filter_map(|child| child.text()).collect();
    prop_assert_eq!(read, expected);
    Ok(())
}
