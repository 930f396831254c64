//! Asks the CI system to mask secrets, should anything ever print one.
//!
//! The request itself contains the secret, so it must reach nobody but the system that takes it out
//! of the log. It goes to standard error, which the systems read like standard output and which
//! nobody pipes into a file of results, and only where that is a pipe of its own: not on a terminal,
//! not into a file, and not together with standard output, which may be on its way into one.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use super::Shell;
use crate::auth::SecretObserver;
use crate::deploy::{ValueError, ValueSource};

/// Shorter texts occur in ordinary words; masking those would only garble the log.
const SHORTEST: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Github,
    Azure,
}

/// Registers secrets with the CI system.
pub(super) struct Masking {
    system: System,
    registered: Mutex<Vec<SecretString>>,
}

impl Masking {
    /// `None` where there is no CI system, or no way to it that would not be a leak.
    pub(super) fn new(shell: &Shell) -> Option<Self> {
        let is_true = |name: &str| {
            shell
                .variable(name)
                .is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        let system = if is_true("GITHUB_ACTIONS") {
            System::Github
        } else if is_true("TF_BUILD") {
            System::Azure
        } else {
            return None;
        };
        reaches_the_runner().then(|| Self {
            system,
            registered: Mutex::default(),
        })
    }
}

impl SecretObserver for Masking {
    fn on_secret(&self, secret: &SecretString) {
        let mut registered = self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let text = secret.expose_secret();
        if registered.iter().any(|known| known.expose_secret() == text) {
            return;
        }
        registered.push(secret.clone());
        // One line at a time: that is how the systems look for them.
        let mut stderr = std::io::stderr().lock();
        for line in text.lines().map(str::trim).filter(|line| is_secret(line)) {
            // Nothing can be done about a closed standard error, on which nothing can appear either.
            let _ = writeln!(stderr, "{}", command(self.system, line));
        }
        let _ = stderr.flush();
    }
}

/// Reads the values that keys are made from. What is text among them is registered before it is used.
pub(super) fn key_values(
    shell: &Shell,
) -> impl Fn(&ValueSource) -> Result<SecretSlice<u8>, ValueError> + '_ {
    let masking = Masking::new(shell);
    move |source| {
        let value = source.read(&|name| shell.variable(name))?;
        if let Some(masking) = &masking
            && let Ok(text) = std::str::from_utf8(value.expose_secret())
        {
            masking.on_secret(&SecretString::from(text));
        }
        Ok(value)
    }
}

/// Whether a line is worth masking; the frame of a PEM section is not.
fn is_secret(line: &str) -> bool {
    line.len() >= SHORTEST && !line.starts_with("-----")
}

fn command(system: System, line: &str) -> String {
    match system {
        System::Github => format!("::add-mask::{}", line.replace('%', "%25")),
        System::Azure => format!("##vso[task.setsecret]{}", line.replace('%', "%AZP25")),
    }
}

#[cfg(unix)]
fn reaches_the_runner() -> bool {
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

    let metadata = |stream: BorrowedFd<'_>| {
        let file = std::fs::File::from(stream.try_clone_to_owned().ok()?);
        file.metadata().ok()
    };
    let Some(stderr) = metadata(std::io::stderr().as_fd()) else {
        return false;
    };
    let kind = stderr.file_type();
    let is_shared = metadata(std::io::stdout().as_fd())
        .is_some_and(|stdout| (stdout.dev(), stdout.ino()) == (stderr.dev(), stderr.ino()));
    (kind.is_fifo() || kind.is_socket()) && !is_shared
}

#[cfg(windows)]
fn reaches_the_runner() -> bool {
    use std::io::IsTerminal as _;
    use std::os::windows::io::AsHandle as _;

    let stderr = std::io::stderr();
    let Ok(handle) = stderr.as_handle().try_clone_to_owned() else {
        return false;
    };
    // A pipe is no file of which Windows could tell anything.
    !stderr.is_terminal() && std::fs::File::from(handle).metadata().is_err()
}

#[cfg(not(any(unix, windows)))]
fn reaches_the_runner() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_of_the_systems() {
        assert_eq!(command(System::Github, "a%b"), "::add-mask::a%25b");
        assert_eq!(
            command(System::Azure, "a%b"),
            "##vso[task.setsecret]a%AZP25b"
        );
    }

    #[test]
    fn frames_and_short_lines_are_not_masked() {
        assert!(!is_secret("-----BEGIN PRIVATE KEY-----"));
        assert!(!is_secret("secret"));
        assert!(is_secret("MIIEvQIBADANBgkq"));
    }
}
