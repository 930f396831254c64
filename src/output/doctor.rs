//! How the checks of a tenant look.
//!
//! The structs here are the JSON and the input of all other formats; whoever makes the checks fills
//! them.

mod human;
mod markdown;

use std::io;

use serde::Serialize;

use super::json::{self, SCHEMA_VERSION};
use super::{Format, Style};

/// What a look at a tenant found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DoctorJson {
    /// Version of this contract.
    pub schema_version: u32,
    /// `doctor`.
    pub command: &'static str,
    /// The tenant, as it was named.
    pub tenant: String,
    /// The counts.
    pub summary: DoctorSummaryJson,
    /// The checks, group by group.
    pub checks: Vec<CheckJson>,
}

/// How many checks ended in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct DoctorSummaryJson {
    /// All is well.
    pub ok: usize,
    /// To be looked at.
    pub warnings: usize,
    /// To be put right.
    pub problems: usize,
    /// Not checked.
    pub unknown: usize,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckJson {
    /// Its stable name.
    pub id: &'static str,
    /// What it is about.
    pub group: CheckGroup,
    /// How it ended.
    pub state: CheckState,
    /// What was checked, in a few words.
    pub subject: String,
    /// What was found.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckGroup {
    /// How the tool signed in.
    SignIn,
    /// What it may do.
    Permissions,
    /// The tenant.
    Tenant,
    /// The application IdentityExperienceFramework.
    IdentityExperienceFramework,
    /// The application ProxyIdentityExperienceFramework.
    ProxyIdentityExperienceFramework,
    /// The application b2c-extensions-app.
    ExtensionsApp,
    /// Policies and keysets.
    Policies,
}

impl CheckGroup {
    const fn title(self) -> &'static str {
        match self {
            Self::SignIn => "Sign-in",
            Self::Permissions => "Permissions",
            Self::Tenant => "Tenant",
            Self::IdentityExperienceFramework => "IdentityExperienceFramework",
            Self::ProxyIdentityExperienceFramework => "ProxyIdentityExperienceFramework",
            Self::ExtensionsApp => "b2c-extensions-app",
            Self::Policies => "Policies and keysets",
        }
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// All is well.
    Ok,
    /// To be looked at.
    Warning,
    /// To be put right.
    Problem,
    /// Not checked.
    Unknown,
}

impl DoctorJson {
    /// A report of these checks.
    pub fn new(tenant: impl Into<String>, checks: Vec<CheckJson>) -> Self {
        let count = |state| checks.iter().filter(|check| check.state == state).count();
        Self {
            schema_version: SCHEMA_VERSION,
            command: "doctor",
            tenant: tenant.into(),
            summary: DoctorSummaryJson {
                ok: count(CheckState::Ok),
                warnings: count(CheckState::Warning),
                problems: count(CheckState::Problem),
                unknown: count(CheckState::Unknown),
            },
            checks,
        }
    }

    /// The checks of each group, in the order of the report.
    fn groups(&self) -> Vec<(CheckGroup, Vec<&CheckJson>)> {
        let mut groups: Vec<(CheckGroup, Vec<&CheckJson>)> = Vec::new();
        for check in &self.checks {
            match groups.iter_mut().find(|(group, _)| *group == check.group) {
                Some((_, checks)) => checks.push(check),
                None => groups.push((check.group, vec![check])),
            }
        }
        groups.sort_by_key(|(group, _)| *group);
        groups
    }

    /// "contoso.onmicrosoft.com: 1 problem, 2 warnings, 14 ok".
    fn summary_line(&self) -> String {
        let DoctorSummaryJson {
            ok,
            warnings,
            problems,
            unknown,
        } = self.summary;
        let mut parts = Vec::new();
        if problems > 0 {
            parts.push(super::counted(problems, "problem"));
        }
        if warnings > 0 {
            parts.push(super::counted(warnings, "warning"));
        }
        if unknown > 0 {
            parts.push(format!("{unknown} not checked"));
        }
        if parts.is_empty() {
            return format!("{}: all {ok} checks are ok", self.tenant);
        }
        parts.push(format!("{ok} ok"));
        format!("{}: {}", self.tenant, parts.join(", "))
    }
}

/// Writes the checks: JSON, Markdown, else text for people.
///
/// # Errors
/// Only those of `out`.
pub fn render(
    report: &DoctorJson,
    format: Format,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Json => json::write(report, out),
        Format::Markdown => markdown::report(report, out),
        _ => human::report(report, style, out),
    }
}
