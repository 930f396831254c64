//! Text for people: findings with the source around them, in the way of rustc.
//!
//! Errors and warnings come first, in file order, each with a snippet of the *original* file;
//! hints follow, one line each. The last line counts. Start reading at [`render`]; `snippet.rs`
//! draws the source lines, [`deploy`] the table of a deployment.

pub mod deploy;
pub mod plan;

mod snippet;
mod style;

use std::borrow::Cow;
use std::io;

use crate::diagnostics::{Diagnostic, Label, Level, Report};
use crate::parallel::Workers;

use super::positions::{Place, Positions, original_range, resolved_text};
use super::visible::one_line;
use snippet::Mark;
use style::GUTTER;
pub use style::Style;
pub(super) use style::{ERROR, FAINT, HINT, STRONG, SUCCESS, WARNING, level_colour};

/// A resolved value is shown up to so many characters.
const LONGEST_VALUE: usize = 120;

/// Writes the findings of `report` and the line that counts them.
///
/// # Errors
/// Only those of `out`.
pub fn render(report: &Report, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    findings(report, style, out)?;
    writeln!(out, "{}", style.paint(STRONG, &super::summary_line(report)))
}

/// Writes the findings of `report` alone.
///
/// # Errors
/// Only those of `out`.
pub fn findings(report: &Report, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut shown: Vec<&Diagnostic> = report.diagnostics.iter().collect();
    shown.sort_by_key(|diagnostic| diagnostic.level == Level::Hint && !style.verbose);
    let total = shown.len();
    if let Some(limit) = style.limit
        && limit < total
    {
        shown.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.level));
        shown.truncate(limit);
    }

    let page = Page {
        report,
        positions: Positions::new(&report.sources),
        style,
    };
    let is_compact = |diagnostic: &&Diagnostic| diagnostic.level == Level::Hint && !style.verbose;
    let drawn = Workers::All.map(&shown, |diagnostic| {
        let mut text = Vec::new();
        // Writing to memory cannot fail.
        let _ = if is_compact(diagnostic) {
            page.line(diagnostic, &mut text)
        } else {
            page.block(diagnostic, &mut text)
        };
        text
    });
    for text in drawn {
        out.write_all(&text)?;
    }
    let mut compact = shown.last().is_some_and(is_compact);
    if shown.len() < total {
        let ellipsis = style.symbol("…", "...");
        writeln!(out, "{ellipsis} and {} more", total - shown.len())?;
        compact = true;
    }
    if compact {
        writeln!(out)?;
    }
    Ok(())
}

struct Page<'r> {
    report: &'r Report,
    positions: Positions<'r>,
    style: Style,
}

impl Page<'_> {
    fn line(&self, diagnostic: &Diagnostic, out: &mut dyn io::Write) -> io::Result<()> {
        let place = self.positions.place(diagnostic.primary.location);
        writeln!(
            out,
            "{}: {}:{}: {}",
            self.heading(diagnostic),
            one_line(place.file),
            place.start,
            one_line(&diagnostic.message)
        )
    }

    fn block(&self, diagnostic: &Diagnostic, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(
            out,
            "{}{}",
            self.heading(diagnostic),
            self.style
                .paint(STRONG, &format!(": {}", one_line(&diagnostic.message)))
        )?;
        let groups = self.groups(diagnostic);
        let gutter = groups
            .iter()
            .map(|group| group.last_line(&self.positions).to_string().len())
            .max()
            .unwrap_or(1);
        for group in &groups {
            let Place { file, start, .. } = self.positions.place(group.labels[0].location);
            writeln!(
                out,
                "{:gutter$}{} {}:{start}",
                "",
                self.style.paint(GUTTER, "-->"),
                one_line(file)
            )?;
            let lines = self.snippet(diagnostic.level, group, gutter);
            out.write_all(lines.as_bytes())?;
            writeln!(out, "{:gutter$} {}", "", self.style.paint(GUTTER, "|"))?;
        }
        for (word, text) in self.notes(diagnostic) {
            writeln!(
                out,
                "{:gutter$} {} {}: {}",
                "",
                self.style.paint(GUTTER, "="),
                self.style.paint(STRONG, word),
                one_line(&text)
            )?;
        }
        writeln!(out)
    }

    fn heading(&self, diagnostic: &Diagnostic) -> String {
        let heading = format!("{}[{}]", diagnostic.level, diagnostic.rule.id);
        self.style.paint(level_colour(diagnostic.level), &heading)
    }

    /// The labels by the snippet that shows them: those of one file share it, as long as their
    /// lines are short enough to be shown whole.
    fn groups<'d>(&self, diagnostic: &'d Diagnostic) -> Vec<Group<'d>> {
        let mut groups = vec![Group {
            labels: vec![&diagnostic.primary],
            is_first: true,
        }];
        for label in &diagnostic.related {
            let source = label.location.source;
            let fits = |label: &Label| {
                let range = original_range(self.report.sources.get(source), label.location.span);
                snippet::fits(self.positions.index(source), &range, self.source_width())
            };
            let home = groups.iter_mut().find(|group| {
                group.labels[0].location.source == source
                    && fits(label)
                    && group.labels.iter().all(|label| fits(label))
            });
            match home {
                Some(group) => group.labels.push(label),
                None => groups.push(Group {
                    labels: vec![label],
                    is_first: false,
                }),
            }
        }
        groups
    }

    fn snippet(&self, level: Level, group: &Group<'_>, gutter: usize) -> String {
        let source = self.report.sources.get(group.labels[0].location.source);
        let marks: Vec<Mark<'_>> = group
            .labels
            .iter()
            .map(|label| Mark {
                range: original_range(source, label.location.span),
                word: label.message.as_deref().map(one_line),
            })
            .collect();
        snippet::Snippet {
            text: self.positions.index(group.labels[0].location.source),
            marks: &marks,
            level,
            is_first: group.is_first,
            width: self.source_width(),
            gutter,
            colour: self.style.colour,
        }
        .draw()
    }

    fn notes<'d>(&self, diagnostic: &'d Diagnostic) -> Vec<(&'static str, Cow<'d, str>)> {
        let mut notes = Vec::new();
        let location = diagnostic.primary.location;
        let source = self.report.sources.get(location.source);
        if let Some(value) = resolved_text(source, location.span) {
            let value = shortened(value);
            notes.push((
                "note",
                format!("in this environment it reads `{value}`").into(),
            ));
        }
        if let Some(help) = &diagnostic.help {
            notes.push(("help", help.into()));
        }
        if let Some(fix) = self.positions.applicable_fix(diagnostic) {
            notes.push(("fix", format!("{} (`--fix` does it)", fix.title).into()));
        }
        if let Some(sentence) = &diagnostic.service_message {
            notes.push((
                "note",
                format!("the tenant would answer: {sentence}").into(),
            ));
        }
        notes
    }

    /// Columns for source text: the width without line numbers and borders.
    fn source_width(&self) -> usize {
        self.style.width.max(40) - 10
    }
}

/// Labels of one file that are shown in one snippet. There is at least one; the first group begins
/// with the primary label.
struct Group<'d> {
    labels: Vec<&'d Label>,
    is_first: bool,
}

impl Group<'_> {
    fn last_line(&self, positions: &Positions<'_>) -> u32 {
        let lines = self
            .labels
            .iter()
            .map(|label| positions.place(label.location).end.line);
        lines.max().unwrap_or(1)
    }
}

fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}...", &text[..end]).into(),
        None => text.into(),
    }
}
