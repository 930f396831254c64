//! The table of a deployment for people: a row per keyset and policy, what the tenant objected to
//! below its row, and one line that counts.

use std::fmt::Write as _;
use std::io;

use anstyle::Style as Ansi;

use crate::output::counted;
use crate::output::json::deploy::{
    Action, DeployJson, DeploySummaryJson, ErrorItemJson, PolicyJson, Status,
};
use crate::output::visible::one_line;

use super::style::{ERROR, FAINT, STRONG, SUCCESS, Style, WARNING};

/// Writes the table and the summary line. Rows without news (unchanged) are written only for a
/// verbose style.
///
/// # Errors
/// Only those of `out`.
pub fn render(deployment: &DeployJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let keysets: Vec<Row<'_>> = deployment
        .keysets
        .iter()
        .map(|keyset| Row {
            id: one_line(&keyset.id).into_owned(),
            action: keyset.action,
            status: keyset.status,
            time: String::new(),
            remark: String::new(),
            error: keyset.error.as_deref(),
            items: &[],
            request_id: None,
        })
        .collect();
    let policies: Vec<Row<'_>> = deployment.policies.iter().map(policy_row).collect();
    for (title, rows) in [("Keysets", keysets), ("Policies", policies)] {
        let rows: Vec<&Row<'_>> = rows
            .iter()
            .filter(|row| style.verbose || is_news(row.action, row.status))
            .collect();
        if !rows.is_empty() {
            writeln!(out, "{}", style.paint(STRONG, title))?;
            write_rows(&rows, style, out)?;
            writeln!(out)?;
        }
    }
    let colour = if is_complete(&deployment.summary) {
        STRONG
    } else {
        ERROR
    };
    writeln!(out, "{}", style.paint(colour, &summary_line(deployment)))
}

/// "3 created, 1 failed in contoso.onmicrosoft.com in 1.2 s (9 requests, 2 retries)", or that
/// nothing changed.
pub(in crate::output) fn summary_line(deployment: &DeployJson) -> String {
    let summary = &deployment.summary;
    let keysets = deployment
        .keysets
        .iter()
        .filter(|keyset| keyset.status == Status::Done && keyset.action != Action::Unchanged)
        .count();
    let failed_keysets = summary.keysets_failed as usize;
    let tenant = one_line(&deployment.tenant);
    let cost = cost(summary);
    let mut parts = Vec::new();
    if keysets > 0 {
        parts.push(format!("{} provisioned", counted(keysets, "keyset")));
    }
    if failed_keysets > 0 {
        parts.push(format!("{} failed", counted(failed_keysets, "keyset")));
    }
    let counts = [
        (summary.created as usize, "created"),
        (summary.updated as usize, "updated"),
        (summary.deleted as usize, "deleted"),
        (summary.restored as usize, "restored"),
        (summary.failed as usize, "failed"),
        (summary.blocked as usize, "blocked"),
        (summary.not_started as usize, "not started"),
    ];
    for (count, word) in counts {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    if parts.is_empty() {
        let policies = match summary.unchanged {
            0 => String::new(),
            1 => "1 policy is up to date, ".to_owned(),
            count => format!("{count} policies are up to date, "),
        };
        return format!("{tenant}: nothing changed ({policies}{cost})");
    }
    if summary.unchanged > 0 {
        parts.push(format!("{} unchanged", summary.unchanged));
    }
    format!("{tenant}: {} ({cost})", parts.join(", "))
}

fn cost(summary: &DeploySummaryJson) -> String {
    let mut cost = format!(
        "{}, {}",
        milliseconds(summary.duration_ms),
        counted(summary.requests as usize, "request")
    );
    if summary.retries > 0 {
        let retries = match summary.retries {
            1 => "1 retry".to_owned(),
            count => format!("{count} retries"),
        };
        let _ = write!(cost, ", {retries}");
    }
    cost
}

/// One word for what happened.
pub(in crate::output) const fn happened(action: Action, status: Status) -> &'static str {
    match (status, action) {
        (Status::Done, Action::Create) => "created",
        (Status::Done, Action::Update) => "updated",
        (Status::Done, Action::Delete) => "deleted",
        (Status::Done | Status::Skipped, Action::Unchanged) => "unchanged",
        (Status::Skipped, _) => "skipped",
        (Status::Failed, _) => "failed",
        (Status::Blocked, _) => "blocked",
        (Status::NotStarted, _) => "not started",
        (Status::Restored, _) => "restored",
    }
}

