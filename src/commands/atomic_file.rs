//! Writing files so that nobody ever sees half of one: into a new file beside it, then renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// New content of a file, on disk but not yet in its place. Dropped without [`StagedFile::commit`], it
/// leaves no trace.
#[derive(Debug)]
pub(super) struct StagedFile {
    temporary: PathBuf,
    target: PathBuf,
    is_committed: bool,
}

impl StagedFile {
    /// Writes `content` beside the file `path`, with the permissions that the file has if it exists. A
    /// link stays: the file that it leads to is meant.
    ///
    /// # Errors
    /// Those of the system; nothing has changed then.
    pub(super) fn new(path: &Path, content: &[u8]) -> io::Result<Self> {
        let target = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(error),
        };
        let (temporary, mut file) = create_beside(&target)?;
        let staged = Self {
            temporary,
            target,
            is_committed: false,
        };
        file.write_all(content)?;
        if let Ok(metadata) = fs::metadata(&staged.target) {
            keep_owner(&file, &metadata);
            file.set_permissions(metadata.permissions())?;
        }
        file.sync_all()?;
        Ok(staged)
    }

    /// Puts the content in its place.
    ///
    /// # Errors
    /// Those of the system; the file has its old content then.
    pub(super) fn commit(mut self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)?;
        self.is_committed = true;
        Ok(())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.is_committed {
            // Nothing more can be done about a file that cannot be removed.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Writes a file at once. What is no regular file, such as a pipe or `/dev/stderr`, is written to as
/// it is.
///
/// # Errors
/// Those of the system.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(content),
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => StagedFile::new(path, content)?.commit(),
    }
}

/// Whether [`write()`] would find a place for a file. What exists and is no regular file is left alone:
/// whoever reads a pipe would take its first writer's leaving for the end.
///
/// # Errors
/// Those of the system.
pub(super) fn check(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => Ok(()),
        _ => StagedFile::new(path, b"").map(drop),
    }
}

/// A new file in the folder of `target`, whose name no search for policies takes up.
fn create_beside(target: &Path) -> io::Result<(PathBuf, File)> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut attempt = 0;
    loop {
        let temporary = folder.join(format!(".iefctl-{}-{attempt}.tmp", std::process::id()));
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
        {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 10_000 => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A new file belongs to whoever runs the tool; an administrator can leave it to its owner.
#[cfg(unix)]
fn keep_owner(file: &File, metadata: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    // Others may not, and need not: the file is theirs.
    let _ = fchown(file, Some(metadata.uid()), Some(metadata.gid()));
}

#[cfg(not(unix))]
const fn keep_owner(_: &File, _: &fs::Metadata) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_not_committed_leaves_no_trace() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.xml");
        fs::write(&path, "old").expect("written");
        drop(StagedFile::new(&path, b"new").expect("staged"));
        assert_eq!(fs::read(&path).expect("read"), b"old");
        assert_eq!(names(folder.path()), ["a.xml"]);
        let one = StagedFile::new(&path, b"one").expect("staged");
        let two = StagedFile::new(&path, b"two").expect("staged");
        one.commit().expect("committed");
        two.commit().expect("committed");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(names(folder.path()), ["a.xml"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.xml");
        let link = folder.path().join("link.xml");
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
        symlink("a.xml", &link).expect("linked");
        write(&link, b"new").expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"new");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_opened_once_and_not_by_the_check() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        let (done, is_done) = std::sync::mpsc::channel();
        let pipe = path.clone();
        std::thread::spawn(move || done.send(check(&pipe)));
        // Opened, it would wait for ever for somebody who reads.
        let checked = is_done.recv_timeout(std::time::Duration::from_secs(60));
        checked.expect("left alone").expect("a place");
        let pipe = path.clone();
        let reader = std::thread::spawn(move || fs::read(pipe).expect("read"));
        write(&path, b"report").expect("written");
        assert_eq!(reader.join().expect("read"), b"report");
    }

    #[test]
    fn a_folder_is_no_file_and_a_missing_folder_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), b"x").expect_err("a folder");
        write(&folder.path().join("none/a.txt"), b"x").expect_err("no such folder");
        check(folder.path()).expect_err("a folder");
        check(&folder.path().join("none/a.txt")).expect_err("no such folder");
        check(&folder.path().join("a.txt")).expect("a place");
        assert!(names(folder.path()).is_empty());
        write(&folder.path().join("a.txt"), b"x").expect("written");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }
}
