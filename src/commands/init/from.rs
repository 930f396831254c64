//! `iefctl init --from`: the file of another tool becomes an `iefctl.toml`.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Result, bail};

use crate::config::{Conversion, ConvertOptions, RewrittenFile, convert};
use crate::diagnostics::Source;
use crate::output::{counted, patch};

use super::super::{Exit, Shell};
use super::{InitArgs, NewFile, shown, write};

pub(super) fn run(args: &InitArgs, file: &Path, shell: &Shell) -> Result<Exit> {
    let conversion = convert(&ConvertOptions {
        file: file.to_owned(),
        kind: args.from_format,
        folder: args.folder.clone(),
        domain: args.domain.clone(),
        overwrite: args.force || args.is_dry_run(),
    })?;
    let path = &conversion.path;
    if args.is_dry_run() {
        show(args, &conversion, shell)?;
        return Ok(Exit::Clean);
    }
    if !conversion.files.is_empty() && !args.rewrite {
        bail!(
            "the policies have to change as well, as iefctl.toml knows placeholders {{Settings:Key}} \
             only; nothing was written. --rewrite would change\n{}\n--dry-run shows every line; until \
             then `{}` works as it is",
            changes(&conversion.files),
            shown(file)
        );
    }
    let mut files: Vec<NewFile> = Vec::new();
    for rewritten in &conversion.files {
        let name = rewritten.before.name();
        let current = std::fs::read(name)?;
        if current != whole(&rewritten.before).as_bytes() {
            bail!(
                "`{name}` was changed by another program just now; nothing was written, run again"
            );
        }
        files.push(NewFile {
            path: name.into(),
            text: whole(&rewritten.after),
        });
    }
    // Last, as without it the rewritten policies are nobody's.
    files.push(NewFile {
        path: path.clone(),
        text: conversion.toml.clone(),
    });
    write(&files)?;
    shell.say(format!("wrote {}", shown(path)));
    if !conversion.files.is_empty() {
        let count = counted(conversion.files.len(), "file");
        shell.say(format!(
            "changed the placeholders of {count}:\n{}",
            changes(&conversion.files)
        ));
    }
    tell_variables(&conversion, shell);
    shell.say(format!(
        "every policy resolves to the same bytes as with {}, which is no longer needed",
        shown(file)
    ));
    Ok(Exit::Clean)
}

/// What a file of secrets held has to come from somewhere else.
fn tell_variables(conversion: &Conversion, shell: &Shell) {
    for secret in &conversion.secrets {
        shell.say(format!(
            "set the environment variable {} to what secrets.json holds as {}",
            secret.name, secret.key
        ));
    }
}

fn changes(files: &[RewrittenFile]) -> String {
    let mut lines = Vec::new();
    for file in files {
        lines.push(format!("  {}", file.before.name()));
        lines.extend(file.changes.iter().map(|change| format!("    {change}")));
    }
    lines.join("\n")
}

/// The new file, and the differences of the policies.
fn show(args: &InitArgs, conversion: &Conversion, shell: &Shell) -> Result<()> {
    let style = shell.style();
    let is_for_people = shell.stdout_is_terminal();
    shell.print(|out| {
        let path = shown(&conversion.path);
        patch::render(&path, "", &conversion.toml, style, is_for_people, out)?;
        for file in &conversion.files {
            let (before, after) = (whole(&file.before), whole(&file.after));
            patch::render(
                file.before.name(),
                &before,
                &after,
                style,
                is_for_people,
                out,
            )?;
        }
        out.flush()
    })?;
    let needs_rewrite = !conversion.files.is_empty() && !args.rewrite;
    shell.say(match needs_rewrite {
        true => "nothing was written; the policies change too, which needs --rewrite",
        false => "nothing was written",
    });
    tell_variables(conversion, shell);
    Ok(())
}

fn whole(source: &Source) -> String {
    let mark = if source.has_bom() { "\u{feff}" } else { "" };
    format!("{mark}{}", source.original())
}
