//! What people hand to `iefctl validate` by mistake or with bad intent. The answer is a message that
//! names the place, the right exit status, and no file is touched.

use std::time::{Duration, Instant};

use crate::fixture::{IefCtl, policy};

/// Runs on these files and checks the status, what is said on either stream, and that nothing was
/// written.
#[track_caller]
fn refused(iefctl: &IefCtl, status: i32, parts: &[&str]) {
    let before = iefctl.content();
    let finished = iefctl.run().expect(status);
    for part in parts {
        assert!(
            finished.stdout.contains(part) || finished.stderr.contains(part),
            "`{part}` is missing\nstdout:\n{}\nstderr:\n{}",
            finished.stdout,
            finished.stderr
        );
    }
    assert_eq!(iefctl.content(), before, "something was written");
}

/// One file `p/A.xml`, validated with every flag that could write.
fn one(content: impl AsRef<[u8]>) -> IefCtl {
    IefCtl::with_files([("p/A.xml", content)]).args(["validate", "p", "--fix"])
}

#[test]
fn no_files() {
    let iefctl = IefCtl::with_files([("p/read.me", "x")]);
    let iefctl = iefctl.args(["validate", "nowhere"]);
    refused(&iefctl, 2, &["`nowhere` does not exist"]);
    let iefctl = iefctl.args(["validate", "p"]);
    refused(&iefctl, 2, &["no policy files (*.xml) in `p`"]);
    let iefctl = iefctl.args(["validate"]);
    refused(&iefctl, 2, &["no policy files (*.xml) in `.`"]);
    let iefctl = iefctl.args(["validate", "p/*.xml"]);
    refused(&iefctl, 2, &["no policy files", "*.xml"]);
    let iefctl = iefctl.args(["validate", ""]);
    let finished = iefctl.run();
    assert_eq!(finished.status, Some(2), "{}", finished.stderr);
}

#[test]
fn no_xml() {
    refused(&one("just words"), 1, &["p/A.xml:1:1", "xml-wellformed"]);
    refused(&one(""), 1, &["p/A.xml:1:1", "xml-wellformed"]);
    refused(&one("\u{feff}"), 1, &["p/A.xml:1:1"]);
    refused(&one([0; 100]), 1, &["p/A.xml:1:1"]);
    refused(&one("{\"json\": true}"), 1, &["p/A.xml:1:1"]);
    refused(&one("<a>\n  <b>\n</a>"), 1, &["p/A.xml:2:4"]);
    let cut = policy(&["objectId"]);
    for cut in (1..cut.len()).step_by(211) {
        let text = policy(&["objectId"]);
        refused(
            &one(&text.as_bytes()[..cut]),
            1,
            &["p/A.xml:", "xml-wellformed"],
        );
    }
}

#[test]
fn no_policy() {
    let project = "<Project><PropertyGroup/></Project>";
    refused(
        &one(project),
        2,
        &["holds no policy", "TrustFrameworkPolicy", "p/A.xml"],
    );
    let iefctl = IefCtl::with_files([("p/A.xml", policy(&[])), ("p/pom.xml", project.to_owned())])
        .args(["validate", "p", "-v"]);
    iefctl.run().says("p/pom.xml is no policy");
    let other = policy(&[]).replace(
        "http://schemas.microsoft.com/online/cpim/schemas/2013/06",
        "urn:contoso:other",
    );
    let finished = one(other).run();
    assert_ne!(
        finished.status,
        Some(0),
        "{}{}",
        finished.stdout,
        finished.stderr
    );
}

#[test]
fn no_policy_id() {
    let text = policy(&["objectId"]).replace(" PolicyId=\"B2C_1A_Base\"", "");
    refused(&one(text), 1, &["p/A.xml:2:", "PolicyId"]);
    let text = policy(&["objectId"]).replace(" PolicyId=\"B2C_1A_Base\"", " PolicyId=\"\"");
    refused(&one(text), 1, &["p/A.xml:2:", "PolicyId"]);
}

#[test]
fn much_text() {
    // Beyond the 1024 KB of a policy; every line is a claim with a slip.
    let claims = vec!["nothingLikeIt"; 20_000];
    let text = policy(&claims);
    assert!(text.len() > 1 << 20);
    let start = Instant::now();
    refused(&one(text), 1, &["p/A.xml:20022:51", " errors"]);
    // Hundredfold of what it takes; quadratic work would need hours.
    assert!(start.elapsed() < Duration::from_secs(120));
}

#[test]
fn deep_nesting() {
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    let inside =
        policy(&["objectId"]).replace("<ClaimsProviders>", &format!("{deep}<ClaimsProviders>"));
    let finished = one(inside).run();
    assert!(
        matches!(finished.status, Some(0 | 1)),
        "{}",
        finished.stderr
    );
    let open = "<TrustFrameworkPolicy>".repeat(10_000);
    refused(&one(open), 1, &["p/A.xml:1:", "xml-wellformed"]);
}

