//! `iefctl` as a user types it, against its own emulator: the README's command, Microsoft's starter
//! packs twice, bad input, and that no secret ever comes out.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it left out"
)]

#[path = "../beside/corpus.rs"]
mod corpus;
#[cfg(unix)]
mod gate;
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod network;
#[cfg(unix)]
mod peers;
#[cfg(unix)]
mod refusals;
#[path = "../sandbox/mod.rs"]
mod sandbox;
#[cfg(unix)]
mod stop;
#[cfg(unix)]
mod tenant;
#[path = "../tenant/mod.rs"]
mod tenant_process;
#[cfg(unix)]
mod terminal;

use std::path::{Path, PathBuf};

use serde_json::Value;

use corpus::corpus;
use sandbox::Sandbox;
use tenant::{Tenant, access, write_set};

fn count(value: &Value, name: &str) -> u64 {
    value["summary"][name].as_u64().unwrap()
}

#[test]
fn the_example_is_deployed_once() {
    let sandbox = Sandbox::new();
    sandbox.copy("policies-example", "policies-example");
    let command = [
        "deploy",
        "policies-example",
        "--environment",
        "dev",
        "--emulator",
        "--format",
        "json",
    ];
    let first = sandbox.run(&command).expect(0).json();
    assert_eq!(first["schemaVersion"], 1);
    assert_eq!(first["tenant"], "contosodev.onmicrosoft.com");
    assert_eq!(count(&first, "created"), 6);
    assert_eq!(count(&first, "failed"), 0);
    let keysets = first["keysets"].as_array().unwrap();
    assert_eq!(keysets.len(), 4);
    assert!(keysets.iter().all(|keyset| keyset["status"] == "done"));
    let policies = first["policies"].as_array().unwrap();
    assert_eq!(policies[0]["id"], "B2C_1A_TrustFrameworkBase");
    assert!(policies.iter().all(|policy| policy["status"] == "done"
        && policy["action"] == "create"
        && policy["attempts"] == 1));

    let second = sandbox.run(&command).expect(0).json();
    assert_eq!(count(&second, "created") + count(&second, "updated"), 0);
    assert_eq!(count(&second, "unchanged"), 6);
    // The other environment is another tenant.
    let other = [
        "plan",
        "policies-example",
        "-e",
        "prod",
        "--emulator",
        "--exit-code",
    ];
    sandbox.run(&other).expect(3);
    let same = [
        "plan",
        "policies-example",
        "-e",
        "dev",
        "--emulator",
        "--exit-code",
    ];
    let plan = sandbox.run(&same).expect(0);
    assert!(
        plan.stdout.contains("nothing would change"),
        "{}",
        plan.stdout
    );
}

#[test]
fn a_changed_policy_is_updated_and_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox.copy("policies-example", "policies");
    let command = [
        "deploy",
        "policies",
        "-e",
        "dev",
        "--emulator",
        "--format",
        "json",
    ];
    sandbox.run(&command).expect(0);
    let file = sandbox.path().join("policies/ProfileEdit.xml");
    let text = std::fs::read_to_string(&file).unwrap();
    // White space and comments do not count.
    std::fs::write(&file, text.replace("\n", "\n\n")).unwrap();
    assert_eq!(
        count(&sandbox.run(&command).expect(0).json(), "unchanged"),
        6
    );
    assert!(text.contains("<DisplayName>"));
    std::fs::write(
        &file,
        text.replacen("<DisplayName>", "<DisplayName>Changed ", 1),
    )
    .unwrap();
    let report = sandbox.run(&command).expect(0).json();
    assert_eq!(count(&report, "updated"), 1);
    assert_eq!(count(&report, "unchanged"), 5);
}

