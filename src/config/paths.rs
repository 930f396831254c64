//! Paths as the user writes and reads them.

use std::env;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The path with forward slashes and without needless `./`; the current folder is `.`.
pub(super) fn display(path: &Path) -> String {
    let mut shown = String::new();
    for component in path.components() {
        match component {
            Component::CurDir => continue,
            Component::RootDir => shown.push('/'),
            other => {
                if !shown.is_empty() && !shown.ends_with('/') {
                    shown.push('/');
                }
                shown.push_str(&other.as_os_str().to_string_lossy());
            }
        }
    }
    if shown.is_empty() {
        shown.push('.');
    }
    shown
}

/// The folder above, still relative where `folder` is relative: above `.` is `..`.
pub(super) fn above(folder: &Path) -> PathBuf {
    match folder.components().next_back() {
        None | Some(Component::CurDir) => PathBuf::from(".."),
        Some(Component::ParentDir) => folder.join(".."),
        Some(Component::Normal(_)) => match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        },
        Some(Component::RootDir | Component::Prefix(_)) => folder.to_owned(),
    }
}

/// `path` as seen from `folder`, with forward slashes; nothing where it lies elsewhere.
pub fn relative(path: &Path, folder: &Path) -> Option<String> {
    let path = absolute(path)?;
    let rest = path.strip_prefix(absolute(folder)?).ok()?;
    Some(display(rest))
}

/// The absolute path without `..`; nothing for a relative one where the current folder was deleted.
pub(super) fn absolute(path: &Path) -> Option<PathBuf> {
    let current = match path.is_absolute() {
        true => None,
        false => env::current_dir().ok(),
    };
    absolute_from(current.as_deref(), path)
}

/// The same where the current folder, if there is one, is known.
pub(super) fn absolute_from(current: Option<&Path>, path: &Path) -> Option<PathBuf> {
    match path.is_absolute() {
        true => Some(plain(Path::new(""), path)),
        false => Some(plain(current?, path)),
    }
}

/// `path` from `folder` on, without `..`. Links are followed only where `..` comes behind one.
fn plain(folder: &Path, path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::ParentDir => {
                // Above a link is what is above its target. Windows goes by the text.
                if !cfg!(windows)
                    && plain.is_symlink()
                    && let Ok(real) = fs::canonicalize(&plain)
                {
                    plain = real;
                }
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Joins a path to a folder; in the current one without a needless `./`.
pub(super) fn join(folder: &Path, path: impl AsRef<Path>) -> PathBuf {
    if folder == Path::new(".") {
        return path.as_ref().to_owned();
    }
    folder.join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_as_people_write_them() {
        for (path, shown) in [
            ("./a/b.xml", "a/b.xml"),
            ("a/./b.xml", "a/b.xml"),
            (".", "."),
            ("", "."),
            ("../x", "../x"),
            ("/a/b", "/a/b"),
            ("/", "/"),
        ] {
            assert_eq!(display(Path::new(path)), shown);
        }
    }

    #[test]
    fn the_way_up_stays_relative() {
        for (folder, up) in [
            ("a/b", "a"),
            ("a", "."),
            (".", ".."),
            ("..", "../.."),
            ("/a", "/"),
            ("/", "/"),
        ] {
            assert_eq!(above(Path::new(folder)), Path::new(up), "{folder}");
        }
    }

    #[test]
    fn relative_paths_ignore_detours() {
        let relative = |path, folder| relative(Path::new(path), Path::new(folder));
        assert_eq!(relative("a/../b/c.xml", "b").as_deref(), Some("c.xml"));
        assert_eq!(relative("b/c.xml", ".").as_deref(), Some("b/c.xml"));
        assert_eq!(relative("../c.xml", "b"), None);
    }
}
