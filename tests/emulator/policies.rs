//! Policies: calls, stored form, and what an upload is refused for.

use super::*;

const BASE: &str = "B2C_1A_Base";

#[tokio::test]
async fn life_of_a_policy() {
    let session = default_session().await;
    let xml = policy(BASE, None, &[]);
    let created = session.put_policy(BASE, &xml).await.expect(201);
    assert_eq!(created.header("content-type"), "application/xml");
    assert_eq!(
        created.header("location"),
        "/trustFramework/policies/B2C_1A_Base/"
    );
    let updated = session.put_policy(BASE, &xml).await.expect(200);
    assert_eq!(updated.text, created.text);

    let stored = session
        .get("/policies/B2C_1A_Base/$value")
        .await
        .expect(200);
    assert_eq!(stored.header("content-type"), "application/xml");
    assert_eq!(stored.text, created.text);
    let id = session.emulator.store().tenant_id(TENANT);
    let declaration = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n";
    let expected = xml.replace(declaration, "").replace(
        "/B2C_1A_Base\">",
        &format!("/B2C_1A_Base\" TenantObjectId=\"{id}\">"),
    );
    assert_eq!(
        stored.text, expected,
        "declaration dropped, TenantObjectId added, the rest kept"
    );

    let list = session.get("/policies").await.expect(200);
    assert!(list.header("content-type").starts_with("application/json"));
    assert_eq!(list.json()["value"], json!([{"id": BASE}]));
    assert!(
        list.json()["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#trustFramework/policies")
    );
    assert_eq!(
        session.get("/policies/B2C_1A_Base").await.json()["id"],
        BASE
    );
    let count = session.get("/policies/$count").await.expect(200);
    assert_eq!(
        (count.text.as_str(), count.header("content-type")),
        ("1", "text/plain")
    );

    let deleted = session
        .call("DELETE", "/policies/B2C_1A_Base")
        .await
        .expect(204);
    assert_eq!(deleted.text, "");
    let (status, code, message) = session.get("/policies/B2C_1A_Base").await.error();
    assert_eq!((status, code.as_str()), (404, "AADB2C90073"));
    assert_eq!(
        message,
        "Policy with 'policyId': B2C_1A_Base cannot be found in the directory \
         'contoso.onmicrosoft.com'."
    );
    session
        .call("DELETE", "/policies/B2C_1A_Base")
        .await
        .expect(404);
}

#[tokio::test]
async fn the_own_output_is_a_fixed_point() {
    let session = default_session().await;
    let first = session
        .put_policy(BASE, &policy(BASE, None, &[]))
        .await
        .expect(201)
        .text;
    let second = session.put_policy(BASE, &first).await.expect(200).text;
    assert_eq!(first, second);
}

#[tokio::test]
async fn post_creates_once() {
    let session = default_session().await;
    let post = |body: String, kind: &'static str| {
        send(
            session
                .request("POST", "/policies")
                .header("content-type", kind)
                .body(body),
        )
    };
    let xml = policy(BASE, None, &[]);
    let created = post(xml.clone(), "application/xml").await.expect(201);
    assert_eq!(
        created.header("location"),
        "/trustFramework/policies/B2C_1A_Base/"
    );
    assert_eq!(post(xml, "application/xml").await.error().0, 409);
    let json = post("{\"id\":\"B2C_1A_X\"}".to_owned(), "application/json").await;
    let expected = "The policy being uploaded is not XML or is not correctly formatted: Data at \
                    the root level is invalid. Line 1, position 1.";
    assert_eq!(
        json.error(),
        (400, "AADB2C".to_owned(), expected.to_owned())
    );
}

#[tokio::test]
async fn ids_ignore_case_and_keep_it() {
    let session = default_session().await;
    session
        .put_policy("B2C_1A_BASE", &policy(BASE, None, &[]))
        .await
        .expect(201);
    session
        .put_policy("b2c_1a_base", &policy(BASE, None, &[]))
        .await
        .expect(200);
    assert_eq!(
        session.get("/policies").await.json()["value"],
        json!([{"id": BASE}])
    );
    assert_eq!(
        session.get("/policies/b2c_1A_bAsE").await.json()["id"],
        BASE
    );
    let child = policy("B2C_1A_Child", Some("b2c_1a_BASE"), &[]);
    session.put_policy("B2C_1A_CHILD", &child).await.expect(201);
    session
        .call("DELETE", "/policies/B2C_1A_BASE")
        .await
        .expect(204);
}

