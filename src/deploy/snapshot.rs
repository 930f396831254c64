//! What a deployment overwrites or deletes, saved before its first write: plain XML files in a
//! folder per tenant and time, with a manifest. Who opens the folder can restore it by hand.
//!
//! A snapshot is complete or not there: it is written under another name, flushed to the disk, and
//! renamed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::execute::ExecuteOptions;
use super::plan::{Plan, PolicyAction};
use super::{Fingerprint, Remote, RemotePolicy, file_name, fold, utc};

/// Version of the manifest.
const VERSION: u32 = 1;

/// The name of the manifest in its folder.
pub(super) const MANIFEST: &str = "manifest.json";

/// The name of the plan in its folder.
pub(super) const PLAN: &str = "plan.json";

/// The end of the name of a snapshot that is being written.
pub(super) const INCOMPLETE: &str = ".incomplete";

/// Why a snapshot cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A file or folder cannot be written or read.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried, as the beginning of a sentence.
        action: &'static str,
        /// Where.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The manifest is damaged or of another version.
    #[error("{path} is no manifest of a snapshot that this version reads: {reason}")]
    Manifest {
        /// The manifest.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of the snapshot is not what was saved.
    #[error("{path} was changed since it was saved; restore it by hand if that is wanted")]
    Changed {
        /// The file.
        path: String,
    },
    /// The state that was read does not hold what the plan overwrites.
    #[error(
        "the content of policy {0} was not read, so it cannot be saved before it is overwritten"
    )]
    NotRead(String),
    /// There is nothing to restore.
    #[error("there is no snapshot of tenant {tenant} in {folder}")]
    None {
        /// The tenant.
        tenant: String,
        /// Where was looked.
        folder: String,
    },
}

/// A snapshot that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its folder.
    pub folder: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
}

/// The contents of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of this format.
    pub schema_version: u32,
    /// The tenant, as it was named.
    pub tenant: String,
    /// The tenant's id, where known.
    pub tenant_id: Option<String>,
    /// Whether the deployment was for an environment marked production.
    #[serde(default)]
    pub production: bool,
    /// The command that was about to write: `deploy`, `rollback` or `destroy`.
    #[serde(default = "deploy")]
    pub command: String,
    /// Whether the tenant was an emulated one, which may have the name of a real one.
    #[serde(default)]
    pub emulated: bool,
    /// When it was saved: UTC, RFC 3339.
    pub created: String,
    /// The policies that the deployment was about to write or delete, in the order of the plan:
    /// every base before the policies that inherit from it.
    pub policies: Vec<SavedPolicy>,
}

fn deploy() -> String {
    "deploy".to_owned()
}

/// One policy of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedPolicy {
    /// Its id.
    pub id: String,
    /// What the deployment was about to do.
    pub action: PolicyAction,
    /// Its file in the folder; none if the tenant did not have the policy.
    pub file: Option<String>,
    /// Identifies the file's text, byte by byte.
    pub text: Option<Fingerprint>,
    /// The policy that it was about to inherit from.
    pub base: Option<String>,
    /// Identifies what the deployment was about to store.
    pub deployed: Option<Fingerprint>,
}

/// Everything that is to be written, in memory.
#[derive(Debug)]
pub(super) struct Contents {
    manifest: Manifest,
    plan: String,
    files: Vec<(String, String)>,
}

impl Contents {
    /// Collects what the plan will overwrite or delete.
    pub(super) fn new(
        plan: &Plan,
        remote: &Remote,
        options: &ExecuteOptions,
        now: SystemTime,
    ) -> Result<Self, SnapshotError> {
        let mut files = Vec::new();
        let mut policies = Vec::new();
        for step in plan.policies.iter().filter(|step| step.action.writes()) {
            let mut saved = SavedPolicy {
                id: step.id.clone(),
                action: step.action,
                file: None,
                text: None,
                base: step.base.clone(),
                deployed: step.local.clone(),
            };
            if step.action != PolicyAction::Create {
                let Some(policy) = remote.policy(&step.id) else {
                    return Err(SnapshotError::NotRead(step.id.clone()));
                };
                let file = format!("{}.xml", file_name(&step.id));
                saved.text = Some(Fingerprint::of(&policy.text));
                saved.file = Some(file.clone());
                files.push((file, policy.text.clone()));
            }
            policies.push(saved);
        }
        let manifest = Manifest {
            schema_version: VERSION,
            tenant: plan.tenant.clone(),
            tenant_id: plan.tenant_id.clone(),
            production: plan.production,
            command: options.command.to_owned(),
            emulated: options.emulated,
            created: utc::rfc3339(now),
            policies,
        };
        // Plain data; writing it as JSON cannot fail.
        let plan = serde_json::to_string_pretty(plan).unwrap_or_default();
        Ok(Self {
            manifest,
            plan,
            files,
        })
    }

