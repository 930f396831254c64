//! `iefctl build`: the resolved files of environments.

mod samples;
mod sandbox;

use samples::policy;
use sandbox::Sandbox;

const CONFIG: &str = "policies = \"policies\"\n[environments.Test]\n\
    tenant = \"contoso.onmicrosoft.com\"\n[environments.Test.settings]\nHost = \"a&b\"\n\
    [environments.Prod]\ntenant = \"fabrikam.onmicrosoft.com\"\n\
    [environments.Prod.settings]\nHost = \"c\"\n";

fn project() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.write("iefctl.toml", CONFIG);
    let text = policy("B2C_1A_Base", None, "a")
        .replace("contoso.onmicrosoft.com", "{Settings:Tenant}")
        .replace("<DisplayName>a<", "<DisplayName>{settings:HOST}<")
        .replace('\n', "\r\n");
    let text = format!("\u{feff}<!-- {{Settings:Host}} -->\r\n{text}");
    sandbox.write("policies/Base.xml", &text);
    sandbox.write(
        "policies/sub/Leaf.xml",
        &policy("B2C_1A_Leaf", Some("B2C_1A_Base"), "l")
            .replace("contoso.onmicrosoft.com", "{Settings:Tenant}"),
    );
    (sandbox, text)
}

#[test]
fn every_byte_outside_of_settings_stays() {
    let (sandbox, text) = project();
    sandbox.line("build --all-environments --output out", 0);
    for (environment, tenant, host) in [
        ("Test", "contoso.onmicrosoft.com", "a&amp;b"),
        ("Prod", "fabrikam.onmicrosoft.com", "c"),
    ] {
        let expected = text
            .replace("{Settings:Tenant}", tenant)
            .replace("{settings:HOST}", host);
        let built = sandbox.read(&format!("out/{environment}/policies/Base.xml"));
        assert_eq!(built, expected);
        assert_eq!(
            sandbox.list(&format!("out/{environment}/policies/sub")),
            ["Leaf.xml"]
        );
        // Build once, promote everywhere.
        sandbox.line(&format!("validate out/{environment}"), 0);
        sandbox.line(&format!("deploy out/{environment} --emulator"), 0);
        sandbox.line(&format!("plan -e {environment} --emulator --exit-code"), 0);
    }
}

#[test]
fn built_files_are_no_input() {
    let (sandbox, _) = project();
    sandbox.write(
        "iefctl.toml",
        &CONFIG.replace("policies = \"policies\"\n", ""),
    );
    sandbox.line("build -e Test --output out", 0);
    sandbox.line("validate -e Test", 0);
    let again = sandbox
        .line("build -e Test --output out --format json", 0)
        .json();
    assert_eq!(again["files"].as_array().unwrap().len(), 2);
}

#[test]
fn a_wrong_setting_writes_nothing() {
    let (sandbox, _) = project();
    sandbox.write(
        "iefctl.toml",
        &CONFIG.replace("Host = \"c\"", "Hots = \"c\""),
    );
    let refused = sandbox.line("build --all-environments --output out", 1);
    assert!(
        refused.said().contains("settings-undefined"),
        "{}",
        refused.said()
    );
    assert!(!sandbox.at("out").exists());
    sandbox.line("build -e Test --output out", 0);
    sandbox.line("build -e Tset --output out", 2);
}

#[test]
fn only_files_of_earlier_builds_are_removed() {
    let (sandbox, _) = project();
    sandbox.line("build --all-environments --output out", 0);
    sandbox.write("out/Test/mine.txt", "mine");
    sandbox.write("policies/Extra.xml", &policy("B2C_1A_Extra", None, "e"));
    sandbox.line("build -e Test --output out", 0);
    sandbox.remove("policies/sub/Leaf.xml");
    sandbox.remove("policies/Extra.xml");
    sandbox.write("out/Test/policies/Extra.xml", "<edited/>");
    sandbox.line("build -e Test --output out", 0);
    assert_eq!(sandbox.list("out/Test/policies/sub"), Vec::<String>::new());
    assert_eq!(sandbox.list("out/Test"), ["mine.txt", "policies"]);
    assert_eq!(
        sandbox.list("out/Test/policies"),
        ["Base.xml", "Extra.xml", "sub"]
    );
    // The other environment was not built.
    assert_eq!(sandbox.list("out/Prod/policies/sub"), ["Leaf.xml"]);
}

#[test]
fn what_no_build_wrote_is_not_overwritten() {
    let (sandbox, text) = project();
    sandbox.write("out/Test/policies/Base.xml", "mine");
    sandbox.line("build -e Test --output out", 2);
    assert_eq!(sandbox.read("out/Test/policies/Base.xml"), "mine");
    sandbox.line("build -e Test --output out --force", 0);
    let mine = policy("B2C_1A_X", None, "x");
    sandbox.write("plain/X.xml", &mine);
    let config = "--config iefctl.toml";
    sandbox.line(&format!("build plain {config} --output . --force"), 2);
    assert_eq!(sandbox.read("plain/X.xml"), mine);
    assert_eq!(sandbox.read("policies/Base.xml"), text);
}

/// Beside built files nothing is input any more: what is there would vanish from the set.
#[test]
fn a_folder_that_holds_what_is_built_is_refused() {
    let (sandbox, _) = project();
    sandbox.write("file", "mine");
    for output in [".", "policies", "policies/sub", "./policies/../policies"] {
        let refused = sandbox.line(&format!("build -e Test --output {output} --force"), 2);
        assert!(
            refused.stderr.contains("one of the files that are built"),
            "{}",
            refused.stderr
        );
    }
    let refused = sandbox.line("build -e Test --output file", 2);
    assert!(
        refused.stderr.contains("`file` is a file"),
        "{}",
        refused.stderr
    );
    assert_eq!(sandbox.list("."), ["file", "iefctl.toml", "policies"]);
    assert_eq!(sandbox.list("policies"), ["Base.xml", "sub"]);
    // Below the policies is a place as well.
    sandbox.line("build -e Test --output policies/out", 0);
    let report = sandbox.line("validate -e Test --format json", 0);
    assert_eq!(report.count("policies"), 2);
}