#[tokio::test]
async fn other_spellings_of_the_path() {
    let session = default_session().await;
    session
        .put_policy(BASE, &policy(BASE, None, &[]))
        .await
        .expect(201);
    let url = session.emulator.url();
    for path in [
        "/beta/trustframework/policies/B2C_1A_Base/$value",
        "/beta//trustFramework/policies/B2C_1A_Base/$value",
        "/beta/trustFramework/policies('B2C_1A_Base')/$value",
        "/beta/trustFramework/policies(%27B2C_1A_Base%27)/%24value",
        "/BETA/TrustFramework/Policies/B2C_1A_Base/$value/",
        "/beta/trustFramework/policies/B2C_1A_Base/$value?$select=id",
    ] {
        let request = session
            .http
            .get(format!("{url}{path}"))
            .bearer_auth(&session.token);
        let reply = send(request).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.text.contains("<TrustFrameworkPolicy"), "{path}");
    }
    session.get("/policies/").await.expect(200);
    session.get("").await.expect(200);
}

#[tokio::test]
async fn other_resources_of_graph() {
    let session = default_session().await;
    let url = session.emulator.url();
    let get = |path: &str| {
        send(
            session
                .http
                .get(format!("{url}{path}"))
                .bearer_auth(&session.token),
        )
    };
    let (status, code, message) = get("/v1.0/trustFramework/policies").await.error();
    assert_eq!((status, code.as_str()), (400, "BadRequest"));
    assert_eq!(
        message,
        "Resource not found for the segment 'trustFramework'."
    );
    get("/").await.expect(404);
}

#[tokio::test]
async fn the_missing_prefix_is_added() {
    let session = default_session().await;
    let reply = session
        .put_policy("Mine", &policy("Mine", None, &[]))
        .await
        .expect(201);
    assert!(
        reply.text.contains("PolicyId=\"B2C_1A_Mine\""),
        "{}",
        reply.text
    );
    session
        .put_policy("B2C_1A_Mine", &policy("Mine", None, &[]))
        .await
        .expect(200);
    let twice = policy("B2C_1_policy", None, &[]);
    session.put_policy("B2C_1_policy", &twice).await.expect(201);
    let list = session.get("/policies").await.json();
    assert_eq!(
        list["value"],
        json!([{"id": "B2C_1A_B2C_1_policy"}, {"id": "B2C_1A_Mine"}])
    );
    // A reference is not normalised: the base named without prefix is not there.
    let child = policy("B2C_1A_Child", Some("Mine"), &[]);
    session.put_policy("B2C_1A_Child", &child).await.expect(400);
}

#[tokio::test]
async fn put_without_value_and_patch() {
    let session = default_session().await;
    session
        .put_policy(BASE, &policy(BASE, None, &[]))
        .await
        .expect(201);
    let reply = send(session.request("PUT", "/policies/B2C_1A_Base").body("<a/>")).await;
    let (status, code, message) = reply.error();
    assert_eq!((status, code.as_str()), (400, "AADB2C99009"));
    assert!(message.contains("append '$value'"), "{message}");

    let reply = session
        .json("PATCH", "/policies/B2C_1A_Base", json!({}))
        .await
        .expect(404);
    assert_eq!(
        reply.json(),
        json!({
            "message": "No HTTP resource was found that matches the request URI \
                        'https://cpim.windows.net/graph/trustFramework/policies('B2C_1A_Base')'.",
            "messageDetail": "No action was found on the controller 'trustframework' that matches \
                              the request.",
            "stackTrace": null,
        })
    );
    // The id was empty.
    let reply = session
        .put_policy("", &policy(BASE, None, &[]))
        .await
        .expect(404);
    assert!(reply.json()["error"].is_null());
    let reply = session.call("DELETE", "/policies").await.expect(404);
    let message = reply.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with("/graph/trustFramework/policies'."),
        "{message}"
    );
}

