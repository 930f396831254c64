//! Keysets: calls, value rules, and what they refuse.

use super::key_files::*;
use super::*;

/// Far from now on any clock.
const FUTURE: i64 = 4_102_444_800;

#[track_caller]
fn assert_code(reply: &Reply, status: u16, code: &str) -> String {
    let (found_status, found, message) = reply.error();
    assert_eq!((found_status, found.as_str()), (status, code), "{message}");
    message
}

#[tokio::test]
async fn life_of_a_keyset() {
    let session = default_session().await;
    let created = session
        .post("/keySets", json!({"id": "X", "usage": "sig"}))
        .await
        .expect(201);
    assert_eq!(
        created.header("location"),
        "/trustFramework/keySets('B2C_1A_X')"
    );
    assert_eq!(created.json()["id"], "B2C_1A_X");
    assert_eq!(created.json()["keys"], json!([]));
    let message = assert_code(
        &session
            .post("/keySets", json!({"id": "B2C_1A_x", "keys": null}))
            .await,
        400,
        "AADB2C95028",
    );
    assert_eq!(
        message,
        "Can't create trustframework key set with name 'B2C_1A_X' because it already exists."
    );
    let list = session.get("/keySets").await.expect(200).json();
    assert_eq!(list["value"], json!([{"id": "B2C_1A_X", "keys": []}]));
    assert_eq!(session.get("/keySets/$count").await.expect(200).text, "1");
    for path in ["/keySets/b2c_1a_X", "/keySets('B2C_1A_X')"] {
        assert_eq!(session.get(path).await.expect(200).json()["id"], "B2C_1A_X");
    }
    session
        .call("DELETE", "/keySets/B2C_1A_X")
        .await
        .expect(204);
    let message = assert_code(&session.get("/keySets/B2C_1A_X").await, 400, "AADB2C90073");
    assert_eq!(
        message,
        "KeyContainer with 'id': 'B2C_1A_X' cannot be found in the directory \
         'contoso.onmicrosoft.com'."
    );
    assert_code(
        &session.call("DELETE", "/keySets/B2C_1A_X").await,
        400,
        "AADB2C90073",
    );
    assert_code(
        &session.get("/keySets/B2C_1A_X/getActiveKey").await,
        400,
        "AADB2C90073",
    );
}

#[tokio::test]
async fn creation_takes_nothing_but_an_id() {
    let session = default_session().await;
    let reply = session
        .post(
            "/keySets",
            json!({"id": "X", "keys": [{"k": "x", "use": "sig"}]}),
        )
        .await;
    let message = assert_code(&reply, 400, "AADB2C");
    assert_eq!(
        message,
        "The 'keySet' field is invalid in request. Please check the request body and parameters."
    );
    for body in [json!({}), json!({"id": null}), json!({"id": " "})] {
        assert_code(&session.post("/keySets", body).await, 400, "AADB2C90253");
    }
    assert_code(
        &session.post("/keySets", json!({"id": 5})).await,
        400,
        "AADB2C95034",
    );
    assert_code(
        &session.post("/keySets", json!([])).await,
        400,
        "AADB2C95026",
    );
    assert_code(
        &session.post("/keySets", json!({"id": "X.bak"})).await,
        400,
        "AADB2C95027",
    );
    assert!(session.emulator.store().keysets(TENANT).is_empty());
}

