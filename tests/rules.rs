//! The rules against annotated fixtures.
//!
//! `tests/rules/<rule id>/` holds fixtures of one rule. A fixture is an XML file, or a folder of XML
//! files that form one set. Where a finding is expected, the line on which its primary place begins
//! ends with a comment that names level, rule and the text that is pointed at:
//!
//! ```xml
//! <OutputClaim ClaimTypeReferenceId="emial" /> <!--~ error ref-claimtype `emial` -->
//! ```
//!
//! Several comments may stand on one line; the text may be cut off with `…`. Errors and warnings
//! must match exactly: each expected one found, none found that is not expected. Hints count only
//! for the rule that the folder is named after. Fixtures whose name begins with `good` must not
//! expect a finding of the folder's rule, all others must.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use iefctl::diagnostics::{Level, Source};
use iefctl::rules;
use iefctl::validate::{Input, validate};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    file: String,
    line: u32,
    level: String,
    rule: String,
    text: String,
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The findings that the comments of a text ask for.
fn expected(file: &str, text: &str) -> Vec<Found> {
    let mut expected = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for comment in line.split("<!--~").skip(1) {
            let comment = comment.split("-->").next().unwrap().trim();
            let (words, pointed) = comment.split_once('`').unwrap_or_else(|| {
                panic!(
                    "{file}:{}: `<!--~ level rule `text` -->` is the form",
                    index + 1
                )
            });
            let (level, rule) = words.trim().split_once(' ').unwrap();
            assert!(rules::find(rule).is_some(), "{file}: no rule {rule}");
            expected.push(Found {
                file: file.to_owned(),
                line: index as u32 + 1,
                level: level.to_owned(),
                rule: rule.to_owned(),
                text: pointed.trim_end_matches('`').to_owned(),
            });
        }
    }
    expected
}

fn check(fixture: &Path, rule: &str) -> Vec<String> {
    let files = if fixture.is_dir() {
        sorted(fixture)
    } else {
        vec![fixture.to_path_buf()]
    };
    let mut input = Input {
        tenant_known: true,
        ..Input::default()
    };
    let mut wanted = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        wanted.extend(expected(&name(&file), &text));
        let id = input.sources.add(Source::new(name(&file), text));
        input.own.push(id);
    }
    let report = validate(input).report;
    let mut found: Vec<Found> = report
        .diagnostics
        .iter()
        .filter(|finding| finding.level > Level::Hint || finding.rule.id == rule)
        .map(|finding| {
            let location = finding.primary.location;
            let source = report.sources.get(location.source);
            Found {
                file: source.name().to_owned(),
                line: report.sources.position(location).0.line,
                level: finding.level.to_string(),
                rule: finding.rule.id.to_owned(),
                text: location.span.of(source.text()).to_owned(),
            }
        })
        .collect();
    let mut problems = Vec::new();
    for want in &wanted {
        let same = |have: &Found| {
            let text = match want.text.strip_suffix('…') {
                Some(start) => have.text.starts_with(start),
                None => have.text == want.text,
            };
            (&have.file, have.line, &have.level, &have.rule)
                == (&want.file, want.line, &want.level, &want.rule)
                && text
        };
        match found.iter().position(same) {
            Some(index) => {
                found.remove(index);
            }
            None => problems.push(format!("not found: {want:?}")),
        }
    }
    problems.extend(found.iter().map(|have| format!("not expected: {have:?}")));
    let good = name(fixture).starts_with("good");
    let own = wanted.iter().filter(|want| want.rule == rule).count();
    if good == (own > 0) {
        problems.push(format!("{own} findings of {rule} expected in this fixture"));
    }
    problems
        .into_iter()
        .map(|problem| format!("{rule}/{}: {problem}", name(fixture)))
        .collect()
}

#[test]
fn every_fixture_has_exactly_the_findings_it_announces() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let mut problems = Vec::new();
    let mut fixtures = 0;
    for folder in sorted(&root) {
        let rule = name(&folder);
        assert!(rules::find(&rule).is_some(), "no rule is called {rule}");
        for fixture in sorted(&folder) {
            problems.extend(check(&fixture, &rule));
            fixtures += 1;
        }
    }
    assert!(fixtures > 0);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn rule_ids_are_unique_and_well_formed() {
    let mut seen = BTreeMap::new();
    for rule in rules::all() {
        assert!(
            seen.insert(rule.id, rule.summary).is_none(),
            "{} twice",
            rule.id
        );
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(rule.id.chars().all(plain), "{}", rule.id);
        assert!(
            !rule.summary.ends_with('.'),
            "{}: {}",
            rule.id,
            rule.summary
        );
    }
}
