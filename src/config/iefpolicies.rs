//! `conf.json` of the PowerShell module IEFPolicies, and `secrets.json` beside it: groups of texts, that
//! policies name as `{Group:Key}`, and a prefix for all ids. What the module drops silently is a
//! finding.

use std::collections::HashMap;
use std::path::Path;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::{Range, Ranged};

use super::configuration::{
    Configuration, Finding, Generated, Located, Place, RawSetting, RawValue,
};
use super::error::ConfigError;
use super::read as file_reading;
use super::{json, paths};
use crate::diagnostics::{Diagnostic, Rule, Source, SourceId, SourceMap};
use crate::policy::{Notation, Renaming, SETTINGS_DUPLICATE_KEY, SETTINGS_VALUE_TYPE, Semantics};

/// The file with values that are not shown.
const SECRETS: &str = "secrets.json";

/// Groups within groups beyond this are refused.
const MAX_DEPTH: usize = 32;

/// Reads the file, which is in `sources` as `source`, and lies in `folder`; and the secrets beside it,
/// which are added to `sources`.
pub(super) fn read(
    sources: &mut SourceMap,
    source: SourceId,
    folder: &Path,
) -> Result<Configuration, ConfigError> {
    let file = sources.get(source).clone();
    let settings_place = file.name().to_owned();
    let mut reader = Reader {
        configuration: Configuration::empty(source, folder.to_owned(), settings_place),
        seen: HashMap::new(),
        errors: Vec::new(),
    };
    reader.configuration.notation = Notation::Braces;
    reader.configuration.generated = Some(Generated {
        folder: "debug".to_owned(),
        at_any_depth: false,
        reason: "is skipped: IEFPolicies writes its results there",
    });
    let root = json::object(sources, source, file.text())?;
    reader.prefix(sources, source, &root);
    reader.group(source, "", &root, 0);
    let secrets = paths::join(folder, SECRETS);
    if secrets.is_file() {
        let held = file_reading::configuration(&secrets)?;
        let text = held.text().clone();
        // The text with the values is in no source that a finding could show.
        let mut shown = SourceMap::new();
        let place = shown.add(held.clone());
        let root = json::object(&shown, place, &text)?;
        let hidden = Source::new(paths::display(&secrets), hide(&text, &root));
        let place = sources.add(hidden.with_bom(held.has_bom()));
        reader.group(place, "", &root, 0);
    }
    ConfigError::all(std::mem::take(&mut reader.errors))?;
    reader.top_level(folder)?;
    Ok(reader.configuration)
}

/// The text with every value replaced by asterisks, byte by byte, so that places stay.
fn hide(text: &str, root: &Object<'_>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut open: Vec<&Value<'_>> = root.properties.iter().map(|held| &held.value).collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => open.extend(object.properties.iter().map(|held| &held.value)),
            Value::Array(array) => open.extend(array.elements.iter()),
            Value::NullKeyword(_) | Value::BooleanLit(_) => {}
            Value::StringLit(held) => mask(&mut bytes, held.range.start + 1..held.range.end - 1),
            Value::NumberLit(held) => mask(&mut bytes, held.range.start..held.range.end),
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

fn mask(bytes: &mut [u8], range: std::ops::Range<usize>) {
    if let Some(held) = bytes.get_mut(range) {
        held.fill(b'*');
    }
}

struct Reader {
    configuration: Configuration,
    /// Keys without regard to case, as PowerShell reads them.
    seen: HashMap<String, (String, Place)>,
    errors: Vec<ConfigError>,
}

impl Reader {
    fn prefix(&mut self, sources: &SourceMap, source: SourceId, root: &Object<'_>) {
        let found = root
            .properties
            .iter()
            .find(|property| property.name.as_str().eq_ignore_ascii_case("prefix"));
        let Some(Value::StringLit(prefix)) = found.map(|property| &property.value) else {
            return;
        };
        if prefix.value.is_empty() {
            return;
        }
        let place = json::place(source, prefix.range);
        match Renaming::of_project(&prefix.value) {
            Ok(_) => {
                self.configuration.prefix = Some(Located {
                    value: prefix.value.to_string(),
                    place,
                });
            }
            Err(error) => {
                let error = ConfigError::invalid(sources, place, error.to_string(), None);
                self.errors.push(error);
            }
        }
    }

    fn group(&mut self, source: SourceId, path: &str, group: &Object<'_>, depth: usize) {
        for property in &group.properties {
            let name = property.name.as_str();
            let key = match path {
                "" => name.to_owned(),
                _ => format!("{path}:{name}"),
            };
            let place = json::place(source, property.name.range());
            let value_place = json::place(source, property.value.range());
            let lower = key.to_lowercase();
            match &property.value {
                Value::Object(inner) if depth < MAX_DEPTH => {
                    self.group(source, &key, inner, depth + 1);
                    continue;
                }
                Value::StringLit(_) => {}
                Value::NullKeyword(_) => {
                    let message = format!("the value of `{key}` is null");
                    let help = "write a string; IEFPolicies stops reading here and goes on without \
                                what follows";
                    self.find(&SETTINGS_VALUE_TYPE, value_place, message, help);
                    continue;
                }
                other => {
                    let message = format!("the value of `{key}` is {}", json::kind(other));
                    let help = "write a string; IEFPolicies drops the key and says nothing";
                    self.find(&SETTINGS_VALUE_TYPE, value_place, message, help);
                    continue;
                }
            }
            if let Some((other, first)) = self.seen.get(&lower) {
                let message = format!("key `{key}` stands here twice");
                let diagnostic = Diagnostic::new(&SETTINGS_DUPLICATE_KEY, place, message)
                    .related(*first, format!("`{other}` is the same key for PowerShell"))
                    .help(
                        "remove one of them; IEFPolicies stops reading here and goes on without \
                           what follows",
                    );
                self.push(diagnostic);
                continue;
            }
            self.seen.insert(lower, (key.clone(), place));
            if let Value::StringLit(value) = &property.value {
                self.configuration.settings.push(RawSetting {
                    key: Located { value: key, place },
                    value: Located {
                        value: RawValue::Text(value.value.to_string()),
                        place: value_place,
                    },
                    semantics: Semantics::Plain,
                });
            }
        }
    }

    fn find(&mut self, rule: &'static Rule, place: Place, message: String, help: &str) {
        self.push(Diagnostic::new(rule, place, message).help(help));
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.configuration.findings.push(Finding {
            diagnostic,
            environment: None,
        });
    }

    /// IEFPolicies reads the folder itself and none below. Where no policy lies in it, the policies are
    /// in another one, which the user names.
    fn top_level(&mut self, folder: &Path) -> Result<(), ConfigError> {
        let entries = std::fs::read_dir(folder).map_err(|error| ConfigError::io(folder, error))?;
        let paths = entries.flatten().map(|entry| entry.path());
        let policies = paths.filter(|path| path.is_file()).filter_map(|path| {
            let extension = path.extension()?.to_str()?;
            extension
                .eq_ignore_ascii_case("xml")
                .then(|| extension == "xml")
        });
        let policies: Vec<bool> = policies.collect();
        if !policies.is_empty() {
            let place = Range::new(0, 0);
            self.configuration.policies = vec![Located {
                value: match policies.contains(&false) {
                    true => "*.[xX][mM][lL]",
                    false => "*.xml",
                }
                .to_owned(),
                place: json::place(self.configuration.source, place),
            }];
        }
        Ok(())
    }
}
