//! How reports look: one file per format, each a mapping from data to bytes.
//!
//! [`render`] writes a validation report; deployments have their own structs in [`json::deploy`],
//! which the human table and the Markdown take as input, and [`graph`] draws the inheritance tree.
//! Everything goes to the writer that the caller hands in. This room must not know commands, the
//! network or how a finding was made; it decides nothing about exit status. Lines and columns are
//! computed here and nowhere before. Only [`progress`] may draw on a terminal by itself.

pub mod azure;
pub mod doctor;
pub mod github;
pub mod graph;
pub mod human;
pub mod json;
pub mod junit;
pub mod keys;
pub mod markdown;
pub mod patch;
pub mod progress;
pub mod sarif;
pub mod setup;

mod format;
mod plan;
mod positions;
mod text_index;
mod visible;
pub mod wrapped;

use std::io;

use crate::diagnostics::{Diagnostic, Report};

pub use format::{Format, UnknownFormat};
pub use human::Style;

/// What a format may need to know besides the report.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The command that made the report, as the JSON names it: `validate`.
    pub command: &'a str,
    /// How the human format looks.
    pub style: Style,
    /// The page of a rule in Markdown, by rule id; SARIF carries it as the rule's help.
    pub rule_page: &'a dyn Fn(&str) -> Option<&'static str>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            command: "validate",
            style: Style::default(),
            rule_page: &|_| None,
        }
    }
}

/// Writes `report` in `format`.
///
/// # Errors
/// Only those of `out`.
pub fn render(
    report: &Report,
    format: Format,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Human => human::render(report, options.style, out),
        Format::Json => json::render(report, options.command, out),
        Format::Sarif => sarif::render(report, options.rule_page, out),
        Format::Github => github::render(report, out),
        Format::Azure => azure::render(report, out),
        Format::Junit => junit::render(report, out),
        Format::Markdown => markdown::render(report, out),
    }
}

/// Text of files and services for one line of a terminal, without anything that moves the cursor.
pub fn plain(text: &str) -> std::borrow::Cow<'_, str> {
    visible::one_line(text)
}

/// A path as a word of a POSIX shell's command line.
pub fn shell_word(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/\\._-+:".contains(c);
    if !path.is_empty() && path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", plain(path).replace('\'', "'\\''"))
    }
}

/// "1 error", "3 errors": the count with its noun, which takes an `s` in the plural.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// "6 policies checked: 1 error, 2 warnings, 3 hints"; levels without findings are left out.
fn summary_line(report: &Report) -> String {
    let summary = report.summary();
    let policies = match summary.policies {
        1 => "1 policy".to_owned(),
        count => format!("{count} policies"),
    };
    let levels = [
        (summary.errors, "error"),
        (summary.warnings, "warning"),
        (summary.hints, "hint"),
    ];
    let found: Vec<String> = levels
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| counted(count, noun))
        .collect();
    if found.is_empty() {
        format!("{policies} checked: no problems found")
    } else {
        format!("{policies} checked: {}", found.join(", "))
    }
}

/// The message with help and the tenant's sentence below it, for formats with one text per finding.
fn full_message(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    if let Some(sentence) = &diagnostic.service_message {
        text.push_str("\nthe tenant would answer: ");
        text.push_str(sentence);
    }
    text
}