    /// Writes the snapshot below `root`, in a folder per tenant and time.
    pub(super) fn save(self, root: &Path, now: SystemTime) -> Result<Snapshot, SnapshotError> {
        let tenant = root.join(file_name(&fold(&self.manifest.tenant)));
        fs::create_dir_all(&tenant).map_err(io_error("cannot create", &tenant))?;
        remove_incomplete(&tenant);
        let (temporary, name) = unused(&tenant, &utc::compact(now))?;
        let written = self.write(&temporary).and_then(|()| {
            let folder = tenant.join(&name);
            fs::rename(&temporary, &folder).map_err(io_error("cannot create", &folder))?;
            sync_folder(&tenant)?;
            Ok(folder)
        });
        match written {
            Ok(folder) => Ok(Snapshot {
                folder,
                manifest: self.manifest,
            }),
            Err(error) => {
                // What is left of it is of no use to anybody.
                let _ = fs::remove_dir_all(&temporary);
                Err(error)
            }
        }
    }

    fn write(&self, folder: &Path) -> Result<(), SnapshotError> {
        let manifest = serde_json::to_string_pretty(&self.manifest).unwrap_or_default();
        let files = self.files.iter();
        let files = files.map(|(name, text)| (name.as_str(), text.as_str()));
        let own = [(PLAN, self.plan.as_str()), (MANIFEST, manifest.as_str())];
        let files: Vec<_> = files.chain(own).collect();
        write_files(folder, &files)?;
        sync_folder(folder)
    }
}

impl Snapshot {
    /// Opens the snapshot in this folder.
    ///
    /// # Errors
    /// [`SnapshotError::Io`] and [`SnapshotError::Manifest`].
    pub fn open(folder: &Path) -> Result<Self, SnapshotError> {
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(io_error("cannot read", &path))?;
        let bad = |reason: String| SnapshotError::Manifest {
            path: path.display().to_string(),
            reason,
        };
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        if manifest.schema_version != VERSION {
            return Err(bad(format!("it has version {}", manifest.schema_version)));
        }
        // A manifest from elsewhere must not lead out of its folder.
        let leads_out = |file: &String| {
            let mut parts = Path::new(file).components();
            let first = parts.next();
            !matches!(first, Some(std::path::Component::Normal(_))) || parts.next().is_some()
        };
        let mut files = manifest
            .policies
            .iter()
            .filter_map(|policy| policy.file.as_ref());
        if let Some(file) = files.find(|file| leads_out(file)) {
            return Err(bad(format!("it names the file {file:?}")));
        }
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// All snapshots of a tenant below `root`, oldest first. Folders that are no snapshots are left
    /// out.
    ///
    /// # Errors
    /// [`SnapshotError::Io`] if the folder of the tenant exists and cannot be read.
    pub fn list(root: &Path, tenant: &str) -> Result<Vec<Self>, SnapshotError> {
        let folders = folders(&root.join(file_name(&fold(tenant))))?;
        let snapshots = folders.iter().filter_map(|folder| Self::open(folder).ok());
        Ok(snapshots.collect())
    }

    /// All snapshots below `root`, by tenant, the oldest of each first.
    ///
    /// # Errors
    /// As [`Snapshot::list`].
    pub fn list_all(root: &Path) -> Result<Vec<Self>, SnapshotError> {
        let mut snapshots = Vec::new();
        for tenant in folders(root)? {
            let folders = folders(&tenant)?;
            snapshots.extend(folders.iter().filter_map(|folder| Self::open(folder).ok()));
        }
        Ok(snapshots)
    }

    /// The newest snapshot of a tenant below `root`.
    ///
    /// # Errors
    /// [`SnapshotError::None`] if there is none, and as [`Snapshot::list`].
    pub fn latest(root: &Path, tenant: &str) -> Result<Self, SnapshotError> {
        Self::list(root, tenant)?
            .pop()
            .ok_or_else(|| SnapshotError::None {
                tenant: tenant.to_owned(),
                folder: root.display().to_string(),
            })
    }

    /// What the tenant had: file name (with the folder, forward slashes) and text of every saved
    /// policy, every base before the policies that inherit from it. A set read from these and
    /// deployed, with [`Snapshot::created`] deleted, is a rollback.
    ///
    /// # Errors
    /// As [`Snapshot::text`].
    pub fn texts(&self) -> Result<Vec<(String, String)>, SnapshotError> {
        let mut texts = Vec::new();
        for policy in &self.manifest.policies {
            if let (Some(file), Some(text)) = (&policy.file, self.text(policy)?) {
                let path = self.folder.join(file).to_string_lossy().replace('\\', "/");
                texts.push((path, text));
            }
        }
        Ok(texts)
    }

    /// The policies that the tenant did not have.
    pub fn created(&self) -> Vec<String> {
        let policies = self.manifest.policies.iter();
        let created = policies.filter(|policy| policy.action == PolicyAction::Create);
        created.map(|policy| policy.id.clone()).collect()
    }

    /// The policies that somebody has changed since: the tenant has neither what was saved nor what
    /// that deployment was about to store. A rollback would undo their work.
    ///
    /// # Errors
    /// As [`Snapshot::text`].
    pub fn overtaken(&self, remote: &Remote) -> Result<Vec<String>, SnapshotError> {
        let mut overtaken = Vec::new();
        for policy in &self.manifest.policies {
            let saved = self.text(policy)?;
            let saved = saved.map(|text| RemotePolicy::new(&*policy.id, text).fingerprint());
            let now = remote.policy(&policy.id).map(RemotePolicy::fingerprint);
            if now != saved && now != policy.deployed {
                overtaken.push(policy.id.clone());
            }
        }
        Ok(overtaken)
    }

    /// The saved text of a policy; `None` if the tenant did not have it.
    ///
    /// # Errors
    /// [`SnapshotError::Io`], or [`SnapshotError::Changed`] if the file is not what was saved.
    pub fn text(&self, policy: &SavedPolicy) -> Result<Option<String>, SnapshotError> {
        let Some(file) = &policy.file else {
            return Ok(None);
        };
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).map_err(io_error("cannot read", &path))?;
        if policy.text.as_ref() != Some(&Fingerprint::of(&text)) {
            return Err(SnapshotError::Changed {
                path: path.display().to_string(),
            });
        }
        Ok(Some(text))
    }
}

