//! Unified diffs, as `git apply` and `patch` read them.

use std::io;

use anstyle::{AnsiColor, Style as Ansi};
use similar::{ChangeTag, TextDiff};

use super::human::Style;
use super::visible::{one_line, visible};

const REMOVED: Ansi = AnsiColor::Red.on_default();
const ADDED: Ansi = AnsiColor::Green.on_default();
const HUNK: Ansi = AnsiColor::Cyan.on_default();
const HEADER: Ansi = Ansi::new().bold();

/// Writes the difference between two texts of the file `name`; nothing if there is none.
///
/// For people (`is_for_people`) control characters become visible; otherwise every byte of the texts
/// stands in the diff, so that a program can apply it.
///
/// # Errors
/// Only those of `out`.
pub fn render(
    name: &str,
    old: &str,
    new: &str,
    style: Style,
    is_for_people: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    if old == new {
        return Ok(());
    }
    let name = one_line(name);
    // git strips the first part of a relative path.
    let (a, b) = if name.starts_with('/') || name.starts_with("../") {
        (name.to_string(), name.to_string())
    } else {
        (format!("a/{name}"), format!("b/{name}"))
    };
    let paint = |colour, text: &str| style.paint(colour, text);
    writeln!(out, "{}", paint(HEADER, &format!("--- {a}")))?;
    writeln!(out, "{}", paint(HEADER, &format!("+++ {b}")))?;
    // A line feed ends a line; a lone carriage return does not.
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let diff = TextDiff::from_slices(&old, &new);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        writeln!(out, "{}", paint(HUNK, &hunk.header().to_string()))?;
        for change in hunk.iter_changes() {
            let (sign, colour) = match change.tag() {
                ChangeTag::Delete => ('-', REMOVED),
                ChangeTag::Insert => ('+', ADDED),
                ChangeTag::Equal => (' ', Ansi::new()),
            };
            let line = change.value();
            let content = line.strip_suffix('\n').unwrap_or(line);
            let shown = if is_for_people {
                let content = content.strip_suffix('\r').unwrap_or(content);
                content.chars().map(keep_tabs).collect()
            } else {
                content.to_owned()
            };
            writeln!(out, "{}", paint(colour, &format!("{sign}{shown}")))?;
            if !line.ends_with('\n') {
                writeln!(out, "\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

fn keep_tabs(c: char) -> char {
    if c == '\t' { c } else { visible(c, "") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(name: &str, old: &str, new: &str, is_for_people: bool) -> String {
        let mut out = Vec::new();
        let style = Style::default();
        render(name, old, new, style, is_for_people, &mut out).expect("memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn every_byte_is_there_for_programs() {
        assert_eq!(
            patch(
                "p/a.xml",
                "\u{feff}a\r\nb\r\nc",
                "\u{feff}a\r\nB\r\nc",
                false
            ),
            "--- a/p/a.xml\n+++ b/p/a.xml\n@@ -1,3 +1,3 @@\n \u{feff}a\r\n-b\r\n+B\r\n c\n\\ No newline at end of file\n"
        );
        assert_eq!(patch("a.xml", "a", "a", false), "");
    }

    #[test]
    fn people_are_not_fooled() {
        let text = patch("/a\nb.xml", "\u{1b}[2Jx\n", "y\t\n", true);
        assert!(text.starts_with("--- /a b.xml\n"), "{text}");
        assert!(text.contains("-\u{fffd}[2Jx\n+y\t\n"), "{text}");
    }
}
