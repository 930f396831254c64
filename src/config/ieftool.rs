//! The parameters of ieftool: `b2c-template.json` with an object `parameters`, or `ieftool.config`, which
//! is YAML. Policies name them as `{{ name }}`; an environment variable `IEF_name` goes before both.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use jsonc_parser::ast::Value;
use jsonc_parser::common::{Range, Ranged};

use super::configuration::{
    Configuration, Finding, Generated, Located, Place, RawSetting, RawValue,
};
use super::error::ConfigError;
use super::json::{self, MAX_SAFE_INTEGER, javascript_number};
use super::paths;
use super::yaml::{self, Content, Node};
use crate::diagnostics::{Diagnostic, Rule, SourceId, SourceMap, Span, near_miss};
use crate::policy::{
    Notation, SETTINGS_DUPLICATE_KEY, SETTINGS_UNKNOWN_KEY, SETTINGS_VALUE_TYPE, Semantics,
};

/// What the names of environment variables begin with.
pub(super) const VARIABLES: &str = "IEF_";

/// Reads the file, which is in `sources` as `source`, and lies in `folder`.
pub(super) fn read(
    sources: &SourceMap,
    source: SourceId,
    folder: &Path,
) -> Result<Configuration, ConfigError> {
    let file = sources.get(source);
    let object = match file.name().ends_with(".json") {
        true => "`parameters` in ",
        false => "",
    };
    let settings_place = format!(
        "{object}{}, or set the environment variable {VARIABLES}NAME",
        file.name()
    );
    let mut reader = Reader {
        configuration: Configuration::empty(source, folder.to_owned(), settings_place),
        source,
        seen: HashMap::new(),
    };
    if file.name().to_ascii_lowercase().ends_with(".json") {
        reader.json(&json::object(sources, source, file.text())?);
    } else {
        let root = root(sources, source)?;
        let mut left = yaml::MAX_VALUES;
        match &root.content {
            Content::Mapping(_) => reader.yaml("", &root, &mut left),
            _ => {
                let message = format!("the file must hold a mapping, not {}", root.kind());
                let place = reader.place(root.range.start, root.range.start);
                return Err(ConfigError::invalid(sources, place, message, None));
            }
        }
        if left == 0 {
            let place = reader.place(0, 0);
            let message = "aliases stand for more than 100000 values";
            return Err(ConfigError::invalid(sources, place, message, None));
        }
    }
    let configuration = &mut reader.configuration;
    configuration.notation = Notation::DoubleBraces;
    configuration.variables = Some(VARIABLES);
    use_default_folders(
        configuration,
        "is skipped: ieftool writes its results there",
    );
    Ok(reader.configuration)
}

/// The document of a YAML file.
pub(super) fn root(sources: &SourceMap, source: SourceId) -> Result<Rc<Node>, ConfigError> {
    let text = sources.get(source).text();
    let invalid = |range: std::ops::Range<usize>, message: String| {
        let place = Place {
            source,
            span: Span::new(range.start as u32, range.end as u32),
        };
        ConfigError::invalid(sources, place, message, None)
    };
    match yaml::parse(text) {
        Ok(Some(root)) => Ok(root),
        Ok(None) => Err(invalid(0..0, "the file is empty".to_owned())),
        Err(mistake) => Err(invalid(mistake.range, mistake.message)),
    }
}

/// The tools read `src` and write to `build` if nobody says otherwise.
pub(super) fn use_default_folders(configuration: &mut Configuration, reason: &'static str) {
    configuration.generated = Some(Generated {
        folder: "build".to_owned(),
        at_any_depth: false,
        reason,
    });
    if paths::join(&configuration.folder, "src").is_dir() {
        configuration.policies = vec![Located {
            value: "src".to_owned(),
            place: Place {
                source: configuration.source,
                span: Span::at(0),
            },
        }];
    }
}

struct Reader {
    configuration: Configuration,
    source: SourceId,
    seen: HashMap<String, Place>,
}

impl Reader {
    fn place(&self, start: usize, end: usize) -> Place {
        json::place(self.source, Range::new(start, end))
    }

    fn find(&mut self, rule: &'static Rule, place: Place, message: String, help: String) {
        self.configuration.findings.push(Finding {
            diagnostic: Diagnostic::new(rule, place, message).help(help),
            environment: None,
        });
    }

