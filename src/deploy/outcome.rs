//! What became of a plan.

use std::path::PathBuf;

use serde::{Serialize, Serializer};

use super::failure::Failure;
use super::plan::{KeysetAction, PolicyAction};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is as planned.
    Done,
    /// There was nothing to do.
    Skipped,
    /// It was tried and failed.
    Failed,
    /// It was not tried, because something that it needs failed.
    Blocked,
    /// It was written, and put back because the deployment failed.
    Restored,
    /// It was not tried, because the deployment was stopped.
    NotStarted,
}

/// What became of a keyset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeysetOutcome {
    /// Its id.
    pub id: String,
    /// What was planned.
    pub action: KeysetAction,
    /// How it ended.
    pub status: Status,
    /// How its key was made, in words: `generated RSA key (sig)`.
    pub how: Option<String>,
    /// Whether a random value took the place of a secret that nobody gave.
    pub placeholder: bool,
    /// How often the call that adds the key was sent.
    pub attempts: u32,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Why it failed.
    pub error: Option<Failure>,
}

/// What became of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyOutcome {
    /// Its id.
    pub id: String,
    /// Its file; none for a deletion.
    pub file: Option<String>,
    /// What was planned.
    pub action: PolicyAction,
    /// How it ended.
    pub status: Status,
    /// How often it was sent.
    pub attempts: u32,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Why it failed, or why it could not be put back.
    pub error: Option<Failure>,
    /// The policy or keyset whose failure keeps this one from being tried.
    pub blocked_by: Option<String>,
}

/// Policies and calls, counted. `created` to `restored` add up to the number of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeSummary {
    /// Policies that the tenant did not have.
    pub created: usize,
    /// Policies that were replaced.
    pub updated: usize,
    /// Policies that were as planned before.
    pub unchanged: usize,
    /// Policies that were deleted.
    pub deleted: usize,
    /// Policies that failed.
    pub failed: usize,
    /// Policies that were not tried because of others.
    pub blocked: usize,
    /// Policies that were not tried because the deployment was stopped.
    pub not_started: usize,
    /// Policies that were put back.
    pub restored: usize,
    /// Keysets that failed; they are not among the policies.
    pub keysets_failed: usize,
    /// Requests to Microsoft Graph, repetitions included, since the client was made.
    pub requests: u64,
    /// Repetitions among them.
    pub retries: u64,
    /// How long the execution took, in milliseconds.
    pub duration_ms: u64,
}

/// Why not everything was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "reason", content = "message")]
pub enum Stop {
    /// Somebody asked for it.
    Interrupted,
    /// The tenant accepts nothing from this application: sign-in or permission.
    Refused(String),
    /// The tenant does not answer.
    Unreachable(String),
}

/// What became of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The tenant, as it was named.
    pub tenant: String,
    /// The keysets, in the order of the plan.
    pub keysets: Vec<KeysetOutcome>,
    /// The policies, in the order of the plan.
    pub policies: Vec<PolicyOutcome>,
    /// All of it, counted.
    pub summary: OutcomeSummary,
    /// Where the overwritten policies were saved.
    #[serde(serialize_with = "path")]
    pub snapshot: Option<PathBuf>,
    /// Why not everything was tried, if so.
    pub stopped: Option<Stop>,
}

impl Outcome {
    /// Whether the tenant is as planned.
    pub fn is_complete(&self) -> bool {
        let ended = |status| matches!(status, Status::Done | Status::Skipped);
        self.keysets.iter().all(|keyset| ended(keyset.status))
            && self.policies.iter().all(|policy| ended(policy.status))
    }

    /// What became of this policy, without regard to case.
    pub fn policy(&self, id: &str) -> Option<&PolicyOutcome> {
        self.policies
            .iter()
            .find(|policy| policy.id.eq_ignore_ascii_case(id))
    }

    /// What became of this keyset, without regard to case.
    pub fn keyset(&self, id: &str) -> Option<&KeysetOutcome> {
        self.keysets
            .iter()
            .find(|keyset| keyset.id.eq_ignore_ascii_case(id))
    }

    /// Counts the steps anew; the figures of calls and time stay.
    pub fn count(&mut self) {
        let summary = &mut self.summary;
        *summary = OutcomeSummary {
            requests: summary.requests,
            retries: summary.retries,
            duration_ms: summary.duration_ms,
            ..OutcomeSummary::default()
        };
        for policy in &self.policies {
            let counter = match (policy.status, policy.action) {
                (Status::Failed, _) => &mut summary.failed,
                (Status::Blocked, _) => &mut summary.blocked,
                (Status::NotStarted, _) => &mut summary.not_started,
                (Status::Restored, _) => &mut summary.restored,
                (Status::Done | Status::Skipped, PolicyAction::Create) => &mut summary.created,
                (Status::Done | Status::Skipped, PolicyAction::Update) => &mut summary.updated,
                (Status::Done | Status::Skipped, PolicyAction::Delete) => &mut summary.deleted,
                (Status::Done | Status::Skipped, PolicyAction::Unchanged) => &mut summary.unchanged,
            };
            *counter += 1;
        }
        let failed = self
            .keysets
            .iter()
            .filter(|keyset| keyset.status == Status::Failed);
        summary.keysets_failed = failed.count();
    }
}

fn path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => serializer.collect_str(&path.display()),
        None => serializer.serialize_none(),
    }
}
