use super::{Diagnostic, Level, SourceMap};

/// The result of a validation: findings in file order, with the sources that they point into.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The texts.
    pub sources: SourceMap,
    /// The findings, sorted by source, position and rule.
    pub diagnostics: Vec<Diagnostic>,
    /// How many policies were checked.
    pub policies: usize,
}

/// How many findings of each level there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Policies that were checked.
    pub policies: usize,
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings of level hint.
    pub hints: usize,
}

impl Report {
    /// Puts the findings in the order in which people read files, and drops exact repetitions.
    pub fn sort(&mut self) {
        self.diagnostics.sort_by(|a, b| {
            (a.primary.location, a.rule.id, &a.message).cmp(&(
                b.primary.location,
                b.rule.id,
                &b.message,
            ))
        });
        self.diagnostics.dedup();
    }

    /// Counts the findings.
    pub fn summary(&self) -> Summary {
        let count = |level| {
            self.diagnostics
                .iter()
                .filter(|diagnostic| diagnostic.level == level)
                .count()
        };
        Summary {
            policies: self.policies,
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            hints: count(Level::Hint),
        }
    }

    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.level == Level::Error)
    }
}
