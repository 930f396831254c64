//! Carrying a plan out and telling what came of it: what `deploy` and `rollback` share.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};

use crate::deploy::{
    self, Cancellation, Event, Evidence, ExecuteOptions, Execution, Ledger, Local, Materials,
    Observer, Outcome, Plan, PolicyAction, Remote, Status, Stop,
};
use crate::diagnostics::{Level, Report};
use crate::output::json::deploy::{Action, DeployJson};
use crate::output::progress::{self, Progress};
use crate::output::{self, Format, Options, azure, github, human, json, markdown};

use super::outcome_view::{as_json, json_status};
use super::plan_view::action as action_json;
use super::tenant::Connection;
use super::{Exit, Shell, ci_summary, report_file};

/// Where the data for a report about a refusal is written.
const REPORTS: &str = ".iefctl/reports";

/// How a plan is carried out.
pub(super) struct Deployment<'a> {
    /// `deploy` or `rollback`.
    pub(super) command: &'static str,
    pub(super) format: Option<Format>,
    pub(super) concurrency: usize,
    pub(super) snapshots: &'a Path,
    pub(super) atomic: bool,
    pub(super) emulator: bool,
    /// Whether the user has agreed beforehand.
    pub(super) yes: bool,
    /// The rules whose level the team changed.
    pub(super) levels: Vec<(String, Option<Level>)>,
    /// Whether what the project lost is deleted.
    pub(super) prunes: bool,
    pub(super) display: &'a Display,
}

/// Everything that is needed to begin.
pub(super) struct Ready {
    pub(super) connection: Connection,
    pub(super) plan: Plan,
    pub(super) local: Local,
    pub(super) remote: Remote,
    pub(super) materials: Materials,
    /// What was found before: no errors.
    pub(super) report: Report,
    /// Where it is noted what this project has deployed.
    pub(super) ledger: Option<Ledger>,
}

