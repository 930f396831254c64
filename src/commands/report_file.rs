//! The result as JSON in a file, beside what a command prints for people or as annotations: for a
//! program that runs this one and has to go on with the result, such as the task of a pipeline.
//!
//! `IEFCTL_REPORT` names the file. It is a variable like those by which CI systems name their files, as
//! it belongs to the place where a command runs, not to what it does.

use std::io;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Shell, atomic_file};

const VARIABLE: &str = "IEFCTL_REPORT";

/// Makes sure that a file that is wanted can be written, before something happens that must be reported.
///
/// # Errors
/// If it cannot be written.
pub(super) fn check(shell: &Shell) -> Result<()> {
    let Some(path) = shell.variable(VARIABLE) else {
        return Ok(());
    };
    atomic_file::check(Path::new(&path)).with_context(|| cannot_write(&path))
}

fn cannot_write(path: &str) -> String {
    format!("cannot write the report to `{path}`, which {VARIABLE} names")
}

/// Writes the JSON of a result where a file is wanted.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write(
    shell: &Shell,
    render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> Result<()> {
    let Some(path) = shell.variable(VARIABLE) else {
        return Ok(());
    };
    let mut text = Vec::new();
    render(&mut text)?;
    atomic_file::write(Path::new(&path), &text).with_context(|| cannot_write(&path))
}
