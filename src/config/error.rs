use std::io;
use std::path::Path;

use super::paths;
use crate::diagnostics::{Diagnostic, LineColumn, Location, Source, SourceMap, Span};
use crate::xml::FILE_UNREADABLE;

use super::configuration::Place;

/// Why a project cannot be loaded. The text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A path that the user or the configuration names is not there.
    #[error("`{path}` does not exist{}", from(.named_by))]
    Missing {
        /// The path as it was written.
        path: String,
        /// The place in the configuration that names it.
        named_by: Option<String>,
    },
    /// The operating system refuses a file or folder.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file vanished between listing and reading, is a device, or is beyond all sizes.
    #[error("cannot read `{path}`: {reason}")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no policy to work on.
    #[error("no policy files (*.xml) in {place}{detail}")]
    Empty {
        /// Where they were looked for.
        place: String,
        /// What was there instead.
        detail: String,
    },
    /// A file is not UTF-8, or declares to be something else.
    #[error("{file}:{position}: {message}; save the file as UTF-8")]
    Encoding {
        /// The file.
        file: String,
        /// The first byte that is wrong.
        position: LineColumn,
        /// What the file seems to be.
        message: String,
        /// What could be read of it.
        text: Box<str>,
        /// The place in that text.
        place: Span,
    },
    /// A configuration file has a mistake.
    #[error("{file}:{position}: {message}{}", advice(.help))]
    Invalid {
        /// The file.
        file: String,
        /// Where the mistake stands.
        position: LineColumn,
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// An argument of the command line does not fit the configuration.
    #[error("{0}")]
    Argument(String),
    /// Several of the above, all of which can be mended at once.
    #[error("{}", lines(.0))]
    Several(Vec<Self>),
}

/// A file or folder that could not be read, so that nothing is known about it.
#[derive(Debug, Clone)]
pub struct Unread {
    source: Source,
    place: Span,
    message: String,
}

impl Unread {
    /// What an error says of one file or folder.
    pub(super) fn of(error: ConfigError) -> Self {
        let message = error.to_string();
        match error {
            ConfigError::Encoding {
                file,
                message,
                text,
                place,
                ..
            } => Self {
                source: Source::new(file, text),
                place,
                message: format!("{message}; save the file as UTF-8"),
            },
            ConfigError::Unreadable { path, .. } | ConfigError::Unusable { path, .. } => Self {
                source: Source::new(path, ""),
                place: Span::at(0),
                message,
            },
            _ => Self {
                source: Source::new("", ""),
                place: Span::at(0),
                message,
            },
        }
    }

    /// The path as the user would write it.
    pub fn name(&self) -> &str {
        self.source.name()
    }

    /// It as a finding in a source of its own, which is added to `sources`.
    pub fn report(&self, sources: &mut SourceMap) -> Diagnostic {
        let location = Location {
            source: sources.add(self.source.clone()),
            span: self.place,
        };
        Diagnostic::new(&FILE_UNREADABLE, location, self.message.as_str()).help(
            "nothing is known about it: further findings may be missing, here and in what inherits \
             from it. Leave it out with `exclude` of iefctl.toml if it is no policy",
        )
    }
}

impl ConfigError {
    /// A mistake in a configuration file that is in `sources`.
    pub(super) fn invalid(
        sources: &SourceMap,
        place: Place,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        Self::Invalid {
            file: sources.get(place.source).name().to_owned(),
            position: sources.position(place).0,
            message: message.into(),
            help,
        }
    }

    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        let path = paths::display(path);
        match source.kind() {
            io::ErrorKind::NotFound => Self::Unusable {
                path,
                reason: "it was there a moment ago and is gone, or it is a broken link".to_owned(),
            },
            _ => Self::Unreadable { path, source },
        }
    }

    /// `Ok` without errors, otherwise all of them as one.
    pub(super) fn all(mut errors: Vec<Self>) -> Result<(), Self> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Several(errors)),
        }
    }
}

fn from(named_by: &Option<String>) -> String {
    named_by
        .as_ref()
        .map(|place| format!(" (named in {place})"))
        .unwrap_or_default()
}

fn advice(help: &Option<String>) -> String {
    help.as_ref()
        .map(|help| format!("; {help}"))
        .unwrap_or_default()
}

fn lines(errors: &[ConfigError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
