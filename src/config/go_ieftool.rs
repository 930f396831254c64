//! `config.yaml` of go-ieftool and azure-b2c-cli: a list of environments, whose settings policies name as
//! `{Settings:Key}`, with case.

use std::path::Path;

use super::configuration::{
    Configuration, Environment, Finding, GeneratedKey, KeyUse, KeysetContent, KeysetRecipe,
    Located, Place, RawSetting, RawValue,
};
use super::error::ConfigError;
use super::ieftool::{root, use_default_folders};
use super::yaml::{Content, Key, Node};
use crate::diagnostics::{Diagnostic, Level, Rule, SourceId, SourceMap, Span, near_miss};
use crate::policy::{
    Notation, SETTINGS_MISSING_POLICY_SETTINGS, SETTINGS_MISSING_TENANT, SETTINGS_UNKNOWN_KEY,
    SETTINGS_VALUE_TYPE, Semantics,
};

/// What `iefctl` reads.
const ENVIRONMENT: &[&str] = &["name", "tenant", "isProduction", "settings", "keySets"];

/// What the tools need for other things than policies: how they sign in and set a tenant up.
const OTHER: &[&str] = &[
    "tenantId",
    "clientId",
    "secretPath",
    "secretProviderConfig",
    "identityExperienceFrameworkAppObjectId",
    "saml",
    "samlCertPath",
];

/// Reads the file, which is in `sources` as `source`, and lies in `folder`.
pub(super) fn read(
    sources: &SourceMap,
    source: SourceId,
    folder: &Path,
) -> Result<Configuration, ConfigError> {
    let file = sources.get(source);
    let root = root(sources, source)?;
    let place = format!("`settings` of an environment in {}", file.name());
    let mut reader = Reader {
        configuration: Configuration::empty(source, folder.to_owned(), place),
        file_name: file.name(),
        source,
    };
    let Content::Sequence(environments) = &root.content else {
        let message = format!(
            "the file must hold a list of environments, not {}",
            root.kind()
        );
        let help = "write `- name: dev` and `settings:` below it".to_owned();
        let place = reader.place(root.range.clone());
        return Err(ConfigError::invalid(sources, place, message, Some(help)));
    };
    for environment in environments {
        reader.element(environment);
    }
    reader.configuration.notation = Notation::ExactSettings;
    use_default_folders(
        &mut reader.configuration,
        "is skipped: go-ieftool writes its results there",
    );
    Ok(reader.configuration)
}

struct Reader<'r> {
    configuration: Configuration,
    file_name: &'r str,
    source: SourceId,
}

