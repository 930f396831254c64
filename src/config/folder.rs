//! A folder whose content is listed once, however often it is asked for.

use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A folder in which policies and configurations are looked for.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    entries: OnceLock<Vec<Entry>>,
}

/// Something in a folder.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: OsString,
    /// What it is itself; links are not followed.
    pub(super) kind: FileType,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            entries: OnceLock::new(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What lies in the folder, in no order. A folder that cannot be listed is asked again.
    pub(super) fn entries(&self) -> io::Result<&[Entry]> {
        if let Some(entries) = self.entries.get() {
            return Ok(entries);
        }
        let entries = entries(&self.path)?;
        Ok(self.entries.get_or_init(|| entries))
    }

    /// Whether opening this name in the folder can succeed. What the list cannot tell is possible: it
    /// spares most of the questions, and answers none with yes.
    pub(super) fn may_hold(&self, name: &str) -> bool {
        let Ok(entries) = self.entries() else {
            return true;
        };
        // Some file systems take names for equal that differ in letter case. What they do to other
        // alphabets is theirs to know.
        !name.is_ascii()
            || entries
                .iter()
                .any(|entry| !entry.name.is_ascii() || entry.name.eq_ignore_ascii_case(name))
    }
}

/// What lies in a folder that is asked for once.
pub(super) fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let entry = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok(Entry {
            kind: entry.file_type()?,
            name: entry.file_name(),
        })
    };
    fs::read_dir(folder)?.map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certainly_missing_is_denied() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("IefCtl.toml"), "").unwrap();
        let folder = Folder::new(home.path().to_owned());
        assert!(folder.may_hold("iefctl.toml"));
        assert!(!folder.may_hold("conf.json"));
        assert!(folder.may_hold("müller.json"));
        // A list is kept.
        fs::write(home.path().join("conf.json"), "").unwrap();
        assert!(!folder.may_hold("conf.json"));
        assert!(Folder::new(home.path().to_owned()).may_hold("conf.json"));
        fs::write(home.path().join("ä"), "").unwrap();
        assert!(Folder::new(home.path().to_owned()).may_hold("unknown.json"));
    }

    #[test]
    fn a_folder_that_cannot_be_listed_may_hold_anything() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::new(home.path().join("later"));
        assert!(folder.entries().is_err());
        assert!(folder.may_hold("iefctl.toml"));
        fs::create_dir(folder.path()).unwrap();
        assert!(folder.entries().is_ok_and(<[Entry]>::is_empty));
    }
}
