//! Wrong files: a precise message, exit status 2, nothing written.

use super::fixture::IefCtl;
use super::{run, tool};

const POLICY: &str = "<TrustFrameworkPolicy/>";

/// Runs `build` in a folder with one policy and this file, expects it to fail with these words, and
/// looks that nothing was written.
#[track_caller]
fn refused(file: &str, content: impl AsRef<[u8]>, options: &str, words: &str) {
    let folder = IefCtl::with_files([("a.xml", POLICY)]);
    folder.write(file, content);
    let before = folder.content();
    let line = format!("build --output out {options}");
    let (folder, finished) = run(folder, &line, 2);
    assert!(
        finished.stderr.contains(words),
        "{file}: {}",
        finished.stderr
    );
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
    assert_eq!(folder.content(), before, "{file}");
}

#[test]
fn broken_files_are_told_with_their_place() {
    for (file, content, options, words) in [
        ("conf.json", "{ \"A\": ", "", "conf.json:1:"),
        (
            "conf.json",
            "[1]",
            "--config conf.json",
            "conf.json:1:1: the file must hold one JSON object",
        ),
        (
            "b2c-template.json",
            "{ \"parameters\" {} }",
            "",
            "b2c-template.json:1:",
        ),
        (
            "ieftool.config",
            "a: 1\na: 2\n",
            "",
            "ieftool.config:2:1: key `a` stands here twice",
        ),
        (
            "ieftool.config",
            "a: [1\n",
            "",
            "ieftool.config:1:4: unclosed bracket",
        ),
        (
            "ieftool.config",
            "- a\n",
            "",
            "ieftool.config:1:1: the file must hold a mapping, not a list",
        ),
        (
            "ieftool.config",
            "",
            "",
            "ieftool.config:1:1: the file is empty",
        ),
        (
            "ieftool.config",
            "a: !vault x\n",
            "",
            "unknown tag `!vault`",
        ),
        (
            "ieftool.config",
            "a: 1\n---\nb: 2\n",
            "",
            "ieftool.config:2:1: the file holds several",
        ),
        (
            "config.yaml",
            "- name: a\n  settings: {\n",
            "",
            "config.yaml:2:13: ",
        ),
        (
            "x.yaml",
            "- name: a\n  settings: *b\n",
            "--config x.yaml",
            "x.yaml:2:",
        ),
        (
            "x.json",
            "{ \"a\": [] }",
            "--config x.json",
            "say which tool it is for with --config-format",
        ),
        (
            "x.json",
            "{ \"files\": [], \"parameters\": {} }",
            "--config x.json",
            "could be a deployment file",
        ),
        (
            "x.txt",
            "a: 1",
            "--config x.txt",
            "`x.txt` has no known format",
        ),
        (
            "x.yaml",
            "a: 1",
            "--config x.yaml --config-format terraform",
            "known are iefctl, appsettings",
        ),
    ] {
        refused(file, content, options, words);
    }
}

#[test]
fn deployment_files_are_read_strictly() {
    let file = |inside: &str| format!("{{ \"files\": [ {{ {inside} }} ] }}");
    let replacement = |inside: &str| {
        file(&format!(
            "\"path\": \"a.xml\", \"replacements\": [ {{ {inside} }} ]"
        ))
    };
    for (content, words) in [
        (
            "{ \"files\": [] }".to_owned(),
            "d.json:1:12: `files` lists no file",
        ),
        (
            "{ \"files\": [ \"a.xml\" ] }".to_owned(),
            "d.json:1:14: a file is an object, not a string",
        ),
        (file("\"paht\": \"a.xml\""), "`path` is missing here"),
        (file("\"path\": 5"), "`path` must be a string, not a number"),
        (
            file("\"path\": \"b.xml\""),
            "`b.xml` does not exist (named in d.json:1:24)",
        ),
        (
            file("\"path\": \"a.xml\" }, { \"path\": \"./a.xml\""),
            "`./a.xml` is listed twice, first in line 1",
        ),
        (
            file("\"path\": \"a.xml\", \"replacements\": {}"),
            "`replacements` must be an array",
        ),
        (replacement("\"find\": \"a\""), "`replace` is missing here"),
        (
            replacement("\"find\": \"(\", \"replace\": \"\""),
            "a parenthesis is not closed (at character 2)",
        ),
        (
            replacement("\"find\": \"\", \"replace\": \"x\""),
            "it matches where nothing stands",
        ),
        (
            replacement("\"find\": \"a(?=b)\", \"replace\": \"x\""),
            "d.json:1:61: `find` is a regular expression of JavaScript: iefctl does not look ahead",
        ),
    ] {
        refused("d.json", content, "--config d.json", words);
    }
    let folder = tool("deploy-trustframework-policy");
    let line =
        "validate policies/TrustFrameworkBase.xml --config .github/workflows/deployment.json";
    let (_, finished) = run(folder, line, 2);
    assert!(
        finished.stderr.contains("name the one folder"),
        "{}",
        finished.stderr
    );
}

