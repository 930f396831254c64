//! A plan as Markdown, to be posted on a pull request: the counts, what breaks, a table, and the
//! changes of each update folded below it.

use std::fmt::Write as _;

use crate::output::counted;
use crate::output::json::deploy::Action;
use crate::output::json::plan::{
    ChangeJson, KeysetActionJson, PlanFindingJson, PlanJson, PlannedPolicyJson,
};
use crate::output::plan::{
    BREAKING_ADVICE, action_word, counted_policies, is_news, keyset_remark, keyset_word,
    summary_line,
};
use crate::output::visible::one_line;

use super::{COMMENT_BYTES, append_within, escaped, fenced};

/// The plan as a comment of at most 60 kB. What does not fit is counted; the table comes before the
/// changes, and those before the text differences.
pub fn document(plan: &PlanJson) -> String {
    let mut text = format!(
        "### iefctl {}\n\n**{}**\n",
        escaped(&plan.command),
        escaped(&summary_line(plan))
    );
    let (errors, others): (Vec<_>, Vec<_>) = plan
        .findings
        .iter()
        .partition(|finding| finding.level == "error");
    findings(&errors, &mut text);
    breaking(plan, &mut text);
    findings(&others, &mut text);
    table(plan, &mut text);
    let updates: Vec<&PlannedPolicyJson> = plan
        .policies
        .iter()
        .filter(|policy| !policy.changes.is_empty())
        .collect();
    // Half of what is left is for the changes, so that one long diff does not crowd them out.
    let room = COMMENT_BYTES.saturating_sub(text.len()) / 2 + text.len();
    append_counted(
        &mut text,
        updates.iter().map(|policy| changes(policy)),
        room,
    );
    let diffs = plan.policies.iter().filter_map(|policy| {
        let diff = policy.diff.as_ref()?;
        Some(format!(
            "\n<details><summary>Text of {}</summary>\n\n{}\n</details>\n",
            html(&policy.id),
            fenced("diff", &crate::output::visible::lines(diff))
        ))
    });
    append_counted(&mut text, diffs, COMMENT_BYTES);
    foreign(plan, &mut text);
    text
}

fn append_counted(text: &mut String, blocks: impl Iterator<Item = String>, room: usize) {
    let blocks: Vec<String> = blocks.collect();
    let count = blocks.len();
    let shown = append_within(text, blocks.into_iter(), room);
    if shown < count {
        let _ = write!(
            text,
            "\n… the details of {} more do not fit here\n",
            counted_policies(count - shown)
        );
    }
}

fn breaking(plan: &PlanJson, text: &mut String) {
    if !plan.is_breaking {
        return;
    }
    let _ = write!(text, "\n> ⚠️ **Breaking:** {BREAKING_ADVICE}.\n>\n");
    let all: Vec<(&str, &ChangeJson)> = plan
        .policies
        .iter()
        .flat_map(|policy| {
            policy
                .changes
                .iter()
                .map(move |change| (&*policy.id, change))
        })
        .filter(|(_, change)| !change.used_by.is_empty())
        .collect();
    for (id, change) in all.iter().take(MOST_BREAKING) {
        let users: Vec<_> = change.used_by.iter().map(|user| escaped(user)).collect();
        let _ = writeln!(
            text,
            "> - {}: {}, still used by {}",
            escaped(id),
            described(change),
            users.join(", ")
        );
    }
    if all.len() > MOST_BREAKING {
        let _ = writeln!(text, "> - … and {} more", all.len() - MOST_BREAKING);
    }
}

/// Room behind the rest for policies that only the tenant has.
const FOREIGN_BYTES: usize = 4_000;

/// So many breaking changes are named above the table.
const MOST_BREAKING: usize = 20;

/// So many findings are named above the table.
const MOST_FINDINGS: usize = 20;

