//! `iefctl deploy`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

use crate::config::Project;
use crate::deploy::{Materials, Plan, PolicyAction};
use crate::output::Format;

use super::deployed::Deployed;
use super::deployment::{Deployment, Display, Ready};
use super::ownership::PruneArgs;
use super::plan::{Prepared, TenantSide, runtime, validated};
use super::project::{ProjectArgs, Validated};
use super::tenant::TenantArgs;
use super::validate::report;
use super::{Exit, Shell, saved_plan};

/// Bring policies into a tenant
///
/// Validates, compares with the tenant, provisions keysets that are missing, and uploads what
/// changed, every policy as soon as its base is there. Run again, it does only what is left.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl deploy policies -e dev --emulator     into an emulated tenant on this machine
  iefctl deploy policies -e test
  iefctl deploy policies -e prod --plan plan.json
  iefctl deploy policies -t contoso.onmicrosoft.com --format json

Signs in with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of an application in the tenant that has the
application permissions Policy.ReadWrite.TrustFramework and TrustFrameworkKeySet.ReadWrite.All.

On a terminal it asks before it writes to an environment marked production; without one it never does.
Ctrl-C lets running calls end and starts no others; once more ends at once. Whatever happens, run it
again: it finds out what is done and does what is left. `iefctl rollback` undoes it. From one folder only
one run at a time writes to a tenant; nothing can keep others out, so let your pipeline run one at a time.

Exit status: 0 the tenant is as the files say, 1 errors or an incomplete deployment, 2 could not run")]
pub struct DeployArgs {
    #[command(flatten)]
    project: ProjectArgs,

    #[command(flatten)]
    tenant: TenantArgs,

    #[command(flatten)]
    prune: PruneArgs,

    /// How many calls run at a time [default: 8, or what the configuration says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: Option<u16>,

    /// Do exactly what a plan says that `plan --out` saved, or refuse
    #[arg(long, value_name = "FILE", conflicts_with = "prune")]
    plan: Option<PathBuf>,

    /// Do not ask before writing to an environment marked production
    #[arg(short, long)]
    yes: bool,

    /// If anything fails, put back what was overwritten
    #[arg(long)]
    atomic: bool,

    /// Folder under which everything is saved before it is overwritten
    #[arg(long, value_name = "DIR", default_value = ".iefctl/snapshots")]
    snapshots: PathBuf,

    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
}

/// Runs `iefctl deploy`.
///
/// # Errors
/// What keeps the command from running; nothing was written to the tenant then.
pub fn run(args: &DeployArgs, shell: &Shell) -> Result<Exit> {
    let saved = match &args.plan {
        Some(file) => Some(saved_plan::read(file)?),
        None => None,
    };
    let project = args.project.load(shell)?;
    let Some(validated) = validated(&project, args.format, "deploy", shell)? else {
        return Ok(Exit::Findings);
    };
    match runtime()?.block_on(deploy(args, &project, validated, saved, shell))? {
        Ended::Refused(validated) => {
            report(&validated, args.format, "deploy", shell)?;
            Ok(Exit::Findings)
        }
        Ended::Deployed(deployed) => deployed.present(args.format, shell),
    }
}

/// How a deployment to one tenant ended.
enum Ended {
    /// Something stands against it; nothing was written.
    Refused(Box<Validated>),
    Deployed(Box<Deployed>),
}

/// Brings one validated project into its tenant. Reports nothing but progress.
async fn deploy(
    args: &DeployArgs,
    project: &Project,
    validated: Validated,
    saved: Option<Plan>,
    shell: &Shell,
) -> Result<Ended> {
    let concurrency = args.concurrency.map(usize::from).or(project.concurrency);
    let concurrency = concurrency.unwrap_or(8);
    let display = Arc::new(Display::new(shell));
    let deletions = saved.iter().flat_map(|plan| &plan.policies);
    let deletions = deletions.filter(|step| step.action == PolicyAction::Delete);
    let side = TenantSide {
        args: &args.tenant,
        prune: &args.prune,
        paths: &args.project.paths,
        concurrency,
        observer: Arc::<Display>::clone(&display),
        delete: deletions.map(|step| step.id.clone()).collect(),
        lock: Some(&args.snapshots),
    };
    let Prepared {
        connection,
        lock,
        local,
        remote,
        planned,
        mut validated,
        ledger,
    } = side.prepare(project, validated, shell).await?;
    let plan = match saved {
        None => planned.plan,
        Some(saved) => {
            let fits =
                saved_plan::check(&saved, &planned.plan, &connection.tenant, &local, &remote);
            if let Err(error) = fits {
                connection.close().await;
                return Err(error);
            }
            saved
        }
    };
    let (materials, findings) = Materials::gather(
        &plan,
        &local,
        &|source| source.read(&|name| shell.variable(name)),
        args.tenant.emulator,
    );
    validated.add(findings.into_iter(), project);
    if validated.report.has_errors() {
        connection.close().await;
        return Ok(Ended::Refused(Box::new(validated)));
    }
    let levels = project.rule_levels.iter();
    let deployment = Deployment {
        command: "deploy",
        format: args.format,
        concurrency,
        snapshots: &args.snapshots,
        atomic: args.atomic,
        emulator: args.tenant.emulator,
        yes: args.yes,
        levels: levels
            .map(|level| (level.rule.clone(), level.level))
            .collect(),
        prunes: args.prune.prune,
        display: &display,
    };
    let ready = Ready {
        connection,
        lock,
        plan,
        local,
        remote,
        materials,
        report: validated.report,
        ledger,
    };
    let deployed = deployment.carry_out(ready, shell).await?;
    Ok(Ended::Deployed(Box::new(deployed)))
}
