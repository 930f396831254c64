//! Terminal, environment and streams, as commands see them.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};

use crate::output::{Format, Style};

/// When to write colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ColourChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What a command knows of the place where it runs: terminal, environment, how much to say.
#[derive(Debug, Clone, Copy)]
pub struct Shell {
    /// How often `-v` was given.
    pub verbosity: u8,
    /// Whether only the result is wanted.
    pub quiet: bool,
    /// When to write colours.
    pub colour: ColourChoice,
}

impl Shell {
    /// An environment variable; empty counts as unset.
    pub fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// Whether standard output is a terminal.
    pub fn stdout_is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether standard error is a terminal.
    pub fn stderr_is_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// How text looks on standard output.
    pub fn style(&self) -> Style {
        self.style_for(self.stdout_is_terminal())
    }

    /// How text looks on standard error.
    pub fn error_style(&self) -> Style {
        self.style_for(self.stderr_is_terminal())
    }

    /// How text looks in a file: plain unless colours were asked for.
    pub fn file_style(&self) -> Style {
        self.style_for(false)
    }

    fn style_for(&self, is_terminal: bool) -> Style {
        let dumb = self.variable("TERM").is_some_and(|term| term == "dumb");
        let colour = match self.colour {
            ColourChoice::Always => true,
            ColourChoice::Never => false,
            ColourChoice::Auto if self.variable("NO_COLOR").is_some() => false,
            ColourChoice::Auto if self.variable("CLICOLOR_FORCE").is_some() => true,
            ColourChoice::Auto => is_terminal && !dumb,
        };
        let width = self
            .variable("COLUMNS")
            .and_then(|columns| columns.parse().ok())
            .or_else(|| is_terminal.then(terminal_width).flatten())
            .unwrap_or(140);
        Style {
            colour,
            unicode: !dumb,
            width,
            verbose: self.verbosity > 0,
            ..Style::default()
        }
    }

    /// The format to report in: the one asked for, else what suits the place.
    pub fn format(&self, asked: Option<Format>) -> Format {
        asked.unwrap_or_else(|| {
            Format::detect(|name| self.variable(name), self.stdout_is_terminal())
        })
    }

    /// Writes to standard output in one go. That nobody reads on is no failure.
    ///
    /// # Errors
    /// Those of the system, a closed pipe excepted.
    pub fn print(&self, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = Vec::new();
        write(&mut buffer)?;
        let mut stdout = io::stdout().lock();
        match stdout.write_all(&buffer).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// A line on standard error, unless `-q` was given.
    pub fn say(&self, line: impl AsRef<str>) {
        if !self.quiet {
            // Nothing can be done about a closed standard error.
            let _ = writeln!(io::stderr().lock(), "{}", harmless(line.as_ref()));
        }
    }

    /// `error:` and the chain of causes, outermost first, on standard error; `-q` does not silence it.
    pub fn fail(&self, error: &anyhow::Error) {
        let mut causes: Vec<String> = Vec::new();
        for cause in error.chain() {
            let text = cause.to_string();
            // Some errors repeat their cause in their own text.
            if !causes.last().is_some_and(|last| last.contains(&text)) {
                causes.push(text);
            }
        }
        let word = if self.error_style().colour {
            "\u{1b}[1m\u{1b}[91merror\u{1b}[0m"
        } else {
            "error"
        };
        let loud = Self {
            quiet: false,
            ..*self
        };
        loud.say(format!("{word}: {}", causes.join("\n  because: ")));
    }

    /// Whether somebody is there who can answer a question.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && self.stderr_is_terminal()
    }

    /// Asks a question that only `y` or `yes` answers with yes. Asked with `-q` as well.
    ///
    /// # Errors
    /// If the answer cannot be read.
    pub fn confirm(&self, question: &str) -> io::Result<bool> {
        let mut stderr = io::stderr().lock();
        write!(stderr, "{question} [y/N] ")?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        let answer = answer.trim();
        Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
    }

    /// A line on standard error that only `-v` shows.
    pub fn note(&self, line: impl AsRef<str>) {
        if self.verbosity > 0 {
            self.say(format!("note: {}", line.as_ref()));
        }
    }
}

/// A text in which no line is a command of a CI system. A path may hold line breaks and whatever else
/// a stranger's pull request put into it, and messages quote paths. GitHub Actions takes what a line
/// begins with, and like Azure Pipelines its older form anywhere.
fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    let lines = text.split(['\n', '\r']).map(|line| {
        let line = line.replace("##[", "## [").replace("##vso[", "## vso[");
        match line.trim_start().starts_with("::") {
            true => format!("| {line}"),
            false => line,
        }
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// Columns of the terminal that the process writes to.
fn terminal_width() -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size()?;
    Some(usize::from(columns))
}

/// Appends to a file that a CI system names.
pub(super) fn append(path: &str, text: &str) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_line_is_a_command_of_a_ci_system() {
        let text = "read `a\n::error::x\n \t::add-path::y\r\nb ##[error]z\r::c ##vso[task.x]w`";
        let expected =
            "read `a\n| ::error::x\n|  \t::add-path::y\nb ## [error]z\n| ::c ## vso[task.x]w`";
        assert_eq!(harmless(text), expected);
        assert_eq!(harmless("std::io ## title"), "std::io ## title");
    }
}
