//! The JSON of a deployment, which is also what the human table and the Markdown are made from.
//!
//! These structs know nothing of plans and clients: whoever deploys fills them.

use std::io;

use serde::Serialize;

use super::SCHEMA_VERSION;

/// What a deployment did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployJson {
    /// Version of this contract, see [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The command: `deploy` or `rollback`.
    pub command: String,
    /// The tenant that was written to, as a domain name.
    pub tenant: String,
    /// The keysets that the policies need, in the order of their ids.
    pub keysets: Vec<KeysetJson>,
    /// The policies, bases first.
    pub policies: Vec<PolicyJson>,
    /// The counts.
    pub summary: DeploySummaryJson,
    /// The folder in which everything was saved that was overwritten or created, for `rollback`.
    pub snapshot: Option<String>,
    /// Why not everything was tried, if so.
    pub stopped: Option<String>,
}

/// What happened to one keyset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeysetJson {
    /// Id with its prefix: `B2C_1A_TokenSigningKeyContainer`.
    pub id: String,
    /// What was to be done.
    pub action: Action,
    /// What came of it.
    pub status: Status,
    /// Why it failed; never holds a key or secret.
    pub error: Option<String>,
}

/// What happened to one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyJson {
    /// PolicyId.
    pub id: String,
    /// The file that the user edits; empty for a policy that exists only in the tenant.
    pub file: String,
    /// What was to be done.
    pub action: Action,
    /// What came of it.
    pub status: Status,
    /// How many uploads were sent.
    pub attempts: u32,
    /// From the first upload to the last answer, in milliseconds.
    pub duration_ms: u64,
    /// Why it failed: the headline of the tenant's answer or of the connection error.
    pub error: Option<String>,
    /// The single findings in the tenant's answer.
    pub error_items: Vec<ErrorItemJson>,
    /// The id by which the service's support finds the failed request.
    pub request_id: Option<String>,
    /// The id of the base or keyset that failed, for a policy that was therefore not tried.
    pub blocked_by: Option<String>,
}

/// One finding of the tenant, led back to the file that the user edits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorItemJson {
    /// The tenant's sentence.
    pub message: String,
    /// The file, where the place is known.
    pub file: Option<String>,
    /// Line in that file, from 1.
    pub line: Option<u32>,
    /// Column in characters, from 1.
    pub column: Option<u32>,
}

/// The counts of a deployment. Every policy is counted once, in one of `created` to `restored`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploySummaryJson {
    /// Policies that are new in the tenant.
    pub created: u32,
    /// Policies that were overwritten.
    pub updated: u32,
    /// Policies that were the same already.
    pub unchanged: u32,
    /// Policies that the tenant refused or that could not be sent.
    pub failed: u32,
    /// Policies that were removed from the tenant.
    pub deleted: u32,
    /// Policies that were not tried because a base or a keyset failed.
    pub blocked: u32,
    /// Policies that were not tried because the run was stopped.
    pub not_started: u32,
    /// Policies that were written and put back as they were.
    pub restored: u32,
    /// Keysets that failed.
    pub keysets_failed: u32,
    /// HTTP requests to Microsoft Graph, with repetitions.
    pub requests: u32,
    /// Repeated requests.
    pub retries: u32,
    /// The whole deployment, in milliseconds.
    pub duration_ms: u64,
}

/// What is to be done with a policy or keyset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It does not exist in the tenant.
    Create,
    /// It exists with other content.
    Update,
    /// Nothing to do.
    Unchanged,
    /// It is to be removed from the tenant.
    Delete,
}

/// What came of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was carried out.
    Done,
    /// There was nothing to do.
    Skipped,
    /// The tenant refused it, or it could not be sent.
    Failed,
    /// A base or a keyset failed, so it was not tried.
    Blocked,
    /// It was not tried, because the run was stopped: somebody interrupted it, or the tenant refused
    /// or did not answer.
    NotStarted,
    /// It was carried out and taken back.
    Restored,
}

impl DeployJson {
    /// A result without keysets and policies, to be filled.
    pub fn new(command: impl Into<String>, tenant: impl Into<String>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            command: command.into(),
            tenant: tenant.into(),
            keysets: Vec::new(),
            policies: Vec::new(),
            summary: DeploySummaryJson::default(),
            snapshot: None,
            stopped: None,
        }
    }
}

/// Writes the result as one indented JSON document.
///
/// # Errors
/// Only those of `out`.
pub fn render(deployment: &DeployJson, out: &mut dyn io::Write) -> io::Result<()> {
    super::write(deployment, out)
}
