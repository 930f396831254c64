//! `iefctl validate --watch`: validates at every save.
//!
//! The files are listed a few times a second and compared by time and size. That works on every file
//! system, also where the system tells nothing of changes (shares, folders of a container's host), and
//! costs one look at the folder. [`ChangeDetector`] is pure; the loop below feeds it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};

use crate::config::Project;
use crate::output::counted;

use super::project::{self, ProjectArgs};
use super::validate::ValidateArgs;
use super::{Exit, Shell};

/// How long to wait between two looks.
const INTERVAL: Duration = Duration::from_millis(300);
/// Looking takes at most one part in so many of the time, however many files there are.
const SHARE: u32 = 10;
/// After so many looks with changes each, what is there is validated although it may change again.
const MOST_UNSETTLED: u32 = 20;

/// Runs `iefctl validate --watch` until Ctrl-C.
///
/// # Errors
/// What keeps the first validation from running. Later the same is told, and waiting goes on.
pub(super) fn run(args: &ValidateArgs, shell: &Shell) -> Result<Exit> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(watch(args, shell))
}

async fn watch(args: &ValidateArgs, shell: &Shell) -> Result<Exit> {
    let mut interrupt = pin!(tokio::signal::ctrl_c());
    // From the first poll on Ctrl-C no longer ends the process, so that it cannot cut off a report.
    tokio::select! {
        biased;
        result = &mut interrupt => return ended(result),
        () = std::future::ready(()) => {}
    }
    let mut roots = Roots::of_arguments(&args.project, args.output.as_deref());
    let mut listing = roots.list();
    let mut project = round(args, &[], shell)?;
    let mut detector = ChangeDetector::new(Listing::new());
    loop {
        // What was listed before the round is what the round saw, or older. Only where nobody looked
        // before, what is there now must do.
        let known = roots;
        roots = Roots::of_arguments(&args.project, args.output.as_deref());
        roots.add_files(&project);
        for (path, stamp) in roots.list() {
            if !known.covers(&path) {
                listing.entry(path).or_insert(stamp);
            }
        }
        detector.restart(std::mem::take(&mut listing));
        let mut pause = INTERVAL;
        let changed = loop {
            tokio::select! {
                biased;
                result = &mut interrupt => return ended(result),
                () = tokio::time::sleep(pause) => {}
            }
            let start = Instant::now();
            let now = roots.list();
            pause = INTERVAL.max(start.elapsed() * SHARE);
            if let Some(changed) = detector.observe(now.clone()) {
                listing = now;
                break changed;
            }
        };
        match round(args, &changed, shell) {
            Ok(read) => project = read,
            // The files of the last project that could be read may be what is to be mended.
            Err(error) => {
                shell.fail(&error);
                shell.say(format!("at {}: waiting for changes, Ctrl-C ends", time()));
            }
        }
    }
}

fn ended(result: std::io::Result<()>) -> Result<Exit> {
    result.context("cannot wait for Ctrl-C")?;
    Ok(Exit::Clean)
}

/// Reads everything again, validates and reports.
fn round(args: &ValidateArgs, changed: &[PathBuf], shell: &Shell) -> Result<Project> {
    let start = Instant::now();
    if args.is_for_screen(shell) {
        // Screen, scroll-back, cursor.
        shell.print(|out| {
            out.extend_from_slice(b"\x1b[2J\x1b[3J\x1b[H");
            Ok(())
        })?;
    }
    match changed {
        [] => {}
        [one] => shell.say(format!("changed: {}", shown(one))),
        [one, others @ ..] => {
            shell.say(format!("changed: {} and {} more", shown(one), others.len()));
        }
    }
    let project = args.load(shell)?;
    let validated = project::validate(&project, None, shell)?;
    args.report(&validated, shell)?;
    let summary = validated.report.summary();
    shell.say(format!(
        "at {} in {} ms: {}, {}, {}; waiting for changes, Ctrl-C ends",
        time(),
        start.elapsed().as_millis(),
        counted(summary.errors, "error"),
        counted(summary.warnings, "warning"),
        counted(summary.hints, "hint")
    ));
    Ok(project)
}

/// A real path as seen from the current folder. Names come from the disk and must not steer the
/// terminal.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(fs::canonicalize);
    let path = match &here {
        Ok(here) => path.strip_prefix(here).unwrap_or(path),
        Err(_) => path,
    };
    path.to_string_lossy().replace(char::is_control, "\u{fffd}")
}

/// The time of day; without a database of time zones that of Greenwich.
fn time() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02} UTC")
}

/// What a file looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

type Listing = BTreeMap<PathBuf, Stamp>;

