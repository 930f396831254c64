//! Which snapshots are kept.
//!
//! A run that has done all it was to do leaves a mark in its snapshot. Of the snapshots with a mark the
//! newest are kept; those without one, of runs that failed or were killed, are never removed: what they
//! hold may be the only way back.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::snapshot::{INCOMPLETE, MANIFEST, PLAN, Snapshot, SnapshotError, io_error};
use super::{fold, utc};

/// The file that says that the run which saved the snapshot has done all it was to do, and when.
const FINISHED: &str = "finished";

impl Snapshot {
    /// Notes that the run which saved the snapshot in this folder has done all it was to do.
    ///
    /// # Errors
    /// [`SnapshotError::Io`].
    pub fn finish(folder: &Path) -> Result<(), SnapshotError> {
        let path = folder.join(FINISHED);
        let text = utc::rfc3339(SystemTime::now()) + "\n";
        fs::write(&path, text).map_err(io_error("cannot write", &path))
    }

    /// Whether the run which saved it has done all it was to do.
    pub fn is_finished(&self) -> bool {
        self.folder.join(FINISHED).is_file()
    }

    /// Removes the oldest finished snapshots of a tenant below `root`, all but the newest `keep`; those
    /// that it removed. A folder in which somebody keeps something else stays. Only whoever has the
    /// lock of the tenant may call it.
    ///
    /// # Errors
    /// [`SnapshotError::Io`]; what was to be removed then either is there as it was or is no snapshot
    /// any more.
    pub fn forget(root: &Path, tenant: &str, keep: usize) -> Result<Vec<PathBuf>, SnapshotError> {
        let of_tenant = |snapshot: &Self| fold(&snapshot.manifest.tenant) == fold(tenant);
        let finished = Self::list(root, tenant)?.into_iter();
        let finished = finished.filter(|it| of_tenant(it) && it.is_finished());
        let finished: Vec<Self> = finished.collect();
        let mut removed = Vec::new();
        let mut failed = None;
        for snapshot in finished.iter().take(finished.len().saturating_sub(keep)) {
            match snapshot.remove() {
                Ok(true) => removed.push(snapshot.folder.clone()),
                Ok(false) => {}
                // The others go all the same.
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(removed), Err)
    }

    /// Removes it, unless somebody keeps something else in its folder; whether it did.
    fn remove(&self) -> Result<bool, SnapshotError> {
        let folder = &self.folder;
        if !self.is_alone().map_err(io_error("cannot read", folder))? {
            return Ok(false);
        }
        // First it stops being a snapshot, so that nobody ever sees half of one.
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let doomed = folder.with_file_name(format!(".{name}{INCOMPLETE}"));
        fs::rename(folder, &doomed).map_err(io_error("cannot remove", folder))?;
        fs::remove_dir_all(&doomed).map_err(io_error("cannot remove", &doomed))?;
        Ok(true)
    }

    /// Whether its folder holds nothing but what belongs to it.
    fn is_alone(&self) -> io::Result<bool> {
        let policies = self.manifest.policies.iter();
        let mut own: HashSet<&str> = policies.filter_map(|it| it.file.as_deref()).collect();
        own.extend([MANIFEST, PLAN, FINISHED]);
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            if !name.to_str().is_some_and(|name| own.contains(name)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
