//! Asking before a tenant is changed.

use std::io::{self, BufRead, IsTerminal as _, Write as _};

use anyhow::{Result, bail};

use crate::commands::Shell;

/// What to do where nobody can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unattended {
    /// Go on.
    Proceed,
    /// Only with `--yes`, for this reason.
    NeedsYes(&'static str),
}

/// Whether to go on: said on the command line, or answered on the terminal.
pub(super) fn agreed(
    question: &str,
    yes: bool,
    unattended: Unattended,
    shell: &Shell,
) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !(io::stdin().is_terminal() && shell.stderr_is_terminal()) {
        return match unattended {
            Unattended::Proceed => Ok(true),
            Unattended::NeedsYes(reason) => bail!("{reason}: say --yes if that is meant"),
        };
    }
    let mut stderr = io::stderr().lock();
    // Nothing can be done about a closed standard error; no answer is a no.
    let _ = write!(stderr, "{question} [y/N] ");
    let _ = stderr.flush();
    Ok(is_yes(&mut io::stdin().lock()))
}

fn is_yes(input: &mut dyn BufRead) -> bool {
    let mut answer = String::new();
    let read = input.read_line(&mut answer).is_ok();
    let answer = answer.trim();
    read && (answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_yes_is_yes() {
        for yes in ["y\n", "Y", " yes \r\n"] {
            assert!(is_yes(&mut yes.as_bytes()), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "yesterday\n", "\u{ff}y\n"] {
            assert!(!is_yes(&mut no.as_bytes()), "{no:?}");
        }
        assert!(!is_yes(&mut &b"\xffy\n"[..]));
    }
}
