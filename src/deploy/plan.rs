//! What a deployment will do, as data: every output, the dry run, the saved plan and the execution
//! use the same value. Building one touches nothing.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::diagnostics::{Diagnostic, Level};

use super::difference::Difference;
use super::impact::Impact;
use super::place::Place;
use super::preconditions;
use super::{Fingerprint, KeyContent, Local, Recipe, Remote, Usage, fold, keyset_plan};

/// Version of the written form of [`Plan`].
pub const PLAN_VERSION: u32 = 1;

/// What is to be done to a tenant, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub schema_version: u32,
    /// The tenant, as it was named.
    pub tenant: String,
    /// The tenant's id, where the token tells it.
    pub tenant_id: Option<String>,
    /// Whether the environment is marked production.
    #[serde(default)]
    pub production: bool,
    /// The keysets that the policies refer to, in the order of their first mention.
    pub keysets: Vec<KeysetStep>,
    /// The policies, every base before the policies that inherit from it; deletions come last, each
    /// policy before its base.
    pub policies: Vec<PolicyStep>,
    /// Policies of the tenant that this deployment does not concern.
    pub only_in_tenant: Vec<String>,
}

/// What happens to a keyset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeysetAction {
    /// It has a key and is left alone.
    Present,
    /// It is created and gets its first key.
    Create,
    /// It exists without any key, as an interrupted run leaves it, and gets its first one.
    Fill,
    /// It is not usable, and nothing says where its key would come from.
    Missing,
}

/// What is wrong with the keys of a keyset that is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeysetCondition {
    /// Nothing that is known.
    #[default]
    Good,
    /// They are of another sort than the policies need.
    WrongKind,
    /// The last one expires within 30 days.
    Expiring,
    /// The last one has expired.
    Expired,
}

/// One keyset of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeysetStep {
    /// Its id with the prefix `B2C_1A_`.
    pub id: String,
    /// What happens to it.
    pub action: KeysetAction,
    /// Where its key comes from, if it needs one.
    pub content: Option<KeyContent>,
    /// Whether that follows from what the policies use it for, and is not configured.
    pub inferred: bool,
    /// When the last key that the tenant has expires: UTC, RFC 3339. None if there is no key, or one
    /// that never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// What is wrong with the keys that the tenant has.
    #[serde(default)]
    pub condition: KeysetCondition,
    /// The elements that need it.
    pub needed_by: Vec<Need>,
}

/// An element that needs a keyset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Need {
    /// The policy.
    pub policy_id: String,
    /// The technical profile; empty where another element needs it.
    pub technical_profile: String,
    /// `@Id` of the key there (`client_secret`, `issuer_secret`, …).
    pub key: String,
    /// Where.
    pub place: Place,
}

/// What happens to a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyAction {
    /// The tenant does not have it.
    Create,
    /// The tenant has another version of it.
    Update,
    /// The tenant has it as it is.
    Unchanged,
    /// The tenant has it and shall not.
    Delete,
}

impl PolicyAction {
    /// Whether it changes the tenant.
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Unchanged)
    }
}

/// One policy of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStep {
    /// The id as its file writes it; as the tenant writes it for a deletion.
    pub id: String,
    /// What happens to it.
    pub action: PolicyAction,
    /// Its file and the place of its id there; none for a deletion.
    pub place: Option<Place>,
    /// The policy that it inherits from.
    pub base: Option<String>,
    /// Ids of the keysets that its file refers to.
    pub keysets: Vec<String>,
    /// Size of what is uploaded, in bytes.
    pub bytes: usize,
    /// Identifies the file's policy.
    pub local: Option<Fingerprint>,
    /// Identifies the tenant's policy.
    pub remote: Option<Fingerprint>,
    /// What an update changes, by meaning.
    pub difference: Option<Difference>,
}

impl PolicyStep {
    /// The file, as shown to the user.
    pub fn file(&self) -> Option<&str> {
        Some(&self.place.as_ref()?.file)
    }
}

/// Who the tenant is that was signed in to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TenantIdentity {
    /// The tenant as the user or the policies name it: a domain or an id.
    pub name: String,
    /// The id that the token carries; `None` for an emulated tenant, whose id is invented and cannot
    /// contradict what the files say.
    pub id: Option<String>,
    /// Further names that are known to be the same tenant, for example verified domains.
    pub aliases: Vec<String>,
}

/// Choices for [`build`].
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Where keys come from that the user configured.
    pub recipes: Vec<Recipe>,
    /// The environment is marked production.
    pub production: bool,
    /// Keysets that nobody gave a key for get a random one: only for the emulator.
    pub placeholder_secrets: bool,
    /// Ids of policies that are to be deleted where the tenant has them. The caller knows that they
    /// are its own; policies of the set are never among the deletions.
    pub delete: Vec<String>,
    /// The current time, to notice keys that expire soon; none looks for no such keys.
    pub now: Option<SystemTime>,
}

/// A plan with what stands against it.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What would be done.
    pub plan: Plan,
    /// What was found before any write, in the order of the files; a finding of level error means
    /// that the plan must not be executed.
    pub findings: Vec<Diagnostic>,
}

impl Planned {
    /// Whether the plan must not be executed.
    pub fn is_blocked(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.level == Level::Error)
    }
}

/// Why a saved plan cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is not what [`Plan::to_json`] writes.
    #[error("this is no saved plan: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It was written by a version of this tool that writes plans in another way.
    #[error("the plan has format {found}, but this version reads {PLAN_VERSION}; make a new plan")]
    Version {
        /// The format.
        found: u64,
    },
}