    fn json(&mut self, root: &jsonc_parser::ast::Object<'_>) {
        for property in &root.properties {
            let name = property.name.as_str();
            if name == "parameters" || name == "$schema" {
                continue;
            }
            let place = json::place(self.source, property.name.range());
            let help = match near_miss(name, ["parameters"]) {
                Some(near) => format!("did you mean `{near}`? case counts here"),
                None => "ieftool reads `parameters` only".to_owned(),
            };
            self.find(
                &SETTINGS_UNKNOWN_KEY,
                place,
                format!("unknown key `{name}`"),
                help,
            );
        }
        let parameters = json::last(root, "parameters").map(|property| &property.value);
        let Some(Value::Object(parameters)) = parameters else {
            let range = parameters.map_or(root.range, Ranged::range);
            let message = "`parameters` must be an object".to_owned();
            let help = "write \"parameters\": { \"name\": \"value\" }".to_owned();
            self.find(
                &SETTINGS_VALUE_TYPE,
                json::place(self.source, range),
                message,
                help,
            );
            return;
        };
        for property in &parameters.properties {
            let key = property.name.as_str();
            let place = json::place(self.source, property.name.range());
            let value_place = json::place(self.source, property.value.range());
            let text = match &property.value {
                Value::StringLit(text) => text.value.to_string(),
                Value::BooleanLit(flag) => flag.value.to_string(),
                Value::NumberLit(number) => match number.value.parse::<f64>() {
                    Ok(parsed) if parsed.abs() <= MAX_SAFE_INTEGER => javascript_number(parsed),
                    _ => {
                        let message = format!("the number of `{key}` loses digits");
                        let help = "write it as a string".to_owned();
                        self.find(&SETTINGS_VALUE_TYPE, value_place, message, help);
                        continue;
                    }
                },
                other => {
                    let message = format!("the value of `{key}` is {}", json::kind(other));
                    let help = "write a string; ieftool would put something else into the policies";
                    self.find(&SETTINGS_VALUE_TYPE, value_place, message, help.to_owned());
                    continue;
                }
            };
            self.setting(key.to_owned(), place, text, value_place);
        }
    }

    /// `left` bounds how many values aliases may stand for.
    fn yaml(&mut self, path: &str, node: &Node, left: &mut usize) {
        if *left == 0 {
            return;
        }
        *left -= 1;
        match &node.content {
            Content::Mapping(entries) => {
                for (key, value) in entries {
                    let name = match path {
                        "" => key.name.clone(),
                        _ => format!("{path}.{}", key.name),
                    };
                    let place = self.place(key.range.start, key.range.end);
                    self.yaml_value(&name, place, value, left);
                }
            }
            Content::Sequence(items) => {
                for (number, item) in items.iter().enumerate() {
                    let place = self.place(item.range.start, item.range.end);
                    self.yaml_value(&format!("{path}[{number}]"), place, item, left);
                }
            }
            Content::Scalar { .. } => {}
        }
    }

    fn yaml_value(&mut self, name: &str, place: Place, value: &Node, left: &mut usize) {
        if !matches!(value.content, Content::Scalar { .. }) {
            return self.yaml(name, value, left);
        }
        *left = left.saturating_sub(1);
        let value_place = self.place(value.range.start, value.range.end);
        match value.scalar().map(str::trim) {
            // The tool removes what surrounds a value.
            Some(text) if !text.is_empty() && text != "null" => {
                self.setting(name.to_owned(), place, text.to_owned(), value_place);
            }
            _ => {
                let message = format!("`{name}` has no value");
                let help = format!(
                    "write one, or remove the key and set {VARIABLES}{name}; go-ieftool stops at \
                     empty values that a policy uses"
                );
                self.find(&SETTINGS_VALUE_TYPE, place, message, help);
            }
        }
    }

    fn setting(&mut self, key: String, place: Place, text: String, value_place: Place) {
        if let Some(first) = self.seen.get(&key).copied() {
            let message = format!("`{key}` is defined twice");
            let diagnostic = Diagnostic::new(&SETTINGS_DUPLICATE_KEY, place, message)
                .related(first, "the same name")
                .help("remove one of them");
            self.configuration.findings.push(Finding {
                diagnostic,
                environment: None,
            });
            return;
        }
        self.seen.insert(key.clone(), place);
        self.configuration.settings.push(RawSetting {
            value: Located {
                value: RawValue::EnvOr {
                    name: format!("{VARIABLES}{key}"),
                    default: text,
                },
                place: value_place,
            },
            key: Located { value: key, place },
            semantics: Semantics::Plain,
        });
    }
}
