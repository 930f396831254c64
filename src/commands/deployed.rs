//! What became of a deployment, a rollback or a destruction, and telling it.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::deploy::{Evidence, Local, NOT_RESTORED, Outcome, Status, Stop};
use crate::diagnostics::{Level, Report};
use crate::output::json::deploy::DeployJson;
use crate::output::{self, Format, Options, azure, github, human, json, markdown};

use super::ending::Ending;
use super::outcome_view::as_json;
use super::{Exit, Shell, atomic_file, ci_summary};

/// Where the data for a report about a refusal is written.
const REPORTS: &str = ".iefctl/reports";

/// A plan that was carried out, with everything that can be told of it.
pub(super) struct Deployed {
    /// `deploy`, `rollback` or `destroy`.
    pub(super) command: &'static str,
    /// Whether the tenant is the emulated one.
    pub(super) emulator: bool,
    /// The rules whose level the team changed.
    pub(super) levels: Vec<(String, Option<Level>)>,
    pub(super) outcome: Outcome,
    /// The files, to show what the service found in them.
    pub(super) local: Local,
    /// What was found before the first write.
    pub(super) report: Report,
}

impl Ending for Deployed {
    fn show(&self, format: Format, shell: &Shell) -> Result<()> {
        let deployment = self.deployment();
        let rejections = Report {
            sources: self.report.sources.clone(),
            diagnostics: self.outcome.findings(&self.local),
            policies: self.report.policies,
        };
        let style = shell.style();
        // What the snippets and annotations show is not said again below the rows of the table.
        let table = self.without_items(&deployment);
        match format {
            Format::Json => shell.print(|out| json::deploy::render(&deployment, out))?,
            Format::Markdown => shell.print(|out| {
                out.extend_from_slice(markdown::deploy::document(&deployment).as_bytes());
                Ok(())
            })?,
            Format::Human => shell.print(|out| {
                human::findings(&rejections, style, out)?;
                human::deploy::render(&table, style, out)
            })?,
            Format::Github => shell.print(|out| {
                github::findings(&rejections, out)?;
                human::deploy::render(&table, style, out)
            })?,
            Format::Azure => shell.print(|out| {
                azure::findings(&rejections, out)?;
                human::deploy::render(&table, style, out)
            })?,
            format @ (Format::Sarif | Format::Junit) => {
                let mut report = self.report.clone();
                report.diagnostics.extend(rejections.diagnostics);
                report.sort();
                let options = Options {
                    command: self.command,
                    style,
                    ..Options::default()
                };
                shell.print(|out| output::render(&report, format, &options, out))?;
                let mut text = Vec::new();
                human::deploy::render(&table, shell.error_style(), &mut text)?;
                shell.say(String::from_utf8_lossy(&text).trim_end());
            }
        }
        Ok(())
    }

    fn as_json(&self, out: &mut Vec<u8>) -> io::Result<()> {
        json::deploy::render(&self.deployment(), out)
    }

    fn among_others(&self) -> json::environments::Result<'_> {
        json::environments::Result::Deployed(Box::new(self.deployment()))
    }

    fn publish(&self, format: Format, shell: &Shell) -> Result<()> {
        let page = markdown::deploy::document(&self.deployment());
        ci_summary::publish_page(&page, format, shell)
    }

    fn remark(&self, format: Format, shell: &Shell) {
        self.say_what_remains(format, shell);
        self.ask_for_reports(shell);
    }

    fn exit(&self) -> Exit {
        if self.outcome.is_complete() {
            Exit::Clean
        } else {
            Exit::Findings
        }
    }

    fn has_written(&self) -> bool {
        true
    }
}

impl Deployed {
    fn deployment(&self) -> DeployJson {
        as_json(self.command, &self.outcome)
    }

    /// The result without the service's sentences about policies whose findings are shown elsewhere.
    fn without_items(&self, deployment: &DeployJson) -> DeployJson {
        let mut table = deployment.clone();
        for policy in &mut table.policies {
            if policy.error.is_some() && self.local.find(&policy.id).is_some() {
                policy.error_items.clear();
                policy.error = None;
            }
        }
        table
    }

    fn say_what_remains(&self, format: Format, shell: &Shell) {
        let outcome = &self.outcome;
        for keyset in outcome.keysets.iter().filter(|keyset| keyset.placeholder) {
            shell.say(format!(
                "note: keyset {} holds a random placeholder: its secret is not set, which only the \
                 emulator accepts",
                keyset.id
            ));
        }
        let done = |status: Status| outcome.policies.iter().any(|it| it.status == status);
        // What `--atomic` has put back needs no undoing; what it could not, does.
        let left = outcome.policies.iter().any(|it| {
            let error = it.error.as_ref();
            it.status == Status::Failed
                && (!done(Status::Restored)
                    || error.is_some_and(|error| error.message.starts_with(NOT_RESTORED)))
        });
        if let Some(folder) = &outcome.snapshot
            && (done(Status::Done) || left)
        {
            let emulator = if self.emulator { " --emulator" } else { "" };
            shell.say(format!(
                "undo: iefctl rollback {}{emulator}",
                output::shell_word(&folder.display().to_string())
            ));
        }
        match &outcome.stopped {
            None => {}
            Some(Stop::Interrupted) => {
                shell.say("interrupted: what is not listed as done was not started; run again");
            }
            Some(Stop::Refused(why) | Stop::Unreachable(why)) => {
                shell.say(format!("stopped: {why}"));
            }
        }
        // Formats with findings have it there, for policies with files.
        let is_told = |id: &str| {
            !matches!(format, Format::Json | Format::Markdown) && self.local.find(id).is_some()
        };
        for policy in &outcome.policies {
            if let Some(error) = &policy.error
                && let Some(advice) = &error.advice
                && !error.unforeseen
                && !is_told(&policy.id)
            {
                shell.say(format!("help for {}: {advice}", policy.id));
            }
        }
        for keyset in &outcome.keysets {
            let advice = keyset
                .error
                .as_ref()
                .and_then(|error| error.advice.as_ref());
            if let Some(advice) = advice {
                shell.say(format!("help for {}: {advice}", keyset.id));
            }
        }
    }

    /// What the service refuses and validation passed is a mistake of this tool.
    fn ask_for_reports(&self, shell: &Shell) {
        let off = self.levels.iter().filter(|(_, level)| level.is_none());
        let off: Vec<&str> = off.map(|(rule, _)| rule.as_str()).collect();
        let unless = if off.is_empty() {
            String::new()
        } else {
            format!(
                " (unless one of the rules would have found it that are switched off: {})",
                off.join(", ")
            )
        };
        for evidence in Evidence::of(&self.outcome, &self.local, &self.levels) {
            let asks = format!(
                "{}: the tenant refused what iefctl found nothing wrong with. Please report that{unless}",
                evidence.policy
            );
            match save(&evidence) {
                Ok(path) => shell.say(format!(
                    "{asks} and attach {}: it has no values in it",
                    path.display()
                )),
                Err(error) => shell.say(format!(
                    "{asks}; the data to attach cannot be written to {REPORTS}: {error}"
                )),
            }
        }
    }
}

fn save(evidence: &Evidence) -> io::Result<PathBuf> {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
            c
        } else {
            '_'
        }
    };
    let name: String = evidence.policy.chars().take(100).map(plain).collect();
    std::fs::create_dir_all(REPORTS)?;
    let path = Path::new(REPORTS).join(format!("{name}.md"));
    atomic_file::write(&path, evidence.markdown.as_bytes())?;
    Ok(path)
}
