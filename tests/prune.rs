//! `--prune` deletes what the project deployed and no longer contains, and nothing else.

mod samples;
mod sandbox;

use samples::policy;
use sandbox::Sandbox;

const DEPLOY: &str = "--emulator --format json";

/// A project of a base and two leaves, deployed, beside a policy of somebody else.
fn deployed(name: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("set/iefctl.toml", name);
    sandbox.write("set/Base.xml", &policy("B2C_1A_Base", None, "a"));
    for leaf in ["One", "Two"] {
        let text = policy(&format!("B2C_1A_{leaf}"), Some("B2C_1A_Base"), leaf);
        sandbox.write(&format!("set/{leaf}.xml"), &text);
    }
    sandbox.write("foreign/F.xml", &policy("B2C_1A_Foreign", None, "f"));
    sandbox.line(&format!("deploy foreign {DEPLOY}"), 0);
    sandbox.line(&format!("deploy set {DEPLOY}"), 0);
    sandbox
}

const NAMED: &str = "project = \"portal\"\n";

#[test]
fn what_is_gone_from_the_project_goes_from_the_tenant() {
    for name in [NAMED, ""] {
        let sandbox = deployed(name);
        let nothing = sandbox.line(&format!("deploy set --prune {DEPLOY}"), 0);
        assert!(nothing.ids("delete").is_empty());
        sandbox.remove("set/Two.xml");
        let plan = sandbox.line("plan set --prune --emulator --exit-code", 3);
        assert!(plan.stdout.contains("B2C_1A_Two"), "{}", plan.stdout);
        assert!(!plan.stdout.contains("delete policy B2C_1A_Foreign"));
        // Without the flag nothing goes.
        let kept = sandbox.line(&format!("deploy set {DEPLOY}"), 0);
        assert!(kept.ids("delete").is_empty());
        let done = sandbox.line(&format!("deploy set --prune {DEPLOY}"), 0);
        assert_eq!(done.ids("delete"), ["B2C_1A_Two"]);
        assert_eq!(done.count("unchanged"), 2);
        sandbox.line("plan foreign --emulator --exit-code", 0);
        sandbox.line("plan set --prune --emulator --exit-code", 0);
    }
}

#[test]
fn children_go_before_their_base() {
    let sandbox = deployed(NAMED);
    sandbox.remove("set/Base.xml");
    sandbox.remove("set/One.xml");
    sandbox.remove("set/Two.xml");
    sandbox.write("set/New.xml", &policy("B2C_1A_New", None, "n"));
    let done = sandbox.line(&format!("deploy set --prune {DEPLOY}"), 0);
    let mut gone = done.ids("delete");
    assert_eq!(gone.pop().unwrap(), "B2C_1A_Base");
    gone.sort();
    assert_eq!(gone, ["B2C_1A_One", "B2C_1A_Two"]);
}

#[test]
fn what_somebody_changed_stays() {
    let sandbox = deployed(NAMED);
    let changed = policy("B2C_1A_Two", Some("B2C_1A_Base"), "changed");
    sandbox.write("other/Two.xml", &changed);
    sandbox.line(&format!("deploy other {DEPLOY}"), 0);
    sandbox.remove("set/Two.xml");
    let refused = sandbox.line("deploy set --prune --emulator", 1);
    assert!(
        refused.said().contains("prune-changed"),
        "{}",
        refused.said()
    );
    sandbox.line("plan other --emulator --exit-code", 0);
    // A team that lets it pass still does not lose the policy.
    let lenient = format!("{NAMED}[rules]\nprune-changed = \"warning\"\n");
    sandbox.write("set/iefctl.toml", &lenient);
    let done = sandbox.line(&format!("deploy set --prune {DEPLOY}"), 0);
    assert!(done.ids("delete").is_empty());
    sandbox.line("plan other --emulator --exit-code", 0);
}

#[test]
fn what_somebody_inherits_from_stays() {
    let sandbox = deployed(NAMED);
    sandbox.write("other/X.xml", &policy("B2C_1A_X", Some("B2C_1A_Two"), "x"));
    sandbox.line(&format!("deploy other {DEPLOY}"), 0);
    let two = sandbox.read("set/Two.xml");
    sandbox.remove("set/Two.xml");
    let refused = sandbox.line("deploy set --prune --emulator", 1);
    assert!(
        refused.said().contains("B2C_1A_X inherits from it"),
        "{}",
        refused.said()
    );
    sandbox.write("set/Two.xml", &two);
    sandbox.line("plan set --emulator --exit-code", 0);
}

