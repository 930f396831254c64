//! Findings of a check as annotations: at the first place of the user's files that needs the keyset,
//! or without place where no file does.

use std::fmt::Write as _;
use std::io;

use crate::diagnostics::Level;
use crate::output::visible::one_line;
use crate::output::{azure as azure_pipelines, github as github_actions};

use super::{CheckJson, KeyFindingJson, KeyUserJson, summary_line};

pub(super) fn github(check: &CheckJson, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in &check.findings {
        let command = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Hint => "notice",
        };
        let mut properties = String::new();
        if let Some((file, line, column)) = place(finding) {
            let file = github_actions::property(file);
            let _ = write!(properties, "file={file},line={line},col={column},");
        }
        let title = github_actions::property(&format!("iefctl ({})", finding.rule));
        let message = github_actions::data(&message(finding));
        writeln!(out, "::{command} {properties}title={title}::{message}")?;
    }
    writeln!(out, "{}", one_line(&summary_line(check)))
}

pub(super) fn azure(check: &CheckJson, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in &check.findings {
        let kind = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Hint => {
                writeln!(
                    out,
                    "hint[{}]: {}",
                    finding.rule,
                    one_line(&finding.message)
                )?;
                continue;
            }
        };
        let mut properties = String::new();
        if let Some((file, line, column)) = place(finding) {
            let file = azure_pipelines::property(file);
            let _ = write!(
                properties,
                "sourcepath={file};linenumber={line};columnnumber={column};"
            );
        }
        let message = azure_pipelines::data(&message(finding));
        writeln!(
            out,
            "##vso[task.logissue type={kind};{properties}code={};]{message}",
            finding.rule
        )?;
    }
    writeln!(out, "{}", one_line(&summary_line(check)))
}

fn place(finding: &KeyFindingJson) -> Option<(&str, u32, u32)> {
    let place = |user: &'_ KeyUserJson| Some((user.line?, user.column?));
    let user = finding.used_by.first()?;
    let (line, column) = place(user)?;
    Some((user.file.as_deref()?, line, column))
}

fn message(finding: &KeyFindingJson) -> String {
    let mut message = finding.message.clone();
    for user in &finding.used_by {
        let _ = write!(message, "\nneeded by {}", user.words());
    }
    let _ = write!(message, "\nhelp: {}", finding.help);
    message
}
