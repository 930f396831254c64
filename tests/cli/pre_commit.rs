//! `.pre-commit-hooks.yaml`, installed by the real pre-commit into a git repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::fixture::policy;

const MANIFEST: &str = ".pre-commit-hooks.yaml";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Two repositories, the one with the hooks and the one of a team, and nothing of this machine's
/// configuration.
struct Repositories {
    folder: tempfile::TempDir,
}

impl Repositories {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, repository: &str, program: &str, arguments: &[&str]) -> Output {
        let binaries = Path::new(env!("CARGO_BIN_EXE_iefctl")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let path = [binaries.to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&path));
        Command::new(program)
            .args(arguments)
            .current_dir(self.path(repository))
            .env_clear()
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("HOME", self.path("home"))
            .env("PRE_COMMIT_HOME", self.path("cache"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@contoso.com")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@contoso.com")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    #[track_caller]
    fn expect(&self, repository: &str, program: &str, arguments: &[&str]) -> String {
        let done = self.run(repository, program, arguments);
        let said = said(&done);
        assert!(done.status.success(), "{program} {arguments:?}:\n{said}");
        said
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path("team").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Whether a commit of everything went through, and what was said.
    fn commit(&self) -> (bool, String) {
        self.expect("team", "git", &["add", "-A"]);
        let done = self.run("team", "git", &["commit", "-m", "Change"]);
        (done.status.success(), said(&done))
    }

    /// Puts hooks to work that look at the folder `policies`.
    fn new(hook: &str) -> Self {
        let repositories = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for name in ["hooks", "team", "home"] {
            fs::create_dir(repositories.path(name)).unwrap();
        }
        for name in ["hooks", "team"] {
            repositories.expect(name, "git", &["init", "-q"]);
        }
        fs::copy(
            root().join(MANIFEST),
            repositories.path("hooks").join(MANIFEST),
        )
        .unwrap();
        repositories.expect("hooks", "git", &["add", "-A"]);
        repositories.expect("hooks", "git", &["commit", "-q", "-m", "Hooks"]);
        let revision = repositories.expect("hooks", "git", &["rev-parse", "HEAD"]);
        repositories.write(
            ".pre-commit-config.yaml",
            &format!(
                "repos:\n  - repo: {}\n    rev: {}\n    hooks:\n      - id: {hook}\n        \
                 args: [policies]\n",
                repositories.path("hooks").display(),
                revision.trim()
            ),
        );
        repositories.expect("team", "pre-commit", &["install"]);
        repositories
    }
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{err}")
}

/// Whether pre-commit is there. CI must have it.
fn is_there() -> bool {
    let found = Command::new("pre-commit").arg("--version").output().is_ok();
    assert!(
        found || std::env::var_os("CI").is_none(),
        "CI must have pre-commit"
    );
    found
}

/// A policy that persists a claim of the policy that `policy` makes.
fn heir(claim: &str) -> String {
    let text = policy(&[claim]).replace("B2C_1A_Base", "B2C_1A_Heir");
    let (before, rest) = text.split_once("<BuildingBlocks>").unwrap();
    let (_, after) = rest.split_once("</BuildingBlocks>").unwrap();
    format!(
        "{before}<BasePolicy>\n    <TenantId>contoso.onmicrosoft.com</TenantId>\n    \
         <PolicyId>B2C_1A_Base</PolicyId>\n  </BasePolicy>{after}"
    )
}

#[test]
fn a_bad_commit_is_refused_and_a_good_one_accepted() {
    if !is_there() {
        return;
    }
    let team = Repositories::new("iefctl-validate-system");
    team.write("policies/Base.xml", &policy(&["objectId"]));
    team.write("policies/Heir.xml", &heir("emial"));
    let (done, said) = team.commit();
    assert!(!done, "{said}");
    assert!(
        said.contains("error[ref-claimtype]") && said.contains("emial"),
        "{said}"
    );
    assert!(said.contains("policies/Heir.xml"), "{said}");

    team.write("policies/Heir.xml", &heir("displayName"));
    let (done, said) = team.commit();
    assert!(done, "{said}");

    // Only the base changes, and what breaks is its heir: the set is judged as a set.
    let base = policy(&["objectId"]).replace("Id=\"displayName\"", "Id=\"familyName\"");
    team.write("policies/Base.xml", &base);
    let (done, said) = team.commit();
    assert!(!done, "{said}");
    assert!(said.contains("policies/Heir.xml"), "{said}");

    // What is no policy and no configuration does not wake the hook.
    team.expect("team", "git", &["checkout", "-q", "HEAD", "--", "."]);
    team.write("notes.md", "Notes\n");
    let (done, said) = team.commit();
    assert!(done && said.contains("Skipped"), "{said}");
}

#[test]
fn what_can_be_fixed_is_fixed_and_the_commit_refused_once() {
    if !is_there() {
        return;
    }
    let team = Repositories::new("iefctl-fix-system");
    team.write("policies/Base.xml", &policy(&["objetcId"]));
    let (done, said) = team.commit();
    assert!(!done, "{said}");
    assert!(said.contains("files were modified by this hook"), "{said}");
    let fixed = fs::read_to_string(team.path("team/policies/Base.xml")).unwrap();
    assert_eq!(fixed, policy(&["objectId"]));
    let (done, said) = team.commit();
    assert!(done, "{said}");
}

#[test]
fn the_manifest_is_one_that_pre_commit_takes() {
    let text = fs::read_to_string(root().join(MANIFEST)).unwrap();
    let hooks: Vec<Value> = serde_saphyr::from_str(&text).unwrap();
    let hook = |id: &str| {
        let mut hooks = hooks.iter();
        hooks
            .find(|hook| hook["id"] == id)
            .unwrap()
            .as_object()
            .unwrap()
    };
    for id in ["iefctl-validate", "iefctl-fix"] {
        let (built, system) = (hook(id), hook(&format!("{id}-system")));
        for key in ["entry", "files", "pass_filenames", "require_serial", "name"] {
            assert_eq!(built[key], system[key], "{id}: {key}");
        }
        assert_eq!(
            (&built["language"], &system["language"]),
            (&"rust".into(), &"system".into())
        );
        assert_eq!(built["pass_filenames"], false);
    }
    if is_there() {
        let done = Command::new("pre-commit")
            .arg("validate-manifest")
            .arg(root().join(MANIFEST))
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", said(&done));
    }
}
