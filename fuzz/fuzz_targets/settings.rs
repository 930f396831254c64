//! Any text with placeholders: replacing them, the way back of every place, and turning values into
//! placeholders again.
#![no_main]

use iefctl::diagnostics::{Location, Source, SourceMap, Span};
use iefctl::policy::{Resolver, Semantics, Setting, Settings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // The first lines are values, the rest is a policy.
    let mut parts = text.splitn(4, '\n');
    let mut sources = SourceMap::new();
    let place = Location {
        source: sources.add(Source::new("iefctl.toml", "")),
        span: Span::at(0),
    };
    let semantics = if data.len() % 2 == 0 {
        Semantics::Recursive
    } else {
        Semantics::Ordered
    };
    let mut settings = Settings {
        tenant: Some("contoso.onmicrosoft.com".to_owned()),
        environment: Some("dev".to_owned()),
        ..Settings::default()
    };
    for key in ["A", "B", "C"] {
        settings.values.push(Setting {
            key: key.to_owned(),
            value: parts.next().unwrap_or_default().to_owned(),
            key_location: place,
            value_location: place,
            semantics,
        });
    }
    let original = parts.next().unwrap_or_default();
    let resolver = Resolver::new(&settings);
    let resolution = resolver.resolve(Source::new("policy.xml", original), &mut sources);
    resolver.check(&resolution.used);
    let source = sources.get(resolution.id);
    let resolved = source.text();
    let boundaries: Vec<u32> = resolved
        .char_indices()
        .map(|(index, _)| index as u32)
        .chain([resolved.len() as u32])
        .take(300)
        .collect();
    for pair in boundaries.windows(2) {
        for span in [Span::at(pair[0]), Span::new(pair[0], pair[1])] {
            let back = source.to_original(span);
            assert!(back.start <= back.end, "{span:?} became {back:?}");
            let range = back.start as usize..back.end as usize;
            assert!(original.get(range).is_some(), "{span:?} became {back:?}");
            if let Some(edit) = source.editable(span) {
                assert_eq!(
                    &original[edit.start as usize..edit.end as usize],
                    span.of(resolved),
                    "what may be edited is the same text"
                );
            }
        }
    }
    for diagnostic in &resolution.diagnostics {
        sources.position(diagnostic.primary.location);
    }
    let resolved = resolved.to_string();
    let like = Source::new("policy.xml", original);
    resolver.template("policy.xml", &resolved, Some(&like), true);
});
