//! `iefctl pull`: what a tenant holds becomes files that deploy without a change.

mod samples;
mod sandbox;

use samples::{TENANT, starter_packs};
use sandbox::Sandbox;

const JSON: &str = "--emulator --format json";

fn example() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.copy("policies-example", "p");
    sandbox.line(&format!("deploy p -e dev {JSON}"), 0);
    sandbox
}

#[test]
fn the_example_goes_round() {
    let sandbox = example();
    let config = "-e dev --config p/iefctl.toml";
    let pulled = sandbox.line(&format!("pull new/folder {config} {JSON}"), 0);
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

    sandbox.line(&format!("validate new/folder {config}"), 0);
    let deployed = sandbox.line(&format!("deploy new/folder {config} {JSON}"), 0);
    assert_eq!(deployed.count("unchanged"), 6);
    // The templates work for the other tenant too, as far as validation can tell.
    sandbox.line("validate new/folder -e prod --config p/iefctl.toml", 0);
    let again = sandbox.line(&format!("pull new/folder {config} {JSON}"), 0);
    assert_eq!(again.count("unchanged"), 6);
}

#[test]
fn files_that_mean_the_same_keep_their_bytes() {
    let sandbox = example();
    let before: Vec<String> = names(&sandbox)
        .iter()
        .map(|name| sandbox.read(&format!("p/{name}")))
        .collect();
    let pulled = sandbox.line(&format!("pull p -e dev {JSON}"), 0);
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
    let kept = sandbox.line(&format!("pull p -e dev {JSON}"), 1);
    assert_eq!(kept.count("kept"), 1);
    assert_eq!(sandbox.read(file), edited);
    let forced = sandbox.line(&format!("pull p -e dev --force {JSON}"), 0);
    assert_eq!(forced.count("updated"), 1);
    let written = sandbox.read(file);
    assert!(!written.contains("Mine"));
    assert!(written.contains("{Settings:Tenant}"), "{written}");
    // What pull wrote is no work of anybody.
    sandbox.copy("policies-example", "q");
    sandbox.write("q/SignUpOrSignin.xml", &edited);
    sandbox.line(&format!("deploy q -e dev {JSON}"), 0);
    let updated = sandbox.line(&format!("pull p -e dev {JSON}"), 0);
    assert_eq!(updated.count("updated"), 1);
    assert!(sandbox.read(file).contains("Mine"));
    sandbox.line("plan p -e dev --emulator --exit-code", 0);
}

#[test]
fn one_policy_can_be_pulled() {
    let sandbox = example();
    let config = "-e dev --config p/iefctl.toml";
    let one = "--policy b2c_1a_profileedit --policy ProfileEdit";
    sandbox.line(&format!("pull new {config} {one} {JSON}"), 0);
    assert_eq!(
        sandbox.list("new"),
        ["B2C_1A_ProfileEdit.xml", "keysets.json"]
    );
    let wrong = sandbox.line(
        &format!("pull other {config} --policy B2C_1A_ProfilEdit {JSON}"),
        2,
    );
    assert!(wrong.stderr.contains("did you mean"), "{}", wrong.stderr);
    assert!(!sandbox.at("other").exists());
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
    sandbox.line(&format!("deploy p -e dev {JSON}"), 0);
    let dev = "-e dev --config p/iefctl.toml";
    let pulled = sandbox.line(&format!("pull p {dev} {JSON}"), 0);
    assert_eq!(pulled.count("unchanged"), 6, "{}", pulled.stdout);
    assert_eq!(sandbox.read("p/ProfileEdit.xml"), marked);
    assert_eq!(sandbox.read("p/PasswordReset.xml"), returns);
    for (folder, tenant) in [("with", dev), ("without", "-t contosodev.onmicrosoft.com")] {
        sandbox.line(&format!("pull {folder} {tenant} {JSON}"), 0);
        let templates = sandbox.read(&format!("{folder}/B2C_1A_ProfileEdit.xml"));
        assert_eq!(templates.contains("{Settings:Tenant}"), folder == "with");
        sandbox.line(&format!("validate {folder} {tenant}"), 0);
        let plan = format!("plan {folder} {tenant} --emulator --exit-code");
        sandbox.line(&plan, 0);
    }
}

#[test]
fn what_is_no_such_policy_is_not_overwritten() {
    let sandbox = example();
    let config = "-e dev --config p/iefctl.toml";
    sandbox.write("new/B2C_1A_ProfileEdit.xml", "<notes/>");
    sandbox.write("new/keysets.json", "[]");
    sandbox.line(&format!("pull new {config} {JSON}"), 2);
    assert_eq!(sandbox.list("new").len(), 2);
    sandbox.remove("new/B2C_1A_ProfileEdit.xml");
    // The same file on systems that do not tell the case of names apart.
    sandbox.write("new/b2c_1a_profileedit.XML", "<notes/>");
    sandbox.line(&format!("pull new {config} {JSON}"), 2);
    sandbox.remove("new/b2c_1a_profileedit.XML");
    let kept = sandbox.line(&format!("pull new {config} {JSON}"), 1);
    assert_eq!(kept.json()["keysets"]["action"], "kept");
    assert_eq!(sandbox.read("new/keysets.json"), "[]");
    let nowhere = sandbox.line("pull new --emulator", 2);
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
        sandbox.line(&format!("deploy set -t {TENANT} {JSON}"), 0);
        sandbox.line(&format!("pull plain -t {TENANT} {JSON}"), 0);
        sandbox.line(&format!("validate plain -t {TENANT}"), 0);
        sandbox.line(&format!("plan plain -t {TENANT} --emulator --exit-code"), 0);
        let template = "-e e --config set/iefctl.toml";
        sandbox.line(&format!("pull template {template} {JSON}"), 0);
        sandbox.line(&format!("validate template {template}"), 0);
        sandbox.line(
            &format!("plan template {template} --emulator --exit-code"),
            0,
        );
        let beside = sandbox.line(&format!("pull set -t {TENANT} {JSON}"), 0);
        assert_eq!(
            beside.count("unchanged"),
            beside.json()["policies"].as_array().unwrap().len() as u64
        );
    }
}