#[track_caller]
fn assert_invalid(reply: &Reply, count: usize, items: &str) {
    let (status, code, message) = reply.error();
    assert_eq!((status, code.as_str()), (400, "AADB2C"), "{message}");
    let head = format!("Validation failed: {count} validation error(s) found in policy \"");
    assert!(message.starts_with(&head), "{message}");
    assert!(message.ends_with(items), "{message}");
}

#[tokio::test]
async fn bases_must_exist() {
    let session = default_session().await;
    let child = policy("B2C_1A_Child", Some(BASE), &[]);
    let reply = session.put_policy("B2C_1A_Child", &child).await;
    let expected = "Validation failed: 1 validation error(s) found in policy \"B2C_1A_CHILD\" of \
                    tenant \"contoso.onmicrosoft.com\".Policy with 'policyId': B2C_1A_BASE cannot \
                    be found in the directory 'contoso.onmicrosoft.com'.";
    assert_eq!(
        reply.error(),
        (400, "AADB2C".to_owned(), expected.to_owned())
    );
    assert!(session.emulator.store().policies(TENANT).is_empty());
    session
        .put_policy(BASE, &policy(BASE, None, &[]))
        .await
        .expect(201);
    session.put_policy("B2C_1A_Child", &child).await.expect(201);
    // Not documented to be refused.
    session
        .call("DELETE", "/policies/B2C_1A_Base")
        .await
        .expect(204);
    session.put_policy("B2C_1A_Child", &child).await.expect(400);
}

#[tokio::test]
async fn cycles_and_deep_chains() {
    let session = default_session().await;
    let itself = policy(BASE, Some(BASE), &[]);
    let reply = session.put_policy(BASE, &itself).await;
    assert_invalid(
        &reply,
        1,
        "cannot be found in the directory 'contoso.onmicrosoft.com'.",
    );
    session
        .put_policy(BASE, &policy(BASE, None, &[]))
        .await
        .expect(201);
    let reply = session.put_policy(BASE, &itself).await;
    assert_invalid(
        &reply,
        1,
        "Inheritance chain: [\"B2C_1A_Base\",\"B2C_1A_Base\"]",
    );
    let mut base = BASE.to_owned();
    for level in 2..=10 {
        let id = format!("B2C_1A_L{level}");
        session
            .put_policy(&id, &policy(&id, Some(&base), &[]))
            .await
            .expect(201);
        base = id;
    }
    let eleventh = policy("B2C_1A_L11", Some(&base), &[]);
    let reply = session.put_policy("B2C_1A_L11", &eleventh).await;
    let (_, _, message) = reply.error();
    assert!(
        message.contains("is not allowed to inherit from the specified base policy"),
        "{message}"
    );
    let closed = policy(BASE, Some("B2C_1A_L3"), &[]);
    session.put_policy(BASE, &closed).await.expect(400);
}

#[tokio::test]
async fn keysets_must_exist() {
    let session = default_session().await;
    let xml = policy(BASE, None, &["B2C_1A_One", "B2C_1A_Two", "B2C_1A_one"]);
    let reply = session.put_policy(BASE, &xml).await;
    let item = |key: &str| {
        format!(
            "Tenant \"contoso.onmicrosoft.com\" does not have CryptographicKey referenced by \
             storageReferenceId \"{key}\"."
        )
    };
    // One item after the other, without anything between them.
    assert_invalid(
        &reply,
        2,
        &format!("\".{}{}", item("B2C_1A_One"), item("B2C_1A_Two")),
    );
    session.keyset("One").await;
    session.keyset("B2C_1A_TWO").await;
    session.put_policy(BASE, &xml).await.expect(201);
    // The chain is validated as a whole.
    session
        .call("DELETE", "/keySets/B2C_1A_Two")
        .await
        .expect(204);
    let child = policy("B2C_1A_Child", Some(BASE), &[]);
    assert_invalid(
        &session.put_policy("B2C_1A_Child", &child).await,
        1,
        &item("B2C_1A_Two"),
    );
}

