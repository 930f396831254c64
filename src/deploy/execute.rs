//! Carries a plan out: the only code that writes to a tenant.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use tokio::task::JoinSet;

use crate::msgraph::GraphClient;

use super::breaker::Breaker;
use super::failure::Failure;
use super::lock::{Pending, TenantLock};
use super::materials::{Material, Materials};
use super::moved::Moved;
use super::outcome::{KeysetOutcome, Outcome, OutcomeSummary, PolicyOutcome, Status, Stop};
use super::plan::{KeysetAction, Plan, PolicyAction};
use super::provision::{Job, KeyMade, ProvisionError, Provisioned};
use super::schedule::{Schedule, State};
use super::snapshot::{Contents, SnapshotError};
use super::upload::{NOT_STORED, Upload, WriteError};
use super::{Cancellation, Event, Local, Observer, Remote, fold, restore};

/// What [`execute`] needs.
#[derive(Debug)]
pub struct Execution<'a> {
    /// The connection to the tenant.
    pub client: &'a GraphClient,
    /// What is to be done.
    pub plan: &'a Plan,
    /// The files that the plan was made for.
    pub local: &'a Local,
    /// The state of the tenant that the plan was made for, just read.
    pub remote: &'a Remote,
    /// The values of the keys that are to be made.
    pub materials: Materials,
    /// What keeps other runs out and remembers keys whose making was interrupted; none for a tenant
    /// that nobody else can write to.
    pub lock: Option<TenantLock>,
    /// Choices.
    pub options: ExecuteOptions,
}

/// Choices for [`execute`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecuteOptions {
    /// The most calls that run at a time; 0 counts as 1.
    pub concurrency: usize,
    /// What the snapshot says that it was saved for: `deploy`, `rollback` or `destroy`.
    pub command: &'static str,
    /// Whether the tenant is an emulated one.
    pub emulated: bool,
    /// The folder under which what is overwritten is saved first; `None` saves nothing.
    pub snapshots: Option<PathBuf>,
    /// If anything fails, put back what was written.
    pub atomic: bool,
    /// How long the key of a keyset is waited for that somebody else has just created.
    pub wait_for_others: Duration,
}

impl Default for ExecuteOptions {
    fn default() -> Self {
        Self {
            concurrency: 8,
            command: "deploy",
            emulated: false,
            snapshots: None,
            atomic: false,
            wait_for_others: Duration::from_secs(20),
        }
    }
}

/// Why a plan was not carried out at all: nothing was written to the tenant.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The files or the tenant are not those that the plan was made for.
    #[error(
        "nothing was written to the tenant, because the plan does not fit any more: {}",
        list(.0)
    )]
    Moved(Vec<Moved>),
    /// A keyset cannot be made.
    #[error("nothing was written to the tenant, because nothing says how keyset {0} is made")]
    KeysetMissing(String),
    /// What will be overwritten cannot be saved.
    #[error("nothing was written to the tenant, because what it holds cannot be saved first")]
    Snapshot(#[source] SnapshotError),
}

fn list(moved: &[Moved]) -> String {
    let moved: Vec<String> = moved.iter().map(Moved::to_string).collect();
    moved.join("; ")
}

