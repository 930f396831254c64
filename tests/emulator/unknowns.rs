//! Every switch for unknown behaviour, in the position that is not the default.

use std::time::Duration;

use iefctl::emulator::{DuplicatePolicy, IdMismatch, StoredForm, Unknowns};

use super::*;

const ID: &str = "B2C_1A_X";

async fn switched(change: impl FnOnce(&mut Unknowns)) -> Session {
    let mut unknowns = Unknowns::default();
    change(&mut unknowns);
    session(EmulatorOptions {
        unknowns,
        reuse_rsa_key: true,
        ..EmulatorOptions::default()
    })
    .await
}

async fn put(session: &Session) -> Reply {
    session.put_policy(ID, &policy(ID, None, &[])).await
}

async fn post(session: &Session) -> Reply {
    send(
        session
            .request("POST", "/policies")
            .body(policy(ID, None, &[])),
    )
    .await
}

#[tokio::test]
async fn ids_in_url_and_xml() {
    let session = switched(|unknowns| unknowns.id_mismatch = IdMismatch::TrustXml).await;
    session
        .put_policy("B2C_1A_Other", &policy(ID, None, &[]))
        .await
        .expect(201);
    assert_eq!(session.emulator.store().policies(TENANT), [ID]);
    let session = switched(|unknowns| unknowns.refuse_unprefixed_policy = true).await;
    session
        .put_policy("Mine", &policy("Mine", None, &[]))
        .await
        .expect(400);
    let session = switched(|unknowns| unknowns.resolve_unprefixed_keyset = true).await;
    session.keyset("K").await;
    session
        .post("/keySets/k/uploadSecret", json!({"use": "sig", "k": "x"}))
        .await
        .expect(200);
    session.get("/keySets/K").await.expect(200);
}

#[tokio::test]
async fn statuses() {
    let session = switched(|unknowns| {
        unknowns.missing_policy_status = 400;
        unknowns.missing_keyset_status = 404;
        unknowns.existing_keyset_status = 409;
        unknowns.oversize_status = 413;
    })
    .await;
    assert_eq!(session.get("/policies/B2C_1A_No").await.error().0, 400);
    assert_eq!(session.get("/keySets/B2C_1A_No").await.error().0, 404);
    session.keyset("K").await;
    let (status, code, _) = session.post("/keySets", json!({"id": "K"})).await.error();
    assert_eq!((status, code.as_str()), (409, "AADB2C95028"));
    session
        .put_policy(ID, &" ".repeat(1024 * 1024 + 1))
        .await
        .expect(413);
}

#[tokio::test]
async fn creating_an_existing_policy() {
    for (choice, status) in [
        (DuplicatePolicy::BadRequest, 400),
        (DuplicatePolicy::Overwrite, 201),
    ] {
        let session = switched(|unknowns| unknowns.duplicate_policy = choice).await;
        post(&session).await.expect(201);
        post(&session).await.expect(status);
    }
}

#[tokio::test]
async fn protected_bases() {
    let session = switched(|unknowns| unknowns.protect_base_policies = true).await;
    put(&session).await.expect(201);
    let child = policy("B2C_1A_Child", Some(ID), &[]);
    session.put_policy("B2C_1A_Child", &child).await.expect(201);
    let reply = session
        .call("DELETE", "/policies/B2C_1A_X")
        .await
        .expect(400);
    assert!(reply.error().2.contains("B2C_1A_Child"));
    session
        .call("DELETE", "/policies/B2C_1A_Child")
        .await
        .expect(204);
    session
        .call("DELETE", "/policies/B2C_1A_X")
        .await
        .expect(204);
}

#[tokio::test]
async fn content_types() {
    let session = switched(|unknowns| unknowns.require_xml_content_type = true).await;
    let send_as = |kind: &'static str| {
        let request = session.request("PUT", "/policies/B2C_1A_X/$value");
        send(
            request
                .header("content-type", kind)
                .body(policy(ID, None, &[])),
        )
    };
    send_as("text/plain").await.expect(415);
    send_as("application/xml; charset=utf-8").await.expect(201);
    send_as("text/xml").await.expect(200);
}

#[tokio::test]
async fn separators() {
    let session = switched(|unknowns| unknowns.item_separator = "\r\n".to_owned()).await;
    let xml = policy(ID, None, &["B2C_1A_One", "B2C_1A_Two"]);
    let (_, _, message) = session.put_policy(ID, &xml).await.error();
    assert_eq!(message.split("\r\n").count(), 3, "{message}");
}

#[tokio::test]
async fn lead_time_and_status_of_new_keys() {
    let session = switched(|unknowns| {
        unknowns.nbf_lead_time = Some(Duration::from_secs(3 * 3600));
        unknowns.new_key_enabled = false;
    })
    .await;
    session.keyset("K").await;
    let upload = |nbf: Value| {
        session.post(
            "/keySets/B2C_1A_K/uploadSecret",
            json!({"use": "sig", "k": "x", "nbf": nbf}),
        )
    };
    upload(json!(5)).await.expect(400);
    upload(json!(4_102_444_800_i64)).await.expect(200);
    upload(json!(null)).await.expect(200);
    let keys = session.get("/keySets/B2C_1A_K/keys_v2").await.json();
    assert_eq!(keys["value"][1]["status"], "disabled");
    assert_eq!(
        session
            .get("/keySets/B2C_1A_K/getActiveKey")
            .await
            .error()
            .1,
        "AADB2C90019"
    );
}

