//! `iefctl deploy`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::config::Project;
use crate::deploy::{
    self, Cancellation, Event, ExecuteOptions, Execution, KeysetAction, Materials, Observer,
    Outcome, PolicyAction, Status, Stop,
};
use crate::output::json::deploy::{
    Action, DeployJson, DeploySummaryJson, ErrorItemJson, KeysetJson, PolicyJson,
    Status as JsonStatus,
};
use crate::output::progress::{self, Progress};
use crate::output::{Format, human, json, markdown};

use super::ownership::PruneArgs;
use super::plan::{Prepared, TenantSide, runtime, validated};
use super::project::{ProjectArgs, Validated};
use super::tenant::TenantArgs;
use super::validate::report;
use super::{Exit, Shell};

/// Bring policies into a tenant
///
/// Validates, compares with the tenant, provisions keysets that are missing, and uploads what
/// changed, every policy as soon as its base is there. Run again, it does only what is left.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl deploy policies -e dev --emulator     into an emulated tenant on this machine
  iefctl deploy policies -e test
  iefctl deploy policies -t contoso.onmicrosoft.com --format json

Signs in with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of an application in the tenant that has the
application permissions Policy.ReadWrite.TrustFramework and TrustFrameworkKeySet.ReadWrite.All.

Exit status: 0 the tenant is as the files say, 1 errors or an incomplete deployment, 2 could not run")]
pub struct DeployArgs {
    #[command(flatten)]
    project: ProjectArgs,

    #[command(flatten)]
    tenant: TenantArgs,

    #[command(flatten)]
    prune: PruneArgs,

    /// How many calls run at a time [default: 8, or what the configuration says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: Option<u16>,

    /// If anything fails, put back what was overwritten
    #[arg(long)]
    atomic: bool,

    /// Folder under which everything is saved before it is overwritten
    #[arg(long, value_name = "DIR", default_value = ".iefctl/snapshots")]
    snapshots: PathBuf,

    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
}

/// Runs `iefctl deploy`.
///
/// # Errors
/// What keeps the command from running; nothing was written to the tenant then.
pub fn run(args: &DeployArgs, shell: &Shell) -> Result<Exit> {
    let project = args.project.load(shell)?;
    let Some(validated) = validated(&project, args.format, "deploy", shell)? else {
        return Ok(Exit::Findings);
    };
    let concurrency = args
        .concurrency
        .map(usize::from)
        .or(project.concurrency)
        .unwrap_or(8);
    let observer = Arc::new(Display::new(shell));
    runtime()?.block_on(async {
        let side = TenantSide {
            args: &args.tenant,
            prune: &args.prune,
            paths: &args.project.paths,
            concurrency,
            observer: Arc::<Display>::clone(&observer),
        };
        let prepared = side.prepare(&project, validated, shell).await?;
        let deployment = Deployment {
            args,
            project: &project,
            concurrency,
            display: &observer,
        };
        deployment.carry_out(prepared, shell).await
    })
}

struct Deployment<'a> {
    args: &'a DeployArgs,
    project: &'a Project,
    concurrency: usize,
    display: &'a Display,
}

impl Deployment<'_> {
    async fn carry_out(&self, prepared: Prepared, shell: &Shell) -> Result<Exit> {
        let Prepared {
            connection,
            local,
            remote,
            planned,
            mut validated,
            mut ledger,
        } = prepared;
        let (materials, findings) = Materials::gather(
            &planned.plan,
            &local,
            &|source| source.read(&|name| shell.variable(name)),
            self.args.tenant.emulator,
        );
        validated.add(findings.into_iter(), self.project);
        if validated.report.has_errors() {
            connection.close().await;
            report(&validated, self.args.format, "deploy", shell)?;
            return Ok(Exit::Findings);
        }
        announce(&validated, self.args.format, shell)?;
        if let Some(ledger) = &mut ledger
            && let Err(error) = ledger.intend(&planned.plan)
        {
            connection.close().await;
            return Err(error).context("nothing was deployed, because it could not be recorded");
        }
        let cancellation = Cancellation::new();
        let interrupt = tokio::spawn(interrupt(cancellation.clone(), *shell));
        let outcome = deploy::execute(
            Execution {
                client: &connection.client,
                plan: &planned.plan,
                local: &local,
                remote: &remote,
                materials,
                options: ExecuteOptions {
                    concurrency: self.concurrency,
                    snapshots: Some(self.args.snapshots.clone()),
                    atomic: self.args.atomic,
                },
            },
            self.display,
            &cancellation,
        )
        .await;
        interrupt.abort();
        self.display.finish();
        connection.close().await;
        let outcome = outcome.context("nothing was deployed")?;
        if let Some(ledger) = &mut ledger
            && let Err(error) = ledger.conclude(&planned.plan, &outcome, self.args.prune.prune)
        {
            shell.say(format!(
                "note: {error}; a later --prune may keep more than it could"
            ));
        }
        self.present(&outcome, shell)?;
        Ok(if outcome.is_complete() {
            Exit::Clean
        } else {
            Exit::Findings
        })
    }

    fn present(&self, outcome: &Outcome, shell: &Shell) -> Result<()> {
        let deployment = as_json(outcome);
        let style = shell.style();
        shell.print(|out| match shell.format(self.args.format) {
            Format::Json => json::deploy::render(&deployment, out),
            Format::Markdown => {
                out.extend_from_slice(markdown::deploy::document(&deployment).as_bytes());
                Ok(())
            }
            _ => human::deploy::render(&deployment, style, out),
        })?;
        if let Some(path) = shell.variable("GITHUB_STEP_SUMMARY") {
            super::shell::append(&path, &markdown::deploy::document(&deployment))
                .with_context(|| format!("cannot write the job summary to `{path}`"))?;
        }
        for keyset in outcome.keysets.iter().filter(|keyset| keyset.placeholder) {
            shell.say(format!(
                "note: keyset {} holds a random placeholder: its secret is not set, which only the \
                 emulator accepts",
                keyset.id
            ));
        }
        if let Some(folder) = &outcome.snapshot {
            shell.say(format!(
                "what was overwritten is saved in {}",
                folder.display()
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
            {
                shell.say(format!("help for {}: {advice}", policy.id));
            }
        }
        Ok(())
    }
}

/// Says before the first write what validation found, so that warnings are not lost behind the
/// result.
fn announce(validated: &Validated, format: Option<Format>, shell: &Shell) -> Result<()> {
    let summary = validated.report.summary();
    if shell.format(format) == Format::Json {
        return Ok(());
    }
    if summary.warnings > 0 || shell.verbosity > 0 {
        return report(validated, format, "deploy", shell);
    }
    shell.say(format!(
        "{} policies checked: no errors, no warnings",
        summary.policies
    ));
    Ok(())
}

/// The first Ctrl-C lets running calls end, a second one ends the process.
pub(super) async fn interrupt(cancellation: Cancellation, shell: Shell) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    cancellation.cancel();
    shell.say("stopping: running uploads are finished first");
}

