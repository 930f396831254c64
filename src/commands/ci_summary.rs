//! The summary page that a CI job shows beside its log.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::output::{self, Format, azure, github};

use super::project::Validated;
use super::{Shell, graph};

/// Whether the summary shows how the policies of the sets hang together.
pub(super) fn shows_sets(format: Format, shell: &Shell) -> bool {
    format == Format::Github && shell.variable("GITHUB_STEP_SUMMARY").is_some()
}

/// Publishes the summary where the format is that of a CI system and the system says where: GitHub
/// Actions names a file to append to, Azure Pipelines takes any file that a logging command names.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn publish(validated: &Validated, format: Format, shell: &Shell) -> Result<()> {
    match format {
        Format::Github => {
            let tree = output::graph::mermaid(&graph::tree(validated));
            append(
                &github::summary_markdown(&validated.report, Some(&tree)),
                shell,
            )
        }
        Format::Azure => upload(&azure::summary_markdown(&validated.report), shell),
        _ => Ok(()),
    }
}

/// Publishes what a command did in a tenant or would do. GitHub Actions gets the page in every format,
/// Azure Pipelines only where the format is its own: a logging command would spoil another.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn publish_page(page: &str, format: Format, shell: &Shell) -> Result<()> {
    append(page, shell)?;
    match format {
        Format::Azure => upload(page, shell),
        _ => Ok(()),
    }
}

/// Makes sure that there is a place for a page, before something happens that must be reported.
///
/// # Errors
/// If there is none.
pub(super) fn check(shell: &Shell) -> Result<()> {
    append("", shell)
}

fn append(page: &str, shell: &Shell) -> Result<()> {
    let Some(path) = shell.variable("GITHUB_STEP_SUMMARY") else {
        return Ok(());
    };
    super::shell::append(&path, page)
        .with_context(|| format!("cannot write the job summary to `{path}`"))
}

fn upload(page: &str, shell: &Shell) -> Result<()> {
    let is_pipeline = shell
        .variable("TF_BUILD")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if !is_pipeline {
        return Ok(());
    }
    let folder = shell
        .variable("AGENT_TEMPDIRECTORY")
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let path = write_new(&folder, page)
        .with_context(|| format!("cannot write the job summary into `{}`", folder.display()))?;
    shell.print(|out| writeln!(out, "{}", azure::upload_summary(&path)))?;
    Ok(())
}

/// Writes a file that did not exist, as the agent may still read that of an earlier step. The name is
/// the heading of the page.
fn write_new(folder: &Path, page: &str) -> io::Result<String> {
    let folder = std::path::absolute(folder)?;
    let mut number = 1;
    loop {
        let name = match number {
            1 => "iefctl.md".to_owned(),
            number => format!("iefctl-{number}.md"),
        };
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(page.as_bytes())?;
                return Ok(path.to_string_lossy().into_owned());
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => {
                number += 1;
            }
            Err(error) => return Err(error),
        }
    }
}
