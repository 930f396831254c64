//! `appsettings.json` of the VS Code extension for B2C, as it is: environments with settings.
//! Comments and trailing commas are accepted. What the extension passes silently (an environment
//! without tenant, a value that is an object, a misspelt key) is a finding.

use std::collections::HashMap;
use std::path::Path;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::{Range, Ranged};

use super::configuration::{
    Configuration, Environment, Finding, Generated, Located, Place, RawSetting, RawValue,
};
use super::error::ConfigError;
use super::json::{self, MAX_SAFE_INTEGER, javascript_number, last};
use crate::diagnostics::{Diagnostic, Level, Rule, SourceId, SourceMap, near_miss};
use crate::policy::{
    BuiltIn, SETTINGS_DUPLICATE_KEY, SETTINGS_MISSING_POLICY_SETTINGS, SETTINGS_MISSING_TENANT,
    SETTINGS_SHADOWED_BUILT_IN, SETTINGS_UNKNOWN_KEY, SETTINGS_VALUE_TYPE, Semantics,
};

/// The spellings of the file's name that are in use.
pub(super) const FILE_NAMES: &[&str] =
    &["appsettings.json", "appSettings.json", "AppSettings.json"];

const ROOT: &[&str] = &["EnvironmentsFolder", "Environments"];
const ENVIRONMENT: &[&str] = &["Name", "Production", "Tenant", "PolicySettings"];
const DEFAULT_FOLDER: &str = "Environments";

/// Reads the file, which is in `sources` as `source`, and lies in `folder`. `None`: the file has no
/// `Environments`, so it belongs to another tool (.NET uses the same name).
pub(super) fn read(
    sources: &SourceMap,
    source: SourceId,
    folder: &Path,
) -> Result<Option<Configuration>, ConfigError> {
    let file = sources.get(source);
    let root = json::object(sources, source, file.text())?;
    let Some(environments) = root.get("Environments") else {
        return Ok(None);
    };
    let Value::Array(array) = &environments.value else {
        let message = "`Environments` must be an array of objects";
        let place = json::place(source, environments.value.range());
        return Err(ConfigError::invalid(sources, place, message, None));
    };
    let settings_place = format!("`PolicySettings` of an environment in {}", file.name());
    let mut reader = Reader {
        configuration: Configuration::empty(source, folder.to_owned(), settings_place),
        file_name: file.name(),
        source,
    };
    reader.generated(DEFAULT_FOLDER);
    reader.known_keys(&root, ROOT, None);
    if let Some(folder) = last(&root, "EnvironmentsFolder") {
        reader.generated_folder(&folder.value);
    }
    for element in &array.elements {
        reader.element(element);
    }
    Ok(Some(reader.configuration))
}

struct Reader<'r> {
    configuration: Configuration,
    file_name: &'r str,
    source: SourceId,
}

