//! Puts a tenant back to the state that a plan was made for.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::msgraph::GraphClient;

use super::failure::Failure;
use super::outcome::{Outcome, Status};
use super::plan::{Plan, PolicyAction};
use super::upload::Upload;
use super::{Event, Observer, Remote};

/// Calls at a time. A tenant that has just refused something is treated gently.
const CONCURRENCY: usize = 4;

/// One policy that is to be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Undo {
    position: usize,
    id: String,
    /// The text to be stored again; `None` for a policy that is to be deleted.
    text: Option<String>,
    /// How many ancestors it has in the plan.
    depth: usize,
}

/// Puts back what a deployment wrote: first deletes what it created, children before bases, then
/// stores again what it replaced or deleted, bases before children. `unclear` are failed steps that
/// may have taken effect. Keysets stay: a key that was made harms nobody, and cannot be made again.
pub(super) async fn restore(
    client: &GraphClient,
    plan: &Plan,
    remote: &Remote,
    unclear: &[usize],
    outcome: &mut Outcome,
    observer: &dyn Observer,
) {
    let mut undo: Vec<Undo> = Vec::new();
    for (position, step) in plan.policies.iter().enumerate() {
        let written = outcome.policies[position].status == Status::Done && step.action.writes();
        if !written && !unclear.contains(&position) {
            continue;
        }
        let text = match step.action {
            PolicyAction::Create => None,
            _ => remote.policy(&step.id).map(|policy| policy.text.clone()),
        };
        undo.push(Undo {
            position,
            id: step.id.clone(),
            text,
            depth: depth(plan, position),
        });
    }
    if undo.is_empty() {
        return;
    }
    observer.on_event(&Event::Restoring {
        policies: undo.len(),
    });
    let (mut store, mut delete): (Vec<Undo>, Vec<Undo>) =
        undo.into_iter().partition(|undo| undo.text.is_some());
    delete.sort_by_key(|undo| std::cmp::Reverse(undo.depth));
    store.sort_by_key(|undo| undo.depth);
    for mut pending in [delete, store] {
        // What fails may succeed once the others are back; it is tried again as long as that helps.
        loop {
            let count = pending.len();
            let failed = attempt(client, pending, outcome, observer).await;
            if failed.is_empty() || failed.len() == count {
                break;
            }
            pending = failed;
        }
    }
}

/// The number of ancestors that are in the plan.
fn depth(plan: &Plan, position: usize) -> usize {
    let mut depth = 0;
    let mut base = plan.policies[position].base.as_deref();
    while let Some(step) = base.and_then(|base| plan.policy(base))
        && depth < plan.policies.len()
    {
        depth += 1;
        base = step.base.as_deref();
    }
    depth
}

/// Tries all once, those of one depth together; gives back those that failed.
async fn attempt(
    client: &GraphClient,
    undo: Vec<Undo>,
    outcome: &mut Outcome,
    observer: &dyn Observer,
) -> Vec<Undo> {
    let mut failed = Vec::new();
    for wave in undo.chunk_by(|a, b| a.depth == b.depth) {
        let mut waiting = wave.iter();
        let mut running: JoinSet<(Undo, Result<(), Failure>)> = JoinSet::new();
        loop {
            while running.len() < CONCURRENCY
                && let Some(undo) = waiting.next()
            {
                let (client, undo) = (client.clone(), undo.clone());
                running.spawn(async move {
                    let result = match &undo.text {
                        Some(text) => {
                            let upload = Upload::again(&undo.id, text);
                            let sent = upload.send(&client, &undo.id).await;
                            sent.map(drop).map_err(|error| error.failure())
                        }
                        None => match client.delete_policy(&undo.id).await {
                            Ok(_) => Ok(()),
                            Err(error) => Err(Failure::of_call(&error)),
                        },
                    };
                    (undo, result)
                });
            }
            let Some(finished) = running.join_next().await else {
                break;
            };
            match finished {
                Ok((undo, result)) => {
                    note(&undo, &result, outcome, observer);
                    if result.is_err() {
                        failed.push(undo);
                    }
                }
                Err(error) => {
                    if let Ok(panic) = error.try_into_panic() {
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        }
    }
    failed.sort_by_key(|undo| undo.position);
    failed
}

fn note(undo: &Undo, result: &Result<(), Failure>, outcome: &mut Outcome, observer: &dyn Observer) {
    let policy = &mut outcome.policies[undo.position];
    // A step that failed stays failed: its own error is what the user has to know.
    let failed_itself = policy.status == Status::Failed && policy.error.is_some();
    match result {
        Ok(()) => {
            if !failed_itself || policy.error.as_ref().is_some_and(is_of_restoring) {
                policy.status = Status::Restored;
                policy.error = None;
            }
        }
        Err(error) => {
            let mut failure = error.clone();
            let state = if undo.text.is_some() {
                "the tenant has the new version, which could not be put back"
            } else {
                "the tenant has the new policy, which could not be deleted again"
            };
            failure.message = format!("{NOT_RESTORED}{state}: {}", error.message);
            if !failed_itself {
                policy.status = Status::Failed;
                policy.error = Some(failure);
            }
        }
    }
    // Its own failure was told before, and it is still the one that counts.
    if failed_itself && policy.status == Status::Failed {
        return;
    }
    observer.on_event(&Event::PolicyFinished {
        id: policy.id.clone(),
        action: policy.action,
        status: policy.status,
        attempts: policy.attempts,
        duration: Duration::ZERO,
    });
}

/// How the message of a policy begins that could not be put back.
pub const NOT_RESTORED: &str = "not restored: ";

fn is_of_restoring(failure: &Failure) -> bool {
    failure.message.starts_with(NOT_RESTORED)
}