#[test]
fn hostile_entities() {
    let mut text = "<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [\n<!ENTITY l0 \"lol\">\n".to_owned();
    for level in 1..12 {
        let inner = format!("&l{};", level - 1).repeat(10);
        text.push_str(&format!("<!ENTITY l{level} \"{inner}\">\n"));
    }
    let root = policy(&["objectId"]);
    let root = &root[root.find("<Trust").unwrap()..];
    text.push_str(&format!("]>\n{}", root.replace("Object id", "&l11;")));
    refused(
        &one(text),
        1,
        &["p/A.xml:2:1", "document type declarations"],
    );
    let outside =
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\" [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n";
    refused(
        &one(format!("{outside}{root}")),
        1,
        &["p/A.xml:1:1", "document type declarations"],
    );
}

#[test]
fn other_encodings() {
    let text = policy(&["objectId"]);
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused(
        &one(&wide),
        2,
        &["p/A.xml:1:1", "UTF-16 LE", "save the file as UTF-8"],
    );
    let marked = [&[0xff, 0xfe], wide.as_slice()].concat();
    refused(&one(marked), 2, &["p/A.xml:1:1", "UTF-16 LE"]);
    let mut latin = text.replace("Object id", "Objekt~").into_bytes();
    let place = latin.iter().position(|byte| *byte == b'~').unwrap();
    latin[place] = 0xfc;
    refused(
        &one(&latin),
        2,
        &["p/A.xml:6:28", "0xFC", "save the file as UTF-8"],
    );
    latin[place..place + 2].copy_from_slice(&[0xed, 0xa0]);
    refused(&one(&latin), 2, &["p/A.xml:6:28"]);
    let lie = text.replace("encoding=\"utf-8\"", "encoding=\"utf-16\"");
    refused(&one(lie), 2, &["p/A.xml:1:31", "utf-16"]);
}

