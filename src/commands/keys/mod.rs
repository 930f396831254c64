//! `iefctl keys`: the keysets (policy keys) of a tenant.

mod adding;
mod check;
mod delete;
mod listing;
mod presentation;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use crate::config::{Project, TenantAccess};
use crate::deploy::keys::{Scope, TenantKeyset, find, read};
use crate::deploy::{LockError, TenantLock};
use crate::diagnostics::near_miss;
use crate::msgraph::GraphError;

use super::choice::TenantChoice;
use super::deployment::Display;
use super::project::{self, ProjectArgs};
use super::snapshots::SNAPSHOTS;
use super::tenant::{Connection, Need, TenantArgs, tenant_name};
use super::{Exit, Shell};

/// How many calls run at a time.
const CONCURRENCY: usize = 8;

/// Look at and change the keysets (policy keys) of a tenant
///
/// The service uses one key of a keyset at a time: of the keys whose beginning has come the one that
/// began last, and without such a key one that has no beginning. Keys cannot be removed or replaced
/// singly, and their secret parts never come back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl keys check policies -e prod --within 30d      for a nightly job
  iefctl keys rotate TokenSigningKeyContainer -e prod --generate rsa --active-in 48h
  iefctl keys create GoogleSecret -e test --secret-env GOOGLE_SECRET

Exit status: 0 as asked, 1 something is wrong or was refused, 2 could not run")]
pub struct KeysArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(listing::ListArgs),
    Show(listing::ShowArgs),
    Check(check::CheckArgs),
    Create(adding::CreateArgs),
    Rotate(adding::RotateArgs),
    Delete(delete::DeleteArgs),
}

/// Runs `iefctl keys`.
///
/// # Errors
/// What keeps the command from running.
pub fn run(args: &KeysArgs, shell: &Shell) -> Result<Exit> {
    match &args.command {
        Command::List(args) => listing::list(args, shell),
        Command::Show(args) => listing::show(args, shell),
        Command::Check(args) => check::run(args, shell),
        Command::Create(args) => adding::create(args, shell),
        Command::Rotate(args) => adding::rotate(args, shell),
        Command::Delete(args) => delete::run(args, shell),
    }
}

impl TenantChoice {
    /// The configuration, and the name of the tenant.
    fn resolve(&self, shell: &Shell) -> Result<(Project, String)> {
        let args = self.project();
        let project = args.load_configuration(shell)?;
        let tenant = configured_tenant(&args, &project, self.access.emulator, shell)?;
        Ok((project, tenant))
    }
}

/// The tenant of the configuration, else the one that the policies of the configured set name.
pub(super) fn configured_tenant(
    args: &ProjectArgs,
    project: &Project,
    emulator: bool,
    shell: &Shell,
) -> Result<String> {
    if let Some(tenant) = &project.settings.tenant {
        return Ok(tenant.clone());
    }
    let by_policies = || -> Result<String> {
        let project = args.load(shell)?;
        let validated = project::validate(&project, None, shell)?;
        let set = validated.sets.first().context("there is no policy")?;
        tenant_name(&project, set, emulator)
    };
    by_policies().context(
        "which tenant is meant is unknown: choose it with `--tenant DOMAIN` or `--environment NAME`",
    )
}

/// Runs `work` with a connection, which is closed afterwards whatever happens.
fn connected<T>(
    tenant: &str,
    access: &TenantAccess,
    args: &TenantArgs,
    needs: &[Need],
    shell: &Shell,
    work: impl AsyncFnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    super::plan::runtime()?.block_on(async {
        let connection = args
            .connect_for(needs, tenant, access, Arc::new(Display::new(shell)), shell)
            .await?;
        let result = work(&connection).await;
        connection.close().await;
        result
    })
}

/// Keeps deployments from here out while keys change, and lets the next run know of a key whose answer
/// never came. Where nothing can be written the keys change all the same.
fn lock(connection: &Connection, access: &TenantArgs, shell: &Shell) -> Result<Option<TenantLock>> {
    if access.emulator {
        return Ok(None);
    }
    let patience = Duration::from_secs(access.timeout);
    match TenantLock::take(Path::new(SNAPSHOTS), &connection.tenant.name, patience) {
        Ok(lock) => Ok(Some(lock)),
        Err(error @ LockError::Busy { .. }) => Err(error.into()),
        Err(error @ LockError::Io { .. }) => {
            shell.note(format!("{error}: this run leaves no note"));
            Ok(None)
        }
    }
}

/// Reads one keyset of the tenant.
async fn one(connection: &Connection, name: &str) -> Result<Option<TenantKeyset>> {
    let scope = Scope::These(vec![name.to_owned()]);
    let keysets = read(&connection.client, &scope, CONCURRENCY)
        .await
        .map_err(|error| explained(&error))?;
    Ok(find(&keysets, name).cloned())
}

/// The same, where it has to exist.
async fn existing(connection: &Connection, name: &str) -> Result<TenantKeyset> {
    if let Some(keyset) = one(connection, name).await? {
        return Ok(keyset);
    }
    let keysets = connection.client.list_keysets().await;
    let keysets = keysets.map_err(|error| explained(&error))?;
    let near = near_miss(name, keysets.iter().map(|keyset| keyset.id.as_str()));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`iefctl keys list` shows those that it has".to_owned(),
    };
    bail!(
        "tenant {} has no keyset `{}`: {help}",
        connection.tenant.name,
        name.escape_debug()
    )
}

/// An error of the service with what to do about it.
pub(super) fn explained(error: &GraphError) -> anyhow::Error {
    match error.advice() {
        Some(advice) => anyhow::anyhow!("{error}\n  help: {advice}"),
        None => anyhow::anyhow!("{error}"),
    }
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
