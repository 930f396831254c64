//! Turns the configuration of another tool into an `iefctl.toml`, and the placeholders in the policies into
//! those of `iefctl`. Nothing is written here. What comes out was compared with what the old file means:
//! every policy of every environment resolves to the same bytes, or there is no result.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::configuration::{Configuration, Located, is_tenant};
use super::convert_text::{Additions, SecretVariable, secrets, write};
use super::discover::Target;
use super::open::{Opened, open};
use super::rewrite::{Rewritten, rewrite};
use super::select::Lookup;
use super::{ConfigError, Kind, LoadOptions, Project, assemble, iefctl_toml, overrides, paths};
use crate::diagnostics::{Diagnostic, Level, Location, Source, SourceMap, Span};
use crate::policy::{BuiltIn, Notation, Resolver, SETTINGS_UNUSED};

/// What is to be converted.
#[derive(Debug, Clone)]
pub struct ConvertOptions {
    /// The file of the other tool.
    pub file: PathBuf,
    /// Which tool it is for, where its content does not tell.
    pub kind: Option<Kind>,
    /// The folder of the policies, where the file lies elsewhere.
    pub folder: Option<PathBuf>,
    /// The tenant, where the file names none.
    pub domain: Option<String>,
    /// Whether there may be an `iefctl.toml` already.
    pub overwrite: bool,
}

/// What converting comes to.
#[derive(Debug)]
pub struct Conversion {
    /// Which tool the file is for.
    pub kind: Kind,
    /// Where the new file goes.
    pub path: PathBuf,
    /// Its text.
    pub toml: String,
    /// The policies whose placeholders are written otherwise.
    pub files: Vec<RewrittenFile>,
    /// The environment variables that take the place of a file of secrets.
    pub secrets: Vec<SecretVariable>,
}

/// A policy before and after.
#[derive(Debug)]
pub struct RewrittenFile {
    /// As it is.
    pub before: Source,
    /// As it is to be.
    pub after: Source,
    /// What is replaced by what, in words, each once.
    pub changes: Vec<String>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The old file cannot be read, or the new one would be wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The old file or what it is used for has findings, which the new one could not mean.
    #[error("{0}")]
    Refused(String),
}

/// Converts a file.
///
/// # Errors
/// See [`ConvertError`].
pub fn convert(options: &ConvertOptions) -> Result<Conversion, ConvertError> {
    let load = LoadOptions {
        config: Some(options.file.clone()),
        kind: options.kind,
        tenant: options.domain.clone(),
        ..LoadOptions::default()
    };
    if let Some(domain) = &options.domain
        && !is_tenant(domain)
    {
        return refuse(format!(
            "`{domain}` is no tenant: write it like contoso.onmicrosoft.com"
        ));
    }
    let targets = match &options.folder {
        Some(folder) => vec![(paths::display(folder), Target::of(folder, None)?)],
        None => Vec::new(),
    };
    let mut sources = SourceMap::new();
    let mut notes = Vec::new();
    let mut opened = open(&targets, &load, &mut sources, &mut notes)?;
    if opened.kind != Some(Kind::Deployment)
        && let (Some(folder), Some(configuration)) = (&options.folder, &mut opened.configuration)
    {
        policies_in(folder, configuration)?;
    }
    let (Some(configuration), Some(kind)) = (&opened.configuration, opened.kind) else {
        return refuse(format!(
            "`{}` is no configuration",
            paths::display(&options.file)
        ));
    };
    if kind == Kind::Iefctl {
        return refuse(format!(
            "`{}` is an iefctl.toml already",
            paths::display(&options.file)
        ));
    }
    let path = paths::join(&configuration.folder, iefctl_toml::FILE_NAME);
    if path.symlink_metadata().is_ok() && !options.overwrite {
        return refuse(format!(
            "`{}` exists: remove it, or overwrite it with --force; --dry-run shows what would be written",
            paths::display(&path)
        ));
    }
    check(configuration, &sources)?;
    if options.domain.is_some() && !configuration.environments.is_empty() {
        return refuse(format!(
            "`{}` names its tenants itself: leave --domain away",
            paths::display(&options.file)
        ));
    }
    let old = Side {
        opened: &opened,
        sources: &sources,
        load: &load,
    };
    let env = |_: &str| None;
    let policies = old.project(None, &env)?;
    let Rewritten {
        files,
        settings,
        renamed,
    } = rewrite(configuration, &policies, options.domain.as_deref())
        .map_err(ConvertError::Refused)?;
    let additions = Additions {
        settings,
        renamed,
        tenant: options.domain.clone(),
        name: paths::display(&options.file),
    };
    let secrets = secrets(configuration);
    let toml = write(configuration, &secrets, &additions);
    let conversion = Conversion {
        kind,
        path,
        toml,
        files,
        secrets,
    };
    verify(&old, &conversion, &additions)?;
    Ok(conversion)
}

