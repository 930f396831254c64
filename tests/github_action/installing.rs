use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::releases::{self, VERSION};
use super::runner::{Runner, repository};

/// What makes a good release a bad one.
type Break = Box<dyn FnOnce(&Path)>;

/// A folder with a release in which one thing is wrong.
fn broken(change: impl FnOnce(&Path)) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let release = folder.path().join(format!("v{VERSION}"));
    fs::create_dir(&release).unwrap();
    for entry in fs::read_dir(releases::folder().join(format!("v{VERSION}"))).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), release.join(entry.file_name())).unwrap();
    }
    change(&release);
    let url = releases::serve(folder.path());
    (folder, url)
}

fn is_installed(runner: &Runner) -> bool {
    runner
        .path(&format!("temp/iefctl/{VERSION}/iefctl"))
        .exists()
}

#[test]
fn a_released_binary_is_installed_once_and_found_by_later_steps() {
    let url = releases::serve(releases::folder());
    let mut runner = Runner::new();
    runner.action_ref = format!("v{VERSION}");
    runner.action_repository = "contoso/iefctl".to_owned();
    let done = runner
        .run(&[("command", "install"), ("releases", &url)])
        .expect(true)
        .says("released binary");
    assert_eq!(done.output("version"), VERSION);
    assert_eq!(done.output("changed"), "");
    assert_eq!(done.path, [runner.path(&format!("temp/iefctl/{VERSION}"))]);
    let said = Command::new(done.output("binary"))
        .arg("--version")
        .output()
        .unwrap();
    assert_eq!(said.stdout, format!("iefctl {VERSION}\n").into_bytes());

    // A tag that moves along means what it points at; and nothing is loaded twice.
    runner.action_ref = "v0".to_owned();
    let nobody = "http://127.0.0.1:9";
    runner
        .run(&[("command", "install"), ("releases", nobody)])
        .expect(true);
    let left = fs::read_dir(runner.path("temp/iefctl")).unwrap().count();
    assert_eq!(left, 1, "downloads are removed");
}

#[test]
fn what_is_not_the_release_is_refused() {
    let archive = releases::name(VERSION);
    let sums =
        |text: String| move |release: &Path| fs::write(release.join("SHA256SUMS"), text).unwrap();
    let good = releases::sha256(&releases::folder().join(format!("v{VERSION}/{archive}")));
    let cases: Vec<(Break, &str)> = vec![
        (
            Box::new({
                let archive = archive.clone();
                move |release| {
                    let file = release.join(archive);
                    let mut bytes = fs::read(&file).unwrap();
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                    fs::write(file, bytes).unwrap();
                }
            }),
            "is not what the release says",
        ),
        (
            Box::new(sums(format!("{good}  x{archive}\n"))),
            "has no iefctl-",
        ),
        (Box::new(sums(String::new())), "has no iefctl-"),
        (
            Box::new(sums(format!("{good}  {archive}\n{good} *{archive}\n"))),
            "twice",
        ),
        (
            Box::new(|release| fs::remove_file(release.join("SHA256SUMS")).unwrap()),
            "is there a release",
        ),
    ];
    for (change, text) in cases {
        let (_folder, url) = broken(change);
        let runner = Runner::new();
        runner
            .run(&[
                ("command", "install"),
                ("version", VERSION),
                ("releases", &url),
            ])
            .expect(false)
            .annotates("error", text);
        assert!(!is_installed(&runner), "{text}");
    }
}

#[test]
fn another_version_in_the_archive_is_refused() {
    let other = "9.9.9";
    let folder = tempfile::tempdir().unwrap();
    let release = folder.path().join(format!("v{other}"));
    fs::create_dir(&release).unwrap();
    let archive = releases::name(other);
    let inside = archive.strip_suffix(".tar.gz").unwrap();
    fs::create_dir(folder.path().join(inside)).unwrap();
    let script = "#!/bin/sh\necho iefctl 1.2.3\n";
    fs::write(folder.path().join(inside).join("iefctl"), script).unwrap();
    let tar = Command::new("tar")
        .current_dir(folder.path())
        .args(["-czf", &format!("v{other}/{archive}"), inside])
        .status();
    assert!(tar.unwrap().success());
    let digest = releases::sha256(&release.join(&archive));
    fs::write(
        release.join("SHA256SUMS"),
        format!("{digest}  {archive}\r\n"),
    )
    .unwrap();
    let url = releases::serve(folder.path());
    let runner = Runner::new();
    runner
        .run(&[("version", "v9.9.9"), ("releases", &url)])
        .expect(false)
        .annotates("error", "holds another version: iefctl 1.2.3");
}

#[test]
fn nothing_is_loaded_over_plain_text_from_elsewhere() {
    for url in [
        "http://releases.contoso.com",
        "http://127.0.0.1.contoso.com/x",
        "file:///tmp",
    ] {
        Runner::new()
            .run(&[("version", VERSION), ("releases", url)])
            .expect(false)
            .annotates("error", "cannot download");
    }
}

