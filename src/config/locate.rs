//! Finds the configuration that applies to a path: `iefctl.toml` and `appsettings.json` in its folder
//! or the nearest one above, up to the folder of the git repository or the root of the file system; the
//! files of other tools in the folder itself and in the current one, where those tools look for them.

use std::fs;
use std::path::{Path, PathBuf};

use super::LoadOptions;
use super::appsettings;
use super::error::ConfigError;
use super::iefctl_toml;
use super::kind::Kind;
use super::paths;

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
        let current = fs::canonicalize(".").ok();
        let mut folder = start.to_owned();
        // A working folder that was deleted has no real path; then only `start` counts.
        let depth = fs::canonicalize(start).map_or(1, |real| real.components().count());
        for step in 0..depth {
            let is_current = || current.is_some() && fs::canonicalize(&folder).ok() == current;
            let tools_look_here = step == 0 || is_current();
            let files = Self::in_folder(&folder, tools_look_here, options, notes)?;
            if files != Self::default() || folder.join(".git").exists() {
                return Ok(files);
            }
            folder = paths::above(&folder);
        }
        Ok(Self::default())
    }

    fn in_folder(
        folder: &Path,
        tools_look_here: bool,
        options: &LoadOptions,
        notes: &mut Vec<String>,
    ) -> Result<Self, ConfigError> {
        let file = |name: &str| Some(join(folder, name)).filter(|path| path.is_file());
        let iefctl_toml = file(iefctl_toml::FILE_NAME);
        let appsettings = appsettings::FILE_NAMES.iter().copied().find_map(file);
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
            others.extend(of_other_tools(folder, options, notes));
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

/// The files of tools that look for them in the current folder. IEFPolicies prefers the one that is
/// named after the tenant.
fn of_other_tools(
    folder: &Path,
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
        let path = join(folder, name);
        if !path.is_file() {
            continue;
        }
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

fn join(folder: &Path, name: &str) -> PathBuf {
    match folder == Path::new(".") {
        true => PathBuf::from(name),
        false => folder.join(name),
    }
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
