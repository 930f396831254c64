//! Chooses an environment and makes its settings.

use std::fs;
use std::path::Path;

use super::configuration::{
    Configuration, Environment, KeysetRecipe, RawSetting, RawValue, RuleLevel, ValueSource, is_id,
    is_tenant,
};
use super::error::ConfigError;
use super::{LoadOptions, Project};
use super::{overrides, paths};
use crate::diagnostics::{Diagnostic, Level, Location, SourceMap, Span, near_miss};
use crate::policy::{
    Elsewhere, Guidance, Notation, Renaming, Semantics, Setting, Settings, TenantValue,
    placeholders_outside_comments,
};

/// Reads an environment variable.
pub(super) type Lookup<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The position of the environment that the user chose.
pub(super) fn environment(
    configuration: Option<&Configuration>,
    wanted: Option<&str>,
    sources: &SourceMap,
) -> Result<Option<usize>, ConfigError> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let environments = configuration.map_or(&[][..], |found| &found.environments);
    if environments.is_empty() {
        let reason = match configuration {
            None => {
                "no iefctl.toml or appsettings.json was found there or above it; name one with \
                     --config, or the tenant with --tenant"
                    .to_owned()
            }
            Some(found) => {
                let place = sources.get(found.source).name();
                format!("{place} has no environments")
            }
        };
        return Err(ConfigError::Argument(format!(
            "unknown environment `{wanted}`: {reason}"
        )));
    }
    let lower = wanted.to_lowercase();
    let exact = environments
        .iter()
        .position(|known| known.name.value == wanted);
    let found = exact.or_else(|| {
        environments
            .iter()
            .position(|known| known.name.value.to_lowercase() == lower)
    });
    if found.is_some() {
        return Ok(found);
    }
    let names: Vec<&str> = names(environments).collect();
    let suggestion = near_miss(wanted, names.iter().copied())
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    Err(ConfigError::Argument(format!(
        "unknown environment `{wanted}`, configured are {}{suggestion}",
        names.join(", ")
    )))
}

pub(super) fn names(environments: &[Environment]) -> impl Iterator<Item = &str> {
    environments
        .iter()
        .map(|environment| environment.name.value.as_str())
}

/// The settings of the chosen environment. Environment variables and files are read only for those.
pub(super) fn settings(
    configuration: Option<&Configuration>,
    chosen: Option<usize>,
    options: &LoadOptions,
    overrides: &[RawSetting],
    sources: &SourceMap,
    lookup: Lookup<'_>,
) -> Result<Settings, ConfigError> {
    if let Some(tenant) = &options.tenant
        && !is_tenant(tenant)
    {
        let is_label = is_tenant(&format!("{tenant}.onmicrosoft.com"));
        let help = match is_label {
            true => format!("did you mean `{tenant}.onmicrosoft.com`?"),
            false => "write it like contoso.onmicrosoft.com".to_owned(),
        };
        return Err(ConfigError::Argument(format!(
            "`{}` is no tenant: neither a domain name nor an id; {help}",
            tenant.escape_debug()
        )));
    }
    let Some(configuration) = configuration else {
        return Ok(Settings {
            tenant: options.tenant.clone(),
            values: values(overrides, sources, lookup)?,
            ..Settings::default()
        });
    };
    let environment = chosen.map(|position| &configuration.environments[position]);
    let own = environment.map_or(&[][..], |environment| &environment.settings);
    let shared = configuration.settings.iter().filter(|setting| {
        let mut own = own.iter();
        !own.any(|other| same_key(configuration, setting, &other.key.value))
    });
    let configured: Vec<RawSetting> = shared.chain(own).cloned().collect();
    let settings = overrides::apply(configured, overrides, configuration.notation);
    let mut values = values(&settings, sources, lookup)?;
    let lookups: Vec<(usize, TenantValue)> = settings
        .iter()
        .enumerate()
        .filter_map(|(position, setting)| match setting.value.value {
            RawValue::Tenant(value) => Some((position, value)),
            _ => None,
        })
        .collect();
    let configured_tenant = environment.and_then(|environment| environment.tenant.as_ref());
    let tenant = options
        .tenant
        .clone()
        .or_else(|| configured_tenant.map(|tenant| tenant.value.clone()));
    // The domain by which the tenant is known is the best guess of the one that it will say.
    if let Some(domain) = tenant.as_ref().filter(|tenant| tenant.contains('.')) {
        let domains = lookups
            .iter()
            .filter(|it| it.1 == TenantValue::TenantDomain);
        for (position, _) in domains {
            values[*position].value.clone_from(domain);
        }
    }
    Ok(Settings {
        tenant,
        environment: environment.map(|environment| environment.name.value.clone()),
        production: environment.is_some_and(|environment| environment.production),
        guidance: guidance(configuration, chosen, &values),
        notation: configuration.notation,
        replacements: configuration.replacements.clone(),
        lookups,
        values,
    })
}

