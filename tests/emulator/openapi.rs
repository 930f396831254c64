//! Answers against the OpenAPI slice, where it is at hand.

use std::fs;
use std::path::Path;

use iefctl::emulator::{Fault, FaultRule, Faults};

use super::*;

/// Says where `value` is not what `schema` describes; as much of OpenAPI 3.0 as the slice uses.
fn mismatch(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap();
        return mismatch(document, target, value, at);
    }
    if value.is_null() && schema["nullable"] == true {
        return None;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if let Some(found) = mismatch(document, part, value, at) {
            return Some(found);
        }
    }
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        return Some(format!("{at}: {value} is none of {choices:?}"));
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        return Some(format!("{at}: {value} is no {}", schema["type"]));
    }
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(Value::as_str)
    {
        if value.get(name).is_none() {
            return Some(format!("{at}: no {name}"));
        }
    }
    if let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object())
    {
        for (name, field) in fields {
            if let Some(schema) = properties.get(name) {
                let found = mismatch(document, schema, field, &format!("{at}.{name}"));
                if found.is_some() {
                    return found;
                }
            }
        }
    }
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().enumerate().find_map(|(index, item)| {
        let at = format!("{at}[{index}]");
        schema
            .get("items")
            .and_then(|schema| mismatch(document, schema, item, &at))
    })
}

struct Contract(Value);

impl Contract {
    fn load() -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared/schema/trustframework-openapi.json");
        match fs::read_to_string(&path) {
            Ok(text) => Some(Self(serde_json::from_str(&text).unwrap())),
            Err(error) => {
                println!("skipped: {} cannot be read: {error}", path.display());
                None
            }
        }
    }

    #[track_caller]
    fn check(&self, method: &str, path: &str, reply: &Reply) {
        let operation = &self.0["paths"][path][method];
        assert!(
            operation.is_object(),
            "{method} {path} is not in the contract"
        );
        let responses = &operation["responses"];
        let status = reply.status.to_string();
        let response = responses.get(&status).unwrap_or(&responses["default"]);
        assert!(
            reply.status >= 400 || responses.get(&status).is_some(),
            "{method} {path}: {status}"
        );
        let response = match response["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).unwrap(),
            None => response,
        };
        for name in response["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            assert_ne!(reply.header(name), "", "{method} {path}: no {name}");
        }
        let Some(content) = response["content"].as_object() else {
            assert_eq!(reply.text, "", "{method} {path}");
            return;
        };
        let kind = reply.header("content-type").split(';').next().unwrap();
        let schema = content
            .get(kind)
            .unwrap_or_else(|| panic!("{method} {path}: type {kind:?}"));
        if kind == "application/json" {
            let found = mismatch(&self.0, &schema["schema"], &reply.json(), "body");
            assert_eq!(found, None, "{method} {path}: {}", reply.text);
        }
    }
}

