use std::io;

use crate::output::markdown::escaped;

use super::{CheckState, DoctorJson};

pub(super) fn report(report: &DoctorJson, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "### Tenant\n\n{}\n", escaped(&report.summary_line()))?;
    writeln!(out, "| | Check | Result | What to do |\n|---|---|---|---|")?;
    for (group, checks) in report.groups() {
        for check in checks {
            let state = match check.state {
                CheckState::Ok => "ok",
                CheckState::Warning => "warning",
                CheckState::Problem => "problem",
                CheckState::Unknown => "not checked",
            };
            writeln!(
                out,
                "| {state} | {}: {} | {} | {} |",
                group.title(),
                escaped(&check.subject),
                escaped(&check.message),
                check.help.as_deref().map_or(String::new(), escaped)
            )?;
        }
    }
    Ok(())
}
