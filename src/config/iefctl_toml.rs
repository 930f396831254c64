//! `iefctl.toml`: the project's own configuration file. Strict: a key that is not known, a value of
//! another type or a name that is there twice is an error with its position.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::configuration::{
    Configuration, Environment, Finding, GeneratedKey, KeyUse, KeysetContent, KeysetRecipe,
    Located, RawSetting, RawValue, RuleLevel, ValueSource, is_tenant,
};
use super::error::ConfigError;
use super::keys::{
    DeployKey, EnvironmentKey, MAX_CONCURRENCY, Pkcs12Key, RecipeKey, RootKey, SecretKey,
    SettingKey,
};
use super::paths;
use super::toml_tables::{Key, Tables, Value};
use crate::diagnostics::{Diagnostic, Level, SourceId, SourceMap};
use crate::policy::{BuiltIn, Renaming, SETTINGS_SHADOWED_BUILT_IN, Semantics, TenantValue};

/// The name of the file.
pub(super) const FILE_NAME: &str = "iefctl.toml";

/// Reads the file, which is in `sources` as `source`, and lies in `folder`.
pub(super) fn read(
    sources: &SourceMap,
    source: SourceId,
    folder: &Path,
) -> Result<Configuration, ConfigError> {
    let file = sources.get(source);
    let text = file.text();
    let mut tables = Tables::new(source);
    let root = DeTable::parse(text).map_err(|error| {
        let place = tables.place(error.span().unwrap_or(0..0));
        ConfigError::invalid(sources, place, error.message().trim(), None)
    })?;
    let place = format!("`[settings]` in {}", file.name());
    let mut reader = Reader {
        configuration: Configuration::empty(source, folder.to_owned(), place),
        file_name: file.name(),
        sources,
        tables: &mut tables,
    };
    reader.root(root.get_ref());
    let configuration = reader.configuration;
    let mistakes = tables
        .mistakes
        .into_iter()
        .map(|mistake| ConfigError::invalid(sources, mistake.place, mistake.message, mistake.help));
    ConfigError::all(mistakes.collect())?;
    Ok(configuration)
}

pub(super) struct Reader<'r> {
    pub(super) configuration: Configuration,
    pub(super) file_name: &'r str,
    pub(super) sources: &'r SourceMap,
    pub(super) tables: &'r mut Tables,
}

