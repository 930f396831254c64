//! The text of an `iefctl.toml` that says what a configuration of another tool says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::configuration::{
    Configuration, Environment, GeneratedKey, KeyUse, KeysetContent, KeysetRecipe, RawSetting,
    RawValue, ValueSource,
};
use super::paths;
use super::rewrite::AddedSetting;
use crate::policy::{Semantics, contains_reference};

/// What the old file does not say.
#[derive(Debug)]
pub(super) struct Additions {
    pub(super) settings: Vec<AddedSetting>,
    /// Settings that get another name.
    pub(super) renamed: BTreeMap<String, String>,
    /// The tenant of the only environment, where the old file has none.
    pub(super) tenant: Option<String>,
    /// The old file.
    pub(super) name: String,
}

impl Additions {
    /// Whether a setting can only come from this environment variable.
    pub(super) fn needs(&self, variable: &str) -> bool {
        self.settings.iter().any(|setting| {
            matches!(&setting.value, RawValue::From(ValueSource::Env(name)) if name == variable)
        })
    }

    fn name<'n>(&'n self, key: &'n str) -> &'n str {
        self.renamed.get(key).map_or(key, String::as_str)
    }
}

/// A value of a file of secrets, which becomes an environment variable.
#[derive(Debug)]
pub struct SecretVariable {
    /// The variable.
    pub name: String,
    /// The key in the file of secrets.
    pub key: String,
    pub(super) value: String,
}

/// The values that do not stand in the configuration file itself.
pub(super) fn secrets(configuration: &Configuration) -> Vec<SecretVariable> {
    let mut found: Vec<SecretVariable> = Vec::new();
    for setting in &configuration.settings {
        let RawValue::Text(value) = &setting.value.value else {
            continue;
        };
        if setting.value.place.source == configuration.source {
            continue;
        }
        let key = &setting.key.value;
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        };
        let mut name: String = key.chars().map(plain).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            name.insert(0, '_');
        }
        while found.iter().any(|other| other.name == name) {
            name.push('_');
        }
        found.push(SecretVariable {
            name,
            key: key.clone(),
            value: value.clone(),
        });
    }
    found
}

/// Writes the file.
pub(super) fn write(
    configuration: &Configuration,
    secrets: &[SecretVariable],
    additions: &Additions,
) -> String {
    let mut out = format!(
        "# Made of {} by `iefctl init --from`, and means the same.\n",
        additions.name
    );
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(String::new());
    let top = top_level(configuration);
    for (key, value) in &top {
        line(format!("{key} = {value}"));
    }
    if !top.is_empty() {
        line(String::new());
    }
    let mut shared: Vec<String> = Vec::new();
    for setting in &configuration.settings {
        let secret = secrets
            .iter()
            .find(|secret| secret.key == setting.key.value);
        shared.push(match secret {
            Some(secret) => {
                let name = key(additions.name(&setting.key.value));
                format!("{name} = {{ env = {} }}", text(&secret.name))
            }
            None => entry(setting, additions),
        });
    }
    for added in &additions.settings {
        shared.push(format!(
            "{} = {}",
            key(additions.name(&added.key)),
            value(&added.value, added.is_markup)
        ));
    }
    if !shared.is_empty() {
        line("# Values for every environment: {Settings:Key} in the policies.".to_owned());
        line("[settings]".to_owned());
        shared.into_iter().for_each(&mut line);
        line(String::new());
    }
    if let Some(tenant) = &additions.tenant
        && configuration.environments.is_empty()
    {
        let name = tenant.split('.').next().unwrap_or(tenant);
        line(format!("[environments.{}]", key(name)));
        line(format!("tenant = {}", text(tenant)));
        line(String::new());
    }
    for environment in &configuration.environments {
        for text in self::environment(environment, additions) {
            line(text);
        }
    }
    format!("{}\n", out.trim_end())
}

fn top_level(configuration: &Configuration) -> Vec<(&'static str, String)> {
    let mut top = Vec::new();
    if let Some(prefix) = &configuration.prefix {
        top.push(("prefix", text(&prefix.value)));
    }
    let policies: Vec<&str> = configuration
        .policies
        .iter()
        .map(|found| found.value.as_str())
        .collect();
    if !policies.is_empty() {
        top.push(("policies", list(&policies)));
    }
    if let Some(generated) = &configuration.generated {
        let folder = generated.folder.trim_start_matches("./").trim_matches('/');
        // Below other folders it cannot be.
        let exclude = match generated.at_any_depth {
            true => folder.to_owned(),
            false => format!("{folder}/**"),
        };
        if generated.at_any_depth || policies.is_empty() {
            top.push(("exclude", list(&[&exclude])));
        }
    }
    top
}

fn environment(environment: &Environment, additions: &Additions) -> Vec<String> {
    let table = format!("environments.{}", key(&environment.name.value));
    let mut lines = vec![format!("[{table}]")];
    if let Some(tenant) = &environment.tenant {
        lines.push(format!("tenant = {}", text(&tenant.value)));
    }
    if environment.production {
        lines.push("production = true".to_owned());
    }
    lines.push(String::new());
    if !environment.settings.is_empty() {
        lines.push(format!("[{table}.settings]"));
        for setting in &environment.settings {
            lines.push(entry(setting, additions));
        }
        lines.push(String::new());
    }
    for recipe in &environment.keysets {
        lines.extend(keyset(&table, recipe));
    }
    lines
}

fn keyset(table: &str, recipe: &KeysetRecipe) -> Vec<String> {
    let kind = match &recipe.content {
        KeysetContent::Generate(GeneratedKey::Rsa) => "rsa",
        KeysetContent::Generate(GeneratedKey::Oct) => "oct",
        // No other tool's file says more.
        _ => return Vec::new(),
    };
    let key_use = match recipe.key_use {
        KeyUse::Sig => "sig",
        KeyUse::Enc => "enc",
    };
    vec![
        format!("[{table}.keysets.{}]", key(&recipe.id)),
        format!("generate = \"{kind}\""),
        format!("use = \"{key_use}\""),
        String::new(),
    ]
}

/// A setting of the old file.
fn entry(setting: &RawSetting, additions: &Additions) -> String {
    let is_markup = match (&setting.value.value, setting.semantics) {
        (RawValue::Text(text), Semantics::Ordered | Semantics::Plain) => contains_reference(text),
        _ => false,
    };
    let name = key(additions.name(&setting.key.value));
    format!("{name} = {}", value(&setting.value.value, is_markup))
}

fn value(raw: &RawValue, is_markup: bool) -> String {
    match raw {
        RawValue::Text(held) if is_markup => format!("{{ xml = {} }}", text(held)),
        RawValue::Text(held) => text(held),
        RawValue::EnvOr { name, default } => {
            format!("{{ env = {}, default = {} }}", text(name), text(default))
        }
        RawValue::Tenant(value) => format!("{{ tenant = {} }}", text(value.notation())),
        RawValue::From(ValueSource::Env(name)) => format!("{{ env = {} }}", text(name)),
        RawValue::From(ValueSource::File(path)) => {
            format!("{{ file = {} }}", text(&paths::display(path)))
        }
    }
}

fn list(values: &[&str]) -> String {
    let values: Vec<String> = values.iter().map(|value| text(value)).collect();
    match values.len() {
        0..=3 => format!("[{}]", values.join(", ")),
        _ => format!("[\n    {},\n]", values.join(",\n    ")),
    }
}

/// A string as TOML writes it.
pub fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// A key as TOML writes it, bare where that is possible.
pub fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    match bare {
        true => name.to_owned(),
        false => text(name),
    }
}
