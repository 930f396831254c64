//! Applications, service principals, consent and the organization, as Microsoft Graph answers.

use iefctl::emulator::DirectoryOptions;

use super::*;

impl Session {
    async fn graph(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let url = format!("{}{path}", self.emulator.url());
        let request = self.http.request(method.parse().unwrap(), url);
        let request = request.bearer_auth(&self.token);
        match body {
            Some(body) => send(request.json(&body)).await,
            None => send(request).await,
        }
    }

    async fn register(&self, name: &str) -> Value {
        let body = json!({"displayName": name});
        let reply = self.graph("POST", "/v1.0/applications", Some(body)).await;
        reply.expect(201).json()
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let reply = self.graph("GET", path, None).await;
        reply.expect(200).json()["value"]
            .as_array()
            .unwrap()
            .clone()
    }
}

fn of(directory: DirectoryOptions) -> EmulatorOptions {
    EmulatorOptions {
        directory,
        ..EmulatorOptions::default()
    }
}

fn code(reply: &Reply) -> String {
    reply.json()["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_new_tenant_has_the_extensions_application_and_is_a_b2c_tenant() {
    let session = default_session().await;
    let path = "/v1.0/applications?$filter=startsWith(displayName,'b2c-extensions-app')";
    let found = session.list(path).await;
    assert_eq!(found.len(), 1);
    assert_ne!(found[0]["id"], found[0]["appId"]);
    // The same ids in the next start: nothing is kept before something changes.
    let again = default_session().await.list(path).await;
    assert_eq!(found, again);

    let organization = session.list("/v1.0/organization").await;
    assert_eq!(organization[0]["tenantType"], "AAD B2C");
    assert_eq!(organization[0]["verifiedDomains"][0]["name"], TENANT);
    assert!(organization[0].get("directorySizeQuota").is_none());
    let quota = session
        .list("/beta/organization?$select=directorySizeQuota")
        .await;
    assert_eq!(quota[0]["directorySizeQuota"]["total"], 50_000);
    let reply = session
        .graph("GET", "/v1.0/organization?$select=directorySizeQuota", None)
        .await
        .expect(400);
    assert!(reply.text.contains("directorySizeQuota"), "{}", reply.text);
}

#[tokio::test]
async fn lists_are_filtered_selected_and_paged() {
    let session = session(of(DirectoryOptions {
        page_size: 2,
        ..DirectoryOptions::default()
    }))
    .await;
    for name in ["O'Hara", "o'hara", "Other", "O'Hara"] {
        session.register(name).await;
    }
    let mut url = format!(
        "{}/v1.0/applications?$filter=displayName%20eq%20'O''Hara'&$select=appId",
        session.emulator.url()
    );
    let mut ids = Vec::new();
    loop {
        let request = session.http.get(&url).bearer_auth(&session.token);
        let page = send(request).await.expect(200).json();
        for item in page["value"].as_array().unwrap() {
            assert_eq!(item.as_object().unwrap().len(), 1, "{item}");
            ids.push(item["appId"].as_str().unwrap().to_owned());
        }
        match page["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(ids.len(), 3, "case does not count, other names do");
    for query in [
        "$filter=displayName ne 'x'",
        "$orderby=displayName",
        "$top=0",
    ] {
        let path = format!("/v1.0/applications?{query}");
        session.graph("GET", &path, None).await.expect(400);
    }
}

#[tokio::test]
async fn applications_are_created_changed_and_refused_as_in_graph() {
    let session = default_session().await;
    let created = session.register("Contoso").await;
    let path = format!("/v1.0/applications/{}", created["id"].as_str().unwrap());
    let scope =
        json!({"id": "11111111-0000-4000-8000-000000000001", "value": "a", "isEnabled": true});
    let api = json!({"api": {"oauth2PermissionScopes": [scope]}});
    session.graph("PATCH", &path, Some(api)).await.expect(204);
    // What a change does not name stays, also within an object.
    let more =
        json!({"publicClient": {"redirectUris": ["myapp://auth"]}, "isFallbackPublicClient": true});
    session.graph("PATCH", &path, Some(more)).await.expect(204);
    let now = session.graph("GET", &path, None).await.expect(200).json();
    assert_eq!(now["api"]["oauth2PermissionScopes"][0], scope);
    assert_eq!(now["publicClient"]["redirectUris"][0], "myapp://auth");
    assert_eq!(now["displayName"], "Contoso");

    for (body, expected) in [
        (
            json!({"api": {"oauth2PermissionScopes": []}}),
            "CannotDeleteOrUpdateEnabledEntitlement",
        ),
        (
            json!({"identifierUris": ["https://fabrikam.com/x"]}),
            "HostNameNotOnVerifiedDomain",
        ),
        (
            json!({"web": {"redirectUris": ["no url"]}}),
            "Request_BadRequest",
        ),
        (json!({"surprise": 1}), "Request_BadRequest"),
        (json!({"displayName": ""}), "Request_BadRequest"),
    ] {
        let reply = session.graph("PATCH", &path, Some(body)).await.expect(400);
        assert_eq!(code(&reply), expected);
    }
    let uri = json!({"identifierUris": [format!("https://{TENANT}/x")]});
    session
        .graph("PATCH", &path, Some(uri.clone()))
        .await
        .expect(204);
    let other = session.register("Other").await;
    let other = format!("/v1.0/applications/{}", other["id"].as_str().unwrap());
    session.graph("PATCH", &other, Some(uri)).await.expect(400);
    let missing = "/v1.0/applications/11111111-0000-4000-8000-00000000ffff";
    let reply = session
        .graph("PATCH", missing, Some(json!({})))
        .await
        .expect(404);
    assert_eq!(code(&reply), "Request_ResourceNotFound");
    session
        .graph("POST", "/v1.0/applications", Some(json!({})))
        .await
        .expect(400);
    session
        .graph("GET", "/v1.0/applications/x/owners", None)
        .await
        .expect(400);
    session.graph("GET", "/v1.0/users", None).await.expect(400);
}

#[tokio::test]
async fn service_principals_and_consent_are_unique() {
    let session = default_session().await;
    let mut principals = Vec::new();
    for name in ["Client", "Resource"] {
        let body = json!({"appId": session.register(name).await["appId"]});
        let path = "/v1.0/servicePrincipals";
        let made = session
            .graph("POST", path, Some(body.clone()))
            .await
            .expect(201);
        principals.push(made.json());
        let again = session.graph("POST", path, Some(body)).await.expect(409);
        assert_eq!(code(&again), "Request_MultipleObjectsWithSameKeyValue");
    }
    let stranger = json!({"appId": "11111111-0000-4000-8000-00000000ffff"});
    let reply = session
        .graph("POST", "/v1.0/servicePrincipals", Some(stranger))
        .await;
    assert_eq!(code(&reply.expect(400)), "NoBackingApplicationObject");

    let grant = json!({"clientId": principals[0]["id"], "consentType": "AllPrincipals",
        "resourceId": principals[1]["id"], "scope": "a"});
    let path = "/v1.0/oauth2PermissionGrants";
    let made = session
        .graph("POST", path, Some(grant.clone()))
        .await
        .expect(201)
        .json();
    session.graph("POST", path, Some(grant)).await.expect(409);
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    session
        .graph("PATCH", &one, Some(json!({"scope": "a b"})))
        .await
        .expect(204);
    let filter = format!(
        "{path}?$filter=clientId eq '{}'",
        principals[0]["id"].as_str().unwrap()
    );
    let grants = session.list(&filter).await;
    assert_eq!((grants.len(), &grants[0]["scope"]), (1, &json!("a b")));
    for body in [
        json!({"clientId": principals[0]["id"], "consentType": "AllPrincipals", "resourceId": "x", "scope": "a"}),
        json!({"clientId": principals[0]["id"], "consentType": "Nobody", "resourceId": principals[1]["id"], "scope": "a"}),
    ] {
        let reply = session.graph("POST", path, Some(body)).await;
        assert!([400, 404].contains(&reply.status), "{}", reply.text);
    }
}

#[tokio::test]
async fn a_token_without_the_permission_is_refused_in_the_directorys_words() {
    let session = session(EmulatorOptions {
        roles: vec!["Policy.ReadWrite.TrustFramework".to_owned()],
        ..EmulatorOptions::default()
    })
    .await;
    for path in [
        "/v1.0/applications",
        "/v1.0/servicePrincipals",
        "/v1.0/oauth2PermissionGrants",
        "/v1.0/organization",
    ] {
        let reply = session.graph("GET", path, None).await.expect(403);
        assert_eq!(code(&reply), "Authorization_RequestDenied", "{path}");
    }
}

#[tokio::test]
async fn a_new_object_may_not_be_found_for_a_while() {
    let session = session(of(DirectoryOptions {
        replication_misses: 2,
        ..DirectoryOptions::default()
    }))
    .await;
    let created = session.register("Slow").await;
    let path = format!("/v1.0/applications/{}", created["id"].as_str().unwrap());
    session.graph("GET", &path, None).await.expect(404);
    assert!(
        session
            .list("/v1.0/applications?$filter=displayName eq 'Slow'")
            .await
            .is_empty()
    );
    session.graph("GET", &path, None).await.expect(200);
}

#[tokio::test]
async fn the_directory_is_kept_and_a_damaged_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let options = || EmulatorOptions {
        state: Some(folder.path().to_owned()),
        directory: DirectoryOptions {
            ief_applications: true,
            ..DirectoryOptions::default()
        },
        ..EmulatorOptions::default()
    };
    let first = session(options()).await;
    assert!(
        first
            .emulator
            .store()
            .application(TENANT, "ProxyIdentityExperienceFramework")
            .is_some()
    );
    first.register("Kept").await;
    let before = first.emulator.store().directory(TENANT);
    first.emulator.shutdown().await;
    let second = try_start(options()).await.unwrap();
    assert_eq!(second.store().directory(TENANT), before);
    second.shutdown().await;
    let file = folder.path().join(TENANT).join("directory.json");
    std::fs::write(&file, "{}").unwrap();
    let error = try_start(options()).await.unwrap_err().to_string();
    assert!(error.contains("directory.json"), "{error}");
}
