//! `iefctl man`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Exit, Shell};

/// Write the manual pages
///
/// One page for the program and one for each command, from the same definitions as `--help`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl man ~/.local/share/man/man1           then: man iefctl-deploy

Exit status: 0 written, 2 could not write")]
pub struct ManArgs {
    /// Folder to write to; made if it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs `iefctl man`; `program` is the whole command line.
///
/// # Errors
/// What the disk refuses.
pub fn run(args: &ManArgs, program: clap::Command, shell: &Shell) -> Result<Exit> {
    let folder = args.folder.display();
    std::fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(program, &args.folder))
        .with_context(|| format!("cannot write the manual pages to `{folder}`"))?;
    shell.say(format!("manual pages in {folder}"));
    Ok(Exit::Clean)
}
