use std::io;

use crate::output::markdown::escaped;

use super::{SetupJson, SetupStatus};

pub(super) fn setup(setup: &SetupJson, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(
        out,
        "### Setup of the tenant\n\n{}\n",
        escaped(&setup.summary_line())
    )?;
    writeln!(out, "| | Step | Action |\n|---|---|---|")?;
    for step in &setup.steps {
        let status = match step.status {
            SetupStatus::Present => "there",
            SetupStatus::Planned => "to do",
            SetupStatus::Done => "done",
            SetupStatus::Failed => "failed",
            SetupStatus::Blocked => "not tried",
        };
        let mut text = vec![escaped(&step.actions.join(", "))];
        text.extend(step.error.as_deref().map(escaped));
        text.extend(step.help.as_deref().map(escaped));
        text.retain(|part| !part.is_empty());
        writeln!(
            out,
            "| {status} | {} | {} |",
            escaped(&step.subject),
            text.join("<br>")
        )?;
    }
    for (key, id) in &setup.settings {
        writeln!(out, "\n{}: {}", escaped(key), escaped(id))?;
    }
    Ok(())
}
