//! What a command works on: the arguments that name policies and settings, and validating them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::config::{self, Kind, LoadOptions, Project};
use crate::deploy;
use crate::diagnostics::{
    Diagnostic, Level, Location, Report, Source, SourceId, SourceMap, Splices,
};
use crate::parallel::Workers;
use crate::policy::{
    PolicySet, Renaming, Replaced, Resolver, SETTINGS_UNUSED, StepAdjustments, tell_undefined_once,
};
use crate::rules;
use crate::validate::{self, SetFiles, Terms};

use super::Shell;

/// What to work on; the same for every command that reads policies.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ProjectArgs {
    /// Folder, glob or files of a policy set; each folder is a set of its own [default: the
    /// configured set, else the current folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Environment of the configuration whose tenant and settings to use; `validate`,
    /// `plan`, `deploy` and `build` take several
    #[arg(short, long, value_name = "NAME", env = "IEFCTL_ENVIRONMENT")]
    pub environment: Vec<String>,

    /// Tenant, such as contoso.onmicrosoft.com; also replaces yourtenant.onmicrosoft.com
    #[arg(short, long, value_name = "DOMAIN")]
    pub tenant: Option<String>,

    /// The file with all that.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Folder with bases that exist only in the tenant; read, never deployed
    #[arg(long, value_name = "DIR")]
    pub with: Vec<PathBuf>,

    /// Call every policy B2C_1A_TEXT… instead, for a copy beside the policies in one tenant
    #[arg(long, value_name = "TEXT")]
    pub prefix: Option<String>,

    /// Put this at the end of every PolicyId, for a copy beside the policies in one tenant
    #[arg(long, value_name = "TEXT")]
    pub suffix: Option<String>,

    /// Upload user journeys with their steps numbered 1, 2, 3 … in the order of the file; never what
    /// overrides inherited steps. Files stay as they are
    #[arg(long)]
    pub renumber_steps: bool,

    /// Upload every user journey with a first step that calls the technical profile
    /// AppInsights-Start, unless it has one. Files stay as they are
    #[arg(long)]
    pub app_insights_step: bool,
}

/// The configuration file; the same for every command that reads one.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConfigArgs {
    /// Configuration file [default: iefctl.toml or appsettings.json in the folder or above it, or the
    /// file that another tool looks for there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Which tool --config is for, where the content does not tell
    #[arg(long, value_name = "TOOL", requires = "config", value_parser = config_format)]
    pub config_format: Option<Kind>,
}

impl ConfigArgs {
    /// Only which file to load.
    pub(super) fn options(&self) -> LoadOptions {
        LoadOptions {
            config: self.config.clone(),
            kind: self.config_format,
            ..LoadOptions::default()
        }
    }
}

/// Reads a value of `--config-format`.
pub(super) fn config_format(word: &str) -> Result<Kind, String> {
    Kind::from_word(word).ok_or_else(|| {
        let words = Kind::ALL.map(|(word, _)| word);
        format!("known are {}", words.join(", "))
    })
}

/// A policy as the tenant has it, for sets that inherit from what only the tenant holds.
#[derive(Debug, Clone, Copy)]
pub struct TenantPolicy<'t> {
    /// The id that the tenant lists.
    pub id: &'t str,
    /// The text that the tenant returned.
    pub text: &'t str,
}

/// A project after validation.
#[derive(Debug)]
pub struct Validated {
    /// The findings of all sets, with the sources.
    pub report: Report,
    /// The sets, in the order of the paths.
    pub sets: Vec<PolicySet>,
}

impl Validated {
    /// Adds findings of later stages, at the levels that the team configured.
    pub fn add(&mut self, findings: impl Iterator<Item = Diagnostic>, project: &Project) {
        let mut findings: Vec<_> = findings.collect();
        validate::apply_levels(&mut findings, &levels(project));
        self.report.diagnostics.extend(findings);
        deploy::without_doubles(&mut self.report.diagnostics);
        self.report.sort();
    }
}

fn levels(project: &Project) -> HashMap<String, Option<Level>> {
    project
        .rule_levels
        .iter()
        .map(|configured| (configured.rule.clone(), configured.level))
        .collect()
}