/// The folders in a folder, by name, without hidden ones; none if it does not exist.
fn folders(parent: &Path) -> Result<Vec<PathBuf>, SnapshotError> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("cannot read", parent)(error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(io_error("cannot read", parent))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| !name.starts_with('.')) && path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Removes what interrupted runs left behind: no run is writing one, because each holds the lock of
/// the tenant. What cannot be removed is passed over.
fn remove_incomplete(tenant: &Path) {
    for entry in fs::read_dir(tenant).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(INCOMPLETE) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A new folder to write into, and the name that it gets when it is complete. Two runs within a
/// second get different ones.
fn unused(tenant: &Path, time: &str) -> Result<(PathBuf, String), SnapshotError> {
    for number in 1..1_000 {
        let name = match number {
            1 => time.to_owned(),
            number => format!("{time}-{number:02}"),
        };
        let temporary = tenant.join(format!(".{name}{INCOMPLETE}"));
        match fs::create_dir(&temporary) {
            Ok(()) if tenant.join(&name).exists() => {
                fs::remove_dir(&temporary).map_err(io_error("cannot remove", &temporary))?;
            }
            Ok(()) => return Ok((temporary, name)),
            // Another run, or what an interrupted one left.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io_error("cannot create", &temporary)(error)),
        }
    }
    let error = io::Error::from(io::ErrorKind::AlreadyExists);
    Err(io_error("cannot create a folder in", tenant)(error))
}

/// So many files are written at a time. To flush one takes long and no work, and no policy is sent
/// before all of them are on the disk.
const WRITERS: usize = 16;

fn write_files(folder: &Path, files: &[(&str, &str)]) -> Result<(), SnapshotError> {
    let each = files.len().div_ceil(WRITERS).max(1);
    std::thread::scope(|scope| {
        let writers = files.chunks(each).map(|files| {
            scope.spawn(move || {
                files
                    .iter()
                    .try_for_each(|(name, text)| write_file(&folder.join(name), text))
            })
        });
        let writers: Vec<_> = writers.collect();
        writers.into_iter().try_for_each(|writer| {
            writer
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}

fn write_file(path: &Path, text: &str) -> Result<(), SnapshotError> {
    let mut file = File::create_new(path).map_err(io_error("cannot create", path))?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.map_err(io_error("cannot write", path))
}

/// Makes new names in a folder last. Not every system can flush a folder; where it cannot, its files
/// are flushed all the same.
fn sync_folder(folder: &Path) -> Result<(), SnapshotError> {
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(io_error("cannot write", folder))?;
    }
    Ok(())
}

pub(super) fn io_error<'p>(
    action: &'static str,
    path: &'p Path,
) -> impl FnOnce(io::Error) -> SnapshotError + use<'p> {
    move |source| SnapshotError::Io {
        action,
        path: path.display().to_string(),
        source,
    }
}