/// Tells from successive listings when files have changed and come to rest.
#[derive(Debug)]
struct ChangeDetector {
    /// The files as they were last validated.
    validated: Listing,
    /// The files as they were last seen.
    seen: Listing,
    unsettled: u32,
}

impl ChangeDetector {
    fn new(listing: Listing) -> Self {
        Self {
            seen: listing.clone(),
            validated: listing,
            unsettled: 0,
        }
    }

    /// Begins anew with other files.
    fn restart(&mut self, listing: Listing) {
        *self = Self::new(listing);
    }

    /// The files that were added, changed or removed since the last validation, once two listings in a
    /// row agree: an editor may be in the middle of writing.
    fn observe(&mut self, listing: Listing) -> Option<Vec<PathBuf>> {
        if listing == self.validated {
            self.seen = listing;
            self.unsettled = 0;
            return None;
        }
        if listing != self.seen && self.unsettled < MOST_UNSETTLED {
            self.seen = listing;
            self.unsettled += 1;
            return None;
        }
        let paths: BTreeSet<&PathBuf> = self.validated.keys().chain(listing.keys()).collect();
        let changed = paths
            .into_iter()
            .filter(|path| self.validated.get(*path) != listing.get(*path))
            .cloned()
            .collect();
        self.restart(listing);
        Some(changed)
    }
}

/// Where files are that a validation depends on.
#[derive(Debug, Default)]
struct Roots {
    /// Folders, with everything below them.
    folders: BTreeSet<PathBuf>,
    /// Single files, which need not exist.
    files: BTreeSet<PathBuf>,
    /// The report, whose writing must not call for another.
    output: Option<PathBuf>,
}

impl Roots {
    fn of_arguments(args: &ProjectArgs, output: Option<&Path>) -> Self {
        let mut roots = Self {
            output: output.map(Path::to_owned),
            ..Self::default()
        };
        let here = [PathBuf::from(".")];
        let paths = if args.paths.is_empty() {
            &here[..]
        } else {
            &args.paths
        };
        for path in paths.iter().chain(&args.with) {
            if path.is_file() {
                roots.files.insert(path.clone());
                roots.add_configurations(parent(path));
            } else {
                let folder = existing(path);
                roots.add_configurations(&folder);
                roots.folders.insert(folder);
            }
        }
        roots.files.extend(args.config.config.clone());
        roots
    }

    /// The files that were read, wherever the configuration has them.
    fn add_files(&mut self, project: &Project) {
        for file in project.files() {
            let path = PathBuf::from(file.name());
            // Where folders are meant, a new file beside a known one may belong to the set.
            if !self.folders.is_empty() && path.extension().is_some_and(|it| it == "xml") {
                self.folders.insert(parent(&path).to_owned());
            }
            self.files.insert(path);
        }
    }

    /// Where a configuration for `folder` is looked for.
    fn add_configurations(&mut self, folder: &Path) {
        let Ok(real) = fs::canonicalize(folder) else {
            return;
        };
        for above in real.ancestors() {
            for name in CONFIGURATIONS {
                self.files.insert(above.join(name));
            }
            if above.join(".git").exists() {
                break;
            }
        }
    }

    /// Whether a listing had shown the file `path` of a later listing.
    fn covers(&self, path: &Path) -> bool {
        let real = |path: &PathBuf| fs::canonicalize(path).ok();
        let mut folders = self.folders.iter().filter_map(real);
        let mut files = self.files.iter().filter_map(real);
        folders.any(|folder| path.starts_with(folder)) || files.any(|file| file == path)
    }

    /// What is there now, by real paths. What cannot be read is as good as not there; reading it for
    /// validation tells why.
    fn list(&self) -> Listing {
        let mut listing = Listing::new();
        let mut visited = HashSet::new();
        let mut open: Vec<PathBuf> = self.folders.iter().cloned().collect();
        let output = self.output.as_ref();
        let output = output.and_then(|path| fs::canonicalize(path).ok());
        let mut add = |path: PathBuf| {
            let Ok(real) = fs::canonicalize(&path) else {
                return;
            };
            if output.as_ref() != Some(&real)
                && let Ok(metadata) = fs::metadata(&real)
                && metadata.is_file()
            {
                let stamp = Stamp {
                    modified: metadata.modified().ok(),
                    length: metadata.len(),
                };
                listing.insert(real, stamp);
            }
        };
        while let Some(folder) = open.pop() {
            let is_new = fs::canonicalize(&folder).is_ok_and(|real| visited.insert(real));
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            if !is_new {
                continue;
            }
            for entry in entries.flatten() {
                let name = entry.file_name();
                let path = entry.path();
                if path.is_dir() {
                    if !is_skipped(&name) {
                        open.push(path);
                    }
                } else if is_watched(&name) {
                    add(path);
                }
            }
        }
        self.files.iter().cloned().for_each(add);
        listing
    }
}

