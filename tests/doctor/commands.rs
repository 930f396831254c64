//! The binary as a user types it.

use std::process::Command;

use iefctl::emulator::{DirectoryOptions, EmulatorOptions, Faults};
use serde_json::Value;

use crate::{FRAMEWORK, PROXY, Scene, TENANT, assert_prepared};

fn of(directory: DirectoryOptions) -> EmulatorOptions {
    EmulatorOptions {
        directory,
        ..EmulatorOptions::default()
    }
}

/// Ids of the checks that ended in this state.
fn checks(report: &Value, state: &str) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .filter(|check| check["state"] == state)
        .map(|check| check["id"].as_str().unwrap().to_owned())
        .collect()
}

fn check<'r>(report: &'r Value, id: &str) -> &'r Value {
    let mut checks = report["checks"].as_array().unwrap().iter();
    checks.find(|check| check["id"] == id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_tenant_is_diagnosed_prepared_and_then_fine() {
    let scene = Scene::with_example(EmulatorOptions::default()).await;
    let before = scene.doctor(1);
    assert_eq!(before["schemaVersion"], 1);
    assert_eq!(
        checks(&before, "problem"),
        [
            "framework-application",
            "proxy-application",
            "settings-lookup",
            "settings-lookup"
        ]
    );
    // What a deployment makes by itself is no problem.
    assert_eq!(checks(&before, "warning"), ["keyset-missing"; 4]);
    assert_eq!(scene.writes(), 0, "the doctor only looks");

    let init = [
        "init",
        "--tenant",
        "-e",
        "dev",
        "--config",
        "policies/iefctl.toml",
    ];
    let refused = scene.sandbox.run(&init).expect(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    let dry = scene
        .sandbox
        .run(&[&init[..], &["--dry-run"]].concat())
        .expect(0);
    assert!(dry.stdout.contains("10 to do"), "{}", dry.stdout);
    assert_eq!(scene.writes(), 0);

    let done = scene
        .sandbox
        .run(&[&init[..], &["--yes", "--format", "json"]].concat())
        .expect(0)
        .json();
    assert_eq!(done["complete"], true);
    assert_prepared(scene.emulator.store(), TENANT);
    let settings = &done["settings"];
    assert_eq!(
        settings["ProxyIdentityExperienceFrameworkAppId"],
        scene.app_ids(PROXY)[0]
    );
    assert_eq!(done["settingsTable"], "environments.dev.settings");

    let after = scene.doctor(0);
    assert!(checks(&after, "problem").is_empty(), "{after:#}");
    assert!(checks(&after, "unknown").is_empty(), "{after:#}");
    // The two keysets of which only the configuration knows the secret.
    assert_eq!(checks(&after, "warning"), ["keyset-missing"; 2]);

    let writes = scene.writes();
    let again = scene
        .sandbox
        .run(&[&init[..], &["--yes"]].concat())
        .expect(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    assert_eq!(scene.writes(), writes);

    scene
        .sandbox
        .run(&["deploy", "policies", "-e", "dev"])
        .expect(0);
    let all = scene.doctor(0);
    assert_eq!(all["summary"]["warnings"], 0, "{all:#}");
    let people = scene
        .sandbox
        .run(&["doctor", "policies", "-e", "dev"])
        .expect(0);
    assert!(people.stdout.contains("checks are ok"), "{}", people.stdout);
    assert!(!people.stdout.contains('\u{1b}'), "no colours in a pipe");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_alone_is_checked_without_policies() {
    let scene = Scene::new(EmulatorOptions::default()).await;
    let report = scene.doctor_of_tenant(1);
    let problems = checks(&report, "problem");
    assert!(
        problems.contains(&"framework-application".to_owned()),
        "{problems:?}"
    );
    assert_eq!(checks(&report, "warning"), ["keyset-missing"; 2]);
    assert_eq!(checks(&report, "unknown"), ["policies-valid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permissions_are_named_and_hide_nothing_else() {
    let roles = ["Policy.Read.All", "TrustFrameworkKeySet.ReadWrite.All"];
    let scene = Scene::with_example(EmulatorOptions {
        roles: roles.map(str::to_owned).to_vec(),
        ..EmulatorOptions::default()
    })
    .await;
    let report = scene.doctor(1);
    assert_eq!(check(&report, "permission-policies")["state"], "warning");
    assert_eq!(check(&report, "permission-keysets")["state"], "ok");
    // Needed here, because settings are looked up.
    assert_eq!(
        check(&report, "permission-applications")["state"],
        "problem"
    );
    assert_eq!(
        check(&report, "permission-organization")["state"],
        "warning"
    );
    let unknown = check(&report, "framework-application");
    assert_eq!(unknown["state"], "unknown");
    let message = unknown["message"].as_str().unwrap();
    assert!(message.starts_with("could not check, because"), "{message}");
    assert!(
        unknown["help"]
            .as_str()
            .unwrap()
            .contains("Application.Read.All")
    );
    assert_eq!(check(&report, "policy-count")["state"], "ok");
    assert_eq!(check(&report, "keyset-missing")["state"], "warning");

    // Reading is enough to see what is missing, not to do it.
    let readers = [
        "Application.Read.All",
        "TrustFrameworkKeySet.Read.All",
        "Directory.Read.All",
    ];
    let scene = Scene::new(EmulatorOptions {
        roles: readers.map(str::to_owned).to_vec(),
        ..EmulatorOptions::default()
    })
    .await;
    let refused = scene
        .sandbox
        .run(&["init", "--tenant", TENANT, "--yes"])
        .expect(2);
    for permission in [
        "Application.ReadWrite.All",
        "DelegatedPermissionGrant.ReadWrite.All",
        "TrustFrameworkKeySet.ReadWrite.All",
        "nothing was changed",
    ] {
        assert!(refused.stderr.contains(permission), "{}", refused.stderr);
    }
    assert_eq!(scene.writes(), 0);
    // Without any role not even that.
    let scene = Scene::new(EmulatorOptions {
        roles: Vec::new(),
        ..EmulatorOptions::default()
    })
    .await;
    let refused = scene
        .sandbox
        .run(&["init", "--tenant", TENANT, "--yes"])
        .expect(2);
    assert!(
        refused.stderr.contains("cannot be prepared"),
        "{}",
        refused.stderr
    );
    let report = scene.doctor_of_tenant(1);
    assert_eq!(
        checks(&report, "problem"),
        ["permission-policies", "permission-keysets"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_is_part_of_the_report() {
    let scene = Scene::new(EmulatorOptions {
        client_secret: Some("another".to_owned().into()),
        ..EmulatorOptions::default()
    })
    .await;
    let args = ["doctor", "-t", TENANT, "--format", "json"];
    let run = scene.sandbox.run(&args).expect(2);
    let report = run.json();
    assert_eq!(checks(&report, "problem"), ["sign-in"]);
    let message = check(&report, "sign-in")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("AADSTS7000215"), "{message}");
    assert!(!run.stdout.contains("contoso-secret-of-the-test"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_kind_of_tenant_and_another_tenant_are_found() {
    let scene = Scene::with_example(of(DirectoryOptions {
        tenant_type: "AAD".to_owned(),
        quota: (46_000, 50_000),
        ..DirectoryOptions::default()
    }))
    .await;
    let report = scene.doctor(1);
    let kind = check(&report, "tenant-type");
    assert_eq!(kind["state"], "problem");
    assert!(kind["message"].as_str().unwrap().contains("`AAD`"));
    assert_eq!(check(&report, "tenant-quota")["state"], "warning");
    let refused = scene
        .sandbox
        .run(&["init", "--tenant", TENANT, "--yes"])
        .expect(2);
    assert!(
        refused.stderr.contains("no B2C tenant"),
        "{}",
        refused.stderr
    );
    assert_eq!(scene.writes(), 0);

    // Policies that name fabrikam are checked against contoso.
    let policy = std::fs::read_to_string(scene.sandbox.path().join("policies/ProfileEdit.xml"));
    let other = policy
        .unwrap()
        .replace("{Settings:Tenant}", "fabrikam.onmicrosoft.com");
    scene.sandbox.write("policies/ProfileEdit.xml", &other);
    let report = scene.doctor(1);
    let named = check(&report, "tenant-policies");
    assert_eq!(named["state"], "problem");
    let message = named["message"].as_str().unwrap();
    assert!(
        message.contains("policies/ProfileEdit.xml:9:") && message.contains("fabrikam"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_of_one_name_are_listed_and_never_chosen_by_chance() {
    let scene = Scene::with_example(of(DirectoryOptions {
        ief_applications: true,
        ..DirectoryOptions::default()
    }))
    .await;
    let store = scene.emulator.store();
    let second = "22222222-2222-4222-8222-222222222222";
    store
        .change_directory(TENANT, |directory| {
            let mut copy = store_copy(directory, PROXY);
            copy.0.insert("appId".to_owned(), second.into());
            copy.0.insert(
                "id".to_owned(),
                "33333333-3333-4333-8333-333333333333".into(),
            );
            directory.applications.push(copy);
        })
        .unwrap();
    let first = scene.app_ids(PROXY)[0].clone();
    let report = scene.doctor(1);
    let message = check(&report, "proxy-application")["message"]
        .as_str()
        .unwrap();
    assert!(
        message.contains(&first) && message.contains(second),
        "{message}"
    );
    let tool = |args: &[&str]| scene.sandbox.run(args).expect(2).stderr;
    for stderr in [
        tool(&["init", "--tenant", TENANT, "--yes"]),
        tool(&["plan", "policies", "-e", "dev"]),
        tool(&["build", "policies", "-e", "dev", "--output", "out"]),
    ] {
        assert!(
            stderr.contains(&first) && stderr.contains(second),
            "{stderr}"
        );
    }
    assert_eq!(scene.writes(), 0);
    // Policies that name one of them decide.
    let path = scene.sandbox.path().join("policies/iefctl.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let lookup = "{ tenant = \"ProxyIdentityExperienceFramework.appId\" }";
    std::fs::write(&path, text.replace(lookup, &format!("\"{first}\""))).unwrap();
    let report = scene.doctor(0);
    assert_eq!(check(&report, "proxy-application")["state"], "warning");
}

fn store_copy(directory: &iefctl::emulator::Directory, name: &str) -> iefctl::emulator::Entity {
    let mut applications = directory.applications.iter();
    applications
        .find(|application| application.text("displayName") == name)
        .unwrap()
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_and_swapped_ids_are_told_with_the_right_ones() {
    let scene = Scene::with_example(of(DirectoryOptions {
        ief_applications: true,
        ..DirectoryOptions::default()
    }))
    .await;
    let extensions = scene.directory().applications[0].clone();
    let (app_id, object_id) = (extensions.text("appId"), extensions.text("id"));
    let path = scene.sandbox.path().join("policies/iefctl.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let swapped = text
        .replace(
            "{ tenant = \"b2c-extensions-app.appId\" }",
            &format!("\"{object_id}\""),
        )
        .replace(
            "{ tenant = \"b2c-extensions-app.objectId\" }",
            &format!("\"{app_id}\""),
        )
        .replace(
            "{ tenant = \"IdentityExperienceFramework.appId\" }",
            "\"44444444-4444-4444-8444-444444444444\"",
        );
    std::fs::write(&path, swapped).unwrap();
    let report = scene.doctor(1);
    assert_eq!(
        checks(&report, "problem"),
        ["framework-application", "extensions-ids"]
    );
    let swapped = check(&report, "extensions-ids");
    assert!(
        swapped["message"].as_str().unwrap().contains("swapped"),
        "{swapped}"
    );
    assert!(
        swapped["help"].as_str().unwrap().contains(app_id),
        "{swapped}"
    );
    let framework = check(&report, "framework-application");
    let message = framework["message"].as_str().unwrap();
    assert!(
        message.contains("44444444-4444-4444-8444-444444444444"),
        "{message}"
    );
    assert!(
        message.contains("TrustFrameworkExtensions.xml:"),
        "{message}"
    );
    let help = framework["help"].as_str().unwrap();
    assert!(help.contains(&scene.app_ids(FRAMEWORK)[0]), "{help}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_part_of_the_applications_is_checked() {
    let scene = Scene::with_example(of(DirectoryOptions {
        ief_applications: true,
        ..DirectoryOptions::default()
    }))
    .await;
    scene
        .sandbox
        .run(&["init", "--tenant", TENANT, "--yes"])
        .expect(0);
    let store = scene.emulator.store();
    store
        .change_directory(TENANT, |directory| {
            directory.permission_grants.clear();
            for application in &mut directory.applications {
                if application.text("displayName") == PROXY {
                    application.0.insert("isFallbackPublicClient".to_owned(), Value::Null);
                    let none = serde_json::json!({"redirectUris": []});
                    application.0.insert("publicClient".to_owned(), none);
                }
                if application.text("displayName") == FRAMEWORK {
                    let mut scope = application.0["api"]["oauth2PermissionScopes"][0].clone();
                    scope["isEnabled"] = false.into();
                    application.0["api"]["oauth2PermissionScopes"] = serde_json::json!([
                        {"id": "55555555-5555-4555-8555-555555555555", "value": "other", "isEnabled": true},
                        scope,
                    ]);
                }
            }
        })
        .unwrap();
    let report = scene.doctor(1);
    assert_eq!(
        checks(&report, "problem"),
        [
            "framework-scope",
            "proxy-public-client",
            "proxy-reply-url",
            "proxy-consent"
        ]
    );
    assert!(checks(&report, "warning").contains(&"proxy-graph-consent".to_owned()));
    // What is half there is completed, and what belongs to others stays.
    scene
        .sandbox
        .run(&["init", "--tenant", TENANT, "--yes"])
        .expect(0);
    scene.doctor(0);
    assert_prepared(store, TENANT);
    let framework = store.application(TENANT, FRAMEWORK).unwrap();
    let scopes = framework.0["api"]["oauth2PermissionScopes"]
        .as_array()
        .unwrap();
    assert_eq!(scopes.len(), 2);
    assert_eq!(scopes[0]["value"], "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_do_no_harm_to_a_terminal_or_a_pipeline() {
    let scene = Scene::with_example(of(DirectoryOptions {
        ief_applications: true,
        more_domains: vec!["x\u{1b}[31m.contoso.com".to_owned()],
        ..DirectoryOptions::default()
    }))
    .await;
    let store = scene.emulator.store();
    let evil = "b2c-extensions-app\u{1b}[2J\n##vso[task.setvariable]x\n::error::y\u{202e}";
    store
        .change_directory(TENANT, |directory| {
            let mut copy = store_copy(directory, PROXY);
            copy.0.insert("displayName".to_owned(), evil.into());
            copy.0.insert(
                "appId".to_owned(),
                "66666666-6666-4666-8666-666666666666\u{1b}".into(),
            );
            directory.applications.push(copy);
        })
        .unwrap();
    for format in ["human", "markdown"] {
        let run = scene
            .sandbox
            .run(&["doctor", "policies", "-e", "dev", "--format", format]);
        assert!(
            !run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{202e}'),
            "{}",
            run.stdout
        );
        assert!(!run.stdout.contains("##vso["), "{}", run.stdout);
        assert!(
            !run.stdout.lines().any(|line| line.starts_with("::")),
            "{}",
            run.stdout
        );
    }
    let run = scene
        .sandbox
        .run(&["doctor", "policies", "-e", "dev", "--format", "json"]);
    assert_eq!(
        check(&run.json(), "extensions-application")["state"],
        "problem"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_written_into_the_configuration_and_the_rest_of_it_stays() {
    let scene = Scene::new(EmulatorOptions::default()).await;
    let before = format!(
        "# ours\n[environments.dev]\ntenant = \"{TENANT}\" # here\n\n[environments.dev.settings]\n\
         ApiHost = \"https://api.contoso.com\"\nExtensionsAppClientId = {{ env = \"X\" }}\n"
    );
    scene.sandbox.write("iefctl.toml", &before);
    scene.sandbox.write("policies/none.txt", "");
    let mut with_variable = scene;
    with_variable
        .sandbox
        .variables
        .push(("X", "set".to_owned()));
    let scene = with_variable;
    let run = scene
        .sandbox
        .run(&["init", "--tenant", "-e", "dev", "--yes", "--write"])
        .expect(0);
    assert!(
        run.stderr.contains("ExtensionsAppClientId stays"),
        "{}",
        run.stderr
    );
    let text = std::fs::read_to_string(scene.sandbox.path().join("iefctl.toml")).unwrap();
    assert!(text.starts_with(&before), "{text}");
    let proxy = &scene.app_ids(PROXY)[0];
    let line = format!("ProxyIdentityExperienceFrameworkAppId = \"{proxy}\"\n");
    assert!(text.contains(&line), "{text}");
    // The emulated tenant of the command itself, and a file of its own.
    let folder = crate::sandbox::Sandbox::new();
    folder
        .run(&["init", "-t", TENANT, "--emulator", "--write"])
        .expect(0);
    let text = std::fs::read_to_string(folder.path().join("iefctl.toml")).unwrap();
    assert!(text.starts_with("[settings]\n"), "{text}");
    folder
        .run(&["doctor", "-t", TENANT, "--emulator"])
        .expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_mistakes_are_named() {
    let scene = Scene::new(EmulatorOptions::default()).await;
    for (args, words) in [
        (
            &["init", "--write"][..],
            "--write is about preparing a tenant",
        ),
        (
            &["init", "--tenant", TENANT, "--write", "--dry-run"][..],
            "cannot be used with",
        ),
        (
            &["init", "--tenant", "contoso", "--yes"][..],
            "contoso.onmicrosoft.com",
        ),
        (
            &["init", "--tenant", TENANT, "--format", "sarif"][..],
            "[possible values: human, json, markdown]",
        ),
        (
            &["doctor", "-t", TENANT, "--format", "junit"][..],
            "[possible values: human, json, markdown]",
        ),
        (&["doctor", "nowhere"][..], "nowhere"),
        (&["doctor"][..], ""),
    ] {
        let run = scene.sandbox.run(args).expect(2);
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
    }
    assert_eq!(scene.emulator.requests().len(), 0);
}

/// The process is killed while it works; the next run completes what it began.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_completed_by_the_next_one() {
    for writes in [1, 3, 6, 10] {
        let scene = Scene::new(EmulatorOptions {
            faults: Faults::latency(30),
            ..EmulatorOptions::default()
        })
        .await;
        let mut child = Command::new(env!("CARGO_BIN_EXE_iefctl"))
            .args(["init", "--tenant", TENANT, "--yes", "-q"])
            .current_dir(scene.sandbox.path())
            .env_clear()
            .envs(
                scene
                    .sandbox
                    .variables
                    .iter()
                    .map(|(name, value)| (*name, value)),
            )
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while scene.writes() < writes {
            tokio::task::yield_now().await;
            assert_eq!(
                child.try_wait().unwrap(),
                None,
                "it ended before it was killed"
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // A key that the killed run asked for may still come: that is waited for, here not for long.
        let again = ["init", "--tenant", TENANT, "--yes", "--timeout", "2"];
        scene.sandbox.run(&again).expect(0);
        assert_prepared(scene.emulator.store(), TENANT);
    }
}
