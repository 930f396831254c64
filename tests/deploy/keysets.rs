//! Provisioning: no keyset ever gets a second key, and no value is ever shown.

use iefctl::deploy::{
    GeneratedKind, KeyContent, KeysetAction, Local, Materials, Recipe, Status, Usage, ValueSource,
};
use iefctl::emulator::{Fault, FaultRule, Faults, Key, Keyset};

use super::world::{TENANT, World, local, policy, provider};

const SIGNING: (&str, &str) = ("issuer_secret", "B2C_1A_Signing");
const ENCRYPTION: (&str, &str) = ("issuer_refresh_token_key", "B2C_1A_Encryption");
const SECRET: (&str, &str) = ("client_secret", "B2C_1A_Google");

fn set(keys: &[(&str, &str)]) -> Local {
    local(&[
        (
            "B2C_1A_Base",
            policy("B2C_1A_Base", None, &provider("P", keys)),
        ),
        (
            "B2C_1A_Leaf",
            policy("B2C_1A_Leaf", Some("B2C_1A_Base"), ""),
        ),
    ])
}

fn secret_recipe() -> Recipe {
    Recipe {
        keyset: "b2c_1a_google".to_owned(),
        content: KeyContent::Secret {
            value: ValueSource::Env("GOOGLE".to_owned()),
            usage: Usage::Sig,
        },
        origin: None,
    }
}

impl World {
    fn keys(&self, id: &str) -> Vec<Key> {
        let keyset = self.emulator.store().keyset(TENANT, id);
        keyset.map_or_else(Vec::new, |keyset| keyset.keys)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_once_and_before_the_policies() {
    let mut world = World::new().await;
    world.plan.recipes = vec![secret_recipe()];
    world
        .variables
        .insert("GOOGLE".to_owned(), "hunter2-Google".to_owned());
    let set = set(&[SIGNING, ENCRYPTION, SECRET]);
    let outcome = world.deploy(&set).await;
    assert!(outcome.is_complete(), "{outcome:#?}");
    let kinds: Vec<(String, String)> = [SIGNING.1, ENCRYPTION.1, SECRET.1]
        .iter()
        .map(|id| {
            let keys = world.keys(id);
            assert_eq!(keys.len(), 1);
            (keys[0].kty.to_uppercase(), keys[0].usage.clone())
        })
        .collect();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kty, usage)| (kty.as_str(), usage.as_str()))
        .collect();
    assert_eq!(kinds, [("RSA", "sig"), ("RSA", "enc"), ("OCT", "sig")]);
    let writes = world.writes();
    let first_put = writes
        .iter()
        .position(|write| write.method == "PUT")
        .unwrap();
    assert!(
        writes[first_put..]
            .iter()
            .all(|write| write.method == "PUT")
    );

