//! The schema room against validators that nobody here wrote: xmllint (libxml2) and the crate
//! xsd-schema, both with the service's schema, over real policies and thousands of single mistakes.
//!
//! The schema and the policies are other people's work and stand beside the repository. Without them,
//! or without xmllint, these tests say so and pass; in CI they fail.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    reason = "the number of comparisons is the result"
)]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use iefctl::diagnostics::{Diagnostic, Level, Source, SourceMap};
use iefctl::schema;
use iefctl::xml;
use xsd_schema::validation::{
    CollectingValidationSink, SchemaValidator, ValidationFlags, drive_quick_xml,
};
use xsd_schema::{SchemaSet, load_and_process_schema};

#[path = "beside/corpus.rs"]
mod corpus;
mod schema_mutation;
#[path = "beside/xml_files.rs"]
mod xml_files;

use corpus::corpus;
use schema_mutation::{Random, Site, mutate, parse, sites};
use xml_files::xml_files;

const MUTANTS: usize = 9_000;

struct Oracle {
    schema: PathBuf,
    corpus: Vec<PathBuf>,
}

/// Schema and corpus; `None` where they are missing and may be.
fn oracle() -> Option<Oracle> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let schema = shared.join("schema/TrustFrameworkPolicy_0.3.0.0.w3c.xsd");
    let corpus = corpus().map_or_else(Vec::new, |corpus| xml_files(&corpus));
    let has_xmllint = Command::new("xmllint").arg("--version").output().is_ok();
    if has_xmllint && schema.is_file() && !corpus.is_empty() {
        return Some(Oracle { schema, corpus });
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "CI needs xmllint and the schema and corpus in {}",
        shared.display()
    );
    println!(
        "skipped: no xmllint, or no schema or corpus in {}",
        shared.display()
    );
    None
}

/// The verdict of xmllint on each file.
fn xmllint(schema: &Path, files: &[PathBuf]) -> HashMap<PathBuf, bool> {
    let mut verdicts = HashMap::new();
    for batch in files.chunks(400) {
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(schema)
            .args(batch)
            .output()
            .unwrap();
        let report = String::from_utf8_lossy(&output.stderr);
        for line in report.lines() {
            if let Some(path) = line.strip_suffix(" validates") {
                verdicts.insert(PathBuf::from(path), true);
            } else if let Some(path) = line.strip_suffix(" fails to validate") {
                verdicts.insert(PathBuf::from(path), false);
            }
        }
        for file in batch {
            // xmllint gives no verdict on what it cannot parse.
            verdicts.entry(file.clone()).or_insert(false);
        }
    }
    verdicts
}

struct Ours {
    valid: bool,
    /// Nothing but additions that the service documents and the published schema lacks.
    newer: bool,
    findings: Vec<Diagnostic>,
}

fn ours(text: &str) -> Ours {
    let text: Arc<str> = text.into();
    let mut sources = SourceMap::new();
    let id = sources.add(Source::new("test.xml", Arc::clone(&text)));
    let (document, mut findings) = xml::parse(&text, id);
    findings.extend(schema::validate(&document, id));
    for finding in &findings {
        let span = finding.primary.location.span;
        assert!(
            text.get(span.start as usize..span.end as usize).is_some(),
            "{finding:?}"
        );
    }
    // The version is our rule, not the schema's.
    let counts = |finding: &&Diagnostic| *finding.rule != schema::SCHEMA_VERSION;
    Ours {
        valid: findings
            .iter()
            .filter(counts)
            .all(|f| f.level != Level::Error),
        newer: findings.iter().any(|f| *f.rule == schema::SCHEMA_NEWER),
        findings,
    }
}

/// Describes a difference that is not one of the documented ones.
fn difference(ours: &Ours, theirs: bool) -> Option<String> {
    let documented = ours.valid && !theirs && ours.newer;
    if ours.valid == theirs || documented {
        return None;
    }
    let messages: Vec<_> = ours.findings.iter().map(|f| f.message.as_str()).collect();
    Some(format!(
        "the oracle says {}, we say {messages:?}",
        if theirs { "valid" } else { "invalid" }
    ))
}

