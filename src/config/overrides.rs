//! Settings that the environment variable `IEFCTL_SETTINGS` gives for one run, over those of the
//! configuration: what a pipeline knows and no file does.
//!
//! One `Name=Value` a line, as the build task of Azure Pipelines takes it. A variable and no option,
//! because values may be secret and everybody on a machine can read the arguments of a process. The
//! source that findings point into holds the names alone, so that no snippet shows a value.

use std::fmt::Write as _;

use super::configuration::{Located, RawSetting, RawValue};
use super::error::ConfigError;
use super::select::Lookup;
use crate::diagnostics::{Location, Source, SourceMap, Span};
use crate::policy::{BuiltIn, Notation, Semantics};

/// The variable, whose lines are settings.
pub(super) const VARIABLE: &str = "IEFCTL_SETTINGS";

/// The settings of the variable, in its order.
///
/// # Errors
/// A line that is no setting, a name that is given twice or built in. No message holds a value.
pub(super) fn read(
    lookup: Lookup<'_>,
    sources: &mut SourceMap,
) -> Result<Vec<RawSetting>, ConfigError> {
    let Some(text) = lookup(VARIABLE) else {
        return Ok(Vec::new());
    };
    let mut names = String::new();
    let mut parsed: Vec<(&str, &str, Span)> = Vec::new();
    let mut errors = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let start = names.len();
        let mut refuse = |reason: String| {
            let line = index + 1;
            errors.push(ConfigError::Argument(format!(
                "line {line} of {VARIABLE} {reason}"
            )));
        };
        let Some((name, value)) = line.split_once('=') else {
            if !line.trim().is_empty() {
                refuse("is no setting: write `Name=Value`, one a line".to_owned());
            }
            names.push('\n');
            continue;
        };
        let name = name.trim();
        if name.is_empty() || name.contains(['{', '}']) || name.chars().any(char::is_control) {
            refuse("has no usable name before `=`: write `Name=Value`, one a line".to_owned());
        } else if BuiltIn::from_key(name).is_some() {
            refuse(format!(
                "sets `{name}`, which is built in: choose the tenant with --tenant, the environment \
                 with --environment"
            ));
        } else if parsed
            .iter()
            .any(|(other, ..)| other.to_lowercase() == name.to_lowercase())
        {
            refuse(format!("sets `{name}` a second time"));
        }
        // Writing to a string cannot fail.
        let _ = writeln!(names, "{name}");
        let offset = |position: usize| u32::try_from(position).unwrap_or(u32::MAX);
        let span = Span::new(offset(start), offset(start + name.len()));
        parsed.push((name, value, span));
    }
    ConfigError::all(errors)?;
    let id = sources.add(Source::new(VARIABLE, names));
    let place = |span| Location { source: id, span };
    Ok(parsed
        .into_iter()
        .map(|(name, value, span)| RawSetting {
            key: Located {
                value: name.to_owned(),
                place: place(span),
            },
            value: Located {
                value: RawValue::Text(value.to_owned()),
                place: place(span),
            },
            semantics: Semantics::Recursive,
        })
        .collect())
}

/// The configured settings with the overrides in place. An override stands where the setting stood that
/// it overrides, and is read by the rules of that file; what is new comes last and is read like the
/// others.
pub(super) fn apply(
    mut settings: Vec<RawSetting>,
    overrides: &[RawSetting],
    notation: Notation,
) -> Vec<RawSetting> {
    let semantics = settings.last().map(|last| last.semantics);
    for given in overrides {
        let mut given = given.clone();
        let name = notation.fold(&given.key.value);
        let known = settings
            .iter_mut()
            .find(|setting| notation.fold(&setting.key.value) == name);
        match known {
            Some(known) => {
                given.semantics = known.semantics;
                *known = given;
            }
            None => {
                given.semantics = semantics.unwrap_or(given.semantics);
                settings.push(given);
            }
        }
    }
    settings
}