#[test]
fn versions_and_modes_that_are_none_are_refused() {
    let hostile = "1.0.0$(touch pwned)\n::error::x";
    for (input, value, text) in [
        ("version", hostile, "it takes a version such as 1.2.3"),
        ("version", "latest", "it takes a version such as 1.2.3"),
        ("version", VERSION, "a local action has no releases"),
    ] {
        let runner = Runner::new();
        runner
            .run(&[(input, value)])
            .expect(false)
            .annotates("error", text);
        assert!(!runner.workspace("pwned").exists());
    }
    let url = releases::serve(releases::folder());
    for (mode, text) in [
        ("of", "it takes auto, required or off"),
        ("required", "cannot be verified"),
    ] {
        let runner = Runner::new();
        runner
            .run(&[
                ("version", VERSION),
                ("releases", &url),
                ("attestation", mode),
            ])
            .expect(false)
            .annotates("error", text);
        assert!(!is_installed(&runner));
    }
}

/// A pinned commit gets the binary only if it is the one that was released.
#[test]
fn a_commit_that_was_not_released_is_built() {
    let server = tempfile::tempdir().unwrap();
    let repository = server.path().join("contoso/iefctl");
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .arg("-C")
            .arg(&repository)
            .args(["-c", "user.name=A", "-c", "user.email=a@contoso.com"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    fs::create_dir_all(&repository).unwrap();
    git(&["init", "-q"]);
    git(&["commit", "-q", "--allow-empty", "-m", "Release"]);
    git(&["tag", "-a", &format!("v{VERSION}"), "-m", "Release"]);
    let released = git(&["rev-parse", "HEAD"]);
    git(&["commit", "-q", "--allow-empty", "-m", "More"]);
    let later = git(&["rev-parse", "HEAD"]);

    let url = releases::serve(releases::folder());
    let mut runner = Runner::new();
    let server = format!("file://{}", server.path().display());
    runner.job.insert("GITHUB_SERVER_URL".to_owned(), server);
    runner
        .job
        .insert("PATH".to_owned(), "/usr/bin:/bin".to_owned());
    runner.action_repository = "contoso/iefctl".to_owned();
    runner.action_ref = released;
    let install = [("command", "install"), ("releases", url.as_str())];
    runner.run(&install).expect(true).says("released binary");
    for reference in [later.as_str(), "main"] {
        runner.action_ref = reference.to_owned();
        runner
            .run(&install)
            .expect(false)
            .annotates("error", "no Rust toolchain");
    }
}

/// The compiler is a script here: to build the whole program again would take longer than all other
/// tests together. `.ci/run` runs the same with the real one.
#[test]
fn the_sources_are_built_where_there_is_no_release() {
    let mut runner = Runner::new();
    let programs = runner.path("programs");
    fs::create_dir(&programs).unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$*\" >{said}\nmkdir -p \"$CARGO_TARGET_DIR/release\"\n\
         cp {program} \"$CARGO_TARGET_DIR/release/iefctl\"\n",
        said = runner.path("said").display(),
        program = env!("CARGO_BIN_EXE_iefctl"),
    );
    let cargo = programs.join("cargo");
    fs::write(&cargo, script).unwrap();
    fs::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", programs.display());
    runner.job.insert("PATH".to_owned(), path);
    let done = runner
        .run(&[("command", "install")])
        .expect(true)
        .says("built from its sources");
    assert_eq!(done.output("version"), VERSION);
    let said = fs::read_to_string(runner.path("said")).unwrap();
    let manifest = runner.path("action/Cargo.toml");
    assert_eq!(
        said,
        format!(
            "build --quiet --locked --bin iefctl --profile release --manifest-path {}\n",
            manifest.display()
        )
    );

    fs::write(&cargo, "#!/bin/sh\necho out of memory >&2\nexit 101\n").unwrap();
    fs::remove_dir_all(runner.path("temp/iefctl")).unwrap();
    runner
        .run(&[("version", "source")])
        .expect(false)
        .annotates("error", "could not be built");
}

#[test]
fn the_names_of_archives_are_those_of_the_contract() {
    let script = fs::read_to_string(repository().join("action/install.sh")).unwrap();
    let contract = releases::contract();
    for target in contract["targets"].as_array().unwrap() {
        let os = target["github"]["os"].as_str().unwrap();
        let arch = target["github"]["arch"].as_str().unwrap();
        let line = format!(
            "{os}-{arch}) printf {} ;;",
            target["target"].as_str().unwrap()
        );
        assert!(script.contains(&line), "install.sh has no `{line}`");
        let zip = target["suffix"] == ".zip";
        assert_eq!(zip, os == "Windows");
    }
    assert_eq!(contract["archive"], "iefctl-{version}-{target}{suffix}");
    assert_eq!(contract["tag"], "v{version}");
    assert_eq!(contract["checksums"], "SHA256SUMS");
}