/// An emulated tenant has the name of the real one. Nothing of the one may ever reach the other.
#[test]
fn what_is_tried_in_the_emulator_leaves_the_snapshots_of_the_tenant_alone() {
    let tenant = Tenant::start(&[]);
    let mut sandbox = Sandbox::new();
    let name = "contoso.onmicrosoft.com";
    let deploy = |sandbox: &mut Sandbox, version: &str, emulated: bool| {
        write_set(sandbox, "set", version);
        let mut command = vec!["deploy", "set", "--tenant", name, "--format", "json"];
        sandbox.variables = access(&tenant.url);
        if emulated {
            sandbox.variables.clear();
            command.extend(["--emulator", "--keep-snapshots", "1"]);
        }
        let report = sandbox.run(&command).expect(0).json();
        sandbox.variables = access(&tenant.url);
        report
    };
    let folders = |sandbox: &Sandbox| {
        let list = ["rollback", "--list", "--tenant", name, "--format", "json"];
        let list = sandbox.run(&list).expect(0).json();
        let snapshots = list["snapshots"].as_array().unwrap().iter();
        let folders = snapshots.map(|it| it["folder"].as_str().unwrap().to_owned());
        folders.collect::<Vec<_>>()
    };
    deploy(&mut sandbox, "old", false);
    deploy(&mut sandbox, "new", false);
    let saved = folders(&sandbox);
    assert_eq!(saved.len(), 2);
    let emulated = deploy(&mut sandbox, "new", true);
    assert_eq!(count(&emulated, "created"), 6);
    deploy(&mut sandbox, "newer", true);
    assert_eq!(folders(&sandbox), saved);

    // By its path it is refused, too.
    let foreign = sandbox
        .list(&format!(".iefctl/snapshots/.emulated/{name}"))
        .pop();
    let foreign = format!(
        ".iefctl/snapshots/.emulated/{name}/{}",
        foreign.expect("the emulated tenant has one")
    );
    let refused = sandbox.run(&["rollback", &foreign]).expect(2);
    assert!(
        refused.stderr.contains("emulated tenant"),
        "{}",
        refused.stderr
    );
    let undone = ["rollback", "--tenant", name, "--format", "json"];
    let undone = sandbox.run(&undone).expect(0).json();
    assert_eq!(
        undone["summary"]["deleted"], 1,
        "the leaf of the new version"
    );
    assert_eq!(undone["summary"]["updated"], 3);
}

#[test]
fn starter_packs_are_deployed_twice_the_second_time_without_a_write() {
    let Some(root) = corpus() else {
        return;
    };
    let root = root.join("starterpack");
    let mut sets = Vec::new();
    for pack in [root.clone(), root.join("Display Controls Starterpack")] {
        for name in [
            "LocalAccounts",
            "SocialAccounts",
            "SocialAndLocalAccounts",
            "SocialAndLocalAccountsWithMfa",
        ] {
            sets.push((pack.join(name), false));
        }
    }
    for name in [
        "linkedin-identity-provider",
        "password-change",
        "phone-number-passwordless",
    ] {
        sets.push((root.join("scenarios").join(name), true));
    }
    for (folder, is_scenario) in sets {
        let sandbox = Sandbox::new();
        let tenant = [
            "--tenant",
            "contoso.onmicrosoft.com",
            "--emulator",
            "--format",
            "json",
        ];
        sandbox.copy(&folder, "set");
        // Secrets that only a person has.
        sandbox.write(
            "set/iefctl.toml",
            "[keysets.B2C_1A_FacebookSecret]\nsecret = { env = \"FACEBOOK\" }\n\
             [keysets.B2C_1A_LinkedInSecret]\nsecret = { env = \"LINKEDIN\" }\n",
        );
        let mut command = vec!["deploy", "set"];
        command.extend(tenant);
        if is_scenario {
            // What the scenario inherits from is in the tenant first.
            sandbox.copy(root.join("SocialAndLocalAccounts"), "base");
            let mut base = vec!["deploy", "base"];
            base.extend(tenant);
            sandbox.run(&base).expect(0);
            let with = [
                "validate",
                "set",
                "--tenant",
                "contoso.onmicrosoft.com",
                "--with",
                "base",
            ];
            sandbox.run(&with).expect(0);
        }
        if folder.ends_with("scenarios/password-change") {
            // Its profiles for signing in have no client_id until somebody fills it in, and the
            // tenant refuses such a profile.
            let refused = sandbox.run(&command).expect(1).json();
            let findings = refused["diagnostics"].as_array().unwrap();
            let rules: Vec<_> = findings.iter().map(|finding| &finding["rule"]).collect();
            assert_eq!(rules, ["tp-metadata-required", "tp-metadata-required"]);
            continue;
        }
        let first = sandbox.run(&command).expect(0).json();
        assert!(
            count(&first, "created") + count(&first, "updated") > 0,
            "{}",
            folder.display()
        );
        let second = sandbox.run(&command).expect(0).json();
        let written = count(&second, "created") + count(&second, "updated");
        assert_eq!(written, 0, "{}", folder.display());
        let policies = second["policies"].as_array().unwrap();
        assert!(policies.iter().all(|policy| policy["attempts"] == 0));
    }
}

const HEAD: &str = "xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
    PolicySchemaVersion=\"0.3.0.0\" TenantId=\"contoso.onmicrosoft.com\" \
    PublicPolicyUri=\"http://contoso.onmicrosoft.com/x\"";