/// Says where the policies are, if that is not the folder of the file.
fn policies_in(folder: &Path, configuration: &mut Configuration) -> Result<(), ConvertError> {
    match paths::relative(folder, &configuration.folder) {
        Some(path) if path == "." => {}
        Some(path) => {
            configuration.policies = vec![Located {
                value: path,
                place: Location {
                    source: configuration.source,
                    span: Span::at(0),
                },
            }];
        }
        None => {
            return refuse(format!(
                "`{}` lies outside of `{}`, where the iefctl.toml would be",
                paths::display(folder),
                paths::display(&configuration.folder)
            ));
        }
    }
    Ok(())
}

fn refuse<T>(reason: String) -> Result<T, ConvertError> {
    Err(ConvertError::Refused(reason))
}

/// An old file with errors means nothing that could be converted.
fn check(configuration: &Configuration, sources: &SourceMap) -> Result<(), ConvertError> {
    let errors = configuration.findings.iter().map(|found| &found.diagnostic);
    let errors: Vec<String> = errors
        .filter(|found| found.level == Level::Error)
        .map(|found| told(found, sources))
        .collect();
    if !errors.is_empty() {
        return refuse(format!("correct this first:\n{}", errors.join("\n")));
    }
    for environment in &configuration.environments {
        if let Some(tenant) = &environment.tenant
            && !is_tenant(&tenant.value)
        {
            let message = format!(
                "`{}` is no tenant: neither a domain name nor an id",
                tenant.value
            );
            let help =
                "iefctl.toml needs the domain, like contoso.onmicrosoft.com: correct it here first";
            let error = ConfigError::invalid(sources, tenant.place, message, Some(help.to_owned()));
            return Err(error.into());
        }
    }
    let notation = configuration.notation;
    let mut keys: BTreeMap<(usize, String), &str> = BTreeMap::new();
    let shared = configuration.settings.iter().map(|setting| (0, setting));
    let environments = configuration.environments.iter().enumerate();
    let own = environments.flat_map(|(position, environment)| {
        environment
            .settings
            .iter()
            .map(move |setting| (position + 1, setting))
    });
    for (position, setting) in shared.chain(own) {
        let key = &setting.key.value;
        if notation == Notation::ExactSettings && BuiltIn::from_key(key).is_some() {
            let message = format!("`{key}` is the name of a built-in setting in iefctl.toml");
            let help = "rename it, here and in the policies".to_owned();
            let error = ConfigError::invalid(sources, setting.key.place, message, Some(help));
            return Err(error.into());
        }
        if let Some(other) = keys.insert((position, key.to_lowercase()), key) {
            let message = format!(
                "`{other}` and `{key}` differ in case only, which does not count in iefctl.toml"
            );
            let help = "rename one of them, here and in the policies".to_owned();
            let error = ConfigError::invalid(sources, setting.key.place, message, Some(help));
            return Err(error.into());
        }
    }
    Ok(())
}

fn told(found: &Diagnostic, sources: &SourceMap) -> String {
    let location = found.primary.location;
    let (start, _) = sources.position(location);
    let help = found
        .help
        .as_deref()
        .map_or(String::new(), |help| format!("; {help}"));
    format!(
        "{}:{start}: {}{help}",
        sources.get(location.source).name(),
        found.message
    )
}

/// One of the two configurations that must mean the same.
struct Side<'s> {
    opened: &'s Opened,
    sources: &'s SourceMap,
    load: &'s LoadOptions,
}

impl Side<'_> {
    fn project(
        &self,
        environment: Option<&str>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Project, ConfigError> {
        let load = LoadOptions {
            environment: environment.map(str::to_owned),
            ..self.load.clone()
        };
        assemble(
            self.opened,
            Vec::new(),
            &load,
            self.sources.clone(),
            Vec::new(),
            env,
        )
    }
}

