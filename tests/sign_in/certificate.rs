//! The client certificate.

use std::path::PathBuf;

use iefctl::emulator::{Application, EmulatorOptions, Fault, FaultRule, Faults};

use crate::keys::{DAY, Key, certificate_pem};
use crate::sandbox::Sandbox;
use crate::{CLIENT, TENANT, assert_says, emulator, knows, lasting, list, sign_ins, source};

fn application(certificates: &[&[u8]]) -> Application {
    Application {
        certificates: certificates.iter().map(|der| der.to_vec()).collect(),
        ..Application::new(CLIENT)
    }
}

fn variables(sandbox: &Sandbox, text: &str) -> Vec<(&'static str, String)> {
    sandbox.write("client.pem", text);
    let path: PathBuf = sandbox.path().join("client.pem");
    vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("AZURE_CLIENT_CERTIFICATE_PATH", path.display().to_string()),
    ]
}

#[tokio::test]
async fn every_form_of_the_file_signs_in_and_every_renewal_is_signed_anew() {
    let key = Key::one();
    let other = Key::other();
    let certificate = key.certificate(-DAY, DAY);
    let emulator = emulator(knows(application(&[&certificate]))).await;
    let sandbox = Sandbox::new();
    let own = certificate_pem(&certificate);
    let chain = certificate_pem(&other.certificate(-DAY, DAY));
    let forms = [
        format!("{}{own}", key.pem()),
        format!(
            "Bag Attributes\n  friendlyName: contoso\n{own}{}",
            key.old_pem()
        ),
        format!("{chain}{own}{}", key.pem()).replace('\n', "\r\n"),
    ];
    for form in forms {
        let source = source(&emulator, &variables(&sandbox, &form)).unwrap();
        // The emulator refuses an assertion that comes twice.
        for _ in 0..3 {
            source.token().await.unwrap();
        }
    }
    assert_eq!(sign_ins(&emulator), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_signs_in_and_renews_in_the_middle() {
    let key = Key::one();
    let certificate = key.certificate(-DAY, DAY);
    let emulator = emulator(lasting(application(&[&certificate]))).await;
    // Graph says once that the token expired.
    emulator.set_faults(Faults {
        rules: vec![FaultRule::new(Fault::RevokeToken).limit(1)],
        ..Faults::default()
    });
    let mut sandbox = Sandbox::new();
    let text = format!("{}{}", key.pem(), certificate_pem(&certificate));
    sandbox.variables = variables(&sandbox, &text);
    let done = list(&mut sandbox, &emulator, &["-v"]).expect(0);
    assert_says(
        &done.stderr,
        &[
            "signs in by certificate",
            CLIENT,
            "because AZURE_CLIENT_CERTIFICATE_PATH",
        ],
    );
    assert_eq!(sign_ins(&emulator), 2);
}

/// Somebody has put the key or the token itself where a path belongs.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_path_is_not_shown_whole() {
    let emulator = emulator(lasting(application(&[]))).await;
    let mut sandbox = Sandbox::new();
    let key = format!("{}{}", "MIIK".repeat(25), "secret".repeat(300));
    for variable in [
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE",
    ] {
        sandbox.variables = vec![
            ("AZURE_CLIENT_ID", CLIENT.to_owned()),
            (variable, key.clone()),
        ];
        let refused = list(&mut sandbox, &emulator, &[]).expect(2);
        assert_says(&refused.stderr, &[variable, "MIIKMIIK…`", "cannot be read"]);
        assert!(!refused.said().contains("secret"), "{}", refused.said());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_right_are_explained_before_anything_is_sent() {
    let key = Key::one();
    let other = Key::other();
    let good = key.certificate(-DAY, DAY);
    let emulator = emulator(lasting(application(&[&good]))).await;
    let mut sandbox = Sandbox::new();
    let pem = |der: &[u8]| certificate_pem(der);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let cases = [
        (
            key.pem() + &pem(&key.certificate(-9 * DAY, -2 * DAY)),
            "expired on",
        ),
        (
            key.pem() + &pem(&key.certificate(2 * DAY, 9 * DAY)),
            "not valid before",
        ),
        (
            key.pem() + &pem(&other.certificate(-DAY, DAY)),
            "do not belong together",
        ),
        (
            key.pem() + &pem(&other.certificate(-DAY, DAY)).repeat(2),
            "2 certificates, and none",
        ),
        (
            key.pem() + &other.pem() + &pem(&good),
            "more than one private key",
        ),
        (key.pem(), "no certificate"),
        (pem(&good), "no private key"),
        (encrypted.to_owned() + &pem(&good), "openssl pkey"),
        (String::new(), "no PEM file"),
        (
            key.pem().replace("-----END PRIVATE KEY-----\n", "") + &pem(&good),
            "has no end",
        ),
    ];
    for (text, expected) in cases {
        sandbox.variables = variables(&sandbox, &text);
        let done = list(&mut sandbox, &emulator, &[]).expect(2);
        let named = ["AZURE_CLIENT_CERTIFICATE_PATH", "client.pem", expected];
        assert_says(&done.stderr, &named);
    }
    sandbox.variables[1].1 = "gone.pem".to_owned();
    let gone = list(&mut sandbox, &emulator, &[]).expect(2);
    assert_says(&gone.stderr, &["gone.pem", "cannot be read"]);
    std::fs::write(sandbox.path().join("client.pfx"), [0x30, 0x82, 0, 0]).unwrap();
    sandbox.variables[1].1 = "client.pfx".to_owned();
    let archive = list(&mut sandbox, &emulator, &[]).expect(2);
    assert_says(&archive.stderr, &["openssl pkcs12"]);
    assert_eq!(emulator.requests(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_entra_refuses_comes_with_what_to_do() {
    let key = Key::one();
    let certificate = key.certificate(-DAY, DAY);
    let text = key.pem() + &certificate_pem(&certificate);
    let mut sandbox = Sandbox::new();
    sandbox.variables = variables(&sandbox, &text);
    let other = Key::other().certificate(-DAY, DAY);

    let unregistered = emulator(lasting(application(&[&other]))).await;
    let done = list(&mut sandbox, &unregistered, &[]).expect(2);
    assert_says(
        &done.stderr,
        &[
            "AADSTS700027",
            "Upload the certificate",
            TENANT,
            "--auth chooses another",
        ],
    );

    let unknown = emulator(lasting(Application::new("other"))).await;
    let done = list(&mut sandbox, &unknown, &[]).expect(2);
    assert_says(&done.stderr, &["AADSTS700016", "B2C tenant itself"]);

    for (ahead, words) in [(3_600, "60 minutes behind"), (-7_200, "2 hours ahead of")] {
        let skewed = emulator(EmulatorOptions {
            clock_ahead: ahead,
            ..lasting(application(&[&certificate]))
        })
        .await;
        let done = list(&mut sandbox, &skewed, &[]).expect(2);
        assert_says(
            &done.stderr,
            &["AADSTS700024", "clock of this machine is", words],
        );
        assert_eq!(sign_ins(&skewed), 1, "not repeated");
    }
}
