//! `iefctl build`: the resolved files of environments.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod folder;

use folder::{Sandbox, policy};

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
    sandbox.run("build --all-environments --output out", 0);
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
        sandbox.run(&format!("validate out/{environment}"), 0);
        sandbox.run(&format!("deploy out/{environment} --emulator"), 0);
        sandbox.run(&format!("plan -e {environment} --emulator --exit-code"), 0);
    }
}

#[test]
fn built_files_are_no_input() {
    let (sandbox, _) = project();
    sandbox.write(
        "iefctl.toml",
        &CONFIG.replace("policies = \"policies\"\n", ""),
    );
    sandbox.run("build -e Test --output out", 0);
    sandbox.run("validate -e Test", 0);
    let again = sandbox
        .run("build -e Test --output out --format json", 0)
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
    let refused = sandbox.run("build --all-environments --output out", 1);
    assert!(
        refused.said().contains("settings-undefined"),
        "{}",
        refused.said()
    );
    assert!(!sandbox.path("out").exists());
    sandbox.run("build -e Test --output out", 0);
    sandbox.run("build -e Tset --output out", 2);
}

#[test]
fn only_files_of_earlier_builds_are_removed() {
    let (sandbox, _) = project();
    sandbox.run("build --all-environments --output out", 0);
    sandbox.write("out/Test/mine.txt", "mine");
    sandbox.write("policies/Extra.xml", &policy("B2C_1A_Extra", None, "e"));
    sandbox.run("build -e Test --output out", 0);
    sandbox.remove("policies/sub/Leaf.xml");
    sandbox.remove("policies/Extra.xml");
    sandbox.write("out/Test/policies/Extra.xml", "<edited/>");
    sandbox.run("build -e Test --output out", 0);
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
    sandbox.run("build -e Test --output out", 2);
    assert_eq!(sandbox.read("out/Test/policies/Base.xml"), "mine");
    sandbox.run("build -e Test --output out --force", 0);
    let mine = policy("B2C_1A_X", None, "x");
    sandbox.write("plain/X.xml", &mine);
    let config = "--config iefctl.toml";
    sandbox.run(&format!("build plain {config} --output . --force"), 2);
    assert_eq!(sandbox.read("plain/X.xml"), mine);
    assert_eq!(sandbox.read("policies/Base.xml"), text);
}

#[test]
fn a_copy_can_be_built() {
    let (sandbox, _) = project();
    sandbox.run("build -e Test --prefix pr1_ --output out", 0);
    let leaf = sandbox.read("out/Test/policies/sub/Leaf.xml");
    assert!(leaf.contains("PolicyId=\"B2C_1A_pr1_Leaf\""), "{leaf}");
    assert!(
        leaf.contains("<PolicyId>B2C_1A_pr1_Base</PolicyId>"),
        "{leaf}"
    );
}
