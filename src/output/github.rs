//! Annotations for GitHub Actions: one workflow command per finding, and the job summary.
//!
//! The runner reads `::error file=…,line=…::message` from the output of a step. Property values and
//! messages are percent-escaped as the runner undoes it
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>). Columns are
//! only allowed where a finding stays in one line.

use std::io;

use crate::diagnostics::{Diagnostic, Level, Report};

use super::markdown::{self, Budget};
use super::positions::{Place, Positions};
use super::visible::lines;

/// GitHub takes summaries of at most 1 MiB per step; other steps' text may be in the same file.
const SUMMARY_BYTES: usize = 500_000;

/// Writes one workflow command per finding, and the line that counts them for those who read the
/// log.
///
/// # Errors
/// Only those of `out`.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    findings(report, out)?;
    writeln!(out, "{}", super::summary_line(report))
}

/// Writes the findings of `report` alone.
///
/// # Errors
/// Only those of `out`.
pub fn findings(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let positions = Positions::new(&report.sources);
    for diagnostic in &report.diagnostics {
        writeln!(out, "{}", command(diagnostic, &positions))?;
    }
    Ok(())
}

/// The Markdown for `GITHUB_STEP_SUMMARY`: the counts, the table of findings with details, and the
/// inheritance tree if the caller passes one as Mermaid source.
pub fn summary_markdown(report: &Report, mermaid: Option<&str>) -> String {
    let mut text = markdown::document(report, Budget::bytes(SUMMARY_BYTES));
    if let Some(diagram) = mermaid {
        text.push_str("\n### Inheritance\n\n");
        text.push_str(&markdown::fenced("mermaid", diagram));
    }
    text
}

/// An annotation that has no place in a file: `error`, `warning` or `notice`, and what it says.
pub fn annotation(level: &str, message: &str) -> String {
    format!("::{level} title=iefctl::{}", data(message))
}

fn command(diagnostic: &Diagnostic, positions: &Positions<'_>) -> String {
    let level = match diagnostic.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Hint => "notice",
    };
    let Place { file, start, end } = positions.place(diagnostic.primary.location);
    let columns = if start.line == end.line {
        format!(",col={},endColumn={}", start.column, end.column)
    } else {
        String::new()
    };
    format!(
        "::{level} file={},line={},endLine={}{columns},title={}::{}",
        property(file),
        start.line,
        end.line,
        property(&format!("iefctl ({})", diagnostic.rule.id)),
        data(&super::full_message(diagnostic))
    )
}

pub(super) fn data(text: &str) -> String {
    lines(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
