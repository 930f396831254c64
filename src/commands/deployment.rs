//! Carrying a plan out: what `deploy`, `rollback` and `destroy` share. One deployment is one value in
//! and one value out; only the display and the question touch the terminal.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Error, Result, bail};

use crate::deploy::{
    self, Cancellation, Event, ExecuteError, ExecuteOptions, Execution, Ledger, Local, LockError,
    Materials, Observer, Plan, PolicyAction, Remote, Status, TenantLock,
};
use crate::diagnostics::{Level, Report};
use crate::output::json::deploy::Action;
use crate::output::progress::{self, Progress};
use crate::output::{self, Format, Options};

use super::confirm::{Unattended, agreed};
use super::deployed::Deployed;
use super::interruption::Interruptible;
use super::outcome_view::json_status;
use super::plan::read;
use super::plan_view::action as action_json;
use super::snapshots::{self, KeepArgs, SnapshotArgs};
use super::tenant::{Connection, TenantArgs};
use super::{Shell, ci_summary, report_file};

/// How a plan is carried out.
pub(super) struct Deployment<'a> {
    /// `deploy`, `rollback` or `destroy`.
    pub(super) command: &'static str,
    pub(super) format: Option<Format>,
    pub(super) concurrency: usize,
    pub(super) snapshots: &'a SnapshotArgs,
    /// How many snapshots stay, if any are to go.
    pub(super) keep: Option<KeepArgs>,
    pub(super) atomic: bool,
    pub(super) emulator: bool,
    /// Whether the user has agreed beforehand.
    pub(super) yes: bool,
    /// The rules whose level the team changed.
    pub(super) levels: Vec<(String, Option<Level>)>,
    /// Whether what the project lost is deleted.
    pub(super) prunes: bool,
    pub(super) display: &'a Arc<Display>,
    /// Who is asked before the first write.
    pub(super) consent: &'a dyn Consent,
}

/// Whether a deployment may begin.
pub(super) trait Consent: Sync {
    /// Asks; without a question it only tells that the first write is about to come.
    fn ask(&self, question: Option<&str>) -> Result<bool>;
}

/// The person at the terminal, where there is one.
impl Consent for Shell {
    fn ask(&self, question: Option<&str>) -> Result<bool> {
        match question {
            Some(question) => agreed(question, false, Unattended::Proceed, self),
            None => Ok(true),
        }
    }
}

/// Everything that is needed to begin.
pub(super) struct Ready {
    pub(super) connection: Connection,
    /// Keeps other runs from writing to the tenant from here; none for an emulated tenant, which
    /// nobody else can reach.
    pub(super) lock: Option<TenantLock>,
    pub(super) plan: Plan,
    pub(super) local: Local,
    pub(super) remote: Remote,
    pub(super) materials: Materials,
    /// What was found before: no errors.
    pub(super) report: Report,
    /// Where it is noted what this project has deployed.
    pub(super) ledger: Option<Ledger>,
}

/// Takes the lock of a tenant, before it is read for a plan that will be carried out.
pub(super) fn lock(
    snapshots: &Path,
    connection: &Connection,
    args: &TenantArgs,
) -> Result<Option<TenantLock>> {
    if args.emulator {
        return Ok(None);
    }
    let patience = Duration::from_secs(args.timeout);
    let taken = TenantLock::take(snapshots, &connection.tenant.name, patience);
    match taken {
        Ok(lock) => Ok(Some(lock)),
        Err(error @ LockError::Busy { .. }) => Err(error.into()),
        Err(error @ LockError::Io { .. }) => Err(error).with_context(|| {
            format!(
                "nothing was written to the tenant, because what it holds cannot be saved in `{}` \
                 first: make room or let it be written, or name another folder with --snapshots",
                snapshots.display()
            )
        }),
    }
}