/// Reads what the settings refer to; all that cannot be read is said at once.
fn values(
    settings: &[RawSetting],
    sources: &SourceMap,
    lookup: Lookup<'_>,
) -> Result<Vec<Setting>, ConfigError> {
    let mut values = Vec::new();
    let mut errors = Vec::new();
    for setting in settings {
        match value(setting, sources, lookup) {
            Ok(value) => values.push(Setting {
                key: setting.key.value.clone(),
                value,
                key_location: setting.key.place,
                value_location: setting.value.place,
                semantics: setting.semantics,
            }),
            Err(error) => errors.push(error),
        }
    }
    ConfigError::all(errors)?;
    Ok(values)
}

fn same_key(configuration: &Configuration, setting: &RawSetting, key: &str) -> bool {
    let notation = configuration.notation;
    notation.fold(&setting.key.value) == notation.fold(key)
}

/// Adds the settings that no file defines, for the placeholders of the policies: those that only
/// environment variables define, and those that the tool looks up in the tenant.
pub(super) fn implied(
    project: &mut Project,
    configuration: Option<&Configuration>,
    lookup: Lookup<'_>,
) {
    let Some(configuration) = configuration else {
        return;
    };
    let (notation, variables) = (configuration.notation, configuration.variables);
    if variables.is_none() && notation != Notation::Braces {
        return;
    }
    let location = Location {
        source: configuration.source,
        span: Span::at(0),
    };
    let settings = &mut project.settings;
    // An id that is known need not be looked up.
    let id = settings.tenant.clone().filter(|tenant| is_id(tenant));
    let files = project.sets.iter().flat_map(|set| &set.files);
    for file in files.chain(&project.bases) {
        for placeholder in placeholders_outside_comments(file.text(), notation) {
            let key = placeholder.key;
            if settings.values.iter().any(|known| known.key == key) {
                continue;
            }
            let variable = variables.and_then(|prefix| lookup(&format!("{prefix}{key}")));
            let value = match (variable, notation.looked_up(key), &id) {
                (Some(value), _, _) if !value.is_empty() => value,
                (_, Some(TenantValue::TenantId), Some(id)) => id.clone(),
                (_, Some(value), _) => {
                    settings.lookups.push((settings.values.len(), value));
                    value.stand_in().to_owned()
                }
                _ => continue,
            };
            settings.values.push(Setting {
                key: key.to_owned(),
                value,
                key_location: location,
                value_location: location,
                semantics: Semantics::Plain,
            });
        }
    }
}

/// The prefix of all ids that the configuration asks for; that of the environment first. Whether it
/// can be one was checked when it was read.
pub(super) fn renaming(
    configuration: Option<&Configuration>,
    chosen: Option<usize>,
) -> Option<Renaming> {
    let configuration = configuration?;
    let own = chosen.and_then(|position| configuration.environments[position].prefix.as_ref());
    let prefix = own.or(configuration.prefix.as_ref())?;
    Renaming::of_project(&prefix.value).ok()
}

fn guidance(configuration: &Configuration, chosen: Option<usize>, values: &[Setting]) -> Guidance {
    let environments = &configuration.environments;
    let place = match chosen {
        Some(position) => &environments[position].settings_place,
        None => &configuration.settings_place,
    };
    let mut elsewhere = Vec::new();
    for (position, environment) in environments.iter().enumerate() {
        if Some(position) == chosen {
            continue;
        }
        for setting in &environment.settings {
            let mut values = values.iter();
            if !values.any(|value| same_key(configuration, setting, &value.key)) {
                elsewhere.push(Elsewhere {
                    key: setting.key.value.clone(),
                    environment: environment.name.value.clone(),
                });
            }
        }
    }
    Guidance {
        place: Some(place.clone()),
        environments: names(environments).map(str::to_owned).collect(),
        elsewhere,
    }
}