impl ProjectArgs {
    /// Reads the configuration and the files.
    ///
    /// # Errors
    /// What keeps the command from running: paths, configuration, encodings.
    pub fn load(&self, shell: &Shell) -> Result<Project> {
        self.load_with(&self.options()?, shell)
    }

    /// The same for commands that only report: policies that cannot be read are findings, and do not
    /// keep those of the others from being told.
    ///
    /// # Errors
    /// What keeps the command from running: paths, configuration.
    pub(super) fn load_what_is_readable(&self, shell: &Shell) -> Result<Project> {
        let options = LoadOptions {
            goes_on_without_unread: true,
            ..self.options()?
        };
        self.load_with(&options, shell)
    }

    fn load_with(&self, options: &LoadOptions, shell: &Shell) -> Result<Project> {
        let env = |name: &str| shell.variable(name);
        self.checked(config::load(&self.paths, options, &env)?, shell)
    }

    /// Reads the configuration only, for commands that are about a tenant.
    ///
    /// # Errors
    /// What is wrong with the configuration or does not fit to it.
    pub fn load_configuration(&self, shell: &Shell) -> Result<Project> {
        let env = |name: &str| shell.variable(name);
        let project = config::load_settings(Path::new("."), &self.options()?, &env)?;
        self.checked(project, shell)
    }

    /// The same for one environment.
    pub(super) fn of(&self, environment: Option<&str>) -> Self {
        Self {
            environment: environment.map(str::to_owned).into_iter().collect(),
            ..self.clone()
        }
    }

    fn options(&self) -> Result<LoadOptions> {
        if let [_, _, ..] = self.environment.as_slice() {
            bail!("this works on one environment at a time: choose one with `--environment NAME`");
        }
        Ok(LoadOptions {
            environment: self.environment.first().cloned(),
            tenant: self.tenant.clone(),
            with: self.with.clone(),
            ..self.config.options()
        })
    }

    fn checked(&self, mut project: Project, shell: &Shell) -> Result<Project> {
        let known: Vec<_> = rules::all().chain(super::deploy_rules()).collect();
        project.check_rules(&known)?;
        if let Some(renaming) = self.renaming()? {
            project.renaming = Some(renaming);
        }
        project.steps = StepAdjustments {
            renumber: self.renumber_steps,
            application_insights: self.app_insights_step,
        };
        for note in project.notes.drain(..) {
            shell.note(note);
        }
        Ok(project)
    }

    /// The copy that is meant, if one is.
    fn renaming(&self) -> Result<Option<Renaming>> {
        if self.prefix.is_none() && self.suffix.is_none() {
            return Ok(None);
        }
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        Ok(Some(Renaming::new(
            &part(&self.prefix),
            &part(&self.suffix),
        )?))
    }
}

