//! One run at a time writes to a tenant from one folder, and the next one knows what an interrupted
//! one left open.
//!
//! A file beside the snapshots of the tenant is locked while a run reads and writes; the operating
//! system gives the lock back when the process ends, however it ends. In the file stand the keysets
//! that are being made, a line before each call and a line after its answer. If a process dies
//! between the two, the service may still add a key that nobody sees yet, so the next run waits
//! before it adds one ([`TenantLock::pending`]). Lines are appended whole: a torn last line belongs
//! to a call that was not sent, or to an answer that is looked for once more.
//!
//! The lock cannot keep out runs from other folders and machines. Graph has no locks and no
//! conditional writes; what it has is that only one of two can create a keyset, and `provision`
//! relies on that.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{file_name, fold};

/// Why a run cannot begin, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run is at work.
    #[error(
        "another run is writing to {tenant} from this folder{}: wait for it to end; nothing was \
         written",
        holder(*.process)
    )]
    Busy {
        /// The tenant.
        tenant: String,
        /// The number of its process, where that is known.
        process: Option<u32>,
    },
    /// The file cannot be written or read.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried, as the beginning of a sentence.
        action: &'static str,
        /// Where.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
}

fn holder(process: Option<u32>) -> String {
    process.map_or_else(String::new, |id| format!(" (process {id})"))
}

/// What was being done to a keyset when an earlier run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    /// It was being created; no key was asked for.
    Creating,
    /// A key was asked for, and may still be added, for so long.
    AddingKey(Duration),
}

/// The lock, held until the last clone is dropped.
#[derive(Debug, Clone)]
pub struct TenantLock(Arc<Held>);

#[derive(Debug)]
struct Held {
    path: PathBuf,
    file: Mutex<File>,
    /// What earlier runs left open, by folded id of the keyset.
    left: HashMap<String, (Step, SystemTime)>,
    /// What this run has open.
    open: Mutex<Vec<String>>,
    patience: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Create,
    Key,
}

impl TenantLock {
    /// The name of the file in the folder of the tenant.
    const FILE: &'static str = ".run";

    /// Takes the lock for a tenant, in its folder below `root`. `patience` is how long the service
    /// may need for a call whose answer nobody waited for.
    ///
    /// # Errors
    /// [`LockError::Busy`] if another run has it.
    pub fn take(root: &Path, tenant: &str, patience: Duration) -> Result<Self, LockError> {
        let folder = root.join(file_name(&fold(tenant)));
        fs::create_dir_all(&folder).map_err(io_error("cannot create", &folder))?;
        let path = folder.join(Self::FILE);
        let opened = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(&path);
        let mut file = opened.map_err(io_error("cannot write", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = fs::read_to_string(&path).unwrap_or_default();
                let process = text.lines().rev().find_map(|line| {
                    let id = line.strip_prefix("process ")?;
                    id.parse().ok()
                });
                let tenant = tenant.to_owned();
                return Err(LockError::Busy { tenant, process });
            }
            // Some file systems have no locks. What the run writes is whole all the same.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(io_error("cannot lock", &path)(error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(io_error("cannot read", &path))?;
        // What is no text was not written by this tool.
        let text = String::from_utf8_lossy(&bytes);
        let held = Held {
            left: left_open(&text),
            path,
            file: Mutex::new(file),
            open: Mutex::default(),
            patience,
        };
        // A torn line must not swallow the next one.
        let torn = !text.is_empty() && !text.ends_with('\n');
        let separator = if torn { "\n" } else { "" };
        held.append(&format!("{separator}process {}", std::process::id()), false)?;
        Ok(Self(Arc::new(held)))
    }

    /// Notes that a keyset is about to be created.
    pub(super) fn creating(&self, keyset: &str) -> Result<(), LockError> {
        self.0.begin("create", keyset)
    }

    /// Notes that a key is about to be added.
    pub(super) fn adding_key(&self, keyset: &str) -> Result<(), LockError> {
        self.0.begin("key", keyset)
    }

    /// Notes that nothing is open any more for a keyset.
    pub(super) fn settled(&self, keyset: &str) {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|open| *open != fold(keyset));
        drop(open);
        // Without this line the next run looks once more than it must.
        let _ = self.0.append(&format!("settled {}", fold(keyset)), false);
    }

    /// What an earlier run may have left open for a keyset.
    pub(super) fn pending(&self, keyset: &str, now: SystemTime) -> Option<Pending> {
        let (step, since) = self.0.left.get(&fold(keyset))?;
        // A clock that was set back makes the wait longer, never endless.
        let age = now.duration_since(*since).unwrap_or(Duration::ZERO);
        let left = self.0.patience.saturating_sub(age);
        (!left.is_zero()).then_some(match step {
            Step::Create => Pending::Creating,
            Step::Key => Pending::AddingKey(left),
        })
    }
}

