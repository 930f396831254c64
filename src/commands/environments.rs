//! Working on several environments: which ones, side by side, each apart from the others.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context as _, Error, Result, anyhow, bail};

use crate::config::{self, Project};
use crate::output::{self, Format};

use super::deployment::Consent;
use super::plan::ready_for_tenant;
use super::project::{self, ProjectArgs, Validated};
use super::tenant::tenant_name;
use super::{Exit, Shell};

/// All environments at once.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct AllArgs {
    /// Every environment of the configuration
    #[arg(long, conflicts_with = "environment")]
    pub(super) all_environments: bool,
}

/// An environment by its name; none where the configuration needs none.
pub(super) type Name = Option<String>;

/// The environments that the command line chooses, in its order, else in that of the configuration.
///
/// # Errors
/// If one is named twice, or all are wanted and there are none.
pub(super) fn chosen(args: &ProjectArgs, all: AllArgs, shell: &Shell) -> Result<Vec<Name>> {
    if all.all_environments {
        let options = args.config.options();
        let start = args.paths.first();
        let start = start.map_or(Path::new("."), PathBuf::as_path);
        let project = config::load_settings(start, &options, &|name| shell.variable(name))?;
        if project.environment_names.is_empty() {
            bail!("--all-environments: the configuration has no environments");
        }
        return Ok(project.environment_names.into_iter().map(Some).collect());
    }
    for (index, name) in args.environment.iter().enumerate() {
        let before = &args.environment[..index];
        if before
            .iter()
            .any(|other| other.to_lowercase() == name.to_lowercase())
        {
            bail!("environment `{name}` is chosen twice");
        }
    }
    match args.environment.as_slice() {
        [] => Ok(vec![None]),
        names => Ok(names.iter().cloned().map(Some).collect()),
    }
}

/// An environment that could be deployed to as far as its files tell.
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) project: Project,
    pub(super) validated: Validated,
}

/// Loads and validates all environments, before any tenant is asked.
///
/// # Errors
/// What keeps the command from running, and two environments that are the same tenant.
pub(super) fn load_for_tenants(
    args: &ProjectArgs,
    names: Vec<Name>,
    emulator: bool,
    shell: &Shell,
) -> Result<Vec<Candidate>> {
    if let Some(tenant) = &args.tenant {
        bail!(
            "--tenant {tenant} would make all environments the same tenant: choose one environment, \
             or leave it out"
        );
    }
    let candidates = load(args, names, &ProjectArgs::load, shell)?;
    let mut tenants: Vec<(String, String)> = Vec::new();
    for Candidate {
        name,
        project,
        validated,
    } in &candidates
    {
        ready_for_tenant(project)?;
        if let Some(set) = validated.sets.first() {
            let of = || format!("environment `{name}`");
            let tenant = tenant_name(project, set, emulator).with_context(of)?;
            let same = tenants
                .iter()
                .find(|(_, other)| other.eq_ignore_ascii_case(&tenant));
            if let Some((other, _)) = same {
                bail!(
                    "environments `{other}` and `{name}` are both the tenant {tenant}: deploying both \
                     at once would let one overwrite the other; choose one of them"
                );
            }
            tenants.push((name.clone(), tenant));
        }
    }
    Ok(candidates)
}

/// Loads and validates all environments; `read` reads one.
///
/// # Errors
/// What keeps the command from running.
pub(super) fn load(
    args: &ProjectArgs,
    names: Vec<Name>,
    read: &dyn Fn(&ProjectArgs, &Shell) -> Result<Project>,
    shell: &Shell,
) -> Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    for name in names.into_iter().flatten() {
        let of = || format!("environment `{name}`");
        let project = read(&args.of(Some(&name)), shell).with_context(of)?;
        let validated = project::validate(&project, None, shell).with_context(of)?;
        candidates.push(Candidate {
            name,
            project,
            validated,
        });
    }
    Ok(candidates)
}

