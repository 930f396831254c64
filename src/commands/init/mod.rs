//! `iefctl init`: the first `iefctl.toml`, for a folder of policies (`first.rs`) or from the file of
//! another tool (`from.rs`), and preparing a tenant (`tenant.rs`).

mod first;
mod from;
mod settings_file;
mod tenant;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::config::{Kind, relative};

use super::atomic_file::StagedFile;
use super::project::config_format;
use super::{Exit, Shell};

/// Write the first iefctl.toml, or prepare a tenant for custom policies
///
/// With --tenant: registers the applications IdentityExperienceFramework and
/// ProxyIdentityExperienceFramework with scope, service principals and admin consent, and makes the
/// keysets that sign and encrypt tokens. What is there stays as it is, what is missing is added; a
/// run that was broken off is completed by the next one.
///
/// Without --tenant and --from, for the policies in a folder: their tenant, and the keysets whose keys only a person
/// has. With --from, what the file of another tool says: appsettings.json of the VS Code extension,
/// conf.json of IEFPolicies, the deployment file of the GitHub Action, the configurations of ieftool and
/// go-ieftool. The result is compared with the old file before anything is written: every policy
/// becomes the same, byte for byte.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl init policies
  iefctl init --from appsettings.json
  iefctl init policies --from .github/workflows/deployment.json --rewrite
  iefctl init --tenant contoso.onmicrosoft.com --dry-run
  iefctl init --tenant -e dev --write           the ids go to [environments.dev.settings]
  iefctl init --tenant contoso.onmicrosoft.com --emulator

--tenant needs the application permissions Application.ReadWrite.All,
DelegatedPermissionGrant.ReadWrite.All and TrustFrameworkKeySet.ReadWrite.All; the first two can be
taken away afterwards.

Exit status: 0 written, shown, or all is there, 1 the tenant is not complete or it was declined, 2
could not run")]
pub struct InitArgs {
    /// Folder of the policies [default: the folder of the file, else the current one]
    #[arg(value_name = "FOLDER", conflicts_with = "tenant")]
    folder: Option<PathBuf>,

    /// Configuration of another tool to convert
    #[arg(long, value_name = "FILE", conflicts_with = "tenant")]
    from: Option<PathBuf>,

    /// Which tool --from is for, where the content does not tell
    #[arg(long, value_name = "TOOL", requires = "from", value_parser = config_format)]
    from_format: Option<Kind>,

    /// Domain of the tenant, for files that name none
    #[arg(long, value_name = "DOMAIN", requires = "from")]
    domain: Option<String>,

    /// Also write the placeholders of the other tool in the policies as those of iefctl
    #[arg(long, requires = "from")]
    rewrite: bool,

    /// Overwrite an iefctl.toml
    #[arg(long, conflicts_with = "tenant")]
    force: bool,

    #[command(flatten)]
    tenant: tenant::TenantSetupArgs,
}

/// Runs `iefctl init`.
///
/// # Errors
/// What keeps the command from running; nothing was written then.
pub fn run(args: &InitArgs, shell: &Shell) -> Result<Exit> {
    if args.tenant.is_asked_for() {
        return tenant::run(&args.tenant, shell);
    }
    if let Some(option) = args.tenant.is_given_in_vain() {
        bail!("{option} is about preparing a tenant: name it with --tenant, or leave {option} out");
    }
    match &args.from {
        Some(file) => from::run(args, file, shell),
        None => first::run(args, shell),
    }
}

/// A file that is to be written.
struct NewFile {
    path: PathBuf,
    text: String,
}

impl InitArgs {
    const fn is_dry_run(&self) -> bool {
        self.tenant.dry_run
    }

    /// Refuses to overwrite what is there.
    fn check_free(&self, path: &Path) -> Result<()> {
        if path.symlink_metadata().is_ok() && !self.force {
            bail!(
                "`{}` exists: remove it, or overwrite it with --force; --dry-run shows what would be \
                 written",
                path.display()
            );
        }
        Ok(())
    }
}

/// Writes all files or none: first beside their places, then each into its place.
fn write(files: &[NewFile]) -> Result<()> {
    let mut staged = Vec::new();
    for file in files {
        let shown = file.path.display();
        let cannot = || format!("cannot write `{shown}`; nothing was written");
        if let Ok(metadata) = std::fs::metadata(&file.path)
            && metadata.permissions().readonly()
        {
            bail!("`{shown}` is read-only; nothing was written");
        }
        let new = StagedFile::new(&file.path, file.text.as_bytes()).with_context(cannot)?;
        staged.push((&file.path, new));
    }
    let mut written: Vec<String> = Vec::new();
    for (path, new) in staged {
        new.commit().with_context(|| match written.as_slice() {
            [] => format!("cannot write `{}`; nothing was written", path.display()),
            before => format!(
                "cannot write `{}`; written before: {}",
                path.display(),
                before.join(", ")
            ),
        })?;
        written.push(path.display().to_string());
    }
    Ok(())
}

/// A path as seen from the current folder, with forward slashes.
fn shown(path: &Path) -> String {
    relative(path, Path::new(".")).unwrap_or_else(|| path.display().to_string())
}
