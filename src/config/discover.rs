//! Finds the policy files of a set: all `*.xml` below a folder, the files that a glob matches, or one
//! file. The order is that of the path components, byte by byte, on every system.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::configuration::{Configuration, Environment, Generated, Located};
use super::error::ConfigError;
use super::folder::{self, Entry, Folder};
use super::paths;
use crate::diagnostics::SourceMap;

/// Folders of tools, which never hold policies of the user.
const SKIPPED_FOLDERS: &[&str] = &["target", "node_modules"];

/// The file by which `iefctl build` marks the folder that it writes to. What is below is no input of
/// anything that lies above.
pub const BUILD_MANIFEST: &str = ".iefctl-build.json";

/// What the configuration says about files that are found in folders and by globs.
#[derive(Debug, Default)]
pub(super) struct Filter {
    folder: PathBuf,
    include: Vec<GlobMatcher>,
    exclude: Vec<GlobMatcher>,
    generated: Vec<(GlobMatcher, &'static str)>,
}

impl Filter {
    pub(super) fn new(
        configuration: &Configuration,
        environment: Option<&Environment>,
        sources: &SourceMap,
    ) -> Result<Self, ConfigError> {
        let matchers = |patterns: &[Located<String>]| {
            let mut matchers = Vec::new();
            for pattern in patterns {
                let compiled = matchers_of(&pattern.value).map_err(|error| {
                    let message = format!("`{}` is no glob: {error}", pattern.value);
                    ConfigError::invalid(sources, pattern.place, message, None)
                })?;
                matchers.extend(compiled);
            }
            Ok(matchers)
        };
        let mut exclude = matchers(&configuration.exclude)?;
        let mut include = Vec::new();
        if let Some(environment) = environment {
            exclude.extend(matchers(&environment.exclude)?);
            include = matchers(&environment.include)?;
        }
        let generated = configuration.generated.as_ref().and_then(generated);
        let generated = generated.into_iter().collect();
        Ok(Self {
            folder: configuration.folder.clone(),
            include,
            exclude,
            generated,
        })
    }

    /// The same without the globs that choose among files.
    pub(super) fn for_bases(&self) -> Self {
        Self {
            folder: self.folder.clone(),
            generated: self.generated.clone(),
            ..Self::default()
        }
    }

    fn keeps(&self, file: &Path) -> bool {
        if self.include.is_empty() && self.exclude.is_empty() {
            return true;
        }
        (self.include.is_empty() || self.matches(file, &self.include))
            && !self.matches(file, &self.exclude)
    }

    /// Whether a folder is left out with all that is in it, as far as the globs tell without a look.
    fn leaves_out(&self, folder: &Path) -> bool {
        let excludes = |path: &Path| self.matches(path, &self.exclude);
        !self.exclude.is_empty() && (excludes(folder) || excludes(&folder.join("any")))
    }

    fn matches(&self, path: &Path, matchers: &[GlobMatcher]) -> bool {
        paths::relative(path, &self.folder)
            .is_some_and(|path| matchers.iter().any(|matcher| matcher.is_match(&path)))
    }

    /// Why this folder is no input, if it is one that a tool writes to.
    fn generated_by(&self, folder: &Path) -> Option<&'static str> {
        if self.generated.is_empty() {
            return None;
        }
        let path = paths::relative(folder, &self.folder)?;
        let mut generated = self.generated.iter();
        let found = generated.find(|(matcher, _)| matcher.is_match(&path));
        found.map(|(_, reason)| *reason)
    }
}

/// A glob of the configuration: relative to the file; `*` stays within a folder, `**` does not; one
/// without a slash fits at any depth; one that names a folder means everything in it.
fn matchers_of(pattern: &str) -> Result<Vec<GlobMatcher>, globset::Error> {
    let plain = pattern.strip_prefix("./").unwrap_or(pattern);
    let plain = plain.trim_end_matches('/');
    let anchored = match plain.contains('/') {
        true => plain.to_owned(),
        false => format!("**/{plain}"),
    };
    [anchored.clone(), format!("{anchored}/**")]
        .iter()
        .map(|pattern| compile(pattern))
        .collect()
}

fn generated(generated: &Generated) -> Option<(GlobMatcher, &'static str)> {
    let plain = generated.folder.trim_start_matches("./").trim_matches('/');
    let escaped = globset::escape(plain);
    let pattern = match generated.at_any_depth {
        true => format!("**/{escaped}"),
        false => escaped,
    };
    compile(&pattern)
        .ok()
        .map(|matcher| (matcher, generated.reason))
}

fn compile(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build()?;
    Ok(glob.compile_matcher())
}

