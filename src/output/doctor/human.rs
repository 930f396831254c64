use std::io;

use anstyle::Style as Ansi;

use crate::output::human::{ERROR, FAINT, HINT, STRONG, SUCCESS, Style, WARNING};
use crate::output::visible::one_line;
use crate::output::wrapped;

use super::{CheckJson, CheckState, DoctorJson};

/// Groups of aligned lines, and below each that is not ok what to do.
pub(super) fn report(report: &DoctorJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let subjects = report
        .checks
        .iter()
        .map(|check| check.subject.chars().count());
    let width = subjects.max().unwrap_or_default();
    for (group, checks) in report.groups() {
        writeln!(out, "{}", style.paint(STRONG, group.title()))?;
        for check in checks {
            line(check, width, style, out)?;
        }
        writeln!(out)?;
    }
    let colour = match report.summary {
        summary if summary.problems > 0 => ERROR,
        summary if summary.warnings > 0 => WARNING,
        _ => SUCCESS,
    };
    writeln!(
        out,
        "{}",
        style.paint(colour, &one_line(&report.summary_line()))
    )
}

fn line(check: &CheckJson, width: usize, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let (symbol, colour): (_, Ansi) = match check.state {
        CheckState::Ok => (style.symbol("✓", "*"), SUCCESS),
        CheckState::Warning => ("!", WARNING),
        CheckState::Problem => (style.symbol("✗", "x"), ERROR),
        CheckState::Unknown => ("?", HINT),
    };
    let subject = format!("{:width$}", one_line(&check.subject));
    write!(out, "  {} {subject}  ", style.paint(colour, symbol))?;
    let indent = width + 6;
    let message = one_line(&check.message);
    let is_ok = check.state == CheckState::Ok;
    let paint = |line: &str| match is_ok {
        true => style.paint(FAINT, line),
        false => line.to_owned(),
    };
    wrapped::write(&message, indent, style.width, paint, out)?;
    if let Some(help) = &check.help {
        wrapped::write_help(help, indent, style, out)?;
    }
    Ok(())
}