/// Carries a plan out. Saves what will be overwritten, makes the keysets, then writes each policy as
/// soon as its base is done, with no more calls at a time than the options say. What depends on a
/// failed step is not tried; everything else is finished.
///
/// # Errors
/// [`ExecuteError`], always before the first write. Whatever fails later is in the [`Outcome`].
pub async fn execute(
    execution: Execution<'_>,
    observer: &dyn Observer,
    cancellation: &Cancellation,
) -> Result<Outcome, ExecuteError> {
    let started = Instant::now();
    let Execution {
        client,
        plan,
        local,
        remote,
        materials,
        lock,
        options,
    } = execution;
    let moved = plan.moved(local, remote);
    if !moved.is_empty() {
        return Err(ExecuteError::Moved(moved));
    }
    let unmade = plan.keysets.iter().find(|step| match step.action {
        KeysetAction::Present => false,
        KeysetAction::Missing => true,
        KeysetAction::Create | KeysetAction::Fill => !materials.has(&step.id),
    });
    if let Some(step) = unmade {
        return Err(ExecuteError::KeysetMissing(step.id.clone()));
    }
    let snapshot = save(plan, remote, &options)
        .await
        .map_err(ExecuteError::Snapshot)?;
    let is_write = |action: KeysetAction| action != KeysetAction::Present;
    observer.on_event(&Event::Started {
        keysets: plan
            .keysets
            .iter()
            .filter(|step| is_write(step.action))
            .count(),
        policies: plan
            .policies
            .iter()
            .filter(|step| step.action.writes())
            .count(),
    });
    if let Some(folder) = &snapshot {
        let folder = folder.clone();
        observer.on_event(&Event::SnapshotSaved { folder });
    }
    let mut run = Run {
        client,
        plan,
        local,
        observer,
        cancellation,
        concurrency: options.concurrency.max(1),
        lock,
        wait_for_others: options.wait_for_others,
        breaker: Breaker::default(),
        unclear: Vec::new(),
        outcome: blank(plan, snapshot),
    };
    run.keysets(materials).await;
    run.policies().await;
    let (unclear, mut outcome) = (run.unclear, run.outcome);
    outcome.stopped = run.breaker.stop.or_else(|| {
        let unstarted = |status| status == Status::NotStarted;
        let any = outcome
            .policies
            .iter()
            .any(|policy| unstarted(policy.status))
            || outcome
                .keysets
                .iter()
                .any(|keyset| unstarted(keyset.status));
        any.then_some(Stop::Interrupted)
    });
    if options.atomic && !outcome.is_complete() {
        // Whoever was impatient wants the deployment to end, not the tenant to stay half done.
        client.set_patience(true);
        restore::restore(client, plan, remote, &unclear, &mut outcome, observer).await;
    }
    let stats = client.stats();
    outcome.summary.requests = stats.requests;
    outcome.summary.retries = stats.retries;
    outcome.summary.duration_ms = milliseconds(started.elapsed());
    outcome.count();
    Ok(outcome)
}

async fn save(
    plan: &Plan,
    remote: &Remote,
    options: &ExecuteOptions,
) -> Result<Option<PathBuf>, SnapshotError> {
    let now = SystemTime::now();
    let contents = Contents::new(plan, remote, options, now)?;
    let Some(root) = options.snapshots.clone() else {
        return Ok(None);
    };
    if !plan.policies.iter().any(|step| step.action.writes()) {
        return Ok(None);
    }
    let saved = tokio::task::spawn_blocking(move || contents.save(&root, now)).await;
    match saved {
        Ok(saved) => Ok(Some(saved?.folder)),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(SnapshotError::Io {
                action: "cannot write below",
                path: String::new(),
                source: std::io::ErrorKind::Interrupted.into(),
            }),
        },
    }
}

