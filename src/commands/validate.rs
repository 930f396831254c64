//! `iefctl validate`.

use anyhow::{Context as _, Result};

use crate::output::{self, Format, Options, github};
use crate::rules;

use super::project::{self, ProjectArgs, Validated};
use super::{Exit, Shell, graph};

/// Check policies without a tenant
///
/// Reads every policy of the set, replaces the settings of the environment, and reports what the
/// tenant would refuse at upload or what fails at run time, with the place in your file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl validate                              the configured set, else the current folder
  iefctl validate policies -e dev              with the settings of environment dev
  iefctl validate policies -t contoso.onmicrosoft.com
  iefctl validate scenario --with base         bases come from folder `base`
  iefctl validate policies --format sarif > findings.sarif

Exit status: 0 no errors, 1 errors, 2 could not run")]
pub struct ValidateArgs {
    #[command(flatten)]
    project: ProjectArgs,

    /// How to report [default: human; annotations in GitHub Actions and Azure Pipelines]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
}

/// Runs `iefctl validate`.
///
/// # Errors
/// What keeps the command from running.
pub fn run(args: &ValidateArgs, shell: &Shell) -> Result<Exit> {
    let project = args.project.load(shell)?;
    let validated = project::validate(&project, None, shell)?;
    report(&validated, args.format, "validate", shell)?;
    Ok(if validated.report.has_errors() {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

/// Writes a report in the format asked for, and the summary page of a GitHub job.
pub(super) fn report(
    validated: &Validated,
    format: Option<Format>,
    command: &str,
    shell: &Shell,
) -> Result<()> {
    let format = shell.format(format);
    let options = Options {
        command,
        style: shell.style(),
        rule_page: &rules::page,
    };
    shell.print(|out| output::render(&validated.report, format, &options, out))?;
    if format == Format::Github
        && let Some(path) = shell.variable("GITHUB_STEP_SUMMARY")
    {
        let tree = output::graph::mermaid(&graph::tree(validated));
        let page = github::summary_markdown(&validated.report, Some(&tree));
        super::shell::append(&path, &page)
            .with_context(|| format!("cannot write the job summary to `{path}`"))?;
    }
    Ok(())
}
