//! The binary in a folder of its own, without anything of the surrounding environment.
#![allow(dead_code, reason = "not every test binary uses all of it")]

#[path = "../beside/corpus.rs"]
mod corpus;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use corpus::corpus;

pub(crate) const TENANT: &str = "contoso.onmicrosoft.com";

pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Copies the files of a folder of the repository.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(from);
        let to = self.path(to);
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
            }
        }
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    /// Names of the files in a folder, sorted.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(name)) else {
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

    /// Runs a command line and expects this exit status.
    #[track_caller]
    pub(crate) fn run(&self, line: &str, status: i32) -> Finished {
        self.run_with(&[], line, status)
    }

    /// The same with environment variables.
    #[track_caller]
    pub(crate) fn run_with(&self, env: &[(&str, &str)], line: &str, status: i32) -> Finished {
        let output = Command::new(env!("CARGO_BIN_EXE_iefctl"))
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let finished = Finished {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert_eq!(
            output.status.code(),
            Some(status),
            "{line}\nstdout:\n{}\nstderr:\n{}",
            finished.stdout,
            finished.stderr
        );
        finished
    }
}

pub(crate) struct Finished {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
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

/// A small policy with a claim type of its own.
pub(crate) fn policy(id: &str, base: Option<&str>, claim: &str) -> String {
    let base = base.map_or_else(String::new, |base| {
        format!(
            "<BasePolicy>\n<TenantId>{TENANT}</TenantId>\n<PolicyId>{base}</PolicyId>\n</BasePolicy>"
        )
    });
    format!(
        "<TrustFrameworkPolicy xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"{TENANT}\" PolicyId=\"{id}\" \
         PublicPolicyUri=\"http://{TENANT}/{id}\">{base}\n<BuildingBlocks>\n<ClaimsSchema>\n\
         <ClaimType Id=\"{claim}\">\n<DisplayName>{claim}</DisplayName>\n\
         <DataType>string</DataType>\n</ClaimType>\n</ClaimsSchema>\n</BuildingBlocks>\n\
         </TrustFrameworkPolicy>\n"
    )
}

/// Microsoft's starter packs, where they lie beside the repository.
pub(crate) fn starter_packs() -> Vec<String> {
    let Some(root) = corpus() else {
        return Vec::new();
    };
    let packs = [
        "LocalAccounts",
        "SocialAccounts",
        "SocialAndLocalAccounts",
        "SocialAndLocalAccountsWithMfa",
        "Display Controls Starterpack/SocialAndLocalAccountsWithMfa",
    ];
    let root = root.join("starterpack");
    packs
        .map(|pack| root.join(pack).display().to_string())
        .into()
}
