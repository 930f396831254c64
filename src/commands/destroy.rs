//! `iefctl destroy`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::config::{self, LoadOptions};
use crate::deploy::{self, Local, Materials, Plan, PlanOptions, Remote};
use crate::diagnostics::Report;
use crate::output::{self, Format};
use crate::policy::Renaming;

use super::deployment::{Deployment, Display, Ready};
use super::plan::{read, runtime};
use super::tenant::{Connection, Need, TenantArgs};
use super::{Exit, Shell};

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

    /// Environment of the configuration whose tenant is meant
    #[arg(short, long, value_name = "NAME", env = "IEFCTL_ENVIRONMENT")]
    environment: Option<String>,

    /// Tenant, such as contoso.onmicrosoft.com
    #[arg(
        short = 't',
        long = "tenant",
        id = "tenant-name",
        value_name = "DOMAIN"
    )]
    tenant_name: Option<String>,

    /// Configuration file [default: iefctl.toml or appsettings.json in this folder or above it]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    tenant: TenantArgs,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    /// Folder under which everything is saved before it is deleted
    #[arg(long, value_name = "DIR", default_value = ".iefctl/snapshots")]
    snapshots: PathBuf,

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
    let options = LoadOptions {
        config: args.config.clone(),
        environment: args.environment.clone(),
        tenant: args.tenant_name.clone(),
        with: Vec::new(),
    };
    let project = config::load_without_policies(&options, &|name| shell.variable(name))?;
    let Some(tenant) = project.settings.tenant else {
        bail!("no tenant is chosen: name it with `--tenant DOMAIN` or `--environment NAME`");
    };
    let display = Arc::new(Display::new(shell));
    runtime()?.block_on(async {
        let observer = Arc::<Display>::clone(&display);
        let needs = [Need::WritePolicies, Need::ReadKeysets];
        let connection = args
            .tenant
            .connect_for(&needs, &tenant, &project.access, observer, shell)
            .await?;
        let (remote, plan) = match prepare(args, &renaming, &connection, shell).await {
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
            atomic: false,
            emulator: args.tenant.emulator,
            // Whoever comes here has agreed.
            yes: true,
            levels: Vec::new(),
            prunes: false,
            display: &display,
        };
        let ready = Ready {
            connection,
            plan,
            local: Local::default(),
            remote,
            materials: Materials::default(),
            report: Report::default(),
            ledger: None,
        };
        deployment.carry_out(ready, shell).await
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
    if args.yes {
        return Ok(());
    }
    if !shell.can_ask() {
        bail!("nothing was deleted: nobody can be asked here; say --yes if that is meant");
    }
    let question = format!("Delete {count} {policies} from {tenant}?");
    if shell
        .confirm(&question)
        .context("cannot read the answer; `--yes` does not ask")?
    {
        return Ok(());
    }
    bail!("not confirmed: nothing was deleted")
}