/// Replaces the settings and validates every set. `tenant` holds what the tenant has, where it was
/// asked; without it a base that is not among the files may still exist.
///
/// # Errors
/// If a set holds no policy at all.
pub fn validate(
    project: &Project,
    tenant: Option<&[TenantPolicy<'_>]>,
    shell: &Shell,
) -> Result<Validated> {
    judge(project, tenant, false, shell)
}

/// The same without a tenant for those who need the findings only: `sets` stays empty.
///
/// # Errors
/// As [`validate`].
pub fn findings(project: &Project, shell: &Shell) -> Result<Validated> {
    judge(project, None, true, shell)
}

fn judge(
    project: &Project,
    tenant: Option<&[TenantPolicy<'_>]>,
    findings_only: bool,
    shell: &Shell,
) -> Result<Validated> {
    let mut sources = project.sources.clone();
    let mut diagnostics = project.diagnostics.clone();
    let resolver = Resolver::new(&project.settings);
    let mut terms = Terms {
        tenant_known: tenant.is_some(),
        production: project.settings.production,
        levels: levels(project),
        findings_only,
        ..Terms::default()
    };
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let mut add = |replaced: Replaced, sources: &mut SourceMap| {
        let resolution = resolver.add(replaced, sources);
        used.extend(resolution.used);
        let places = resolution.unresolved.into_iter();
        terms.unresolved.extend(places.map(|span| Location {
            source: resolution.id,
            span,
        }));
        let places = resolution.looked_up.into_iter();
        terms.looked_up.extend(places.map(|span| Location {
            source: resolution.id,
            span,
        }));
        (resolution.id, resolution.diagnostics, resolution.undefined)
    };
    let own: Vec<&Source> = project.sets.iter().flat_map(|set| &set.files).collect();
    let replaced = Workers::All.map(&own, |file| resolver.replace((*file).clone()));
    let mut replaced = replaced.into_iter();
    let mut files = Vec::new();
    for set in &project.sets {
        let mut input = SetFiles::default();
        let mut undefined = Vec::new();
        for replaced in replaced.by_ref().take(set.files.len()) {
            let (id, findings, missing) = add(replaced, &mut sources);
            input.own.push(id);
            input.found.extend(findings);
            undefined.extend(missing);
        }
        tell_undefined_once(&undefined, &mut input.found);
        let unread = set.unread.iter().map(|file| file.report(&mut sources));
        input.found.extend(unread);
        files.push(input);
    }
    let unread = project.unread_bases.iter();
    diagnostics.extend(unread.map(|base| base.report(&mut sources)));
    let stored: Vec<SourceId> = tenant
        .unwrap_or_default()
        .iter()
        .map(|policy| sources.add(Source::new(format!("tenant:{}", policy.id), policy.text)))
        .collect();
    // A base is resolved once for all sets. What is wrong with its placeholders is said where it is
    // validated.
    let mut bases: BTreeMap<usize, SourceId> = BTreeMap::new();
    for (input, set) in files.iter_mut().zip(&project.sets) {
        for &base in &set.with {
            let id = bases.entry(base).or_insert_with(|| {
                let replaced = resolver.replace(project.bases[base].clone());
                add(replaced, &mut sources).0
            });
            input.context.push(*id);
        }
        input.context.extend(&stored);
    }
    for input in &mut files {
        if !project.steps.is_empty() {
            let adjusted = project
                .steps
                .apply(&mut sources, &input.own, &input.context);
            input.found.extend(adjusted.findings);
            shift(
                &adjusted.splices,
                input,
                [&mut terms.unresolved, &mut terms.looked_up],
            );
        }
        if let Some(renaming) = &project.renaming {
            let changed = renaming.apply(&mut sources, &input.own)?;
            shift(
                &changed,
                input,
                [&mut terms.unresolved, &mut terms.looked_up],
            );
        }
    }
    let checked = validate::validate_sets(&sources, files, &terms);
    let mut sets = Vec::new();
    let mut policies = 0;
    for (checked, input) in checked.into_iter().zip(&project.sets) {
        let mut not_policies = checked
            .not_policies
            .iter()
            .map(|&id| sources.get(id).name());
        for name in not_policies.clone() {
            shell.note(format!(
                "{name} is no policy: its root element is not TrustFrameworkPolicy"
            ));
        }
        if not_policies.len() == input.files.len() && input.unread.is_empty() {
            bail!(
                "`{}` holds no policy: none of its {} XML files has the root element \
                 TrustFrameworkPolicy{}",
                input.name,
                input.files.len(),
                not_policies
                    .next()
                    .map_or(String::new(), |name| format!(" (the first is {name})"))
            );
        }
        policies += checked.policies;
        diagnostics.extend(checked.diagnostics);
        if !findings_only {
            sets.push(checked.set);
        }
    }
    diagnostics.extend(
        resolver
            .check(&used)
            .into_iter()
            .filter(|finding| project.is_complete || finding.rule != &SETTINGS_UNUSED),
    );
    validate::apply_levels(&mut diagnostics, &terms.levels);
    let mut report = Report {
        sources,
        diagnostics,
        policies,
    };
    report.sort();
    Ok(Validated { report, sets })
}

/// Moves what was found before along with changes to the texts.
fn shift(
    changed: &HashMap<SourceId, Splices>,
    input: &mut SetFiles,
    places: [&mut Vec<Location>; 2],
) {
    let shift = |location: &mut Location| {
        if let Some(splices) = changed.get(&location.source) {
            location.span = splices.shift(location.span);
        }
    };
    for places in places {
        places.iter_mut().for_each(shift);
    }
    for finding in &mut input.found {
        shift(&mut finding.primary.location);
        finding.cause.iter_mut().for_each(shift);
        for label in &mut finding.related {
            shift(&mut label.location);
        }
        for edit in finding.fix.iter_mut().flat_map(|fix| &mut fix.edits) {
            shift(&mut edit.location);
        }
    }
}
