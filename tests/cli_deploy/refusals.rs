//! What keeps a command from beginning, and what it says while it waits.

use super::sandbox::Sandbox;
use super::tenant::{Tenant, access, claim, keys, policy};

const TENANT: [&str; 2] = ["--tenant", "contoso.onmicrosoft.com"];

fn sandbox(url: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.variables = access(url);
    sandbox.write(
        "set/Base.xml",
        &policy("B2C_1A_Base", None, &claim("email")),
    );
    sandbox
}

fn words<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [words, &TENANT].concat()
}

/// A reviewer sees what would change although something is still missing.
#[test]
fn a_plan_that_would_be_refused_is_shown_all_the_same() {
    let tenant = Tenant::start(&[]);
    let sandbox = sandbox(&tenant.url);
    sandbox.run(&words(&["deploy", "set"])).expect(0);
    let body = format!(
        "{}{}",
        claim("hatSize"),
        keys(&[("client_secret", "B2C_1A_Api")])
    );
    sandbox.write("set/Base.xml", &policy("B2C_1A_Base", None, &body));
    for format in ["human", "markdown", "github", "azure"] {
        let plan = ["plan", "set", "--out", "plan.json", "--format", format];
        let refused = sandbox.run(&words(&plan)).expect(1);
        for word in [
            "B2C_1A_Api",
            "would be refused because of 1 error",
            "hatSize",
        ] {
            let word = match format {
                "markdown" => word.replace('_', "\\_"),
                _ => word.to_owned(),
            };
            assert!(refused.stdout.contains(&word), "{word}: {}", refused.stdout);
        }
        assert!(!sandbox.path().join("plan.json").exists());
    }
    let plan = ["plan", "set", "--exit-code", "--format", "json"];
    let refused = sandbox.run(&words(&plan)).expect(1).json();
    assert_eq!(refused["summary"]["errors"], 1);
    assert_eq!(refused["summary"]["update"], 1);
    let findings = refused["findings"].as_array().unwrap();
    let error = findings.iter().find(|finding| finding["level"] == "error");
    assert_eq!(error.unwrap()["rule"], "keyset-missing");
    assert_eq!(refused["keysets"][0]["action"], "missing");
    // Nothing of it is deployed.
    let refused = sandbox.run(&words(&["deploy", "set"])).expect(1);
    assert!(
        refused.stdout.contains("keyset-missing"),
        "{}",
        refused.stdout
    );
}

/// What a link leads to is meant, and what is no file is never replaced.
#[test]
fn a_plan_is_written_to_where_a_link_leads() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "set/Base.xml",
        &policy("B2C_1A_Base", None, &claim("email")),
    );
    sandbox.write("real.json", "old");
    let link = sandbox.path().join("link.json");
    std::os::unix::fs::symlink("real.json", &link).unwrap();
    let plan = ["plan", "set", "--emulator", "--out", "link.json"];
    sandbox.run(&words(&plan)).expect(0);
    assert!(link.symlink_metadata().unwrap().is_symlink());
    let saved = std::fs::read_to_string(sandbox.path().join("real.json")).unwrap();
    assert!(saved.starts_with('{'), "{saved}");
    let deploy = ["deploy", "set", "--emulator", "--plan", "real.json"];
    sandbox.run(&words(&deploy)).expect(0);
    let plan = ["plan", "set", "--emulator", "--out", "set"];
    let folder = sandbox.run(&words(&plan)).expect(2);
    assert!(folder.stderr.contains("cannot write the plan to `set`"));
}

/// While a request is repeated somebody may wonder why nothing happens.
#[test]
fn waiting_is_not_silent() {
    let folder = Sandbox::new();
    let faults = r#"{"seed":1,"rules":[
        {"when":{"path":"*/token"},"limit":1,"fault":{"status":{"status":503,"body":"empty"}}},
        {"when":{"path":"*/keySets"},"limit":1,"fault":"unavailable"}]}"#;
    folder.write("faults.json", faults);
    let file = folder.path().join("faults.json");
    for command in [&["plan", "set"][..], &["keys", "list"]] {
        let tenant = Tenant::start(&["--faults", file.to_str().unwrap()]);
        let sandbox = sandbox(&tenant.url);
        let done = sandbox.run(&words(command)).expect(0);
        let said = done.stderr.matches("trying again").count();
        assert_eq!(said, 2, "{command:?}: {}", done.stderr);
    }
}

#[test]
fn a_certificate_file_that_is_none_is_named() {
    let sandbox = sandbox("http://127.0.0.1:9");
    sandbox.write("ca.pem", "no certificate");
    for (file, words) in [
        ("ca.pem", "holds no readable certificate"),
        ("no.pem", "no.pem"),
    ] {
        // Not even needed here: the endpoint is without TLS.
        let plan = ["plan", "set", "--ca-certificate", file];
        let refused = sandbox.run(&self::words(&plan)).expect(2);
        for words in [file, words] {
            assert!(refused.stderr.contains(words), "{}", refused.stderr);
        }
    }
}

#[test]
fn an_environment_of_no_configuration_is_explained() {
    let refused = Sandbox::new().run(&["rollback", "-e", "prod"]).expect(2);
    for words in ["`prod`", "iefctl.toml", "--config", "--tenant"] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
}

/// Whatever has to be written beside the tenant is looked at before the tenant is.
#[test]
fn a_place_that_cannot_be_written_is_noticed_before_the_first_write() {
    let tenant = Tenant::start(&[]);
    let state = ["--emulator", "--emulator-state", "state"];
    let cases = [
        (&[][..], "--snapshots", "--snapshots"),
        (&[], "--ledger", "--ledger"),
        (&state, "--snapshots", "--snapshots"),
        (&state, "--ledger", "--ledger"),
    ];
    for (more, option, help) in cases {
        let sandbox = sandbox(&tenant.url);
        let mut sandbox = sandbox;
        if !more.is_empty() {
            sandbox.variables.clear();
        }
        sandbox.write("file", "no folder");
        let deploy = words(&["deploy", "set", option, "file/below"]);
        let refused = sandbox.run(&[&deploy[..], more].concat()).expect(2);
        for words in ["nothing was", "file/below", help] {
            assert!(
                refused.stderr.contains(words),
                "{option}: {}",
                refused.stderr
            );
        }
        let plan = words(&["plan", "set", "--format", "json"]);
        let plan = sandbox.run(&[&plan[..], more].concat()).expect(0).json();
        assert_eq!(plan["summary"]["create"], 1, "{option}");
    }
}