#[test]
fn the_corpus_gets_the_verdict_of_xmllint() {
    let Some(oracle) = oracle() else { return };
    let verdicts = xmllint(&oracle.schema, &oracle.corpus);
    let mut differences = Vec::new();
    let mut valid = 0;
    for path in &oracle.corpus {
        let text = fs::read_to_string(path).unwrap();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        valid += usize::from(verdicts[path]);
        let difference = difference(&ours(text), verdicts[path]);
        differences.extend(difference.map(|d| format!("{}: {d}", path.display())));
    }
    println!(
        "compared {} files of the corpus with xmllint, {valid} of them valid",
        oracle.corpus.len()
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

struct Mutant {
    policy: usize,
    what: String,
    text: String,
}

/// Policies to mutate: those of the corpus, and the one that holds every element.
fn policies(oracle: &Oracle) -> Vec<String> {
    let mut policies = vec![include_str!("fixtures/schema/complete.xml").to_owned()];
    for path in &oracle.corpus {
        let text = fs::read_to_string(path).unwrap();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        // Whatever else is wrong in a policy hides what a mutation does.
        if ours(&text).findings.is_empty() {
            policies.push(text);
        }
    }
    // Small ones first: they are chosen where they have what is to be broken.
    policies.sort_by_key(String::len);
    policies
}

/// One mutant for every kind of element or attribute and every mutation, then more of them.
fn mutants(policies: &[String], number: usize, seed: u64) -> (Vec<Mutant>, usize) {
    let documents: Vec<_> = policies.iter().map(|text| parse(text)).collect();
    let sites = sites(&documents);
    let mut random = Random(seed);
    let mut order: Vec<(&(String, &str), &Vec<Site>)> = sites.iter().collect();
    for index in (1..order.len()).rev() {
        order.swap(index, random.below(index + 1));
    }
    let mut mutants = Vec::new();
    for round in 0..3 {
        for ((kind, mutation), sites) in &order {
            if mutants.len() == number {
                break;
            }
            let site = *random.pick(sites);
            if let Some(text) = mutate(&documents[site.policy], site, mutation, &mut random) {
                mutants.push(Mutant {
                    policy: site.policy,
                    what: format!("{mutation}: {kind} (round {round})"),
                    text,
                });
            }
        }
    }
    (mutants, order.len())
}

/// libxml2 2.9 leaves white space behind a number that ends with a line break, and refuses it. The
/// recommendation removes it (`whiteSpace` is `collapse`), as .NET and xsd-schema do.
fn libxml2_keeps_white_space(mutant: &Mutant, accepted: bool) -> bool {
    !accepted
        && (mutant.what.contains("white space") || mutant.what.starts_with("insert blank CDATA"))
}

#[test]
fn mutants_get_the_verdict_of_xmllint() {
    let Some(oracle) = oracle() else { return };
    let policies = policies(&oracle);
    let (mutants, kinds) = mutants(&policies, MUTANTS, 1);
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (index, mutant) in mutants.iter().enumerate() {
        let path = folder.path().join(format!("{index:05}.xml"));
        fs::write(&path, &mutant.text).unwrap();
        files.push(path);
    }
    let verdicts = xmllint(&oracle.schema, &files);
    let mut differences: BTreeMap<&str, String> = BTreeMap::new();
    let second = Second::new(&oracle);
    let (mut invalid, mut newer, mut kept) = (0, 0, 0);
    for (mutant, path) in mutants.iter().zip(&files) {
        let (ours, theirs) = (ours(&mutant.text), verdicts[path]);
        invalid += usize::from(!theirs);
        newer += usize::from(ours.valid && !theirs && ours.newer);
        if let Some(difference) = difference(&ours, theirs) {
            if libxml2_keeps_white_space(mutant, theirs) && second.accepts(&mutant.text) {
                kept += 1;
                continue;
            }
            differences.insert(
                &mutant.what,
                format!("policy {}: {difference}", mutant.policy),
            );
        }
    }
    println!(
        "compared {} mutants of {} policies with xmllint, {invalid} of them invalid; {kinds} pairs of kind and mutation; {newer} differ as documented, {kept} by a defect of libxml2",
        mutants.len(),
        policies.len(),
    );
    assert!(mutants.len() >= 5_000, "only {} mutants", mutants.len());
    assert!(
        differences.is_empty(),
        "{} differences\n{differences:#?}",
        differences.len()
    );
}

/// The verdict of xsd-schema.
struct Second {
    schema_set: SchemaSet,
}

impl Second {
    fn new(oracle: &Oracle) -> Self {
        let mut schema_set = SchemaSet::new();
        let text = fs::read(&oracle.schema).unwrap();
        load_and_process_schema(&text, "policy.xsd", &mut schema_set, None).unwrap();
        Self { schema_set }
    }

    fn accepts(&self, text: &str) -> bool {
        let validator = SchemaValidator::new(&self.schema_set, ValidationFlags::default());
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let mut runtime = validator.start_run(CollectingValidationSink {
            errors: &mut errors,
            warnings: &mut warnings,
        });
        let outcome = drive_quick_xml(text.as_bytes(), &mut runtime, &self.schema_set);
        drop(runtime);
        outcome.is_ok() && errors.is_empty()
    }
}

#[test]
fn a_sample_gets_the_verdict_of_xsd_schema() {
    let Some(oracle) = oracle() else { return };
    let second = Second::new(&oracle);
    let policies = policies(&oracle);
    let (mutants, _) = mutants(&policies, MUTANTS, 2);
    let sample: Vec<_> = mutants.iter().step_by(15).collect();
    let mut differences = Vec::new();
    let mut known = 0;
    for mutant in &sample {
        let (ours, theirs) = (ours(&mutant.text), second.accepts(&mutant.text));
        let Some(difference) = difference(&ours, theirs) else {
            continue;
        };
        // xmllint and .NET are on our side here: text is text in a CDATA section too, attributes of
        // the instance namespace must be among the four, and schemaLocation is a hint.
        let lenient = ["insert blank CDATA", "insert empty CDATA", "add xsi:other"];
        if lenient.iter().any(|what| mutant.what.starts_with(what)) && theirs
            || mutant.what.contains("/@schemaLocation") && !theirs
        {
            known += 1;
            continue;
        }
        differences.push(format!("{}: {difference}", mutant.what));
    }
    println!(
        "compared {} mutants with xsd-schema, {known} differ for reasons that are known",
        sample.len()
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
