//! Claims transformations of real policies, broken one by one: each break must be found where it is.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says how much it compared"
)]

use std::path::{Path, PathBuf};

use iefctl::diagnostics::{Level, Source};
use iefctl::policy::known::transformation_method;
use iefctl::validate::{Input, validate};

/// One way to break a claims transformation.
struct Break {
    kind: &'static str,
    /// Where the broken value stands in the text.
    start: usize,
    end: usize,
    replacement: &'static str,
    rule: &'static str,
}

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "CI must have the corpus of real policies beside the repository"
    );
    println!("skipped: no corpus of real policies beside the repository");
    None
}

fn policies(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            policies(&entry, found);
        } else if entry
            .extension()
            .is_some_and(|extension| extension == "xml")
        {
            found.push(entry);
        }
    }
}

/// What can be broken in a text, and what must find it.
fn breaks(text: &str) -> Vec<Break> {
    let mut breaks = Vec::new();
    let Ok(document) = roxmltree::Document::parse(text) else {
        return breaks;
    };
    let transformations = document
        .descendants()
        .filter(|node| node.has_tag_name_local("ClaimsTransformation"));
    for transformation in transformations {
        let Some(method) = transformation
            .attribute("TransformationMethod")
            .and_then(transformation_method)
        else {
            continue;
        };
        let mut add = |kind, node: roxmltree::Node<'_, '_>, attribute, replacement, rule| {
            let Some(attribute) = node.attribute_node(attribute) else {
                return;
            };
            let range = attribute.range_value();
            breaks.push(Break {
                kind,
                start: range.start,
                end: range.end,
                replacement,
                rule,
            });
        };
        for node in transformation.descendants() {
            let slot = node
                .attribute("TransformationClaimType")
                .unwrap_or_default();
            let id = node.attribute("Id").unwrap_or_default();
            match node.tag_name().name() {
                "InputClaim" if method.inputs.named(slot).is_some() => {
                    add(
                        "input slot",
                        node,
                        "TransformationClaimType",
                        "brokenSlot",
                        "ct-input-mismatch",
                    );
                    let typed = method
                        .inputs
                        .named(slot)
                        .is_some_and(|slot| !slot.types.is_empty());
                    if typed {
                        add(
                            "input type",
                            node,
                            "ClaimTypeReferenceId",
                            "brokenType",
                            "ct-input-mismatch",
                        );
                    }
                }
                "OutputClaim"
                    if method.outputs.named(slot).is_some() && method.outputs.free.is_none() =>
                {
                    add(
                        "output slot",
                        node,
                        "TransformationClaimType",
                        "brokenSlot",
                        "ct-output-mismatch",
                    );
                    // The type that another claim decides may be declared in a base that is not here.
                    let typed = method.outputs.named(slot);
                    if typed.is_some_and(|slot| slot.same_as.is_none()) {
                        add(
                            "output type",
                            node,
                            "ClaimTypeReferenceId",
                            "brokenType",
                            "ct-output-mismatch",
                        );
                    }
                }
                "InputParameter"
                    if method.parameters.named(id).is_some()
                        && method.parameters.free.is_none() =>
                {
                    add(
                        "parameter name",
                        node,
                        "Id",
                        "brokenParameter",
                        "ct-parameter-mismatch",
                    );
                    add(
                        "parameter type",
                        node,
                        "DataType",
                        "duration",
                        "ct-parameter-mismatch",
                    );
                }
                _ => {}
            }
        }
    }
    breaks
}

trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for roxmltree::Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

#[test]
fn every_broken_claims_transformation_is_found_on_its_line() {
    let Some(corpus) = corpus() else {
        return;
    };
    let base = corpus.join("starterpack/SocialAndLocalAccountsWithMfa/TrustFrameworkBase.xml");
    let base = std::fs::read_to_string(base).unwrap();
    let mut files = Vec::new();
    policies(&corpus, &mut files);
    // A claim type of a data type that no method takes.
    let declaration = "<ClaimsSchema><ClaimType Id=\"brokenType\"><DisplayName>x</DisplayName>\
                       <DataType>duration</DataType></ClaimType>";
    let mut tried = std::collections::BTreeMap::<&str, (usize, usize)>::new();
    let mut missed = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_start_matches('\u{feff}');
        let text = text.replacen("<ClaimsSchema>", declaration, 1);
        for broken in breaks(&text) {
            if broken.replacement == "brokenType" && !text.contains("brokenType") {
                continue;
            }
            let (before, after) = (&text[..broken.start], &text[broken.end..]);
            let mutant = format!("{before}{}{after}", broken.replacement);
            let line = before.matches('\n').count() as u32 + 1;
            let mut input = Input::default();
            let own = input.sources.add(Source::new("mutant", mutant));
            input.own.push(own);
            let context = input.sources.add(Source::new("base", base.as_str()));
            input.context.push(context);
            let report = validate(input).report;
            let found = report.diagnostics.iter().any(|finding| {
                let place = finding.primary.location;
                finding.rule.id == broken.rule
                    && finding.level >= Level::Warning
                    && place.source == own
                    && report.sources.position(place).0.line == line
            });
            let (mutants, finds) = tried.entry(broken.kind).or_default();
            *mutants += 1;
            *finds += usize::from(found);
            if !found {
                missed.push(format!("{}:{line}: {}", file.display(), broken.kind));
            }
        }
    }
    for (kind, (mutants, found)) in &tried {
        println!("{kind}: {mutants} mutants, {found} found");
    }
    assert_eq!(tried.len(), 6);
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
