//! The program in a folder of its own.
#![allow(dead_code, reason = "not every test binary uses all of it")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The binary in a folder of its own, without anything of the surrounding environment.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file or folder in it.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Copies the files of a folder, which may be named as the repository has it.
    pub(crate) fn copy(&self, from: impl AsRef<Path>, to: &str) {
        let to = self.at(to);
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(repository().join(from)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
            }
        }
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap()
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.at(name)).unwrap();
    }

    /// Names of the files in a folder, sorted, without hidden ones; none if there is no such folder.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.at(name)) else {
            return Vec::new();
        };
        let files = entries.map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = files
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    }

    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        Finished::new(&self.command(args).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs a command line and expects this exit status.
    #[track_caller]
    pub(crate) fn line(&self, line: &str, status: i32) -> Finished {
        self.line_with(&[], line, status)
    }

    /// The same with environment variables.
    #[track_caller]
    pub(crate) fn line_with(&self, env: &[(&str, &str)], line: &str, status: i32) -> Finished {
        let args: Vec<&str> = line.split_whitespace().collect();
        let mut command = self.command(&args);
        let output = command
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .output();
        let finished = Finished::new(&output.unwrap());
        assert_eq!(
            finished.status,
            Some(status),
            "{line}\nstdout:\n{}\nstderr:\n{}",
            finished.stdout,
            finished.stderr
        );
        finished
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_iefctl"));
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (*name, value)));
        command
    }
}

pub(crate) struct Finished {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    pub(crate) fn new(output: &Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(
            self.status,
            Some(status),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }

    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        self.json()["summary"][name].as_u64().unwrap()
    }

    /// Ids of the policies of a deployment that were treated so.
    pub(crate) fn ids(&self, action: &str) -> Vec<String> {
        let report = self.json();
        let policies = report["policies"].as_array().unwrap().iter();
        let chosen = policies.filter(|policy| policy["action"] == action);
        chosen
            .map(|policy| policy["id"].as_str().unwrap().to_owned())
            .collect()
    }
}
