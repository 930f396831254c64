//! Which deployments are recorded as whose, for `--prune` of `plan` and `deploy`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::config::Project;
use crate::deploy::{Ledger, Scope, TenantIdentity};

use super::Shell;

/// How policies are found that the project does not contain any more.
#[derive(Debug, Clone, clap::Args)]
pub struct PruneArgs {
    /// Delete what this project deployed to the tenant earlier and does not contain any more
    #[arg(long)]
    pub prune: bool,

    /// Folder with the record of what was deployed, which --prune needs from one run to the next
    #[arg(long, value_name = "DIR", default_value = ".iefctl/ledger")]
    pub ledger: PathBuf,
}

impl PruneArgs {
    /// The record of deployments, where one is kept: always with `--prune` and where the
    /// configuration names the project, else for a folder as a whole. Without a record none is
    /// begun unless this run deploys.
    ///
    /// # Errors
    /// With `--prune` if only a part of the project is worked on; if there is a record that cannot
    /// be used.
    pub(super) fn open(
        &self,
        project: &Project,
        paths: &[PathBuf],
        tenant: &TenantIdentity,
        shell: &Shell,
    ) -> Result<Option<Ledger>> {
        let whole = is_whole(project, paths);
        if self.prune && !whole {
            bail!(
                "--prune deletes what is not among the files, so it needs all of them: leave out \
                 the paths, or name the one folder of the project"
            );
        }
        let name = match &project.name {
            Some((name, _)) => name.clone(),
            None if whole => folder_name(project, paths)?,
            None => return Ok(None),
        };
        let part = |part: fn(&crate::policy::Renaming) -> &str| {
            project.renaming.as_ref().map_or("", part).to_owned()
        };
        let scope = Scope {
            environment: project.settings.environment.clone(),
            prefix: part(crate::policy::Renaming::prefix),
            suffix: part(crate::policy::Renaming::suffix),
        };
        let ledger = Ledger::open(&self.ledger, &name, tenant, scope)
            .context(
                "nothing was done, because the record of what this project deployed cannot be read: make \
                 it readable, or name another folder with --ledger",
            )?;
        if self.prune && ledger.is_new() {
            shell.say(format!(
                "note: nothing is pruned: {} has no record of earlier deployments of `{name}` to {}",
                self.ledger.display(),
                tenant.name
            ));
        }
        Ok(Some(ledger))
    }
}

/// Whether the files are all that belong to the project.
fn is_whole(project: &Project, paths: &[PathBuf]) -> bool {
    project.is_complete
        || (project.config_source.is_none() && matches!(paths, [folder] if folder.is_dir()))
}

/// A project without a name is known by where it lies.
fn folder_name(project: &Project, paths: &[PathBuf]) -> Result<String> {
    let folder = match paths {
        [folder] if project.config_source.is_none() => folder.as_path(),
        _ => project.folder.as_path(),
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let real = std::fs::canonicalize(folder)
        .with_context(|| format!("cannot tell where `{}` lies", folder.display()))?;
    Ok(format!("folder {}", real.display()))
}