impl Held {
    fn begin(&self, step: &str, keyset: &str) -> Result<(), LockError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.map_or(0, |since| since.as_secs());
        let keyset = fold(keyset);
        // A call that adds a key must be known even after the machine has stopped.
        self.append(&format!("{step} {since} {keyset}"), step == "key")?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push(keyset);
        Ok(())
    }

    fn append(&self, line: &str, to_disk: bool) -> Result<(), LockError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.write_all(format!("{line}\n").as_bytes());
        let written = written.and_then(|()| if to_disk { file.sync_data() } else { Ok(()) });
        written.map_err(io_error("cannot write", &self.path))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        let waits = self.left.values().any(|(_, since)| {
            let age = now.duration_since(*since).unwrap_or(Duration::ZERO);
            age < self.patience
        });
        if open.is_empty() && !waits {
            let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
            // Old lines harm nobody: they are settled.
            let _ = file.set_len(0);
        }
    }
}

/// The steps that have a beginning and no end.
fn left_open(text: &str) -> HashMap<String, (Step, SystemTime)> {
    let mut left = HashMap::new();
    // The last line counts only if it is whole.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole.lines() {
        let mut words = line.splitn(3, ' ');
        let (word, second) = (words.next(), words.next());
        let step = match word {
            Some("create") => Step::Create,
            Some("key") => Step::Key,
            Some("settled") => {
                if let Some(keyset) = second {
                    left.remove(keyset);
                }
                continue;
            }
            _ => continue,
        };
        let since = second.and_then(|seconds| seconds.parse().ok());
        if let (Some(since), Some(keyset)) = (since, words.next()) {
            let since = UNIX_EPOCH.checked_add(Duration::from_secs(since));
            let since = since.unwrap_or(UNIX_EPOCH);
            // A run that found the keyset with a key on its way creates nothing.
            let known = left.get(keyset);
            if step == Step::Key || known.is_none_or(|(known, _)| *known == Step::Create) {
                left.insert(keyset.to_owned(), (step, since));
            }
        }
    }
    left
}

fn io_error<'p>(
    action: &'static str,
    path: &'p Path,
) -> impl FnOnce(io::Error) -> LockError + use<'p> {
    move |source| LockError::Io {
        action,
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(1_000);

    fn text(root: &Path) -> String {
        fs::read_to_string(root.join("contoso").join(TenantLock::FILE)).unwrap()
    }

    #[test]
    fn one_run_at_a_time_whatever_the_case() {
        let root = tempfile::tempdir().unwrap();
        let first = TenantLock::take(root.path(), "Contoso", LONG).unwrap();
        let error = TenantLock::take(root.path(), "contoso", LONG).unwrap_err();
        let process = std::process::id().to_string();
        assert!(error.to_string().contains(&process), "{error}");
        TenantLock::take(root.path(), "fabrikam", LONG).unwrap();
        let clone = first.clone();
        drop(first);
        TenantLock::take(root.path(), "contoso", LONG).unwrap_err();
        drop(clone);
        TenantLock::take(root.path(), "contoso", LONG).unwrap();
    }

    #[test]
    fn what_was_left_open_is_pending_and_what_was_answered_is_not() {
        let root = tempfile::tempdir().unwrap();
        let first = TenantLock::take(root.path(), "contoso", LONG).unwrap();
        first.creating("B2C_1A_A").unwrap();
        first.creating("B2C_1A_B").unwrap();
        first.adding_key("B2C_1A_B").unwrap();
        first.adding_key("B2C_1A_C").unwrap();
        first.settled("b2c_1a_c");
        // A killed process runs no destructor.
        let kept = text(root.path());
        drop(first);
        let file = root.path().join("contoso").join(TenantLock::FILE);
        fs::write(&file, format!("{kept}key 99")).unwrap();
        let second = TenantLock::take(root.path(), "contoso", LONG).unwrap();
        let now = SystemTime::now();
        assert_eq!(second.pending("b2c_1a_a", now), Some(Pending::Creating));
        let Some(Pending::AddingKey(left)) = second.pending("B2C_1A_B", now) else {
            panic!("the key may still come");
        };
        assert!(left <= LONG && left > LONG / 2);
        assert_eq!(second.pending("B2C_1A_B", now + LONG), None);
        assert_eq!(second.pending("B2C_1A_C", now), None);
        assert_eq!(second.pending("B2C_1A_D", now), None);
        // What this run does not settle stays for the next one.
        second.adding_key("B2C_1A_D").unwrap();
        drop(second);
        let third = TenantLock::take(root.path(), "contoso", LONG).unwrap();
        assert!(third.pending("B2C_1A_B", now).is_some());
        assert!(third.pending("B2C_1A_D", now).is_some());
    }

    #[test]
    fn a_run_that_settles_everything_leaves_an_empty_file() {
        let root = tempfile::tempdir().unwrap();
        let run = TenantLock::take(root.path(), "contoso", LONG).unwrap();
        run.creating("B2C_1A_A").unwrap();
        run.adding_key("B2C_1A_A").unwrap();
        run.settled("B2C_1A_A");
        assert!(text(root.path()).contains("settled"));
        drop(run);
        assert_eq!(text(root.path()), "");
    }

    #[test]
    fn garbage_is_no_reason_to_stop() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("contoso")).unwrap();
        let file = root.path().join("contoso").join(TenantLock::FILE);
        for garbage in [
            &b"\xff\xfe\0"[..],
            b"key\n",
            b"key x B2C_1A_A\ncreate",
            b"\n\n",
        ] {
            fs::write(&file, garbage).unwrap();
            let run = TenantLock::take(root.path(), "contoso", LONG).unwrap();
            assert_eq!(run.pending("B2C_1A_A", SystemTime::now()), None);
        }
    }
}
