//! The commands: one file each, with its arguments, examples and exit status.
//!
//! A command connects the rooms: it loads the project, calls what validates or deploys, and hands the
//! result to a format. This is where errors get their context and where output is written; no other
//! room decides what a user sees or how the process ends.

mod atomic_file;
pub mod build;
mod choice;
pub mod ci;
mod ci_summary;
pub mod config;
mod confirm;
pub mod deploy;
mod deployed;
mod deployment;
pub mod destroy;
pub mod doctor;
pub mod emulator;
mod ending;
mod environments;
pub mod explain;
mod files;
mod fix;
mod formats;
pub mod graph;
pub mod init;
mod interruption;
pub mod keys;
mod lookups;
pub mod man;
mod masking;
mod outcome_view;
pub mod ownership;
pub mod plan;
mod plan_view;
pub mod project;
pub mod pull;
mod report_file;
pub mod rollback;
mod saved_plan;
pub mod shell;
mod sign_in;
mod signals;
mod snapshots;
pub mod tenant;
pub mod validate;
mod watch;

use std::process::ExitCode;

pub use shell::Shell;

use crate::diagnostics::Rule;

/// The rules that need a tenant: what stands against a deployment before anything is written.
pub(crate) fn deploy_rules() -> impl Iterator<Item = &'static Rule> {
    crate::deploy::RULES.iter().copied()
}

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing to report.
    Clean,
    /// Findings of level error, or a deployment that is not complete.
    Findings,
    /// The command could not run: usage, configuration, sign-in, network, before anything was
    /// written.
    CouldNotRun,
    /// Changes are pending; only `plan --exit-code`.
    ChangesPending,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::CouldNotRun => 2,
            Exit::ChangesPending => 3,
        })
    }
}
