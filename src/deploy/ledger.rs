//! What a project deployed to a tenant, kept in a file per project and tenant: ids and fingerprints,
//! no content and no secret. Only what stands here is ever pruned, so a ledger that is lost or not
//! there, as in a fresh checkout, makes pruning do nothing; it never makes it do too much.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, Status};
use super::plan::{Plan, PolicyAction, TenantIdentity};
use super::{Fingerprint, file_name, fold};

/// Version of the file.
const VERSION: u32 = 1;

/// Why a ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file or folder cannot be read or written.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried, as the beginning of a sentence.
        action: &'static str,
        /// Where.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is damaged, of another version, or about something else.
    #[error("{path} is no record of deployments that can be used: {reason}")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// For whom policies are recorded. Two scopes never prune each other's policies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// The environment, as its definition spells it.
    pub environment: Option<String>,
    /// The prefix of a copy; empty for the policies themselves.
    pub prefix: String,
    /// The suffix of a copy.
    pub suffix: String,
}

/// A policy that a project deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owned {
    /// Its id.
    pub id: String,
    /// What was deployed. More than one where it is not known for sure which version got there.
    pub fingerprints: Vec<Fingerprint>,
    #[serde(flatten)]
    scope: Scope,
}

impl Owned {
    /// A record outside of any environment and copy.
    pub fn new(id: String, fingerprints: Vec<Fingerprint>) -> Self {
        let scope = Scope {
            environment: None,
            prefix: String::new(),
            suffix: String::new(),
        };
        Self {
            id,
            fingerprints,
            scope,
        }
    }
}

/// The written form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    schema_version: u32,
    project: String,
    tenant: String,
    policies: Vec<Owned>,
}

/// The record of one project in one tenant, seen from one scope.
#[derive(Debug, Clone)]
pub struct Ledger {
    path: PathBuf,
    scope: Scope,
    record: Record,
    is_new: bool,
}

impl Ledger {
    /// Opens the record below `root`; an empty one if there is none yet.
    ///
    /// # Errors
    /// [`LedgerError`]: what is there cannot be trusted, so nothing may be pruned or recorded.
    pub fn open(
        root: &Path,
        project: &str,
        tenant: &TenantIdentity,
        scope: Scope,
    ) -> Result<Self, LedgerError> {
        let name = fold(tenant.id.as_deref().unwrap_or(&tenant.name));
        let path = root
            .join(file_name(project))
            .join(format!("{}.json", file_name(&name)));
        let mut ledger = Self {
            scope,
            record: Record {
                schema_version: VERSION,
                project: project.to_owned(),
                tenant: name,
                policies: Vec::new(),
            },
            is_new: true,
            path,
        };
        let text = match fs::read_to_string(&ledger.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ledger),
            Err(error) => return Err(ledger.failed("cannot read", error)),
        };
        let unusable = |reason: String| LedgerError::Unusable {
            path: ledger.path.display().to_string(),
            reason,
        };
        let record: Record =
            serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        if record.schema_version != VERSION {
            return Err(unusable(format!(
                "it has version {}",
                record.schema_version
            )));
        }
        if record.project != ledger.record.project || record.tenant != ledger.record.tenant {
            return Err(unusable(format!(
                "it is about project `{}` in tenant {}",
                record.project, record.tenant
            )));
        }
        ledger.record = record;
        ledger.is_new = false;
        Ok(ledger)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing was recorded before.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// What was deployed in this scope and in no other.
    pub fn owned(&self) -> Vec<Owned> {
        let others = self.of_others();
        let policies = self.record.policies.iter();
        policies
            .filter(|owned| owned.scope == self.scope && !others.contains(&fold(&owned.id)))
            .cloned()
            .collect()
    }

    /// Notes what a plan is about to store, before its first write, so that an interrupted run
    /// leaves nothing behind that nobody knows of.
    ///
    /// # Errors
    /// [`LedgerError::Io`].
    pub fn intend(&mut self, plan: &Plan) -> Result<(), LedgerError> {
        for step in &plan.policies {
            if let Some(fingerprint) = &step.local {
                let owned = self.entry(&step.id);
                if !owned.fingerprints.contains(fingerprint) {
                    owned.fingerprints.push(fingerprint.clone());
                }
            }
        }
        self.save()
    }

