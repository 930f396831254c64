//! Asking before a tenant is changed.

use anyhow::{Context as _, Result, bail};

use super::Shell;

/// What to do where nobody can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unattended {
    /// Go on.
    Proceed,
    /// Only with `--yes`, for this reason.
    NeedsYes(&'static str),
}

/// Whether to go on: said on the command line, or answered on the terminal.
///
/// # Errors
/// Where nobody can be asked and somebody must be, and if the answer cannot be read.
pub(super) fn agreed(
    question: &str,
    yes: bool,
    unattended: Unattended,
    shell: &Shell,
) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !shell.can_ask() {
        return match unattended {
            Unattended::Proceed => Ok(true),
            Unattended::NeedsYes(reason) => {
                bail!("{reason}, and nobody can be asked here: say --yes if that is meant")
            }
        };
    }
    shell
        .confirm(question)
        .context("cannot read the answer; `--yes` does not ask")
}