#[tokio::test]
async fn stored_forms() {
    let session = switched(|unknowns| unknowns.stored_form = StoredForm::Verbatim).await;
    let xml = policy("X", None, &[]);
    assert_eq!(session.put_policy("X", &xml).await.expect(201).text, xml);
    assert_eq!(session.emulator.store().policies(TENANT), [ID]);

    let session = switched(|unknowns| unknowns.stored_form = StoredForm::Reformatted).await;
    session.keyset("K").await;
    let xml = policy(ID, None, &["B2C_1A_K"]);
    let stored = session.put_policy(ID, &xml).await.expect(201).text;
    assert!(stored.starts_with("<TrustFrameworkPolicy "), "{stored}");
    assert!(
        stored.contains("TenantObjectId=") && !stored.contains("<!--"),
        "{stored}"
    );
    assert!(
        stored.contains("\n      <DisplayName>Token issuer</DisplayName>\n"),
        "{stored}"
    );
    let again = session.put_policy(ID, &stored).await.expect(200).text;
    assert_eq!(again, stored);
}

#[tokio::test]
async fn etags() {
    let session = switched(|unknowns| unknowns.etags = true).await;
    let put_if = |etag: &str| {
        let request = session
            .request("PUT", "/policies/B2C_1A_X/$value")
            .header("if-match", etag);
        send(request.body(policy(ID, None, &[]).replace("<!-- ", "<!-- new ")))
    };
    put_if("*").await.expect(412);
    let first = put(&session).await.expect(201).header("etag").to_owned();
    assert_eq!(
        session
            .get("/policies/B2C_1A_X/$value")
            .await
            .header("etag"),
        first
    );
    put_if("\"other\"").await.expect(412);
    let second = put_if(&first).await.expect(200).header("etag").to_owned();
    assert_ne!(first, second);
    put_if(&first).await.expect(412);
    let plain = default_session().await;
    assert_eq!(put(&plain).await.header("etag"), "");
}

#[tokio::test]
async fn limits() {
    let session = switched(|unknowns| {
        unknowns.policy_limit = Some(1);
        unknowns.keyset_limit = Some(1);
    })
    .await;
    put(&session).await.expect(201);
    put(&session).await.expect(200);
    let reply = session
        .put_policy("B2C_1A_Y", &policy("B2C_1A_Y", None, &[]))
        .await
        .expect(400);
    assert!(reply.error().2.contains("limit of 1 policies"));
    session.keyset("K").await;
    session
        .post("/keySets", json!({"id": "L"}))
        .await
        .expect(400);
}

#[tokio::test]
async fn backups_of_deleted_keysets() {
    let session = switched(|unknowns| unknowns.delete_leaves_backup = true).await;
    session.keyset("K").await;
    session
        .call("DELETE", "/keySets/B2C_1A_K")
        .await
        .expect(204);
    let list = session.get("/keySets").await.json();
    assert_eq!(list["value"][0]["id"], "B2C_1A_K.bak");
    session
        .call("DELETE", "/keySets/B2C_1A_K.bak")
        .await
        .expect(204);
    assert_eq!(session.get("/keySets/$count").await.text, "0");
}

#[tokio::test]
async fn children_are_validated_again_without_harm_to_good_ones() {
    let session = switched(|unknowns| unknowns.revalidate_children = true).await;
    put(&session).await.expect(201);
    let child = policy("B2C_1A_Child", Some(ID), &[]);
    session.put_policy("B2C_1A_Child", &child).await.expect(201);
    put(&session).await.expect(200);
}

#[tokio::test]
async fn size_of_generated_keys() {
    let session = session(EmulatorOptions {
        unknowns: Unknowns {
            generated_rsa_bits: 3072,
            ..Unknowns::default()
        },
        ..EmulatorOptions::default()
    })
    .await;
    session.keyset("K").await;
    let body = json!({"use": "sig", "kty": "RSA"});
    let key = session
        .post("/keySets/B2C_1A_K/generateKey", body)
        .await
        .expect(200)
        .json();
    assert_eq!(key["n"].as_str().unwrap().len(), 512);
}

#[tokio::test]
async fn switches_without_meaning_are_refused() {
    let start = |unknowns| {
        try_start(EmulatorOptions {
            unknowns,
            ..EmulatorOptions::default()
        })
    };
    let wrong = Unknowns {
        missing_policy_status: 200,
        ..Unknowns::default()
    };
    assert!(start(wrong).await.is_err());
    let wrong = Unknowns {
        generated_rsa_bits: 1024,
        ..Unknowns::default()
    };
    assert!(start(wrong).await.is_err());
    let options = EmulatorOptions {
        tenant_ids: [(TENANT.to_owned(), "no guid".to_owned())].into(),
        ..EmulatorOptions::default()
    };
    assert!(try_start(options).await.is_err());
}
