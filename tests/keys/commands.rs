use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use serde_json::Value;

const SIGNING: &str = "B2C_1A_TokenSigningKeyContainer";
const SECRET: &str = "hunter2-of-contoso";

struct Sandbox(tempfile::TempDir);

struct Finished {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Sandbox {
    /// A folder with the example and an emulated tenant that it was deployed to.
    fn deployed() -> Self {
        let sandbox = Self::empty();
        sandbox
            .run(&["deploy", "p", "-e", "dev", "--emulator"])
            .expect(0);
        sandbox
    }

    fn empty() -> Self {
        let sandbox = Self(tempfile::tempdir().unwrap());
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies-example");
        let folder = sandbox.0.path().join("p");
        std::fs::create_dir(&folder).unwrap();
        for entry in std::fs::read_dir(example).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
            }
        }
        sandbox
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn run(&self, args: &[&str]) -> Finished {
        let output = Command::new(env!("CARGO_BIN_EXE_iefctl"))
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            .env("CONTOSO_SECRET", SECRET)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let done = Finished {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!done.stdout.contains(SECRET) && !done.stderr.contains(SECRET));
        done
    }

    fn keys(&self, args: &[&str]) -> Finished {
        let mut all = vec!["keys"];
        all.extend(args);
        all.extend(["--config", "p/iefctl.toml", "-e", "dev", "--emulator"]);
        self.run(&all)
    }
}