#[tokio::test]
async fn the_tenant_must_be_the_own_one() {
    let session = default_session().await;
    let foreign = policy_of("fabrikam.onmicrosoft.com", BASE, None, &[]);
    let expected = "TenantId in the policy xml 'fabrikam.onmicrosoft.com' is not same as the one \
                    in login tenant 'contoso.onmicrosoft.com'.";
    assert_invalid(&session.put_policy(BASE, &foreign).await, 1, expected);
    let shouting = policy_of("CONTOSO.onmicrosoft.com", BASE, None, &[]);
    session.put_policy(BASE, &shouting).await.expect(201);
}

#[tokio::test]
async fn tenant_object_ids_are_compared_where_the_real_one_is_known() {
    let real = "aaaaaaaa-0000-0000-0000-000000000001";
    let wrong = "bbbbbbbb-0000-0000-0000-000000000002";
    let with_id = |id: &str| {
        policy(BASE, None, &[])
            .replace(" PolicyId=", &format!(" TenantObjectId=\"{id}\" PolicyId="))
    };
    let pinned = session(EmulatorOptions {
        tenant_ids: [(TENANT.to_owned(), real.to_owned())].into(),
        ..EmulatorOptions::default()
    })
    .await;
    assert_eq!(pinned.emulator.store().tenant_id(TENANT), real);
    pinned.put_policy(BASE, &with_id(wrong)).await.expect(400);
    pinned
        .put_policy(BASE, &with_id(&real.to_uppercase()))
        .await
        .expect(201);
    let invented = default_session().await;
    let stored = invented
        .put_policy(BASE, &with_id(wrong))
        .await
        .expect(201)
        .text;
    assert_eq!(stored.matches("TenantObjectId").count(), 1, "{stored}");
}

#[tokio::test]
async fn a_tenant_known_by_its_id_learns_its_domain() {
    let session = default_session().await;
    let id = "aaaaaaaa-0000-0000-0000-000000000001";
    let token = sign_in::token(&session.http, &session.emulator.url(), id).await;
    let session = Session { token, ..session };
    session
        .put_policy(BASE, &policy(BASE, None, &[]))
        .await
        .expect(201);
    let foreign = policy_of("fabrikam.onmicrosoft.com", "B2C_1A_Y", None, &[]);
    let (_, _, message) = session.put_policy("B2C_1A_Y", &foreign).await.error();
    assert!(
        message.contains("login tenant 'contoso.onmicrosoft.com'"),
        "{message}"
    );
}

#[tokio::test]
async fn urls_must_name_the_policy() {
    let session = default_session().await;
    let reply = session
        .put_policy("B2C_1A_Other", &policy(BASE, None, &[]))
        .await;
    let (status, code, message) = reply.error();
    assert_eq!((status, code.as_str()), (400, "AADB2C"));
    assert!(
        message.contains("B2C_1A_Other") && message.contains(BASE),
        "{message}"
    );
    assert!(session.emulator.store().policies(TENANT).is_empty());
}

