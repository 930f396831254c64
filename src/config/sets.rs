//! The policy sets of a command line: which files belong to each, and their texts.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::configuration::{Configuration, Place};
use super::discover::{Filter, Target};
use super::error::ConfigError;
use super::paths::RealPaths;
use super::{LoadOptions, SetInput, paths, read as file};
use crate::diagnostics::{Source, SourceMap};

/// A set before its files are read.
pub(super) struct SetPlan {
    name: String,
    targets: Vec<Target>,
    /// Whether it is all that the configuration is about.
    pub(super) is_complete: bool,
}

/// The sets that the targets name; without any, the configured one.
pub(super) fn plan(
    targets: Vec<(String, Target)>,
    configuration: Option<&Configuration>,
    sources: &SourceMap,
) -> Result<Vec<SetPlan>, ConfigError> {
    let home = configuration.map_or(Path::new("."), |found| &found.folder);
    if targets.is_empty() {
        return Ok(vec![configured_set(
            paths::display(home),
            home,
            configuration,
            sources,
        )?]);
    }
    let home = paths::absolute(home);
    let mut plans: Vec<SetPlan> = Vec::new();
    let mut files: Option<usize> = None;
    for (name, target) in targets {
        match &target {
            Target::File(_) => match files {
                Some(position) => {
                    let plan = &mut plans[position];
                    plan.targets.push(target);
                    plan.name = format!("{} files", plan.targets.len());
                }
                None => {
                    files = Some(plans.len());
                    plans.push(SetPlan {
                        name,
                        targets: vec![target],
                        is_complete: false,
                    });
                }
            },
            Target::Folder(folder) if paths::absolute(folder) == home => {
                plans.push(configured_set(name, folder, configuration, sources)?);
            }
            Target::Folder(_) | Target::Glob { .. } => plans.push(SetPlan {
                name,
                targets: vec![target],
                is_complete: false,
            }),
        }
    }
    Ok(plans)
}

fn configured_set(
    name: String,
    folder: &Path,
    configuration: Option<&Configuration>,
    sources: &SourceMap,
) -> Result<SetPlan, ConfigError> {
    let configured = configuration.map_or(&[][..], |found| &found.policies);
    let mut targets = Vec::new();
    for located in configured {
        let named_by = position(sources, located.place);
        targets.push(Target::of(
            &paths::join(folder, &located.value),
            Some(named_by),
        )?);
    }
    if targets.is_empty() {
        targets.push(Target::of(folder, None)?);
    }
    Ok(SetPlan {
        name,
        targets,
        is_complete: true,
    })
}

/// Where bases are that exist only in the tenant.
pub(super) fn with_targets(
    configuration: Option<&Configuration>,
    options: &LoadOptions,
    sources: &SourceMap,
) -> Result<Vec<Target>, ConfigError> {
    let mut targets = Vec::new();
    if let Some(configuration) = configuration {
        for located in &configuration.with {
            let path = paths::join(&configuration.folder, &located.value);
            targets.push(Target::of(&path, Some(position(sources, located.place)))?);
        }
    }
    for path in &options.with {
        targets.push(Target::of(path, Some("--with".to_owned()))?);
    }
    Ok(targets)
}

fn position(sources: &SourceMap, place: Place) -> String {
    let (start, _) = sources.position(place);
    format!("{}:{start}", sources.get(place.source).name())
}

/// Reads the files of all sets, and those that may hold bases.
pub(super) fn read(
    plans: Vec<SetPlan>,
    with: &[Target],
    filter: &Filter,
    notes: &mut Vec<String>,
) -> Result<(Vec<SetInput>, Vec<Source>), ConfigError> {
    let mut errors = Vec::new();
    let mut texts = |files: &[File]| -> Vec<Source> {
        let mut sources = Vec::new();
        for file in files {
            match file::source(&file.path) {
                Ok(source) => sources.push(source),
                Err(error) => errors.push(error),
            }
        }
        sources
    };
    let mut own = Vec::new();
    for plan in plans {
        let files = list(&plan.targets, filter, notes)?;
        if files.is_empty() {
            return Err(ConfigError::Empty {
                place: format!("`{}`", plan.name),
                detail: "; include and exclude of the configuration leave out all".to_owned(),
            });
        }
        own.push((plan.name, files));
    }
    let bases = list(with, &filter.for_bases(), notes)?;
    let sets = own.into_iter().map(|(name, files)| {
        let is_own = |base: &File| files.iter().any(|file| file.real == base.real);
        let with = (0..bases.len()).filter(|&base| !is_own(&bases[base]));
        SetInput {
            name,
            files: texts(&files),
            with: with.collect(),
        }
    });
    let sets = sets.collect();
    let bases = texts(&bases);
    ConfigError::all(errors)?;
    Ok((sets, bases))
}

/// A file of a set.
pub(super) struct File {
    /// As the user would write it.
    pub(super) path: PathBuf,
    /// Without links.
    real: PathBuf,
}

/// The files of all targets, each real file once.
pub(super) fn list(
    targets: &[Target],
    filter: &Filter,
    notes: &mut Vec<String>,
) -> Result<Vec<File>, ConfigError> {
    let mut real = RealPaths::default();
    let mut seen = HashSet::new();
    let mut files = Vec::new();
    for target in targets {
        for path in target.files(filter, notes)? {
            let real = match target {
                // Written by hand, perhaps in other letter case than the file has.
                Target::File(_) => fs::canonicalize(&path).unwrap_or_else(|_| path.clone()),
                Target::Folder(_) | Target::Glob { .. } => real.path(&path),
            };
            if seen.insert(real.clone()) {
                files.push(File { path, real });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}