/// Compares what every policy becomes, in every environment, with and without the environment variables
/// that settings may come from.
fn verify(
    old: &Side<'_>,
    conversion: &Conversion,
    additions: &Additions,
) -> Result<(), ConvertError> {
    let mut sources = SourceMap::new();
    let source = sources.add(Source::new(
        paths::display(&conversion.path),
        conversion.toml.as_str(),
    ));
    let folder = paths::above(&conversion.path);
    let configuration = iefctl_toml::read(&sources, source, &folder)?;
    let new_names: Vec<String> = configuration
        .environments
        .iter()
        .map(|environment| environment.name.value.clone())
        .collect();
    let opened = Opened {
        configuration: Some(configuration),
        kind: Some(Kind::Iefctl),
    };
    let load = LoadOptions::default();
    let new = Side {
        opened: &opened,
        sources: &sources,
        load: &load,
    };
    let secret = |name: &str| {
        let mut secrets = conversion.secrets.iter();
        let secret = secrets.find(|secret| secret.name == name);
        secret.map(|secret| secret.value.clone())
    };
    let set = |name: &str| {
        let any = (name != overrides::VARIABLE).then(|| format!("value of {name}"));
        secret(name).or(any)
    };
    let only_needed = |name: &str| {
        let needed = additions.needs(name).then(|| format!("value of {name}"));
        secret(name).or(needed)
    };
    let lookups: [Lookup<'_>; 2] = [&only_needed, &set];
    let old_names = old
        .opened
        .configuration
        .as_ref()
        .map_or(&[][..], |found| &found.environments);
    let pairs: Vec<(Option<&str>, Option<&str>)> = if old_names.is_empty() {
        vec![(None, new_names.first().map(String::as_str))]
    } else {
        let names = old_names
            .iter()
            .map(|environment| Some(environment.name.value.as_str()));
        names.map(|name| (name, name)).collect()
    };
    for (old_name, new_name) in pairs {
        for env in lookups {
            let before = old.project(old_name, env)?;
            let mut after = new.project(new_name, env)?;
            replace(&mut after, &conversion.files);
            if before.renaming != after.renaming {
                return refuse("the prefix would not be the same".to_owned());
            }
            compare(&before, &after)?;
        }
    }
    Ok(())
}

/// Gives the policies the texts that they are to have.
fn replace(project: &mut Project, files: &[RewrittenFile]) {
    for source in project.sets.iter_mut().flat_map(|set| &mut set.files) {
        if let Some(file) = files
            .iter()
            .find(|file| file.before.name() == source.name())
        {
            *source = file.after.clone();
        }
    }
}

fn compare(before: &Project, after: &Project) -> Result<(), ConvertError> {
    let names = |project: &Project| {
        let files = project.sets.iter().flat_map(|set| &set.files);
        files.map(|file| file.name().to_owned()).collect::<Vec<_>>()
    };
    if names(before) != names(after) {
        return refuse("the result would be about other files".to_owned());
    }
    let old = Resolver::new(&before.settings);
    let new = Resolver::new(&after.settings);
    let pairs = before.sets.iter().zip(&after.sets);
    for (mine, theirs) in pairs.flat_map(|(old, new)| old.files.iter().zip(&new.files)) {
        let mut sources = before.sources.clone();
        let resolution = old.resolve(mine.clone(), &mut sources);
        let findings = resolution
            .diagnostics
            .into_iter()
            .chain(old.check(&resolution.used));
        let mut errors =
            findings.filter(|found| found.level == Level::Error && found.rule != &SETTINGS_UNUSED);
        if let Some(error) = errors.next() {
            return refuse(format!("correct this first:\n{}", told(&error, &sources)));
        }
        let is = sources.get(resolution.id).text().clone();
        let mut sources = after.sources.clone();
        let resolution = new.resolve(theirs.clone(), &mut sources);
        let would_be = sources.get(resolution.id).text();
        if is != *would_be {
            let common = is
                .bytes()
                .zip(would_be.bytes())
                .take_while(|(a, b)| a == b)
                .count();
            let line = is.as_bytes()[..common]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1;
            let environment = before.settings.environment.as_deref();
            let environment = environment.map_or(String::new(), |name| format!(" for `{name}`"));
            return refuse(format!(
                "{} would not be the same{environment}: it would differ in line {line} of what is \
                 uploaded; write the value there in another way first",
                mine.name()
            ));
        }
    }
    Ok(())
}
