use std::io;

use crate::output::markdown::escaped;

use super::human::{describe, state};
use super::{ChangeJson, ChangeStatus, CheckJson, KeysetsJson, summary_line};

pub(super) fn keysets(list: &KeysetsJson, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "### Keysets of {}\n", escaped(&list.tenant))?;
    if list.command == "keys show" {
        for keyset in &list.keysets {
            writeln!(
                out,
                "{}: {}\n",
                escaped(&keyset.id),
                escaped(&describe(keyset))
            )?;
            writeln!(out, "| Key | State | Begins | Ends |\n|---|---|---|---|")?;
            for key in &keyset.keys {
                let ends = key.expires.as_ref().or(key.certificate_expires.as_ref());
                writeln!(
                    out,
                    "| {} | {} | {} | {} |",
                    escaped(key.kid.as_deref().unwrap_or("–")),
                    state(key.state),
                    key.not_before.as_deref().unwrap_or("–"),
                    ends.map_or("–", String::as_str)
                )?;
            }
        }
        return Ok(());
    }
    writeln!(out, "| Keyset | State | Needed by |\n|---|---|---|")?;
    for keyset in &list.keysets {
        let users = keyset.used_by.iter().flatten();
        let users: Vec<String> = users.map(|user| escaped(&user.words())).collect();
        writeln!(
            out,
            "| {} | {} | {} |",
            escaped(&keyset.id),
            escaped(&describe(keyset)),
            users.join("<br>")
        )?;
    }
    Ok(())
}

pub(super) fn check(check: &CheckJson, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(
        out,
        "### Policy keys\n\n{}\n",
        escaped(&summary_line(check))
    )?;
    if check.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "| | Keyset | Finding | Needed by |\n|---|---|---|---|")?;
    for finding in &check.findings {
        let users: Vec<String> = finding
            .used_by
            .iter()
            .map(|user| escaped(&user.words()))
            .collect();
        writeln!(
            out,
            "| {} | {} | {}<br>{} ({}) | {} |",
            finding.level,
            escaped(&finding.keyset),
            escaped(&finding.message),
            escaped(&finding.help),
            finding.rule,
            users.join("<br>")
        )?;
    }
    Ok(())
}

pub(super) fn change(change: &ChangeJson, out: &mut dyn io::Write) -> io::Result<()> {
    let what = match change.status {
        ChangeStatus::Planned => "is planned",
        ChangeStatus::Done => "is done",
        ChangeStatus::Doubtful => "is done, with doubts",
        ChangeStatus::Unchanged => "was not needed",
        ChangeStatus::Refused => "was refused",
        ChangeStatus::Failed => "failed",
        ChangeStatus::Declined => "was declined",
    };
    writeln!(
        out,
        "### {} {} {what}\n",
        change.command,
        escaped(&change.keyset)
    )?;
    for handover in &change.handovers {
        let who = match (&handover.kid, handover.new) {
            (_, true) => "the new key".to_owned(),
            (Some(kid), false) => escaped(kid),
            (None, false) => "no key".to_owned(),
        };
        writeln!(out, "- from {}: {who}", handover.at)?;
    }
    for user in &change.used_by {
        writeln!(out, "- needed by {}", escaped(&user.words()))?;
    }
    for line in change.warnings.iter().chain(&change.errors) {
        writeln!(out, "- {}", escaped(line))?;
    }
    Ok(())
}
