//! The state folder: one readable file per policy and per keyset, one for the directory.
//!
//! ```text
//! {folder}/contoso.onmicrosoft.com/tenant.json
//! {folder}/contoso.onmicrosoft.com/directory.json
//! {folder}/contoso.onmicrosoft.com/policies/b2c_1a_base.xml
//! {folder}/contoso.onmicrosoft.com/keysets/b2c_1a_tokensigningkeycontainer.json
//! ```
//!
//! A file is written beside its place and renamed into it, so that a killed process leaves the old
//! or the new one. File names are ids in lower case in which everything but letters, digits, `-`,
//! `_` and inner dots is escaped: no id leads out of the folder. Secrets are not written, because
//! nothing that the service answers depends on them.
//!
//! Two emulators on one folder would not see each other's writes, so the first one locks it. The
//! operating system gives the lock back when the process ends, however it ends.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::directory::Directory;
use super::guid;
use super::store::{Change, Keyset, Tenant, key};
use super::upload;

/// Why the state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another emulator uses the folder.
    #[error(
        "{} is in use by another emulator{holder}: wait for it or stop it, or choose another folder",
        path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// ` (process 123)`, or nothing where that is not known.
        holder: String,
    },
    /// A file is not what the emulator wrote.
    #[error("{} is no emulator state: {reason}; repair or delete it", path.display())]
    Corrupt {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The file with applications, service principals and consent; there once anything changed.
const DIRECTORY: &str = "directory.json";

/// Longest file name without extension; every file system takes 255 bytes.
const MAX_NAME: usize = 120;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TenantFile {
    id: String,
    domain: Option<String>,
    id_is_real: bool,
}

/// The file that is locked while an emulator uses the folder; it holds the number of the process.
const LOCK: &str = ".lock";

/// A state folder that nobody else writes to.
#[derive(Debug)]
pub(super) struct StateFolder {
    path: PathBuf,
    /// `None` once the folder was given back.
    lock: Mutex<Option<File>>,
}

impl StateFolder {
    /// Claims the folder, which is made if need be.
    pub(super) fn open(path: PathBuf) -> Result<Self, StateError> {
        create_dir(&path)?;
        let lock = Mutex::new(Some(lock(&path)?));
        Ok(Self { path, lock })
    }

    /// Gives the folder back; nothing is written to it any more.
    pub(super) fn close(&self) {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        drop(lock.take());
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads all tenants.
    pub(super) fn load(&self) -> Result<Vec<Tenant>, StateError> {
        let mut tenants: Vec<Tenant> = Vec::new();
        for folder in entries(&self.path)? {
            if !folder.is_dir() {
                return Err(corrupt(&folder, "only folders of tenants belong here"));
            }
            let Some(tenant) = load_tenant(&folder)? else {
                continue;
            };
            if tenants.iter().any(|other| other.id == tenant.id) {
                return Err(corrupt(&folder, "another folder holds the same tenant"));
            }
            tenants.push(tenant);
        }
        Ok(tenants)
    }

    /// Writes one change of a tenant.
    pub(super) fn apply(&self, tenant: &Tenant, change: &Change) -> Result<(), StateError> {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() {
            return Err(StateError::Io {
                action: "write to",
                path: self.path.clone(),
                source: io::Error::other("the emulator has ended"),
            });
        }
        let folder = self.tenant_folder(tenant)?;
        let policy = |id: &str| folder.join("policies").join(file_name(id) + ".xml");
        let keyset = |id: &str| folder.join("keysets").join(file_name(id) + ".json");
        match change {
            Change::Policy(stored) => write(&policy(&stored.id), stored.xml.as_bytes()),
            Change::RemovePolicy(id) => remove(&policy(id)),
            Change::Keyset(stored) => write(&keyset(&stored.id), &pretty(stored)),
            Change::RemoveKeyset(id) => remove(&keyset(id)),
            Change::Directory(directory) => write(&folder.join(DIRECTORY), &pretty(directory)),
            Change::Domain(domain) => write_tenant(&folder, tenant, Some(domain)),
        }
    }

    /// The tenant's folder, made if need be. It is named after the domain if that was known when
    /// it was made, and keeps its name.
    fn tenant_folder(&self, tenant: &Tenant) -> Result<PathBuf, StateError> {
        let by_id = self.path.join(file_name(&tenant.id));
        if by_id.is_dir() {
            return Ok(by_id);
        }
        let folder = self.path.join(file_name(tenant.name()));
        if !folder.join("tenant.json").is_file() {
            create_dir(&folder.join("policies"))?;
            create_dir(&folder.join("keysets"))?;
            write_tenant(&folder, tenant, tenant.domain.as_deref())?;
        }
        Ok(folder)
    }
}

fn lock(folder: &Path) -> Result<File, StateError> {
    let path = folder.join(LOCK);
    let io = |action| {
        let path = path.clone();
        move |source| StateError::Io {
            action,
            path,
            source,
        }
    };
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io("create"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            let holder = holder.trim().parse::<u32>();
            return Err(StateError::InUse {
                path: folder.to_owned(),
                holder: holder.map_or_else(|_| String::new(), |id| format!(" (process {id})")),
            });
        }
        // Some file systems have no locks; a tenant on one of them is as safe as its user is careful.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(io("lock")(error)),
    }
    // Who it is helps only whoever is refused; without it the lock is the same.
    let _ = file.set_len(0);
    let _ = writeln!(file, "{}", std::process::id());
    Ok(file)
}

fn write_tenant(folder: &Path, tenant: &Tenant, domain: Option<&str>) -> Result<(), StateError> {
    let file = TenantFile {
        id: tenant.id.clone(),
        domain: domain.map(str::to_owned),
        id_is_real: tenant.id_is_real,
    };
    write(&folder.join("tenant.json"), &pretty(&file))
}

/// `None` for a folder whose making was interrupted before anything was in it.
fn load_tenant(folder: &Path) -> Result<Option<Tenant>, StateError> {
    let path = folder.join("tenant.json");
    if !path.is_file() {
        let empty = ["policies", "keysets"]
            .iter()
            .try_fold(true, |empty, part| {
                let part = folder.join(part);
                Ok(empty && (!part.is_dir() || entries(&part)?.is_empty()))
            })?;
        return if empty {
            Ok(None)
        } else {
            Err(corrupt(&path, "the file is missing"))
        };
    }
    let file: TenantFile =
        serde_json::from_slice(&read(&path)?).map_err(|error| corrupt(&path, error))?;
    if !guid::is_guid(&file.id) {
        return Err(corrupt(&path, "the id is no GUID"));
    }
    let mut tenant = Tenant {
        id: file.id.to_lowercase(),
        domain: file.domain.map(|domain| domain.to_lowercase()),
        id_is_real: file.id_is_real,
        ..Tenant::default()
    };
    let path = folder.join(DIRECTORY);
    if path.is_file() {
        let directory: Directory =
            serde_json::from_slice(&read(&path)?).map_err(|error| corrupt(&path, error))?;
        tenant.directory = Some(directory);
    }
    for path in entries_if_any(&folder.join("policies"))? {
        let text =
            String::from_utf8(read(&path)?).map_err(|_| corrupt(&path, "the file is not UTF-8"))?;
        let policy = upload::stored_policy(&text).map_err(|reason| corrupt(&path, reason))?;
        check_name(&path, &policy.id, "xml")?;
        tenant.policies.insert(key(&policy.id), policy);
    }
    for path in entries_if_any(&folder.join("keysets"))? {
        let keyset: Keyset =
            serde_json::from_slice(&read(&path)?).map_err(|error| corrupt(&path, error))?;
        check_name(&path, &keyset.id, "json")?;
        tenant.keysets.insert(key(&keyset.id), keyset);
    }
    Ok(Some(tenant))
}

/// A copy under another name would come back at the next start, whatever is deleted.
fn check_name(path: &Path, id: &str, extension: &str) -> Result<(), StateError> {
    let expected = format!("{}.{extension}", file_name(id));
    if path
        .file_name()
        .is_some_and(|name| name == expected.as_str())
    {
        Ok(())
    } else {
        Err(corrupt(
            path,
            format!("the file of '{id}' is named {expected}"),
        ))
    }
}

/// The file name, without extension, that stands for an id.
fn file_name(id: &str) -> String {
    let mut name = String::new();
    for (at, byte) in key(id).bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => name.push(char::from(byte)),
            b'.' if at > 0 => name.push('.'),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    if name.is_empty() || name.ends_with('.') {
        name.push_str("%00");
    }
    if name.len() > MAX_NAME {
        let hash = digest::digest(&digest::SHA256, key(id).as_bytes());
        name.truncate(MAX_NAME - 33);
        name.push('~');
        name.extend(
            hash.as_ref()
                .iter()
                .take(16)
                .map(|byte| format!("{byte:02x}")),
        );
    }
    name
}

/// The files of a folder in order. What an interrupted write left behind is removed.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, StateError> {
    let io = |source| StateError::Io {
        action: "read the folder",
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') && name.ends_with(".tmp") {
            remove(&entry.path())?;
        } else if !name.starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn entries_if_any(folder: &Path) -> Result<Vec<PathBuf>, StateError> {
    if folder.is_dir() {
        entries(folder)
    } else {
        Ok(Vec::new())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, StateError> {
    fs::read(path).map_err(|source| StateError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// Replaces a file as a whole. It is not flushed to the disk: the emulator's state has to survive
/// the end of the process, not of the machine.
fn write(path: &Path, content: &[u8]) -> Result<(), StateError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let io = |source| StateError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    create_dir(folder)?;
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let temporary = folder.join(format!(".{}-{count}.tmp", std::process::id()));
    fs::write(&temporary, content)
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|source| {
            let _ = fs::remove_file(&temporary);
            io(source)
        })
}

fn remove(path: &Path) -> Result<(), StateError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StateError::Io {
            action: "delete",
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

fn create_dir(path: &Path) -> Result<(), StateError> {
    fs::create_dir_all(path).map_err(|source| StateError::Io {
        action: "create the folder",
        path: path.to_owned(),
        source,
    })
}

fn pretty(value: &impl Serialize) -> Vec<u8> {
    // Plain structs of strings and numbers: serialising them cannot fail.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}

fn corrupt(path: &Path, reason: impl ToString) -> StateError {
    StateError::Corrupt {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leads_out_of_the_folder() {
        let long = "x".repeat(5000);
        for id in [
            "../x",
            "..",
            ".",
            "",
            "/etc/passwd",
            "a\\b",
            "C:x",
            "a\nb",
            "ü\u{0}",
            "\"'<>|?*",
            &long,
        ] {
            let name = file_name(id);
            assert!(name.len() <= MAX_NAME, "{name}");
            assert!(!name.starts_with('.') && !name.ends_with('.'), "{name}");
            let safe = |c: char| c.is_ascii_alphanumeric() || "_-%.~".contains(c);
            assert!(!name.is_empty() && name.chars().all(safe), "{name}");
        }
        assert_eq!(file_name("B2C_1A_Base"), "b2c_1a_base");
        assert_ne!(file_name(&long), file_name(&format!("{long}y")));
    }
}
