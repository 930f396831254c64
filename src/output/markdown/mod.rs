//! Markdown for pull request comments and job summaries: the counts, a table of findings, and the
//! details folded below it.
//!
//! Messages and paths come from other people's files: nothing in them may become markup, a mention
//! or HTML.

pub mod deploy;
pub mod plan;

use std::fmt::Write as _;
use std::io;

use crate::diagnostics::{Diagnostic, Level, Report};

use super::counted;
use super::positions::{Place, Positions, original_range};
use super::visible::one_line;

/// GitHub takes comments of at most 65,536 characters; the caller may add a heading of its own.
const COMMENT_BYTES: usize = 60_000;
/// The source text that details show is cut here, in characters.
const LONGEST_SOURCE: usize = 300;

/// How long a document may become, in bytes. The findings that do not fit are counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget(usize);

impl Budget {
    pub(super) const fn bytes(bytes: usize) -> Self {
        Self(bytes)
    }
}

/// Writes `report` as a comment of at most 60 kB.
///
/// # Errors
/// Only those of `out`.
pub fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(document(report, Budget::bytes(COMMENT_BYTES)).as_bytes())
}

pub(super) fn document(report: &Report, budget: Budget) -> String {
    let positions = Positions::new(&report.sources);
    let summary = report.summary();
    let mut text = format!("### iefctl\n\n**{}**\n", super::summary_line(report));
    if report.diagnostics.is_empty() {
        return text;
    }
    let mut findings: Vec<&Diagnostic> = report.diagnostics.iter().collect();
    findings.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.level));

    text.push_str("\n| Level | Rule | Place | Finding |\n|---|---|---|---|\n");
    // Half of the budget is for the table, the rest for the details.
    let rows = findings.iter().map(|finding| row(finding, &positions));
    let shown = append_within(&mut text, rows, budget.0 / 2);
    let hidden = findings.len() - shown;
    if hidden > 0 {
        let noun = if hidden == 1 { "finding" } else { "findings" };
        let _ = writeln!(text, "\n… and {hidden} more {noun}");
    }

    let mut folded = String::new();
    let details = findings[..shown]
        .iter()
        .map(|finding| details(finding, report, &positions));
    let room = budget.0.saturating_sub(text.len());
    let detailed = append_within(&mut folded, details, room);
    if detailed > 0 {
        let title = if detailed == summary.errors + summary.warnings + summary.hints {
            "Details".to_owned()
        } else {
            format!("Details of the first {}", counted(detailed, "finding"))
        };
        let _ = write!(
            text,
            "\n<details>\n<summary>{title}</summary>\n\n{folded}</details>\n"
        );
    }
    text
}

/// Appends texts as long as `text` stays within `bytes`; returns how many.
fn append_within(text: &mut String, parts: impl Iterator<Item = String>, bytes: usize) -> usize {
    let mut count = 0;
    for part in parts {
        if text.len() + part.len() > bytes {
            break;
        }
        text.push_str(&part);
        count += 1;
    }
    count
}

fn row(diagnostic: &Diagnostic, positions: &Positions<'_>) -> String {
    let Place { file, start, .. } = positions.place(diagnostic.primary.location);
    format!(
        "| {} {} | {} | {}:{start} | {} |\n",
        sign(diagnostic.level),
        diagnostic.level,
        escaped(diagnostic.rule.id),
        escaped(file),
        escaped(&diagnostic.message)
    )
}

fn details(diagnostic: &Diagnostic, report: &Report, positions: &Positions<'_>) -> String {
    let Place { file, start, .. } = positions.place(diagnostic.primary.location);
    let mut text = format!(
        "#### {} {}: {}\n\n{}:{start}",
        sign(diagnostic.level),
        escaped(diagnostic.rule.id),
        escaped(&diagnostic.message),
        escaped(file),
    );
    if let Some(id) = &diagnostic.policy_id {
        let _ = write!(text, " in {}", escaped(id));
    }
    text.push_str("\n\n");
    text.push_str(&fenced("xml", &source_line(diagnostic, report, positions)));
    text.push('\n');
    for label in &diagnostic.related {
        let Place { file, start, .. } = positions.place(label.location);
        let word = label.message.as_deref().unwrap_or("see also");
        let _ = writeln!(text, "- {}:{start}: {}", escaped(file), escaped(word));
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(text, "- help: {}", escaped(help));
    }
    if let Some(sentence) = &diagnostic.service_message {
        let _ = writeln!(text, "- the tenant would answer: {}", escaped(sentence));
    }
    text.push('\n');
    text
}

/// The line of the original file in which a finding begins, cut around it.
fn source_line(diagnostic: &Diagnostic, report: &Report, positions: &Positions<'_>) -> String {
    let location = diagnostic.primary.location;
    let source = report.sources.get(location.source);
    let range = original_range(source, location.span);
    let index = positions.index(location.source);
    let line = index.range(index.line(range.start));
    let middle = range.start.min(line.end);
    let before = &source.original()[line.start..middle];
    let behind = &source.original()[middle..line.end];
    let lead: String = before.chars().rev().take(LONGEST_SOURCE / 3).collect();
    let lead: String = lead.chars().rev().collect();
    let is_cut = lead.len() < before.len();
    let mut line = if is_cut {
        format!("…{lead}")
    } else {
        lead.trim_start().to_owned()
    };
    let mut rest = behind.chars();
    line.extend(rest.by_ref().take(LONGEST_SOURCE));
    if rest.next().is_some() {
        line.push('…');
    }
    one_line(&line).into_owned()
}

/// A code block whose fence no text inside can close.
pub(super) fn fenced(language: &str, text: &str) -> String {
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let text = text.trim_end_matches(['\r', '\n']);
    format!("{fence}{language}\n{text}\n{fence}\n")
}

const fn sign(level: Level) -> &'static str {
    match level {
        Level::Error => "❌",
        Level::Warning => "⚠️",
        Level::Hint => "💡",
    }
}

/// Text for one line or table cell, in which nothing is markup.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // An empty comment keeps a name from being a mention.
            '@' => escaped.push_str("@<!-- -->"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|'
            | '~' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(super::visible::visible(c, "")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_markup() {
        assert_eq!(escaped("a|b `c` <img>"), r"a\|b \`c\` &lt;img&gt;");
        assert_eq!(escaped("@team\r\n# x"), r"@<!-- -->team  \# x");
    }

    #[test]
    fn no_text_closes_its_fence() {
        assert_eq!(fenced("xml", "a"), "```xml\na\n```\n");
        assert_eq!(fenced("", "a ```` b"), "`````\na ```` b\n`````\n");
    }
}