impl Deployment<'_> {
    /// Asks where it must, writes, and tells what came of it.
    ///
    /// # Errors
    /// What keeps it from beginning; nothing was written to the tenant then.
    pub(super) async fn carry_out(&self, ready: Ready, shell: &Shell) -> Result<Deployed> {
        let Ready {
            connection,
            lock,
            plan,
            local,
            mut remote,
            materials,
            report,
            mut ledger,
        } = ready;
        // Until the record of the deployment is written, too.
        let _held = lock.clone();
        let begun = self
            .begin(&connection, &plan, &local, &report, &mut ledger, shell)
            .await;
        match begun {
            Ok(None) => {}
            Ok(Some(fresh)) => remote = fresh,
            Err(error) => {
                connection.close().await;
                return Err(error);
            }
        }
        let cancellation = Cancellation::new();
        // Until it is recorded what was done.
        let _interruptible =
            Interruptible::new(&cancellation, &connection.client, self.display, shell).await;
        let outcome = deploy::execute(
            Execution {
                client: &connection.client,
                plan: &plan,
                local: &local,
                remote: &remote,
                materials,
                lock,
                options: ExecuteOptions {
                    concurrency: self.concurrency,
                    command: self.command,
                    emulated: self.emulator,
                    snapshots: Some(self.snapshots.root(self.emulator)),
                    atomic: self.atomic,
                    ..ExecuteOptions::default()
                },
            },
            &**self.display,
            &cancellation,
        )
        .await;
        self.display.finish();
        connection.close().await;
        let outcome = outcome.map_err(|error| {
            let about_snapshot = matches!(error, ExecuteError::Snapshot(_));
            let error = Error::new(error);
            match about_snapshot {
                true => error.context(
                    "what is overwritten has to be saved first: make room or let the folder be written, \
                     or name another one with --snapshots",
                ),
                false => error,
            }
        })?;
        if outcome.is_complete() {
            snapshots::tidy(&plan, &outcome, self.keep, shell);
        }
        if let Some(ledger) = &mut ledger
            && let Err(error) = ledger.conclude(&plan, &outcome, self.prunes)
        {
            shell.say(format!(
                "note: {error}; a later --prune may keep more than it could"
            ));
        }
        Ok(Deployed {
            command: self.command,
            emulator: self.emulator,
            levels: self.levels.clone(),
            outcome,
            local,
            report,
        })
    }

    /// Everything before the first write. If somebody had to be asked, the tenant is read anew: the
    /// answer may have taken long.
    async fn begin(
        &self,
        connection: &Connection,
        plan: &Plan,
        local: &Local,
        report: &Report,
        ledger: &mut Option<Ledger>,
        shell: &Shell,
    ) -> Result<Option<Remote>> {
        let writable = report_file::check(shell).and_then(|()| ci_summary::check(shell));
        writable.context("nothing was written to the tenant, because it could not be reported")?;
        self.announce(report, shell)?;
        let mut fresh = None;
        if self.ask(plan, shell)? {
            let ids: Vec<String> = plan.policies.iter().map(|step| step.id.clone()).collect();
            let now = read(connection, Some(&ids), self.concurrency).await?;
            let moved = plan.moved(local, &now);
            if !moved.is_empty() {
                let list: Vec<String> =
                    moved.iter().map(|moved| format!("\n  - {moved}")).collect();
                bail!(
                    "nothing was written, because the tenant has changed while the question was \
                     open:{}\n  help: run again",
                    list.concat()
                );
            }
            fresh = Some(now);
        }
        if let Some(ledger) = ledger {
            ledger
                .intend(plan)
                .context(
                    "nothing was deployed, because it cannot be recorded: make room or let the folder be \
                     written, or name another one with --ledger",
                )?;
        }
        Ok(fresh)
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
            let policies = match summary.policies {
                1 => "1 policy".to_owned(),
                count => format!("{count} policies"),
            };
            self.display
                .say(&format!("{policies} checked: no errors, no warnings"));
        }
        Ok(())
    }

    /// Asks on a terminal before a production environment is written to; whether it did.
    fn ask(&self, plan: &Plan, shell: &Shell) -> Result<bool> {
        // The emulated tenant is nobody's production.
        let asks = plan.production && !self.yes && !self.emulator && plan.has_changes();
        let question = asks.then(|| {
            format!(
                "{} is marked production. {}: write to it?",
                output::plain(&plan.tenant),
                summary(plan)
            )
        });
        if self.consent.ask(question.as_deref())? {
            return Ok(asks && shell.can_ask());
        }
        bail!("not confirmed: nothing was written to the tenant")
    }
}

/// What a plan does, in a few words.
fn summary(plan: &Plan) -> String {
    let count = |action| plan.count(action);
    let keysets = plan.keysets.iter();
    let keysets = keysets.filter(|step| step.action != deploy::KeysetAction::Present);
    let parts = [
        (
            count(PolicyAction::Create),
            "policy",
            "policies",
            "to create",
        ),
        (
            count(PolicyAction::Update),
            "policy",
            "policies",
            "to update",
        ),
        (
            count(PolicyAction::Delete),
            "policy",
            "policies",
            "to delete",
        ),
        (keysets.count(), "keyset", "keysets", "to provision"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many, what)| {
            let noun = if count == 1 { one } else { many };
            format!("{count} {noun} {what}")
        })
        .collect();
    parts.join(", ")
}