impl Finished {
    #[track_caller]
    fn expect(self, status: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(
            self.status,
            Some(status),
            "stdout:\n{stdout}\nstderr:\n{stderr}"
        );
        self
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        let said = format!("{}{}", self.stdout, self.stderr);
        assert!(said.contains(words), "`{words}` is not in:\n{said}");
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

#[test]
fn a_tenant_is_listed_checked_and_rotated() {
    let sandbox = Sandbox::deployed();
    let list = sandbox
        .keys(&["list", "p", "--format", "json"])
        .expect(0)
        .json();
    let signing = list["keysets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|keyset| keyset["id"] == SIGNING)
        .unwrap();
    assert_eq!(signing["keys"].as_array().unwrap().len(), 1);
    assert_eq!(signing["active"], signing["keys"][0]["kid"]);
    assert_eq!(signing["usedBy"][0]["key"], "issuer_secret");

    let rotate = [
        "rotate",
        "TokenSigningKeyContainer",
        "--generate",
        "rsa",
        "--format",
        "json",
    ];
    let rotated = sandbox.keys(&rotate).expect(0).json();
    assert_eq!(rotated["status"], "done");
    assert_eq!(rotated["handovers"][1]["new"], true);
    assert_eq!(rotated["handovers"][1]["at"], rotated["activeFrom"]);
    // A nightly job that runs twice adds no second key.
    let again = sandbox.keys(&rotate).expect(1).says("--again");
    assert_eq!(again.json()["status"], "refused");
    let shown = sandbox
        .keys(&["show", SIGNING, "--format", "json"])
        .expect(0)
        .json();
    let states: Vec<_> = shown["keysets"][0]["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["active", "waiting"]);
    sandbox.keys(&["show", SIGNING]).expect(0).says("waiting");
}

#[test]
fn a_check_exits_with_1_and_annotates() {
    let sandbox = Sandbox::empty();
    let missing = sandbox
        .keys(&["check", "p", "--format", "json"])
        .expect(1)
        .json();
    let findings = missing["findings"].as_array().unwrap();
    assert_eq!(missing["summary"]["errors"], findings.len());
    assert!(
        findings
            .iter()
            .all(|finding| finding["rule"] == "keyset-missing")
    );
    let first = &findings[0]["usedBy"][0];
    let place = format!(
        "file={},line={},col={},",
        first["file"].as_str().unwrap(),
        first["line"],
        first["column"]
    );
    sandbox
        .keys(&["check", "p", "--format", "github"])
        .expect(1)
        .says(&place);
    let line = format!(";linenumber={};", first["line"]);
    sandbox
        .keys(&["check", "p", "--format", "azure"])
        .expect(1)
        .says(&line);
    sandbox
        .keys(&["check", "p", "--format", "markdown"])
        .expect(1)
        .says("| error |");
    sandbox.keys(&["check", "p", "--format", "sarif"]).expect(2);
    sandbox
        .keys(&["check", "p", "--within", "soon"])
        .expect(2)
        .says("no span of time");
}

#[test]
fn keysets_are_created_from_every_source_and_deleted_only_when_unused() {
    let sandbox = Sandbox::deployed();
    sandbox.write("secret.txt", format!("{SECRET}\n").as_bytes());
    let secret = ["create", "FromVariable", "--secret-env", "CONTOSO_SECRET"];
    sandbox.keys(&secret).expect(0);
    sandbox.keys(&secret).expect(1).says("already has 1 key");
    sandbox
        .keys(&["create", "FromFile", "--secret-file", "secret.txt"])
        .expect(0);
    sandbox
        .keys(&[
            "create",
            "Made",
            "--generate",
            "oct",
            "--use",
            "enc",
            "--expires",
            "2999-12-31",
        ])
        .expect(0);
    sandbox
        .keys(&["show", "b2c_1a_MADE"])
        .expect(0)
        .says("until 2999-12-31T00:00:00Z");
    let twice = ["rotate", "Made", "--generate", "rsa"];
    sandbox.keys(&twice).expect(1).says("AADB2C95032");
    sandbox.keys(&["check", "p", "--all"]).expect(0);
    sandbox
        .keys(&["check", "p", "--all", "--within", "36500d"])
        .expect(0);

    sandbox.keys(&["delete", "Made"]).expect(2).says("--yes");
    sandbox.keys(&["delete", "Made", "--yes"]).expect(0);
    sandbox
        .keys(&["delete", "Made", "--yes"])
        .expect(2)
        .says("has no keyset");
    sandbox
        .keys(&["delete", "TokenSigningKeyContainer", "--yes"])
        .expect(1)
        .says("B2C_1A_TrustFrameworkBase");
    sandbox.keys(&["show", SIGNING]).expect(0);
}

#[test]
fn a_production_environment_is_not_written_unattended() {
    let sandbox = Sandbox::empty();
    let config = "[environments.live]\ntenant = \"contoso.onmicrosoft.com\"\nproduction = true\n";
    sandbox.write("iefctl.toml", config.as_bytes());
    let create = [
        "keys",
        "create",
        "X",
        "-e",
        "live",
        "--emulator",
        "--generate",
        "rsa",
        "--use",
        "sig",
    ];
    sandbox.run(&create).expect(2).says("marked production");
    let mut yes = create.to_vec();
    yes.push("--yes");
    sandbox.run(&yes).expect(0);
    let rotate = [
        "keys",
        "rotate",
        "X",
        "-e",
        "live",
        "--emulator",
        "--generate",
        "rsa",
    ];
    sandbox.run(&rotate).expect(2).says("marked production");
    let show = [
        "keys",
        "show",
        "X",
        "-e",
        "live",
        "--emulator",
        "--format",
        "json",
    ];
    let shown = sandbox.run(&show).expect(0).json();
    assert_eq!(shown["keysets"][0]["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let sandbox = Sandbox::empty();
    sandbox.write("junk.pfx", b"junk");
    let der = base64::engine::general_purpose::STANDARD
        .decode("MAMCAQM=")
        .unwrap();
    sandbox.write("empty.pfx", &der);
    for (args, words) in [
        (&["create", "X"][..], "required"),
        (&["create", "X", "--generate", "rsa"], "--use"),
        (
            &["create", "X", "--generate", "rsa", "--secret-env", "Y"],
            "cannot be used with",
        ),
        (&["create", "X", "--generate", "dsa", "--use", "sig"], "dsa"),
        (
            &["create", "X", "--secret-env", "NOT_SET"],
            "NOT_SET is not set",
        ),
        (
            &["create", "X", "--secret-file", "nowhere"],
            "cannot be read",
        ),
        (&["create", "X", "--pkcs12", "junk.pfx"], "PKCS#12"),
        (
            &["create", "X", "--pkcs12", "empty.pfx"],
            "is no PKCS#12 archive",
        ),
        (
            &["create", "X", "--certificate", "junk.pfx"],
            "is no certificate",
        ),
        (
            &[
                "create",
                "X",
                "--generate",
                "rsa",
                "--use",
                "sig",
                "--expires",
                "2027-02-29",
            ],
            "is no date",
        ),
        (&["rotate", "Gone", "--generate", "rsa"], "has no keyset"),
        (&["show", "\u{1b}[31m"], "has no keyset"),
        (&["delete", "..", "--yes"], "has no keyset"),
        (&["list", "--format", "loud"], "loud"),
    ] {
        let done = sandbox.keys(args).expect(2).says(words);
        assert!(!done.stderr.contains('\u{1b}'), "{}", done.stderr);
    }
    let past = [
        "create",
        "X",
        "--generate",
        "rsa",
        "--use",
        "sig",
        "--expires",
        "2020-01-01",
    ];
    sandbox.keys(&past).expect(1).says("AADB2C90214");
    // Nothing of all that made a keyset.
    sandbox.keys(&["list"]).expect(0).says(": 0 keysets");
    // Without tenant and without policies nobody knows what is meant.
    let elsewhere = tempfile::tempdir().unwrap();
    let nowhere = Sandbox(elsewhere);
    nowhere
        .run(&["keys", "list", "--emulator"])
        .expect(2)
        .says("--tenant DOMAIN");
}
