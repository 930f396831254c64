//! A step of GitHub Actions: what goes in and out of it by the runner's own protocol
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::commands::{Exit, Shell};
use crate::deploy;
use crate::output::{self, github};

use super::calls::{CERTIFICATE, Call, CallKind, Calls};
use super::inputs::{self, Inputs};
use super::key_file::KeyFile;

/// Shorter ones would make the log unreadable if the runner hid them.
const SHORTEST_MASKED: usize = 4;

/// Runs what the inputs ask for.
pub(super) fn run(shell: &Shell) -> Result<Exit> {
    let done = Step::new(shell).and_then(|step| step.carry_out(shell));
    if let Err(error) = &done {
        annotate(shell, "error", &format!("{error:#}"))?;
    }
    done
}

struct Step {
    calls: Calls,
    program: PathBuf,
    /// A folder of this step alone, for what it hands out.
    folder: PathBuf,
    certificate: Option<KeyFile>,
}

impl Step {
    fn new(shell: &Shell) -> Result<Self> {
        let inputs = Inputs::read(std::env::vars_os())?;
        let exists = |path: &Path| path.is_file();
        mask(&inputs, &exists, shell)?;
        let calls = Calls::new(&inputs, &exists)?;
        let program = std::env::current_exe().context("cannot find this program")?;
        let temporary = shell
            .variable("RUNNER_TEMP")
            .map_or_else(std::env::temp_dir, PathBuf::from);
        let folder = new_folder(&temporary)
            .with_context(|| format!("cannot make a folder in `{}`", temporary.display()))?;
        let certificate = match inputs.secret("client-certificate") {
            Some(text) => KeyFile::new(text, &folder)
                .with_context(|| format!("cannot write into `{}`", folder.display()))?,
            None => None,
        };
        Ok(Self {
            calls,
            program,
            folder,
            certificate,
        })
    }

    fn carry_out(&self, shell: &Shell) -> Result<Exit> {
        let mut results = Results::default();
        let mut is_new = false;
        for (number, call) in (1..).zip(&self.calls.calls) {
            // A keyset that has just got its first key needs no further one.
            if call.kind == CallKind::Rotation && is_new {
                continue;
            }
            let report = self.folder.join(format!("report-{number}.json"));
            let exit = match call.kind {
                CallKind::Policies => self.run_policies(call, &report, &mut results, shell)?,
                CallKind::Keyset | CallKind::Rotation => {
                    let before = results.keysets;
                    let exit = self.run_keyset(call, &mut results, shell)?;
                    is_new = results.keysets > before;
                    exit
                }
            };
            results.exit = worse(results.exit, exit);
            if self.calls.stops && results.exit != Exit::Clean {
                break;
            }
        }
        self.publish(&results, shell)?;
        Ok(results.exit)
    }

