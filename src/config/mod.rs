//! What the user wants to work on: which policy files, which environment, which settings.
//!
//! [`load`] reads the disk once and returns a [`Project`], which is data. Formats of configuration
//! have one file each (`iefctl.toml` in `iefctl_toml.rs`, and those of other tools) and read into the
//! same `Configuration`; [`Kind`] tells which is which. Secrets never enter: a keyset recipe says where
//! a value comes from, and only provisioning reads it.
//!
//! The configuration of a path is `iefctl.toml` or `appsettings.json` in its folder, or in the nearest
//! folder above, up to the folder of the git repository or the root of the file system. Where both are
//! in one folder, `iefctl.toml` counts; if it has no environments, those of `appsettings.json` do. The
//! files of other tools are looked for where those tools do: in the folder itself and in the current
//! one. Two of them in one folder are an error.

mod access;
mod appsettings;
mod configuration;
mod convert;
mod convert_text;
mod deployment_file;
mod discover;
mod error;
mod folder;
mod go_ieftool;
mod iefctl_toml;
mod iefpolicies;
mod ieftool;
mod json;
mod keys;
mod kind;
mod locate;
mod open;
mod overrides;
mod paths;
mod read;
mod rewrite;
mod schema;
mod select;
mod sets;
mod toml_tables;
mod yaml;

use std::path::{Path, PathBuf};

pub use access::{Stated, TenantAccess};
pub use configuration::{
    GeneratedKey, KeyUse, KeysetContent, KeysetRecipe, RuleLevel, ValueSource,
};
pub use convert::{Conversion, ConvertError, ConvertOptions, RewrittenFile, convert};
pub use convert_text::{SecretVariable, key as toml_key, text as toml_text};
pub use discover::BUILD_MANIFEST;
pub use error::{ConfigError, Unread};
pub use kind::Kind;
pub use paths::relative;
pub use read::decode;
pub use schema::schema;

use configuration::Configuration;
use discover::{Filter, Target};
use folder::Folder;
use open::{Opened, open};

use crate::diagnostics::{Diagnostic, Location, Rule, Source, SourceId, SourceMap, near_miss};
use crate::parallel::Workers;
use crate::policy::{Renaming, Settings, StepAdjustments};
use crate::xml::FILE_UNREADABLE;

/// What the command line says about the project.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `--config`: the configuration file, instead of the one that is found.
    pub config: Option<PathBuf>,
    /// `--config-format`: which tool that file is for, where its content does not tell.
    pub kind: Option<Kind>,
    /// `--environment`, in any case.
    pub environment: Option<String>,
    /// `--tenant`: a domain or an id; goes before the environment's.
    pub tenant: Option<String>,
    /// `--with`: folders with bases that exist only in the tenant.
    pub with: Vec<PathBuf>,
    /// Whether policies that cannot be read are kept apart, as [`Unread`], instead of being an error. For
    /// those who only report: whoever writes must know every file.
    pub goes_on_without_unread: bool,
}

/// Everything that a command works on.
#[derive(Debug, Clone)]
pub struct Project {
    /// The configuration files. Policies are not in it: resolving their settings adds them.
    pub sources: SourceMap,
    /// The configuration file that counts.
    pub config_source: Option<SourceId>,
    /// Which tool it is for.
    pub kind: Option<Kind>,
    /// The folder of the configuration, else the current one; `.iefctl` lies there.
    pub folder: PathBuf,
    /// The policy sets, in the order of the command line.
    pub sets: Vec<SetInput>,
    /// Files with bases that exist only in the tenant; never deployed.
    pub bases: Vec<Source>,
    /// Those that could not be read.
    pub unread_bases: Vec<Unread>,
    /// The settings of the chosen environment.
    pub settings: Settings,
    /// Whether the sets hold every file for which the settings are meant. If not, a setting that
    /// none of them uses may well be used.
    pub is_complete: bool,
    /// How missing keysets are provisioned; those of the environment first.
    pub keysets: Vec<KeysetRecipe>,
    /// How the tenant is reached, as far as the configuration says it.
    pub access: TenantAccess,
    /// Levels of rules that the team changed, those of the environment instead of those for all;
    /// each rule once. See [`Project::check_rules`].
    pub rule_levels: Vec<RuleLevel>,
    /// Every rule that the configuration names, also in environments that were not chosen.
    pub named_rules: Vec<(String, Location)>,
    /// How many uploads may run at once, where the configuration says so.
    pub concurrency: Option<usize>,
    /// `project`: the name under which deployments are recorded, with its place.
    pub name: Option<(String, Location)>,
    /// What is wrong with the configuration without making it useless.
    pub diagnostics: Vec<Diagnostic>,
    /// What was passed over and why, for `-v`.
    pub notes: Vec<String>,
    /// How the policies are called, where the configuration gives all ids a prefix, or a copy of the sets
    /// is meant.
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
    /// Those that could not be read.
    pub unread: Vec<Unread>,
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
    let targets = Workers::All.map(paths, |path| {
        Ok((paths::display(path), Target::of(path, None)?))
    });
    let targets = targets
        .into_iter()
        .collect::<Result<Vec<_>, ConfigError>>()?;
    let opened = open(&targets, options, &mut sources, &mut notes)?;
    assemble(&opened, targets, options, sources, notes, env)
}

