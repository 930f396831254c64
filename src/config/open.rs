//! Opens the configuration that applies, whatever its format.

use std::path::{Path, PathBuf};

use super::configuration::Configuration;
use super::discover::Target;
use super::error::ConfigError;
use super::kind::Kind;
use super::locate::{Files, Search};
use super::{LoadOptions, appsettings, deployment_file, go_ieftool, iefctl_toml, iefpolicies};
use super::{ieftool, paths, read};
use crate::diagnostics::SourceMap;

/// The configuration of a project, if it has one.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub(super) configuration: Option<Configuration>,
    pub(super) kind: Option<Kind>,
}

/// Finds and reads the configuration of all targets, which must be one and the same. Its sources come
/// first in `sources`.
pub(super) fn open(
    targets: &[(String, Target)],
    options: &LoadOptions,
    sources: &mut SourceMap,
    notes: &mut Vec<String>,
) -> Result<Opened, ConfigError> {
    let files = locate(targets, options, notes)?;
    let Some(main) = &files.main else {
        return Ok(Opened::default());
    };
    let source = sources.add(read::configuration(&main.path)?);
    let folder = paths::above(&main.path);
    let shown = paths::display(&main.path);
    let configuration = match main.kind {
        Kind::Iefctl => {
            let toml = iefctl_toml::read(sources, source, &folder)?;
            with_appsettings(toml, files.appsettings.as_deref(), sources, notes)?
        }
        Kind::AppSettings => match appsettings::read(sources, source, &folder)? {
            Some(read) => read,
            None if options.config.is_some() => {
                return Err(ConfigError::Argument(format!(
                    "`{shown}` has no `Environments`, so it is no settings file of the VS Code \
                     extension for B2C"
                )));
            }
            None => return Ok(Opened::default()),
        },
        Kind::IefPolicies => iefpolicies::read(sources, source, &folder)?,
        Kind::Deployment => deployment_file::read(sources, source, &home(targets, &shown)?)?,
        Kind::Ieftool => ieftool::read(sources, source, &folder)?,
        Kind::GoIeftool => go_ieftool::read(sources, source, &folder)?,
    };
    if main.kind != Kind::Iefctl {
        notes.push(format!("{shown} is read as {}", main.kind.describe()));
    }
    Ok(Opened {
        configuration: Some(configuration),
        kind: Some(main.kind),
    })
}

/// An `iefctl.toml` without environments takes those of an `appsettings.json` beside it.
fn with_appsettings(
    mut toml: Configuration,
    file: Option<&Path>,
    sources: &mut SourceMap,
    notes: &mut Vec<String>,
) -> Result<Configuration, ConfigError> {
    let Some(file) = file else {
        return Ok(toml);
    };
    if !toml.environments.is_empty() {
        notes.push(format!(
            "{} is ignored: {} has environments",
            paths::display(file),
            sources.get(toml.source).name()
        ));
        return Ok(toml);
    }
    let source = sources.add(read::configuration(file)?);
    if let Some(json) = appsettings::read(sources, source, &paths::above(file))? {
        toml.environments = json.environments;
        toml.findings.extend(json.findings);
        toml.generated = json.generated;
    }
    Ok(toml)
}

/// The folder that the paths of a deployment file start in.
fn home(targets: &[(String, Target)], file: &str) -> Result<PathBuf, ConfigError> {
    match targets {
        [] => Ok(PathBuf::from(".")),
        [(_, Target::Folder(folder))] => Ok(folder.path().to_owned()),
        _ => Err(ConfigError::Argument(format!(
            "`{file}` says which files are deployed: name the one folder that its paths start in, and \
             no files"
        ))),
    }
}

/// The configuration files for all targets.
fn locate(
    targets: &[(String, Target)],
    options: &LoadOptions,
    notes: &mut Vec<String>,
) -> Result<Files, ConfigError> {
    if let Some(config) = &options.config {
        return Files::explicit(config, options.kind);
    }
    let Some(((first_name, first), others)) = targets.split_first() else {
        return Files::nearest(Path::new("."), options, notes);
    };
    let mut search = Search::from(targets.iter().map(|(_, target)| target), options);
    let files = search.nearest(&first.start(), notes)?;
    for (name, other) in others {
        let theirs = search.nearest(&other.start(), &mut Vec::new())?;
        if theirs.identity() != files.identity() {
            let which = |files: &Files| match &files.main {
                Some(file) => format!("`{}`", paths::display(&file.path)),
                None => "no configuration".to_owned(),
            };
            return Err(ConfigError::Argument(format!(
                "`{first_name}` has {}, but `{name}` has {}: run once for each, or name one file \
                 for both with --config",
                which(&files),
                which(&theirs)
            )));
        }
    }
    Ok(files)
}
