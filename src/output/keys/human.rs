use std::io;

use crate::output::counted;
use crate::output::human::{ERROR, FAINT, STRONG, SUCCESS, Style, WARNING, level_colour};
use crate::output::visible::one_line;

use super::{
    ChangeJson, ChangeStatus, CheckJson, KeyJson, KeyState, KeysetJson, KeysetsJson, summary_line,
};

/// A row per keyset.
pub(super) fn keysets(list: &KeysetsJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let width = list.keysets.iter().map(|keyset| keyset.id.chars().count());
    let width = width.max().unwrap_or_default();
    for keyset in &list.keysets {
        let id = format!("{:width$}", one_line(&keyset.id));
        writeln!(
            out,
            "{}  {}",
            style.paint(STRONG, &id),
            one_line(&describe(keyset))
        )?;
        let Some(users) = &keyset.used_by else {
            continue;
        };
        for user in users {
            writeln!(out, "    needed by {}", one_line(&user.words()))?;
        }
        if users.is_empty() {
            writeln!(
                out,
                "    {}",
                style.paint(FAINT, "needed by none of the policies")
            )?;
        }
    }
    let count = counted(list.keysets.len(), "keyset");
    writeln!(out, "{}: {count}", one_line(&list.tenant))
}

/// A row per key.
pub(super) fn keyset(list: &KeysetsJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    for keyset in &list.keysets {
        let id = one_line(&keyset.id);
        writeln!(
            out,
            "{}  {}",
            style.paint(STRONG, &id),
            one_line(&describe(keyset))
        )?;
        for key in &keyset.keys {
            let (symbol, colour) = match key.state {
                KeyState::Active => (style.symbol("✓", "*"), SUCCESS),
                KeyState::Expired | KeyState::Disabled => (style.symbol("✗", "x"), WARNING),
                KeyState::Waiting | KeyState::Standby => ("-", FAINT),
            };
            let kid = key.kid.as_deref().unwrap_or("without id");
            writeln!(
                out,
                "  {} {}  {}",
                style.paint(colour, symbol),
                one_line(kid),
                one_line(&life(key))
            )?;
        }
    }
    writeln!(
        out,
        "{}",
        style.paint(
            FAINT,
            "secret and private parts are never given back by the service"
        )
    )
}

pub(super) fn check(check: &CheckJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in &check.findings {
        let head = format!("{}[{}]", finding.level, finding.rule);
        writeln!(
            out,
            "{}: {}",
            style.paint(level_colour(finding.level), &head),
            one_line(&finding.message)
        )?;
        for user in &finding.used_by {
            writeln!(out, "    needed by {}", one_line(&user.words()))?;
        }
        writeln!(out, "    help: {}\n", one_line(&finding.help))?;
    }
    let colour = if check.summary.errors > 0 {
        ERROR
    } else {
        STRONG
    };
    writeln!(
        out,
        "{}",
        style.paint(colour, &one_line(&summary_line(check)))
    )
}

pub(super) fn change(change: &ChangeJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let keyset = format!("keyset {} of {}", change.keyset, change.tenant);
    writeln!(out, "{}", style.paint(STRONG, &one_line(&keyset)))?;
    if let Some(content) = &change.content {
        writeln!(out, "  new key: {}", one_line(content))?;
    }
    for handover in &change.handovers {
        let who = match (&handover.kid, handover.new) {
            (_, true) => "the new key is active".to_owned(),
            (Some(kid), false) => format!("key {kid} is active"),
            (None, false) => "no key is active".to_owned(),
        };
        writeln!(out, "  from {}  {}", handover.at, one_line(&who))?;
    }
    for user in &change.used_by {
        writeln!(out, "  needed by {}", one_line(&user.words()))?;
    }
    for warning in &change.warnings {
        writeln!(
            out,
            "{}: {}",
            style.paint(WARNING, "warning"),
            one_line(warning)
        )?;
    }
    for error in &change.errors {
        writeln!(out, "{}: {}", style.paint(ERROR, "error"), one_line(error))?;
    }
    let done = match (change.status, &change.kid) {
        (ChangeStatus::Planned, _) => return Ok(()),
        (ChangeStatus::Done, Some(kid)) => format!("added key {kid}"),
        (ChangeStatus::Done, None) => "deleted".to_owned(),
        (ChangeStatus::Doubtful, _) => "done, but see the warnings".to_owned(),
        (ChangeStatus::Unchanged, _) => "left as it is".to_owned(),
        (ChangeStatus::Failed, _) => "failed".to_owned(),
        (ChangeStatus::Refused | ChangeStatus::Declined, _) => "nothing was changed".to_owned(),
    };
    writeln!(out, "{}", one_line(&done))
}

/// "RSA sig, 2 keys, active abc until 2027-01-31T00:00:00Z".
pub(super) fn describe(keyset: &KeysetJson) -> String {
    if keyset.keys.is_empty() {
        return "empty".to_owned();
    }
    let active = match (&keyset.active, &keyset.expires) {
        (Some(kid), Some(expires)) => format!("active {kid} until {expires}"),
        (Some(kid), None) => format!("active {kid} without end"),
        (None, _) => "no active key".to_owned(),
    };
    format!(
        "{} {}, {}, {active}",
        keyset.kty.as_deref().unwrap_or("?"),
        keyset.key_use.as_deref().unwrap_or("?"),
        counted(keyset.keys.len(), "key")
    )
}

fn life(key: &KeyJson) -> String {
    let mut words = vec![state(key.state).to_owned()];
    if let Some(begin) = &key.not_before {
        words.push(format!("from {begin}"));
    }
    match (&key.expires, &key.certificate_expires) {
        (Some(end), Some(certificate)) if end == certificate => words.push(format!("until {end}")),
        (Some(end), Some(certificate)) => {
            words.push(format!("until {end} (certificate until {certificate})"));
        }
        (Some(end), None) => words.push(format!("until {end}")),
        (None, Some(certificate)) => words.push(format!("certificate until {certificate}")),
        (None, None) => words.push("without end".to_owned()),
    }
    if let Some(thumbprint) = &key.thumbprint {
        words.push(format!("thumbprint {thumbprint}"));
    }
    words.join(", ")
}

pub(super) const fn state(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "active",
        KeyState::Waiting => "waiting",
        KeyState::Standby => "standby",
        KeyState::Expired => "expired",
        KeyState::Disabled => "disabled",
    }
}
