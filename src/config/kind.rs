//! Which tool a configuration file was written for.

use std::path::Path;

use jsonc_parser::ast::Value;

use super::error::ConfigError;
use super::{appsettings, json, paths, read, yaml};

/// The formats of configuration files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `iefctl.toml`.
    Iefctl,
    /// `appsettings.json` of the VS Code extension and the tasks that share it.
    AppSettings,
    /// `conf.json` of the PowerShell module IEFPolicies.
    IefPolicies,
    /// The deployment file of the GitHub Action.
    Deployment,
    /// The parameters of ieftool (`b2c-template.json`), or of its port to Go (`ieftool.config`).
    Ieftool,
    /// The environments of go-ieftool's successors (`config.yaml`).
    GoIeftool,
}

impl Kind {
    /// All, by the words of the command line.
    pub const ALL: [(&'static str, Self); 6] = [
        ("iefctl", Self::Iefctl),
        ("appsettings", Self::AppSettings),
        ("iefpolicies", Self::IefPolicies),
        ("deployment", Self::Deployment),
        ("ieftool", Self::Ieftool),
        ("go-ieftool", Self::GoIeftool),
    ];

    /// The word of the command line.
    pub fn word(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(_, kind)| *kind == self)
            .map_or("", |(word, _)| word)
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }

    /// What the file is, in words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Iefctl => "iefctl.toml",
            Self::AppSettings => "a settings file of the VS Code extension",
            Self::IefPolicies => "a conf.json of IEFPolicies",
            Self::Deployment => "a deployment file of the GitHub Action",
            Self::Ieftool => "a configuration of ieftool",
            Self::GoIeftool => "environments of go-ieftool",
        }
    }

    /// The kind of a file that the user names: `.toml` is `iefctl.toml`; a name that one of the tools
    /// looks for is that tool's; of other JSON and YAML the content tells.
    pub(super) fn of(file: &Path) -> Result<Self, ConfigError> {
        if has_extension(file, &["toml"]) {
            return Ok(Self::Iefctl);
        }
        if let Some(kind) = named(file) {
            return Ok(kind);
        }
        let source = read::configuration(file)?;
        let text: &str = source.text();
        let shown = paths::display(file);
        let unknown = |what: String| {
            let words: Vec<&str> = Self::ALL.iter().map(|(word, _)| *word).collect();
            ConfigError::Argument(format!(
                "`{shown}` {what}; say which tool it is for with --config-format ({})",
                words.join(", ")
            ))
        };
        if has_extension(file, &["json", "jsonc"]) {
            let kinds = match json::value(text) {
                Ok(Some(Value::Object(root))) => json_kinds(&root),
                // The reader says what is wrong with it.
                Err(_) => vec![Self::AppSettings],
                Ok(_) => Vec::new(),
            };
            return match kinds.as_slice() {
                [kind] => Ok(*kind),
                [] => Err(unknown(
                    "has neither `Environments` nor `files`, `parameters` or `Prefix`".to_owned(),
                )),
                several => {
                    let names: Vec<&str> = several.iter().map(|kind| kind.describe()).collect();
                    Err(unknown(format!("could be {}", names.join(" or "))))
                }
            };
        }
        if !has_extension(file, &["yaml", "yml", "config"]) {
            return Err(unknown("has no known format".to_owned()));
        }
        match yaml::parse(text) {
            Ok(Some(root)) => match &root.content {
                yaml::Content::Sequence(_) => Ok(Self::GoIeftool),
                yaml::Content::Mapping(_) => Ok(Self::Ieftool),
                yaml::Content::Scalar { .. } => Err(unknown("is no configuration".to_owned())),
            },
            Ok(None) => Err(unknown("is empty".to_owned())),
            // The reader says what is wrong with it.
            Err(_) => Ok(Self::Ieftool),
        }
    }

    /// Whether a file that lies beside the policies under the name that this tool looks for was
    /// written for it. The name alone may belong to anything. One that cannot be read is taken for
    /// the tool's, so that the reason is told.
    pub(super) fn is_kind_of(self, file: &Path) -> bool {
        let Ok(source) = read::configuration(file) else {
            return true;
        };
        let text: &str = source.text();
        match self {
            Self::GoIeftool => match yaml::parse(text) {
                Ok(root) => root.is_some_and(|root| are_environments(&root)),
                Err(_) => text.contains("name:") && text.contains("settings:"),
            },
            Self::Ieftool if has_extension(file, &["json"]) => match json::value(text) {
                Ok(Some(Value::Object(root))) => root.get_object("parameters").is_some(),
                Ok(_) => false,
                Err(_) => true,
            },
            Self::IefPolicies => match json::value(text) {
                Ok(Some(Value::Object(root))) => is_conf(file) || has_prefix(&root),
                Ok(_) => false,
                Err(_) => is_conf(file),
            },
            _ => true,
        }
    }
}

/// The kinds that an object of JSON can be.
fn json_kinds(root: &jsonc_parser::ast::Object<'_>) -> Vec<Kind> {
    let mut kinds = Vec::new();
    if root.get("Environments").is_some() {
        kinds.push(Kind::AppSettings);
    }
    if root.get_array("files").is_some() {
        kinds.push(Kind::Deployment);
    }
    if root.get_object("parameters").is_some() {
        kinds.push(Kind::Ieftool);
    }
    if has_prefix(root) {
        kinds.push(Kind::IefPolicies);
    }
    kinds
}

/// PowerShell does not mind the case.
fn has_prefix(root: &jsonc_parser::ast::Object<'_>) -> bool {
    root.properties.iter().any(|property| {
        property.name.as_str().eq_ignore_ascii_case("prefix")
            && matches!(property.value, Value::StringLit(_))
    })
}

fn are_environments(root: &yaml::Node) -> bool {
    let yaml::Content::Sequence(items) = &root.content else {
        return false;
    };
    let first = items.first().and_then(|first| first.mapping());
    first.is_some_and(|entries| {
        let has = |name: &str| entries.iter().any(|(key, _)| key.name == name);
        has("name") && (has("settings") || has("tenant"))
    })
}

/// The kind that a well-known name stands for.
fn named(file: &Path) -> Option<Kind> {
    match file.file_name()?.to_str()? {
        name if appsettings::FILE_NAMES.contains(&name) => Some(Kind::AppSettings),
        "conf.json" => Some(Kind::IefPolicies),
        "b2c-template.json" | "ieftool.config" => Some(Kind::Ieftool),
        "config.yaml" => Some(Kind::GoIeftool),
        _ => None,
    }
}

fn is_conf(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "conf.json")
}

fn has_extension(file: &Path, wanted: &[&str]) -> bool {
    let extension = file.extension().map(|found| found.to_ascii_lowercase());
    extension.is_some_and(|found| wanted.iter().any(|wanted| found == *wanted))
}
