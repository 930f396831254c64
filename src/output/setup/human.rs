use std::io;

use crate::output::human::{ERROR, FAINT, STRONG, SUCCESS, Style, WARNING};
use crate::output::visible::one_line;
use crate::output::wrapped;

use super::{SetupJson, SetupStatus};

/// An aligned line per step, and the line that counts them.
pub(super) fn steps(setup: &SetupJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    for number in 0..setup.steps.len() {
        step(setup, number, style, out)?;
    }
    summary(setup, style, out)
}

/// The line of one step, aligned with those of the others.
pub(super) fn step(
    setup: &SetupJson,
    number: usize,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let subjects = subjects(setup);
    let width = subjects.iter().map(|subject| subject.chars().count());
    let width = width.max().unwrap_or_default();
    let indent = width + 6;
    let (Some(step), Some(subject)) = (setup.steps.get(number), subjects.get(number)) else {
        return Ok(());
    };
    let (symbol, colour) = match step.status {
        SetupStatus::Present => ("=", FAINT),
        SetupStatus::Planned => ("+", WARNING),
        SetupStatus::Done => (style.symbol("✓", "*"), SUCCESS),
        SetupStatus::Failed => (style.symbol("✗", "x"), ERROR),
        SetupStatus::Blocked => ("-", WARNING),
    };
    let subject = format!("{:width$}", one_line(subject));
    write!(out, "  {} {subject}  ", style.paint(colour, symbol))?;
    let text = match step.status {
        SetupStatus::Present => "is there".to_owned(),
        SetupStatus::Blocked => "not tried, because it needs what failed".to_owned(),
        _ => step.actions.join(", "),
    };
    let is_present = step.status == SetupStatus::Present;
    let paint = |line: &str| match is_present {
        true => style.paint(FAINT, line),
        false => line.to_owned(),
    };
    wrapped::write(&one_line(&text), indent, style.width, paint, out)?;
    if let Some(error) = &step.error {
        write!(out, "{:indent$}", "")?;
        let paint = |line: &str| style.paint(ERROR, line);
        wrapped::write(&one_line(error), indent, style.width, paint, out)?;
    }
    if let Some(help) = &step.help {
        wrapped::write_help(help, indent, style, out)?;
    }
    Ok(())
}

pub(super) fn summary(setup: &SetupJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let colour = match setup.count(SetupStatus::Failed) + setup.count(SetupStatus::Blocked) {
        0 => STRONG,
        _ => ERROR,
    };
    let summary = setup.summary_line();
    writeln!(out, "\n{}", style.paint(colour, &one_line(&summary)))
}

/// The subjects, parts of an application indented below its name.
fn subjects(setup: &SetupJson) -> Vec<String> {
    let mut above = "";
    let mut subjects = Vec::new();
    for step in &setup.steps {
        let part = step.subject.strip_prefix(above);
        match part.and_then(|part| part.strip_prefix(": ")) {
            Some(part) if !above.is_empty() => subjects.push(format!("  {part}")),
            _ => {
                above = &step.subject;
                subjects.push(step.subject.clone());
            }
        }
    }
    subjects
}

/// What to write into `iefctl.toml`.
pub(super) fn settings(setup: &SetupJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    if setup.settings.is_empty() {
        return Ok(());
    }
    match &setup.written {
        Some(file) => writeln!(out, "\nWritten to {}:\n", one_line(file))?,
        None => writeln!(out, "\nFor iefctl.toml (--write puts them there):\n")?,
    }
    let table = format!("[{}]", setup.settings_table);
    writeln!(out, "  {}", style.paint(STRONG, &one_line(&table)))?;
    for (key, id) in &setup.settings {
        writeln!(out, "  {} = \"{}\"", one_line(key), one_line(id))?;
    }
    if setup.written.is_some() || setup.lookups.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nOr, once for every tenant, looked up when policies are planned, deployed or built:\n"
    )?;
    writeln!(out, "  {}", style.paint(STRONG, "[settings]"))?;
    for (key, value) in &setup.lookups {
        writeln!(out, "  {key} = {{ tenant = \"{value}\" }}")?;
    }
    Ok(())
}