const CONFIGURATIONS: [&str; 2] = ["iefctl.toml", "appsettings.json"];

fn is_watched(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    name.ends_with(".xml") || CONFIGURATIONS.contains(&name.as_str())
}

/// Folders in which no policy is looked for.
fn is_skipped(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || name == "target" || name == "node_modules"
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path, or for a glob or what has vanished the nearest folder above.
fn existing(path: &Path) -> PathBuf {
    path.ancestors()
        .find(|above| above.is_dir())
        .filter(|above| !above.as_os_str().is_empty())
        .map_or_else(|| PathBuf::from("."), Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files with the second of their last change.
    fn listing(files: &[(&str, u64)]) -> Listing {
        let stamp = |second| Stamp {
            modified: Some(UNIX_EPOCH + Duration::from_secs(second)),
            length: 1,
        };
        files
            .iter()
            .map(|(name, second)| (PathBuf::from(name), stamp(*second)))
            .collect()
    }

    fn paths(names: &[&str]) -> Option<Vec<PathBuf>> {
        Some(names.iter().map(PathBuf::from).collect())
    }

    #[test]
    fn a_change_counts_once_it_has_come_to_rest() {
        let mut detector = ChangeDetector::new(listing(&[("a", 1), ("b", 1)]));
        assert_eq!(detector.observe(listing(&[("a", 1), ("b", 1)])), None);
        assert_eq!(detector.observe(listing(&[("a", 2), ("b", 1)])), None);
        assert_eq!(detector.observe(listing(&[("a", 3), ("b", 1)])), None);
        assert_eq!(
            detector.observe(listing(&[("a", 3), ("b", 1)])),
            paths(&["a"])
        );
        assert_eq!(detector.observe(listing(&[("a", 3), ("b", 1)])), None);
    }

    #[test]
    fn files_that_come_and_go_are_changes() {
        let mut detector = ChangeDetector::new(listing(&[("a", 1), ("b", 1)]));
        assert_eq!(detector.observe(listing(&[("b", 1), ("c", 2)])), None);
        assert_eq!(
            detector.observe(listing(&[("b", 1), ("c", 2)])),
            paths(&["a", "c"])
        );
        assert_eq!(detector.observe(Listing::new()), None);
        assert_eq!(detector.observe(Listing::new()), paths(&["b", "c"]));
    }

    #[test]
    fn a_save_by_way_of_deleting_is_no_change_if_nothing_changed() {
        let mut detector = ChangeDetector::new(listing(&[("a", 1)]));
        assert_eq!(detector.observe(Listing::new()), None);
        assert_eq!(detector.observe(listing(&[("a", 1)])), None);
        assert_eq!(detector.observe(Listing::new()), None);
        assert_eq!(detector.observe(listing(&[("a", 2)])), None);
        assert_eq!(detector.observe(listing(&[("a", 2)])), paths(&["a"]));
    }

    #[test]
    fn a_file_that_never_rests_is_validated_all_the_same() {
        let mut detector = ChangeDetector::new(listing(&[("a", 0)]));
        let looks = (1..).find(|second| detector.observe(listing(&[("a", *second)])).is_some());
        assert_eq!(looks, Some(u64::from(MOST_UNSETTLED) + 1));
    }

    #[test]
    fn only_what_validation_reads_is_listed() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = fs::canonicalize(folder.path()).expect("there");
        for name in ["p/q", "p/.hidden", "p/node_modules"] {
            fs::create_dir_all(root.join(name)).expect("a folder");
        }
        for name in [
            ".git",
            "iefctl.toml",
            "other.toml",
            "p/a.XML",
            "p/q/b.xml",
            "p/a.txt",
            "p/report.xml",
            "p/.iefctl-1-0.tmp",
            "p/.hidden/c.xml",
            "p/node_modules/d.xml",
        ] {
            fs::write(root.join(name), "x").expect("written");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("..", root.join("p/q/loop")).expect("linked");
        let args = ProjectArgs {
            paths: vec![root.join("p")],
            with: vec![root.join("gone")],
            ..ProjectArgs::default()
        };
        let names: Vec<_> = Roots::of_arguments(&args, Some(&root.join("p/report.xml")))
            .list()
            .into_keys()
            .collect();
        let expected: Vec<_> = ["iefctl.toml", "p/a.XML", "p/q/b.xml"]
            .iter()
            .map(|name| root.join(name))
            .collect();
        assert_eq!(names, expected);
    }
}