/// Passes the events of a deployment to the display.
pub(super) struct Display {
    progress: Progress,
}

impl Display {
    pub(super) fn new(shell: &Shell) -> Self {
        let progress = if shell.quiet {
            Progress::silent()
        } else {
            Progress::on_stderr(0, shell.stderr_is_terminal(), shell.error_style())
        };
        Self { progress }
    }

    pub(super) fn finish(&self) {
        self.progress.finish();
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
                action: policy_action(*action),
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
            Event::Started { .. }
            | Event::SnapshotSaved { .. }
            | Event::KeysetStarted { .. }
            | Event::Restoring { .. } => return,
        };
        self.progress.event(event);
    }
}

const fn policy_action(action: PolicyAction) -> Action {
    match action {
        PolicyAction::Create => Action::Create,
        PolicyAction::Update => Action::Update,
        PolicyAction::Unchanged => Action::Unchanged,
        PolicyAction::Delete => Action::Delete,
    }
}

const fn json_status(status: Status) -> JsonStatus {
    match status {
        Status::Done => JsonStatus::Done,
        Status::Skipped | Status::NotStarted => JsonStatus::Skipped,
        Status::Failed => JsonStatus::Failed,
        Status::Blocked => JsonStatus::Blocked,
        Status::Restored => JsonStatus::Restored,
    }
}

pub(super) fn as_json(outcome: &Outcome) -> DeployJson {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let calls = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let mut deployment = DeployJson::new("deploy", &outcome.tenant);
    deployment.keysets = outcome
        .keysets
        .iter()
        .map(|keyset| KeysetJson {
            id: keyset.id.clone(),
            action: match keyset.action {
                KeysetAction::Present => Action::Unchanged,
                KeysetAction::Create | KeysetAction::Missing => Action::Create,
                KeysetAction::Fill => Action::Update,
            },
            status: json_status(keyset.status),
            error: keyset.error.as_ref().map(|error| error.message.clone()),
        })
        .collect();
    deployment.policies = outcome
        .policies
        .iter()
        .map(|policy| PolicyJson {
            id: policy.id.clone(),
            file: policy.file.clone().unwrap_or_default(),
            action: policy_action(policy.action),
            status: json_status(policy.status),
            attempts: policy.attempts,
            duration_ms: policy.duration_ms,
            error: policy.error.as_ref().map(|error| error.message.clone()),
            error_items: policy
                .error
                .iter()
                .flat_map(|error| &error.items)
                .map(|item| ErrorItemJson {
                    message: item.text.clone(),
                    file: item.place.as_ref().map(|place| place.file.clone()),
                    line: item.place.as_ref().map(|place| place.line),
                    column: item.place.as_ref().map(|place| place.column),
                })
                .collect(),
            request_id: policy
                .error
                .as_ref()
                .and_then(|error| error.request_id.clone()),
            blocked_by: policy.blocked_by.clone(),
        })
        .collect();
    let summary = &outcome.summary;
    deployment.summary = DeploySummaryJson {
        created: count(summary.created),
        updated: count(summary.updated),
        unchanged: count(summary.unchanged),
        failed: count(summary.failed),
        blocked: count(summary.blocked + summary.not_started),
        requests: calls(summary.requests),
        retries: calls(summary.retries),
        duration_ms: summary.duration_ms,
    };
    deployment
}
