//! The deployment file of the GitHub Action for policies: which files are deployed, and what is
//! replaced in each. The order of the list means nothing here, as the order of uploads follows from the
//! policies themselves. What the action passes over silently is an error.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jsonc_parser::ast::{Object, StringLit, Value};
use jsonc_parser::common::{Range, Ranged};

use super::configuration::{Configuration, Finding, Located, Place};
use super::error::ConfigError;
use super::{json, paths};
use crate::diagnostics::{Diagnostic, SourceId, SourceMap, near_miss};
use crate::policy::{Replacement, SETTINGS_UNKNOWN_KEY};

const ROOT: &[&str] = &["version", "files"];
const FILE: &[&str] = &["path", "replacements"];
const REPLACEMENT: &[&str] = &["find", "replace"];

/// Reads the file, which is in `sources` as `source`. Its paths start in `folder`.
pub(super) fn read(
    sources: &SourceMap,
    source: SourceId,
    folder: &Path,
) -> Result<Configuration, ConfigError> {
    let file = sources.get(source);
    let root = json::object(sources, source, file.text())?;
    let place = format!("the replacements in {}", file.name());
    let mut reader = Reader {
        sources,
        source,
        folder: folder.to_owned(),
        configuration: Configuration::empty(source, folder.to_owned(), place),
        seen: HashMap::new(),
        errors: Vec::new(),
    };
    reader.root(&root);
    ConfigError::all(reader.errors)?;
    Ok(reader.configuration)
}

struct Reader<'r> {
    sources: &'r SourceMap,
    source: SourceId,
    folder: PathBuf,
    configuration: Configuration,
    /// The files that were listed.
    seen: HashMap<PathBuf, Place>,
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn error(&mut self, range: Range, message: impl Into<String>, help: Option<&str>) {
        let place = json::place(self.source, range);
        let help = help.map(str::to_owned);
        let error = ConfigError::invalid(self.sources, place, message, help);
        self.errors.push(error);
    }

    fn root(&mut self, root: &Object<'_>) {
        self.known_keys(root, ROOT);
        let files = json::last(root, "files").map(|property| &property.value);
        let Some(Value::Array(files)) = files else {
            let range = files.map_or(root.range, Ranged::range);
            self.error(range, "`files` must be an array of files", None);
            return;
        };
        if files.elements.is_empty() {
            self.error(files.range, "`files` lists no file", None);
        }
        for element in &files.elements {
            match element {
                Value::Object(file) => self.file(file),
                other => self.error(
                    other.range(),
                    format!("a file is an object, not {}", json::kind(other)),
                    Some("write { \"path\": \"Policy.xml\" }"),
                ),
            }
        }
    }

    fn known_keys(&mut self, object: &Object<'_>, known: &[&str]) {
        let mut seen: Vec<&str> = Vec::new();
        for property in &object.properties {
            let name = property.name.as_str();
            let range = property.name.range();
            if seen.contains(&name) {
                self.error(
                    range,
                    format!("`{name}` stands here twice"),
                    Some("remove one of them"),
                );
            }
            seen.push(name);
            if known.contains(&name) || name == "$schema" {
                continue;
            }
            let help = match near_miss(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? case counts here"),
                None => format!("the action ignores it; it knows {}", known.join(", ")),
            };
            let place = json::place(self.source, range);
            let message = format!("unknown key `{name}`");
            let diagnostic = Diagnostic::new(&SETTINGS_UNKNOWN_KEY, place, message).help(help);
            self.configuration.findings.push(Finding {
                diagnostic,
                environment: None,
            });
        }
    }

    fn text<'o>(&mut self, object: &'o Object<'_>, key: &str) -> Option<&'o StringLit<'o>> {
        match json::last(object, key).map(|property| &property.value) {
            Some(Value::StringLit(text)) => Some(text),
            Some(other) => {
                let message = format!("`{key}` must be a string, not {}", json::kind(other));
                self.error(other.range(), message, None);
                None
            }
            None => {
                self.error(object.range, format!("`{key}` is missing here"), None);
                None
            }
        }
    }

    fn file(&mut self, file: &Object<'_>) {
        self.known_keys(file, FILE);
        let path = self
            .text(file, "path")
            .map(|path| (path.value.to_string(), path.range));
        let Some((path, range)) = path else {
            return;
        };
        if path.trim().is_empty() {
            self.error(range, "`path` is empty", None);
            return;
        }
        let place = json::place(self.source, range);
        let joined = paths::join(&self.folder, &path);
        let plain = paths::absolute(&joined).unwrap_or_else(|| joined.clone());
        if let Some(first) = self.seen.insert(plain, place) {
            let (line, _) = self.sources.position(first);
            let message = format!("`{path}` is listed twice, first in line {}", line.line);
            self.error(range, message, Some("put all replacements into one entry"));
        }
        self.configuration
            .policies
            .push(Located { value: path, place });
        let replacements = json::last(file, "replacements").map(|property| &property.value);
        match replacements {
            None => {}
            Some(Value::Array(replacements)) => {
                for element in &replacements.elements {
                    match element {
                        Value::Object(replacement) => {
                            self.replacement(&paths::display(&joined), replacement);
                        }
                        other => self.error(
                            other.range(),
                            format!("a replacement is an object, not {}", json::kind(other)),
                            Some("write { \"find\": \"…\", \"replace\": \"…\" }"),
                        ),
                    }
                }
            }
            Some(other) => {
                let message = format!("`replacements` must be an array, not {}", json::kind(other));
                self.error(other.range(), message, None);
            }
        }
    }

    fn replacement(&mut self, file: &str, replacement: &Object<'_>) {
        self.known_keys(replacement, REPLACEMENT);
        let find = self.text(replacement, "find");
        let find = find.map(|find| (find.value.to_string(), find.range));
        let with = self.text(replacement, "replace");
        let with = with.map(|with| with.value.to_string());
        let (Some((find, range)), Some(with)) = (find, with) else {
            return;
        };
        let place = json::place(self.source, range);
        match Replacement::new(file, &find, &with, place) {
            Ok(replacement) => self.configuration.replacements.push(replacement),
            Err(error) => {
                let message = format!("`find` is a regular expression of JavaScript: {error}");
                self.error(range, message, None);
            }
        }
    }
}