#[test]
fn bytes_that_are_no_text_are_named() {
    let wide: Vec<u8> = "{\"Prefix\": \"x\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    refused(
        "conf.json",
        &wide,
        "",
        "conf.json:1:1: the file is encoded in UTF-16 LE",
    );
    refused(
        "ieftool.config",
        b"a: caf\xe9\n",
        "",
        "ieftool.config:1:7: the file is not UTF-8",
    );
    refused(
        "config.yaml",
        b"- name: caf\xe9\n  settings: {}\n",
        "",
        "config.yaml:1:12: ",
    );
    refused(
        "iefctl.toml",
        b"[settings]\nA = \"\xff\"\n",
        "",
        "iefctl.toml:2:6: the file is not UTF-8",
    );
    // A byte order mark is none of their business, comments and trailing commas neither.
    let folder = tool("iefpolicies");
    folder.write(
        "conf.json",
        format!(
            "\u{feff}// mine\n{}",
            folder.read("conf.json").replace("\n  }", ",\n  }")
        ),
    );
    run(folder, "validate --tenant contoso.onmicrosoft.com", 0);
    let folder = tool("azure-b2c-cli");
    folder.write(
        "config.yaml",
        format!("\u{feff}{}", folder.read("config.yaml")),
    );
    run(folder, "validate -e dev", 0);
}

