//! Annotations for Azure Pipelines: one logging command per error or warning, and the upload of a
//! summary.
//!
//! The agent reads `##vso[task.logissue …]message` from the output of a step and undoes the escapes
//! (<https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>). It knows no
//! level below warning, so hints are plain lines.

use std::io;

use crate::diagnostics::{Diagnostic, Level, Report};

use super::markdown::{self, Budget};
use super::positions::{Place, Positions};
use super::visible::{lines, one_line};

/// The summary tab shows large files only in part.
const SUMMARY_BYTES: usize = 500_000;

/// Writes one line per finding, and the line that counts them for those who read the log.
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
        writeln!(out, "{}", line(diagnostic, &positions))?;
    }
    Ok(())
}

/// The Markdown for the file that [`upload_summary`] names.
pub fn summary_markdown(report: &Report) -> String {
    markdown::document(report, Budget::bytes(SUMMARY_BYTES))
}

/// The command that attaches the Markdown file at `path` to the run. The agent reads the file after
/// the step has printed the line; the path must be absolute.
pub fn upload_summary(path: &str) -> String {
    format!("##vso[task.uploadsummary]{}", data(path))
}

fn line(diagnostic: &Diagnostic, positions: &Positions<'_>) -> String {
    let Place { file, start, .. } = positions.place(diagnostic.primary.location);
    let kind = match diagnostic.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Hint => {
            return format!(
                "hint[{}]: {}:{start}: {}",
                diagnostic.rule.id,
                one_line(file),
                one_line(&diagnostic.message)
            );
        }
    };
    format!(
        "##vso[task.logissue type={kind};sourcepath={};linenumber={};columnnumber={};code={};]{}",
        property(file),
        start.line,
        start.column,
        property(diagnostic.rule.id),
        data(&super::full_message(diagnostic))
    )
}

pub(super) fn data(text: &str) -> String {
    lines(text)
        .replace('%', "%AZP25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

pub(super) fn property(text: &str) -> String {
    data(text).replace(']', "%5D").replace(';', "%3B")
}