/// Whether a row tells more than that all was well already.
pub(in crate::output) const fn is_news(action: Action, status: Status) -> bool {
    !matches!(
        (action, status),
        (Action::Unchanged, Status::Done | Status::Skipped)
    )
}

/// "212 ms", "1.2 s", "2 min 5 s".
pub(in crate::output) fn milliseconds(duration: u64) -> String {
    match duration {
        0..1_000 => format!("{duration} ms"),
        1_000..60_000 => format!("{}.{} s", duration / 1_000, duration % 1_000 / 100),
        _ => format!("{} min {} s", duration / 60_000, duration % 60_000 / 1_000),
    }
}

impl ErrorItemJson {
    /// "policies/Base.xml:12:34", as far as it is known.
    pub(in crate::output) fn place(&self) -> Option<String> {
        let mut place = self.file.clone()?;
        for number in [self.line, self.line.and(self.column)]
            .into_iter()
            .flatten()
        {
            let _ = write!(place, ":{number}");
        }
        Some(place)
    }
}

struct Row<'d> {
    id: String,
    action: Action,
    status: Status,
    time: String,
    remark: String,
    error: Option<&'d str>,
    items: &'d [ErrorItemJson],
    request_id: Option<&'d str>,
}

fn policy_row(policy: &PolicyJson) -> Row<'_> {
    let mut remark = match &policy.blocked_by {
        Some(base) => format!("{} failed", one_line(base)),
        None => one_line(&policy.file).into_owned(),
    };
    if policy.attempts > 1 {
        let _ = write!(remark, " ({} attempts)", policy.attempts);
    }
    Row {
        id: one_line(&policy.id).into_owned(),
        action: policy.action,
        status: policy.status,
        time: match policy.attempts {
            0 => String::new(),
            _ => milliseconds(policy.duration_ms),
        },
        remark,
        error: policy.error.as_deref(),
        items: &policy.error_items,
        request_id: policy.request_id.as_deref(),
    }
}

fn write_rows(rows: &[&Row<'_>], style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let widest = |width: &dyn Fn(&Row<'_>) -> usize| {
        rows.iter().map(|row| width(row)).max().unwrap_or_default()
    };
    let id_width = widest(&|row| row.id.chars().count());
    let word_width = widest(&|row| happened(row.action, row.status).len());
    let time_width = widest(&|row| row.time.len());
    for row in rows {
        let (symbol, colour) = symbol(row, style);
        let word = happened(row.action, row.status);
        let padding = " ".repeat(word_width - word.len());
        let rest = format!("{:>time_width$}  {}", row.time, row.remark);
        let line = format!(
            "  {} {:id_width$}  {}{padding}  {}",
            style.paint(colour, symbol),
            row.id,
            style.paint(colour, word),
            rest.trim_end()
        );
        writeln!(out, "{}", line.trim_end())?;
        write_error(row, style, out)?;
    }
    Ok(())
}

fn write_error(row: &Row<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    if let Some(error) = row.error {
        writeln!(out, "      {}", one_line(error))?;
    }
    for item in row.items {
        let place = item.place().map(|place| format!("{}: ", one_line(&place)));
        writeln!(
            out,
            "      {} {}{}",
            style.symbol("•", "-"),
            style.paint(STRONG, &place.unwrap_or_default()),
            one_line(&item.message)
        )?;
    }
    if let Some(id) = row.request_id {
        let line = format!("request {}", one_line(id));
        writeln!(out, "      {}", style.paint(FAINT, &line))?;
    }
    Ok(())
}

const fn symbol(row: &Row<'_>, style: Style) -> (&'static str, Ansi) {
    match (row.status, row.action) {
        (Status::Done | Status::Skipped, Action::Unchanged) => (style.symbol("=", "="), FAINT),
        (Status::Done, _) => (style.symbol("✓", "+"), SUCCESS),
        (Status::Skipped, _) => (style.symbol("-", "-"), FAINT),
        (Status::Failed, _) => (style.symbol("✗", "x"), ERROR),
        (Status::NotStarted, _) => (style.symbol("·", "."), WARNING),
        (Status::Blocked, _) => (style.symbol("⊘", "!"), WARNING),
        (Status::Restored, _) => (style.symbol("↩", "<"), WARNING),
    }
}

const fn is_complete(summary: &DeploySummaryJson) -> bool {
    summary.failed == 0
        && summary.blocked == 0
        && summary.not_started == 0
        && summary.restored == 0
        && summary.keysets_failed == 0
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn times_read_well() {
        assert_eq!(milliseconds(212), "212 ms");
        assert_eq!(milliseconds(1_250), "1.2 s");
        assert_eq!(milliseconds(125_999), "2 min 5 s");
    }
}