#[test]
fn large_files_and_bombs_are_refused() {
    let large = format!("a: {}\n", "x".repeat(10 << 20));
    refused(
        "ieftool.config",
        &large,
        "",
        "cannot read `ieftool.config`: it has 11 MB; a configuration file may have 4",
    );
    refused(
        "iefctl.toml",
        format!("# {}\n", "x".repeat(10 << 20)),
        "",
        "it has 11 MB",
    );
    let mut bomb = String::from("k0: &k0 {a: x, b: x}\n");
    for level in 1..40 {
        let below = level - 1;
        bomb.push_str(&format!(
            "k{level}: &k{level} {{a: *k{below}, b: *k{below}}}\n"
        ));
    }
    refused(
        "ieftool.config",
        &bomb,
        "",
        "aliases stand for more than 100000 values",
    );
    refused(
        "config.yaml",
        format!("- name: a\n  settings: {}", "[".repeat(100_000)),
        "",
        "config.yaml:2:",
    );
    let deep = format!("{}{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    refused("conf.json", &deep, "", "conf.json:1:");
}

#[test]
fn two_candidates_are_an_error_that_names_both() {
    let folder = tool("azure-b2c-cli");
    folder.write("ieftool.config", "a: 1\n");
    let (folder, finished) = run(folder, "validate -e dev", 2);
    let words = "`ieftool.config` is a configuration of ieftool, and `config.yaml` is environments of \
                 go-ieftool: name the one that counts with --config";
    assert!(finished.stderr.contains(words), "{}", finished.stderr);
    let (folder, _) = run(folder, "validate -e dev --config config.yaml", 0);
    // An iefctl.toml ends the question.
    folder.write(
        "iefctl.toml",
        "policies = \"src\"\n[environments.dev]\ntenant = \"contoso.onmicrosoft.com\"\n",
    );
    let (_, finished) = run(folder, "validate -e dev -v", 1);
    assert!(
        finished
            .stderr
            .contains("config.yaml is ignored: there is an iefctl.toml"),
        "{}",
        finished.stderr
    );
}

#[test]
fn files_of_nobody_are_passed_over() {
    for (name, content) in [
        ("config.yaml", "server:\n  port: 80\n"),
        ("config.yaml", "- a\n- b\n"),
        ("b2c-template.json", "{ \"x\": 1 }"),
        ("contoso.json", "{ \"x\": 1 }"),
    ] {
        let folder = IefCtl::with_files([("a.xml", super::fixture::policy(&["objectId"]))]);
        folder.write(name, content);
        let (_, finished) = run(folder, "validate --tenant contoso.onmicrosoft.com -v", 0);
        assert!(
            finished
                .stderr
                .contains(&format!("{name} is ignored: it is not ")),
            "{name}: {}",
            finished.stderr
        );
    }
}

#[test]
fn values_of_iefctl_toml_from_elsewhere() {
    let toml = |value: &str| format!("[settings]\nA = {value}\n");
    for (value, words) in [
        (
            "{ env = \"UNSET_1\" }",
            "iefctl.toml:2:5: setting `A` needs the environment variable `UNSET_1`",
        ),
        (
            "{ file = \"none.txt\" }",
            "iefctl.toml:2:5: setting `A`: cannot read `none.txt`",
        ),
        (
            "{ file = \".\" }",
            "iefctl.toml:2:5: setting `A`: `.` is not a regular file",
        ),
        (
            "{ default = \"x\" }",
            "`A` needs exactly one of `env`, `file`, `xml` or `tenant`",
        ),
        (
            "{ xml = \"x\", default = \"y\" }",
            "`default` goes with `env` only",
        ),
        (
            "{ xml = 5 }",
            "`xml` is of type integer, but must be a string",
        ),
        ("{ evn = \"X\" }", "unknown key `evn`; did you mean `env`?"),
        ("1.5", "`A` is of type float"),
        ("1979-05-27", "`A` is of type datetime"),
        ("99999999999999999999", "iefctl.toml:2:5: "),
    ] {
        refused("iefctl.toml", toml(value), "", words);
    }
    refused(
        "iefctl.toml",
        "prefix = \"a b\"\n",
        "",
        "iefctl.toml:1:10: `a b` cannot be part of a PolicyId",
    );
    refused(
        "iefctl.toml",
        "prefix = \"B2C_1A_x\"\n",
        "",
        "a prefix stands behind `B2C_1A_`",
    );
    refused(
        "iefctl.toml",
        "[environments.a]\n",
        "-e b",
        "unknown environment `b`, configured are a",
    );
    refused(
        "conf.json",
        "{}",
        "-e dev",
        "unknown environment `dev`: conf.json has no environments",
    );

    let policy = super::fixture::policy(&["objectId"]).replace(">Name<", ">{Settings:A}<");
    let folder = IefCtl::with_files([("a.xml", policy)]);
    folder.write(
        "iefctl.toml",
        toml("{ env = \"A_1\", default = \"x & y\" }"),
    );
    let (folder, _) = run(folder, "build --output out", 0);
    assert!(folder.read("out/a.xml").contains(">x &amp; y<"));
    let (folder, _) = run(folder.env("A_1", "z"), "build --output out", 0);
    assert!(folder.read("out/a.xml").contains(">z<"));
    folder.write("iefctl.toml", toml("{ xml = \"a &amp; &#x41; & <b>\" }"));
    let (folder, _) = run(folder, "build --output out", 0);
    assert!(
        folder
            .read("out/a.xml")
            .contains(">a &amp; &#x41; &amp; &lt;b><"),
        "{}",
        folder.read("out/a.xml")
    );
    folder.write("iefctl.toml", format!("prefix = \"V1_\"\n{}", toml("1")));
    let (folder, _) = run(folder, "build --output out", 0);
    assert!(
        folder
            .read("out/a.xml")
            .contains("PolicyId=\"B2C_1A_V1_Base\"")
    );
    folder.write(
        "iefctl.toml",
        format!(
            "{}[environments.e]\nprefix = \"V2_\"\ntenant = \"contoso.onmicrosoft.com\"\n",
            toml("1")
        ),
    );
    let (folder, _) = run(folder, "build -e e --output out", 0);
    assert!(
        folder
            .read("out/e/a.xml")
            .contains("PolicyId=\"B2C_1A_V2_Base\"")
    );
}
