//! `iefctl ci`: what the actions and tasks of CI systems call. They pass their inputs on as environment
//! variables and leave it to this room what those mean, so that it is the same on every runner and can
//! be tested without one.
//!
//! `inputs.rs` reads, `calls.rs` and `keysets.rs` turn inputs into command lines, `github.rs` runs them
//! and hands results back to the runner; `key_file.rs` keeps a certificate while they run.

mod calls;
mod github;
mod inputs;
mod key_file;
mod keysets;

use anyhow::Result;

use super::{Exit, Shell};

/// Run as a step of a CI system: inputs come as environment variables
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  INPUT_COMMAND=validate INPUT_FOLDER=policies iefctl ci github

Exit status: that of the command which the inputs ask for"
)]
pub struct CiArgs {
    #[command(subcommand)]
    system: System,
}

#[derive(Debug, clap::Subcommand)]
enum System {
    /// Run as a step of GitHub Actions
    ///
    /// Reads the inputs of this repository's action.yml as INPUT_ variables, runs what they ask for,
    /// and writes the outputs to the file that GITHUB_OUTPUT names.
    #[command(after_help = "\
Examples:
  INPUT_COMMAND=validate INPUT_FOLDER=policies iefctl ci github

Exit status: that of the command which the inputs ask for")]
    Github,
}

/// Runs `iefctl ci`.
///
/// # Errors
/// Inputs that contradict each other or mean nothing; what the system refuses.
pub fn run(args: &CiArgs, shell: &Shell) -> Result<Exit> {
    match args.system {
        System::Github => github::run(shell),
    }
}