fn value(
    setting: &RawSetting,
    sources: &SourceMap,
    lookup: Lookup<'_>,
) -> Result<String, ConfigError> {
    let key = &setting.key.value;
    let invalid = |message: String, help: &str| {
        ConfigError::invalid(sources, setting.value.place, message, Some(help.to_owned()))
    };
    match &setting.value.value {
        RawValue::Text(text) => Ok(text.clone()),
        RawValue::EnvOr { name, default } => {
            let value = lookup(name).filter(|value| !value.is_empty());
            Ok(value.unwrap_or_else(|| default.clone()))
        }
        RawValue::Tenant(value) => Ok(value.stand_in().to_owned()),
        RawValue::From(ValueSource::Env(name)) => lookup(name).ok_or_else(|| {
            let message = format!(
                "setting `{key}` needs the environment variable `{name}`, which is not set"
            );
            invalid(message, "set it, or write a value here")
        }),
        RawValue::From(ValueSource::File(path)) => {
            let text = read_value(path).map_err(|reason| {
                invalid(format!("setting `{key}`: {reason}"), "write the file")
            })?;
            Ok(text)
        }
    }
}

/// The content of a file without the line end that editors add.
fn read_value(path: &Path) -> Result<String, String> {
    let shown = paths::display(path);
    let is_file = fs::metadata(path)
        .map_err(|error| format!("cannot read `{shown}`: {error}"))?
        .is_file();
    if !is_file {
        return Err(format!("`{shown}` is not a regular file"));
    }
    let source = super::read::source(path).map_err(|error| error.to_string())?;
    let text: &str = source.text();
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// The recipes of the chosen environment before those for all.
pub(super) fn keysets(
    configuration: Option<&Configuration>,
    chosen: Option<usize>,
) -> Vec<KeysetRecipe> {
    let Some(configuration) = configuration else {
        return Vec::new();
    };
    let mut recipes = chosen.map_or_else(Vec::new, |position| {
        configuration.environments[position].keysets.clone()
    });
    for recipe in &configuration.keysets {
        if !recipes
            .iter()
            .any(|own| own.id.eq_ignore_ascii_case(&recipe.id))
        {
            recipes.push(recipe.clone());
        }
    }
    recipes
}

/// The levels of rules: those of the chosen environment before those for all.
pub(super) fn rule_levels(
    configuration: Option<&Configuration>,
    chosen: Option<usize>,
) -> Vec<RuleLevel> {
    let Some(configuration) = configuration else {
        return Vec::new();
    };
    let own = chosen.map_or(&[][..], |position| {
        &configuration.environments[position].rule_levels
    });
    let shared = configuration.rule_levels.iter();
    let shared = shared.filter(|level| !own.iter().any(|other| other.rule == level.rule));
    own.iter().chain(shared).cloned().collect()
}

/// Every rule that the configuration names, in whichever environment.
pub(super) fn named_rules(configuration: Option<&Configuration>) -> Vec<(String, Location)> {
    let Some(configuration) = configuration else {
        return Vec::new();
    };
    let environments = configuration.environments.iter();
    let levels = environments.flat_map(|environment| &environment.rule_levels);
    let levels = configuration.rule_levels.iter().chain(levels);
    levels
        .map(|level| (level.rule.clone(), level.location))
        .collect()
}

/// The findings about the configuration. What is wrong in an environment that was not chosen does
/// not stop the work on the one that was.
pub(super) fn findings(
    configuration: Option<&Configuration>,
    chosen: Option<usize>,
    tenant_is_given: bool,
) -> Vec<Diagnostic> {
    let Some(configuration) = configuration else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for finding in &configuration.findings {
        let mut diagnostic = finding.diagnostic.clone();
        let is_chosen = finding.environment.is_none() || finding.environment == chosen;
        let is_answered =
            tenant_is_given && diagnostic.rule == &crate::policy::SETTINGS_MISSING_TENANT;
        if !is_chosen || is_answered {
            diagnostic.level = diagnostic.level.min(Level::Warning);
        }
        findings.push(diagnostic);
    }
    findings
}
