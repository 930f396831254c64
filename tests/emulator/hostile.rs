//! Ids and requests that mean harm.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use super::*;

/// All files but the one that is locked.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_name().unwrap() != ".lock" {
            found.push(path);
        }
    }
    found
}

/// Sends bytes as they are, because HTTP clients tidy paths up.
fn raw(session: &Session, head: &str, body: &[u8]) -> String {
    let address = session.emulator.url().replace("http://", "");
    let mut socket = TcpStream::connect(address).unwrap();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Content-Length: {}\r\n\r\n",
        session.token,
        body.len()
    );
    socket.write_all(request.as_bytes()).unwrap();
    socket.write_all(body).unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn escaped(id: &str) -> String {
    id.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_id_touches_a_file_outside_the_state_folder() {
    let outer = tempfile::tempdir().unwrap();
    let state = outer.path().join("a/b/state");
    fs::write(outer.path().join("x"), b"untouched").unwrap();
    let session = session(EmulatorOptions {
        state: Some(state.clone()),
        // The validator would refuse these ids before the store sees them.
        validate: false,
        ..EmulatorOptions::default()
    })
    .await;
    let long = "L".repeat(3000);
    let ids = [
        "../x",
        "../../../../x",
        "..",
        ".",
        "/x",
        "a/../../x",
        "..\\x",
        "C:\\x",
        "a\nb",
        "a\r\n\r\nb",
        "ünï—码",
        "\"'<>&",
        "%2e%2e%2fx",
        "~",
        "con",
        "a b",
        "$value",
        "x;y=z",
        &long,
        "\u{202e}x",
        "*?|",
        ".hidden",
        "trailing.",
    ];
    for id in ids {
        let in_xml: String = id.chars().map(|c| format!("&#{};", u32::from(c))).collect();
        let xml = policy(&format!("B2C_1A_{in_xml}"), None, &[]).replacen(&in_xml, "", 1);
        let path = format!(
            "/beta/trustFramework/policies/{}/$value",
            escaped(&format!("B2C_1A_{id}"))
        );
        let answer = raw(&session, &format!("PUT {path}"), xml.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 201"), "{id:?}: {answer}");
        let answer = raw(&session, &format!("GET {path}"), b"");
        assert!(answer.starts_with("HTTP/1.1 200"), "{id:?}: {answer}");
        session
            .post("/keySets", json!({"id": id}))
            .await
            .expect(201);
    }
    let stored = files(&state);
    // tenant.json, and one file for each policy and keyset. `..`, `.` and the like stay apart.
    assert_eq!(stored.len(), 1 + 2 * ids.len(), "{stored:#?}");
    assert_eq!(files(outer.path()).len(), stored.len() + 1);
    assert_eq!(fs::read(outer.path().join("x")).unwrap(), b"untouched");
    session.emulator.shutdown().await;
    let again = try_start(EmulatorOptions {
        state: Some(state.clone()),
        ..EmulatorOptions::default()
    })
    .await
    .unwrap();
    assert_eq!(again.store().policies(TENANT).len(), ids.len());
    assert_eq!(again.store().keysets(TENANT).len(), ids.len());
    for id in again.store().policies(TENANT) {
        again.store().remove_policy(TENANT, &id).unwrap();
    }
    assert_eq!(files(&state).len(), 1 + ids.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_and_tenants_that_mean_harm() {
    let outer = tempfile::tempdir().unwrap();
    let session = session(EmulatorOptions {
        state: Some(outer.path().join("state")),
        ..EmulatorOptions::default()
    })
    .await;
    for path in [
        "/beta/trustFramework/policies/../../../x/$value",
        "/beta/trustFramework/policies/%2e%2e/%2e%2e/$value",
        "/beta/trustFramework/policies/..%2f..%2fx/$value",
        "/beta/trustFramework/policies/%00/$value",
        "/beta/trustFramework/policies/%ff%fe/$value",
        "/beta/trustFramework/keySets/..%2f..%2fx/uploadSecret",
        "/../../etc/passwd",
        "/%2e%2e/oauth2/v2.0/token",
        "//",
        "/beta/trustFramework/policies('../x')/$value",
        "/beta/trustFramework/policies(''')/$value",
    ] {
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH", "BREW"] {
            let answer = raw(&session, &format!("{method} {path}"), b"<a/>");
            assert!(
                answer.starts_with("HTTP/1.1 4"),
                "{method} {path}: {answer}"
            );
        }
    }
    assert_eq!(files(outer.path()), Vec::<PathBuf>::new());
    session.get("/policies").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_requests_do_not_stop_the_emulator() {
    let session = default_session().await;
    let address = session.emulator.url().replace("http://", "");
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\n",
        b"PUT /beta/trustFramework/policies/x/$value HTTP/1.1\r\nContent-Length: 100\r\n\r\nshort",
        b"PUT /x HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let mut socket = TcpStream::connect(&address).unwrap();
        socket.write_all(bytes).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 2"));
    }
    for token in ["", "x y", "\u{fc}", "a.b.c.d"] {
        let answer = raw(
            &Session {
                token: token.to_owned(),
                emulator: try_start(EmulatorOptions::default()).await.unwrap(),
                http: session.http.clone(),
            },
            "GET /beta/trustFramework/policies",
            b"",
        );
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    session.put_policy("B2C_1A_X", &deep).await.expect(400);
    session
        .post("/keySets", json!({"id": "x".repeat(100_000)}))
        .await
        .expect(201);
    let nested = "[".repeat(200_000);
    send(session.request("POST", "/keySets").body(nested))
        .await
        .expect(400);
    session.get("/policies").await.expect(200);
}
