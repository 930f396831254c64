//! What the user wants to work on: which policy files, which environment, which settings.
//!
//! [`load`] reads the disk once and returns a [`Project`], which is data. Formats of configuration
//! have one file each (`iefctl.toml` in `iefctl_toml.rs`, `appsettings.json` of the VS Code
//! extension in `appsettings.rs`) and read into the same `Configuration`. Secrets never enter: a
//! keyset recipe says where a value comes from, and only provisioning reads it.
//!
//! The configuration of a path is `iefctl.toml` or `appsettings.json` in its folder, or in the nearest
//! folder above, up to the folder of the git repository or the root of the file system. Where both are
//! in one folder, `iefctl.toml` counts; if it has no environments, those of `appsettings.json` do.

mod access;
mod appsettings;
mod configuration;
mod discover;
mod error;
mod iefctl_toml;
mod locate;
mod overrides;
mod paths;
mod read;
mod select;
mod toml_tables;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

pub use access::{Stated, TenantAccess};
pub use configuration::{
    GeneratedKey, KeyUse, KeysetContent, KeysetRecipe, RuleLevel, ValueSource,
};
pub use discover::BUILD_MANIFEST;
pub use error::ConfigError;
pub use paths::relative;
pub use read::decode;

use configuration::Configuration;
use discover::{Filter, Target};
use locate::Files;
use paths::RealPaths;

use crate::diagnostics::{Diagnostic, Location, Rule, Source, SourceId, SourceMap};
use crate::policy::{Renaming, Settings, StepAdjustments, closest};

/// What the command line says about the project.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `--config`: the configuration file, instead of the one that is found.
    pub config: Option<PathBuf>,
    /// `--environment`, in any case.
    pub environment: Option<String>,
    /// `--tenant`: a domain or an id; goes before the environment's.
    pub tenant: Option<String>,
    /// `--with`: folders with bases that exist only in the tenant.
    pub with: Vec<PathBuf>,
}

/// Everything that a command works on.
#[derive(Debug, Clone)]
pub struct Project {
    /// The configuration files. Policies are not in it: resolving their settings adds them.
    pub sources: SourceMap,
    /// The configuration file that counts.
    pub config_source: Option<SourceId>,
    /// The folder of the configuration, else the current one; `.iefctl` lies there.
    pub folder: PathBuf,
    /// The policy sets, in the order of the command line.
    pub sets: Vec<SetInput>,
    /// Files with bases that exist only in the tenant; never deployed.
    pub bases: Vec<Source>,
    /// The settings of the chosen environment.
    pub settings: Settings,
    /// Whether the sets hold every file for which the settings are meant. If not, a setting that
    /// none of them uses may well be used.
    pub is_complete: bool,
    /// How missing keysets are provisioned; those of the environment first.
    pub keysets: Vec<KeysetRecipe>,
    /// How the tenant is reached, as far as the configuration says it.
    pub access: TenantAccess,
    /// Levels of rules that the team changed; see [`Project::check_rules`].
    pub rule_levels: Vec<RuleLevel>,
    /// How many uploads may run at once, where the configuration says so.
    pub concurrency: Option<usize>,
    /// `project`: the name under which deployments are recorded, with its place.
    pub name: Option<(String, Location)>,
    /// What is wrong with the configuration without making it useless.
    pub diagnostics: Vec<Diagnostic>,
    /// What was passed over and why, for `-v`.
    pub notes: Vec<String>,
    /// How the policies are called, where a copy of the sets is meant. Loading leaves it open.
    pub renaming: Option<Renaming>,
    /// What is done to journeys on the way to the tenant. Loading leaves it open.
    pub steps: StepAdjustments,
    /// All environments, in the order of the configuration.
    pub environment_names: Vec<String>,
}

/// The files of one policy set, placeholders not yet replaced.
#[derive(Debug, Clone)]
pub struct SetInput {
    /// The path as the user wrote it.
    pub name: String,
    /// The files of the set, in a stable order. Some may turn out to be no policies.
    pub files: Vec<Source>,
    /// Positions in [`Project::bases`] of the files that may hold bases of this set: all but those
    /// that are its own.
    pub with: Vec<usize>,
}

