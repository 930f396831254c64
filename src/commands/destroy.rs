//! `iefctl destroy`.

use std::sync::Arc;

use anyhow::{Result, bail};

use crate::deploy::{self, Local, Materials, Plan, PlanOptions, Remote};
use crate::diagnostics::Report;
use crate::output::{self, Format};
use crate::policy::Renaming;

use super::choice::{TenantChoice, chosen_tenant};
use super::confirm::{Unattended, agreed};
use super::deployment::{self, Deployment, Display, Ready};
use super::plan::{read, runtime};
use super::snapshots::SnapshotArgs;
use super::tenant::{Connection, Need};
use super::{Exit, Shell, ending};

/// How many calls run at a time.
const CONCURRENCY: usize = 8;

/// Remove a copy that was deployed with --prefix
///
/// Deletes every policy of the tenant whose id begins with B2C_1A_ and the prefix, children before
/// their bases, and nothing else; keysets stay. What is deleted is saved first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl destroy --prefix pr123_ -e test            shows the list and asks
  iefctl destroy --prefix pr123_ -e test --yes      in a pipeline

Refuses if a policy that stays inherits from one of the copy.

Exit status: 0 nothing of the copy is left, 1 something is left, 2 could not run")]
pub struct DestroyArgs {
    /// What the ids of the copy have behind B2C_1A_
    #[arg(long, value_name = "TEXT")]
    prefix: String,

    #[command(flatten)]
    choice: TenantChoice,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    snapshots: SnapshotArgs,

    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
}

/// Runs `iefctl destroy`.
///
/// # Errors
/// What keeps the command from running; nothing was deleted then.
pub fn run(args: &DestroyArgs, shell: &Shell) -> Result<Exit> {
    if args.prefix.is_empty() {
        bail!("--prefix is empty: it must name the copy that is to be removed");
    }
    let renaming = Renaming::new(&args.prefix, "")?;
    let project = args.choice.load(shell)?;
    let tenant = chosen_tenant(&project)?;
    let access = &args.choice.access;
    let display = Arc::new(Display::new(shell));
    runtime()?.block_on(async {
        let observer = Arc::<Display>::clone(&display);
        let needs = [Need::WritePolicies, Need::ReadKeysets];
        let connection = access
            .connect_for(&needs, &tenant, &project.access, observer, shell)
            .await?;
        let prepared =
            match deployment::lock(&args.snapshots.root(access.emulator), &connection, access) {
                Ok(lock) => prepare(args, &renaming, &connection, shell)
                    .await
                    .map(|prepared| (lock, prepared)),
                Err(error) => Err(error),
            };
        let (lock, (remote, plan)) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                connection.close().await;
                return Err(error);
            }
        };
        let deployment = Deployment {
            command: "destroy",
            format: args.format,
            concurrency: CONCURRENCY,
            snapshots: &args.snapshots,
            keep: None,
            atomic: false,
            emulator: access.emulator,
            // Whoever comes here has agreed.
            yes: true,
            levels: Vec::new(),
            prunes: false,
            display: &display,
            consent: shell,
        };
        let ready = Ready {
            connection,
            lock,
            plan,
            local: Local::default(),
            remote,
            materials: Materials::default(),
            report: Report::default(),
            ledger: None,
        };
        let deployed = deployment.carry_out(ready, shell).await?;
        ending::present(&deployed, args.format, shell)
    })
}

/// Reads the tenant, finds the copy, and asks.
async fn prepare(
    args: &DestroyArgs,
    renaming: &Renaming,
    connection: &Connection,
    shell: &Shell,
) -> Result<(Remote, Plan)> {
    // Any policy of the tenant may inherit from one of the copy.
    let remote = read(connection, None, CONCURRENCY).await?;
    let ids = remote.policies.iter().filter(|id| renaming.covers(id));
    let copy: Vec<String> = ids.cloned().collect();
    refuse_heirs(&copy, &remote)?;
    let options = PlanOptions {
        delete: copy,
        ..PlanOptions::default()
    };
    let plan = deploy::build(&connection.tenant, &Local::default(), &remote, &options).plan;
    if plan.policies.is_empty() {
        shell.say(format!(
            "{} has no policy that begins with B2C_1A_{}",
            output::plain(&plan.tenant),
            args.prefix
        ));
    } else {
        agree(args, &plan, shell)?;
    }
    Ok((remote, plan))
}

fn refuse_heirs(copy: &[String], remote: &Remote) -> Result<()> {
    let heirs = deploy::heirs_outside(copy, None, remote);
    let Some((base, heirs)) = heirs.first_key_value() else {
        return Ok(());
    };
    let base = remote.policy(base).map_or(base, |policy| &policy.id);
    bail!(
        "nothing was deleted: {} is not part of the copy and inherits from {base}; let it inherit \
         from another policy, or delete it first",
        heirs.join(", ")
    );
}

fn agree(args: &DestroyArgs, plan: &Plan, shell: &Shell) -> Result<()> {
    let count = plan.policies.len();
    let policies = if count == 1 { "policy" } else { "policies" };
    let tenant = output::plain(&plan.tenant);
    shell.say(format!("{tenant}: {count} {policies} to delete"));
    for step in &plan.policies {
        shell.say(format!("  {}", output::plain(&step.id)));
    }
    let question = format!("Delete {count} {policies} from {tenant}?");
    let unattended = Unattended::NeedsYes("nothing was deleted: this removes whole policies");
    if agreed(&question, args.yes, unattended, shell)? {
        return Ok(());
    }
    bail!("not confirmed: nothing was deleted")
}
