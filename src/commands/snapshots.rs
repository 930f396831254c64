//! Where what is overwritten is saved, and for how long.

use std::path::PathBuf;

use crate::deploy::{Outcome, Plan, Snapshot};
use crate::output;

use super::Shell;

/// Snapshots, for every command that overwrites.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SnapshotArgs {
    /// Folder under which everything is saved before it is overwritten or deleted
    #[arg(
        id = "snapshots",
        long = "snapshots",
        value_name = "DIR",
        default_value = ".iefctl/snapshots"
    )]
    pub(super) folder: PathBuf,

    /// So many snapshots of the tenant are kept, besides those of runs that did not finish
    #[arg(id = "keep_snapshots", long = "keep-snapshots", value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) keep: u16,
}

impl SnapshotArgs {
    /// After a deployment that is complete: notes that, and removes the oldest snapshots.
    pub(super) fn tidy(&self, plan: &Plan, outcome: &Outcome, shell: &Shell) {
        let Some(folder) = &outcome.snapshot else {
            return;
        };
        // Nothing depends on either; the next deployment tries again.
        let tidied = Snapshot::finish(folder)
            .and_then(|()| Snapshot::forget(&self.folder, &plan.tenant, usize::from(self.keep)));
        match tidied {
            Ok(removed) if removed.is_empty() => {}
            Ok(removed) => shell.say(format!(
                "{} removed: --keep-snapshots is {}",
                output::counted(removed.len(), "old snapshot"),
                self.keep
            )),
            Err(error) => shell.say(format!("note: old snapshots stay: {error}")),
        }
    }
}
