//! JUnit XML for test reports: a test suite per file, in it a test case per rule that found
//! something there.
//!
//! Only errors fail a test case, as only errors fail the command; warnings and hints are its
//! output. A file without findings is one passed test case.

use std::collections::BTreeMap;
use std::io;

use crate::diagnostics::{Diagnostic, Level, Report};

use super::positions::{Place, Positions};

/// Writes `report` as one XML document.
///
/// # Errors
/// Only those of `out`.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let positions = Positions::new(&report.sources);
    let suites: Vec<Suite<'_>> = report
        .sources
        .iter()
        .map(|(id, source)| {
            let mut suite = Suite {
                file: source.name(),
                cases: BTreeMap::new(),
            };
            for diagnostic in &report.diagnostics {
                if diagnostic.primary.location.source == id {
                    let case: &mut Vec<_> = suite.cases.entry(diagnostic.rule.id).or_default();
                    case.push(diagnostic);
                }
            }
            suite
        })
        .collect();

    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="iefctl" tests="{}" failures="{}" errors="0">"#,
        suites.iter().map(Suite::tests).sum::<usize>(),
        suites.iter().map(Suite::failures).sum::<usize>()
    )?;
    for suite in &suites {
        suite.write(&positions, out)?;
    }
    writeln!(out, "</testsuites>")
}

/// The findings of one file, by rule.
struct Suite<'r> {
    file: &'r str,
    cases: BTreeMap<&'static str, Vec<&'r Diagnostic>>,
}

impl Suite<'_> {
    fn tests(&self) -> usize {
        self.cases.len().max(1)
    }

    fn failures(&self) -> usize {
        let fails = |findings: &&Vec<&Diagnostic>| first_error(findings).is_some();
        self.cases.values().filter(fails).count()
    }

    fn write(&self, positions: &Positions<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let file = attribute(self.file);
        writeln!(
            out,
            r#"  <testsuite name="{file}" tests="{}" failures="{}" errors="0" skipped="0">"#,
            self.tests(),
            self.failures()
        )?;
        if self.cases.is_empty() {
            writeln!(
                out,
                r#"    <testcase name="validate" classname="{file}" file="{file}"/>"#
            )?;
        }
        for (rule, findings) in &self.cases {
            let all = findings
                .iter()
                .map(|finding| finding_text(finding, positions))
                .collect::<Vec<_>>()
                .join("\n");
            let first = first_error(findings).unwrap_or(findings[0]);
            let line = positions.place(first.primary.location).start.line;
            writeln!(
                out,
                r#"    <testcase name="{}" classname="{file}" file="{file}" line="{line}">"#,
                attribute(rule)
            )?;
            match first_error(findings) {
                Some(error) => writeln!(
                    out,
                    r#"      <failure type="error" message="{}">{}</failure>"#,
                    attribute(&error.message),
                    content(&all)
                )?,
                None => writeln!(out, "      <system-out>{}</system-out>", content(&all))?,
            }
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")
    }
}

fn first_error<'r>(findings: &[&'r Diagnostic]) -> Option<&'r Diagnostic> {
    findings
        .iter()
        .copied()
        .find(|diagnostic| diagnostic.level == Level::Error)
}

fn finding_text(diagnostic: &Diagnostic, positions: &Positions<'_>) -> String {
    let Place { file, start, .. } = positions.place(diagnostic.primary.location);
    format!(
        "{file}:{start}: {}: {}",
        diagnostic.level,
        super::full_message(diagnostic)
    )
}

/// Text for an attribute in double quotes; white space is written as references, which parsers do
/// not normalise.
fn attribute(text: &str) -> String {
    content(text)
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
        .replace('\t', "&#9;")
}

/// Text between tags. Characters that XML 1.0 has no way to write become U+FFFD.
fn content(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            '\n' | '\t' => escaped.push(c),
            '\u{0}'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            c => escaped.push(c),
        }
    }
    escaped
}
