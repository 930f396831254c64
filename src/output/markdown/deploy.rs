//! A deployment as Markdown: the counts, a table of what was written, and the errors.

use std::fmt::Write as _;

use crate::output::human::deploy::{happened, is_news, milliseconds, summary_line};
use crate::output::json::deploy::{DeployJson, Status};

use super::escaped;

/// The deployment for a comment or job summary. Unchanged policies are only counted.
pub fn document(deployment: &DeployJson) -> String {
    let mut text = format!(
        "### iefctl {}\n\n**{}**\n",
        escaped(&deployment.command),
        escaped(&summary_line(deployment))
    );
    let keysets: Vec<_> = deployment
        .keysets
        .iter()
        .filter(|keyset| is_news(keyset.action, keyset.status))
        .collect();
    let policies: Vec<_> = deployment
        .policies
        .iter()
        .filter(|policy| is_news(policy.action, policy.status))
        .collect();
    if keysets.is_empty() && policies.is_empty() {
        return text;
    }
    text.push_str("\n| | Id | Result | Time | File |\n|---|---|---|---|---|\n");
    for keyset in &keysets {
        let _ = writeln!(
            text,
            "| {} | {} | keyset {} | | |",
            sign(keyset.status),
            escaped(&keyset.id),
            happened(keyset.action, keyset.status)
        );
    }
    for policy in &policies {
        let result = match &policy.blocked_by {
            Some(base) => format!("blocked by {}", escaped(base)),
            None => happened(policy.action, policy.status).to_owned(),
        };
        let time = match policy.attempts {
            0 => String::new(),
            _ => milliseconds(policy.duration_ms),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {result} | {time} | {} |",
            sign(policy.status),
            escaped(&policy.id),
            escaped(&policy.file)
        );
    }
    text.push_str(&errors(deployment));
    text
}

fn errors(deployment: &DeployJson) -> String {
    let mut text = String::new();
    for keyset in &deployment.keysets {
        if let Some(error) = &keyset.error {
            let _ = writeln!(text, "- **{}**: {}", escaped(&keyset.id), escaped(error));
        }
    }
    for policy in &deployment.policies {
        let Some(error) = &policy.error else { continue };
        let _ = write!(text, "- **{}**: {}", escaped(&policy.id), escaped(error));
        if let Some(id) = &policy.request_id {
            let _ = write!(text, " (request {})", escaped(id));
        }
        text.push('\n');
        for item in &policy.error_items {
            let place = item.place().map(|place| format!("{}: ", escaped(&place)));
            let _ = writeln!(
                text,
                "  - {}{}",
                place.unwrap_or_default(),
                escaped(&item.message)
            );
        }
    }
    if text.is_empty() {
        text
    } else {
        format!("\n#### Errors\n\n{text}")
    }
}

const fn sign(status: Status) -> &'static str {
    match status {
        Status::Done => "✅",
        Status::Skipped => "➖",
        Status::Failed => "❌",
        Status::Blocked => "⛔",
        Status::NotStarted => "⏸️",
        Status::Restored => "↩️",
    }
}
