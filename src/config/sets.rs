//! The policy sets of a command line: which files belong to each, and their texts.

use std::collections::HashSet;
use std::path::Path;

use super::configuration::{Configuration, Place};
use super::discover::{File, Filter, Target};
use super::error::{ConfigError, Unread};
use super::{LoadOptions, SetInput, paths, read as file};
use crate::diagnostics::{Source, SourceMap};
use crate::parallel::Workers;

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
    let current = std::env::current_dir().ok();
    let absolute = |folder: &Path| paths::absolute_from(current.as_deref(), folder);
    let absolute_home = absolute(home);
    // Without a current folder it is not known where relative ones are.
    let is_home = |folder: &Path| {
        folder == home || (absolute_home.is_some() && absolute(folder) == absolute_home)
    };
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
            Target::Folder(folder) if is_home(folder.path()) => {
                plans.push(configured_set(name, folder.path(), configuration, sources)?);
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

/// What lies where a set is.
struct Content {
    /// Those that could be read.
    files: Vec<File>,
    /// One per file.
    texts: Vec<Source>,
    notes: Vec<String>,
    unread: Vec<ConfigError>,
}

/// The files of all sets, and those that may hold bases.
pub(super) struct Files {
    pub(super) sets: Vec<SetInput>,
    pub(super) bases: Vec<Source>,
    pub(super) unread_bases: Vec<Unread>,
}

/// Reads the files of all sets, and those that may hold bases.
pub(super) fn read(
    plans: Vec<SetPlan>,
    with: &[Target],
    filter: &Filter,
    options: &LoadOptions,
    notes: &mut Vec<String>,
) -> Result<Files, ConfigError> {
    let (among_sets, within_set) = Workers::among_or_within(plans.len());
    let read = |targets: &[Target], filter: &Filter| {
        let mut notes = Vec::new();
        let mut unread = Vec::new();
        let files = list(targets, filter, &mut notes, &mut unread)?;
        let texts = within_set.map(&files, |file| file::source(&file.path));
        let mut content = Content {
            files: Vec::with_capacity(files.len()),
            texts: Vec::with_capacity(files.len()),
            notes,
            unread,
        };
        for (file, text) in files.into_iter().zip(texts) {
            match text {
                Ok(text) => {
                    content.files.push(file);
                    content.texts.push(text);
                }
                Err(error) => content.unread.push(error),
            }
        }
        Ok(content)
    };
    let own = among_sets.map(&plans, |plan| {
        let content = read(&plan.targets, filter)?;
        if content.files.is_empty() && content.unread.is_empty() {
            return Err(ConfigError::Empty {
                place: format!("`{}`", plan.name),
                detail: "; include and exclude of the configuration leave out all".to_owned(),
            });
        }
        Ok(content)
    });
    let mut own: Vec<Content> = own.into_iter().collect::<Result<_, _>>()?;
    let mut bases = read(with, &filter.for_bases())?;
    if !options.goes_on_without_unread {
        let contents = own.iter_mut().chain([&mut bases]);
        ConfigError::all(contents.flat_map(|it| it.unread.drain(..)).collect())?;
    }
    let sets = plans.into_iter().zip(own).map(|(plan, content)| {
        notes.extend(content.notes);
        let is_own = |base: &File| content.files.iter().any(|file| file.real == base.real);
        let with = (0..bases.files.len()).filter(|&base| !is_own(&bases.files[base]));
        SetInput {
            name: plan.name,
            files: content.texts,
            with: with.collect(),
            unread: content.unread.into_iter().map(Unread::of).collect(),
        }
    });
    let sets: Vec<SetInput> = sets.collect();
    notes.extend(bases.notes);
    let unread_bases = bases.unread.into_iter().map(Unread::of);
    let is_told = |base: &Unread| {
        let mut own = sets.iter().flat_map(|set| &set.unread);
        own.any(|own| own.name() == base.name())
    };
    let unread_bases = unread_bases.filter(|base| !is_told(base)).collect();
    Ok(Files {
        sets,
        bases: bases.texts,
        unread_bases,
    })
}

/// The files of all targets, each real file once.
pub(super) fn list(
    targets: &[Target],
    filter: &Filter,
    notes: &mut Vec<String>,
    unread: &mut Vec<ConfigError>,
) -> Result<Vec<File>, ConfigError> {
    let mut seen = HashSet::new();
    let mut files = Vec::new();
    for target in targets {
        let found = target.files(filter, notes, unread)?;
        files.extend(
            found
                .into_iter()
                .filter(|file| seen.insert(file.real.clone())),
        );
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}