#[test]
fn control_characters_do_not_steer_the_terminal() {
    let text = policy(&[
        "\u{1b}[2Jevil",
        "##vso[task.setvariable variable=x]y",
        "a\u{202e}b",
    ]);
    for format in ["human", "github", "azure", "markdown"] {
        let finished = IefCtl::with_files([("p/A.xml", &text)])
            .args(["validate", "p", "--format", format])
            .run()
            .expect(1);
        for steering in ["\u{1b}", "##vso[task.setvariable", "\u{202e}"] {
            assert!(
                !finished.stdout.contains(steering),
                "{format} prints {steering:?}:\n{}",
                finished.stdout
            );
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn locked_folders_and_files() {
        let iefctl = IefCtl::with_files([
            ("p/A.xml", policy(&["objectId"])),
            ("p/locked/B.xml", policy(&["objectId"])),
        ])
        .args(["validate", "p"]);
        let refused = |path: &str| {
            if let Some(finished) = iefctl.run_locked_out_of(path) {
                let finished = finished.expect(2);
                let told = finished.stdout.clone() + &finished.stderr;
                assert!(told.contains(&format!("cannot read `{path}`")), "{told}");
                assert!(told.contains("ermission denied"), "{told}");
            }
        };
        refused("p/locked");
        refused("p/A.xml");
        refused("p");
    }

    #[test]
    fn links_in_circles_and_to_nowhere() {
        let iefctl = IefCtl::with_files([("p/A.xml", policy(&["objectId"]))]);
        symlink("..", iefctl.path("p/up")).unwrap();
        symlink("A.xml", iefctl.path("p/again.xml")).unwrap();
        let iefctl = iefctl.args(["validate", "p", "--fix"]);
        let finished = iefctl.run().expect(0);
        assert!(
            finished.stdout.contains("1 policy checked"),
            "{}",
            finished.stdout
        );
        symlink("itself.xml", iefctl.path("p/itself.xml")).unwrap();
        refused(&iefctl, 2, &["p/itself.xml"]);
        std::fs::remove_file(iefctl.path("p/itself.xml")).unwrap();
        symlink("gone.xml", iefctl.path("p/broken.xml")).unwrap();
        refused(&iefctl, 2, &["p/broken.xml", "broken link"]);
    }

    #[test]
    fn a_current_folder_that_was_deleted() {
        let iefctl = IefCtl::with_files([
            (
                "p/iefctl.toml",
                "policies = ['sub']\nexclude = ['old']\n".to_owned(),
            ),
            ("p/sub/A.xml", policy(&["objectId"])),
            ("p/sub/old/B.xml", policy(&["objetcId"])),
            ("gone/x", String::new()),
        ]);
        let validate = |path: &str| {
            let script = "cd gone && rm -r ../gone && exec \"$0\" validate \"$1\"";
            std::fs::create_dir_all(iefctl.path("gone")).unwrap();
            let output = std::process::Command::new("sh")
                .args(["-c", script, env!("CARGO_BIN_EXE_iefctl")])
                .arg(iefctl.path(path))
                .current_dir(iefctl.path(""))
                .output()
                .unwrap();
            assert!(!iefctl.path("gone").exists());
            let shown = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(
                output.status.success() && shown.contains("1 policy checked"),
                "{shown}{}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        // What is excluded stays out, and a folder below is not taken for the project.
        validate("p");
        validate("p/sub");
    }

    #[test]
    fn files_that_are_none() {
        let iefctl = IefCtl::with_files([("p/A.xml", policy(&["objectId"]))]);
        let _listener = UnixListener::bind(iefctl.path("p/socket.xml")).unwrap();
        std::fs::create_dir(iefctl.path("p/folder.xml")).unwrap();
        let iefctl = iefctl.args(["validate", "p"]);
        let finished = iefctl.run().expect(2);
        finished.shows("cannot read `p/socket.xml`: it is not a regular file");
        std::fs::remove_file(iefctl.path("p/socket.xml")).unwrap();
        // Reading it would wait for ever.
        if let Ok(made) = std::process::Command::new("mkfifo")
            .arg(iefctl.path("p/pipe.xml"))
            .status()
        {
            assert!(made.success());
            let finished = iefctl.run().expect(2);
            finished.shows("cannot read `p/pipe.xml`: it is not a regular file");
        }
    }

    #[test]
    fn names_with_line_breaks_and_quotes() {
        use std::os::unix::ffi::OsStringExt as _;
        let name = "p/a\n\"b\" 'c' ##vso[task.x]y,z:é%.xml";
        let iefctl = IefCtl::with_files([(name, policy(&["objetcId"]))]);
        for format in [
            "human", "json", "sarif", "github", "azure", "junit", "markdown",
        ] {
            let finished = iefctl_with(&iefctl, format);
            // In the text of an XML element a line break does no harm.
            if format != "junit" {
                assert!(!finished.contains("\n\"b\""), "{format}: {finished}");
            }
            if ["human", "azure", "markdown"].contains(&format) {
                assert!(!finished.contains("##vso[task.x]"), "{format}: {finished}");
            }
        }
        let iefctl = iefctl.args(["validate", "p", "--fix"]);
        iefctl.run().expect(0).says("fixed 1 finding in 1 file");
        assert_eq!(iefctl.read(name), policy(&["objectId"]));

        // A name that is no text cannot be shown exactly, and so is not written to.
        let strange = std::ffi::OsString::from_vec(b"p/\xff.xml".to_vec());
        let iefctl =
            IefCtl::with_files([(strange, policy(&["objetcId"]))]).args(["validate", "p", "--fix"]);
        refused(
            &iefctl,
            2,
            &["cannot fix `p/\u{fffd}.xml`; no file was changed"],
        );
        let iefctl = iefctl.args(["validate", "p"]);
        refused(&iefctl, 1, &["p/\u{fffd}.xml:23:51"]);
    }

    fn iefctl_with(iefctl: &IefCtl, format: &str) -> String {
        let again = IefCtl::with_files(
            iefctl
                .content()
                .into_iter()
                .filter(|(path, _)| path.extension().is_some())
                .map(|(path, content)| {
                    (
                        path.strip_prefix(iefctl.path("")).unwrap().to_owned(),
                        content,
                    )
                })
                .filter(|(path, _)| !path.starts_with(".git")),
        )
        .args(["validate", "p", "--format", format]);
        again.run().expect(1).stdout
    }
}

#[test]
fn arguments() {
    let iefctl = IefCtl::with_files([("p/A.xml", policy(&["objectId"]))]);
    for (args, parts) in [
        (
            &["validate", "p", "--environment", "test"][..],
            &["test"][..],
        ),
        (
            &["validate", "p", "--unknown"],
            &["unexpected argument '--unknown'"],
        ),
        (&["validate", "p", "--formt", "json"], &["'--format'"]),
        (
            &["validate", "p", "--format", "xml"],
            &["invalid value 'xml'", "sarif"],
        ),
        (
            &["validate", "p", "--config", "none.toml"],
            &["`none.toml` does not exist", "--config"],
        ),
        (
            &["validate", "p", "--config", "p/A.xml"],
            &["no known format"],
        ),
        (
            &["validate", "p", "--with", "none"],
            &["`none` does not exist", "--with"],
        ),
        (&["validate", "p", "["], &["["]),
        (&["validat", "p"], &["'validate'"]),
        (&["explain", "no-such-rule"], &["no rule `no-such-rule`"]),
    ] {
        let iefctl =
            IefCtl::with_files([("p/A.xml", policy(&["objectId"]))]).args(args.iter().copied());
        refused(&iefctl, 2, parts);
    }
    let iefctl = iefctl.args(["validate", "p", "-e", "tset"]);
    iefctl.write(
        "iefctl.toml",
        "[environments.test]\ntenant = \"contoso.onmicrosoft.com\"\n",
    );
    refused(&iefctl, 2, &["tset", "test"]);
    iefctl.write(
        "iefctl.toml",
        "[environments.test]\ntenat = \"contoso.onmicrosoft.com\"\n",
    );
    refused(&iefctl, 2, &["iefctl.toml:2:1", "tenant"]);
}

#[test]
fn a_folder_without_configuration_is_enough() {
    let iefctl = IefCtl::with_files([("p/A.xml", policy(&["objectId"]))]).args(["validate"]);
    let before = iefctl.content();
    iefctl.run().expect(0).shows("1 policy checked");
    assert_eq!(iefctl.content(), before);
}