/// Loads the project of `paths`. Each folder and each glob is a set of its own; all files together are
/// one set, as shells and hooks expand patterns into files. Without paths the configured set is meant,
/// and a folder that holds the configuration stands for the configured set as well. `env` reads an
/// environment variable.
///
/// # Errors
/// [`ConfigError`]: the command cannot run; nothing else happened.
pub fn load(
    paths: &[PathBuf],
    options: &LoadOptions,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Project, ConfigError> {
    let mut notes = Vec::new();
    let mut sources = SourceMap::new();
    let targets = paths
        .iter()
        .map(|path| Ok((paths::display(path), Target::of(path, None)?)))
        .collect::<Result<Vec<_>, ConfigError>>()?;
    let files = locate(&targets, options.config.as_deref(), &mut notes)?;
    let configuration = open(&files, options.config.is_some(), &mut sources, &mut notes)?;
    let configuration = configuration.as_ref();
    let chosen = select::environment(configuration, options.environment.as_deref())?;
    let overrides = overrides::read(env, &mut sources)?;
    let settings = select::settings(configuration, chosen, options, &overrides, &sources, env)?;
    let filter = filter(configuration, chosen, &sources)?;
    let plans = plan_sets(targets, configuration, &sources)?;
    let is_complete = plans.iter().any(|plan| plan.is_complete);
    let with = with_targets(configuration, options, &sources)?;
    let (sets, bases) = read_sets(plans, &with, &filter, &mut notes)?;
    Ok(Project {
        sets,
        bases,
        is_complete,
        ..project(configuration, chosen, options, settings, sources, notes)
    })
}

impl Project {
    /// The files that were read: configuration, policies and bases.
    pub fn files(&self) -> impl Iterator<Item = &Source> {
        let policies = self
            .sets
            .iter()
            .flat_map(|set| &set.files)
            .chain(&self.bases);
        self.sources
            .iter()
            .map(|(_, source)| source)
            .chain(policies)
    }

    /// Checks that the configuration names only rules that exist.
    ///
    /// # Errors
    /// Every unknown rule, with its position and the nearest name.
    pub fn check_rules(&self, known: &[&Rule]) -> Result<(), ConfigError> {
        let unknown = self.rule_levels.iter().filter_map(|configured| {
            let name = configured.rule.as_str();
            if known.iter().any(|rule| rule.id == name) {
                return None;
            }
            let help = match closest(name, known.iter().map(|rule| rule.id)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`iefctl explain` lists all rules".to_owned(),
            };
            let message = format!("unknown rule `{name}`");
            let place = configured.location;
            Some(ConfigError::invalid(
                &self.sources,
                place,
                message,
                Some(help),
            ))
        });
        ConfigError::all(unknown.collect())
    }
}

/// Loads what is configured for `folder`, which need not exist, and no policies.
///
/// # Errors
/// As [`load`].
pub fn load_settings(
    folder: &Path,
    options: &LoadOptions,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Project, ConfigError> {
    Ok(around(folder, options, env)?.0)
}

/// Loads what is configured for `folder`, which need not exist, and as one set the policies that lie
/// in it, in whatever number.
///
/// # Errors
/// As [`load`].
pub fn load_folder(
    folder: &Path,
    options: &LoadOptions,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Project, ConfigError> {
    let (mut project, filter) = around(folder, options, env)?;
    let mut found = Vec::new();
    if folder.is_dir() {
        let target = Target::Folder(folder.to_owned());
        let notes = &mut project.notes;
        found = match list(&[target], &filter.for_bases(), notes) {
            Ok(files) => files,
            Err(ConfigError::Empty { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
    }
    let files = found.iter().map(|file| read::source(&file.path));
    project.sets.push(SetInput {
        name: paths::display(folder),
        files: files.collect::<Result<_, _>>()?,
        with: Vec::new(),
    });
    Ok(project)
}

/// The configuration in the nearest folder that exists, as a project without sets.
fn around(
    folder: &Path,
    options: &LoadOptions,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Project, Filter), ConfigError> {
    let mut notes = Vec::new();
    let mut sources = SourceMap::new();
    let mut existing = folder.to_owned();
    while !existing.is_dir() && paths::above(&existing) != existing {
        existing = paths::above(&existing);
    }
    let files = match options.config.as_deref() {
        Some(config) => Files::explicit(config)?,
        None => Files::nearest(&existing, &mut notes),
    };
    let configuration = open(&files, options.config.is_some(), &mut sources, &mut notes)?;
    let configuration = configuration.as_ref();
    let chosen = select::environment(configuration, options.environment.as_deref())?;
    let overrides = overrides::read(env, &mut sources)?;
    let settings = select::settings(configuration, chosen, options, &overrides, &sources, env)?;
    let filter = filter(configuration, chosen, &sources)?;
    let project = project(configuration, chosen, options, settings, sources, notes);
    Ok((project, filter))
}

fn filter(
    configuration: Option<&Configuration>,
    chosen: Option<usize>,
    sources: &SourceMap,
) -> Result<Filter, ConfigError> {
    match configuration {
        Some(found) => {
            let environment = chosen.map(|position| &found.environments[position]);
            Filter::new(found, environment, sources)
        }
        None => Ok(Filter::default()),
    }
}

/// A project without policies.
fn project(
    configuration: Option<&Configuration>,
    chosen: Option<usize>,
    options: &LoadOptions,
    settings: Settings,
    sources: SourceMap,
    notes: Vec<String>,
) -> Project {
    Project {
        config_source: configuration.map(|found| found.source),
        folder: configuration.map_or_else(|| PathBuf::from("."), |found| found.folder.clone()),
        sets: Vec::new(),
        bases: Vec::new(),
        settings,
        is_complete: false,
        keysets: select::keysets(configuration, chosen),
        access: configuration
            .zip(chosen)
            .map(|(found, position)| found.environments[position].access.clone())
            .unwrap_or_default(),
        rule_levels: configuration.map_or_else(Vec::new, |found| found.rule_levels.clone()),
        concurrency: configuration.and_then(|found| found.concurrency),
        name: configuration
            .and_then(|found| found.project.as_ref())
            .map(|name| (name.value.clone(), name.place)),
        diagnostics: select::findings(configuration, chosen, options.tenant.is_some()),
        notes,
        renaming: None,
        steps: StepAdjustments::default(),
        environment_names: configuration.map_or_else(Vec::new, |found| {
            select::names(&found.environments)
                .map(str::to_owned)
                .collect()
        }),
        sources,
    }
}

/// The configuration for all paths, which must be one and the same.
fn locate(
    targets: &[(String, Target)],
    config: Option<&Path>,
    notes: &mut Vec<String>,
) -> Result<Files, ConfigError> {
    if let Some(config) = config {
        return Files::explicit(config);
    }
    let Some(((first_name, first), others)) = targets.split_first() else {
        return Ok(Files::nearest(Path::new("."), notes));
    };
    let files = Files::nearest(&first.folder(), notes);
    for (name, other) in others {
        let theirs = Files::nearest(&other.folder(), &mut Vec::new());
        if theirs.identity() != files.identity() {
            let which =
                |files: &Files| match files.iefctl_toml.as_ref().or(files.appsettings.as_ref()) {
                    Some(file) => format!("`{}`", paths::display(file)),
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

fn open(
    files: &Files,
    is_explicit: bool,
    sources: &mut SourceMap,
    notes: &mut Vec<String>,
) -> Result<Option<Configuration>, ConfigError> {
    let mut add = |file: &Path| {
        let source = read::source(file)?;
        Ok::<_, ConfigError>((sources.add(source), paths::above(file)))
    };
    let toml = files.iefctl_toml.as_deref().map(&mut add).transpose()?;
    let toml = match toml {
        Some((source, folder)) => Some(iefctl_toml::read(sources, source, &folder)?),
        None => None,
    };
    let Some(file) = files.appsettings.as_deref() else {
        return Ok(toml);
    };
    if let Some(toml) = toml.as_ref().filter(|toml| !toml.environments.is_empty()) {
        notes.push(format!(
            "{} is ignored: {} has environments",
            paths::display(file),
            sources.get(toml.source).name()
        ));
        return Ok(Some(toml.clone()));
    }
    let source = sources.add(read::source(file)?);
    let json = appsettings::read(sources, source, &paths::above(file))?;
    Ok(match (toml, json) {
        (Some(mut toml), Some(json)) => {
            toml.environments = json.environments;
            toml.findings.extend(json.findings);
            toml.generated_folder = json.generated_folder;
            Some(toml)
        }
        (None, None) if is_explicit => {
            return Err(ConfigError::Argument(format!(
                "`{}` has no `Environments`, so it is no settings file of the VS Code extension for B2C",
                paths::display(file)
            )));
        }
        (toml, json) => toml.or(json),
    })
}

/// A set before its files are read.
struct SetPlan {
    name: String,
    targets: Vec<Target>,
    /// Whether it is all that the configuration is about.
    is_complete: bool,
}

fn plan_sets(
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

fn with_targets(
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

fn position(sources: &SourceMap, place: configuration::Place) -> String {
    let (start, _) = sources.position(place);
    format!("{}:{start}", sources.get(place.source).name())
}

fn read_sets(
    plans: Vec<SetPlan>,
    with: &[Target],
    filter: &Filter,
    notes: &mut Vec<String>,
) -> Result<(Vec<SetInput>, Vec<Source>), ConfigError> {
    let mut errors = Vec::new();
    let mut read = |files: &[File]| -> Vec<Source> {
        let mut sources = Vec::new();
        for file in files {
            match read::source(&file.path) {
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
            files: read(&files),
            with: with.collect(),
        }
    });
    let sets = sets.collect();
    let bases = read(&bases);
    ConfigError::all(errors)?;
    Ok((sets, bases))
}

/// A file of a set.
struct File {
    /// As the user would write it.
    path: PathBuf,
    /// Without links.
    real: PathBuf,
}

/// The files of all targets, each real file once.
fn list(
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
