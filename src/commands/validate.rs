//! `iefctl validate`.

use std::borrow::Borrow;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::config::Project;
use crate::diagnostics::{Report, Source, SourceMap};
use crate::output::json::environments as json;
use crate::output::{self, Format, Options, Style, human, patch};
use crate::rules;
use crate::xml::{self, FILE_UNREADABLE};

use super::ending::{self, Ending};
use super::environments::{self, AllArgs, Name};
use super::project::{self, ProjectArgs, Validated};
use super::{Exit, Shell, atomic_file, ci_summary, fix, lookups, report_file, watch};

/// Check policies without a tenant
///
/// Reads every policy of the set, replaces the settings of the environment, and reports what the
/// tenant would refuse at upload or what fails at run time, with the place in your file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl validate                              the configured set, else the current folder
  iefctl validate policies -e dev              with the settings of environment dev
  iefctl validate policies --all-environments  with the settings of each
  iefctl validate policies -t contoso.onmicrosoft.com
  iefctl validate scenario --with base         bases come from folder `base`
  iefctl validate policies --output findings.sarif
  iefctl validate policies --fix --dry-run     show what --fix would change
  iefctl validate policies --watch             again at every save, until Ctrl-C

Exit status: 0 no errors, 1 errors, 2 could not run, or not read every file. With --fix the findings
that remain count, with --fix --dry-run those of the files as they are.")]
pub struct ValidateArgs {
    #[command(flatten)]
    pub(super) project: ProjectArgs,

    #[command(flatten)]
    all: AllArgs,

    /// How to report [default: human; annotations in GitHub Actions and Azure Pipelines; for --output
    /// what the extension says]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,

    /// Write the report to FILE; people find it on standard error
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Correct the files where there is only one way to do so
    #[arg(long, conflicts_with_all = ["prefix", "suffix", "renumber_steps", "app_insights_step"])]
    fix: bool,

    /// With --fix: print the changes as a diff and write nothing
    #[arg(
        long,
        visible_alias = "diff",
        requires = "fix",
        conflicts_with_all = ["format", "output"]
    )]
    dry_run: bool,

    /// Validate again whenever a file is saved, until Ctrl-C
    #[arg(long, conflicts_with = "fix")]
    watch: bool,
}

/// Runs `iefctl validate`.
///
/// # Errors
/// What keeps the command from running.
pub fn run(args: &ValidateArgs, shell: &Shell) -> Result<Exit> {
    let environments = environments::chosen(&args.project, args.all, shell)?;
    if environments.len() > 1 {
        return several(args, environments, shell);
    }
    if args.watch {
        return watch::run(args, shell);
    }
    let mut project = args.load(shell)?;
    lookups::note(&project, shell);
    if !args.fix {
        let validated = if ci_summary::shows_sets(shell.format(args.format), shell) {
            project::validate(&project, None, shell)?
        } else {
            project::findings(&project, shell)?
        };
        args.report(&validated, shell)?;
        let exit = exit(&validated.report);
        // The process ends now; to give back its memory piece by piece would only take time.
        std::mem::forget((project, validated));
        return Ok(exit);
    }
    if args.dry_run {
        let fixed = fix::fix(&mut project, shell)?;
        shell.print(|out| {
            let is_for_people = shell.stdout_is_terminal();
            fixed.texts().try_for_each(|(name, old, new)| {
                patch::render(name, &old, &new, shell.style(), is_for_people, out)
            })
        })?;
        announce(&fixed, true, shell);
        return Ok(of_errors(fixed.had_errors));
    }
    let fixed = fix::fix(&mut project, shell)?;
    fixed.write()?;
    args.report(&fixed.remaining, shell)?;
    announce(&fixed, false, shell);
    Ok(exit(&fixed.remaining.report))
}

/// Validates with the settings of several environments. What several have in common is told once.
fn several(args: &ValidateArgs, environments: Vec<Name>, shell: &Shell) -> Result<Exit> {
    if args.watch || args.fix || args.output.is_some() {
        bail!(
            "--watch, --fix and --output work on one environment at a time: choose it with \
             `--environment NAME`"
        );
    }
    let format = environments::format_for_several(args.format, shell)?;
    let mut candidates = environments::load(
        &args.project,
        environments,
        &ProjectArgs::load_what_is_readable,
        shell,
    )?;
    let reports = candidates.iter().map(|it| it.validated.report.clone());
    let reports: Vec<Report> = reports.collect();
    let repeated = match format {
        Format::Json => vec![0; candidates.len()],
        _ => environments::tell_once(&mut candidates),
    };
    let ends = candidates.iter().zip(reports).zip(repeated);
    let ends = ends.map(|((candidate, whole), repeated)| {
        let checked = Checked {
            repeated,
            whole: Some(whole),
            ..Checked::new(&candidate.validated, "validate")
        };
        (candidate.name.as_str(), checked)
    });
    let ends: Vec<_> = ends.collect();
    let ends = ends.iter().map(|(name, checked)| {
        let ending: &dyn Ending = checked;
        (*name, Ok(ending))
    });
    let ends: Vec<_> = ends.collect();
    ending::present_all(("validate", "without errors"), format, &ends, shell)
}

fn announce(fixed: &fix::Fixed, is_dry_run: bool, shell: &Shell) {
    for refused in &fixed.refused {
        shell.say(format!("note: {refused}"));
    }
    shell.say(fixed.summary(is_dry_run));
}