    fn run_policies(
        &self,
        call: &Call,
        report: &Path,
        results: &mut Results,
        shell: &Shell,
    ) -> Result<Exit> {
        let mut command = self.command(call, shell)?;
        command
            .env("IEFCTL_REPORT", report)
            .stdout(Stdio::inherit());
        let (status, complaint) = wait(command)?;
        let exit = exit(status);
        if exit == Exit::CouldNotRun {
            annotate(shell, "error", &complaint)?;
        }
        match fs::read_to_string(report) {
            Ok(text) => results
                .add(&text)
                .with_context(|| format!("cannot use `{}`", report.display()))?,
            // It could not run, so there is none.
            Err(error) if error.kind() == io::ErrorKind::NotFound && exit == Exit::CouldNotRun => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read `{}`", report.display()));
            }
        }
        Ok(exit)
    }

    /// Keysets are few and have no positions: what becomes of one is told in a line.
    fn run_keyset(&self, call: &Call, results: &mut Results, shell: &Shell) -> Result<Exit> {
        let mut command = self.command(call, shell)?;
        command.stdout(Stdio::piped());
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run")?;
        let errors = child
            .stderr
            .take()
            .map(|stderr| std::thread::spawn(|| tee(stderr)));
        let mut text = String::new();
        if let Some(stdout) = &mut child.stdout {
            stdout.read_to_string(&mut text)?;
        }
        let status = child.wait()?;
        let complaint = errors
            .and_then(|errors| errors.join().ok())
            .unwrap_or_default();
        let exit = exit(status);
        let Ok(change) = serde_json::from_str::<Value>(&text) else {
            annotate(shell, "error", &complaint)?;
            return Ok(worse(exit, Exit::Findings));
        };
        let keyset = change["keyset"].as_str().unwrap_or_default();
        for (list, level) in [("warnings", "warning"), ("errors", "error")] {
            for message in change[list].as_array().into_iter().flatten() {
                let message = message.as_str().unwrap_or_default();
                annotate(shell, level, &format!("keyset {keyset}: {message}"))?;
            }
        }
        let status = change["status"].as_str().unwrap_or_default();
        if matches!(status, "done" | "doubtful") {
            results.keysets += 1;
        }
        let line = format!("- keyset `{}`: {status}\n", output::plain(keyset));
        results.page.push_str(&line);
        shell.print(|out| write!(out, "{line}"))?;
        results.reports.push(change);
        Ok(exit)
    }

    /// The command, with what it needs and nothing of the inputs that it does not.
    fn command(&self, call: &Call, shell: &Shell) -> Result<Command> {
        let words = call.words.iter().copied();
        let arguments = call.arguments.iter().map(String::as_str);
        let shown: Vec<String> = words
            .clone()
            .chain(arguments)
            .map(output::shell_word)
            .collect();
        shell.print(|out| writeln!(out, "iefctl {}", shown.join(" ")))?;
        let mut command = Command::new(&self.program);
        command.args(words).args(&call.arguments);
        for variable in inputs::variables() {
            command.env_remove(variable);
        }
        for (name, value) in &call.variables {
            command.env(name, value);
        }
        for (name, value) in &call.secrets {
            match &self.certificate {
                Some(file) if *name == CERTIFICATE => command.env(name, file.path()),
                _ => command.env(name, value.expose_secret()),
            };
        }
        command
            .env("GITHUB_STEP_SUMMARY", self.summary())
            .stdin(Stdio::null());
        Ok(command)
    }

    fn summary(&self) -> PathBuf {
        self.folder.join("summary.md")
    }

    /// Hands the results to the runner.
    fn publish(&self, results: &Results, shell: &Shell) -> Result<()> {
        let summary = self.summary();
        let mut page = match fs::read_to_string(&summary) {
            Ok(page) => page,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).context("cannot read the summary"),
        };
        page.push_str(&results.page);
        fs::write(&summary, &page).context("cannot write the summary")?;
        if let Some(path) = shell.variable("GITHUB_STEP_SUMMARY") {
            append(&path, &page).context("cannot write the job summary")?;
        }
        let report = self.folder.join("report.json");
        let document = match results.reports.as_slice() {
            [one] => one.clone(),
            several => Value::Array(several.to_vec()),
        };
        fs::write(&report, serde_json::to_string_pretty(&document)? + "\n")
            .context("cannot write the report")?;
        let Some(path) = shell.variable("GITHUB_OUTPUT") else {
            return Ok(());
        };
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        let count = |number: u64| number.to_string();
        let is_plan = self.calls.command == "plan";
        let outputs = [
            ("command", self.calls.command.to_owned()),
            ("report", shown(&report)),
            (
                "plan",
                if is_plan {
                    shown(&report)
                } else {
                    String::new()
                },
            ),
            ("summary", shown(&summary)),
            ("changed", results.has_changed().to_string()),
            ("policies", count(results.policies)),
            ("errors", count(results.errors)),
            ("warnings", count(results.warnings)),
            ("created", count(results.created)),
            ("updated", count(results.updated)),
            ("deleted", count(results.deleted)),
            ("unchanged", count(results.unchanged)),
            ("failed", count(results.failed)),
            ("blocked", count(results.blocked)),
            ("keysets", count(results.keysets)),
            ("time", deploy::date(now())),
        ];
        let mut text = String::new();
        for (name, value) in outputs {
            text.push_str(&entry(name, &value)?);
        }
        append(&path, &text).context("cannot write the outputs of the step")
    }
}

/// What all runs together came to.
#[derive(Debug)]
struct Results {
    exit: Exit,
    policies: u64,
    errors: u64,
    warnings: u64,
    created: u64,
    updated: u64,
    deleted: u64,
    unchanged: u64,
    failed: u64,
    blocked: u64,
    keysets: u64,
    /// What the runs say of themselves.
    reports: Vec<Value>,
    /// What only this room can put on the summary.
    page: String,
}

impl Default for Results {
    fn default() -> Self {
        Self {
            exit: Exit::Clean,
            policies: 0,
            errors: 0,
            warnings: 0,
            created: 0,
            updated: 0,
            deleted: 0,
            unchanged: 0,
            failed: 0,
            blocked: 0,
            keysets: 0,
            reports: Vec::new(),
            page: String::new(),
        }
    }
}

impl Results {
    const fn has_changed(&self) -> bool {
        self.created + self.updated + self.deleted + self.keysets > 0
    }