#[test]
fn a_copy_can_be_built() {
    let (sandbox, _) = project();
    sandbox.line("build -e Test --prefix pr1_ --output out", 0);
    let leaf = sandbox.read("out/Test/policies/sub/Leaf.xml");
    assert!(leaf.contains("PolicyId=\"B2C_1A_pr1_Leaf\""), "{leaf}");
    assert!(
        leaf.contains("<PolicyId>B2C_1A_pr1_Base</PolicyId>"),
        "{leaf}"
    );
}

#[test]
fn one_environment_can_be_built_flat() {
    let (sandbox, _) = project();
    sandbox.line("build policies -e Test --output out --flat", 0);
    assert_eq!(sandbox.list("out"), ["Base.xml", "sub"]);
    assert_eq!(sandbox.list("out/sub"), ["Leaf.xml"]);
    // What was built for one environment may be mistaken for that of another, but not by a build.
    sandbox.line("build policies -e Prod --output out --flat", 0);
    assert!(sandbox.read("out/Base.xml").contains("fabrikam"));
    sandbox.line("build --all-environments --output out --flat", 2);
}

#[test]
fn a_variable_overrides_settings() {
    let (sandbox, text) = project();
    let text = text.replace("{settings:HOST}", "{settings:HOST}{Settings:New}");
    sandbox.write("policies/Base.xml", &text);
    let build = "build -e Test --output out";
    sandbox.line(build, 1);
    sandbox.line_with(&[("IEFCTL_SETTINGS", "hOST=x=y<\r\n\nNew= 1 \n")], build, 0);
    let built = sandbox.read("out/Test/policies/Base.xml");
    assert!(built.contains(">x=y&lt; 1 <"), "{built}");
    // Nobody uses it: said with the place, and without the value.
    let unused = [("IEFCTL_SETTINGS", "New=1\nToken=s3cret")];
    let said = sandbox.line_with(&unused, "validate -e Test", 0).said();
    assert!(said.contains("settings-unused"), "{said}");
    assert!(said.contains("IEFCTL_SETTINGS:2:1"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    for (settings, why) in [
        ("New=1\ns3cret", "line 2 of IEFCTL_SETTINGS is no setting"),
        ("=s3cret", "line 1 of IEFCTL_SETTINGS has no usable name"),
        (
            "New=s3cret\nNEW=1",
            "line 2 of IEFCTL_SETTINGS sets `NEW` a second time",
        ),
        ("Tenant=s3cret", "which is built in"),
    ] {
        let said = sandbox
            .line_with(&[("IEFCTL_SETTINGS", settings)], build, 2)
            .said();
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn an_override_needs_no_configuration_and_no_variable_that_it_replaces() {
    let sandbox = Sandbox::new();
    let text = policy("B2C_1A_Base", None, "a");
    let text = text.replace("<DisplayName>a<", "<DisplayName>{Settings:Host}<");
    sandbox.write("p/Base.xml", &text);
    let host = [("IEFCTL_SETTINGS", "Host=h")];
    sandbox.line_with(&host, "validate p", 0);
    sandbox.write("iefctl.toml", "[settings]\nHost = { env = \"NOT_SET\" }\n");
    sandbox.line("validate p", 2);
    sandbox.line_with(&host, "validate p", 0);
}

#[test]
fn the_result_is_also_written_as_json() {
    let (sandbox, _) = project();
    let report = [("IEFCTL_REPORT", "report.json"), ("TF_BUILD", "True")];
    let command = |line: &str, status| {
        let said = sandbox.line_with(&report, line, status);
        let text = sandbox.read("report.json");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        sandbox.remove("report.json");
        (said, json)
    };
    let (said, json) = command("validate -e Test", 0);
    assert_eq!(json["command"], "validate");
    assert_eq!(json["summary"]["policies"], 2);
    assert!(!said.stdout.contains("schemaVersion"), "{}", said.stdout);
    let (_, json) = command("build -e Test --output out", 0);
    assert_eq!(json["files"].as_array().unwrap().len(), 2);
    let (said, json) = command("plan -e Test --emulator", 0);
    assert_eq!(json["hasChanges"], true);
    assert!(
        said.stdout.contains("##vso[task.uploadsummary]"),
        "{}",
        said.stdout
    );
    let (said, json) = command("deploy -e Test --emulator", 0);
    assert_eq!(json["summary"]["created"], 2);
    assert!(
        said.stdout.contains("##vso[task.uploadsummary]"),
        "{}",
        said.stdout
    );
    for line in ["validate", "plan --emulator", "deploy --emulator"] {
        let (_, json) = command(&format!("{line} -e Test -e Prod"), 0);
        assert_eq!(json["environments"].as_array().unwrap().len(), 2, "{line}");
    }
    sandbox.write("policies/sub/Leaf.xml", "<x>");
    let (_, json) = command("deploy -e Test --emulator", 1);
    assert_eq!(json["command"], "deploy");
    assert_eq!(
        json["summary"]["errors"],
        json["diagnostics"].as_array().unwrap().len()
    );
    let nowhere = [("IEFCTL_REPORT", "no/such/folder/report.json")];
    let said = sandbox.line_with(&nowhere, "validate -e Prod", 2).said();
    assert!(said.contains("which IEFCTL_REPORT names"), "{said}");
}
