//! The JSON of a plan, which is also what the text for people and the Markdown are made from.
//!
//! These structs know nothing of plans and clients: whoever compares fills them. The file that
//! `plan --out` saves is another format, which only `deploy --plan` reads.

use std::io;

use serde::Serialize;

use super::SCHEMA_VERSION;
use super::deploy::Action;

/// What a deployment would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanJson {
    /// Version of this contract, see [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The command: `plan` or `rollback`.
    pub command: String,
    /// The tenant that was read.
    pub tenant: String,
    /// Whether the environment is marked production.
    pub production: bool,
    /// Whether the deployment would change anything.
    pub has_changes: bool,
    /// Whether any update can fail users while caches are old.
    pub is_breaking: bool,
    /// The keysets that the policies need, in the order of their first mention.
    pub keysets: Vec<PlannedKeysetJson>,
    /// The policies, bases first, deletions last.
    pub policies: Vec<PlannedPolicyJson>,
    /// Policies of the tenant that the deployment does not concern.
    pub only_in_tenant: Vec<String>,
    /// What was found in the files and in the tenant. With an error among it, the deployment would be
    /// refused.
    pub findings: Vec<PlanFindingJson>,
    /// The counts.
    pub summary: PlanSummaryJson,
}

/// What would happen to a keyset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedKeysetJson {
    /// Id with its prefix.
    pub id: String,
    /// What would be done.
    pub action: KeysetActionJson,
    /// What is wrong with the keys that are there.
    pub condition: KeysetConditionJson,
    /// How its key would be made, in words; names sources of secrets, never their values.
    pub how: Option<String>,
    /// Whether that follows from what the policies use it for, and is not configured.
    pub inferred: bool,
    /// When the last key expires, RFC 3339; `null` if one never does.
    pub expires: Option<String>,
    /// The policies that need it, each once.
    pub needed_by: Vec<String>,
}

/// What would be done with a keyset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeysetActionJson {
    /// Nothing: it has a key.
    Present,
    /// It would be created and get its first key.
    Create,
    /// It is there without a key and would get its first one.
    Fill,
    /// It is not usable, and nothing says how to make its key.
    Missing,
}

/// The state of the keys of a keyset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeysetConditionJson {
    /// Nothing is known against them.
    Good,
    /// They are of another sort than the policies need.
    WrongKind,
    /// The last one expires within 30 days.
    Expiring,
    /// The last one has expired.
    Expired,
}

/// What would happen to a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedPolicyJson {
    /// PolicyId.
    pub id: String,
    /// The file that the user edits; `null` for a deletion.
    pub file: Option<String>,
    /// What would be done.
    pub action: Action,
    /// The policy that it inherits from.
    pub base: Option<String>,
    /// Whether the update can fail users while caches are old.
    pub is_breaking: bool,
    /// What an update changes, by meaning.
    pub changes: Vec<ChangeJson>,
    /// The difference of the canonical forms as unified diff, if it was asked for.
    pub diff: Option<String>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeJson {
    /// What happened.
    pub kind: ChangeKindJson,
    /// The element from the outside in, each as its name with its id in quotes; empty for the policy.
    pub path: Vec<String>,
    /// The attribute, if it is one that changed.
    pub attribute: Option<String>,
    /// Text or value in the tenant.
    pub from: Option<String>,
    /// Text or value in the file.
    pub to: Option<String>,
    /// Policies of the tenant that use what is removed or gets another type.
    pub used_by: Vec<String>,
}

/// What happened to an element, a text or an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKindJson {
    /// The tenant does not have it.
    Added,
    /// Only the tenant has it.
    Removed,
    /// It has another text or value.
    Changed,
    /// Orchestration steps that are otherwise as they were have other numbers, in words: `2 to 4`.
    Renumbered,
    /// Its children stand in another order.
    Reordered,
    /// Text beside elements, or a namespace.
    Other,
    /// The tenant's text is not well-formed XML.
    Unreadable,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanFindingJson {
    /// The rule.
    pub rule: String,
    /// `error`, `warning` or `hint`.
    pub level: String,
    /// The finding.
    pub message: String,
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What to do about it.
    pub help: Option<String>,
}

/// The counts of a plan. Every policy is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanSummaryJson {
    /// Policies that the tenant does not have.
    pub create: u32,
    /// Policies of which the tenant has another version.
    pub update: u32,
    /// Policies that the tenant has as they are.
    pub unchanged: u32,
    /// Policies that would be removed.
    pub delete: u32,
    /// Policies of the tenant that the deployment does not concern; not among the others.
    pub only_in_tenant: u32,
    /// Keysets that would get a key.
    pub keysets: u32,
    /// Findings that stand against the deployment.
    pub errors: u32,
}

impl PlanJson {
    /// A plan of nothing, to be filled; [`PlanJson::count`] comes last.
    pub fn new(command: impl Into<String>, tenant: impl Into<String>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            command: command.into(),
            tenant: tenant.into(),
            production: false,
            has_changes: false,
            is_breaking: false,
            keysets: Vec::new(),
            policies: Vec::new(),
            only_in_tenant: Vec::new(),
            findings: Vec::new(),
            summary: PlanSummaryJson::default(),
        }
    }

    /// Fills what follows from the lists: the counts and the two answers above them.
    pub fn count(&mut self) {
        let counted = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let policies = |action: Action| {
            let policies = self.policies.iter();
            counted(policies.filter(|policy| policy.action == action).count())
        };
        let keysets = self.keysets.iter().filter(|keyset| {
            matches!(
                keyset.action,
                KeysetActionJson::Create | KeysetActionJson::Fill
            )
        });
        let errors = self.findings.iter().filter(|it| it.level == "error");
        self.summary = PlanSummaryJson {
            create: policies(Action::Create),
            update: policies(Action::Update),
            unchanged: policies(Action::Unchanged),
            delete: policies(Action::Delete),
            only_in_tenant: counted(self.only_in_tenant.len()),
            keysets: counted(keysets.count()),
            errors: counted(errors.count()),
        };
        let summary = &self.summary;
        self.has_changes = summary.create + summary.update + summary.delete + summary.keysets > 0;
        self.is_breaking = self.policies.iter().any(|policy| policy.is_breaking);
    }
}

/// Writes the plan as one indented JSON document.
///
/// # Errors
/// Only those of `out`.
pub fn render(plan: &PlanJson, out: &mut dyn io::Write) -> io::Result<()> {
    super::write(plan, out)
}
