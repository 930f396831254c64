//! `iefctl keys list` and `iefctl keys show`.

use std::path::PathBuf;

use anyhow::Result;

use crate::commands::choice::TenantChoice;
use crate::commands::project::{self, ProjectArgs};
use crate::commands::tenant::{Connection, Need, tenant_name};
use crate::commands::{Exit, Shell, formats};
use crate::config::Project;
use crate::deploy::keys::{KeyUser, Scope, read, users_in_set};
use crate::output::Format;
use crate::output::json::SCHEMA_VERSION;
use crate::output::keys::{self, KeysetsJson};

use super::{CONCURRENCY, connected, existing, explained, now, presentation};

/// List the keysets of a tenant: kind, use, number of keys, active key and its end
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl keys list -t contoso.onmicrosoft.com
  iefctl keys list policies -e prod            also which of the policies need each

Exit status: 0, 2 could not run")]
pub(super) struct ListArgs {
    /// Policies whose needs to show
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    choice: TenantChoice,

    /// How to report
    #[arg(long, value_name = "FORMAT", value_parser = formats::one_of(formats::RESULT))]
    format: Option<Format>,
}

/// Show the keys of a keyset; secret parts never come back from the service
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl keys show TokenSigningKeyContainer -e prod

Exit status: 0, 2 could not run")]
pub(super) struct ShowArgs {
    /// The keyset; the prefix B2C_1A_ may be left out
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    choice: TenantChoice,

    /// How to report
    #[arg(long, value_name = "FORMAT", value_parser = formats::one_of(formats::RESULT))]
    format: Option<Format>,
}

pub(super) fn list(args: &ListArgs, shell: &Shell) -> Result<Exit> {
    let choice = &args.choice;
    let (project, tenant, users) = if args.paths.is_empty() {
        let (project, tenant) = choice.resolve(shell)?;
        (project, tenant, None)
    } else {
        let args = ProjectArgs {
            paths: args.paths.clone(),
            ..choice.project()
        };
        let (project, tenant, users) = needs(&args, choice.access.emulator, shell)?;
        (project, tenant, Some(users))
    };
    connected(
        &tenant,
        &project.access,
        &choice.access,
        &[Need::ReadKeysets],
        shell,
        async |connection: &Connection| {
            let keysets = read(&connection.client, &Scope::All, CONCURRENCY)
                .await
                .map_err(|error| explained(&error))?;
            let now = now();
            let list = KeysetsJson {
                schema_version: SCHEMA_VERSION,
                command: "keys list",
                tenant: tenant.clone(),
                keysets: keysets
                    .iter()
                    .map(|keyset| presentation::keyset(keyset, users.as_deref(), now))
                    .collect(),
            };
            let format = shell.format(args.format);
            shell.print(|out| keys::render_keysets(&list, format, shell.style(), out))?;
            Ok(Exit::Clean)
        },
    )
}

pub(super) fn show(args: &ShowArgs, shell: &Shell) -> Result<Exit> {
    let (project, tenant) = args.choice.resolve(shell)?;
    connected(
        &tenant,
        &project.access,
        &args.choice.access,
        &[Need::ReadKeysets],
        shell,
        async |connection: &Connection| {
            let keyset = existing(connection, &args.id).await?;
            let list = KeysetsJson {
                schema_version: SCHEMA_VERSION,
                command: "keys show",
                tenant: tenant.clone(),
                keysets: vec![presentation::keyset(&keyset, None, now())],
            };
            let format = shell.format(args.format);
            shell.print(|out| keys::render_keysets(&list, format, shell.style(), out))?;
            Ok(Exit::Clean)
        },
    )
}

/// The tenant of some policies, and where they need keysets. Errors in the policies do not keep a
/// look at the tenant from being useful, but they are not passed over in silence.
pub(super) fn needs(
    args: &ProjectArgs,
    emulator: bool,
    shell: &Shell,
) -> Result<(Project, String, Vec<KeyUser>)> {
    let project = args.load(shell)?;
    let validated = project::validate(&project, None, shell)?;
    let errors = validated.report.summary().errors;
    if errors > 0 {
        shell.say(format!(
            "warning: the policies have {errors} errors (`iefctl validate` shows them); keysets that \
             the faulty parts need may be missing here"
        ));
    }
    let mut tenant: Option<String> = None;
    let mut users = Vec::new();
    for set in &validated.sets {
        let name = tenant_name(&project, set, emulator)?;
        if let Some(known) = tenant
            .as_ref()
            .filter(|known| !known.eq_ignore_ascii_case(&name))
        {
            anyhow::bail!(
                "the policies are for several tenants, {known} and {name}: run once for each"
            );
        }
        tenant = Some(name);
        users.extend(users_in_set(set, &validated.report.sources));
    }
    let Some(tenant) = tenant else {
        anyhow::bail!("there is no policy");
    };
    Ok((project, tenant, users))
}
