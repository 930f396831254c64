//! A plan for people: a row per keyset and policy with news, the changes of each update below it, and
//! one line that counts.

use std::io;

use anstyle::Style as Ansi;

use crate::output::json::deploy::Action;
use crate::output::json::plan::{
    ChangeJson, KeysetActionJson, PlanJson, PlannedKeysetJson, PlannedPolicyJson,
};
use crate::output::plan::{
    BREAKING_ADVICE, action_word, is_news, keyset_remark, keyset_word, summary_line,
};
use crate::output::visible::one_line;

use super::style::{ERROR, FAINT, HINT, STRONG, SUCCESS, Style, WARNING};

/// So many changes of one policy are shown, unless the style is verbose.
const MOST_CHANGES: usize = 40;

/// So many policies that only the tenant has are named, unless the style is verbose.
const MOST_FOREIGN: usize = 5;

/// Writes the plan. What stays as it is is written only for a verbose style. The findings are not
/// repeated here: [`super::render`] shows them with their lines.
///
/// # Errors
/// Only those of `out`.
pub fn render(plan: &PlanJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    write_keysets(plan, style, out)?;
    write_policies(plan, style, out)?;
    write_foreign(plan, style, out)?;
    if plan.is_breaking {
        let heading = style.paint(WARNING, "breaking");
        writeln!(out, "{heading}: {BREAKING_ADVICE}\n")?;
    }
    writeln!(out, "{}", style.paint(STRONG, &summary_line(plan)))
}

fn write_keysets(plan: &PlanJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let shown: Vec<&PlannedKeysetJson> = plan
        .keysets
        .iter()
        .filter(|keyset| style.verbose || is_news(keyset))
        .collect();
    if shown.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = shown.iter().map(|keyset| one_line(&keyset.id)).collect();
    let id_width = widest(ids.iter().map(|id| id.chars().count()));
    let word_width = widest(shown.iter().map(|keyset| keyset_word(keyset).len()));
    writeln!(out, "{}", style.paint(STRONG, "Keysets"))?;
    for (keyset, id) in shown.iter().zip(&ids) {
        let (symbol, colour) = match keyset.action {
            KeysetActionJson::Create | KeysetActionJson::Fill => ("+", SUCCESS),
            KeysetActionJson::Missing => ("!", ERROR),
            KeysetActionJson::Present if is_news(keyset) => ("!", WARNING),
            KeysetActionJson::Present => ("=", FAINT),
        };
        let word = format!("{:word_width$}", keyset_word(keyset));
        let line = format!(
            "  {} {id:id_width$}  {}  {}",
            style.paint(colour, symbol),
            style.paint(colour, &word),
            keyset_remark(keyset)
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)
}

fn write_policies(plan: &PlanJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let shown: Vec<&PlannedPolicyJson> = plan
        .policies
        .iter()
        .filter(|policy| style.verbose || policy.action != Action::Unchanged)
        .collect();
    if shown.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = shown.iter().map(|policy| one_line(&policy.id)).collect();
    let id_width = widest(ids.iter().map(|id| id.chars().count()));
    let word_width = widest(shown.iter().map(|policy| action_word(policy.action).len()));
    writeln!(out, "{}", style.paint(STRONG, "Policies"))?;
    for (policy, id) in shown.iter().zip(&ids) {
        let (symbol, colour) = match policy.action {
            Action::Create => ("+", SUCCESS),
            Action::Update => ("~", HINT),
            Action::Delete => ("-", ERROR),
            Action::Unchanged => ("=", FAINT),
        };
        let word = format!("{:word_width$}", action_word(policy.action));
        let breaking = if policy.is_breaking {
            format!("  {}", style.paint(WARNING, "breaking"))
        } else {
            String::new()
        };
        let line = format!(
            "  {} {id:id_width$}  {}  {}{breaking}",
            style.paint(colour, symbol),
            style.paint(colour, &word),
            one_line(policy.file.as_deref().unwrap_or_default()),
        );
        writeln!(out, "{}", line.trim_end())?;
        write_changes(policy, style, out)?;
    }
    writeln!(out)
}

fn write_changes(
    policy: &PlannedPolicyJson,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let most = if style.verbose {
        usize::MAX
    } else {
        MOST_CHANGES
    };
    // What breaks is never among those left out.
    let mut changes: Vec<(usize, &ChangeJson)> = policy.changes.iter().enumerate().collect();
    if changes.len() > most {
        changes.sort_by_key(|(position, change)| (change.used_by.is_empty(), *position));
        changes.truncate(most);
        changes.sort_by_key(|(position, _)| *position);
    }
    for (_, change) in &changes {
        write_change(change, style, out)?;
    }
    let hidden = policy.changes.len() - changes.len();
    if hidden > 0 {
        let ellipsis = style.symbol("…", "...");
        writeln!(
            out,
            "      {ellipsis} and {hidden} more changes (-v shows all)"
        )?;
    }
    if let Some(diff) = &policy.diff {
        for line in diff.lines() {
            let shown = one_line(line);
            let colour = diff_colour(line);
            let text = colour.map_or_else(
                || shown.clone().into_owned(),
                |colour| style.paint(colour, &shown),
            );
            writeln!(out, "      {}", text.trim_end())?;
        }
    }
    Ok(())
}

fn write_change(change: &ChangeJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let colour = match change.sign() {
        '+' => SUCCESS,
        '-' => ERROR,
        _ => HINT,
    };
    let separator = style.symbol(" › ", " > ");
    let mut line = format!(
        "      {} {}",
        style.paint(colour, &change.sign().to_string()),
        change.place(separator)
    );
    if let Some(values) = change.values(style.symbol("→", "->")) {
        line.push_str(": ");
        line.push_str(&values);
    }
    writeln!(out, "{line}")?;
    if !change.used_by.is_empty() {
        let users: Vec<_> = change.used_by.iter().map(|user| one_line(user)).collect();
        let note = format!("still used by {}", users.join(", "));
        writeln!(out, "        {}", style.paint(WARNING, &note))?;
    }
    Ok(())
}

fn write_foreign(plan: &PlanJson, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let count = plan.only_in_tenant.len();
    if count == 0 {
        return Ok(());
    }
    let most = if style.verbose { count } else { MOST_FOREIGN };
    let names: Vec<_> = plan.only_in_tenant.iter().take(most).collect();
    let mut names: Vec<_> = names.into_iter().map(|id| one_line(id)).collect();
    let more = format!("{} more", count.saturating_sub(most));
    if count > most {
        names.push(more.as_str().into());
    }
    let line = format!("Only in the tenant, left alone: {}", names.join(", "));
    writeln!(out, "{}\n", style.paint(FAINT, &line))
}

fn diff_colour(line: &str) -> Option<Ansi> {
    match line.as_bytes().first() {
        Some(b'+') => Some(SUCCESS),
        Some(b'-') => Some(ERROR),
        Some(b'@') => Some(FAINT),
        _ => None,
    }
}

fn widest(widths: impl Iterator<Item = usize>) -> usize {
    widths.max().unwrap_or_default()
}
