use std::fmt;

use serde::{Deserialize, Serialize};

use crate::diagnostics::{Location, SourceMap};

/// A place in the user's files that can be written down: file, line and column (both from 1, columns
/// in characters).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file, as shown to the user.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// Where a location of these sources begins.
    pub fn of(sources: &SourceMap, location: Location) -> Self {
        let (start, _) = sources.position(location);
        Self {
            file: sources.get(location.source).name().to_owned(),
            line: start.line,
            column: start.column,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
