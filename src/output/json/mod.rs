//! Versioned JSON for scripts: the structs here are the contract, frozen per `schemaVersion`.
//!
//! Every field is always present, `null` where there is nothing to say. Columns count characters
//! from 1, ends are exclusive, positions are those of the file that the user edits.

pub mod deploy;
pub mod environments;
pub mod plan;

use std::io;

use serde::Serialize;

use crate::diagnostics::{Diagnostic, Level, Report};

use super::positions::{Place, Positions};

/// The version of all JSON outputs; it grows when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportJson<'r> {
    schema_version: u32,
    command: &'r str,
    summary: SummaryJson,
    diagnostics: Vec<DiagnosticJson<'r>>,
}

#[derive(Serialize)]
struct SummaryJson {
    policies: usize,
    errors: usize,
    warnings: usize,
    hints: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DiagnosticJson<'r> {
    rule: &'r str,
    level: &'static str,
    message: &'r str,
    file: &'r str,
    policy_id: Option<&'r str>,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    help: Option<&'r str>,
    service_message: Option<&'r str>,
    related: Vec<RelatedJson<'r>>,
    fix: Option<FixJson<'r>>,
}

#[derive(Serialize)]
struct RelatedJson<'r> {
    file: &'r str,
    line: u32,
    column: u32,
    message: Option<&'r str>,
}

#[derive(Serialize)]
struct FixJson<'r> {
    title: &'r str,
    edits: Vec<EditJson<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EditJson<'r> {
    file: &'r str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    replacement: &'r str,
}

/// Writes `report` as one indented JSON document; `command` is the command that made it.
///
/// # Errors
/// Only those of `out`.
pub fn render(report: &Report, command: &str, out: &mut dyn io::Write) -> io::Result<()> {
    write(&report_json(report, command), out)
}

fn report_json<'r>(report: &'r Report, command: &'r str) -> ReportJson<'r> {
    let positions = Positions::new(&report.sources);
    let summary = report.summary();
    ReportJson {
        schema_version: SCHEMA_VERSION,
        command,
        summary: SummaryJson {
            policies: summary.policies,
            errors: summary.errors,
            warnings: summary.warnings,
            hints: summary.hints,
        },
        diagnostics: report
            .diagnostics
            .iter()
            .map(|diagnostic| diagnostic_json(diagnostic, &positions))
            .collect(),
    }
}

/// Writes any document of this room's contract, indented and with a final line break.
pub(super) fn write(document: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}

fn diagnostic_json<'r>(
    diagnostic: &'r Diagnostic,
    positions: &Positions<'r>,
) -> DiagnosticJson<'r> {
    let Place { file, start, end } = positions.place(diagnostic.primary.location);
    let related = diagnostic.related.iter().map(|label| {
        let Place { file, start, .. } = positions.place(label.location);
        RelatedJson {
            file,
            line: start.line,
            column: start.column,
            message: label.message.as_deref(),
        }
    });
    let fix = positions.applicable_fix(diagnostic).map(|fix| FixJson {
        title: &fix.title,
        edits: fix
            .edits
            .iter()
            .map(|edit| {
                let Place { file, start, end } = positions.place(edit.location);
                EditJson {
                    file,
                    line: start.line,
                    column: start.column,
                    end_line: end.line,
                    end_column: end.column,
                    replacement: &edit.replacement,
                }
            })
            .collect(),
    });
    DiagnosticJson {
        rule: diagnostic.rule.id,
        level: match diagnostic.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Hint => "hint",
        },
        message: &diagnostic.message,
        file,
        policy_id: diagnostic.policy_id.as_deref(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        help: diagnostic.help.as_deref(),
        service_message: diagnostic.service_message.as_deref(),
        related: related.collect(),
        fix,
    }
}