#[tokio::test]
async fn answers_have_the_documented_shapes() {
    let Some(contract) = Contract::load() else {
        return;
    };
    let session = default_session().await;
    let keysets = "/trustFramework/keySets";
    let keyset = "/trustFramework/keySets/{trustFrameworkKeySet-id}";
    let policies = "/trustFramework/policies";
    let policy_path = "/trustFramework/policies/{trustFrameworkPolicy-id}";
    let value = format!("{policy_path}/$value");
    let check = |method: &str, path: &str, status: u16, reply: &Reply| {
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
        contract.check(method, path, reply);
    };

    check("get", "/trustFramework", 200, &session.get("").await);
    check(
        "post",
        keysets,
        201,
        &session.post("/keySets", json!({"id": "K"})).await,
    );
    check(
        "post",
        keysets,
        400,
        &session.post("/keySets", json!({"id": "K"})).await,
    );
    let body = || json!({"use": "sig", "kty": "RSA", "exp": 4_102_444_800_i64});
    for prefix in ["", "microsoft.graph."] {
        let path = format!("/keySets/B2C_1A_K/{prefix}generateKey");
        let key = session.post(&path, body()).await;
        check("post", &format!("{keyset}/{prefix}generateKey"), 200, &key);
        let path = format!("/keySets/B2C_1A_K/{prefix}uploadSecret");
        let mixed = session.post(&path, json!({"use": "sig", "k": "x"})).await;
        check(
            "post",
            &format!("{keyset}/{prefix}uploadSecret"),
            400,
            &mixed,
        );
        for action in ["uploadCertificate", "uploadPkcs12"] {
            let path = format!("/keySets/B2C_1A_K/{prefix}{action}");
            let reply = session.post(&path, json!({"key": "AAAA"})).await;
            check("post", &format!("{keyset}/{prefix}{action}"), 400, &reply);
        }
    }
    for action in [
        "getActiveKey",
        "getActiveKey()",
        "microsoft.graph.getActiveKey()",
    ] {
        let reply = session.get(&format!("/keySets/B2C_1A_K/{action}")).await;
        check("get", &format!("{keyset}/{action}"), 200, &reply);
    }
    check("get", keysets, 200, &session.get("/keySets").await);
    check(
        "get",
        &format!("{keysets}/$count"),
        200,
        &session.get("/keySets/$count").await,
    );
    check("get", keyset, 200, &session.get("/keySets/B2C_1A_K").await);
    check("get", keyset, 400, &session.get("/keySets/B2C_1A_No").await);
    let keys = session.get("/keySets/B2C_1A_K/keys_v2").await;
    check("get", &format!("{keyset}/keys_v2"), 200, &keys);
    let count = session.get("/keySets/B2C_1A_K/keys_v2/$count").await;
    check("get", &format!("{keyset}/keys_v2/$count"), 200, &count);
    let one = format!(
        "/keySets/B2C_1A_K/keys_v2/{}",
        keys.json()["value"][0]["kid"].as_str().unwrap()
    );
    let one_path = format!("{keyset}/keys_v2/{{trustFrameworkKey_v2-kid}}");
    check("get", &one_path, 200, &session.get(&one).await);
    check(
        "patch",
        &one_path,
        204,
        &session
            .json("PATCH", &one, json!({"status": "disabled"}))
            .await,
    );
    let put = session
        .json("PUT", "/keySets/B2C_1A_K", json!({"keys": []}))
        .await;
    check("put", keyset, 200, &put);

    let xml = policy("B2C_1A_X", None, &[]);
    check(
        "put",
        &value,
        201,
        &session.put_policy("B2C_1A_X", &xml).await,
    );
    check(
        "put",
        &value,
        200,
        &session.put_policy("B2C_1A_X", &xml).await,
    );
    check(
        "put",
        &value,
        400,
        &session.put_policy("B2C_1A_X", "{}").await,
    );
    check(
        "get",
        &value,
        200,
        &session.get("/policies/B2C_1A_X/$value").await,
    );
    check(
        "get",
        policy_path,
        200,
        &session.get("/policies/B2C_1A_X").await,
    );
    check(
        "get",
        policy_path,
        404,
        &session.get("/policies/B2C_1A_No").await,
    );
    check("get", policies, 200, &session.get("/policies").await);
    check(
        "get",
        &format!("{policies}/$count"),
        200,
        &session.get("/policies/$count").await,
    );
    let posted = send(
        session
            .request("POST", "/policies")
            .body(policy("B2C_1A_Y", None, &[])),
    )
    .await;
    check("post", policies, 201, &posted);
    check(
        "delete",
        &value,
        204,
        &session.call("DELETE", "/policies/B2C_1A_Y/$value").await,
    );
    check(
        "delete",
        policy_path,
        204,
        &session.call("DELETE", "/policies/B2C_1A_X").await,
    );
    check(
        "delete",
        keyset,
        204,
        &session.call("DELETE", "/keySets/B2C_1A_K").await,
    );
    session
        .emulator
        .set_faults(Faults::default().with(FaultRule::new(Fault::UnknownError(500))));
    check("get", policies, 500, &session.get("/policies").await);
}

/// The error examples of the slice are what the emulator says, word for word.
#[tokio::test]
async fn errors_are_worded_as_in_the_examples() {
    let Some(contract) = Contract::load() else {
        return;
    };
    let session = default_session().await;
    let examples =
        &contract.0["components"]["responses"]["error"]["content"]["application/json"]["examples"];
    let expect = |name: &str, reply: &Reply| {
        let example = &examples[name]["value"]["error"];
        let found = reply.json()["error"].clone();
        assert_eq!(found["code"], example["code"], "{name}");
        // Only the directory is another one.
        let cut = |value: &Value| {
            let text = value.as_str().unwrap().to_owned();
            text.split(" in the directory").next().unwrap().to_owned()
        };
        assert_eq!(cut(&found["message"]), cut(&example["message"]), "{name}");
        let keys = |value: &Value| {
            let object = value["innerError"].as_object().unwrap();
            object.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys(&found), keys(example), "{name}");
    };
    expect("notXml", &session.put_policy("B2C_1A_X", "{}").await);
    expect("notFound", &session.get("/keySets/B2C_1A_Missing").await);
    session.keyset("keyset1").await;
    expect(
        "keySetExists",
        &session.post("/keySets", json!({"id": "keyset1"})).await,
    );
    let generate = |kty: &'static str| {
        session.post(
            "/keySets/B2C_1A_keyset1/generateKey",
            json!({"use": "sig", "kty": kty}),
        )
    };
    generate("RSA").await.expect(200);
    expect("mixedKeyTypes", &generate("oct").await);
    let with_kid = json!({"keys": [{"kid": "x", "kty": "RSA"}]});
    expect(
        "keyWithKid",
        &session
            .json("PUT", "/keySets/B2C_1A_keyset1", with_kid)
            .await,
    );
    for (name, fault) in [
        ("serviceProblem", Fault::ServiceProblem),
        ("unknownError", Fault::UnknownError(500)),
    ] {
        session
            .emulator
            .set_faults(Faults::default().with(FaultRule::new(fault)));
        expect(name, &session.get("/policies").await);
    }
}