#[test]
fn bad_input_writes_nothing_and_says_where() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "broken/a.xml",
        "<TrustFrameworkPolicy>\n  <oops>\n</TrustFrameworkPolicy>",
    );
    sandbox.write("other/a.xml", "<project/>");
    sandbox.write(
        "anonymous/a.xml",
        &format!("<TrustFrameworkPolicy {HEAD}></TrustFrameworkPolicy>"),
    );
    sandbox.write(
        "nowhere/a.xml",
        &format!(
            "<TrustFrameworkPolicy {HEAD} PolicyId=\"B2C_1A_A\">\n<BasePolicy>\
             <TenantId>contoso.onmicrosoft.com</TenantId>\n<PolicyId>B2C_1A_Gone</PolicyId>\
             </BasePolicy></TrustFrameworkPolicy>"
        ),
    );
    std::fs::create_dir(sandbox.path().join("empty")).unwrap();
    for (set, status, words) in [
        ("missing", 2, "`missing` does not exist"),
        ("empty", 2, "empty"),
        ("other", 2, "holds no policy"),
        ("broken", 1, "broken/a.xml:2:4"),
        ("anonymous", 1, "PolicyId"),
        ("nowhere", 1, "nowhere/a.xml:3:11"),
    ] {
        let done = sandbox.run(&["deploy", set, "--emulator"]).expect(status);
        let said = format!("{}{}", done.stdout, done.stderr);
        assert!(said.contains(words), "{set}: {said}");
    }
    let stored = sandbox.path().join(".iefctl/emulator");
    let policies = walk(&stored)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "xml"));
    assert_eq!(policies.count(), 0);
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return files;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_tenant_that_is_not_there_or_refuses_is_named() {
    let mut sandbox = Sandbox::new();
    sandbox.copy("policies-example", "policies");
    let command = ["deploy", "policies", "-e", "dev"];
    let nobody = sandbox.run(&command).expect(2);
    for variable in ["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"] {
        assert!(nobody.stderr.contains(variable), "{}", nobody.stderr);
    }
    // A port that was free a moment ago: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}");
    sandbox.variables = vec![
        ("AZURE_CLIENT_ID", "app".into()),
        ("AZURE_CLIENT_SECRET", "a-secret-of-contoso".into()),
        ("IEFCTL_GRAPH_ENDPOINT", url.clone()),
        ("IEFCTL_LOGIN_ENDPOINT", url.clone()),
    ];
    let gone = sandbox.run(&command).expect(2);
    assert!(gone.stderr.contains("127.0.0.1"), "{}", gone.stderr);
    assert!(!gone.stderr.contains("a-secret-of-contoso"));
    sandbox.variables.truncate(2);
    let plain = [
        "deploy",
        "policies",
        "-e",
        "dev",
        "--graph-endpoint",
        "http://contoso.com",
    ];
    let refused = sandbox.run(&plain).expect(2);
    assert!(refused.stderr.contains("http"), "{}", refused.stderr);
}

/// Every secret that goes in, through every command, level and format, and nothing comes out.
#[test]
fn no_secret_comes_out() {
    let api_key = "api-key-Zq7pLw2x";
    let google = "google-secret-Vb9kTt4m";
    let client = "client-secret-Hy3dRr8n";
    let mut sandbox = Sandbox::new();
    sandbox.copy("policies-example", "policies");
    sandbox.variables = vec![
        ("CONTOSO_REST_API_KEY", api_key.into()),
        ("CONTOSO_GOOGLE_CLIENT_SECRET", google.into()),
        ("AZURE_CLIENT_SECRET", client.into()),
        ("AZURE_CLIENT_ID", "app".into()),
    ];
    let mut runs = 0;
    for verbosity in [&[][..], &["-v"], &["-vv"], &["-vvv"], &["-q"]] {
        for format in [
            "human", "json", "markdown", "github", "azure", "sarif", "junit",
        ] {
            for command in ["validate", "plan", "deploy"] {
                let state = format!("state{runs}");
                let mut args = vec![command, "policies", "-e", "dev", "--format", format];
                if command != "validate" {
                    args.extend(["--emulator", "--emulator-state", &state]);
                }
                args.extend(verbosity);
                let done = sandbox.run(&args);
                for secret in [api_key, google, client] {
                    assert!(!done.stdout.contains(secret), "{args:?}: {}", done.stdout);
                    assert!(!done.stderr.contains(secret), "{args:?}: {}", done.stderr);
                }
                runs += 1;
            }
        }
    }
    // Nor is one left on the disk.
    for file in walk(sandbox.path()) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        for secret in [api_key, google, client] {
            assert!(!text.contains(secret), "{}", file.display());
        }
    }
}