impl Reader<'_> {
    fn place(&self, range: Range) -> Place {
        json::place(self.source, range)
    }

    fn generated(&mut self, folder: &str) {
        self.configuration.generated = Some(Generated {
            folder: folder.to_owned(),
            at_any_depth: true,
            reason: "is skipped: appsettings.json names it as folder of generated policies",
        });
    }

    fn find(
        &mut self,
        rule: &'static Rule,
        range: Range,
        environment: Option<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let diagnostic = Diagnostic::new(rule, self.place(range), message).help(help);
        self.configuration.findings.push(Finding {
            diagnostic,
            environment,
        });
    }

    fn known_keys(&mut self, object: &Object<'_>, known: &[&str], environment: Option<usize>) {
        let mut seen: HashMap<&str, Range> = HashMap::new();
        for property in &object.properties {
            let name = property.name.as_str();
            let range = property.name.range();
            if let Some(first) = seen.insert(name, range) {
                let help = "remove one of them; the last one counts";
                let message = format!("`{name}` stands here twice");
                let diagnostic =
                    Diagnostic::new(&SETTINGS_DUPLICATE_KEY, self.place(range), message)
                        .related(self.place(first), "the same key")
                        .help(help);
                self.configuration.findings.push(Finding {
                    diagnostic,
                    environment,
                });
            }
            if known.contains(&name) || name == "$schema" {
                continue;
            }
            let help = match near_miss(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? case counts here"),
                None => format!(
                    "the VS Code extension ignores it; it knows {}",
                    known.join(", ")
                ),
            };
            let message = format!("unknown key `{name}`");
            self.find(&SETTINGS_UNKNOWN_KEY, range, environment, message, help);
        }
    }

    fn generated_folder(&mut self, value: &Value<'_>) {
        match value {
            Value::StringLit(folder) if !folder.value.trim().is_empty() => {
                self.generated(&folder.value);
            }
            Value::NullKeyword(_) => {}
            other => self.find(
                &SETTINGS_VALUE_TYPE,
                other.range(),
                None,
                "`EnvironmentsFolder` must be the name of a folder",
                "remove it to use `Environments`",
            ),
        }
    }

    fn element(&mut self, element: &Value<'_>) {
        let Value::Object(object) = element else {
            let help = "write { \"Name\": …, \"Tenant\": …, \"PolicySettings\": { … } }";
            let message = "an environment must be an object";
            self.find(&SETTINGS_VALUE_TYPE, element.range(), None, message, help);
            return;
        };
        let position = self.configuration.environments.len();
        let Some(name) = self.name(object) else {
            return;
        };
        self.known_keys(object, ENVIRONMENT, Some(position));
        let tenant = self.tenant(object, &name, position);
        let production = self.production(object, position);
        let settings = self.policy_settings(object, &name, position);
        let settings_place = format!(
            "`PolicySettings` of environment `{}` in {}",
            name.value, self.file_name
        );
        self.configuration.add_environment(Environment {
            tenant,
            production,
            settings,
            ..Environment::new(name, settings_place)
        });
    }

    fn name(&mut self, object: &Object<'_>) -> Option<Located<String>> {
        let value = last(object, "Name").map(|property| &property.value);
        match value {
            Some(Value::StringLit(name)) if !name.value.trim().is_empty() => Some(Located {
                value: name.value.to_string(),
                place: self.place(name.range),
            }),
            other => {
                let range = other.map_or(object.range, Ranged::range);
                let message = "this environment has no `Name`, so that nobody can choose it";
                let help = "add a name: \"Name\": \"dev\"";
                self.find(&SETTINGS_VALUE_TYPE, range, None, message, help);
                None
            }
        }
    }

    fn tenant(
        &mut self,
        object: &Object<'_>,
        name: &Located<String>,
        position: usize,
    ) -> Option<Located<String>> {
        let value = last(object, "Tenant").map(|property| &property.value);
        let tenant = match value {
            Some(Value::StringLit(tenant)) if !tenant.value.trim().is_empty() => Located {
                value: tenant.value.to_string(),
                place: self.place(tenant.range),
            },
            other => {
                let name_range =
                    Range::new(name.place.span.start as usize, name.place.span.end as usize);
                let range = other.map_or(name_range, Ranged::range);
                let message = format!("environment `{}` names no tenant", name.value);
                let help = "add it: \"Tenant\": \"contoso.onmicrosoft.com\"; the VS Code extension \
                            would write `undefined` into the policies";
                self.find(
                    &SETTINGS_MISSING_TENANT,
                    range,
                    Some(position),
                    message,
                    help,
                );
                return None;
            }
        };
        Some(tenant)
    }

    fn production(&mut self, object: &Object<'_>, position: usize) -> bool {
        match last(object, "Production").map(|property| &property.value) {
            None => false,
            Some(Value::BooleanLit(flag)) => flag.value,
            Some(other) => {
                let message = "`Production` must be true or false";
                let help = "write it without quotes";
                self.find(
                    &SETTINGS_VALUE_TYPE,
                    other.range(),
                    Some(position),
                    message,
                    help,
                );
                // Whoever writes something there most likely means it.
                true
            }
        }
    }

    fn policy_settings(
        &mut self,
        object: &Object<'_>,
        name: &Located<String>,
        position: usize,
    ) -> Vec<RawSetting> {
        let value = last(object, "PolicySettings").map(|property| &property.value);
        let Some(Value::Object(values)) = value else {
            let name_range =
                Range::new(name.place.span.start as usize, name.place.span.end as usize);
            let range = value.map_or(name_range, Ranged::range);
            let message = format!(
                "environment `{}` has no object `PolicySettings`",
                name.value
            );
            let help = "add \"PolicySettings\": {}; without it the VS Code extension does not \
                        build this environment";
            let rule = &SETTINGS_MISSING_POLICY_SETTINGS;
            self.find(rule, range, Some(position), message, help);
            return Vec::new();
        };
        let mut settings: Vec<RawSetting> = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        for property in &values.properties {
            let key = property.name.as_str();
            let key_range = property.name.range();
            if BuiltIn::from_key(key).is_some() {
                let message =
                    format!("setting `{key}` is never used, as a built-in setting has that name");
                let rule = &SETTINGS_SHADOWED_BUILT_IN;
                let help = "give it another name";
                self.find(rule, key_range, Some(position), message, help);
            }
            let Some(value) = self.text(key, &property.value, position) else {
                continue;
            };
            let setting = RawSetting {
                key: Located {
                    value: key.to_owned(),
                    place: self.place(key_range),
                },
                value: Located {
                    value: RawValue::Text(value),
                    place: self.place(property.value.range()),
                },
                semantics: Semantics::Ordered,
            };
            match seen.get(&key.to_lowercase()) {
                None => {
                    seen.insert(key.to_lowercase(), settings.len());
                    settings.push(setting);
                }
                Some(&first) => {
                    let same_case = settings[first].key.value == key;
                    let counts = if same_case { "last value" } else { "first key" };
                    let message = format!("setting `{key}` is defined twice");
                    let place = self.place(key_range);
                    let diagnostic = Diagnostic::new(&SETTINGS_DUPLICATE_KEY, place, message)
                        .related(
                            settings[first].key.place,
                            "the same key; case does not count",
                        )
                        .help(format!("remove one of them; the {counts} counts"));
                    self.configuration.findings.push(Finding {
                        diagnostic,
                        environment: Some(position),
                    });
                    if same_case {
                        // `JSON.parse` keeps the place of the first and the value of the last.
                        settings[first].value = setting.value;
                    }
                }
            }
        }
        settings
    }

    /// The text that JavaScript makes of a value.
    fn text(&mut self, key: &str, value: &Value<'_>, position: usize) -> Option<String> {
        let (what, becomes) = match value {
            Value::StringLit(text) => return Some(text.value.to_string()),
            Value::BooleanLit(flag) => return Some(flag.value.to_string()),
            Value::NumberLit(number) => {
                let parsed: f64 = number.value.parse().unwrap_or(f64::INFINITY);
                if parsed.is_finite() {
                    if parsed.abs() > MAX_SAFE_INTEGER {
                        let message = format!("the number of `{key}` loses digits");
                        let help = "write it as a string";
                        self.lossy_number(number.range, position, message, help);
                    }
                    return Some(javascript_number(parsed));
                }
                ("a number beyond all bounds", "`Infinity`")
            }
            Value::NullKeyword(_) => ("null", "`null`"),
            Value::Object(_) => ("an object", "`[object Object]`"),
            Value::Array(_) => ("an array", "its elements with commas"),
        };
        let message = format!("the value of `{key}` is {what}");
        let help =
            format!("write a string; the VS Code extension would put {becomes} into the policies");
        let rule = &SETTINGS_VALUE_TYPE;
        self.find(rule, value.range(), Some(position), message, help);
        None
    }

    fn lossy_number(&mut self, range: Range, position: usize, message: String, help: &str) {
        let diagnostic = Diagnostic::new(&SETTINGS_VALUE_TYPE, self.place(range), message)
            .level(Level::Warning)
            .help(help);
        self.configuration.findings.push(Finding {
            diagnostic,
            environment: Some(position),
        });
    }
}
