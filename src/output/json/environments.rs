//! The JSON of a command that worked on several environments: what the command writes for one, for
//! each of them.

use std::io;

use serde::Serialize;

use crate::diagnostics::Report;

use super::deploy::DeployJson;
use super::plan::PlanJson;
use super::{SCHEMA_VERSION, report_json};

/// What became of one environment.
#[derive(Debug)]
pub enum Result<'r> {
    /// It was deployed to, completely or not.
    Deployed(Box<DeployJson>),
    /// It was planned.
    Planned(Box<PlanJson>),
    /// Its files were validated.
    Validated(&'r Report),
    /// Something in the files or in the tenant stands against it; nothing was written.
    Refused(&'r Report),
    /// It was left alone, because of this error or because of another environment.
    NotRun(String),
}

/// One environment.
#[derive(Debug)]
pub struct Environment<'r> {
    /// Its name in the configuration.
    pub name: &'r str,
    /// What became of it.
    pub result: Result<'r>,
    /// Whether nothing is left to do.
    pub is_complete: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'r> {
    schema_version: u32,
    command: &'r str,
    summary: Summary,
    environments: Vec<Entry<'r>>,
}

#[derive(Serialize)]
struct Summary {
    environments: usize,
    complete: usize,
    incomplete: usize,
}

#[derive(Serialize)]
struct Entry<'r> {
    environment: &'r str,
    complete: bool,
    deployment: Option<&'r DeployJson>,
    plan: Option<&'r PlanJson>,
    validation: Option<super::ReportJson<'r>>,
    error: Option<&'r str>,
}

/// Writes all environments as one indented JSON document.
///
/// # Errors
/// Only those of `out`.
pub fn render(
    command: &str,
    environments: &[Environment<'_>],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let complete = environments.iter().filter(|it| it.is_complete).count();
    let entries = environments.iter().map(|environment| {
        let mut entry = Entry {
            environment: environment.name,
            complete: environment.is_complete,
            deployment: None,
            plan: None,
            validation: None,
            error: None,
        };
        match &environment.result {
            Result::Deployed(deployment) => entry.deployment = Some(deployment),
            Result::Planned(plan) => entry.plan = Some(plan),
            Result::Validated(report) | Result::Refused(report) => {
                entry.validation = Some(report_json(report, command));
            }
            Result::NotRun(error) => entry.error = Some(error),
        }
        entry
    });
    let document = Document {
        schema_version: SCHEMA_VERSION,
        command,
        summary: Summary {
            environments: environments.len(),
            complete,
            incomplete: environments.len() - complete,
        },
        environments: entries.collect(),
    };
    super::write(&document, out)
}