/// The project of an opened configuration.
fn assemble(
    opened: &Opened,
    targets: Vec<(String, Target)>,
    options: &LoadOptions,
    mut sources: SourceMap,
    mut notes: Vec<String>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Project, ConfigError> {
    let configuration = opened.configuration.as_ref();
    let chosen = select::environment(configuration, options.environment.as_deref(), &sources)?;
    let overrides = overrides::read(env, &mut sources)?;
    let settings = select::settings(configuration, chosen, options, &overrides, &sources, env)?;
    let filter = filter(configuration, chosen, &sources)?;
    let plans = sets::plan(targets, configuration, &sources)?;
    let is_complete = plans.iter().any(|plan| plan.is_complete);
    let with = sets::with_targets(configuration, options, &sources)?;
    let files = sets::read(plans, &with, &filter, options, &mut notes)?;
    // A file that was not read may use what no other does.
    let is_read = files.unread_bases.is_empty() && files.sets.iter().all(|it| it.unread.is_empty());
    let mut project = Project {
        sets: files.sets,
        bases: files.bases,
        unread_bases: files.unread_bases,
        is_complete: is_complete && is_read,
        ..project(opened, chosen, options, settings, sources, notes)
    };
    select::implied(&mut project, configuration, env);
    Ok(project)
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

    /// The names of the policies and bases that could not be read.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        let own = self.sets.iter().flat_map(|set| &set.unread);
        own.chain(&self.unread_bases).map(Unread::name)
    }

    /// Checks that the configuration names only rules that exist and can have another level.
    ///
    /// # Errors
    /// Every other rule, with its position and the nearest name.
    pub fn check_rules(&self, known: &[&Rule]) -> Result<(), ConfigError> {
        let unknown = self.named_rules.iter().filter_map(|(name, place)| {
            let name = name.as_str();
            let rule = known.iter().find(|rule| rule.id == name);
            if rule.is_some_and(|rule| has_levels(rule)) {
                return None;
            }
            if rule.is_some() {
                let message = format!("the level of `{name}` cannot be changed");
                let help = "leave out files that are no policies with `exclude`".to_owned();
                let help = Some(help);
                return Some(ConfigError::invalid(&self.sources, *place, message, help));
            }
            let help = match near_miss(name, known.iter().map(|rule| rule.id)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`iefctl explain` lists all rules".to_owned(),
            };
            let message = format!("unknown rule `{name}`");
            Some(ConfigError::invalid(
                &self.sources,
                *place,
                message,
                Some(help),
            ))
        });
        ConfigError::all(unknown.collect())
    }
}

/// Whether a configuration may give this rule another level. What was not read must not pass for valid.
fn has_levels(rule: &Rule) -> bool {
    rule != &FILE_UNREADABLE
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
    let (mut project, filter, opened) = around(folder, options, env)?;
    let mut found = Vec::new();
    if folder.is_dir() {
        let target = Target::Folder(Folder::new(folder.to_owned()));
        let notes = &mut project.notes;
        let mut unread = Vec::new();
        found = match sets::list(&[target], &filter.for_bases(), notes, &mut unread) {
            Ok(files) => {
                ConfigError::all(unread)?;
                files
            }
            Err(ConfigError::Empty { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
    }
    let files = found.iter().map(|file| read::source(&file.path));
    project.sets.push(SetInput {
        name: paths::display(folder),
        files: files.collect::<Result<_, _>>()?,
        unread: Vec::new(),
        with: Vec::new(),
    });
    select::implied(&mut project, opened.configuration.as_ref(), env);
    Ok(project)
}

/// The configuration in the nearest folder that exists, as a project without sets.
fn around(
    folder: &Path,
    options: &LoadOptions,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Project, Filter, Opened), ConfigError> {
    let mut notes = Vec::new();
    let mut sources = SourceMap::new();
    let mut existing = folder.to_owned();
    while !existing.is_dir() && paths::above(&existing) != existing {
        existing = paths::above(&existing);
    }
    let target = (
        paths::display(folder),
        Target::Folder(Folder::new(existing)),
    );
    let opened = open(&[target], options, &mut sources, &mut notes)?;
    let configuration = opened.configuration.as_ref();
    let chosen = select::environment(configuration, options.environment.as_deref(), &sources)?;
    let overrides = overrides::read(env, &mut sources)?;
    let settings = select::settings(configuration, chosen, options, &overrides, &sources, env)?;
    let filter = filter(configuration, chosen, &sources)?;
    let project = project(&opened, chosen, options, settings, sources, notes);
    Ok((project, filter, opened))
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
    opened: &Opened,
    chosen: Option<usize>,
    options: &LoadOptions,
    settings: Settings,
    sources: SourceMap,
    notes: Vec<String>,
) -> Project {
    let configuration = opened.configuration.as_ref();
    Project {
        config_source: configuration.map(|found| found.source),
        kind: opened.kind,
        folder: configuration.map_or_else(|| PathBuf::from("."), |found| found.folder.clone()),
        sets: Vec::new(),
        bases: Vec::new(),
        unread_bases: Vec::new(),
        is_complete: false,
        keysets: select::keysets(configuration, chosen),
        access: configuration
            .zip(chosen)
            .map(|(found, position)| found.environments[position].access.clone())
            .unwrap_or_default()
            .of_named_tenant(settings.tenant.is_some()),
        settings,
        rule_levels: select::rule_levels(configuration, chosen),
        named_rules: select::named_rules(configuration),
        concurrency: configuration.and_then(|found| found.concurrency),
        name: configuration
            .and_then(|found| found.project.as_ref())
            .map(|name| (name.value.clone(), name.place)),
        diagnostics: select::findings(configuration, chosen, options.tenant.is_some()),
        notes,
        renaming: select::renaming(configuration, chosen),
        steps: StepAdjustments::default(),
        environment_names: configuration.map_or_else(Vec::new, |found| {
            select::names(&found.environments)
                .map(str::to_owned)
                .collect()
        }),
        sources,
    }
}