impl Plan {
    /// The written form, to be read by [`Plan::from_json`]. Holds no secret.
    pub fn to_json(&self) -> String {
        // Plain data with text keys; writing it cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads the written form.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        if let Some(found) = value
            .get("schemaVersion")
            .and_then(serde_json::Value::as_u64)
            && found != u64::from(PLAN_VERSION)
        {
            return Err(PlanError::Version { found });
        }
        Ok(serde_json::from_value(value)?)
    }

    /// Whether this plan was made for the tenant that was signed in to.
    pub fn is_for(&self, tenant: &TenantIdentity) -> bool {
        match (&self.tenant_id, &tenant.id) {
            (Some(planned), Some(id)) => planned.eq_ignore_ascii_case(id),
            _ => {
                let mut names = std::iter::once(&tenant.name).chain(&tenant.aliases);
                names.any(|name| name.eq_ignore_ascii_case(&self.tenant))
            }
        }
    }

    /// Whether executing it would change the tenant.
    pub fn has_changes(&self) -> bool {
        let keysets = self
            .keysets
            .iter()
            .any(|step| step.action != KeysetAction::Present);
        keysets || self.policies.iter().any(|step| step.action.writes())
    }

    /// How many policies are treated this way.
    pub fn count(&self, action: PolicyAction) -> usize {
        self.policies
            .iter()
            .filter(|step| step.action == action)
            .count()
    }

    /// The step of this policy, without regard to case.
    pub fn policy(&self, id: &str) -> Option<&PolicyStep> {
        self.policies
            .iter()
            .find(|step| step.id.eq_ignore_ascii_case(id))
    }
}

/// Compares what is wanted with what is there. Pure; never fails: whatever stands against the
/// deployment is in the findings.
pub fn build(
    tenant: &TenantIdentity,
    local: &Local,
    remote: &Remote,
    options: &PlanOptions,
) -> Planned {
    let mut findings = Vec::new();
    let keysets = keyset_plan::build(local, remote, options, &mut findings);
    let impact = Impact::new(local, remote);
    let mut policies: Vec<PolicyStep> = Vec::with_capacity(local.policies.len());
    for policy in &local.policies {
        let existing = remote.policy(&policy.id);
        let action = match existing {
            Some(existing) if existing.canonical.as_ref() == Some(&policy.canonical) => {
                PolicyAction::Unchanged
            }
            Some(_) => PolicyAction::Update,
            None => PolicyAction::Create,
        };
        let mut keysets: Vec<String> = Vec::new();
        for reference in &policy.keysets {
            let id = keyset_plan::prefixed(&reference.keyset);
            if !keysets.iter().any(|known| known.eq_ignore_ascii_case(&id)) {
                keysets.push(id);
            }
        }
        policies.push(PolicyStep {
            id: policy.id.clone(),
            action,
            place: Some(local.place(policy.location)),
            base: policy.base.as_ref().map(|base| base.id.clone()),
            keysets,
            bytes: policy.text.len(),
            local: Some(policy.fingerprint()),
            remote: existing.map(super::RemotePolicy::fingerprint),
            difference: existing
                .filter(|_| action == PolicyAction::Update)
                .map(|existing| impact.difference(existing, policy)),
        });
    }
    policies.extend(deletions(local, remote, &options.delete));
    preconditions::check(tenant, local, remote, options, &policies, &mut findings);
    findings.sort_by_key(|finding| finding.primary.location);

    let concerned: std::collections::HashSet<String> =
        policies.iter().map(|step| fold(&step.id)).collect();
    let foreign = remote
        .policies
        .iter()
        .filter(|id| !concerned.contains(&fold(id)));
    Planned {
        plan: Plan {
            schema_version: PLAN_VERSION,
            tenant: tenant.name.clone(),
            tenant_id: tenant.id.clone(),
            production: options.production,
            keysets,
            only_in_tenant: foreign.cloned().collect(),
            policies,
        },
        findings,
    }
}

/// The deletions, each policy before its base as far as the bases are known.
fn deletions(local: &Local, remote: &Remote, delete: &[String]) -> Vec<PolicyStep> {
    let mut steps: Vec<PolicyStep> = Vec::new();
    for id in delete {
        let known = steps.iter().any(|step| step.id.eq_ignore_ascii_case(id));
        if known || local.find(id).is_some() || !remote.has_policy(id) {
            continue;
        }
        let existing = remote.policy(id);
        steps.push(PolicyStep {
            id: existing.map_or_else(|| id.clone(), |existing| existing.id.clone()),
            action: PolicyAction::Delete,
            place: None,
            base: existing.and_then(|existing| existing.base.clone()),
            keysets: Vec::new(),
            bytes: 0,
            local: None,
            remote: existing.map(super::RemotePolicy::fingerprint),
            difference: None,
        });
    }
    let depth = |step: &PolicyStep| {
        let mut depth = 0;
        let mut base = step.base.clone();
        while let Some(id) = base
            && depth <= steps.len()
        {
            depth += 1;
            base = remote.policy(&id).and_then(|policy| policy.base.clone());
        }
        depth
    };
    let mut order: Vec<(usize, usize)> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| (depth(step), index))
        .collect();
    order.sort_by_key(|(depth, index)| (std::cmp::Reverse(*depth), *index));
    order
        .into_iter()
        .map(|(_, index)| steps[index].clone())
        .collect()
}

impl KeysetStep {
    /// What its key has to be for, as far as that is known.
    pub fn usage(&self) -> Option<Usage> {
        self.content.as_ref().and_then(KeyContent::usage)
    }
}
