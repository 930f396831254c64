//! `iefctl validate --fix`: applies the fixes of findings until none is left, and writes the files.
//!
//! Everything is computed before anything is written, so that a dry run shows exactly what would be
//! written, and a file that cannot be written keeps all others from being written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::config::Project;
use crate::diagnostics::{Applied, Refusal, Source, apply_fixes};
use crate::output::counted;

use super::Shell;
use super::atomic_file::StagedFile;
use super::project::{self, Validated};

/// A fix may uncover another finding that has one; a chain longer than this is a fault of the rules.
const MOST_ROUNDS: usize = 10;

/// What fixing comes to.
#[derive(Debug)]
pub(super) struct Fixed {
    /// Whether the files have errors before anything is fixed.
    pub(super) had_errors: bool,
    /// The findings that remain.
    pub(super) remaining: Validated,
    /// The files that change, by name, as they were and as they are to be.
    pub(super) files: Vec<FixedFile>,
    /// How many findings had their fix applied.
    pub(super) count: usize,
    /// Fixes that were refused, each as a sentence with its place.
    pub(super) refused: Vec<String>,
}

/// A file before and after.
#[derive(Debug)]
pub(super) struct FixedFile {
    before: Source,
    after: Source,
}

/// Validates, applies fixes to the texts of the project, and begins again, until nothing changes.
/// Nothing is written.
///
/// # Errors
/// Those of validation.
pub(super) fn fix(project: &mut Project, shell: &Shell) -> Result<Fixed> {
    let mut before: BTreeMap<String, Source> = BTreeMap::new();
    let mut count = 0;
    let mut remaining = project::validate(project, None, shell)?;
    let had_errors = remaining.report.has_errors();
    // What the first round tells under `-v` is not told again.
    let silent = Shell {
        verbosity: 0,
        ..*shell
    };
    let mut applied = apply(project, &remaining);
    for _ in 0..MOST_ROUNDS {
        if applied.files.is_empty() {
            break;
        }
        for (id, text) in &applied.files {
            let name = remaining.report.sources.get(*id).name();
            replace(project, name, text, &mut before);
        }
        count += applied.fixed;
        remaining = project::validate(project, None, &silent)?;
        applied = apply(project, &remaining);
    }
    let files = before
        .into_iter()
        .filter_map(|(name, before)| {
            let after = own(project).find(|source| source.name() == name)?.clone();
            (after.original() != before.original()).then_some(FixedFile { before, after })
        })
        .collect();
    let refused = refusals(&applied, &remaining);
    Ok(Fixed {
        had_errors,
        remaining,
        files,
        count,
        refused,
    })
}

impl Fixed {
    /// "fixed 3 findings in 2 files".
    pub(super) fn summary(&self, is_dry_run: bool) -> String {
        if self.files.is_empty() {
            return "nothing to fix".to_owned();
        }
        format!(
            "{} {} in {}",
            if is_dry_run { "would fix" } else { "fixed" },
            counted(self.count, "finding"),
            counted(self.files.len(), "file")
        )
    }

    /// Name, old and new text of every file that changes, byte order marks included.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, String, String)> {
        self.files
            .iter()
            .map(|file| (file.before.name(), whole(&file.before), whole(&file.after)))
    }

    /// Writes the files: first all of them beside the old ones, then every one into its place.
    ///
    /// # Errors
    /// If a file cannot be written, or has changed since it was read; mostly nothing is written then,
    /// and the message says so if something is.
    pub(super) fn write(&self) -> Result<()> {
        let mut staged = Vec::new();
        for file in &self.files {
            let name = file.before.name();
            let path = Path::new(name);
            let cannot = || format!("cannot fix `{name}`; no file was changed");
            let current = fs::read(path).with_context(cannot)?;
            if current != whole(&file.before).as_bytes() {
                bail!(
                    "`{name}` was changed by another program just now; no file was changed, run again"
                );
            }
            if fs::metadata(path)
                .with_context(cannot)?
                .permissions()
                .readonly()
            {
                bail!("`{name}` is read-only; no file was changed");
            }
            let content = whole(&file.after);
            let new = StagedFile::new(path, content.as_bytes()).with_context(cannot)?;
            staged.push((name, new));
        }
        let mut written: Vec<&str> = Vec::new();
        for (name, file) in staged {
            file.commit().with_context(|| match written.as_slice() {
                [] => format!("cannot fix `{name}`; no file was changed"),
                written => format!("cannot fix `{name}`; fixed before: {}", written.join(", ")),
            })?;
            written.push(name);
        }
        Ok(())
    }
}

/// The user's own files of all sets; those of `--with` are not among them.
fn own(project: &Project) -> impl Iterator<Item = &Source> {
    project.sets.iter().flat_map(|set| &set.files)
}

fn apply(project: &Project, validated: &Validated) -> Applied {
    let names: std::collections::HashSet<&str> = own(project).map(Source::name).collect();
    let report = &validated.report;
    apply_fixes(&report.sources, &report.diagnostics, |id| {
        names.contains(report.sources.get(id).name())
    })
}

/// Gives a file its new text, in every set that it belongs to, as an own file or as a base.
fn replace(project: &mut Project, name: &str, text: &str, before: &mut BTreeMap<String, Source>) {
    let own = project.sets.iter_mut().flat_map(|set| &mut set.files);
    for source in own.chain(&mut project.bases) {
        if source.name() != name {
            continue;
        }
        let new = Source::new(name, text).with_bom(source.has_bom());
        let old = std::mem::replace(source, new);
        before.entry(name.to_owned()).or_insert(old);
    }
}

fn whole(source: &Source) -> String {
    let mark = if source.has_bom() { "\u{feff}" } else { "" };
    format!("{mark}{}", source.original())
}

fn refusals(applied: &Applied, remaining: &Validated) -> Vec<String> {
    let report = &remaining.report;
    applied
        .refused
        .iter()
        .map(|(index, refusal)| {
            let finding = &report.diagnostics[*index];
            let location = finding.primary.location;
            let why = match refusal {
                Refusal::Placeholder => "a placeholder stands there; change it or its setting",
                Refusal::Overlap => "its fix and that of another finding exclude each other",
                Refusal::ReadOnly => "it would change a file that is not of the set",
            };
            format!(
                "{}:{}: {} is not fixed: {why}",
                report.sources.get(location.source).name(),
                report.sources.position(location).0,
                finding.rule.id,
            )
        })
        .collect()
}