impl Reader<'_> {
    fn root(&mut self, root: &DeTable<'_>) {
        for (field, key, value) in self.tables.fields(root) {
            match field {
                RootKey::Project => self.configuration.project = self.tables.name(key, value),
                RootKey::Policies => self.configuration.policies = self.policies(key, value),
                RootKey::Exclude => self.configuration.exclude = self.tables.strings(key, value),
                RootKey::With => self.configuration.with = self.tables.strings(key, value),
                RootKey::Prefix => self.configuration.prefix = self.prefix(key, value),
                RootKey::Settings => self.configuration.settings = self.settings(key, value),
                RootKey::Environments => self.environments(key, value),
                RootKey::Keysets => self.configuration.keysets = self.keysets(key, value),
                RootKey::Rules => self.configuration.rule_levels = self.rules(key, value),
                RootKey::Deploy => self.deploy(key, value),
            }
        }
    }

    fn prefix(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<Located<String>> {
        let prefix = self.tables.name(key, value)?;
        if let Err(error) = Renaming::of_project(&prefix.value) {
            self.tables.mistake(value.span(), error.to_string(), None);
            return None;
        }
        Some(prefix)
    }

    fn policies(&mut self, key: &Key<'_>, value: &Value<'_>) -> Vec<Located<String>> {
        if value.get_ref().is_str() {
            return self.tables.name(key, value).into_iter().collect();
        }
        let folders = self.tables.strings(key, value);
        if value
            .get_ref()
            .as_array()
            .is_some_and(|array| array.is_empty())
        {
            self.tables.mistake(
                value.span(),
                "`policies` names no folder",
                Some("remove it to use the folder of this file".to_owned()),
            );
        }
        folders
    }

    fn settings(&mut self, key: &Key<'_>, value: &Value<'_>) -> Vec<RawSetting> {
        let Some(table) = self.tables.table(key, value) else {
            return Vec::new();
        };
        let mut settings = Vec::new();
        for (key, value) in self.tables.named(table, "setting") {
            let Some((raw, semantics)) = self.setting_value(key, value) else {
                continue;
            };
            let key_place = self.tables.place(key.span());
            if BuiltIn::from_key(key.get_ref()).is_some() {
                let message = format!(
                    "setting `{}` is never used, as a built-in setting has that name",
                    key.get_ref()
                );
                let diagnostic = Diagnostic::new(&SETTINGS_SHADOWED_BUILT_IN, key_place, message)
                    .help("give it another name");
                self.configuration.findings.push(Finding {
                    diagnostic,
                    environment: None,
                });
            }
            settings.push(RawSetting {
                key: Located {
                    value: key.get_ref().to_string(),
                    place: key_place,
                },
                value: Located {
                    value: raw,
                    place: self.tables.place(value.span()),
                },
                semantics,
            });
        }
        settings
    }

    fn setting_value(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<(RawValue, Semantics)> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Integer(_) => self.integer(key, value)?.to_string(),
            DeValue::Table(table) => return self.setting_table(key, value, table),
            _ => {
                self.tables.wrong_type(
                    key,
                    value,
                    "a string, an integer, a boolean, { env = \"NAME\" }, { file = \"path\" } or { tenant = \"…\" }",
                );
                return None;
            }
        };
        Some((RawValue::Text(text), Semantics::Recursive))
    }

    /// `{ env = "NAME" }`, also with a default, `{ file = "path" }`, `{ xml = "text" }`, or what the
    /// tenant says.
    fn setting_table(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
        table: &DeTable<'_>,
    ) -> Option<(RawValue, Semantics)> {
        let mut found = Vec::new();
        let mut default = None;
        let before = self.tables.mistakes.len();
        for (field, entry, entry_value) in self.tables.fields(table) {
            match field {
                SettingKey::Env => {
                    let variable = self.variable(entry, entry_value).map(RawValue::From);
                    found.extend(variable.map(|raw| (raw, Semantics::Recursive)));
                }
                SettingKey::File => {
                    let file = self.file(entry, entry_value).map(RawValue::From);
                    found.extend(file.map(|raw| (raw, Semantics::Recursive)));
                }
                SettingKey::Xml => {
                    let text = self.tables.string(entry, entry_value);
                    found.extend(text.map(|text| (RawValue::Text(text.value), Semantics::Markup)));
                }
                SettingKey::Tenant => {
                    let words = TenantValue::ALL.map(|value| (value.notation(), value));
                    let looked_up = self.tables.word(entry, entry_value, &words);
                    let looked_up = looked_up.map(RawValue::Tenant);
                    found.extend(looked_up.map(|raw| (raw, Semantics::Recursive)));
                }
                SettingKey::Default => default = self.tables.string(entry, entry_value),
            }
        }
        if self.tables.mistakes.len() > before {
            return None;
        }
        let found = self.exactly_one(key, value, found, "`env`, `file`, `xml` or `tenant`")?;
        match (found, default) {
            ((RawValue::From(ValueSource::Env(name)), semantics), Some(default)) => {
                let default = default.value;
                Some((RawValue::EnvOr { name, default }, semantics))
            }
            (_, Some(default)) => {
                let span = default.place.span;
                let message = "`default` goes with `env` only";
                let range = span.start as usize..span.end as usize;
                self.tables.mistake(range, message, None);
                None
            }
            (found, None) => Some(found),
        }
    }

    fn integer(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<i64> {
        let Some(integer) = value.get_ref().as_integer() else {
            self.tables.wrong_type(key, value, "an integer");
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix());
        if number.is_err() {
            let message = format!("`{}` is too large a number", key.get_ref());
            let help = "write it as a string".to_owned();
            self.tables.mistake(value.span(), message, Some(help));
        }
        number.ok()
    }

    /// `{ env = "NAME" }` or `{ file = "path" }`.
    fn value_source(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
        table: &DeTable<'_>,
    ) -> Option<ValueSource> {
        let mut found = Vec::new();
        let before = self.tables.mistakes.len();
        for (field, entry, entry_value) in self.tables.fields(table) {
            match field {
                SecretKey::Env => found.extend(self.variable(entry, entry_value)),
                SecretKey::File => found.extend(self.file(entry, entry_value)),
            }
        }
        if self.tables.mistakes.len() > before {
            return None;
        }
        self.exactly_one(key, value, found, "`env` or `file`")
    }

    fn variable(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<ValueSource> {
        let name = self.tables.name(key, value)?;
        if name.value.contains(['=', '\0']) {
            let message = "this cannot be the name of an environment variable";
            self.tables.mistake(value.span(), message, None);
            return None;
        }
        Some(ValueSource::Env(name.value))
    }

    fn file(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<ValueSource> {
        let path = self.tables.name(key, value)?;
        let path = paths::join(&self.configuration.folder, &path.value);
        Some(ValueSource::File(path))
    }

    fn exactly_one<T>(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
        mut found: Vec<T>,
        alternatives: &str,
    ) -> Option<T> {
        if found.len() != 1 {
            let message = format!("`{}` needs exactly one of {alternatives}", key.get_ref());
            self.tables.mistake(value.span(), message, None);
            return None;
        }
        found.pop()
    }

    fn environments(&mut self, key: &Key<'_>, value: &Value<'_>) {
        let Some(table) = self.tables.table(key, value) else {
            return;
        };
        for (key, value) in self.tables.named(table, "environment") {
            if key.get_ref().contains(['/', '\\']) {
                let message = "the name of an environment cannot contain a slash";
                self.tables.mistake(key.span(), message, None);
            }
            if let Some(table) = self.tables.table(key, value) {
                let environment = self.environment(key, table);
                self.configuration.add_environment(environment);
            }
        }
    }

    fn environment(&mut self, key: &Key<'_>, table: &DeTable<'_>) -> Environment {
        let name = Located {
            value: key.get_ref().to_string(),
            place: self.tables.place(key.span()),
        };
        let settings_place = format!(
            "`[environments.{}.settings]` or `[settings]` in {}",
            name.value, self.file_name
        );
        let mut environment = Environment::new(name, settings_place);
        for (field, key, value) in self.tables.fields(table) {
            match field {
                EnvironmentKey::Tenant => environment.tenant = self.tenant(key, value),
                EnvironmentKey::Production => {
                    environment.production = self.tables.boolean(key, value).unwrap_or_default();
                }
                EnvironmentKey::Prefix => environment.prefix = self.prefix(key, value),
                EnvironmentKey::Include => environment.include = self.tables.strings(key, value),
                EnvironmentKey::Exclude => environment.exclude = self.tables.strings(key, value),
                EnvironmentKey::Settings => environment.settings = self.settings(key, value),
                EnvironmentKey::Keysets => environment.keysets = self.keysets(key, value),
                EnvironmentKey::Rules => environment.rule_levels = self.rules(key, value),
                EnvironmentKey::Auth
                | EnvironmentKey::Cloud
                | EnvironmentKey::ClientId
                | EnvironmentKey::ClientSecret
                | EnvironmentKey::Certificate
                | EnvironmentKey::TokenFile
                | EnvironmentKey::ServiceConnectionId
                | EnvironmentKey::ManagedIdentityClientId => {
                    self.access(&mut environment.access, key, value);
                }
            }
        }
        environment
    }

    fn tenant(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<Located<String>> {
        let tenant = self.tables.name(key, value)?;
        if !is_tenant(&tenant.value) {
            let message = format!(
                "`{}` is no tenant: neither a domain name nor an id",
                tenant.value.escape_debug()
            );
            let help = "write it like contoso.onmicrosoft.com".to_owned();
            self.tables.mistake(value.span(), message, Some(help));
        }
        Some(tenant)
    }

    fn keysets(&mut self, key: &Key<'_>, value: &Value<'_>) -> Vec<KeysetRecipe> {
        let Some(table) = self.tables.table(key, value) else {
            return Vec::new();
        };
        let mut recipes: Vec<KeysetRecipe> = Vec::new();
        for (key, value) in self.tables.named(table, "keyset") {
            let Some(recipe) = self.recipe(key, value) else {
                continue;
            };
            if recipes
                .iter()
                .any(|other| other.id.eq_ignore_ascii_case(&recipe.id))
            {
                let message = format!("keyset `{}` is defined twice", recipe.id);
                let help = "with and without prefix are the same keyset".to_owned();
                self.tables.mistake(key.span(), message, Some(help));
            }
            recipes.push(recipe);
        }
        recipes
    }

    fn recipe(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<KeysetRecipe> {
        let table = self.tables.table(key, value)?;
        let name: &str = key.get_ref();
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        {
            let message = format!("`{}` cannot be the id of a keyset", name.escape_debug());
            let help = "ids consist of letters, digits, `_` and `-`".to_owned();
            self.tables.mistake(key.span(), message, Some(help));
        }
        let before = self.tables.mistakes.len();
        let mut key_use = KeyUse::Sig;
        let mut contents = Vec::new();
        for (field, key, value) in self.tables.fields(table) {
            match field {
                RecipeKey::Generate => {
                    let kinds = [("rsa", GeneratedKey::Rsa), ("oct", GeneratedKey::Oct)];
                    let kind = self.tables.word(key, value, &kinds);
                    contents.extend(kind.map(KeysetContent::Generate));
                }
                RecipeKey::Secret => {
                    contents.extend(self.secret_source(key, value).map(KeysetContent::Secret));
                }
                RecipeKey::Certificate => {
                    let source = self.secret_source(key, value);
                    contents.extend(source.map(KeysetContent::Certificate));
                }
                RecipeKey::Pkcs12 => contents.extend(self.pkcs12(key, value)),
                RecipeKey::Use => {
                    let uses = [("sig", KeyUse::Sig), ("enc", KeyUse::Enc)];
                    key_use = self.tables.word(key, value, &uses).unwrap_or(key_use);
                }
            }
        }
        if self.tables.mistakes.len() > before {
            return None;
        }
        let alternatives = "`generate`, `secret`, `certificate` or `pkcs12`";
        let content = self.exactly_one(key, value, contents, alternatives)?;
        let has_prefix = name
            .get(..7)
            .is_some_and(|head| head.eq_ignore_ascii_case("B2C_1A_"));
        let id = if has_prefix {
            name.to_owned()
        } else {
            format!("B2C_1A_{name}")
        };
        Some(KeysetRecipe {
            id,
            key_use,
            content,
            location: self.tables.place(key.span()),
        })
    }

    /// Where a secret comes from. The message never repeats what stands there.
    pub(super) fn secret_source(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
    ) -> Option<ValueSource> {
        match value.get_ref() {
            DeValue::Table(table) => self.value_source(key, value, table),
            _ => {
                let message = format!(
                    "`{}` must say where the value comes from; it does not belong into this file",
                    key.get_ref()
                );
                let help = "write { env = \"NAME\" } or { file = \"path\" }".to_owned();
                self.tables.mistake(value.span(), message, Some(help));
                None
            }
        }
    }

    fn pkcs12(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<KeysetContent> {
        let table = self.tables.table(key, value)?;
        let before = self.tables.mistakes.len();
        let mut archives = Vec::new();
        let mut password = None;
        for (field, entry, entry_value) in self.tables.fields(table) {
            match field {
                Pkcs12Key::Env => archives.extend(self.variable(entry, entry_value)),
                Pkcs12Key::File => archives.extend(self.file(entry, entry_value)),
                Pkcs12Key::Password => password = self.secret_source(entry, entry_value),
            }
        }
        if self.tables.mistakes.len() > before {
            return None;
        }
        let archive = self.exactly_one(key, value, archives, "`env` or `file`")?;
        Some(KeysetContent::Pkcs12 { archive, password })
    }

    fn rules(&mut self, key: &Key<'_>, value: &Value<'_>) -> Vec<RuleLevel> {
        let Some(table) = self.tables.table(key, value) else {
            return Vec::new();
        };
        let mut rule_levels = Vec::new();
        let levels = [
            ("off", None),
            ("hint", Some(Level::Hint)),
            ("warning", Some(Level::Warning)),
            ("error", Some(Level::Error)),
        ];
        for (key, value) in self.tables.named(table, "rule") {
            if let Some(level) = self.tables.word(key, value, &levels) {
                rule_levels.push(RuleLevel {
                    rule: key.get_ref().to_string(),
                    level,
                    location: self.tables.place(key.span()),
                });
            }
        }
        rule_levels
    }

    fn deploy(&mut self, key: &Key<'_>, value: &Value<'_>) {
        let Some(table) = self.tables.table(key, value) else {
            return;
        };
        for (field, key, value) in self.tables.fields(table) {
            match field {
                DeployKey::Concurrency => match self.integer(key, value) {
                    Some(number @ 1..=MAX_CONCURRENCY) => {
                        self.configuration.concurrency = usize::try_from(number).ok();
                    }
                    Some(_) => {
                        let message = format!("`concurrency` must be 1 to {MAX_CONCURRENCY}");
                        self.tables.mistake(value.span(), message, None);
                    }
                    None => {}
                },
            }
        }
    }
}