impl Reader<'_> {
    fn place(&self, range: std::ops::Range<usize>) -> Place {
        Place {
            source: self.source,
            span: Span::new(range.start as u32, range.end as u32),
        }
    }

    fn find(
        &mut self,
        rule: &'static Rule,
        place: Place,
        environment: Option<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(
            Diagnostic::new(rule, place, message).help(help),
            environment,
        );
    }

    fn push(&mut self, diagnostic: Diagnostic, environment: Option<usize>) {
        self.configuration.findings.push(Finding {
            diagnostic,
            environment,
        });
    }

    fn element(&mut self, element: &Node) {
        let Some(entries) = element.mapping() else {
            let message = format!("an environment must be a mapping, not {}", element.kind());
            let place = self.place(element.range.clone());
            self.find(
                &SETTINGS_VALUE_TYPE,
                place,
                None,
                message,
                "write `- name: dev`",
            );
            return;
        };
        let position = self.configuration.environments.len();
        let get = |wanted: &str| entries.iter().find(|(key, _)| key.name == wanted);
        let Some((name, name_node)) =
            get("name").and_then(|(_, node)| Some((node.scalar()?, node)))
        else {
            let place = self.place(element.range.clone());
            let message = "this environment has no `name`, so that nobody can choose it";
            self.find(
                &SETTINGS_VALUE_TYPE,
                place,
                None,
                message,
                "add one: `name: dev`",
            );
            return;
        };
        let name = Located {
            value: name.to_owned(),
            place: self.place(name_node.range.clone()),
        };
        self.known_keys(entries, position);
        let settings_place = format!("`settings` of `{}` in {}", name.value, self.file_name);
        let mut environment = Environment::new(name, settings_place);
        if let Some((_, node)) = get("isProduction") {
            environment.production = self.flag(node, position);
        }
        match get("settings") {
            Some((_, node)) => self.settings(&mut environment, node, position),
            None => {
                let message = format!("environment `{}` has no `settings`", environment.name.value);
                let place = environment.name.place;
                let help = "add `settings: {}` if no policy needs any";
                let rule = &SETTINGS_MISSING_POLICY_SETTINGS;
                let diagnostic = Diagnostic::new(rule, place, message).help(help);
                self.push(diagnostic.level(Level::Hint), Some(position));
            }
        }
        if let Some((_, node)) = get("tenant") {
            self.tenant(&mut environment, node, position);
        }
        if environment.tenant.is_none() {
            let message = format!("environment `{}` names no tenant", environment.name.value);
            let place = environment.name.place;
            let help = "add it: `tenant: contoso.onmicrosoft.com`";
            self.find(
                &SETTINGS_MISSING_TENANT,
                place,
                Some(position),
                message,
                help,
            );
        }
        if let Some((_, node)) = get("keySets") {
            self.keysets(&mut environment, node, position);
        }
        self.configuration.add_environment(environment);
    }

    fn known_keys(&mut self, entries: &[(Key, std::rc::Rc<Node>)], position: usize) {
        for (key, _) in entries {
            let name = key.name.as_str();
            if ENVIRONMENT.contains(&name) || OTHER.contains(&name) {
                continue;
            }
            let known = ENVIRONMENT.iter().chain(OTHER).copied();
            let help = match near_miss(name, known) {
                Some(near) => format!("did you mean `{near}`? case counts here"),
                None => format!("go-ieftool ignores it; it knows {}", ENVIRONMENT.join(", ")),
            };
            let place = self.place(key.range.clone());
            let message = format!("unknown key `{name}`");
            self.find(&SETTINGS_UNKNOWN_KEY, place, Some(position), message, help);
        }
    }

    fn flag(&mut self, node: &Node, position: usize) -> bool {
        match node.scalar() {
            Some("true" | "True" | "TRUE") => true,
            Some("false" | "False" | "FALSE") => false,
            _ => {
                let place = self.place(node.range.clone());
                let message = "`isProduction` must be true or false";
                let help = "write it without quotes";
                self.find(&SETTINGS_VALUE_TYPE, place, Some(position), message, help);
                // Whoever writes something there most likely means it.
                true
            }
        }
    }

    /// The setting `Tenant` is what azure-b2c-cli takes for the tenant, `tenant` what go-ieftool does.
    fn settings(&mut self, environment: &mut Environment, node: &Node, position: usize) {
        let Some(entries) = node.mapping() else {
            let place = self.place(node.range.clone());
            let message = format!("`settings` must be a mapping, not {}", node.kind());
            self.find(
                &SETTINGS_VALUE_TYPE,
                place,
                Some(position),
                message,
                "write `Key: value`",
            );
            return;
        };
        for (key, value) in entries {
            let place = self.place(key.range.clone());
            let value_place = self.place(value.range.clone());
            let text = match value.scalar() {
                Some(text) if !text.is_empty() && text != "null" => text.to_owned(),
                _ => {
                    let message = match &value.content {
                        Content::Scalar { .. } => format!("setting `{}` has no value", key.name),
                        _ => format!("the value of `{}` is {}", key.name, value.kind()),
                    };
                    let help = "write a text; go-ieftool stops at others";
                    self.find(
                        &SETTINGS_VALUE_TYPE,
                        value_place,
                        Some(position),
                        message,
                        help,
                    );
                    continue;
                }
            };
            if key.name == "Tenant" {
                environment.tenant = Some(Located {
                    value: text,
                    place: value_place,
                });
                continue;
            }
            environment.settings.push(RawSetting {
                key: Located {
                    value: key.name.clone(),
                    place,
                },
                value: Located {
                    value: RawValue::Text(text),
                    place: value_place,
                },
                semantics: Semantics::Plain,
            });
        }
    }

    fn tenant(&mut self, environment: &mut Environment, node: &Node, position: usize) {
        let place = self.place(node.range.clone());
        let Some(tenant) = node.scalar().filter(|tenant| !tenant.trim().is_empty()) else {
            let message = "`tenant` names no tenant";
            let help = "write it like contoso.onmicrosoft.com";
            self.find(
                &SETTINGS_MISSING_TENANT,
                place,
                Some(position),
                message,
                help,
            );
            return;
        };
        match &environment.tenant {
            Some(other) if !other.value.eq_ignore_ascii_case(tenant) => {
                let message = format!(
                    "`tenant` is {tenant}, but the setting `Tenant` is {}",
                    other.value
                );
                let diagnostic = Diagnostic::new(&SETTINGS_VALUE_TYPE, place, message)
                    .related(other.place, "another tenant")
                    .help("keep the right one; the tools differ in which they take");
                self.push(diagnostic, Some(position));
            }
            Some(_) => {}
            None => {
                environment.tenant = Some(Located {
                    value: tenant.to_owned(),
                    place,
                });
            }
        }
    }

    /// Keysets are RSA keys that are generated. Certificates stand in the file itself, with their
    /// passwords; those are not read.
    fn keysets(&mut self, environment: &mut Environment, node: &Node, position: usize) {
        let place = self.place(node.range.clone());
        let Content::Sequence(items) = &node.content else {
            let message = format!("`keySets` must be a list, not {}", node.kind());
            let help = "write `- name: TokenSigningKeyContainer` and `use: sig`";
            self.find(&SETTINGS_VALUE_TYPE, place, Some(position), message, help);
            return;
        };
        for item in items {
            let place = self.place(item.range.clone());
            let entries = item.mapping().unwrap_or_default();
            let get = |wanted: &str| {
                let found = entries.iter().find(|(key, _)| key.name == wanted);
                found.map(|(_, node)| node)
            };
            let Some(name) = get("name").and_then(|node| node.scalar()) else {
                let message = "this keyset has no `name`";
                let help = "write `name: TokenSigningKeyContainer`";
                self.find(&SETTINGS_VALUE_TYPE, place, Some(position), message, help);
                continue;
            };
            let id = match name.get(..7) {
                Some(head) if head.eq_ignore_ascii_case("B2C_1A_") => name.to_owned(),
                _ => format!("B2C_1A_{name}"),
            };
            if get("cert").is_some() || get("password").is_some() {
                let message = format!("the certificate of keyset `{id}` is not read from here");
                let help = "a certificate and its password do not belong into this file: name them in \
                            an iefctl.toml, as a file and a variable";
                // Not at the keyset: its line may hold the password.
                let place = environment.name.place;
                let diagnostic = Diagnostic::new(&SETTINGS_VALUE_TYPE, place, message).help(help);
                self.push(diagnostic.level(Level::Warning), Some(position));
                continue;
            }
            let key_use = match get("use").and_then(|node| node.scalar()) {
                Some("sig") => KeyUse::Sig,
                Some("enc") => KeyUse::Enc,
                _ => {
                    let message = format!("`use` of keyset `{id}` must be sig or enc");
                    let help = "sig for signatures and secrets, enc for encryption";
                    self.find(&SETTINGS_VALUE_TYPE, place, Some(position), message, help);
                    continue;
                }
            };
            environment.keysets.push(KeysetRecipe {
                id,
                key_use,
                content: KeysetContent::Generate(GeneratedKey::Rsa),
                location: place,
            });
        }
    }
}
