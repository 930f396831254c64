//! Finds the configuration that applies to a path: in its folder or the nearest one above, up to the
//! folder of the git repository or the root of the file system.

use std::fs;
use std::path::{Path, PathBuf};

use super::appsettings;
use super::error::ConfigError;
use super::iefctl_toml;
use super::paths;

/// The configuration files of one folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) iefctl_toml: Option<PathBuf>,
    pub(super) appsettings: Option<PathBuf>,
}

impl Files {
    /// The file that `--config` names; the extension tells its format.
    pub(super) fn explicit(file: &Path) -> Result<Self, ConfigError> {
        if !file.exists() {
            return Err(ConfigError::Missing {
                path: paths::display(file),
                named_by: Some("--config".to_owned()),
            });
        }
        let extension = file
            .extension()
            .map(|extension| extension.to_ascii_lowercase());
        match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("toml") => Ok(Self {
                iefctl_toml: Some(file.to_owned()),
                appsettings: None,
            }),
            Some("json" | "jsonc") => Ok(Self {
                iefctl_toml: None,
                appsettings: Some(file.to_owned()),
            }),
            _ => Err(ConfigError::Argument(format!(
                "`{}` has no known format: --config takes a .toml file like iefctl.toml or a .json \
                 file like appsettings.json",
                paths::display(file)
            ))),
        }
    }

    /// The files of the nearest folder that has any, from `start` upwards.
    pub(super) fn nearest(start: &Path, notes: &mut Vec<String>) -> Self {
        let mut folder = start.to_owned();
        // A working folder that was deleted has no real path; then only `start` counts.
        let depth = fs::canonicalize(start).map_or(1, |real| real.components().count());
        for _ in 0..depth {
            let files = Self::in_folder(&folder, notes);
            if files != Self::default() || folder.join(".git").exists() {
                return files;
            }
            folder = paths::above(&folder);
        }
        Self::default()
    }

    fn in_folder(folder: &Path, notes: &mut Vec<String>) -> Self {
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
        Self {
            iefctl_toml,
            appsettings,
        }
    }

    /// The file that decides, by its real path.
    pub(super) fn identity(&self) -> Option<PathBuf> {
        let file = self.iefctl_toml.as_ref().or(self.appsettings.as_ref())?;
        Some(fs::canonicalize(file).unwrap_or_else(|_| file.clone()))
    }
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
