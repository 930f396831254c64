//! The state folder: restarts, interrupted writes, and folders that are not ours.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn kept(folder: &Path) -> EmulatorOptions {
    EmulatorOptions {
        state: Some(folder.to_owned()),
        reuse_rsa_key: true,
        ..EmulatorOptions::default()
    }
}

#[tokio::test]
async fn a_second_start_sees_the_tenant_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not/there/yet");
    let first = session(kept(&path)).await;
    first.keyset("K").await;
    let secret = json!({"use": "sig", "k": "hunter2"});
    first
        .post("/keySets/B2C_1A_K/uploadSecret", secret)
        .await
        .expect(200);
    first.keyset("Gone").await;
    first
        .call("DELETE", "/keySets/B2C_1A_Gone")
        .await
        .expect(204);
    first
        .put_policy("B2C_1A_Base", &policy("B2C_1A_Base", None, &["B2C_1A_K"]))
        .await
        .expect(201);
    first
        .put_policy("B2C_1A_X", &policy("B2C_1A_X", None, &[]))
        .await
        .expect(201);
    first.call("DELETE", "/policies/B2C_1A_X").await.expect(204);
    let keyset = first.get("/keySets/B2C_1A_K").await.json()["keys"].clone();
    let xml = first.get("/policies/B2C_1A_Base/$value").await.text;
    let id = first.emulator.store().tenant_id(TENANT);
    assert_eq!(
        first.emulator.state_folder().as_deref(),
        Some(path.as_path())
    );
    first.emulator.shutdown().await;

    let names = |part: &str| -> Vec<String> {
        let entries = fs::read_dir(path.join(TENANT).join(part)).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    assert_eq!(names("policies"), ["b2c_1a_base.xml"]);
    assert_eq!(names("keysets"), ["b2c_1a_k.json"]);
    let text = fs::read_to_string(path.join(TENANT).join("keysets/b2c_1a_k.json")).unwrap();
    assert!(
        !text.contains("hunter2") && text.contains("\n  \"id\": \"B2C_1A_K\""),
        "{text}"
    );

    let second = session(kept(&path)).await;
    assert_eq!(second.emulator.store().tenant_id(TENANT), id);
    assert_eq!(second.get("/keySets/B2C_1A_K").await.json()["keys"], keyset);
    assert_eq!(second.get("/policies/B2C_1A_Base/$value").await.text, xml);
    let child = policy("B2C_1A_Child", Some("B2C_1A_Base"), &[]);
    second.put_policy("B2C_1A_Child", &child).await.expect(201);
    assert_eq!(second.get("/policies/$count").await.text, "2");
    // A token of the first emulator is signed with another key.
    let stale = second.http.get(format!(
        "{}/beta/trustFramework/policies",
        second.emulator.url()
    ));
    send(stale.bearer_auth(first.token)).await.expect(401);
}

/// Two emulators on one folder would overwrite each other's writes unseen.
#[tokio::test]
async fn a_folder_belongs_to_one_emulator_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = try_start(kept(folder.path())).await.unwrap();
    let error = try_start(kept(folder.path()))
        .await
        .unwrap_err()
        .to_string();
    let process = format!("(process {})", std::process::id());
    assert!(
        error.contains("another emulator") && error.contains(&process),
        "{error}"
    );
    let xml = policy("B2C_1A_X", None, &[]);
    first.store().put_policy(TENANT, &xml).unwrap();
    first.shutdown().await;
    let second = try_start(kept(folder.path())).await.unwrap();
    assert_eq!(second.store().policies(TENANT), ["B2C_1A_X"]);
}

#[tokio::test]
async fn the_learned_domain_of_a_tenant_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let id = "aaaaaaaa-0000-0000-0000-000000000001";
    let base = default_session().await;
    let emulator = try_start(kept(folder.path())).await.unwrap();
    let token = sign_in::token(&base.http, &emulator.url(), id).await;
    let session = Session {
        emulator,
        token,
        ..base
    };
    session
        .put_policy("B2C_1A_X", &policy("B2C_1A_X", None, &[]))
        .await
        .expect(201);
    session.emulator.shutdown().await;
    let again = try_start(kept(folder.path())).await.unwrap();
    assert_eq!(again.store().tenant_id(TENANT), id);
    assert_eq!(again.store().policies(TENANT), ["B2C_1A_X"]);
    // The folder keeps the name it was made with.
    again
        .store()
        .put_policy(TENANT, &policy("B2C_1A_Y", None, &[]))
        .unwrap();
    assert!(
        folder
            .path()
            .join(id)
            .join("policies/b2c_1a_y.xml")
            .is_file()
    );
    let names = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let tenants = names.filter(|name| !name.to_string_lossy().starts_with('.'));
    assert_eq!(tenants.count(), 1);
}

#[tokio::test]
async fn seeding_is_kept_too() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = try_start(kept(folder.path())).await.unwrap();
    let store = emulator.store();
    assert_eq!(
        store
            .put_policy(TENANT, &policy("X", Some("B2C_1A_No"), &["K"]))
            .unwrap(),
        "B2C_1A_X"
    );
    store.put_simple_keyset(TENANT, "K", "RSA", "sig").unwrap();
    assert!(store.put_policy(TENANT, "<a/>").is_err());
    store.remove_policy(TENANT, "nothing").unwrap();
    emulator.shutdown().await;
    let again = try_start(kept(folder.path())).await.unwrap();
    assert_eq!(again.store().policies(TENANT), ["B2C_1A_X"]);
    assert_eq!(again.store().keysets(TENANT)[0].id, "B2C_1A_K");
    again.store().remove_policy(TENANT, "b2c_1a_x").unwrap();
    again.store().remove_keyset(TENANT, "b2c_1a_k").unwrap();
    again.shutdown().await;
    let third = try_start(kept(folder.path())).await.unwrap();
    assert!(third.store().policies(TENANT).is_empty() && third.store().keysets(TENANT).is_empty());
}

