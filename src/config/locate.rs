//! Finds the configuration that applies to a path: `iefctl.toml` and `appsettings.json` in its folder
//! or the nearest one above, up to the folder of the git repository or the root of the file system; the
//! files of other tools in the folder itself and in the current one, where those tools look for them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::LoadOptions;
use super::appsettings;
use super::discover::Target;
use super::error::ConfigError;
use super::folder::Folder;
use super::iefctl_toml;
use super::kind::Kind;
use super::paths;
use crate::parallel::Workers;

/// A configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfigFile {
    pub(super) kind: Kind,
    pub(super) path: PathBuf,
}

/// The configuration files that apply: one, or an `iefctl.toml` that takes its environments from an
/// `appsettings.json` beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) main: Option<ConfigFile>,
    pub(super) appsettings: Option<PathBuf>,
}

/// The names that other tools look for in the current folder.
const ELSEWHERE: &[(&str, Kind)] = &[
    ("conf.json", Kind::IefPolicies),
    ("b2c-template.json", Kind::Ieftool),
    ("ieftool.config", Kind::Ieftool),
    ("config.yaml", Kind::GoIeftool),
];

impl Files {
    /// The file that `--config` names.
    pub(super) fn explicit(file: &Path, kind: Option<Kind>) -> Result<Self, ConfigError> {
        if !file.exists() {
            return Err(ConfigError::Missing {
                path: paths::display(file),
                named_by: Some("--config".to_owned()),
            });
        }
        let kind = match kind {
            Some(kind) => kind,
            None => Kind::of(file)?,
        };
        Ok(Self {
            main: Some(ConfigFile {
                kind,
                path: file.to_owned(),
            }),
            appsettings: None,
        })
    }

    /// The files of the nearest folder that has any, from `start` upwards.
    pub(super) fn nearest(
        start: &Path,
        options: &LoadOptions,
        notes: &mut Vec<String>,
    ) -> Result<Self, ConfigError> {
        Search::new(options).nearest(start, notes)
    }

    fn at(
        place: Place<'_>,
        tools_look_here: bool,
        options: &LoadOptions,
        notes: &mut Vec<String>,
    ) -> Result<Self, ConfigError> {
        let iefctl_toml = place.file(iefctl_toml::FILE_NAME);
        let mut names = appsettings::FILE_NAMES.iter();
        let appsettings = names.find_map(|name| place.file(name));
        let appsettings = appsettings.filter(|path| {
            let is_ours = mentions_environments(path);
            if !is_ours {
                notes.push(format!(
                    "{} is ignored: it has no `Environments`, so it belongs to another tool",
                    paths::display(path)
                ));
            }
            is_ours
        });
        let mut others: Vec<ConfigFile> = appsettings
            .iter()
            .map(|path| ConfigFile {
                kind: Kind::AppSettings,
                path: path.clone(),
            })
            .collect();
        if tools_look_here {
            others.extend(of_other_tools(place, options, notes));
        }
        if let Some(path) = iefctl_toml {
            for other in &others {
                if other.kind != Kind::AppSettings {
                    let shown = paths::display(&other.path);
                    notes.push(format!("{shown} is ignored: there is an iefctl.toml"));
                }
            }
            return Ok(Self {
                main: Some(ConfigFile {
                    kind: Kind::Iefctl,
                    path,
                }),
                appsettings,
            });
        }
        if let [first, second, ..] = &others[..] {
            return Err(ConfigError::Argument(format!(
                "`{}` is {}, and `{}` is {}: name the one that counts with --config",
                paths::display(&first.path),
                first.kind.describe(),
                paths::display(&second.path),
                second.kind.describe()
            )));
        }
        Ok(Self {
            main: others.pop(),
            appsettings: None,
        })
    }

    /// The file that decides, by its real path.
    pub(super) fn identity(&self) -> Option<PathBuf> {
        let file = &self.main.as_ref()?.path;
        Some(fs::canonicalize(file).unwrap_or_else(|_| file.clone()))
    }
}

/// A folder in which the search looks.
#[derive(Clone, Copy)]
struct Place<'p> {
    folder: &'p Path,
    /// The same folder where it is listed anyway.
    listed: Option<&'p Folder>,
}

impl Place<'_> {
    fn file(self, name: &str) -> Option<PathBuf> {
        self.path(name).filter(|path| path.is_file())
    }

    /// The path of this name, if there may be something.
    fn path(self, name: &str) -> Option<PathBuf> {
        let may_exist = self.listed.is_none_or(|folder| folder.may_hold(name));
        may_exist.then(|| paths::join(self.folder, name))
    }
}

/// A search from one folder after another. What is above several of them is looked at once.
pub(super) struct Search<'o> {
    options: &'o LoadOptions,
    /// The current folder; nothing where it was deleted.
    current: Option<PathBuf>,
    /// What was found in the folders in which searches will start.
    starts: HashMap<PathBuf, Look>,
    /// What ended the search in a folder above a start, if anything did.
    above: HashMap<PathBuf, Option<Files>>,
}