    /// Adds the counts of one report. Plans count what would be done, deployments what was done.
    fn add(&mut self, text: &str) -> Result<()> {
        let report: Value = serde_json::from_str(text)?;
        let summary = |names: &[&str]| {
            let counts = names.iter().map(|name| report["summary"][*name].as_u64());
            counts.flatten().sum::<u64>()
        };
        self.errors += summary(&["errors"]);
        self.created += summary(&["created", "create"]);
        self.updated += summary(&["updated", "update"]);
        self.deleted += summary(&["deleted", "delete"]);
        self.unchanged += summary(&["unchanged"]);
        self.failed += summary(&["failed"]);
        self.blocked += summary(&["blocked"]);
        let list = |name: &str| report[name].as_array().map_or(&[][..], Vec::as_slice);
        self.policies += match report["summary"]["policies"].as_u64() {
            Some(policies) => policies,
            None => list("policies").len() as u64,
        };
        let warnings = list("findings")
            .iter()
            .filter(|it| it["level"] == "warning");
        self.warnings += summary(&["warnings"]) + warnings.count() as u64;
        let done = list("keysets")
            .iter()
            .filter(|keyset| keyset["status"] == "done" && keyset["action"] != "unchanged");
        self.keysets += summary(&["keysets"]) + done.count() as u64;
        self.reports.push(report);
        Ok(())
    }
}

/// Asks the runner to hide every line of every secret in what follows. Elsewhere nobody would take the
/// line as meant.
fn mask(inputs: &Inputs, exists: &dyn Fn(&Path) -> bool, shell: &Shell) -> Result<()> {
    if shell.variable("GITHUB_ACTIONS").as_deref() != Some("true") {
        return Ok(());
    }
    let mut secrets: Vec<SecretString> = inputs.all_secrets(exists).cloned().collect();
    secrets.extend(
        inputs
            .secret("policy_keys")
            .iter()
            .flat_map(|list| within(list)),
    );
    shell.print(|out| {
        let secrets = secrets.iter().map(|secret| secret.expose_secret());
        let lines = secrets.flat_map(str::lines).map(str::trim);
        // The markers of a PEM file occur everywhere.
        let lines = lines.filter(|line| !line.starts_with("-----"));
        for line in lines.filter(|line| line.len() >= SHORTEST_MASKED) {
            writeln!(out, "::add-mask::{}", line.replace('%', "%25"))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// The secrets in a list of keys. The list as a whole, which the runner hides already, is not what a
/// program would print by mistake.
fn within(list: &SecretString) -> Vec<SecretString> {
    let Ok(Value::Array(keys)) = serde_json::from_str(list.expose_secret()) else {
        return Vec::new();
    };
    let secrets = keys
        .iter()
        .flat_map(|key| ["secret", "password"].map(|name| &key[name]));
    secrets
        .filter_map(Value::as_str)
        .map(SecretString::from)
        .collect()
}

/// An annotation without a place.
fn annotate(shell: &Shell, level: &str, message: &str) -> Result<()> {
    shell.print(|out| writeln!(out, "{}", github::annotation(level, message)))?;
    Ok(())
}

/// Runs to the end, with standard error passed on, and returns what the program complained about.
fn wait(mut command: Command) -> Result<(ExitStatus, String)> {
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run")?;
    let complaint = child.stderr.take().map(tee).unwrap_or_default();
    Ok((child.wait()?, complaint))
}

/// Passes text on to standard error and keeps what follows `error: `.
fn tee(stderr: impl Read) -> String {
    let mut complaint = String::new();
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        // Nothing can be done about a closed standard error.
        let _ = io::stderr().lock().write_all(&line);
        let text = String::from_utf8_lossy(&line);
        match text.strip_prefix("error: ") {
            Some(message) => message.clone_into(&mut complaint),
            None if !complaint.is_empty() => complaint.push_str(&text),
            None => {}
        }
        line.clear();
    }
    match complaint.trim_end() {
        "" => "iefctl could not run: see the log".to_owned(),
        complaint => complaint.to_owned(),
    }
}

fn exit(status: ExitStatus) -> Exit {
    match status.code() {
        Some(0) => Exit::Clean,
        Some(1) => Exit::Findings,
        Some(3) => Exit::ChangesPending,
        _ => Exit::CouldNotRun,
    }
}

fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Clean => 0,
        Exit::ChangesPending => 1,
        Exit::Findings => 2,
        Exit::CouldNotRun => 3,
    };
    if rank(other) > rank(one) { other } else { one }
}

fn new_folder(parent: &Path) -> io::Result<PathBuf> {
    for number in 1..10_000 {
        let folder = parent.join(format!("iefctl-step-{number}"));
        match fs::create_dir(&folder) {
            Ok(()) => return std::path::absolute(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// One output, in the form that takes any text: no value can contain a line that nobody can guess.
fn entry(name: &str, value: &str) -> Result<String> {
    let mut random = [0; 16];
    if aws_lc_rs::rand::fill(&mut random).is_err() {
        bail!("the system gives no random numbers");
    }
    let end: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{name}<<{end}\n{value}\n{end}\n"))
}

fn append(path: &str, text: &str) -> Result<()> {
    crate::commands::shell::append(path, text).with_context(|| format!("`{path}`"))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}
