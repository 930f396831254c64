//! Any bytes as one to three policies: parsing, validating, placing the findings and applying their
//! fixes must end, without a panic, and what is said must point into the text.
#![no_main]

use iefctl::diagnostics::{Diagnostic, Source, SourceMap, apply_fixes};
use iefctl::validate::{Input, upload_verdict, validate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // A byte that no UTF-8 text has separates the policies; the last one of three is a base.
    let texts: Vec<String> = data
        .splitn(3, |byte| *byte == 0xff)
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect();
    let mut input = Input {
        tenant_known: texts.len() > 1,
        ..Input::default()
    };
    for (number, text) in texts.iter().enumerate() {
        let id = input.sources.add(Source::new(format!("{number}.xml"), text.as_str()));
        if number < 2 {
            input.own.push(id);
        } else {
            input.context.push(id);
        }
    }
    let report = validate(input).report;
    for finding in &report.diagnostics {
        check_places(&report.sources, finding);
    }
    let applied = apply_fixes(&report.sources, &report.diagnostics, |_| true);
    for (_, text) in applied.files {
        let mut input = Input::default();
        let id = input.sources.add(Source::new("fixed.xml", text));
        input.own.push(id);
        validate(input);
    }
    if let [upload, ancestors @ ..] = &texts[..] {
        let ancestors: Vec<&str> = ancestors.iter().map(String::as_str).collect();
        upload_verdict(upload, &ancestors, Some(&[]));
    }
});

fn check_places(sources: &SourceMap, finding: &Diagnostic) {
    let labels = std::iter::once(&finding.primary).chain(&finding.related);
    let edits = finding.fix.iter().flat_map(|fix| &fix.edits);
    let places = labels.map(|label| label.location).chain(edits.map(|edit| edit.location));
    for place in places {
        let text = sources.get(place.source).text();
        let range = place.span.start as usize..place.span.end as usize;
        assert!(text.get(range).is_some(), "{}: {place:?}", finding.rule.id);
        sources.position(place);
    }
}