#[tokio::test]
async fn generated_keys_append_and_show_their_public_half() {
    let session = session(EmulatorOptions::default()).await;
    session.keyset("K").await;
    let path = "/keySets/B2C_1A_K/generateKey";
    let key = session
        .post(path, json!({"use": "sig", "kty": "rsa"}))
        .await
        .expect(200)
        .json();
    assert!(
        key["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#microsoft.graph.trustFrameworkKey")
    );
    assert_eq!(
        (&key["kty"], &key["use"], &key["e"]),
        (&json!("RSA"), &json!("sig"), &json!("AQAB"))
    );
    assert_eq!(
        key["n"].as_str().unwrap().len(),
        342,
        "2048 bits in base64url"
    );
    for name in ["k", "d", "p", "q", "dp", "dq", "qi", "nbf", "exp"] {
        assert!(key[name].is_null(), "{name}");
    }
    let body = json!({"use": "SIG", "kty": "RSA", "nbf": FUTURE, "exp": FUTURE + 5});
    let second = session
        .post("/keySets('B2C_1A_K')/microsoft.graph.generateKey", body)
        .await;
    let second = second.expect(200).json();
    assert_eq!(
        (&second["nbf"], &second["exp"]),
        (&json!(FUTURE), &json!(FUTURE + 5))
    );
    assert_ne!(key["n"], second["n"]);
    let keys = session.get("/keySets/B2C_1A_K").await.json()["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 2);
    assert_eq!(keys[0]["kid"], key["kid"]);
    for path in [
        "/keySets/B2C_1A_K/getActiveKey",
        "/keySets/B2C_1A_K/getActiveKey()",
    ] {
        assert_eq!(
            session.get(path).await.expect(200).json()["kid"],
            key["kid"]
        );
    }
    assert_eq!(
        session
            .emulator
            .store()
            .active_key(TENANT, "B2C_1A_K")
            .unwrap()
            .kid,
        key["kid"].as_str().unwrap()
    );
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let session = default_session().await;
    session.keyset("K").await;
    let body = json!({"use": "sig", "k": "hunter2-very-secret", "nbf": null, "exp": null});
    let key = session
        .post("/keySets/B2C_1A_K/uploadSecret", body)
        .await
        .expect(200);
    assert_eq!(key.json()["kty"], "OCT");
    session
        .post(
            "/keySets/B2C_1A_K/uploadSecret",
            json!({"use": "sig", "k": "hunter2-b"}),
        )
        .await
        .expect(200);
    session
        .post(
            "/keySets/B2C_1A_K/generateKey",
            json!({"use": "sig", "kty": "oct"}),
        )
        .await
        .expect(200);
    for path in [
        "/keySets",
        "/keySets/B2C_1A_K",
        "/keySets/B2C_1A_K/keys_v2",
        "/keySets/B2C_1A_K/getActiveKey",
    ] {
        let reply = session.get(path).await.expect(200);
        assert!(!reply.text.contains("hunter2"), "{path}");
    }
    assert!(!key.text.contains("hunter2"));
    assert_eq!(
        session
            .emulator
            .store()
            .keyset(TENANT, "B2C_1A_K")
            .unwrap()
            .keys
            .len(),
        3
    );
    assert!(!format!("{:?}", session.emulator).contains("hunter2"));
}

#[tokio::test]
async fn refusals_of_the_key_actions() {
    let session = default_session().await;
    session.keyset("Rsa").await;
    session.keyset("Oct").await;
    let rsa = "/keySets/B2C_1A_Rsa/generateKey";
    let oct = "/keySets/B2C_1A_Oct/uploadSecret";
    session
        .post(rsa, json!({"use": "sig", "kty": "RSA"}))
        .await
        .expect(200);
    session
        .post(oct, json!({"use": "enc", "k": "x"}))
        .await
        .expect(200);
    let cases = [
        (
            rsa,
            json!({"use": "sig", "kty": "oct"}),
            "AADB2C95032",
            "One can't mix RSA and Oct types in one key set.",
        ),
        (
            oct,
            json!({"use": "sig", "k": "x"}),
            "AADB2C95042",
            "One can't mix signature and encryption usage in one key set.",
        ),
        (
            rsa,
            json!({"use": "enc", "kty": "RSA"}),
            "AADB2C95042",
            "One can't mix signature and encryption usage in one key set.",
        ),
        (
            "/keySets/B2C_1A_Rsa/uploadSecret",
            json!({"use": "sig", "k": "x"}),
            "AADB2C95032",
            "One can't mix RSA and Oct types in one key set.",
        ),
        (
            rsa,
            json!({"use": "sig", "kty": "EC"}),
            "AADB2C95031",
            "Bad kty parameter 'EC' for the trustframework key. Must be RSA or oct.",
        ),
        (
            rsa,
            json!({"use": "sig"}),
            "AADB2C95030",
            "Missing kty parameter for the trustframework key.",
        ),
        (
            rsa,
            json!({"use": "signature", "kty": "RSA"}),
            "AADB2C95033",
            "Bad use parameter 'signature' for the trustframework key.",
        ),
        (
            oct,
            json!({"k": "x"}),
            "AADB2C95033",
            "Bad use parameter '' for the trustframework key.",
        ),
        (
            oct,
            json!({"use": "enc"}),
            "AADB2C90253",
            "The trustframework keyset parameter 'k' is missing",
        ),
        (
            oct,
            json!({"use": "enc", "k": ""}),
            "AADB2C90253",
            "The trustframework keyset parameter 'k' is missing",
        ),
        (
            oct,
            json!({"use": "enc", "k": 5}),
            "AADB2C95034",
            "The presented TrustFrameworkKey entity is of the wrong format",
        ),
        (
            oct,
            json!({"use": "enc", "k": "x", "exp": "soon"}),
            "AADB2C95034",
            "The presented TrustFrameworkKey entity is of the wrong format",
        ),
        (
            oct,
            json!({"use": "enc", "k": "x", "exp": 1.5}),
            "AADB2C95034",
            "The presented TrustFrameworkKey entity is of the wrong format",
        ),
        (
            oct,
            json!({"use": "enc", "k": "x", "exp": 5}),
            "AADB2C90214",
            "The expiry date for the key container in tenant 'contoso.onmicrosoft.com' with storageReferenceId 'B2C_1A_Oct' is in the past. Passed date :'1970-01-01T00:00:05'.",
        ),
        (
            "/keySets/B2C_1A_None/uploadSecret",
            json!({"use": "sig", "k": "x"}),
            "AADB2C95052",
            "The trustframework key set with id 'B2C_1A_None' in tenant 'contoso.onmicrosoft.com' is not created. Please use 'Create api' to create the key set first.",
        ),
        (
            "/keySets/Oct/uploadSecret",
            json!({"use": "enc", "k": "x"}),
            "AADB2C95052",
            "The trustframework key set with id 'Oct' in tenant 'contoso.onmicrosoft.com' is not created. Please use 'Create api' to create the key set first.",
        ),
    ];
    for (path, body, code, expected) in cases {
        let message = assert_code(&session.post(path, body.clone()).await, 400, code);
        assert_eq!(message, expected, "{body}");
    }
    let broken = send(session.request("POST", oct).body("{\"use\":")).await;
    assert_code(&broken, 400, "AADB2C95026");
    // A published client sends this and works; so do epochs in strings.
    let trailing = send(
        session
            .request("POST", rsa)
            .body(r#"{"use": "sig","kty": "RSA", }"#),
    )
    .await;
    trailing.expect(200);
    session
        .post(
            oct,
            json!({"use": "enc", "k": "x", "exp": FUTURE.to_string()}),
        )
        .await
        .expect(200);
    let counts = |id| {
        session
            .emulator
            .store()
            .keyset(TENANT, id)
            .unwrap()
            .keys
            .len()
    };
    assert_eq!((counts("B2C_1A_Rsa"), counts("B2C_1A_Oct")), (2, 2));
}

#[tokio::test]
async fn certificates() {
    let session = default_session().await;
    session.keyset("C").await;
    let path = "/keySets/B2C_1A_C/uploadCertificate";
    let key = session
        .post(path, json!({"key": CERTIFICATE}))
        .await
        .expect(200)
        .json();
    assert_eq!(key["x5c"], json!([CERTIFICATE]));
    assert_eq!(key["x5t"], THUMBPRINT);
    assert_eq!(
        (&key["kty"], &key["use"], &key["e"]),
        (&json!("RSA"), &json!("sig"), &json!("AQAB"))
    );
    assert!(
        key["n"].as_str().unwrap().starts_with("y1J1snma8r"),
        "{key}"
    );
    assert_eq!(key["exp"], 2_425_952_324_i64);
    for (body, code) in [
        (json!({}), "AADB2C90253"),
        (json!({"key": ""}), "AADB2C90253"),
        (json!({"key": 1}), "AADB2C95034"),
        (json!({"key": "!!"}), "AADB2C90215"),
        (json!({"key": "AAAA"}), "AADB2C90215"),
        (json!({"key": &CERTIFICATE[..400]}), "AADB2C90215"),
        (json!({"key": EC_CERTIFICATE}), "AADB2C90215"),
        (json!({"key": PFX_OLD}), "AADB2C90215"),
    ] {
        assert_code(&session.post(path, body).await, 400, code);
    }
    assert_eq!(
        session
            .emulator
            .store()
            .keyset(TENANT, "B2C_1A_C")
            .unwrap()
            .keys
            .len(),
        1
    );
}

#[tokio::test]
async fn pkcs12() {
    let session = default_session().await;
    session.keyset("P").await;
    let path = "/keySets/B2C_1A_P/uploadPkcs12";
    let upload =
        |key: &str, password: &str| session.post(path, json!({"key": key, "password": password}));
    let key = upload(PFX_OLD, PASSWORD).await.expect(200).json();
    assert_eq!((&key["kty"], &key["use"]), (&json!("RSA"), &json!("sig")));
    let key = upload(PFX_OPEN, PASSWORD).await.expect(200).json();
    assert_eq!(key["x5t"], THUMBPRINT);
    for (key, password) in [
        (PFX_OLD, "wrong"),
        (PFX_OLD, ""),
        (PFX_AES, PASSWORD),
        (PFX_SHA256, PASSWORD),
    ] {
        let message = assert_code(&upload(key, password).await, 400, "AADB2C90213");
        assert_eq!(
            message,
            "The certificate password provided in request is incorrect."
        );
    }
    for key in [CERTIFICATE, "AAAA", &PFX_OLD[..800], "*"] {
        assert_code(&upload(key, PASSWORD).await, 400, "AADB2C90215");
    }
    assert_eq!(
        session
            .emulator
            .store()
            .keyset(TENANT, "B2C_1A_P")
            .unwrap()
            .keys
            .len(),
        2
    );
}

#[tokio::test]
async fn put_replaces_only_with_keys_that_are_complete() {
    let session = default_session().await;
    session.keyset("K").await;
    let path = "/keySets/B2C_1A_K";
    session
        .post(
            &format!("{path}/generateKey"),
            json!({"use": "sig", "kty": "RSA"}),
        )
        .await
        .expect(200);
    let read = session.get(path).await.json();
    let message = assert_code(&session.json("PUT", path, read).await, 400, "AADB2C95059");
    assert_eq!(
        message,
        "One of the keys in the payload has 'kid' which is not empty."
    );
    for (keys, code) in [
        (json!([{"use": "sig", "k": "YQ"}]), "AADB2C95037"),
        (json!([{"kty": "RSA", "use": "sig"}]), "AADB2C95039"),
        (
            json!([{"kty": "oct", "use": "sig", "k": "not base64url!"}]),
            "AADB2C95029",
        ),
        (
            json!([{"kty": "oct", "use": "sig", "k": "YQ"}, {"kty": "RSA", "use": "sig", "n": "a", "e": "b"}]),
            "AADB2C95032",
        ),
        (
            json!([{"kty": "oct", "use": "sig", "k": "YQ"}, {"kty": "oct", "use": "enc", "k": "YQ"}]),
            "AADB2C95042",
        ),
        (json!([5]), "AADB2C95034"),
        (json!(null), "AADB2C90253"),
    ] {
        assert_code(
            &session.json("PUT", path, json!({"keys": keys})).await,
            400,
            code,
        );
    }
    let body = json!({"keys": [{"kty": "oct", "use": "sig", "k": "YQ", "kid": ""}]});
    let replaced = session
        .json("PUT", path, body.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(replaced["keys"].as_array().unwrap().len(), 1);
    assert_eq!(replaced["keys"][0]["kty"], "OCT");
    assert_code(
        &session.json("PUT", "/keySets/B2C_1A_Other", body).await,
        400,
        "AADB2C90073",
    );
    // The metadata's PATCH is not there.
    let patch = session.json("PATCH", path, json!({})).await.expect(404);
    assert!(
        patch.json()["message"]
            .as_str()
            .unwrap()
            .starts_with("No HTTP resource was found")
    );
}

#[tokio::test]
async fn keys_can_be_disabled_one_by_one() {
    let session = default_session().await;
    session.keyset("K").await;
    let make = || {
        session.post(
            "/keySets/B2C_1A_K/uploadSecret",
            json!({"use": "sig", "k": "x"}),
        )
    };
    let first = make().await.expect(200).json()["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    let second = make().await.expect(200).json()["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    let list = session
        .get("/keySets/B2C_1A_K/keys_v2")
        .await
        .expect(200)
        .json();
    assert_eq!(list["value"][0]["status"], "enabled");
    assert_eq!(
        session
            .get("/keySets/B2C_1A_K/keys_v2/$count")
            .await
            .expect(200)
            .text,
        "2"
    );
    let one = format!("/keySets/B2C_1A_K/keys_v2/{first}");
    session
        .json("PATCH", &one, json!({"status": "disabled"}))
        .await
        .expect(204);
    assert_eq!(
        session.get(&one).await.expect(200).json()["status"],
        "disabled"
    );
    let active = session
        .get("/keySets/B2C_1A_K/getActiveKey")
        .await
        .expect(200)
        .json();
    assert_eq!(active["kid"], second.as_str());
    assert_code(
        &session.json("PATCH", &one, json!({"status": "gone"})).await,
        400,
        "AADB2C95034",
    );
    assert_code(
        &session.json("PATCH", &one, json!({"nbf": 5})).await,
        400,
        "AADB2C99014",
    );
    assert_code(
        &session.get("/keySets/B2C_1A_K/keys_v2/nope").await,
        400,
        "AADB2C90073",
    );
    let other = format!("/keySets('B2C_1A_K')/keys_v2('{second}')");
    session
        .json("PATCH", &other, json!({"status": "disabled"}))
        .await
        .expect(204);
    assert_code(
        &session.get("/keySets/B2C_1A_K/getActiveKey").await,
        400,
        "AADB2C90019",
    );
    session.call("DELETE", &one).await.expect(404);
}