#[test]
fn without_a_record_nothing_goes() {
    let sandbox = deployed(NAMED);
    sandbox.remove("set/Two.xml");
    std::fs::remove_dir_all(sandbox.at(".iefctl/ledger")).unwrap();
    let done = sandbox.line(&format!("deploy set --prune {DEPLOY}"), 0);
    assert!(done.ids("delete").is_empty());
    assert!(done.stderr.contains("no record"), "{}", done.stderr);
}

#[test]
fn a_damaged_record_stops_everything() {
    let sandbox = deployed(NAMED);
    let record = ".iefctl/ledger/portal/contoso.onmicrosoft.com.json";
    let text = sandbox.read(record);
    for damaged in [&text[..20], "{}", &text.replace("\"portal\"", "\"other\"")] {
        sandbox.write(record, damaged);
        sandbox.line(&format!("deploy set --prune {DEPLOY}"), 2);
    }
}

#[test]
fn a_part_of_the_project_prunes_nothing() {
    let sandbox = deployed(NAMED);
    let refused = sandbox.line("deploy set/Base.xml --prune --emulator", 2);
    assert!(refused.stderr.contains("--prune"), "{}", refused.stderr);
}

#[test]
fn a_copy_and_an_environment_prune_only_their_own() {
    let environments = "[environments.one]\ntenant = \"contoso.onmicrosoft.com\"\n\
        [environments.two]\ntenant = \"contoso.onmicrosoft.com\"\nexclude = [\"Two.xml\"]\n";
    let sandbox = deployed(&format!("{NAMED}{environments}"));
    sandbox.line(&format!("deploy set -e one {DEPLOY}"), 0);
    let other = sandbox.line(&format!("deploy set -e two --prune {DEPLOY}"), 0);
    assert!(other.ids("delete").is_empty());
    sandbox.line(&format!("deploy set -e one --prefix pr1_ {DEPLOY}"), 0);
    sandbox.remove("set/Two.xml");
    let copy = sandbox.line(
        &format!("deploy set -e one --prefix pr1_ --prune {DEPLOY}"),
        0,
    );
    assert_eq!(copy.ids("delete"), ["B2C_1A_pr1_Two"]);
}

#[test]
fn the_last_environment_deletes_what_all_have_lost() {
    let sandbox = Sandbox::new();
    let config = "project = \"portal\"\n[environments.one]\ntenant = \"contoso.onmicrosoft.com\"\n\
        [environments.two]\ntenant = \"contoso.onmicrosoft.com\"\n";
    sandbox.write("set/iefctl.toml", config);
    sandbox.write("set/A.xml", &policy("B2C_1A_A", None, "a"));
    sandbox.write("set/B.xml", &policy("B2C_1A_B", None, "b"));
    sandbox.line(&format!("deploy set -e one {DEPLOY}"), 0);
    sandbox.line(&format!("deploy set -e two {DEPLOY}"), 0);
    sandbox.remove("set/B.xml");
    let first = sandbox.line(&format!("deploy set -e one --prune {DEPLOY}"), 0);
    assert!(first.ids("delete").is_empty());
    let last = sandbox.line(&format!("deploy set -e two --prune {DEPLOY}"), 0);
    assert_eq!(last.ids("delete"), ["B2C_1A_B"]);
}

#[test]
fn a_saved_plan_prunes_too_unless_an_heir_has_come() {
    let sandbox = deployed(NAMED);
    sandbox.remove("set/Two.xml");
    sandbox.line("plan set --prune --emulator --out plan.json", 0);
    sandbox.write("other/X.xml", &policy("B2C_1A_X", Some("B2C_1A_Two"), "x"));
    sandbox.line(&format!("deploy other {DEPLOY}"), 0);
    let refused = sandbox.line("deploy set --plan plan.json --emulator", 2);
    assert!(refused.stderr.contains("B2C_1A_X"), "{}", refused.stderr);
    sandbox.write("other/X.xml", &policy("B2C_1A_X", None, "x"));
    sandbox.line(&format!("deploy other {DEPLOY}"), 0);
    let done = sandbox.line(&format!("deploy set --plan plan.json {DEPLOY}"), 0);
    assert_eq!(done.ids("delete"), ["B2C_1A_Two"]);
    // What was deleted can be brought back, and is nobody's then.
    sandbox.line("rollback --emulator --yes", 0);
    let plan = sandbox.line("plan set --emulator --exit-code --prune", 0);
    assert!(plan.stdout.contains("B2C_1A_Two"), "{}", plan.stdout);
}