/// An outcome in which nothing was tried.
fn blank(plan: &Plan, snapshot: Option<PathBuf>) -> Outcome {
    let keysets = plan.keysets.iter().map(|step| KeysetOutcome {
        id: step.id.clone(),
        action: step.action,
        status: match step.action {
            KeysetAction::Present => Status::Skipped,
            _ => Status::NotStarted,
        },
        how: step.content.as_ref().map(ToString::to_string),
        placeholder: false,
        attempts: 0,
        duration_ms: 0,
        error: None,
    });
    let policies = plan.policies.iter().map(|step| PolicyOutcome {
        id: step.id.clone(),
        file: step.file().map(str::to_owned),
        action: step.action,
        status: match step.action {
            PolicyAction::Unchanged => Status::Skipped,
            _ => Status::NotStarted,
        },
        attempts: 0,
        duration_ms: 0,
        error: None,
        blocked_by: None,
    });
    Outcome {
        tenant: plan.tenant.clone(),
        keysets: keysets.collect(),
        policies: policies.collect(),
        summary: OutcomeSummary::default(),
        snapshot,
        stopped: None,
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

struct Run<'a> {
    client: &'a GraphClient,
    plan: &'a Plan,
    local: &'a Local,
    observer: &'a dyn Observer,
    cancellation: &'a Cancellation,
    concurrency: usize,
    lock: Option<TenantLock>,
    wait_for_others: Duration,
    breaker: Breaker,
    /// Failed policies whose write may have taken effect all the same.
    unclear: Vec<usize>,
    outcome: Outcome,
}

/// What one call brought.
struct Written {
    result: Result<u32, WriteError>,
    duration: Duration,
}

impl Run<'_> {
    fn may_start(&self) -> bool {
        self.breaker.stop.is_none() && !self.cancellation.is_cancelled()
    }

    /// Makes the keysets, several at a time, in the order of the plan.
    async fn keysets(&mut self, mut materials: Materials) {
        let mut waiting: Vec<(usize, Material)> = Vec::new();
        for (position, step) in self.plan.keysets.iter().enumerate().rev() {
            if step.action != KeysetAction::Present
                && let Some(material) = materials.take(&step.id)
            {
                waiting.push((position, material));
            }
        }
        let mut running: JoinSet<(Provisioned, bool)> = JoinSet::new();
        let mut positions = HashMap::new();
        loop {
            while running.len() < self.concurrency
                && self.may_start()
                && let Some((position, material)) = waiting.pop()
            {
                let job = self.job(position);
                let task = running.spawn(async move {
                    let placeholder = matches!(
                        material,
                        Material::Secret {
                            placeholder: true,
                            ..
                        }
                    );
                    (job.provision(&material).await, placeholder)
                });
                positions.insert(task.id(), position);
            }
            let Some(finished) = running.join_next_with_id().await else {
                return;
            };
            let (task, finished) = match finished {
                Ok((task, finished)) => (task, Ok(finished)),
                Err(error) => (error.id(), Err(error)),
            };
            if let Some(position) = positions.remove(&task) {
                self.keyset_finished(position, finished);
            }
        }
    }

    /// The making of a keyset, which begins now.
    fn job(&self, position: usize) -> Job {
        let step = &self.plan.keysets[position];
        self.observer.on_event(&Event::KeysetStarted {
            id: step.id.clone(),
            action: step.action,
        });
        let lock = self.lock.as_ref();
        let pending = lock.and_then(|lock| lock.pending(&step.id, SystemTime::now()));
        if let Some(Pending::AddingKey(at_most)) = pending {
            self.observer.on_event(&Event::KeyAwaited {
                id: step.id.clone(),
                at_most,
            });
        }
        Job {
            client: self.client.clone(),
            lock: self.lock.clone(),
            cancellation: self.cancellation.clone(),
            id: step.id.clone(),
            action: step.action,
            pending,
            wait_for_others: self.wait_for_others,
        }
    }

    fn keyset_finished(
        &mut self,
        position: usize,
        finished: Result<(Provisioned, bool), tokio::task::JoinError>,
    ) {
        let outcome = &mut self.outcome.keysets[position];
        outcome.status = Status::Failed;
        match finished {
            Err(error) => {
                outcome.error = Some(Failure::internal(format!("the task ended early: {error}")));
            }
            Ok((provisioned, placeholder)) => {
                outcome.duration_ms = milliseconds(provisioned.duration);
                match provisioned.result {
                    Ok(KeyMade::Added { attempts }) => {
                        outcome.status = Status::Done;
                        outcome.attempts = attempts;
                        outcome.placeholder = placeholder;
                        self.breaker.succeeded();
                    }
                    Ok(KeyMade::FoundThere) => {
                        outcome.status = Status::Skipped;
                        outcome.how = Some("somebody else has added a key meanwhile".to_owned());
                        self.breaker.succeeded();
                    }
                    Err(ProvisionError::Create(error) | ProvisionError::Graph(error)) => {
                        outcome.attempts = error.attempts();
                        outcome.error = Some(Failure::of_call(&error));
                        self.breaker.failed(&error);
                    }
                    Err(ProvisionError::Stopped) => outcome.status = Status::NotStarted,
                    Err(error @ (ProvisionError::Contended(_) | ProvisionError::Lock(_))) => {
                        outcome.error = Some(Failure::internal(error.to_string()));
                    }
                }
            }
        }
        let (id, status) = (outcome.id.clone(), outcome.status);
        self.observer
            .on_event(&Event::KeysetFinished { id, status });
    }

    /// Writes the policies, each as soon as its base is done.
    async fn policies(&mut self) {
        let mut schedule = Schedule::new(&self.plan.policies);
        let unusable = self.forbid_by_keysets(&mut schedule);
        let mut running: JoinSet<Written> = JoinSet::new();
        let mut positions = HashMap::new();
        loop {
            while running.len() < self.concurrency
                && self.may_start()
                && let Some(position) = schedule.start()
            {
                let call = self.call(position);
                let task = running.spawn(call);
                positions.insert(task.id(), position);
            }
            let Some(finished) = running.join_next_with_id().await else {
                break;
            };
            let (task, finished) = match finished {
                Ok((task, finished)) => (task, Ok(finished)),
                Err(error) => (error.id(), Err(error)),
            };
            if let Some(position) = positions.remove(&task) {
                if self.policy_finished(position, finished) {
                    schedule.done(position);
                } else {
                    schedule.failed(position);
                }
            }
        }
        for position in 0..self.plan.policies.len() {
            let by = match schedule.state(position) {
                State::Blocked(cause) => self.blame(cause, &unusable),
                State::BlockedOutside => unusable.get(&position).cloned(),
                _ => continue,
            };
            let outcome = &mut self.outcome.policies[position];
            outcome.status = Status::Blocked;
            outcome.blocked_by = by;
            self.observer.on_event(&Event::PolicyFinished {
                id: outcome.id.clone(),
                action: outcome.action,
                status: Status::Blocked,
                attempts: 0,
                duration: Duration::ZERO,
            });
        }
    }

    /// What stands behind a blocked policy: the keyset if its cause lacks one, else the cause.
    fn blame(&self, cause: usize, unusable: &HashMap<usize, String>) -> Option<String> {
        let keyset = unusable.get(&cause).cloned();
        keyset.or_else(|| Some(self.plan.policies[cause].id.clone()))
    }

    /// Keeps policies from being tried that refer to a keyset which could not be made: the tenant
    /// would refuse them, or accept them and fail when users sign in.
    fn forbid_by_keysets(&self, schedule: &mut Schedule) -> HashMap<usize, String> {
        let failed: HashMap<String, &str> = self
            .outcome
            .keysets
            .iter()
            .filter(|keyset| keyset.status == Status::Failed)
            .map(|keyset| (fold(&keyset.id), keyset.id.as_str()))
            .collect();
        let mut unusable = HashMap::new();
        for (position, step) in self.plan.policies.iter().enumerate() {
            let mut keysets = step.keysets.iter();
            if let Some(keyset) = keysets.find_map(|keyset| failed.get(&fold(keyset))) {
                unusable.insert(position, (*keyset).to_owned());
                schedule.forbid(position);
            }
        }
        unusable
    }

    fn call(&self, position: usize) -> impl Future<Output = Written> + Send + 'static {
        let step = &self.plan.policies[position];
        self.observer.on_event(&Event::PolicyStarted {
            id: step.id.clone(),
            action: step.action,
        });
        let (client, id) = (self.client.clone(), step.id.clone());
        let upload = match step.action {
            PolicyAction::Delete => None,
            _ => self.local.find(&id).map(Upload::of),
        };
        async move {
            let started = Instant::now();
            let result = match upload {
                Some(upload) => upload.send(&client, &id).await,
                None => match client.delete_policy(&id).await {
                    Ok(_) => Ok(1),
                    Err(error) => Err(WriteError::Graph(error)),
                },
            };
            Written {
                result,
                duration: started.elapsed(),
            }
        }
    }

    /// Notes how a policy ended; whether it is as planned.
    fn policy_finished(
        &mut self,
        position: usize,
        finished: Result<Written, tokio::task::JoinError>,
    ) -> bool {
        let outcome = &mut self.outcome.policies[position];
        let mut duration = Duration::ZERO;
        outcome.status = Status::Failed;
        match finished {
            Err(error) => {
                outcome.error = Some(Failure::internal(format!("the task ended early: {error}")));
                self.unclear.push(position);
            }
            Ok(written) => {
                duration = written.duration;
                outcome.duration_ms = milliseconds(duration);
                match written.result {
                    Ok(attempts) => {
                        outcome.status = Status::Done;
                        outcome.attempts = attempts;
                        self.breaker.succeeded();
                    }
                    Err(WriteError::Other { attempts }) => {
                        outcome.attempts = attempts;
                        outcome.error = Some(Failure::internal(NOT_STORED));
                        self.unclear.push(position);
                    }
                    Err(WriteError::Graph(error)) => {
                        outcome.attempts = error.attempts();
                        outcome.error = Some(match self.local.find(&outcome.id) {
                            Some(policy) => Failure::of_upload(&error, policy, self.local),
                            None => Failure::of_call(&error),
                        });
                        let clear = error.rejection().is_some() && error.attempts() == 1;
                        if !clear {
                            self.unclear.push(position);
                        }
                        self.breaker.failed(&error);
                    }
                }
            }
        }
        self.observer.on_event(&Event::PolicyFinished {
            id: outcome.id.clone(),
            action: outcome.action,
            status: outcome.status,
            attempts: outcome.attempts,
            duration,
        });
        outcome.status == Status::Done
    }
}
