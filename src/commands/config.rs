//! `iefctl config`.

use std::io::Write as _;

use anyhow::Result;

use crate::{config, rules};

use super::{Exit, Shell};

/// About the configuration file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl config schema > iefctl.schema.json")]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ConfigCommand {
    /// Print the JSON schema of iefctl.toml, by which editors complete and check it
    #[command(after_help = "\
Examples:
  iefctl config schema > iefctl.schema.json

With `#:schema ./iefctl.schema.json` as the first line of iefctl.toml, editors that know TOML (Taplo,
Even Better TOML) use it.")]
    Schema,
}

/// Runs `iefctl config`.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(args: &ConfigArgs, shell: &Shell) -> Result<Exit> {
    match args.command {
        ConfigCommand::Schema => {
            let rules: Vec<_> = rules::all().chain(super::deploy_rules()).collect();
            shell.print(|out| {
                serde_json::to_writer_pretty(&mut *out, &config::schema(&rules))?;
                writeln!(out)
            })?;
            Ok(Exit::Clean)
        }
    }
}