/// Does `work` for every candidate at the same time, each in a thread with a runtime of its own, so
/// that nothing one does can hold up or end another. The results are in the order of the candidates.
///
/// Before its first write each one waits at its [`Gate`] until all have come to theirs or ended; then
/// the questions are asked, one after the other, and nothing draws over them.
pub(super) fn side_by_side<T: Send>(
    candidates: Vec<Candidate>,
    consent: &dyn Fn(&str) -> Result<bool>,
    work: &(dyn Fn(Candidate, &Gate) -> Result<T> + Sync),
) -> Vec<(String, Result<T>)> {
    let (arrive, arrivals) = channel();
    std::thread::scope(|scope| {
        let threads: Vec<_> = candidates
            .into_iter()
            .map(|candidate| {
                let name = candidate.name.clone();
                let gate = Gate::new(&name, arrive.clone());
                let thread = scope.spawn(move || work(candidate, &gate));
                (name, thread)
            })
            .collect();
        // Every gate tells when it is gone, so this ends though not all come to a question.
        drop(arrive);
        answer(threads.len(), &arrivals, consent);
        let joined = threads.into_iter().map(|(name, thread)| {
            let result = thread.join().unwrap_or_else(|_| {
                Err(anyhow!("a mistake of iefctl ended it half-way: run again"))
            });
            (name, result)
        });
        joined.collect()
    })
}

/// Collects who wants to write, asks, and lets them.
fn answer(count: usize, arrivals: &Receiver<Arrival>, consent: &dyn Fn(&str) -> Result<bool>) {
    let mut waiting = Vec::new();
    let mut open = count;
    while open > 0
        && let Ok(arrival) = arrivals.recv()
    {
        open -= 1;
        if let Arrival::Waits { question, answer } = arrival {
            waiting.push((question, answer));
        }
    }
    let answers: Vec<_> = waiting
        .into_iter()
        .map(|(question, answer)| {
            let agreed = question.map_or(Ok(true), |question| consent(&question));
            (answer, agreed)
        })
        .collect();
    for (answer, agreed) in answers {
        // Who does not listen any more has ended by itself.
        let _ = answer.send(agreed);
    }
}

enum Arrival {
    Waits {
        question: Option<String>,
        answer: Sender<Result<bool>>,
    },
    Ended,
}

/// Where an environment waits before its first write.
pub(super) struct Gate {
    name: String,
    arrive: Sender<Arrival>,
    has_arrived: std::sync::atomic::AtomicBool,
}

impl Gate {
    fn new(name: &str, arrive: Sender<Arrival>) -> Self {
        Self {
            name: name.to_owned(),
            arrive,
            has_arrived: false.into(),
        }
    }

    fn arrives_first(&self) -> bool {
        let ordering = std::sync::atomic::Ordering::AcqRel;
        !self.has_arrived.swap(true, ordering)
    }
}

impl Consent for Gate {
    fn ask(&self, question: Option<&str>) -> Result<bool> {
        if !self.arrives_first() {
            return Ok(true);
        }
        let (sender, receiver) = channel();
        let arrival = Arrival::Waits {
            question: question.map(|question| format!("{}: {question}", self.name)),
            answer: sender,
        };
        let lost = |_| anyhow!("the command ended before this environment was confirmed");
        self.arrive
            .send(arrival)
            .map_err(|_| lost(std::sync::mpsc::RecvError))?;
        receiver.recv().map_err(lost)?
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if self.arrives_first() {
            // Nobody waits for it where the command has ended.
            let _ = self.arrive.send(Arrival::Ended);
        }
    }
}

/// The exit status of all: that they could not run only if none of them could.
pub(super) fn exit(ends: impl IntoIterator<Item = Exit>) -> Exit {
    let ends: Vec<Exit> = ends.into_iter().collect();
    let any = |exit| ends.contains(&exit);
    if ends.iter().all(|end| *end == Exit::CouldNotRun) {
        Exit::CouldNotRun
    } else if any(Exit::Findings) || any(Exit::CouldNotRun) {
        Exit::Findings
    } else if any(Exit::ChangesPending) {
        Exit::ChangesPending
    } else {
        Exit::Clean
    }
}

/// The format of a report about several environments.
///
/// # Errors
/// If it is one that holds the findings of one set of files.
pub(super) fn format_for_several(asked: Option<Format>, shell: &Shell) -> Result<Format> {
    match shell.format(asked) {
        format @ (Format::Sarif | Format::Junit) => {
            bail!("a report as {format} is about one environment: choose one, or another format")
        }
        format => Ok(format),
    }
}

