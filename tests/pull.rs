//! `iefctl pull`: what a tenant holds becomes files that deploy without a change.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod folder;

use folder::{Sandbox, TENANT, starter_packs};

const JSON: &str = "--emulator --format json";

fn example() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.copy("policies-example", "p");
    sandbox.run(&format!("deploy p -e dev {JSON}"), 0);
    sandbox
}

#[test]
fn the_example_goes_round() {
    let sandbox = example();
    let config = "-e dev --config p/iefctl.toml";
    let pulled = sandbox.run(&format!("pull new/folder {config} {JSON}"), 0);
    assert_eq!(pulled.count("created"), 6);
    let files = sandbox.list("new/folder");
    assert_eq!(files.len(), 7, "{files:?}");
    assert!(files.contains(&"B2C_1A_TrustFrameworkBase.xml".to_owned()));
    let extensions = sandbox.read("new/folder/B2C_1A_TrustFrameworkExtensions.xml");
    assert!(!extensions.contains("TenantObjectId"));
    assert!(
        !extensions.contains("contosodev.onmicrosoft.com"),
        "{extensions}"
    );
    for placeholder in [
        "{Settings:Tenant}",
        "{Settings:ApiHost}",
        "{Settings:GoogleClientId}",
    ] {
        assert!(extensions.contains(placeholder), "{placeholder}");
    }
    let keysets = sandbox.read("new/folder/keysets.json");
    assert!(
        keysets.contains("B2C_1A_TokenSigningKeyContainer"),
        "{keysets}"
    );

    sandbox.run(&format!("validate new/folder {config}"), 0);
    let deployed = sandbox.run(&format!("deploy new/folder {config} {JSON}"), 0);
    assert_eq!(deployed.count("unchanged"), 6);
    // The templates work for the other tenant too, as far as validation can tell.
    sandbox.run("validate new/folder -e prod --config p/iefctl.toml", 0);
    let again = sandbox.run(&format!("pull new/folder {config} {JSON}"), 0);
    assert_eq!(again.count("unchanged"), 6);
}

#[test]
fn files_that_mean_the_same_keep_their_bytes() {
    let sandbox = example();
    let before: Vec<String> = names(&sandbox)
        .iter()
        .map(|name| sandbox.read(&format!("p/{name}")))
        .collect();
    let pulled = sandbox.run(&format!("pull p -e dev {JSON}"), 0);
    assert_eq!(pulled.count("unchanged"), 6);
    let after: Vec<String> = names(&sandbox)
        .iter()
        .map(|name| sandbox.read(&format!("p/{name}")))
        .collect();
    assert_eq!(before, after);
}

fn names(sandbox: &Sandbox) -> Vec<String> {
    let mut names = sandbox.list("p");
    names.retain(|name| name.ends_with(".xml"));
    names
}

#[test]
fn local_work_is_kept_until_it_is_given_up() {
    let sandbox = example();
    let file = "p/SignUpOrSignin.xml";
    let text = sandbox.read(file);
    let edited = text.replacen("<DisplayName>", "<DisplayName>Mine ", 1);
    assert_ne!(text, edited);
    sandbox.write(file, &edited);
    let kept = sandbox.run(&format!("pull p -e dev {JSON}"), 1);
    assert_eq!(kept.count("kept"), 1);
    assert_eq!(sandbox.read(file), edited);
    let forced = sandbox.run(&format!("pull p -e dev --force {JSON}"), 0);
    assert_eq!(forced.count("updated"), 1);
    let written = sandbox.read(file);
    assert!(!written.contains("Mine"));
    assert!(written.contains("{Settings:Tenant}"), "{written}");
    // What pull wrote is no work of anybody.
    sandbox.copy("policies-example", "q");
    sandbox.write("q/SignUpOrSignin.xml", &edited);
    sandbox.run(&format!("deploy q -e dev {JSON}"), 0);
    let updated = sandbox.run(&format!("pull p -e dev {JSON}"), 0);
    assert_eq!(updated.count("updated"), 1);
    assert!(sandbox.read(file).contains("Mine"));
    sandbox.run("plan p -e dev --emulator --exit-code", 0);
}

