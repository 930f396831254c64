use iefctl::deploy::keys::{
    self, CheckOptions, KeyUser, KeysError, Offer, Refusal, RotationPlan, Scope, TenantKeyset,
    Warning, active_key,
};
use iefctl::deploy::{GeneratedKind, KeyContent, Usage, ValueError, ValueSource};
use iefctl::emulator::{EmulatorOptions, Fault, FaultRule, Faults, Key, Keyset};
use iefctl::msgraph::KeyValidity;
use proptest::prelude::*;
use secrecy::SecretSlice;

use super::world::{TENANT, World, options, policy, provider};

const ID: &str = "B2C_1A_Signing";
/// 2001, 2096 and 2128.
const PAST: i64 = 1_000_000_000;
const NOW: i64 = 1_800_000_000;
const FUTURE: i64 = 4_000_000_000;
const LATER: i64 = 5_000_000_000;

fn key(kid: &str, nbf: Option<i64>, exp: Option<i64>) -> Key {
    Key {
        kid: kid.to_owned(),
        kty: "RSA".to_owned(),
        usage: "sig".to_owned(),
        nbf,
        exp,
        enabled: true,
        ..Key::default()
    }
}

fn none(_: &ValueSource) -> Result<SecretSlice<u8>, ValueError> {
    Ok(SecretSlice::from(b"a-secret-of-contoso".to_vec()))
}

fn rsa(not_before: Option<i64>, expires: Option<i64>) -> Offer {
    Offer {
        content: KeyContent::Generate {
            kind: GeneratedKind::Rsa,
            usage: Usage::Sig,
        },
        validity: KeyValidity {
            not_before,
            expires,
        },
        certificate: None,
    }
}

impl World {
    fn put(&self, id: &str, keys: Vec<Key>) {
        let id = id.to_owned();
        let keyset = Keyset { id, keys };
        self.emulator.store().put_keyset(TENANT, keyset).unwrap();
    }

    fn kids(&self, id: &str) -> Vec<String> {
        let keyset = self.emulator.store().keyset(TENANT, id).unwrap();
        keyset.keys.into_iter().map(|key| key.kid).collect()
    }

    async fn keyset(&self, id: &str) -> TenantKeyset {
        let keysets = keys::read(&self.client, &Scope::All, 4).await.unwrap();
        keys::find(&keysets, id).unwrap().clone()
    }

    async fn rotate(&self, offer: Offer, again: bool) -> Result<keys::Added, KeysError> {
        let plan = RotationPlan::new(&self.keyset(ID).await, offer, NOW, again);
        keys::rotate(&self.client, &plan, &none, None).await
    }
}

