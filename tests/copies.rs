//! Copies of a set beside the set itself in one tenant, and their removal.

mod samples;
mod sandbox;

use samples::{policy, starter_packs};
use sandbox::Sandbox;

const EMULATED: &str = "--emulator --format json";

#[test]
fn a_copy_lives_beside_the_set_and_goes_without_a_trace() {
    let sandbox = Sandbox::new();
    sandbox.copy("policies-example", "p");
    sandbox.line(&format!("deploy p -e dev {EMULATED}"), 0);
    let copy = sandbox.line(&format!("deploy p -e dev --prefix pr123_ {EMULATED}"), 0);
    assert_eq!(copy.count("created"), 6);
    let ids = copy.ids("create");
    assert!(
        ids.iter().all(|id| id.starts_with("B2C_1A_pr123_")),
        "{ids:?}"
    );
    sandbox.line(&format!("deploy p -e dev --suffix _V2 {EMULATED}"), 0);
    for which in ["", "--prefix pr123_", "--suffix _V2"] {
        let plan = format!("plan p -e dev --emulator --exit-code {which}");
        sandbox.line(&plan, 0);
    }
    // Another prefix is another copy.
    sandbox.line("plan p -e dev --emulator --exit-code --prefix pr12_", 3);

    let asked = sandbox.line(
        "destroy --prefix pr123_ -e dev --config p/iefctl.toml --emulator",
        2,
    );
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    assert!(asked.stderr.contains("B2C_1A_pr123_TrustFrameworkBase"));
    sandbox.line("plan p -e dev --emulator --exit-code --prefix pr123_", 0);

    let config = "-e dev --config p/iefctl.toml";
    let destroy = format!("destroy --prefix PR123_ {config} --yes {EMULATED}");
    let done = sandbox.line(&destroy, 0);
    let gone = done.ids("delete");
    assert_eq!(gone.len(), 6);
    assert_eq!(gone[5], "B2C_1A_pr123_TrustFrameworkBase");
    assert!(done.json()["keysets"].as_array().unwrap().is_empty());
    // Nothing else went, and what went was saved.
    for which in ["", "--suffix _V2"] {
        sandbox.line(&format!("plan p -e dev --emulator --exit-code {which}"), 0);
    }
    let saved = sandbox.list(".iefctl/snapshots/.emulated/contosodev.onmicrosoft.com");
    let last = saved.last().unwrap();
    let saved = sandbox.list(&format!(
        ".iefctl/snapshots/.emulated/contosodev.onmicrosoft.com/{last}"
    ));
    assert!(
        saved.contains(&"B2C_1A_pr123_ProfileEdit.xml".to_owned()),
        "{saved:?}"
    );
    let again = sandbox.line(&destroy, 0);
    assert!(again.ids("delete").is_empty());
}

#[test]
fn a_copy_that_others_inherit_from_stays() {
    let sandbox = Sandbox::new();
    sandbox.write("set/Base.xml", &policy("B2C_1A_Base", None, "a"));
    sandbox.write(
        "other/X.xml",
        &policy("B2C_1A_X", Some("B2C_1A_t_Base"), "b"),
    );
    sandbox.line(&format!("deploy set --prefix t_ {EMULATED}"), 0);
    sandbox.line(&format!("deploy other {EMULATED}"), 0);
    let destroy = "destroy --prefix t_ -t contoso.onmicrosoft.com --yes --emulator";
    let refused = sandbox.line(destroy, 2);
    assert!(
        refused.stderr.contains("B2C_1A_X is not part of the copy"),
        "{}",
        refused.stderr
    );
    sandbox.line("plan set --prefix t_ --emulator --exit-code", 0);
}

#[test]
fn findings_of_a_copy_point_into_the_file() {
    let sandbox = Sandbox::new();
    sandbox.write("set/Base.xml", &policy("B2C_1A_Base", None, "a"));
    let leaf = policy("B2C_1A_{Settings:Name}", Some("B2C_1A_Base"), "b")
        .replace("<DataType>string</DataType>", "<DataType>text</DataType>")
        .replace(
            "\n<BuildingBlocks>",
            "<DisplayName>{Settings:Gone}</DisplayName>\n<BuildingBlocks>",
        );
    sandbox.write("set/Leaf.xml", &leaf);
    sandbox.write("set/iefctl.toml", "[settings]\nName = \"Leaf\"\n");
    let places = |line: &str| {
        let report = sandbox.line(line, 1).json();
        let findings = report["diagnostics"].as_array().unwrap().iter();
        let place = |value: &serde_json::Value| {
            ["rule", "line", "column", "endLine", "endColumn"].map(|key| value[key].clone())
        };
        findings.map(place).collect::<Vec<_>>()
    };
    let plain = places("validate set --format json");
    assert!(plain.len() > 1);
    let copy = places("validate set --format json --prefix a-long.prefix_ --suffix _V2");
    assert_eq!(plain, copy);
}

#[test]
fn starter_packs_can_be_copied() {
    for pack in starter_packs() {
        let sandbox = Sandbox::new();
        sandbox.copy(&pack, "set");
        let line = "validate set -t contoso.onmicrosoft.com --prefix pr1_ --suffix _V2";
        sandbox.line(line, 0);
    }
}

#[test]
fn a_name_that_no_copy_can_have_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("set/Base.xml", &policy("B2C_1A_Base", None, "a"));
    for (arguments, words) in [
        ("--prefix pr1", "write `pr1_`"),
        // Else it would be part of the copy `pr1_`, and go with it.
        ("--prefix pr1_2_", "write `pr1-2_`"),
        ("--prefix pr1-", "write `pr1_`"),
        ("--prefix B2C_1A_x_", "does not repeat it"),
        ("--prefix a/b_", "'/'"),
        ("--prefix=", "not empty"),
    ] {
        let validate = sandbox.line(&format!("validate set {arguments}"), 2);
        assert!(validate.stderr.contains(words), "{}", validate.stderr);
        let destroy = format!("destroy -t contoso.onmicrosoft.com --yes --emulator {arguments}");
        sandbox.line(&destroy, 2);
    }
    let nowhere = sandbox.line("destroy --prefix x_ --yes --emulator", 2);
    assert!(nowhere.stderr.contains("--tenant"), "{}", nowhere.stderr);
}