#[test]
fn one_policy_can_be_pulled() {
    let sandbox = example();
    let config = "-e dev --config p/iefctl.toml";
    let one = "--policy b2c_1a_profileedit --policy ProfileEdit";
    sandbox.run(&format!("pull new {config} {one} {JSON}"), 0);
    assert_eq!(
        sandbox.list("new"),
        ["B2C_1A_ProfileEdit.xml", "keysets.json"]
    );
    let wrong = sandbox.run(
        &format!("pull other {config} --policy B2C_1A_ProfilEdit {JSON}"),
        2,
    );
    assert!(wrong.stderr.contains("did you mean"), "{}", wrong.stderr);
    assert!(!sandbox.path("other").exists());
}

/// Marks, line ends and declarations are the tenant's business as well as the user's: neither makes a
/// difference on the way out or back.
#[test]
fn marks_and_line_ends_go_round() {
    let sandbox = Sandbox::new();
    sandbox.copy("policies-example", "p");
    let marked = format!("\u{feff}{}", sandbox.read("p/ProfileEdit.xml"));
    sandbox.write("p/ProfileEdit.xml", &marked);
    let returns = sandbox.read("p/PasswordReset.xml").replace('\n', "\r\n");
    sandbox.write("p/PasswordReset.xml", &returns);
    sandbox.run(&format!("deploy p -e dev {JSON}"), 0);
    for environment in [
        "-e dev --config p/iefctl.toml",
        "-t contosodev.onmicrosoft.com",
    ] {
        let pulled = sandbox.run(&format!("pull p {environment} {JSON}"), 0);
        assert_eq!(pulled.count("unchanged"), 6, "{}", pulled.stdout);
        assert_eq!(sandbox.read("p/ProfileEdit.xml"), marked);
        assert_eq!(sandbox.read("p/PasswordReset.xml"), returns);
        let folder = environment
            .split(' ')
            .next_back()
            .unwrap()
            .replace('/', "-");
        sandbox.run(&format!("pull {folder} {environment} {JSON}"), 0);
        sandbox.run(&format!("validate {folder} {environment}"), 0);
        let plan = format!("plan {folder} {environment} --emulator --exit-code");
        sandbox.run(&plan, 0);
    }
}

#[test]
fn what_is_no_such_policy_is_not_overwritten() {
    let sandbox = example();
    let config = "-e dev --config p/iefctl.toml";
    sandbox.write("new/B2C_1A_ProfileEdit.xml", "<notes/>");
    sandbox.write("new/keysets.json", "[]");
    sandbox.run(&format!("pull new {config} {JSON}"), 2);
    assert_eq!(sandbox.list("new").len(), 2);
    sandbox.remove("new/B2C_1A_ProfileEdit.xml");
    // The same file on systems that do not tell the case of names apart.
    sandbox.write("new/b2c_1a_profileedit.XML", "<notes/>");
    sandbox.run(&format!("pull new {config} {JSON}"), 2);
    sandbox.remove("new/b2c_1a_profileedit.XML");
    let kept = sandbox.run(&format!("pull new {config} {JSON}"), 1);
    assert_eq!(kept.json()["keysets"]["action"], "kept");
    assert_eq!(sandbox.read("new/keysets.json"), "[]");
    let nowhere = sandbox.run("pull new --emulator", 2);
    assert!(nowhere.stderr.contains("--tenant"), "{}", nowhere.stderr);
}

#[test]
fn starter_packs_go_round() {
    for pack in starter_packs() {
        let sandbox = Sandbox::new();
        sandbox.copy(&pack, "set");
        sandbox.write(
            "set/iefctl.toml",
            "[environments.e]\ntenant = \"contoso.onmicrosoft.com\"\n",
        );
        sandbox.run(&format!("deploy set -t {TENANT} {JSON}"), 0);
        sandbox.run(&format!("pull plain -t {TENANT} {JSON}"), 0);
        sandbox.run(&format!("validate plain -t {TENANT}"), 0);
        sandbox.run(&format!("plan plain -t {TENANT} --emulator --exit-code"), 0);
        let template = "-e e --config set/iefctl.toml";
        sandbox.run(&format!("pull template {template} {JSON}"), 0);
        sandbox.run(&format!("validate template {template}"), 0);
        sandbox.run(
            &format!("plan template {template} --emulator --exit-code"),
            0,
        );
        let beside = sandbox.run(&format!("pull set -t {TENANT} {JSON}"), 0);
        assert_eq!(
            beside.count("unchanged"),
            beside.json()["policies"].as_array().unwrap().len() as u64
        );
    }
}