fn user(key: &str, keyset: &str) -> KeyUser {
    KeyUser {
        keyset: keyset.to_owned(),
        policy_id: "B2C_1A_Base".to_owned(),
        element: "P".to_owned(),
        key: key.to_owned(),
        place: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_and_the_rule_agree_on_the_active_key() {
    let world = World::new().await;
    let bounds = [None, Some(PAST), Some(FUTURE)];
    let mut sets = Vec::new();
    for (first, second) in bounds.iter().flat_map(|a| bounds.map(|b| (*a, b))) {
        for exp in [None, Some(PAST + 1), Some(LATER)] {
            sets.push(vec![key("a", first, exp), key("b", second, None)]);
        }
    }
    for (number, keys) in sets.iter().enumerate() {
        world.put(&format!("B2C_1A_K{number}"), keys.clone());
    }
    let read = keys::read(&world.client, &Scope::All, 8).await.unwrap();
    assert_eq!(read.len(), sets.len());
    for keyset in read {
        let rule = active_key(&keyset.keys, NOW).map(|key| keyset.keys[key].key.kid.clone());
        assert_eq!(keyset.active, rule.flatten(), "{keyset:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_everything_that_is_wrong() {
    let world = World::new().await;
    world.put("B2C_1A_Empty", vec![]);
    world.put("B2C_1A_Waiting", vec![key("w", Some(FUTURE), None)]);
    world.put("B2C_1A_Expired", vec![key("e", None, Some(PAST))]);
    let disabled = Key {
        enabled: false,
        ..key("d", None, None)
    };
    world.put("B2C_1A_Disabled", vec![disabled]);
    world.put("B2C_1A_Ending", vec![key("x", Some(PAST), Some(FUTURE))]);
    let next = key("n", Some(FUTURE - 10), Some(LATER));
    world.put(
        "B2C_1A_Rotating",
        vec![key("x", Some(PAST), Some(FUTURE)), next],
    );
    let default = key("n", None, None);
    world.put(
        "B2C_1A_Default",
        vec![key("x", Some(PAST), Some(FUTURE)), default],
    );
    world.put("B2C_1A_Good", vec![key("g", None, None)]);
    let users = [
        user("issuer_secret", "B2C_1A_Missing"),
        user("issuer_refresh_token_key", "B2C_1A_Good"),
        user("client_secret", "B2C_1A_Good"),
    ];
    let keysets = keys::read(&world.client, &Scope::All, 8).await.unwrap();
    let options = CheckOptions {
        now: NOW,
        within: FUTURE - NOW + 5,
        all: true,
    };
    let found = |options| -> Vec<(String, String, String)> {
        let report = keys::check(&users, &keysets, options);
        report
            .findings
            .iter()
            .map(|f| {
                (
                    f.keyset[7..].to_owned(),
                    f.rule.id.to_owned(),
                    f.level.to_string(),
                )
            })
            .collect()
    };
    let expected = [
        ("Missing", "keyset-missing", "error"),
        ("Good", "keyset-wrong-kind", "error"),
        ("Default", "keyset-expiring", "hint"),
        ("Disabled", "keyset-without-active-key", "error"),
        ("Empty", "keyset-without-key", "error"),
        ("Ending", "keyset-expiring", "error"),
        ("Expired", "keyset-expired", "error"),
        ("Waiting", "keyset-not-yet-active", "error"),
    ];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(found(options), expected);
    // Far from the end, nothing expires; without `all`, only what is needed counts.
    let near = CheckOptions {
        within: 0,
        all: false,
        ..options
    };
    assert_eq!(found(near), expected[..2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_says_who_is_active_when() {
    let world = World::new().await;
    world.put(ID, vec![key("old", None, None)]);
    let keyset = world.keyset(ID).await;
    let plan = RotationPlan::new(&keyset, rsa(Some(FUTURE), Some(LATER)), NOW, false);
    let changes: Vec<_> = plan.handovers.iter().map(|h| (h.at, h.key)).collect();
    assert_eq!(
        changes,
        [(NOW, Some(0)), (FUTURE, Some(1)), (LATER, Some(0))]
    );
    assert_eq!(plan.active_from(), Some(FUTURE));
    assert!(plan.refusals.is_empty());
    assert!(matches!(plan.warnings[..], [Warning::StaysPublished(_)]));

    // Without beginning it comes after the key that has none either.
    let plan = RotationPlan::new(&keyset, rsa(None, None), NOW, false);
    assert!(plan.warnings.contains(&Warning::DefaultOnly));
    assert!(plan.warnings.contains(&Warning::NeverActive));
    let plan = RotationPlan::new(&keyset, rsa(Some(NOW + 60), None), NOW, false);
    assert!(plan.warnings.contains(&Warning::ShortLead));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_would_refuse_is_not_sent() {
    let world = World::new().await;
    world.put(ID, vec![key("old", Some(PAST), Some(FUTURE))]);
    let oct = Offer {
        content: KeyContent::Generate {
            kind: GeneratedKind::Oct,
            usage: Usage::Enc,
        },
        ..rsa(Some(FUTURE), None)
    };
    let keyset = world.keyset(ID).await;
    let plan = RotationPlan::new(&keyset, oct.clone(), NOW, false);
    let words: Vec<String> = plan.refusals.iter().map(ToString::to_string).collect();
    assert!(
        words[0].contains("95032") && words[1].contains("95042"),
        "{words:?}"
    );
    for offer in [oct, rsa(None, Some(PAST)), rsa(Some(LATER), Some(FUTURE))] {
        let refused = world.rotate(offer, false).await;
        assert!(matches!(refused, Err(KeysError::Refused(_))), "{refused:?}");
    }
    assert_eq!(world.writes(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_adds_no_third_key() {
    let world = World::new().await;
    world.put(ID, vec![key("old", None, None)]);
    world.rotate(rsa(Some(FUTURE), None), false).await.unwrap();
    let second = world.rotate(rsa(Some(LATER), None), false).await;
    assert!(matches!(
        second,
        Err(KeysError::Refused(Refusal::UnderWay { .. }))
    ));
    assert_eq!(world.kids(ID).len(), 2);
    world.rotate(rsa(Some(LATER), None), true).await.unwrap();
    assert_eq!(world.kids(ID).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyset_that_moved_is_left_alone() {
    let world = World::new().await;
    world.put(ID, vec![key("old", None, None)]);
    let seen = world.keyset(ID).await;
    let plan = RotationPlan::new(&seen, rsa(Some(FUTURE), None), NOW, false);
    world.put(ID, vec![key("old", None, None), key("theirs", None, None)]);
    let moved = keys::rotate(&world.client, &plan, &none, None).await;
    assert!(matches!(moved, Err(KeysError::Moved(_))), "{moved:?}");
    let moved = keys::delete(&world.client, &seen, 4).await;
    assert!(matches!(moved, Err(KeysError::Moved(_))), "{moved:?}");
    assert_eq!(world.kids(ID), ["old", "theirs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_arrives_disabled_is_enabled() {
    let mut options = options();
    options.unknowns.new_key_enabled = false;
    let world = World::with(options).await;
    world.put(ID, vec![key("old", None, None)]);
    let added = world.rotate(rsa(Some(FUTURE), None), false).await.unwrap();
    assert!(added.enabled && added.doubt.is_none());
    let keyset = world.emulator.store().keyset(TENANT, ID).unwrap();
    assert!(keyset.keys.iter().all(|key| key.enabled));
}

#[tokio::test(flavor = "multi_thread")]
async fn creation_is_completed_and_never_doubled() {
    let world = World::new().await;
    let plan = RotationPlan::first("Signing", rsa(None, None), NOW);
    // The answer to the generation is lost: the key is found by looking.
    world.faults(
        Faults::default().with(
            FaultRule::new(Fault::Reset)
                .path("*/generateKey")
                .nth(1)
                .after(),
        ),
    );
    let added = keys::create(&world.client, &plan, &none, None)
        .await
        .unwrap();
    assert_eq!(added.keyset, ID);
    assert_eq!(world.kids(ID).len(), 1);
    let again = keys::create(&world.client, &plan, &none, None).await;
    assert!(matches!(again, Err(KeysError::HasKeys { .. })), "{again:?}");
    assert_eq!(world.kids(ID).len(), 1);
    // An empty keyset gets its first key.
    world.put(ID, vec![]);
    keys::create(&world.client, &plan, &none, None)
        .await
        .unwrap();
    assert_eq!(world.kids(ID).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyset_in_use_is_not_deleted() {
    let world = World::new().await;
    world.put(ID, vec![key("old", None, None)]);
    let text = policy(
        "B2C_1A_Base",
        None,
        &provider("P", &[("issuer_secret", "b2c_1a_signing")]),
    );
    for number in 0..20 {
        let id = format!("B2C_1A_Other{number}");
        world
            .client
            .put_policy(&id, &policy(&id, None, ""))
            .await
            .unwrap();
    }
    world.client.put_policy("B2C_1A_Base", &text).await.unwrap();
    let seen = world.keyset(ID).await;
    let refused = keys::delete(&world.client, &seen, 4).await;
    let Err(KeysError::InUse { users, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(users.len(), 1);
    assert_eq!(
        (
            users[0].policy_id.as_str(),
            users[0].element.as_str(),
            users[0].key.as_str()
        ),
        ("B2C_1A_Base", "P", "issuer_secret")
    );
    // A policy that cannot be read may need it.
    world.client.delete_policy("B2C_1A_Base").await.unwrap();
    let fault = FaultRule::new(Fault::ServiceProblem)
        .method("GET")
        .path("*Other7/$value");
    world.faults(Faults::default().with(fault));
    assert!(matches!(
        keys::delete(&world.client, &seen, 4).await,
        Err(KeysError::Graph(_))
    ));
    assert_eq!(world.kids(ID), ["old"]);
    world.faults(Faults::default());
    keys::delete(&world.client, &seen, 4).await.unwrap();
    assert!(world.emulator.store().keyset(TENANT, ID).is_none());
    assert!(matches!(
        keys::delete(&world.client, &seen, 4).await,
        Err(KeysError::Missing(_))
    ));
}

/// Whatever fails: never two new keys, and success means one.
async fn one_key_under_faults(seed: u64) {
    let world = World::with(EmulatorOptions {
        faults: Faults::random(seed),
        ..options()
    })
    .await;
    world.put(ID, vec![key("old", None, None)]);
    let keyset = TenantKeyset {
        id: ID.to_owned(),
        keys: vec![keys::TenantKey::new(
            iefctl::msgraph::Key {
                kid: Some("old".to_owned()),
                ..Default::default()
            },
            None,
        )],
        active: None,
    };
    let plan = RotationPlan::new(&keyset, rsa(Some(FUTURE), None), NOW, false);
    let rotated = keys::rotate(&world.client, &plan, &none, None).await;
    let kids = world.kids(ID);
    match &rotated {
        Ok(added) => {
            assert_eq!(kids.len(), 2, "{seed}");
            assert_eq!(added.key.kid.as_ref(), kids.last(), "{seed}");
        }
        Err(_) => assert!(kids.len() <= 2, "{seed}: {kids:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_rotation_adds_at_most_one_key(seed in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(one_key_under_faults(seed));
    }
}
