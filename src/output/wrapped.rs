//! Text for people in columns: lines are broken between words, and go on below where they began.

use std::io;

use super::human::{HINT, Style};
use super::visible::one_line;

/// Narrower than this a column of text is not made, whatever the terminal.
const NARROWEST: usize = 30;

/// Breaks `text` into lines for a column that begins at `indent` of a terminal with `width` columns.
/// A word that is longer than a line stays whole.
pub fn lines(text: &str, indent: usize, width: usize) -> Vec<String> {
    let room = width.saturating_sub(indent).max(NARROWEST);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let fits = |line: &String| line.chars().count() + 1 + word.chars().count() <= room;
        match lines.last_mut().filter(|line| fits(line)) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Writes lines below each other, the first one where the cursor is, each through `paint`.
pub(super) fn write(
    text: &str,
    indent: usize,
    width: usize,
    paint: impl Fn(&str) -> String,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for (number, line) in lines(text, indent, width).iter().enumerate() {
        if number > 0 {
            write!(out, "{:indent$}", "")?;
        }
        writeln!(out, "{}", paint(line))?;
    }
    Ok(())
}

/// Writes what to do below a line, behind an arrow.
pub(super) fn write_help(
    help: &str,
    indent: usize,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let arrow = style.symbol("→", "->");
    write!(out, "{:indent$}{} ", "", style.paint(HINT, arrow))?;
    let indent = indent + arrow.chars().count() + 1;
    write(&one_line(help), indent, style.width, str::to_owned, out)
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn words_stay_whole() {
        let long = "x".repeat(50);
        let text = format!("ein Wort, {long} und ünf kurze Wörter");
        let broken = lines(&text, 0, 30);
        assert_eq!(broken, ["ein Wort,", &long, "und ünf kurze Wörter"]);
        assert_eq!(lines("", 10, 80), [""]);
        assert_eq!(lines("a b", 500, 80), ["a b"]);
    }
}
