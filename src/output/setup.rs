//! How setting up a tenant looks: what is left to do, what became of it, and what to write down.
//!
//! The structs here are the JSON and the input of all other formats.

mod human;
mod markdown;

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::json::{self, SCHEMA_VERSION};
use super::{Format, Style};

/// A tenant that is, or was, set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SetupJson {
    /// Version of this contract.
    pub schema_version: u32,
    /// `init --tenant`.
    pub command: &'static str,
    /// The tenant, as it was named.
    pub tenant: String,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// Whether everything is there now.
    pub complete: bool,
    /// The steps in their order.
    pub steps: Vec<SetupStepJson>,
    /// Settings that policies usually read these ids from, as far as the ids are known.
    pub settings: BTreeMap<String, String>,
    /// The same settings as lookups, which fit to every tenant.
    pub lookups: BTreeMap<&'static str, &'static str>,
    /// The table of `iefctl.toml` that they belong to.
    pub settings_table: String,
    /// The file that they were written to.
    pub written: Option<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetupStepJson {
    /// What it is about.
    pub subject: String,
    /// What is to be done, or was; empty if it was there.
    pub actions: Vec<String>,
    /// How it ended.
    pub status: SetupStatus,
    /// What the service said.
    pub error: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SetupStatus {
    /// It was there.
    Present,
    /// It is about to be done.
    Planned,
    /// It was done.
    Done,
    /// It failed.
    Failed,
    /// It needs something that failed.
    Blocked,
}

impl SetupJson {
    /// A tenant with these steps.
    pub fn new(tenant: impl Into<String>, dry_run: bool, steps: Vec<SetupStepJson>) -> Self {
        let complete = steps
            .iter()
            .all(|step| matches!(step.status, SetupStatus::Present | SetupStatus::Done));
        Self {
            schema_version: SCHEMA_VERSION,
            command: "init --tenant",
            tenant: tenant.into(),
            dry_run,
            complete,
            steps,
            settings: BTreeMap::new(),
            lookups: BTreeMap::new(),
            settings_table: "settings".to_owned(),
            written: None,
        }
    }

    fn count(&self, status: SetupStatus) -> usize {
        let steps = self.steps.iter();
        steps.filter(|step| step.status == status).count()
    }

    /// "contoso.onmicrosoft.com: 8 done, 2 were there".
    fn summary_line(&self) -> String {
        let words = [
            (SetupStatus::Failed, "failed"),
            (SetupStatus::Blocked, "not tried"),
            (SetupStatus::Planned, "to do"),
            (SetupStatus::Done, "done"),
            (SetupStatus::Present, "already there"),
        ];
        let counts: Vec<String> = words
            .into_iter()
            .map(|(status, word)| (self.count(status), word))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if self.count(SetupStatus::Present) == self.steps.len() {
            return format!("{}: everything is there, nothing to do", self.tenant);
        }
        format!("{}: {}", self.tenant, counts.join(", "))
    }
}

/// Writes the steps and what to write down: JSON, Markdown, else text for people.
///
/// # Errors
/// Only those of `out`.
pub fn render(
    setup: &SetupJson,
    format: Format,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Json => json::write(setup, out),
        Format::Markdown => markdown::setup(setup, out),
        _ => {
            human::steps(setup, style, out)?;
            human::settings(setup, style, out)
        }
    }
}

/// Writes the line of one step, for people who watch.
///
/// # Errors
/// Only those of `out`.
pub fn render_step(
    setup: &SetupJson,
    number: usize,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    human::step(setup, number, style, out)
}

/// Writes what follows the lines of the steps.
///
/// # Errors
/// Only those of `out`.
pub fn render_end(setup: &SetupJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    human::summary(setup, style, out)?;
    human::settings(setup, style, out)
}

/// Writes the steps alone, for people who are asked whether to go on.
///
/// # Errors
/// Only those of `out`.
pub fn render_steps(setup: &SetupJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    human::steps(setup, style, out)
}