/// Takes from each report what an earlier one holds as well, at the same place in the same words;
/// returns for each how much that was.
pub(super) fn tell_once(candidates: &mut [Candidate]) -> Vec<usize> {
    let mut told = HashSet::new();
    let mut repeated = Vec::new();
    for candidate in candidates {
        let report = &mut candidate.validated.report;
        let before = report.diagnostics.len();
        let sources = &report.sources;
        report.diagnostics.retain(|finding| {
            let place = finding.primary.location;
            let file = sources.get(place.source).name().to_owned();
            let (start, _) = sources.position(place);
            let position = start.to_string();
            told.insert((finding.rule.id, file, position, finding.message.clone()))
        });
        repeated.push(before - report.diagnostics.len());
    }
    repeated
}

/// The line above what is said of one environment.
pub(super) fn heading(name: &str, format: Format, shell: &Shell) -> String {
    let name = output::plain(name);
    match format {
        Format::Markdown => format!("## {name}\n"),
        _ if shell.style().colour => format!("\u{1b}[1m{name}\u{1b}[0m"),
        _ => format!("{name}:"),
    }
}

/// "2 of 3 environments deployed".
pub(super) fn summary(complete: usize, all: usize, done: &str) -> String {
    match all - complete {
        0 => format!("all {all} environments {done}"),
        left => format!("{complete} of {all} environments {done}, {left} not or not completely"),
    }
}

/// An error of one environment, on standard error.
pub(super) fn fail(name: &str, error: &Error, shell: &Shell) {
    shell.fail(&anyhow!("environment `{name}`: {error:#}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LoadOptions;

    fn candidates(names: &[&str]) -> Vec<Candidate> {
        names
            .iter()
            .map(|name| Candidate {
                name: (*name).to_owned(),
                project: config::load_settings(
                    Path::new("."),
                    &LoadOptions::default(),
                    &|_: &str| None,
                )
                .expect("nothing is configured here"),
                validated: Validated {
                    report: crate::diagnostics::Report::default(),
                    sets: Vec::new(),
                },
            })
            .collect()
    }

    /// Nobody may pass before all have come; a refused one ends alone, and so does one that fails
    /// before its gate.
    #[test]
    fn all_come_to_the_gate_before_one_passes() {
        let passed = std::sync::Mutex::new(Vec::new());
        let asked = std::cell::RefCell::new(Vec::new());
        let consent = |question: &str| {
            assert!(
                passed.lock().unwrap().is_empty(),
                "passed before the answer"
            );
            asked.borrow_mut().push(question.to_owned());
            Ok(!question.contains("prod"))
        };
        let results = side_by_side(
            candidates(&["dev", "prod", "broken", "panics"]),
            &consent,
            &|candidate, gate| match candidate.name.as_str() {
                "broken" => bail!("no sign-in"),
                "panics" => panic!("a mistake"),
                name => {
                    let question = (name == "prod").then_some("write?");
                    let agreed = gate.ask(question)?;
                    passed.lock().unwrap().push(name.to_owned());
                    Ok(agreed)
                }
            },
        );
        assert_eq!(*asked.borrow(), ["prod: write?"]);
        let names: Vec<_> = results.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["dev", "prod", "broken", "panics"]);
        assert!(*results[0].1.as_ref().unwrap());
        assert!(!*results[1].1.as_ref().unwrap());
        assert!(results[2].1.is_err() && results[3].1.is_err());
    }

    #[test]
    fn the_exit_status_is_that_of_the_worst_that_ran() {
        use Exit::{ChangesPending, Clean, CouldNotRun, Findings};
        assert_eq!(exit([Clean, Clean]), Clean);
        assert_eq!(exit([Clean, ChangesPending]), ChangesPending);
        assert_eq!(exit([Findings, ChangesPending]), Findings);
        assert_eq!(exit([Clean, CouldNotRun]), Findings);
        assert_eq!(exit([CouldNotRun, CouldNotRun]), CouldNotRun);
    }
}
