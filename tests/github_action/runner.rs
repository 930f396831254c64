//! A runner of GitHub Actions, as far as a composite action sees one: inputs with their defaults,
//! expressions, the files by which steps speak to it, workflow commands, masks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::releases;

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the job is; a step may add to it.
pub(crate) struct Runner {
    folder: tempfile::TempDir,
    action: Value,
    /// Environment of the job.
    pub(crate) job: BTreeMap<String, String>,
    /// `github.action_ref` and `github.action_repository`.
    pub(crate) action_ref: String,
    pub(crate) action_repository: String,
}

/// What one `uses:` of the action came to.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) succeeded: bool,
    pub(crate) outputs: BTreeMap<String, String>,
    /// The log as the runner shows it: masked, without the commands that it takes for itself.
    pub(crate) log: String,
    /// Level, properties and text of each annotation.
    pub(crate) annotations: Vec<(String, String, String)>,
    /// The job summary.
    pub(crate) summary: String,
    /// What later steps find in their PATH.
    pub(crate) path: Vec<PathBuf>,
}

impl Runner {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["workspace", "temp", "files", "home", "action"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::create_dir(folder.path().join("workspace/.git")).unwrap();
        // The action as it is checked out, without its sources.
        let action = folder.path().join("action");
        fs::create_dir(action.join("action")).unwrap();
        for file in ["action.yml", "action/install.sh", "Cargo.toml"] {
            fs::copy(repository().join(file), action.join(file)).unwrap();
        }
        let text = fs::read_to_string(action.join("action.yml")).unwrap();
        Self {
            action: serde_saphyr::from_str(&text).unwrap(),
            folder,
            job: BTreeMap::new(),
            action_ref: String::new(),
            action_repository: String::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn workspace(&self, name: &str) -> PathBuf {
        self.path("workspace").join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.workspace(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Puts the program where an earlier step of the job would have left it.
    #[cfg(unix)]
    pub(crate) fn installed(self) -> Self {
        let folder = self.path("temp/iefctl/source");
        fs::create_dir_all(&folder).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_iefctl"));
        std::os::unix::fs::symlink(program, folder.join("iefctl")).unwrap();
        self
    }

    /// Runs the steps of the action in order, with these inputs.
    pub(crate) fn run(&self, with: &[(&str, &str)]) -> Finished {
        let mut state = State {
            runner: self,
            inputs: self.inputs(with),
            steps: BTreeMap::new(),
            finished: Finished {
                succeeded: true,
                outputs: BTreeMap::new(),
                log: String::new(),
                annotations: Vec::new(),
                summary: String::new(),
                path: Vec::new(),
            },
            environment: BTreeMap::new(),
            masks: Vec::new(),
        };
        assert_eq!(self.action["runs"]["using"], "composite");
        for step in self.action["runs"]["steps"].as_array().unwrap() {
            if !state.finished.succeeded {
                break;
            }
            state.step(step);
        }
        let outputs = self.action["outputs"].as_object().unwrap();
        let outputs = outputs.iter().map(|(name, output)| {
            let value = state.interpolated(output["value"].as_str().unwrap());
            (name.clone(), value)
        });
        let outputs: BTreeMap<_, _> = outputs.collect();
        let mut finished = state.finished;
        finished.outputs = outputs;
        finished
    }

    /// Names are compared without regard to case. A runner warns of an unknown one; here it is a
    /// mistake of the test.
    fn inputs(&self, with: &[(&str, &str)]) -> BTreeMap<String, String> {
        let declared = self.action["inputs"].as_object().unwrap();
        let defaults = declared.iter().map(|(name, input)| {
            let default = input["default"].as_str().unwrap_or_default().to_owned();
            (name.to_lowercase(), default)
        });
        let mut inputs: BTreeMap<String, String> = defaults.collect();
        for (name, value) in with {
            let known = inputs.insert(name.to_lowercase(), (*value).to_owned());
            assert!(known.is_some(), "the action has no input `{name}`");
        }
        inputs
    }
}

struct State<'r> {
    runner: &'r Runner,
    inputs: BTreeMap<String, String>,
    /// Outputs by id of the step.
    steps: BTreeMap<String, BTreeMap<String, String>>,
    finished: Finished,
    environment: BTreeMap<String, String>,
    masks: Vec<String>,
}

impl State<'_> {
    fn step(&mut self, step: &Value) {
        let known = ["name", "id", "if", "shell", "env", "run"];
        for key in step.as_object().unwrap().keys() {
            assert!(
                known.contains(&key.as_str()),
                "this runner knows no `{key}`"
            );
        }
        if step["if"]
            .as_str()
            .is_some_and(|condition| !self.holds(condition))
        {
            return;
        }
        assert_eq!(step["shell"], "bash");
        let script = step["run"].as_str().unwrap();
        assert!(
            !script.contains("${{"),
            "an expression in a script: {script}"
        );
        let files = self.runner.path("files");
        let file = |name: &str| {
            let path = files.join(format!("{name}_{}", self.steps.len()));
            fs::write(&path, "").unwrap();
            path
        };
        let [output, environment, path, summary] =
            ["output", "env", "path", "step_summary"].map(file);
        let script_file = files.join("script.sh");
        fs::write(&script_file, script).unwrap();
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(&script_file)
            .current_dir(self.runner.path("workspace"))
            .env_clear()
            .envs(self.base())
            .envs(&self.runner.job)
            .envs(&self.environment)
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_ENV", &environment)
            .env("GITHUB_PATH", &path)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .stdin(Stdio::null());
        for (name, value) in step["env"].as_object().unwrap() {
            command.env(name, self.interpolated(value.as_str().unwrap()));
        }
        let done = command.output().unwrap();
        // The runner reads both streams as they come; between the two no order is promised.
        for stream in [&done.stdout, &done.stderr] {
            let text = String::from_utf8(stream.clone()).unwrap();
            text.lines().for_each(|line| self.line(line));
        }
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        if let Some(id) = step["id"].as_str() {
            self.steps.insert(id.to_owned(), pairs(&read(&output)));
        }
        self.environment.extend(pairs(&read(&environment)));
        let paths = read(&path);
        let paths = paths.lines().filter(|line| !line.is_empty());
        self.finished.path.extend(paths.map(PathBuf::from));
        self.finished.summary.push_str(&read(&summary));
        self.finished.succeeded = done.status.success();
    }

    fn base(&self) -> BTreeMap<String, String> {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let runner = self.runner;
        let (os, arch) = (releases::OS, releases::ARCH);
        let mut path: Vec<PathBuf> = self.finished.path.clone();
        path.reverse();
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let path = std::env::join_paths(path).unwrap();
        [
            ("PATH", path.into_string().unwrap()),
            ("HOME", text(runner.path("home"))),
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_WORKSPACE", text(runner.path("workspace"))),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_ACTION_PATH", text(runner.path("action"))),
            ("RUNNER_TEMP", text(runner.path("temp"))),
            ("RUNNER_OS", os.to_owned()),
            ("RUNNER_ARCH", arch.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// One line of the log: a command of the runner, or text.
    fn line(&mut self, line: &str) {
        if let Some(secret) = line.strip_prefix("::add-mask::") {
            self.masks.push(unescaped(secret));
            return;
        }
        let hidden = |text: &str| {
            let masks = self.masks.iter();
            masks.fold(text.to_owned(), |text, mask| text.replace(mask, "***"))
        };
        let command = line
            .strip_prefix("::")
            .and_then(|rest| rest.split_once("::"));
        if let Some((head, text)) = command {
            let (level, properties) = head.split_once(' ').unwrap_or((head, ""));
            assert!(
                ["error", "warning", "notice", "group", "endgroup"].contains(&level),
                "a command that nobody meant: {line}"
            );
            self.finished.annotations.push((
                level.to_owned(),
                unescaped(properties)
                    .replace("%3A", ":")
                    .replace("%2C", ","),
                hidden(&unescaped(text)),
            ));
        }
        self.finished.log.push_str(&hidden(line));
        self.finished.log.push('\n');
    }

    fn holds(&self, condition: &str) -> bool {
        let (left, right) = condition.split_once(" != ").unwrap();
        let right = right
            .strip_prefix('\'')
            .unwrap()
            .strip_suffix('\'')
            .unwrap();
        // Comparisons of text ignore case.
        !self.value(left).eq_ignore_ascii_case(right)
    }

    /// A text with its expressions replaced.
    fn interpolated(&self, text: &str) -> String {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, behind) = after.split_once("}}").unwrap();
            result.push_str(before);
            result.push_str(&self.value(expression.trim()));
            rest = behind;
        }
        result + rest
    }

    fn value(&self, expression: &str) -> String {
        let parts: Vec<&str> = expression.split('.').collect();
        match parts.as_slice() {
            ["inputs", name] => self.inputs[&name.to_lowercase()].clone(),
            ["steps", id, "outputs", name] => {
                let outputs = self.steps.get(*id);
                outputs
                    .and_then(|outputs| outputs.get(*name))
                    .cloned()
                    .unwrap_or_default()
            }
            ["github", "action_ref"] => self.runner.action_ref.clone(),
            ["github", "action_repository"] => self.runner.action_repository.clone(),
            ["github", "token"] => "ghs_token".to_owned(),
            _ => panic!("this runner does not know the expression `{expression}`"),
        }
    }
}

/// `name=value` and `name<<END` … `END`.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let value = line.find('=');
        let block = line.find("<<");
        let (name, value) = match (value, block) {
            (value, Some(block)) if value.is_none_or(|value| block < value) => {
                let end = &line[block + 2..];
                let held: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                (&line[..block], held.join("\n"))
            }
            (Some(value), _) => (&line[..value], line[value + 1..].to_owned()),
            _ => panic!("the runner refuses the line `{line}`"),
        };
        pairs.insert(name.to_owned(), value);
    }
    pairs
}

fn unescaped(text: &str) -> String {
    text.replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%25", "%")
}

impl Finished {
    #[track_caller]
    pub(crate) fn expect(self, succeeded: bool) -> Self {
        assert_eq!(self.succeeded, succeeded, "{}", self.log);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.log.contains(text),
            "`{text}` is not in the log:\n{}",
            self.log
        );
        self
    }

    #[track_caller]
    pub(crate) fn annotates(self, level: &str, text: &str) -> Self {
        let mut annotations = self.annotations.iter();
        assert!(
            annotations.any(|(found, _, message)| found == level && message.contains(text)),
            "no {level} says `{text}`:\n{}",
            self.log
        );
        self
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        &self.outputs[name]
    }

    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.output("report")).unwrap()).unwrap()
    }
}
