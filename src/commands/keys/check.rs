//! `iefctl keys check`.

use std::path::PathBuf;

use anyhow::Result;

use crate::commands::choice::TenantChoice;
use crate::commands::project::ProjectArgs;
use crate::commands::tenant::{Connection, Need};
use crate::commands::{Exit, Shell, formats};
use crate::config::Project;
use crate::deploy::keys::{self, CheckOptions, KeysReport, Scope};
use crate::deploy::parse_span;
use crate::diagnostics::Level;
use crate::output::Format;
use crate::output::keys::render_check;

use super::listing::needs;
use super::{CONCURRENCY, configured_tenant, connected, explained, now, presentation};

/// Check the keysets that policies need: missing, wrong use or kind, no active key, expiring
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl keys check policies -e prod                 for a nightly job
  iefctl keys check policies -e prod --within 60d
  iefctl keys check --all -t contoso.onmicrosoft.com   every keyset of the tenant

Needs the application permission TrustFrameworkKeySet.Read.All only.

Exit status: 0 all is well, 1 something is wrong, 2 could not run")]
pub(super) struct CheckArgs {
    /// Policies whose keysets to check [default: the configured set, else the current folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    choice: TenantChoice,

    /// Also keysets of the tenant that none of the policies needs
    #[arg(long)]
    all: bool,

    /// Report keys that expire within this time, such as 30d
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = parse_span)]
    within: i64,

    /// How to report
    #[arg(long, value_name = "FORMAT", value_parser = formats::one_of(formats::ANNOTATED))]
    format: Option<Format>,
}

pub(super) fn run(args: &CheckArgs, shell: &Shell) -> Result<Exit> {
    let format = shell.format(args.format);
    let choice = &args.choice;
    let project_args = ProjectArgs {
        paths: args.paths.clone(),
        ..choice.project()
    };
    let emulator = choice.access.emulator;
    let configuration = project_args.load_configuration(shell);
    let (tenant, users, project) = match needs(&project_args, emulator, shell) {
        Ok((project, tenant, users)) => (tenant, users, project),
        // Without policies the tenant alone can be checked.
        Err(error) if args.all && args.paths.is_empty() => {
            let project = configuration?;
            let tenant = configured_tenant(&project_args, &project, emulator, shell)?;
            shell.say(format!("note: no policies are checked: {error:#}"));
            (tenant, Vec::new(), project)
        }
        Err(error) => return Err(error),
    };
    connected(
        &tenant,
        &project.access,
        &choice.access,
        &[Need::ReadKeysets],
        shell,
        async |connection: &Connection| {
            let scope = if args.all {
                Scope::All
            } else {
                Scope::These(users.iter().map(|user| user.keyset.clone()).collect())
            };
            let keysets = keys::read(&connection.client, &scope, CONCURRENCY)
                .await
                .map_err(|error| explained(&error))?;
            let options = CheckOptions {
                now: now(),
                within: args.within,
                all: args.all,
            };
            let mut report = keys::check(&users, &keysets, options);
            apply_levels(&mut report, &project);
            let check = presentation::check(&report, &tenant);
            shell.print(|out| render_check(&check, format, shell.style(), out))?;
            let wrong = report
                .findings
                .iter()
                .any(|finding| finding.level == Level::Error);
            Ok(if wrong { Exit::Findings } else { Exit::Clean })
        },
    )
}

/// Takes the levels that the team configured.
fn apply_levels(report: &mut KeysReport, project: &Project) {
    for configured in &project.rule_levels {
        let is_meant = |rule: &str| rule == configured.rule;
        match configured.level {
            None => report.findings.retain(|finding| !is_meant(finding.rule.id)),
            Some(level) => {
                for finding in &mut report.findings {
                    if is_meant(finding.rule.id) {
                        finding.level = level;
                    }
                }
            }
        }
    }
}
