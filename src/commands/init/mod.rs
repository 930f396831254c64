//! `iefctl init`.

mod settings_file;
mod tenant;

use anyhow::{Result, bail};

use super::{Exit, Shell};

/// Prepare a tenant for custom policies
///
/// With --tenant: registers the applications IdentityExperienceFramework and
/// ProxyIdentityExperienceFramework with scope, service principals and admin consent, and makes the
/// keysets that sign and encrypt tokens. What is there stays as it is, what is missing is added; a
/// run that was broken off is completed by the next one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl init --tenant contoso.onmicrosoft.com --dry-run
  iefctl init --tenant -e dev --write           the ids go to [environments.dev.settings]
  iefctl init --tenant contoso.onmicrosoft.com --emulator

Needs the application permissions Application.ReadWrite.All, DelegatedPermissionGrant.ReadWrite.All
and TrustFrameworkKeySet.ReadWrite.All; the first two can be taken away afterwards.

Exit status: 0 all is there, 1 not complete or declined, 2 could not run")]
pub struct InitArgs {
    #[command(flatten)]
    tenant: tenant::TenantSetupArgs,
}

/// Runs `iefctl init`.
///
/// # Errors
/// What keeps the command from running.
pub fn run(args: &InitArgs, shell: &Shell) -> Result<Exit> {
    if args.tenant.is_asked_for() {
        return tenant::run(&args.tenant, shell);
    }
    bail!("say what to prepare: `iefctl init --tenant contoso.onmicrosoft.com` prepares a tenant")
}
