use anstyle::{AnsiColor, Style as Ansi};

use crate::diagnostics::Level;

/// How text for people looks. The caller decides by the terminal that it writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to write ANSI colours.
    pub colour: bool,
    /// Whether symbols beyond ASCII can be shown.
    pub unicode: bool,
    /// Columns of the terminal; longer source lines are cut around their label.
    pub width: usize,
    /// Whether hints get a snippet each, and unchanged policies a row each.
    pub verbose: bool,
    /// At most so many findings are shown, the worst first; the others are only counted.
    pub limit: Option<usize>,
}

impl Default for Style {
    /// Plain text of 100 columns for a file or pipe: no colours, every finding.
    fn default() -> Self {
        Self {
            colour: false,
            unicode: true,
            width: 100,
            verbose: false,
            limit: None,
        }
    }
}

/// The colours, one per meaning.
pub(in crate::output) const ERROR: Ansi = AnsiColor::BrightRed.on_default().bold();
pub(in crate::output) const WARNING: Ansi = AnsiColor::Yellow.on_default().bold();
pub(in crate::output) const HINT: Ansi = AnsiColor::BrightCyan.on_default().bold();
pub(in crate::output) const SUCCESS: Ansi = AnsiColor::Green.on_default();
pub(in crate::output) const GUTTER: Ansi = AnsiColor::BrightBlue.on_default().bold();
pub(in crate::output) const STRONG: Ansi = Ansi::new().bold();
pub(in crate::output) const FAINT: Ansi = Ansi::new().dimmed();

impl Style {
    /// `text` in a colour, where colours are wanted.
    pub(in crate::output) fn paint(self, colour: Ansi, text: &str) -> String {
        if self.colour {
            format!("{colour}{text}{colour:#}")
        } else {
            text.to_owned()
        }
    }

    /// The symbol, or what stands for it in ASCII.
    pub(in crate::output) const fn symbol(
        self,
        unicode: &'static str,
        ascii: &'static str,
    ) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }
}

pub(in crate::output) const fn level_colour(level: Level) -> Ansi {
    match level {
        Level::Error => ERROR,
        Level::Warning => WARNING,
        Level::Hint => HINT,
    }
}