#[tokio::test]
async fn corrupt_state_is_named_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = try_start(kept(folder.path())).await.unwrap();
    emulator
        .store()
        .put_policy(TENANT, &policy("B2C_1A_X", None, &[]))
        .unwrap();
    emulator
        .store()
        .put_simple_keyset(TENANT, "K", "RSA", "sig")
        .unwrap();
    emulator.shutdown().await;
    let tenant = folder.path().join(TENANT);
    for (file, content) in [
        ("policies/b2c_1a_x.xml", &b"<TrustFrameworkPol"[..]),
        ("policies/b2c_1a_x.xml", b"<a/>"),
        ("policies/b2c_1a_x.xml", b"\xff\xfe"),
        ("policies/b2c_1a_x.xml", b""),
        ("keysets/b2c_1a_k.json", b"{\"id\":"),
        ("keysets/b2c_1a_k.json", b"[]"),
        (
            "keysets/b2c_1a_k.json",
            br#"{"id":"B2C_1A_Other","keys":[]}"#,
        ),
        (
            "keysets/b2c_1a_k.json",
            br#"{"id":"B2C_1A_K","keys":[],"extra":1}"#,
        ),
        ("tenant.json", b"{}"),
        (
            "tenant.json",
            br#"{"id":"x","domain":null,"idIsReal":false}"#,
        ),
    ] {
        let path = tenant.join(file);
        let good = fs::read(&path).unwrap();
        fs::write(&path, content).unwrap();
        let error = try_start(kept(folder.path())).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&*path.to_string_lossy()), "{text}");
        assert_eq!(fs::read(&path).unwrap(), content);
        fs::write(&path, good).unwrap();
    }
    fs::copy(
        tenant.join("policies/b2c_1a_x.xml"),
        tenant.join("policies/copy.xml"),
    )
    .unwrap();
    let error = try_start(kept(folder.path())).await.unwrap_err();
    assert!(error.to_string().contains("copy.xml"), "{error}");
    fs::remove_file(tenant.join("policies/copy.xml")).unwrap();
    fs::remove_file(tenant.join("tenant.json")).unwrap();
    assert!(try_start(kept(folder.path())).await.is_err());

    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(try_start(kept(file.path())).await.is_err());
}

#[tokio::test]
async fn what_an_interrupted_write_leaves_behind_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = try_start(kept(folder.path())).await.unwrap();
    emulator
        .store()
        .put_policy(TENANT, &policy("B2C_1A_X", None, &[]))
        .unwrap();
    emulator.shutdown().await;
    let tenant = folder.path().join(TENANT);
    for place in ["policies/.77-0.tmp", "keysets/.77-1.tmp", ".77-2.tmp"] {
        fs::write(tenant.join(place), b"<Trust").unwrap();
    }
    // A tenant's folder whose making was interrupted.
    fs::create_dir_all(folder.path().join("fabrikam.onmicrosoft.com/policies")).unwrap();
    let again = try_start(kept(folder.path())).await.unwrap();
    assert_eq!(again.store().policies(TENANT), ["B2C_1A_X"]);
    assert!(!tenant.join("policies/.77-0.tmp").exists());
    let fabrikam = "fabrikam.onmicrosoft.com";
    again
        .store()
        .put_policy(fabrikam, &policy_of(fabrikam, "B2C_1A_F", None, &[]))
        .unwrap();
    again.shutdown().await;
    let third = try_start(kept(folder.path())).await.unwrap();
    assert_eq!(third.store().policies(fabrikam), ["B2C_1A_F"]);
}

/// Whoever looks at the file at any moment, as a start after a kill would, sees one version whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_old_or_new_at_every_moment() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = try_start(kept(folder.path())).await.unwrap();
    let version = |number: usize| {
        let filler = char::from(b'a' + (number % 26) as u8)
            .to_string()
            .repeat(60_000);
        policy("B2C_1A_X", None, &[]).replace("<!-- ", &format!("<!-- {filler} "))
    };
    emulator.store().put_policy(TENANT, &version(0)).unwrap();
    let path = folder.path().join(TENANT).join("policies/b2c_1a_x.xml");
    let length = fs::metadata(&path).unwrap().len();
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (done, path) = (Arc::clone(&done), path.clone());
        std::thread::spawn(move || {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) || looks == 0 {
                let text = fs::read_to_string(&path).unwrap();
                assert_eq!(text.len() as u64, length);
                let bytes = text.as_bytes();
                let at = text.find("<!-- ").unwrap() + 5;
                assert!(bytes[at..at + 60_000].iter().all(|byte| *byte == bytes[at]));
                looks += 1;
            }
        })
    };
    for number in 1..80 {
        emulator
            .store()
            .put_policy(TENANT, &version(number))
            .unwrap();
    }
    done.store(true, Ordering::Relaxed);
    reader.join().unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_an_error_of_the_request() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(kept(folder.path())).await;
    session
        .put_policy("B2C_1A_X", &policy("B2C_1A_X", None, &[]))
        .await
        .expect(201);
    let tenant = folder.path().join(TENANT);
    fs::remove_dir_all(tenant.join("policies")).unwrap();
    fs::write(tenant.join("policies"), b"in the way").unwrap();
    let reply = session
        .put_policy("B2C_1A_Y", &policy("B2C_1A_Y", None, &[]))
        .await
        .expect(500);
    assert!(reply.error().2.contains("cannot"), "{}", reply.text);
    // What is not on disk is not in memory either.
    assert_eq!(session.emulator.store().policies(TENANT), ["B2C_1A_X"]);
}