    let before = writes.len();
    let outcome = world.deploy(&set).await;
    assert!(
        outcome
            .keysets
            .iter()
            .all(|keyset| keyset.status == Status::Skipped)
    );
    assert_eq!(world.writes().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_shows_in_any_data() {
    let mut world = World::new().await;
    world.plan.recipes = vec![secret_recipe()];
    world
        .variables
        .insert("GOOGLE".to_owned(), "hunter2-Google".to_owned());
    // The upload fails for good, so that the value could show in an error too.
    world.faults(
        Faults::default().with(FaultRule::new(Fault::ServiceProblem).path("*/uploadSecret")),
    );
    let set = set(&[SECRET]);
    let (planned, remote) = world.plan(&set).await;
    let materials = world.materials(&planned, &set);
    let mut shown = format!("{planned:?}{materials:?}");
    shown += &serde_json::to_string(&planned.plan).unwrap();
    let outcome = world
        .execute(&planned, &set, &remote, materials)
        .await
        .unwrap();
    assert_eq!(outcome.summary.keysets_failed, 1);
    shown += &format!("{outcome:?}{:?}", world.recorder.events());
    shown += &serde_json::to_string(&outcome).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_missing_is_named_at_once() {
    let mut world = World::new().await;
    let two = local(&[(
        "B2C_1A_Base",
        policy(
            "B2C_1A_Base",
            None,
            &provider(
                "P",
                &[
                    SECRET,
                    ("client_secret", "B2C_1A_Facebook"),
                    ("what", "B2C_1A_X"),
                ],
            ),
        ),
    )]);
    let (planned, _) = world.plan(&two).await;
    let missing: Vec<_> = planned
        .findings
        .iter()
        .map(|finding| (finding.rule.id, two.place(finding.primary.location).line))
        .collect();
    assert_eq!(
        missing,
        [
            ("keyset-missing", 11),
            ("keyset-missing", 12),
            ("keyset-missing", 13)
        ]
    );
    assert!(
        planned.findings[0]
            .help
            .as_ref()
            .unwrap()
            .contains("[keysets.B2C_1A_Google]")
    );
    // With a recipe whose variable is not set, the same place is named.
    world.plan.recipes = vec![secret_recipe()];
    let (planned, _) = world.plan(&two).await;
    assert_eq!(planned.findings.len(), 2);
    let resolve = |source: &ValueSource| source.read(&|_| None);
    let (_, findings) = Materials::gather(&planned.plan, &two, &resolve, false);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].rule.id, "keyset-without-value");
    assert!(
        findings[0].message.contains("GOOGLE"),
        "{}",
        findings[0].message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn placeholders_take_the_place_of_secrets_and_say_so() {
    let mut world = World::new().await;
    world.plan.placeholder_secrets = true;
    world.plan.recipes = vec![secret_recipe()];
    let set = set(&[SECRET, ("client_secret", "B2C_1A_Facebook"), SIGNING]);
    let outcome = world.deploy(&set).await;
    assert!(outcome.is_complete());
    let placeholders: Vec<_> = outcome
        .keysets
        .iter()
        .map(|keyset| keyset.placeholder)
        .collect();
    assert_eq!(placeholders, [true, true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_keyset_is_completed() {
    let world = World::new().await;
    let empty = Keyset {
        id: "B2C_1A_signing".to_owned(),
        keys: Vec::new(),
    };
    world.emulator.store().put_keyset(TENANT, empty).unwrap();
    let set = set(&[SIGNING]);
    let (planned, _) = world.plan(&set).await;
    assert_eq!(planned.plan.keysets[0].action, KeysetAction::Fill);
    let outcome = world.deploy(&set).await;
    assert!(outcome.is_complete());
    assert_eq!(world.keys("B2C_1A_Signing").len(), 1);
    assert!(
        world
            .writes()
            .iter()
            .all(|write| !write.path.ends_with("/keySets"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_provisioning_is_completed_by_the_next_run() {
    let world = World::new().await;
    let set = set(&[SIGNING]);
    // The keyset is created, and every attempt to add its key fails before it takes effect.
    world.faults(
        Faults::default().with(FaultRule::new(Fault::ServiceProblem).path("*/generateKey")),
    );
    let outcome = world.deploy(&set).await;
    assert_eq!(outcome.keysets[0].status, Status::Failed);
    for policy in &outcome.policies {
        assert_eq!(policy.status, Status::Blocked);
        assert_eq!(policy.blocked_by.as_deref(), Some("B2C_1A_Signing"));
    }
    assert!(world.keys("B2C_1A_Signing").is_empty());
    assert!(
        world
            .emulator
            .store()
            .keyset(TENANT, "B2C_1A_Signing")
            .is_some()
    );

    world.faults(Faults::default());
    assert!(world.deploy(&set).await.is_complete());
    assert_eq!(world.keys("B2C_1A_Signing").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_no_second_key() {
    for fault in [
        Fault::Reset,
        Fault::ServiceProblem,
        Fault::UnknownError(500),
    ] {
        for path in ["*/generateKey", "*/keySets"] {
            let world = World::new().await;
            let rule = FaultRule::new(fault.clone())
                .path(path)
                .method("POST")
                .after()
                .limit(1);
            world.faults(Faults::default().with(rule));
            let set = set(&[SIGNING, ENCRYPTION]);
            let outcome = world.deploy(&set).await;
            assert!(outcome.is_complete(), "{fault:?} {path}: {outcome:#?}");
            assert_eq!(world.keys(SIGNING.1).len(), 1, "{fault:?} {path}");
            assert_eq!(world.keys(ENCRYPTION.1).len(), 1, "{fault:?} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_somebody_else_adds_meanwhile_is_left_alone() {
    let world = World::new().await;
    let set = set(&[SIGNING]);
    let (planned, remote) = world.plan(&set).await;
    let materials = world.materials(&planned, &set);
    world
        .emulator
        .store()
        .put_simple_keyset(TENANT, SIGNING.1, "RSA", "sig")
        .unwrap();
    let outcome = world
        .execute(&planned, &set, &remote, materials)
        .await
        .unwrap();
    assert!(outcome.is_complete(), "{outcome:#?}");
    assert_eq!(outcome.keysets[0].status, Status::Skipped);
    assert_eq!(world.keys(SIGNING.1).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn uses_that_exclude_each_other_are_found() {
    let mut world = World::new().await;
    let both = set(&[SIGNING, ("issuer_refresh_token_key", SIGNING.1)]);
    let (planned, _) = world.plan(&both).await;
    assert!(planned.is_blocked());
    let rules: Vec<_> = planned
        .findings
        .iter()
        .map(|finding| finding.rule.id)
        .collect();
    assert_eq!(rules, ["keyset-mixed-use"]);

    world.plan.recipes = vec![Recipe {
        keyset: SIGNING.1.to_owned(),
        content: KeyContent::Generate {
            kind: GeneratedKind::Rsa,
            usage: Usage::Enc,
        },
        origin: None,
    }];
    let (planned, _) = world.plan(&set(&[SIGNING])).await;
    assert!(planned.is_blocked());
    assert_eq!(planned.findings[0].rule.id, "keyset-mixed-use");

    world
        .emulator
        .store()
        .put_simple_keyset(TENANT, SIGNING.1, "RSA", "enc")
        .unwrap();
    let (planned, _) = world.plan(&set(&[SIGNING])).await;
    assert!(!planned.is_blocked());
    assert_eq!(planned.findings[0].rule.id, "keyset-wrong-kind");
    assert_eq!(planned.plan.keysets[0].action, KeysetAction::Present);
}

fn file(name: &str) -> ValueSource {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deploy/files");
    ValueSource::File(folder.join(name))
}

fn pkcs12(name: &str, password: &str) -> Recipe {
    Recipe {
        keyset: "B2C_1A_Saml".to_owned(),
        content: KeyContent::Pkcs12 {
            archive: file(name),
            password: Some(ValueSource::Env(password.to_owned())),
        },
        origin: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_come_from_files() {
    let mut world = World::new().await;
    let certificate = Recipe {
        keyset: "B2C_1A_Partner".to_owned(),
        content: KeyContent::Certificate {
            value: file("contoso.pem"),
        },
        origin: None,
    };
    world.plan.recipes = vec![pkcs12("contoso.pfx", "PFX"), certificate];
    world
        .variables
        .insert("PFX".to_owned(), "hunter2-Pfx".to_owned());
    let keys = [
        ("SamlMessageSigning", "B2C_1A_Saml"),
        ("partner", "B2C_1A_Partner"),
    ];
    let outcome = world.deploy(&set(&keys)).await;
    assert!(outcome.is_complete(), "{outcome:#?}");
    for id in ["B2C_1A_Saml", "B2C_1A_Partner"] {
        let keys = world.keys(id);
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0].kty.to_uppercase(), "RSA");
    }
    assert_eq!(world.keys("B2C_1A_Partner")[0].x5c.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_archive_says_why_and_shows_nothing() {
    for (archive, password, says) in [
        ("contoso.pfx", "wrong-hunter2", "password"),
        ("contoso-aes.pfx", "hunter2-Pfx", "3DES"),
    ] {
        let mut world = World::new().await;
        world.plan.recipes = vec![pkcs12(archive, "PFX")];
        world
            .variables
            .insert("PFX".to_owned(), password.to_owned());
        let local = set(&[("SamlMessageSigning", "B2C_1A_Saml")]);
        let (planned, _) = world.plan(&local).await;
        let variables = world.variables.clone();
        let resolve = |source: &ValueSource| source.read(&|name| variables.get(name).cloned());
        let (_, findings) = Materials::gather(&planned.plan, &local, &resolve, false);
        // Known before anything is sent: the service would only say that the password is wrong.
        assert_eq!(findings.len(), 1, "{archive}");
        let said = format!("{} {:?}", findings[0].message, findings[0].help);
        assert!(said.contains(says), "{archive}: {said}");
        assert!(!format!("{findings:?}").contains("hunter2"));
        assert!(world.writes().is_empty());
    }
}