/// A policy file that was found.
#[derive(Debug)]
pub(super) struct File {
    /// As the user would write it.
    pub(super) path: PathBuf,
    /// Without links.
    pub(super) real: PathBuf,
}

/// The folder that a path is in or is, and for a glob the pattern below it.
#[derive(Debug)]
pub(super) enum Target {
    File(PathBuf),
    Folder(Folder),
    Glob { base: Folder, pattern: String },
}

impl Target {
    /// Looks what `path` is. A glob is taken as such only if nothing has that name.
    pub(super) fn of(path: &Path, named_by: Option<String>) -> Result<Self, ConfigError> {
        let path = match path.as_os_str().is_empty() {
            true => Path::new("."),
            false => path,
        };
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(Self::Folder(Folder::new(path.to_owned()))),
            Ok(_) => Ok(Self::File(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound || has_glob(path.as_os_str()) => {
                if has_glob(path.as_os_str()) {
                    return Ok(Self::glob(path));
                }
                Err(ConfigError::Missing {
                    path: paths::display(path),
                    named_by,
                })
            }
            Err(error) => Err(ConfigError::Unreadable {
                path: paths::display(path),
                source: error,
            }),
        }
    }

    fn glob(path: &Path) -> Self {
        let mut base = PathBuf::new();
        let mut components = path.components();
        let mut rest = components.as_path();
        while let Some(component) = components.next() {
            if has_glob(component.as_os_str()) {
                break;
            }
            base.push(component);
            rest = components.as_path();
        }
        if base.as_os_str().is_empty() {
            base.push(".");
        }
        Self::Glob {
            base: Folder::new(base),
            pattern: paths::display(rest),
        }
    }

    /// Where the search for a configuration begins.
    pub(super) fn start(&self) -> PathBuf {
        match self {
            Self::Folder(folder) | Self::Glob { base: folder, .. } => folder.path().to_owned(),
            Self::File(file) => paths::above(file),
        }
    }

    /// The folder that will be read for policies.
    pub(super) const fn folder(&self) -> Option<&Folder> {
        match self {
            Self::Folder(folder) | Self::Glob { base: folder, .. } => Some(folder),
            Self::File(_) => None,
        }
    }

    /// The policy files that the configuration does not leave out, in order; it is an error if there
    /// were none to begin with. `notes` tells what was passed over, `unread` what could not be looked
    /// into.
    pub(super) fn files(
        &self,
        filter: &Filter,
        notes: &mut Vec<String>,
        unread: &mut Vec<ConfigError>,
    ) -> Result<Vec<File>, ConfigError> {
        let (base, pattern) = match self {
            Self::File(file) => {
                return Ok(vec![File {
                    path: file.clone(),
                    // It may be written in other letter case than the file has.
                    real: fs::canonicalize(file).unwrap_or_else(|_| file.clone()),
                }]);
            }
            Self::Folder(folder) => (folder, None),
            Self::Glob { base, pattern } => {
                let compiled = compile(pattern).map_err(|error| {
                    ConfigError::Argument(format!("`{pattern}` is no glob: {error}"))
                })?;
                if !base.path().is_dir() {
                    return Err(ConfigError::Missing {
                        path: paths::display(base.path()),
                        named_by: None,
                    });
                }
                (base, Some(compiled))
            }
        };
        let all = Walk::new(filter, notes, unread).below(base)?;
        let found = all.len();
        let files: Vec<File> = all
            .into_iter()
            .filter(|file| {
                let inside = file.path.strip_prefix(base.path()).unwrap_or(&file.path);
                pattern
                    .as_ref()
                    .is_none_or(|pattern| pattern.is_match(paths::display(inside)))
            })
            .collect();
        let matched = files.len();
        let kept: Vec<File> = files
            .into_iter()
            .filter(|file| filter.keeps(&file.path))
            .collect();
        if matched == 0 && unread.is_empty() {
            return Err(self.empty(found));
        }
        if kept.len() < matched {
            let count = matched - kept.len();
            let place = self.describe();
            notes.push(format!(
                "include and exclude leave out {count} of {matched} files in {place}"
            ));
        }
        Ok(kept)
    }

    fn empty(&self, found: usize) -> ConfigError {
        let detail = match (self, found) {
            (Self::Glob { .. }, 1..) => format!("; there are {found} others"),
            _ => String::new(),
        };
        ConfigError::Empty {
            place: self.describe(),
            detail,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::File(path) => format!("`{}`", paths::display(path)),
            Self::Folder(folder) => format!("`{}`", paths::display(folder.path())),
            Self::Glob { base, pattern } => {
                let base = paths::display(base.path());
                format!("`{base}` that match `{pattern}`")
            }
        }
    }
}

fn has_glob(text: &OsStr) -> bool {
    text.to_string_lossy().contains(['*', '?', '[', '{'])
}

/// A walk through a folder that visits every real folder and file once, whatever links there are.
struct Walk<'w> {
    filter: &'w Filter,
    notes: &'w mut Vec<String>,
    unread: &'w mut Vec<ConfigError>,
    /// Real paths of folders that were visited.
    visited: HashSet<PathBuf>,
    /// Folders to visit, with their real paths.
    open: Vec<(PathBuf, PathBuf)>,
    files: Vec<File>,
    linked_folders: Vec<PathBuf>,
    linked_files: Vec<PathBuf>,
}

