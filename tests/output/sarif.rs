//! What the published schema and the specification demand of the parts that are written.

use iefctl::diagnostics::{Report, Source, SourceMap};
use iefctl::output::{self, Format, Options};
use serde_json::Value;

use crate::{rendered, sample};

fn parsed(report: &Report) -> Value {
    serde_json::from_str(&rendered(report, Format::Sarif)).expect("it is JSON")
}

fn array(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

#[test]
fn the_sample() {
    let version = env!("CARGO_PKG_VERSION");
    let text = rendered(&sample::report(), Format::Sarif);
    let text = text.replace(version, "VERSION");
    insta::assert_snapshot!(text.replace('\u{202e}', "(U+202E)"));
}

#[test]
fn the_log_keeps_the_schema() {
    let report = sample::report();
    let log = parsed(&report);
    assert_eq!(log["version"], "2.1.0");
    assert!(
        log["$schema"]
            .as_str()
            .is_some_and(|uri| uri.contains("sarif-2.1.0"))
    );
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "iefctl");

    let rules = array(&driver["rules"]);
    let mut ids: Vec<&str> = rules
        .iter()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    assert_eq!(ids.len(), rules.len());
    ids.dedup();
    assert_eq!(ids.len(), rules.len(), "rule ids are unique");
    for rule in rules {
        assert_text(&rule["shortDescription"]);
        assert_text(&rule["help"]);
        assert_level(&rule["defaultConfiguration"]["level"]);
    }

    let results = array(&run["results"]);
    assert_eq!(results.len(), report.diagnostics.len());
    for result in results {
        assert_text(&result["message"]);
        assert_level(&result["level"]);
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(array(&result["locations"]).len(), 1);
        assert_physical(&result["locations"][0]["physicalLocation"]);
        for (index, related) in result["relatedLocations"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            assert_eq!(related["id"], index + 1);
            assert_physical(&related["physicalLocation"]);
        }
        for fix in result["fixes"].as_array().into_iter().flatten() {
            assert_text(&fix["description"]);
            let changes = array(&fix["artifactChanges"]);
            assert!(!changes.is_empty(), "a fix changes something");
            for change in changes {
                assert_uri(&change["artifactLocation"]["uri"]);
                let replacements = array(&change["replacements"]);
                assert!(!replacements.is_empty(), "a change replaces something");
                for replacement in replacements {
                    assert_region(&replacement["deletedRegion"]);
                    assert!(replacement["insertedContent"]["text"].is_string());
                }
            }
        }
        for (kind, fingerprint) in result["partialFingerprints"]
            .as_object()
            .expect("an object")
        {
            assert!(!kind.is_empty() && fingerprint.is_string());
        }
    }
    for artifact in array(&run["artifacts"]) {
        assert_uri(&artifact["location"]["uri"]);
    }
}

fn assert_text(message: &Value) {
    assert!(
        message["text"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{message}"
    );
}

fn assert_level(level: &Value) {
    assert!(
        ["none", "note", "warning", "error"].contains(&level.as_str().unwrap_or_default()),
        "{level}"
    );
}

fn assert_physical(location: &Value) {
    assert_uri(&location["artifactLocation"]["uri"]);
    assert_region(&location["region"]);
}

fn assert_region(region: &Value) {
    let number = |name: &str| region[name].as_u64().expect("a positive integer");
    assert!(
        number("startLine") >= 1 && number("startColumn") >= 1,
        "{region}"
    );
    let start = (number("startLine"), number("startColumn"));
    let end = (number("endLine"), number("endColumn"));
    assert!(start <= end, "{region}");
}

/// A URI reference holds only the characters of RFC 3986.
fn assert_uri(uri: &Value) {
    let uri = uri.as_str().expect("a string");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    assert!(!uri.is_empty() && uri.chars().all(allowed), "{uri}");
    for escape in uri.split('%').skip(1) {
        let digits = escape.get(..2).unwrap_or_default();
        assert!(
            digits.len() == 2 && digits.chars().all(|c| c.is_ascii_hexdigit()),
            "{uri}"
        );
    }
}

#[test]
fn a_rule_carries_its_page() {
    let page = |id: &str| (id == "ref-claim-type").then_some("# ref-claim-type\n");
    let options = Options {
        rule_page: &page,
        ..Options::default()
    };
    let mut out = Vec::new();
    output::render(&sample::report(), Format::Sarif, &options, &mut out).unwrap();
    let log: Value = serde_json::from_slice(&out).unwrap();
    let rules = array(&log["runs"][0]["tool"]["driver"]["rules"]);
    let with_page: Vec<&Value> = rules
        .iter()
        .filter(|rule| rule["help"]["markdown"] == "# ref-claim-type\n")
        .map(|rule| &rule["id"])
        .collect();
    assert_eq!(with_page, ["ref-claim-type"]);
}

fn fingerprints(report: &Report) -> Vec<String> {
    let log = parsed(report);
    array(&log["runs"][0]["results"])
        .iter()
        .map(|result| result["partialFingerprints"]["iefctl/v1"].to_string())
        .collect()
}

#[test]
fn fingerprints_differ_and_survive_new_lines_and_indentation() {
    let report = sample::report();
    let before = fingerprints(&report);
    let mut unique = before.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), before.len());

    let inserted = "<!-- new -->\n\n    ";
    let mut moved = report.clone();
    moved.sources = SourceMap::new();
    for (_, source) in report.sources.iter() {
        // Positions are of no interest here, so the resolved text can be the original.
        let text = format!("{inserted}{}", source.text());
        moved.sources.add(Source::new(source.name(), text));
    }
    let mut unmoved = report.clone();
    unmoved.sources = SourceMap::new();
    for (_, source) in report.sources.iter() {
        unmoved
            .sources
            .add(Source::new(source.name(), source.text().to_string()));
    }
    for diagnostic in &mut moved.diagnostics {
        diagnostic.primary.location.span.start += inserted.len() as u32;
        diagnostic.primary.location.span.end += inserted.len() as u32;
        diagnostic.related.clear();
        diagnostic.fix = None;
    }
    assert_eq!(fingerprints(&moved), fingerprints(&unmoved));
}