fn findings(findings: &[&PlanFindingJson], text: &mut String) {
    if findings.is_empty() {
        return;
    }
    text.push('\n');
    for finding in findings.iter().take(MOST_FINDINGS) {
        let PlanFindingJson {
            rule,
            level,
            message,
            file,
            line,
            column,
            ..
        } = finding;
        let _ = writeln!(
            text,
            "- {} {}:{line}:{column}: {} ({})",
            match level.as_str() {
                "error" => "❌",
                "warning" => "⚠️",
                _ => "💡",
            },
            escaped(file),
            escaped(message),
            escaped(rule)
        );
    }
    if findings.len() > MOST_FINDINGS {
        let more = counted(findings.len() - MOST_FINDINGS, "more finding");
        let _ = writeln!(text, "- … and {more}");
    }
}

fn table(plan: &PlanJson, text: &mut String) {
    let mut rows: Vec<String> = Vec::new();
    for keyset in plan.keysets.iter().filter(|keyset| is_news(keyset)) {
        let sign = match keyset.action {
            KeysetActionJson::Create | KeysetActionJson::Fill => "🔑",
            KeysetActionJson::Missing => "❌",
            KeysetActionJson::Present => "⚠️",
        };
        rows.push(format!(
            "| {sign} | {} | keyset: {} | {} |\n",
            escaped(&keyset.id),
            keyset_word(keyset),
            escaped(&keyset_remark(keyset))
        ));
    }
    for policy in &plan.policies {
        let sign = match policy.action {
            Action::Create => "🟢",
            Action::Update if policy.is_breaking => "⚠️",
            Action::Update => "🟡",
            Action::Delete => "🔴",
            Action::Unchanged => continue,
        };
        let changes = match policy.changes.len() {
            0 => String::new(),
            count => format!(" ({})", counted(count, "change")),
        };
        rows.push(format!(
            "| {sign} | {} | {}{changes} | {} |\n",
            escaped(&policy.id),
            action_word(policy.action),
            escaped(policy.file.as_deref().unwrap_or_default())
        ));
    }
    if rows.is_empty() {
        return;
    }
    text.push_str("\n| | Id | What happens | From |\n|---|---|---|---|\n");
    let count = rows.len();
    let shown = append_within(text, rows.into_iter(), COMMENT_BYTES / 2);
    if shown < count {
        let _ = write!(text, "\n… and {} more\n", counted(count - shown, "row"));
    }
}

/// So many changes of one policy are listed.
const MOST_CHANGES: usize = 100;

fn changes(policy: &PlannedPolicyJson) -> String {
    let mut text = format!(
        "\n<details><summary>{}: {}</summary>\n\n",
        html(&policy.id),
        counted(policy.changes.len(), "change")
    );
    for change in policy.changes.iter().take(MOST_CHANGES) {
        let mark = if change.used_by.is_empty() {
            ""
        } else {
            "⚠️ "
        };
        let _ = writeln!(text, "- {mark}{}", described(change));
    }
    if policy.changes.len() > MOST_CHANGES {
        let more = policy.changes.len() - MOST_CHANGES;
        let _ = writeln!(text, "- … and {more} more");
    }
    text.push_str("\n</details>\n");
    text
}

/// "added ClaimType "loyalty"", "TechnicalProfile "X" › Item "Y": "a" → "b"".
fn described(change: &ChangeJson) -> String {
    let word = match change.sign() {
        '+' => "added ",
        '-' => "removed ",
        _ => "",
    };
    let values = change
        .values("→")
        .map(|values| format!(": {}", escaped(&values)));
    format!(
        "{word}{}{}",
        escaped(&change.place(" › ")),
        values.unwrap_or_default()
    )
}

/// Text within an HTML element, where Markdown's escapes would be shown.
fn html(text: &str) -> String {
    one_line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('@', "@<!-- -->")
}

fn foreign(plan: &PlanJson, text: &mut String) {
    if plan.only_in_tenant.is_empty() {
        return;
    }
    let _ = write!(
        text,
        "\n<details><summary>{} only in the tenant, left alone</summary>\n\n",
        counted_policies(plan.only_in_tenant.len())
    );
    let rows = plan.only_in_tenant.iter();
    let rows = rows.map(|id| format!("- {}\n", escaped(id)));
    let shown = append_within(text, rows, COMMENT_BYTES + FOREIGN_BYTES);
    if shown < plan.only_in_tenant.len() {
        let _ = writeln!(text, "- … and {} more", plan.only_in_tenant.len() - shown);
    }
    text.push_str("\n</details>\n");
}