/// The files of a folder if the search ends there, and what was passed over.
type Look = (Result<Option<Files>, ConfigError>, Vec<String>);

impl<'o> Search<'o> {
    pub(super) fn new(options: &'o LoadOptions) -> Self {
        Self {
            options,
            current: std::env::current_dir().ok(),
            starts: HashMap::new(),
            above: HashMap::new(),
        }
    }

    /// A search that will start at these targets.
    pub(super) fn from<'t>(
        targets: impl Iterator<Item = &'t Target>,
        options: &'o LoadOptions,
    ) -> Self {
        let mut search = Self::new(options);
        // Many files may lie in one folder.
        let mut seen = HashSet::new();
        let starts: Vec<(PathBuf, Option<&Folder>)> = targets
            .map(|target| (target.start(), target.folder()))
            .filter(|(start, _)| seen.insert(start.clone()))
            .collect();
        let looks = Workers::All.map(&starts, |(folder, listed)| {
            let listed = *listed;
            search.start(Place { folder, listed })
        });
        let starts = starts.into_iter().map(|(start, _)| start);
        search.starts = starts.zip(looks).collect();
        search
    }

    fn start(&self, place: Place<'_>) -> Look {
        let mut notes = Vec::new();
        (self.look(place, true, &mut notes), notes)
    }

    /// The files of the nearest folder that has any, from `start` upwards.
    pub(super) fn nearest(
        &mut self,
        start: &Path,
        notes: &mut Vec<String>,
    ) -> Result<Files, ConfigError> {
        let mut folder = start.to_owned();
        // Where the current folder was deleted, nothing is above a relative start.
        let mut place = paths::absolute_from(self.current.as_deref(), start);
        loop {
            let found = if folder == start {
                let known = self.starts.remove(start);
                let (found, passed_over) = known.unwrap_or_else(|| {
                    self.start(Place {
                        folder: start,
                        listed: None,
                    })
                });
                notes.extend(passed_over);
                let found = found?;
                // Others may start here too.
                let known = (Ok(found.clone()), Vec::new());
                self.starts.insert(folder.clone(), known);
                found
            } else if let Some(known) = self.above.get(&folder) {
                known.clone()
            } else {
                let unlisted = Place {
                    folder: &folder,
                    listed: None,
                };
                let found = self.look(unlisted, place == self.current, notes)?;
                self.above.insert(folder.clone(), found.clone());
                found
            };
            if let Some(files) = found {
                return Ok(files);
            }
            if !place.as_mut().is_some_and(PathBuf::pop) {
                return Ok(Files::default());
            }
            folder = paths::above(&folder);
        }
    }

    /// The files of a folder, if the search ends there.
    fn look(
        &self,
        place: Place<'_>,
        tools_look_here: bool,
        notes: &mut Vec<String>,
    ) -> Result<Option<Files>, ConfigError> {
        let files = Files::at(place, tools_look_here, self.options, notes)?;
        let repository = place.path(".git");
        let ends = files != Files::default() || repository.is_some_and(|path| path.exists());
        Ok(ends.then_some(files))
    }
}

/// The files of tools that look for them in the current folder. IEFPolicies prefers the one that is
/// named after the tenant.
fn of_other_tools(
    place: Place<'_>,
    options: &LoadOptions,
    notes: &mut Vec<String>,
) -> Vec<ConfigFile> {
    let label = options.tenant.as_deref().and_then(|tenant| {
        let (label, _) = tenant.split_once('.')?;
        (!label.is_empty() && !label.contains(['/', '\\'])).then(|| format!("{label}.json"))
    });
    let mut names: Vec<(&str, Kind)> = label
        .iter()
        .map(|name| (name.as_str(), Kind::IefPolicies))
        .collect();
    names.extend(ELSEWHERE);
    let mut found: Vec<ConfigFile> = Vec::new();
    for (name, kind) in names {
        let Some(path) = place.file(name) else {
            continue;
        };
        let shown = paths::display(&path);
        if !kind.is_kind_of(&path) {
            notes.push(format!("{shown} is ignored: it is not {}", kind.describe()));
        } else if kind == Kind::IefPolicies && found.iter().any(|other| other.kind == kind) {
            notes.push(format!(
                "{shown} is ignored, as IEFPolicies does: there is one for the tenant"
            ));
        } else {
            found.push(ConfigFile { kind, path });
        }
    }
    found
}

/// .NET projects have a file of the same name. One that cannot be read is taken for ours, so that the
/// reason is told.
fn mentions_environments(file: &Path) -> bool {
    let Ok(mut bytes) = super::read::bytes(file) else {
        return true;
    };
    // UTF-16 puts a zero beside every letter.
    bytes.retain(|byte| *byte != 0);
    let key = b"\"Environments\"";
    bytes.windows(key.len()).any(|window| window == key)
}