impl Deployment<'_> {
    /// Asks where it must, writes, and reports.
    pub(super) async fn carry_out(&self, ready: Ready, shell: &Shell) -> Result<Exit> {
        let Ready {
            connection,
            plan,
            local,
            remote,
            materials,
            report,
            mut ledger,
        } = ready;
        let agreed = self
            .announce(&report, shell)
            .and_then(|()| self.ask(&plan, shell))
            .and_then(|()| match &mut ledger {
                None => Ok(()),
                Some(ledger) => ledger
                    .intend(&plan)
                    .context("nothing was deployed, because it cannot be recorded"),
            });
        if let Err(error) = agreed {
            connection.close().await;
            return Err(error);
        }
        let cancellation = Cancellation::new();
        let interrupt = tokio::spawn(interrupt(cancellation.clone(), *shell));
        let outcome = deploy::execute(
            Execution {
                client: &connection.client,
                plan: &plan,
                local: &local,
                remote: &remote,
                materials,
                options: ExecuteOptions {
                    concurrency: self.concurrency,
                    snapshots: Some(self.snapshots.to_owned()),
                    atomic: self.atomic,
                },
            },
            self.display,
            &cancellation,
        )
        .await;
        interrupt.abort();
        self.display.finish();
        connection.close().await;
        let outcome = outcome.context("nothing was written to the tenant")?;
        if let Some(ledger) = &mut ledger
            && let Err(error) = ledger.conclude(&plan, &outcome, self.prunes)
        {
            shell.say(format!(
                "note: {error}; a later --prune may keep more than it could"
            ));
        }
        self.present(&outcome, &local, report, shell)?;
        Ok(if outcome.is_complete() {
            Exit::Clean
        } else {
            Exit::Findings
        })
    }

    /// Says before the first write what was found, so that warnings are not lost behind the result.
    /// Formats of which standard output is one document get the findings there.
    fn announce(&self, report: &Report, shell: &Shell) -> Result<()> {
        let format = shell.format(self.format);
        if matches!(format, Format::Json | Format::Sarif | Format::Junit) {
            return Ok(());
        }
        let summary = report.summary();
        if summary.warnings > 0 || shell.verbosity > 0 {
            let options = Options {
                command: self.command,
                style: shell.style(),
                ..Options::default()
            };
            shell.print(|out| output::render(report, format, &options, out))?;
        } else if self.command == "deploy" {
            shell.say(format!(
                "{} policies checked: no errors, no warnings",
                summary.policies
            ));
        }
        Ok(())
    }

    /// Asks on a terminal before a production environment is written to.
    fn ask(&self, plan: &Plan, shell: &Shell) -> Result<()> {
        // The emulated tenant is nobody's production.
        let asks = plan.production && !self.yes && !self.emulator && plan.has_changes();
        if !asks || !shell.can_ask() {
            return Ok(());
        }
        let keysets = plan.keysets.iter();
        let keysets = keysets.filter(|step| step.action != deploy::KeysetAction::Present);
        let question = format!(
            "{} is marked production. {} policies to create, {} to update, {} to delete, {} \
             keysets to provision: write to it?",
            output::plain(&plan.tenant),
            plan.count(PolicyAction::Create),
            plan.count(PolicyAction::Update),
            plan.count(PolicyAction::Delete),
            keysets.count()
        );
        if shell
            .confirm(&question)
            .context("cannot read the answer; `--yes` does not ask")?
        {
            return Ok(());
        }
        bail!("not confirmed: nothing was written to the tenant")
    }

    fn present(
        &self,
        outcome: &Outcome,
        local: &Local,
        found: Report,
        shell: &Shell,
    ) -> Result<()> {
        let deployment = as_json(self.command, outcome);
        let rejections = Report {
            sources: found.sources.clone(),
            diagnostics: outcome.findings(local),
            policies: found.policies,
        };
        let style = shell.style();
        // What the snippets and annotations show is not said again below the rows of the table.
        let table = without_items(&deployment, local);
        match shell.format(self.format) {
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
                let mut report = found;
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
        let page = markdown::deploy::document(&deployment);
        ci_summary::publish_page(&page, shell.format(self.format), shell)?;
        report_file::write(shell, |out| json::deploy::render(&deployment, out))?;
        self.say_what_remains(outcome, local, shell);
        Ok(())
    }

    fn say_what_remains(&self, outcome: &Outcome, local: &Local, shell: &Shell) {
        for keyset in outcome.keysets.iter().filter(|keyset| keyset.placeholder) {
            shell.say(format!(
                "note: keyset {} holds a random placeholder: its secret is not set, which only the \
                 emulator accepts",
                keyset.id
            ));
        }
        let done = |status: Status| outcome.policies.iter().any(|it| it.status == status);
        if let Some(folder) = &outcome.snapshot
            && (done(Status::Done) || done(Status::Failed))
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
        for policy in &outcome.policies {
            if let Some(error) = &policy.error
                && let Some(advice) = &error.advice
                && !error.unforeseen
            {
                shell.say(format!("help for {}: {advice}", policy.id));
            }
        }
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
        for evidence in Evidence::of(outcome, local, &self.levels) {
            let asks = format!(
                "{}: the tenant refused what iefctl found nothing wrong with. Please report that{unless}",
                evidence.policy
            );
            match save_evidence(&evidence) {
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

fn save_evidence(evidence: &Evidence) -> std::io::Result<PathBuf> {
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
    std::fs::write(&path, &evidence.markdown)?;
    Ok(path)
}

/// The result without the service's sentences about policies whose findings are shown elsewhere.
fn without_items(deployment: &DeployJson, local: &Local) -> DeployJson {
    let mut table = deployment.clone();
    for policy in &mut table.policies {
        if policy.error.is_some() && local.find(&policy.id).is_some() {
            policy.error_items.clear();
            policy.error = None;
        }
    }
    table
}

/// The first Ctrl-C lets running calls end, a second one ends the process.
async fn interrupt(cancellation: Cancellation, shell: Shell) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    cancellation.cancel();
    shell.say("stopping: running uploads are finished first");
}

/// Passes the events of a deployment to the display, which begins with the first write: before that
/// there may be a question on the terminal.
pub(super) struct Display {
    progress: OnceLock<Progress>,
    shell: Shell,
}

impl Display {
    pub(super) fn new(shell: &Shell) -> Self {
        Self {
            progress: OnceLock::new(),
            shell: *shell,
        }
    }

    fn begin(&self, policies: usize) {
        self.progress.get_or_init(|| {
            let shell = &self.shell;
            if shell.quiet {
                Progress::silent()
            } else {
                let style = shell.error_style();
                Progress::on_stderr(policies, shell.stderr_is_terminal(), style)
            }
        });
    }

    pub(super) fn finish(&self) {
        if let Some(progress) = self.progress.get() {
            progress.finish();
        }
    }
}

impl Observer for Display {
    fn on_event(&self, event: &Event) {
        let event = match event {
            Event::KeysetFinished { id, status } => match status {
                Status::Done => progress::Event::KeysetFinished {
                    id,
                    action: Action::Create,
                },
                Status::Failed => progress::Event::KeysetFailed {
                    id,
                    error: "see the report below",
                },
                _ => return,
            },
            Event::PolicyStarted { id, .. } => progress::Event::PolicyStarted { id },
            Event::PolicyFinished {
                id,
                action,
                status,
                duration,
                ..
            } => progress::Event::PolicyFinished {
                id,
                action: action_json(*action),
                status: json_status(*status),
                duration: *duration,
                error: None,
            },
            Event::Retry {
                operation,
                delay,
                reason,
                ..
            } => progress::Event::Retry {
                id: operation,
                reason,
                delay: *delay,
            },
            Event::Started { policies, .. } => {
                self.begin(*policies);
                return;
            }
            Event::SnapshotSaved { .. } | Event::KeysetStarted { .. } | Event::Restoring { .. } => {
                return;
            }
        };
        match self.progress.get() {
            Some(progress) => progress.event(event),
            None => {
                // Still reading.
                if let progress::Event::Retry { id, reason, .. } = event {
                    self.shell.say(format!("{id}: {reason}, trying again"));
                }
            }
        }
    }
}
