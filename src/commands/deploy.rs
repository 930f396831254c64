//! `iefctl deploy`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};

use crate::config::Project;
use crate::deploy::{Materials, Plan, PolicyAction};
use crate::emulator::Emulator;
use crate::output::Format;

use super::deployment::{Consent, Deployment, Display, Ready};
use super::ending::{self, Ending};
use super::environments::{self, AllArgs, Candidate, Name};
use super::ownership::PruneArgs;
use super::plan::{Prepared, TenantSide, runtime, validated};
use super::project::{ProjectArgs, Validated};
use super::snapshots::{KeepArgs, SnapshotArgs};
use super::tenant::TenantArgs;
use super::validate::Checked;
use super::{Exit, Shell, masking, saved_plan};

/// Bring policies into a tenant
///
/// Validates, compares with the tenant, provisions keysets that are missing, and uploads what
/// changed, every policy as soon as its base is there. Run again, it does only what is left.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl deploy policies -e dev --emulator     into an emulated tenant on this machine
  iefctl deploy policies -e test
  iefctl deploy policies -e dev -e test        two tenants at the same time, each by itself
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
    all: AllArgs,

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

    #[command(flatten)]
    snapshots: SnapshotArgs,

    #[command(flatten)]
    keep: KeepArgs,

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
    let environments = environments::chosen(&args.project, args.all, shell)?;
    let environment = match environments.as_slice() {
        [environment] => environment.as_deref(),
        _ => return several(args, environments, shell),
    };
    let project = args.project.of(environment).load(shell)?;
    let Some(validated) = validated(&project, args.format, "deploy", shell)? else {
        return Ok(Exit::Findings);
    };
    let way = Way {
        args,
        tenant: &args.tenant,
        display: Arc::new(Display::new(shell)),
        consent: shell,
    };
    let ended = runtime()?.block_on(way.deploy(&project, validated, saved, shell))?;
    ending::present(&*ended, args.format, shell)
}

/// How a deployment to one tenant ended: with something that stands against it, or with what was done.
type Ended = Box<dyn Ending + Send>;

/// How one project is brought into its tenant.
struct Way<'a> {
    args: &'a DeployArgs,
    tenant: &'a TenantArgs,
    display: Arc<Display>,
    consent: &'a dyn Consent,
}

impl Way<'_> {
    /// Brings one validated project into its tenant. Reports nothing but progress.
    async fn deploy(
        &self,
        project: &Project,
        validated: Validated,
        saved: Option<Plan>,
        shell: &Shell,
    ) -> Result<Ended> {
        let args = self.args;
        let concurrency = args.concurrency.map(usize::from).or(project.concurrency);
        let concurrency = concurrency.unwrap_or(8);
        let deletions = saved.iter().flat_map(|plan| &plan.policies);
        let deletions = deletions.filter(|step| step.action == PolicyAction::Delete);
        let snapshots = args.snapshots.root(args.tenant.emulator);
        let side = TenantSide {
            args: self.tenant,
            prune: &args.prune,
            paths: &args.project.paths,
            concurrency,
            observer: Arc::<Display>::clone(&self.display),
            delete: deletions.map(|step| step.id.clone()).collect(),
            lock: Some(&snapshots),
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
            &masking::key_values(shell),
            args.tenant.emulator,
        );
        validated.add(findings.into_iter(), project);
        if validated.report.has_errors() {
            connection.close().await;
            return Ok(refused(validated));
        }
        let levels = project.rule_levels.iter();
        let deployment = Deployment {
            command: "deploy",
            format: args.format,
            concurrency,
            snapshots: &args.snapshots,
            keep: Some(args.keep),
            atomic: args.atomic,
            emulator: args.tenant.emulator,
            yes: args.yes,
            levels: levels
                .map(|level| (level.rule.clone(), level.level))
                .collect(),
            prunes: args.prune.prune,
            display: &self.display,
            consent: self.consent,
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
        Ok(Box::new(deployment.carry_out(ready, shell).await?))
    }
}

/// Brings the policies into the tenants of several environments at the same time. What is wrong with
/// the files of one keeps all from being written to; what happens in one tenant concerns no other.
fn several(args: &DeployArgs, environments: Vec<Name>, shell: &Shell) -> Result<Exit> {
    if args.plan.is_some() {
        bail!("a saved plan is for one environment: choose it with `--environment NAME`");
    }
    let format = environments::format_for_several(args.format, shell)?;
    let emulated = args.tenant.emulator;
    let candidates = environments::load_for_tenants(&args.project, environments, emulated, shell)?;
    if candidates
        .iter()
        .any(|candidate| candidate.validated.report.has_errors())
    {
        let ends = candidates.into_iter().map(|candidate| {
            let end = match candidate.validated.report.has_errors() {
                true => Ok(refused(candidate.validated)),
                false => Err(anyhow!(
                    "nothing was deployed, because of another environment"
                )),
            };
            (candidate.name, end)
        });
        let ends: Vec<_> = ends.collect();
        return present(format, &ends, shell);
    }
    // One emulator holds all tenants, as the service does.
    let home = runtime()?;
    let emulator = home.block_on(args.tenant.start_emulator())?;
    let tenant = TenantArgs {
        running_emulator: emulator.as_ref().map(Emulator::url),
        ..args.tenant.clone()
    };
    let display = Display::new(shell);
    let ends = environments::side_by_side(
        candidates,
        &|question| shell.ask(Some(question)),
        &|candidate, gate| {
            let way = Way {
                args,
                tenant: &tenant,
                display: Arc::new(display.labelled(&candidate.name)),
                consent: gate,
            };
            let Candidate {
                project, validated, ..
            } = candidate;
            runtime()?.block_on(way.deploy(&project, validated, None, shell))
        },
    );
    display.finish();
    if let Some(emulator) = emulator {
        home.block_on(emulator.shutdown());
    }
    present(format, &ends, shell)
}

fn refused(validated: Validated) -> Ended {
    Box::new(Checked::new(validated, "deploy"))
}

fn present(format: Format, ends: &[(String, Result<Ended>)], shell: &Shell) -> Result<Exit> {
    let ends = ends.iter().map(|(name, end)| {
        let ending = end.as_ref().map(|end| -> &dyn Ending { &**end });
        (name.as_str(), ending)
    });
    let ends: Vec<_> = ends.collect();
    ending::present_all(("deploy", "deployed"), format, &ends, shell)
}
