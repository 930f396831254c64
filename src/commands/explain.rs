//! `iefctl explain`.

use std::io::Write as _;

use anyhow::{Result, bail};

use crate::diagnostics::near_miss;
use crate::rules;

use super::{Exit, Shell};

/// Show what a rule finds; without RULE, list all rules
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl explain
  iefctl explain ref-claimtype")]
pub struct ExplainArgs {
    /// The rule, as reports name it in brackets
    #[arg(value_name = "RULE")]
    rule: Option<String>,
}

/// Runs `iefctl explain`.
///
/// # Errors
/// If there is no such rule.
pub fn run(args: &ExplainArgs, shell: &Shell) -> Result<Exit> {
    let Some(id) = &args.rule else {
        let width = rules::all().map(|rule| rule.id.len()).max().unwrap_or(0);
        shell.print(|out| {
            for rule in rules::all() {
                let level = rule.level.to_string();
                writeln!(out, "{:width$}  {level:7}  {}", rule.id, rule.summary)?;
            }
            Ok(())
        })?;
        return Ok(Exit::Clean);
    };
    let Some(rule) = rules::find(id) else {
        match near_miss(id, rules::all().map(|rule| rule.id)) {
            Some(near) => bail!("there is no rule `{id}`; did you mean `{near}`?"),
            None => bail!("there is no rule `{id}`; `iefctl explain` lists all rules"),
        }
    };
    shell.print(|out| {
        writeln!(out, "{} ({})", rule.id, rule.level)?;
        writeln!(out, "{}", rule.summary)
    })?;
    Ok(Exit::Clean)
}
