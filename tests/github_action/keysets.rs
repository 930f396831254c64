use super::{SECRET, TENANT, Tenant, with};

const VALUE: &str = "facebook\n$(touch pwned)%secret";

/// The workflow of azure-ad-b2c/deploy-trustframework-keyset-secret. There every run adds a key.
#[test]
fn a_secret_is_set_once() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    let inputs = with(&[("name", "B2C_1A_FacebookSecret"), ("value", VALUE)]);
    let first = runner.run(&inputs).expect(true);
    let keys = || {
        tenant
            .emulator
            .store()
            .keyset(TENANT, "B2C_1A_FacebookSecret")
            .unwrap()
            .keys
    };
    assert_eq!(keys().len(), 1);
    assert!(keys()[0].kty.eq_ignore_ascii_case("oct"));
    assert_eq!(keys()[0].usage, "sig");
    assert_eq!(
        (first.output("keysets"), first.output("changed")),
        ("1", "true")
    );
    assert!(
        first.summary.contains("B2C_1A_FacebookSecret"),
        "{}",
        first.summary
    );
    assert!(first.output("time").ends_with('Z'));

    let second = runner
        .run(&inputs)
        .expect(true)
        .annotates("warning", "has a key already");
    assert_eq!((keys().len(), second.output("changed")), (1, "false"));
    let mut rotated = inputs.clone();
    rotated.push(("rotate", "true"));
    runner.run(&rotated).expect(true);
    assert_eq!(keys().len(), 2);
    for done in [first, second] {
        for secret in [SECRET, "facebook", "%secret"] {
            assert!(!done.log.contains(secret), "{}", done.log);
        }
    }
    assert!(!runner.workspace("pwned").exists());
}

/// With `rotate`, a keyset that has just been made gets one key and not two.
#[test]
fn a_new_keyset_is_not_rotated() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    let inputs = with(&[("name", "Api"), ("value", VALUE), ("rotate", "true")]);
    runner.run(&inputs).expect(true);
    let keyset = tenant
        .emulator
        .store()
        .keyset(TENANT, "B2C_1A_Api")
        .unwrap();
    assert_eq!(keyset.keys.len(), 1);
}

/// The workflow of riege/deploy-trustframework-keyset-key.
#[test]
fn an_archive_is_uploaded() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    let archive = super::runner::repository().join("tests/deploy/files/contoso.pfx");
    std::fs::copy(archive, runner.workspace("saml.pfx")).unwrap();
    let inputs = with(&[
        ("name", "SamlSigning"),
        ("file", "saml.pfx"),
        ("password", "hunter2-Pfx"),
    ]);
    runner.run(&inputs).expect(true);
    let keyset = tenant
        .emulator
        .store()
        .keyset(TENANT, "B2C_1A_SamlSigning")
        .unwrap();
    assert_eq!(keyset.keys[0].kty, "RSA");
    let inputs = with(&[
        ("name", "SamlSigning2"),
        ("file", "saml.pfx"),
        ("password", "wrong-one"),
    ]);
    let done = runner.run(&inputs).expect(false);
    assert!(!done.log.contains("wrong-one"), "{}", done.log);
}

/// The workflow of PulcoTech/deploy-trustframework-keyset-secret, which doubles the prefix and cannot
/// take dates.
#[test]
fn a_list_of_keys_is_carried_out_in_order() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    let list = r#"[
        {"name": "Api", "options": "manual", "key_use": "sig", "secret": "first-pa55word"},
        {"name": "B2C_1A_Enc", "options": "generate", "key_use": "enc", "key_type": "rsa",
         "expiration_date": "2090-01-31"}]"#;
    let inputs = [
        ("policy_keys", list),
        ("tenant_id", TENANT),
        ("client_id", "11111111-1111-1111-1111-111111111111"),
        ("client_secret", SECRET),
    ];
    let done = runner.run(&inputs).expect(true);
    assert_eq!(done.output("keysets"), "2");
    assert!(!done.log.contains("pa55word"), "{}", done.log);
    let ids: Vec<String> = tenant
        .emulator
        .store()
        .keysets(TENANT)
        .into_iter()
        .map(|keyset| keyset.id)
        .collect();
    assert_eq!(ids, ["B2C_1A_Api", "B2C_1A_Enc"]);
    let enc = tenant
        .emulator
        .store()
        .keyset(TENANT, "B2C_1A_Enc")
        .unwrap();
    assert!(enc.keys[0].exp.is_some());
}

/// There the failure to create a keyset is swallowed, and the message is empty.
#[test]
fn a_failure_says_what_it_is() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    for (inputs, text) in [
        (with(&[("name", "A"), ("value", " ")]), "arrives empty"),
        (
            with(&[
                ("name", "A"),
                ("value", "x-value"),
                ("activation_date", "soon"),
            ]),
            "soon",
        ),
        (
            with(&[("name", "A"), ("file", "gone.pfx")]),
            "there is no file gone.pfx",
        ),
    ] {
        let done = runner.run(&inputs).expect(false).annotates("error", text);
        assert!(!done.log.contains("x-value"), "{}", done.log);
    }
    let hostile = "$(touch pwned) `touch pwned` \"';\n::error::pwned\n::set-output name=x::y";
    for name in [
        "name",
        "options",
        "key_use",
        "activation_date",
        "file_path",
        "tenant_id",
    ] {
        let mut inputs = with(&[("name", "A"), ("options", "manual"), ("secret", "x-value")]);
        inputs.retain(|(other, _)| *other != name && (name != "tenant_id" || *other != "tenant"));
        inputs.push((name, hostile));
        let done = runner.run(&inputs).expect(false);
        let mut annotations = done.annotations.iter();
        assert!(
            annotations.all(|(_, _, text)| text != "pwned"),
            "{name}: {}",
            done.log
        );
    }
    // A value may be anything: it is what the keyset holds.
    runner
        .run(&with(&[("name", "Odd"), ("value", hostile)]))
        .expect(true);
    assert!(!runner.workspace("pwned").exists());
    let mut runner = runner;
    for name in ["IEFCTL_GRAPH_ENDPOINT", "IEFCTL_LOGIN_ENDPOINT"] {
        runner
            .job
            .insert(name.to_owned(), "http://127.0.0.1:9".to_owned());
    }
    runner
        .run(&with(&[("name", "A"), ("value", "x-value")]))
        .expect(false)
        .annotates("error", "cannot sign in");
}
