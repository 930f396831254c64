//! Where what is overwritten is saved, and for how long.

use std::path::PathBuf;

use crate::deploy::{Outcome, Plan, Snapshot};
use crate::output;

use super::Shell;

/// Where deployments have their snapshots, with the lock of each tenant, unless they are told otherwise.
pub(super) const SNAPSHOTS: &str = ".iefctl/snapshots";

/// The folder of those of emulated tenants, below that of the others. An emulated tenant has the name of
/// a real one: what was saved of it must neither be put back into that nor push out what was saved
/// of that. Its name keeps it out of the list of tenants.
const EMULATED: &str = ".emulated";

/// Snapshots, for every command that overwrites.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SnapshotArgs {
    /// Folder under which everything is saved before it is overwritten or deleted
    #[arg(id = "snapshots", long = "snapshots", value_name = "DIR", default_value = SNAPSHOTS)]
    folder: PathBuf,
}

impl SnapshotArgs {
    /// The folder, for real tenants or for emulated ones.
    pub(super) fn root(&self, emulated: bool) -> PathBuf {
        match emulated {
            true => self.folder.join(EMULATED),
            false => self.folder.clone(),
        }
    }
}

/// How many snapshots are kept. Only the command that makes one for every change removes any.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct KeepArgs {
    /// So many snapshots of the tenant are kept, besides those of runs that did not finish
    #[arg(id = "keep_snapshots", long = "keep-snapshots", value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(1..))]
    keep: u16,
}

/// After a run that did all it was to do: notes that in its snapshot, and removes the oldest ones of
/// the tenant where it is said how many are kept.
pub(super) fn tidy(plan: &Plan, outcome: &Outcome, keep: Option<KeepArgs>, shell: &Shell) {
    let Some(folder) = &outcome.snapshot else {
        return;
    };
    // Nothing depends on either; the next deployment tries again.
    let mut tidied = Snapshot::finish(folder).map(|()| Vec::new());
    // Snapshots lie in a folder per tenant below the root.
    if let Some(KeepArgs { keep }) = keep
        && tidied.is_ok()
        && let Some(root) = folder.ancestors().nth(2)
    {
        tidied = Snapshot::forget(root, &plan.tenant, usize::from(keep));
        if let Ok(removed) = &tidied
            && !removed.is_empty()
        {
            shell.say(format!(
                "{} removed: --keep-snapshots is {keep}",
                output::counted(removed.len(), "old snapshot"),
            ));
        }
    }
    if let Err(error) = tidied {
        shell.say(format!("note: old snapshots stay: {error}"));
    }
}