/// Passes the events of a deployment to the display, which begins with the first write: before that
/// there may be a question on the terminal.
pub(super) struct Display {
    /// Shared by deployments side by side.
    progress: Arc<OnceLock<Progress>>,
    /// What tells its ids and lines from those of the others; else empty.
    label: String,
    shell: Shell,
}

impl Display {
    pub(super) fn new(shell: &Shell) -> Self {
        Self {
            progress: Arc::default(),
            label: String::new(),
            shell: *shell,
        }
    }

    /// A display for one of several deployments, which begins when the first of them does.
    pub(super) fn labelled(&self, label: &str) -> Self {
        Self {
            progress: Arc::clone(&self.progress),
            label: label.to_owned(),
            shell: self.shell,
        }
    }

    fn begin(&self, policies: usize) {
        let mut is_first = false;
        let progress = self.progress.get_or_init(|| {
            is_first = true;
            let shell = &self.shell;
            // A bar over nothing says nothing.
            if shell.quiet || policies == 0 {
                Progress::silent()
            } else {
                let style = shell.error_style();
                Progress::on_stderr(policies, shell.stderr_is_terminal(), style)
            }
        });
        if !is_first {
            progress.expect(policies);
        }
    }

    /// A line that the display does not overwrite.
    pub(super) fn say(&self, line: &str) {
        let line = match self.label.as_str() {
            "" => line.to_owned(),
            label => format!("{label}: {line}"),
        };
        match self.progress.get() {
            Some(progress) => progress.say(&line),
            None => self.shell.say(line),
        }
    }

    /// Somebody asked to stop, which the process sees as this exit status.
    pub(super) fn interrupted(&self, status: i32, shell: &Shell) {
        // Only what is typed on a terminal is shown there.
        if status == 130
            && shell.can_ask()
            && let Some(progress) = self.progress.get()
        {
            progress.interrupted();
        }
    }

    /// Takes the bar away, unless others still need it.
    pub(super) fn finish(&self) {
        if self.label.is_empty()
            && let Some(progress) = self.progress.get()
        {
            progress.finish();
        }
    }
}

impl Observer for Display {
    fn on_event(&self, event: &Event) {
        let labelled = |id: &str| match self.label.as_str() {
            "" => id.to_owned(),
            label => format!("{label}/{id}"),
        };
        let shown;
        let event = match event {
            Event::KeysetFinished { id, status } => {
                shown = labelled(id);
                match status {
                    Status::Done => progress::Event::KeysetFinished {
                        id: &shown,
                        action: Action::Create,
                    },
                    Status::Failed => progress::Event::KeysetFailed {
                        id: &shown,
                        error: "see the report below",
                    },
                    _ => return,
                }
            }
            Event::PolicyStarted { id, .. } => {
                shown = labelled(id);
                progress::Event::PolicyStarted { id: &shown }
            }
            Event::PolicyFinished {
                id,
                action,
                status,
                duration,
                ..
            } => {
                shown = labelled(id);
                progress::Event::PolicyFinished {
                    id: &shown,
                    action: action_json(*action),
                    status: json_status(*status),
                    duration: *duration,
                    error: None,
                }
            }
            Event::Retry {
                operation,
                delay,
                reason,
                ..
            } => {
                // The line of the upload is known by its policy.
                shown = labelled(operation.strip_prefix("PUT policy ").unwrap_or(operation));
                progress::Event::Retry {
                    id: &shown,
                    reason,
                    delay: *delay,
                }
            }
            Event::Started { policies, .. } => {
                self.begin(*policies);
                return;
            }
            Event::KeyAwaited { id, at_most } => {
                self.say(&format!(
                    "{id}: an earlier run was interrupted while its key was being made; waiting up \
                     to {} s for that key to appear before another one is made",
                    at_most.as_secs().max(1)
                ));
                return;
            }
            Event::Restoring { policies } => {
                self.say(&format!("putting back {policies} of the policies"));
                return;
            }
            Event::SnapshotSaved { .. } | Event::KeysetStarted { .. } => return,
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
