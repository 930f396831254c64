//! `iefctl destroy`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::config::{self, LoadOptions};
use crate::deploy::{
    self, Cancellation, ExecuteOptions, Execution, Local, Materials, Outcome, Plan, PlanOptions,
    Remote,
};
use crate::output::{Format, human, json, markdown};
use crate::policy::Renaming;

use super::confirm::confirm;
use super::deploy::{Display, as_json, interrupt};
use super::plan::runtime;
use super::tenant::{Connection, TenantArgs};
use super::{Exit, Shell};

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
    let project = config::load_settings(Path::new("."), &options, &|name| shell.variable(name))?;
    let Some(tenant) = project.settings.tenant else {
        bail!("no tenant is chosen: name it with `--tenant DOMAIN` or `--environment NAME`");
    };
    runtime()?.block_on(async {
        let display = Arc::new(Display::new(shell));
        let observer = Arc::<Display>::clone(&display);
        let connection = args.tenant.connect(&tenant, observer, shell).await?;
        let finished = remove(args, &renaming, &connection, &display, shell).await;
        display.finish();
        connection.close().await;
        finished
    })
}

async fn remove(
    args: &DestroyArgs,
    renaming: &Renaming,
    connection: &Connection,
    display: &Display,
    shell: &Shell,
) -> Result<Exit> {
    let tenant = &connection.tenant;
    // Any policy of the tenant may inherit from one of the copy.
    let remote = deploy::read_all(&connection.client, 8)
        .await
        .with_context(|| format!("cannot read the tenant {}", tenant.name))?;
    let ids = remote.policies.iter().filter(|id| renaming.covers(id));
    let copy: Vec<String> = ids.cloned().collect();
    refuse_heirs(&copy, &remote)?;
    let options = PlanOptions {
        delete: copy,
        ..PlanOptions::default()
    };
    let local = Local::default();
    let plan = deploy::build(tenant, &local, &remote, &options).plan;
    if plan.policies.is_empty() {
        shell.say(format!(
            "{} has no policy that begins with B2C_1A_{}",
            tenant.name, args.prefix
        ));
    } else if !agreed(args, &plan, shell)? {
        shell.say("nothing was deleted");
        return Ok(Exit::CouldNotRun);
    }
    let cancellation = Cancellation::new();
    let interrupt = tokio::spawn(interrupt(cancellation.clone(), *shell));
    let execution = Execution {
        client: &connection.client,
        plan: &plan,
        local: &local,
        remote: &remote,
        materials: Materials::default(),
        options: ExecuteOptions {
            snapshots: Some(args.snapshots.clone()),
            ..ExecuteOptions::default()
        },
    };
    let outcome = deploy::execute(execution, display, &cancellation).await;
    interrupt.abort();
    display.finish();
    let outcome = outcome.context("nothing was deleted")?;
    present(&outcome, args.format, shell)?;
    Ok(match outcome.is_complete() {
        true => Exit::Clean,
        false => Exit::Findings,
    })
}

fn refuse_heirs(copy: &[String], remote: &Remote) -> Result<()> {
    let mut heirs: Vec<_> = deploy::heirs_outside(copy, None, remote)
        .into_iter()
        .collect();
    heirs.sort();
    let Some((base, heirs)) = heirs.first() else {
        return Ok(());
    };
    let base = remote.policy(base).map_or(base, |policy| &policy.id);
    bail!(
        "nothing was deleted: {} is not part of the copy and inherits from {base}; let it inherit \
         from another policy, or delete it first",
        heirs.join(", ")
    );
}

fn agreed(args: &DestroyArgs, plan: &Plan, shell: &Shell) -> Result<bool> {
    let count = plan.policies.len();
    let policies = if count == 1 { "policy" } else { "policies" };
    shell.say(format!("{}: {count} {policies} to delete", plan.tenant));
    for step in &plan.policies {
        shell.say(format!("  {}", step.id));
    }
    let question = format!("Delete {count} {policies} from {}?", plan.tenant);
    confirm(&question, args.yes, shell)
}

fn present(outcome: &Outcome, format: Option<Format>, shell: &Shell) -> Result<()> {
    let mut result = as_json(outcome);
    "destroy".clone_into(&mut result.command);
    let style = shell.style();
    shell.print(|out| match shell.format(format) {
        Format::Json => json::deploy::render(&result, out),
        Format::Markdown => {
            out.extend_from_slice(markdown::deploy::document(&result).as_bytes());
            Ok(())
        }
        _ => human::deploy::render(&result, style, out),
    })?;
    if let Some(folder) = &outcome.snapshot {
        shell.say(format!("what was deleted is saved in {}", folder.display()));
    }
    Ok(())
}