impl<'w> Walk<'w> {
    fn new(
        filter: &'w Filter,
        notes: &'w mut Vec<String>,
        unread: &'w mut Vec<ConfigError>,
    ) -> Self {
        Self {
            filter,
            notes,
            unread,
            visited: HashSet::new(),
            open: Vec::new(),
            files: Vec::new(),
            linked_folders: Vec::new(),
            linked_files: Vec::new(),
        }
    }

    fn below(mut self, root: &Folder) -> Result<Vec<File>, ConfigError> {
        let failed = |error| ConfigError::io(root.path(), error);
        let real = fs::canonicalize(root.path()).map_err(failed)?;
        self.folder(root.path(), &real, root.entries().map_err(failed)?);
        self.visited.insert(real);
        // Links wait until everything real was seen, so that a file keeps its own name.
        loop {
            if let Some((folder, real)) = self.open.pop() {
                if self.visited.insert(real.clone()) {
                    // Only without the named folder is there nothing to report on.
                    match folder::entries(&folder) {
                        Ok(entries) => self.folder(&folder, &real, &entries),
                        Err(error) => self.unread_folder(&folder, error),
                    }
                } else {
                    self.note(&folder, "is a link to a folder that is read already");
                }
            } else if !self.linked_folders.is_empty() {
                self.linked_folders.sort();
                let folder = self.linked_folders.remove(0);
                match fs::canonicalize(&folder) {
                    Ok(real) => self.open.push((folder, real)),
                    Err(error) => self.unread_folder(&folder, error),
                }
            } else {
                break;
            }
        }
        if !self.linked_files.is_empty() {
            self.links();
        }
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(self.files)
    }

    /// Follows the links to files, each file once.
    fn links(&mut self) {
        let mut seen: HashSet<PathBuf> = self.files.iter().map(|file| file.real.clone()).collect();
        self.linked_files.sort();
        for path in std::mem::take(&mut self.linked_files) {
            let real = match fs::canonicalize(&path) {
                Ok(real) => real,
                Err(error) => {
                    if self.filter.keeps(&path) {
                        self.unread.push(ConfigError::io(&path, error));
                    }
                    continue;
                }
            };
            if seen.insert(real.clone()) {
                self.files.push(File { path, real });
            } else {
                self.note(&path, "is a link to a file that is read already");
            }
        }
    }

    fn folder(&mut self, folder: &Path, real: &Path, entries: &[Entry]) {
        for Entry { name, kind } in entries {
            let path = paths::join(folder, name);
            let is_link = kind.is_symlink();
            let is_folder = kind.is_dir() || (is_link && path.is_dir());
            if is_folder {
                if let Some(reason) = self.reason_to_skip(name, &path) {
                    self.note(&path, reason);
                } else if is_link {
                    self.linked_folders.push(path);
                } else {
                    let real = real.join(name);
                    self.open.push((path, real));
                }
            } else if is_policy_name(name) {
                if name.to_string_lossy().starts_with("._") {
                    self.note(&path, "is skipped: macOS keeps attributes of a file there");
                } else if is_link {
                    self.linked_files.push(path);
                } else {
                    let real = real.join(name);
                    self.files.push(File { path, real });
                }
            }
        }
    }

    fn unread_folder(&mut self, folder: &Path, error: io::Error) {
        if !self.filter.leaves_out(folder) {
            self.unread.push(ConfigError::io(folder, error));
        }
    }

    fn reason_to_skip(&self, name: &OsStr, path: &Path) -> Option<&'static str> {
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            // Every tool has one; they are not worth a note.
            return Some("");
        }
        if SKIPPED_FOLDERS.contains(&name.as_ref()) {
            return Some("is skipped: it belongs to a tool");
        }
        if path.join(BUILD_MANIFEST).is_file() {
            return Some("is skipped: `iefctl build` wrote it");
        }
        self.filter.generated_by(path)
    }

    fn note(&mut self, path: &Path, reason: &str) {
        if !reason.is_empty() {
            self.notes
                .push(format!("{} {reason}", paths::display(path)));
        }
    }
}

fn is_policy_name(name: &OsStr) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("xml"))
}
