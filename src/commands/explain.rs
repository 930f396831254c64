//! `iefctl explain`.

use std::io::{self, Write as _};

use anyhow::{Result, bail};

use crate::diagnostics::{Rule, near_miss};
use crate::output::{Style, wrapped};
use crate::rules;

use super::{Exit, Shell};

/// Show the page of a rule; without RULE, list all rules
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl explain
  iefctl explain ref-claimtype")]
pub struct ExplainArgs {
    /// The rule, as reports name it in brackets
    #[arg(value_name = "RULE")]
    rule: Option<String>,
}

/// Every rule, those that need a tenant last.
fn all() -> impl Iterator<Item = &'static Rule> {
    rules::all().chain(super::deploy_rules())
}

/// Runs `iefctl explain`.
///
/// # Errors
/// If there is no such rule.
pub fn run(args: &ExplainArgs, shell: &Shell) -> Result<Exit> {
    let Some(id) = &args.rule else {
        let width = all().map(|rule| rule.id.len()).max().unwrap_or(0);
        shell.print(|out| {
            for rule in all() {
                let level = rule.level.to_string();
                writeln!(out, "{:width$}  {level:7}  {}", rule.id, rule.summary)?;
            }
            Ok(())
        })?;
        return Ok(Exit::Clean);
    };
    let Some(rule) = all().find(|rule| rule.id == id) else {
        match near_miss(id, all().map(|rule| rule.id)) {
            Some(near) => bail!("there is no rule `{id}`; did you mean `{near}`?"),
            None => bail!("there is no rule `{id}`; `iefctl explain` lists all rules"),
        }
    };
    let style = shell.style();
    shell.print(|out| match rules::page(rule.id) {
        Some(page) => write_page(page, rule, style, out),
        None => {
            writeln!(out, "{} ({})", rule.id, rule.level)?;
            writeln!(out, "{}", rule.summary)
        }
    })?;
    Ok(Exit::Clean)
}

/// Writes a Markdown page for a terminal: headings without their signs, in bold where colours are
/// on; code indented instead of fenced; text as it is, in lines that fit.
fn write_page(page: &str, rule: &Rule, style: Style, out: &mut Vec<u8>) -> io::Result<()> {
    let heading = |text: &str, out: &mut Vec<u8>| {
        if style.colour {
            writeln!(out, "\x1b[1m{text}\x1b[0m")
        } else {
            writeln!(out, "{text}")
        }
    };
    let mut in_code = false;
    let mut paragraph = String::new();
    for line in page.lines() {
        let goes_on = |paragraph: &str| match line.get(..2) {
            Some("> ") => paragraph.starts_with("> "),
            Some("- " | "# " | "##" | "``") => false,
            None if line.is_empty() => false,
            _ => !in_code,
        };
        if !goes_on(&paragraph) {
            write_paragraph(&std::mem::take(&mut paragraph), style, out)?;
        }
        if line.starts_with("```") {
            in_code = !in_code;
        } else if in_code {
            let indented = format!("    {line}");
            writeln!(out, "{}", indented.trim_end())?;
        } else if line.starts_with("# ") {
            heading(&format!("{} ({})", rule.id, rule.level), out)?;
        } else if let Some(title) = line.strip_prefix("## ") {
            heading(title, out)?;
        } else if line.is_empty() {
            writeln!(out)?;
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            let is_quoted = paragraph.starts_with("> ");
            let line = line
                .strip_prefix("> ")
                .filter(|_| is_quoted)
                .unwrap_or(line);
            paragraph.push_str(line.trim_start());
        }
    }
    write_paragraph(&paragraph, style, out)
}

/// Writes a paragraph or an item of a list, whose text goes on below its own beginning.
fn write_paragraph(text: &str, style: Style, out: &mut Vec<u8>) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let indent = if text.starts_with(['-', '>']) { 2 } else { 0 };
    let (bullet, text) = text.split_at(indent);
    for (number, line) in wrapped::lines(text, indent, style.width).iter().enumerate() {
        let before = if number == 0 { bullet } else { "" };
        writeln!(out, "{before:indent$}{line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lose_their_markup_and_keep_their_text() {
        let rule = rules::find("ref-claimtype").expect("a known rule");
        let page =
            "# ref-claimtype\n\nText with `code`.\n\n## Wrong\n\n```xml\n<A>\n\n  <B/>\n```\n";
        let plain = Style {
            colour: false,
            ..Style::default()
        };
        let mut out = Vec::new();
        write_page(page, rule, plain, &mut out).expect("memory takes everything");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "ref-claimtype (error)\n\nText with `code`.\n\nWrong\n\n    <A>\n\n      <B/>\n"
        );
        let narrow = Style { width: 40, ..plain };
        let page = "One two three four five six seven\neight nine ten\n- a b c d e f g h i j k l m n o p q r\n  s t\n- u\n";
        let mut out = Vec::new();
        write_page(page, rule, narrow, &mut out).expect("memory takes everything");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "One two three four five six seven eight\nnine ten\n\
             - a b c d e f g h i j k l m n o p q r s\n  t\n- u\n"
        );
    }
}
