//! Asking before something is lost.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result, bail};

use super::Shell;

/// Whether to go on: yes with `--yes`, else what the person at the terminal says.
///
/// # Errors
/// If there is nobody to ask.
pub(super) fn confirm(question: &str, yes: bool, shell: &Shell) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !shell.stderr_is_terminal() {
        bail!("{question} Nobody can be asked here: add --yes to go on");
    }
    let mut terminal = std::io::stderr().lock();
    write!(terminal, "{question} [y/N] ")
        .and_then(|()| terminal.flush())
        .context("cannot ask")?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.context("cannot read the answer")?;
    let answer = answer.trim();
    Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
}