#[tokio::test]
async fn bodies_that_are_no_policy() {
    let session = default_session().await;
    let v2 = "The policy being uploaded is not XML or is not correctly formatted: ";
    for (body, expected) in [
        (b"".to_vec(), "Root element is missing."),
        (
            b"<a><b></a>".to_vec(),
            "The 'b' start tag on line 1 position 5 does not match the end tag of 'a'. Line 1, position 9.",
        ),
        (
            b"<!DOCTYPE a []><a/>".to_vec(),
            "For security reasons DTD is prohibited",
        ),
        (
            b"<a>\xe9</a>".to_vec(),
            "Invalid character in the given encoding. Line 1, position 4.",
        ),
    ] {
        let reply = send(
            session
                .request("PUT", "/policies/B2C_1A_X/$value")
                .body(body),
        )
        .await;
        let (status, code, message) = reply.error();
        assert_eq!((status, code.as_str()), (400, "AADB2C"));
        assert!(
            message.starts_with(v2) && message[v2.len()..].starts_with(expected),
            "{message}"
        );
    }
    let reply = session.put_policy("B2C_1A_X", "<a/>").await;
    assert_invalid(&reply, 1, "The 'a' element is not declared.");
    let wrong_namespace = policy("B2C_1A_X", None, &[]).replace(NAMESPACE, "urn:x");
    let reply = session.put_policy("B2C_1A_X", &wrong_namespace).await;
    assert_invalid(
        &reply,
        1,
        "The 'urn:x:TrustFrameworkPolicy' element is not declared.",
    );
    let no_id = policy("B2C_1A_X", None, &[]).replace(" PolicyId=\"B2C_1A_X\"", "");
    assert_invalid(
        &session.put_policy("B2C_1A_X", &no_id).await,
        1,
        "'PolicyId' is missing.",
    );
    let marked = format!("\u{feff}{}", policy("B2C_1A_X", None, &[]));
    let stored = session
        .put_policy("B2C_1A_X", &marked)
        .await
        .expect(201)
        .text;
    assert!(stored.starts_with("<!--"), "{stored}");
}

#[tokio::test]
async fn sizes() {
    let session = default_session().await;
    let sized = |size: usize| {
        let xml = policy(BASE, None, &[]);
        let padding = size - xml.len() - "<!---->".len();
        format!("{xml}<!--{}-->", "x".repeat(padding))
    };
    session
        .put_policy(BASE, &sized(1024 * 1024))
        .await
        .expect(201);
    let reply = session
        .put_policy(BASE, &sized(1024 * 1024 + 1))
        .await
        .expect(400);
    assert!(reply.error().2.contains("1024 KB"));
    session
        .put_policy(BASE, &sized(9 * 1024 * 1024))
        .await
        .expect(413);
}

#[tokio::test]
async fn the_validator_speaks_unless_it_is_off() {
    let end = "</TrustFrameworkPolicy>";
    let party = "<RelyingParty><DefaultUserJourney ReferenceId=\"Nowhere\"/><TechnicalProfile \
                 Id=\"PolicyProfile\"><DisplayName>P</DisplayName><Protocol \
                 Name=\"OpenIdConnect\"/><OutputClaims/><SubjectNamingInfo \
                 ClaimType=\"sub\"/></TechnicalProfile></RelyingParty>";
    let bad = policy(BASE, None, &[]).replace(end, &format!("{party}{end}"));
    let session = default_session().await;
    let reply = session.put_policy(BASE, &bad).await;
    let (status, code, message) = reply.error();
    assert_eq!((status, code.as_str()), (400, "AADB2C"));
    assert!(
        message.starts_with("Validation failed: 1 validation"),
        "{message}"
    );
    assert!(
        message.contains("UserJourney with id \"Nowhere\""),
        "{message}"
    );
    assert!(session.emulator.store().policies(TENANT).is_empty());
    let lenient = super::session(EmulatorOptions {
        validate: false,
        ..EmulatorOptions::default()
    })
    .await;
    lenient.put_policy(BASE, &bad).await.expect(201);
}

#[tokio::test]
async fn ids_of_requests_are_echoed() {
    let session = default_session().await;
    let own = "11111111-aaaa-bbbb-cccc-222222222222";
    let request = session
        .request("GET", "/policies/B2C_1A_X")
        .header("client-request-id", own);
    let reply = send(request).await.expect(404);
    assert_eq!(reply.header("client-request-id"), own);
    let inner = &reply.json()["error"]["innerError"];
    assert_eq!(inner["client-request-id"], own);
    assert_eq!(inner["request-id"], reply.header("request-id"));
    assert_eq!(inner["correlationId"].as_str().unwrap().len(), 36);
    let date = inner["date"].as_str().unwrap();
    assert!(date.len() == 19 && !date.ends_with('Z'), "{date}");
    let record = session.emulator.requests().pop().unwrap();
    assert_eq!(record.client_request_id.as_deref(), Some(own));
    assert_eq!(record.request_id, reply.header("request-id"));
    assert!(record.auth_ok && record.status == Some(404) && record.finished.is_some());
}