/// A file that was not read could have anything in it: that its findings are all is not said.
fn exit(report: &Report) -> Exit {
    let mut rules = report.diagnostics.iter().map(|finding| finding.rule);
    if rules.any(|rule| rule == &FILE_UNREADABLE) {
        Exit::CouldNotRun
    } else {
        of_errors(report.has_errors())
    }
}

const fn of_errors(has_errors: bool) -> Exit {
    if has_errors {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

impl ValidateArgs {
    /// Reads the configuration and the files, and makes sure that the report overwrites none of them.
    pub(super) fn load(&self, shell: &Shell) -> Result<Project> {
        // What is to be corrected must be known as a whole.
        let project = match self.fix {
            true => self.project.load(shell)?,
            false => self.project.load_what_is_readable(shell)?,
        };
        if let Some(output) = &self.output
            && let Ok(real) = fs::canonicalize(output)
        {
            let is_it = |name: &&str| fs::canonicalize(name).is_ok_and(|file| file == real);
            let mut read = project.files();
            let read = read.find(|file| is_it(&file.name()) && !is_other_xml(file));
            let name = read
                .map(Source::name)
                .or_else(|| project.unread().find(is_it));
            if let Some(name) = name {
                bail!("--output would overwrite `{name}`, which is to be validated");
            }
        }
        Ok(project)
    }

    /// Whether the report is text on the terminal.
    pub(super) fn is_for_screen(&self, shell: &Shell) -> bool {
        self.output.is_none()
            && shell.stdout_is_terminal()
            && shell.format(self.format) == Format::Human
    }

    /// Writes the report to where it is wanted.
    pub(super) fn report(&self, validated: &Validated, shell: &Shell) -> Result<()> {
        let Some(path) = &self.output else {
            return report(validated, self.format, "validate", shell).map(drop);
        };
        let format = self
            .format
            .or_else(|| by_extension(path))
            .unwrap_or(Format::Human);
        let mut text = Vec::new();
        let options = options("validate", shell.file_style());
        output::render(&validated.report, format, &options, &mut text)?;
        atomic_file::write(path, &text)
            .with_context(|| format!("cannot write the report to `{}`", path.display()))?;
        let mut page = Vec::new();
        human::render(&validated.report, shell.error_style(), &mut page)?;
        shell.say(String::from_utf8_lossy(&page).trim_end());
        report_file::write(shell, |out| {
            output::json::render(&validated.report, "validate", out)
        })?;
        ci_summary::publish(validated, format, shell)
    }
}

/// Whether a file that was found among the policies is whole and no policy, as the JUnit report of an
/// earlier run is.
fn is_other_xml(file: &Source) -> bool {
    let mut sources = SourceMap::new();
    let id = sources.add(file.clone());
    let (document, _) = xml::parse(file.original(), id);
    document.is_well_formed()
        && document
            .root()
            .is_some_and(|root| root.name() != "TrustFrameworkPolicy")
}

/// The format that the extension of a file asks for.
fn by_extension(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let formats = [
        (".sarif", Format::Sarif),
        (".sarif.json", Format::Sarif),
        (".json", Format::Json),
        (".xml", Format::Junit),
        (".md", Format::Markdown),
    ];
    let (_, format) = formats
        .into_iter()
        .find(|(extension, _)| name.ends_with(extension))?;
    Some(format)
}

/// Writes a report to standard output in the format asked for, and the summary page of a CI job.
pub(super) fn report(
    validated: &Validated,
    format: Option<Format>,
    command: &'static str,
    shell: &Shell,
) -> Result<Exit> {
    ending::present(&Checked::new(validated, command), format, shell)
}

/// The findings in a set, as all that came of a command.
pub(super) struct Checked<V> {
    validated: V,
    command: &'static str,
    /// How many findings were told before.
    repeated: usize,
    /// What was found, with what was told before.
    whole: Option<Report>,
}

impl<V: Borrow<Validated>> Checked<V> {
    pub(super) fn new(validated: V, command: &'static str) -> Self {
        Self {
            validated,
            command,
            repeated: 0,
            whole: None,
        }
    }

    /// What was found, whether or not it was told before.
    fn found(&self) -> &Report {
        let shown = || &self.validated.borrow().report;
        self.whole.as_ref().unwrap_or_else(shown)
    }
}

impl<V: Borrow<Validated>> Ending for Checked<V> {
    fn show(&self, format: Format, shell: &Shell) -> Result<()> {
        let options = options(self.command, shell.style());
        shell
            .print(|out| output::render(&self.validated.borrow().report, format, &options, out))?;
        if self.repeated > 0 {
            let findings = output::counted(self.repeated, "finding");
            let others = "as in the environments above";
            shell.print(|out| writeln!(out, "{findings} {others}"))?;
        }
        Ok(())
    }

    fn as_json(&self, out: &mut Vec<u8>) -> io::Result<()> {
        output::json::render(&self.validated.borrow().report, self.command, out)
    }

    fn among_others(&self) -> json::Result<'_> {
        match self.command {
            "validate" => json::Result::Validated(self.found()),
            _ => json::Result::Refused(self.found()),
        }
    }

    fn publish(&self, format: Format, shell: &Shell) -> Result<()> {
        ci_summary::publish(self.validated.borrow(), format, shell)
    }

    fn exit(&self) -> Exit {
        exit(self.found())
    }
}

/// What every format gets to know besides the report.
fn options(command: &str, style: Style) -> Options<'_> {
    Options {
        command,
        style,
        rule_page: &rules::page,
    }
}