    /// What other scopes deployed, by folded id.
    fn of_others(&self) -> HashSet<String> {
        let policies = self.record.policies.iter();
        let others = policies.filter(|owned| owned.scope != self.scope);
        others.map(|owned| fold(&owned.id)).collect()
    }

    /// Notes what became of the plan. If it pruned, this scope gives up what it shares with others
    /// and does not contain any more, so that the last one to do so deletes it.
    ///
    /// # Errors
    /// [`LedgerError::Io`].
    pub fn conclude(
        &mut self,
        plan: &Plan,
        outcome: &Outcome,
        pruned: bool,
    ) -> Result<(), LedgerError> {
        if pruned {
            let (others, scope) = (self.of_others(), self.scope.clone());
            self.record.policies.retain(|owned| {
                let gone = plan.policy(&owned.id).is_none() && others.contains(&fold(&owned.id));
                owned.scope != scope || !gone
            });
        }
        for result in &outcome.policies {
            if !matches!(result.status, Status::Done | Status::Skipped) {
                continue;
            }
            if result.action == PolicyAction::Delete {
                let (id, scope) = (fold(&result.id), self.scope.clone());
                let policies = &mut self.record.policies;
                policies.retain(|owned| owned.scope != scope || fold(&owned.id) != id);
            } else if let Some(step) = plan.policy(&result.id)
                && let Some(fingerprint) = &step.local
            {
                self.entry(&step.id).fingerprints = vec![fingerprint.clone()];
            }
        }
        self.save()
    }

    fn entry(&mut self, id: &str) -> &mut Owned {
        let policies = &mut self.record.policies;
        let known = policies
            .iter()
            .position(|owned| owned.scope == self.scope && owned.id.eq_ignore_ascii_case(id));
        let position = known.unwrap_or_else(|| {
            policies.push(Owned {
                scope: self.scope.clone(),
                ..Owned::new(id.to_owned(), Vec::new())
            });
            policies.len() - 1
        });
        &mut policies[position]
    }

    /// Writes the file in one step, sorted, so that it can be kept in a repository.
    fn save(&mut self) -> Result<(), LedgerError> {
        let order = |owned: &Owned| (owned.scope.clone(), fold(&owned.id));
        self.record.policies.sort_by_key(order);
        // Plain data with text keys; writing it cannot fail.
        let mut text = serde_json::to_string_pretty(&self.record).unwrap_or_default();
        text.push('\n');
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|error| self.failed("cannot create", error))?;
        let temporary = self.temporary();
        let written = File::create(&temporary)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&temporary, &self.path));
        written.map_err(|error| {
            // What is left of it helps nobody; that it cannot be removed changes nothing.
            let _ = fs::remove_file(&temporary);
            self.failed("cannot write", error)
        })
    }

    /// A file of this process. One that an interrupted process left is removed.
    fn temporary(&self) -> PathBuf {
        let own = |id: &str| {
            let mut path = self.path.clone().into_os_string();
            path.push(format!(".{id}.tmp"));
            PathBuf::from(path)
        };
        let this = own(&std::process::id().to_string());
        let name = self.path.file_name().unwrap_or_default();
        let prefix = format!("{}.", name.to_string_lossy());
        let folder = self.path.parent().unwrap_or(Path::new("."));
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let other = entry.file_name();
            let other = other.to_string_lossy();
            let is_temporary = other.starts_with(&prefix) && other.ends_with(".tmp");
            if is_temporary && is_old(&entry) {
                // It is of no use to anybody; that it stays harms nobody either.
                let _ = fs::remove_file(entry.path());
            }
        }
        this
    }

    fn failed(&self, action: &'static str, source: io::Error) -> LedgerError {
        LedgerError::Io {
            action,
            path: self.path.display().to_string(),
            source,
        }
    }
}

/// Whether no running process can be writing this file any more.
fn is_old(entry: &fs::DirEntry) -> bool {
    const LONG: Duration = Duration::from_secs(60);
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    let age = modified.map(|modified| modified.elapsed());
    matches!(age, Ok(Ok(age)) if age > LONG)
}
