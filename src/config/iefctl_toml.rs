//! `iefctl.toml`: the project's own configuration file. Strict: a key that is not known, a value of
//! another type or a name that is there twice is an error with its position.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::access::{self, TenantAccess};
use super::configuration::{
    Configuration, Environment, Finding, GeneratedKey, KeyUse, KeysetContent, KeysetRecipe,
    Located, RawSetting, RawValue, RuleLevel, ValueSource, is_tenant,
};
use super::error::ConfigError;
use super::paths;
use super::toml_tables::{Key, Tables, Value};
use crate::diagnostics::{Diagnostic, Level, SourceId, SourceMap};
use crate::policy::{
    BuiltIn, SETTINGS_SHADOWED_BUILT_IN, SETTINGS_SHARED_TENANT, Semantics, TenantValue,
};

/// The name of the file.
pub(super) const FILE_NAME: &str = "iefctl.toml";

const ROOT: &[&str] = &[
    "project",
    "policies",
    "exclude",
    "with",
    "settings",
    "environments",
    "keysets",
    "rules",
    "deploy",
];
const ENVIRONMENT: &[&str] = &[
    "tenant",
    "production",
    "include",
    "exclude",
    "settings",
    "keysets",
    "auth",
    "cloud",
    "client_id",
    "client_secret",
    "certificate",
    "token_file",
    "service_connection_id",
    "managed_identity_client_id",
];
const RECIPE: &[&str] = &["generate", "secret", "certificate", "pkcs12", "use"];
const MAX_CONCURRENCY: i64 = 256;

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
        for (key, value) in Tables::entries(root) {
            match key.get_ref().as_ref() {
                "project" => self.configuration.project = self.tables.name(key, value),
                "policies" => self.configuration.policies = self.policies(key, value),
                "exclude" => self.configuration.exclude = self.tables.strings(key, value),
                "with" => self.configuration.with = self.tables.strings(key, value),
                "settings" => self.configuration.settings = self.settings(key, value),
                "environments" => self.environments(key, value),
                "keysets" => self.configuration.keysets = self.keysets(key, value),
                "rules" => self.rules(key, value),
                "deploy" => self.deploy(key, value),
                _ => self.tables.unknown(key, ROOT),
            }
        }
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
            let Some(raw) = self.setting_value(key, value) else {
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
                semantics: Semantics::Recursive,
            });
        }
        settings
    }

    fn setting_value(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<RawValue> {
        match value.get_ref() {
            DeValue::String(text) => Some(RawValue::Text(text.to_string())),
            DeValue::Boolean(flag) => Some(RawValue::Text(flag.to_string())),
            DeValue::Integer(_) => self
                .integer(key, value)
                .map(|number| RawValue::Text(number.to_string())),
            DeValue::Table(table) if table.iter().any(|(key, _)| key.get_ref() == "tenant") => {
                self.looked_up(key, value, table).map(RawValue::Tenant)
            }
            DeValue::Table(table) => self
                .value_source(key, value, table, &["env", "file", "tenant"])
                .map(RawValue::From),
            _ => {
                self.tables.wrong_type(
                    key,
                    value,
                    "a string, an integer, a boolean, { env = \"NAME\" }, { file = \"path\" } or { tenant = \"…\" }",
                );
                None
            }
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

    /// `{ tenant = "IdentityExperienceFramework.appId" }`.
    fn looked_up(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
        table: &DeTable<'_>,
    ) -> Option<TenantValue> {
        let words = TenantValue::ALL.map(|value| (value.notation(), value));
        let mut found = Vec::new();
        for (entry, entry_value) in Tables::entries(table) {
            match entry.get_ref().as_ref() {
                "tenant" => found.extend(self.tables.word(entry, entry_value, &words)),
                _ => {
                    let message = format!("`{}` needs exactly one source", key.get_ref());
                    let help = "leave `tenant` or the other one out".to_owned();
                    self.tables.mistake(value.span(), message, Some(help));
                    return None;
                }
            }
        }
        found.pop()
    }

    /// `{ env = "NAME" }` or `{ file = "path" }`.
    fn value_source(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
        table: &DeTable<'_>,
        known: &[&str],
    ) -> Option<ValueSource> {
        let mut found = Vec::new();
        let before = self.tables.mistakes.len();
        for (entry, entry_value) in Tables::entries(table) {
            match entry.get_ref().as_ref() {
                "env" => found.extend(self.variable(entry, entry_value)),
                "file" => found.extend(self.file(entry, entry_value)),
                _ => self.tables.unknown(entry, known),
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
                self.shared_tenant(&environment);
                self.configuration.environments.push(environment);
            }
        }
    }

    fn environment(&mut self, key: &Key<'_>, table: &DeTable<'_>) -> Environment {
        let name: &str = key.get_ref();
        let mut environment = Environment {
            name: Located {
                value: name.to_owned(),
                place: self.tables.place(key.span()),
            },
            tenant: None,
            production: false,
            include: Vec::new(),
            exclude: Vec::new(),
            settings: Vec::new(),
            keysets: Vec::new(),
            access: TenantAccess::default(),
            settings_place: format!(
                "`[environments.{name}.settings]` or `[settings]` in {}",
                self.file_name
            ),
        };
        for (key, value) in Tables::entries(table) {
            match key.get_ref().as_ref() {
                "tenant" => environment.tenant = self.tenant(key, value),
                "production" => {
                    environment.production = self.tables.boolean(key, value).unwrap_or_default();
                }
                "include" => environment.include = self.tables.strings(key, value),
                "exclude" => environment.exclude = self.tables.strings(key, value),
                "settings" => environment.settings = self.settings(key, value),
                "keysets" => environment.keysets = self.keysets(key, value),
                name if access::KEYS.contains(&name) => {
                    self.access(&mut environment.access, key, value);
                }
                _ => self.tables.unknown(key, ENVIRONMENT),
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

    fn shared_tenant(&mut self, environment: &Environment) {
        let Some(tenant) = &environment.tenant else {
            return;
        };
        let other = self.configuration.environments.iter().find_map(|other| {
            let theirs = other.tenant.as_ref()?;
            theirs
                .value
                .eq_ignore_ascii_case(&tenant.value)
                .then_some((other, theirs))
        });
        if let Some((other, theirs)) = other {
            let message = format!(
                "environments `{}` and `{}` name the same tenant",
                other.name.value, environment.name.value
            );
            let diagnostic = Diagnostic::new(&SETTINGS_SHARED_TENANT, tenant.place, message)
                .related(theirs.place, "the same tenant")
                .help("their policies overwrite each other unless their ids differ");
            self.configuration.findings.push(Finding {
                diagnostic,
                environment: None,
            });
        }
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
        for (key, value) in Tables::entries(table) {
            match key.get_ref().as_ref() {
                "generate" => {
                    let kinds = [("rsa", GeneratedKey::Rsa), ("oct", GeneratedKey::Oct)];
                    let kind = self.tables.word(key, value, &kinds);
                    contents.extend(kind.map(KeysetContent::Generate));
                }
                "secret" => {
                    contents.extend(self.secret_source(key, value).map(KeysetContent::Secret));
                }
                "certificate" => {
                    let source = self.secret_source(key, value);
                    contents.extend(source.map(KeysetContent::Certificate));
                }
                "pkcs12" => contents.extend(self.pkcs12(key, value)),
                "use" => {
                    let uses = [("sig", KeyUse::Sig), ("enc", KeyUse::Enc)];
                    key_use = self.tables.word(key, value, &uses).unwrap_or(key_use);
                }
                _ => self.tables.unknown(key, RECIPE),
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
            DeValue::Table(table) => self.value_source(key, value, table, &["env", "file"]),
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
        for (entry, entry_value) in Tables::entries(table) {
            match entry.get_ref().as_ref() {
                "env" => archives.extend(self.variable(entry, entry_value)),
                "file" => archives.extend(self.file(entry, entry_value)),
                "password" => password = self.secret_source(entry, entry_value),
                _ => self.tables.unknown(entry, &["env", "file", "password"]),
            }
        }
        if self.tables.mistakes.len() > before {
            return None;
        }
        let archive = self.exactly_one(key, value, archives, "`env` or `file`")?;
        Some(KeysetContent::Pkcs12 { archive, password })
    }

    fn rules(&mut self, key: &Key<'_>, value: &Value<'_>) {
        let Some(table) = self.tables.table(key, value) else {
            return;
        };
        let levels = [
            ("off", None),
            ("hint", Some(Level::Hint)),
            ("warning", Some(Level::Warning)),
            ("error", Some(Level::Error)),
        ];
        for (key, value) in self.tables.named(table, "rule") {
            if let Some(level) = self.tables.word(key, value, &levels) {
                self.configuration.rule_levels.push(RuleLevel {
                    rule: key.get_ref().to_string(),
                    level,
                    location: self.tables.place(key.span()),
                });
            }
        }
    }

    fn deploy(&mut self, key: &Key<'_>, value: &Value<'_>) {
        let Some(table) = self.tables.table(key, value) else {
            return;
        };
        for (key, value) in Tables::entries(table) {
            match key.get_ref().as_ref() {
                "concurrency" => match self.integer(key, value) {
                    Some(number @ 1..=MAX_CONCURRENCY) => {
                        self.configuration.concurrency = usize::try_from(number).ok();
                    }
                    Some(_) => {
                        let message = format!("`concurrency` must be 1 to {MAX_CONCURRENCY}");
                        self.tables.mistake(value.span(), message, None);
                    }
                    None => {}
                },
                _ => self.tables.unknown(key, &["concurrency"]),
            }
        }
    }
}
