//! The PEM file of a client certificate: one private RSA key and the certificate that belongs to it,
//! among others perhaps. Every way in which such files are wrong has its own sentence.

use std::path::Path;

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use secrecy::{ExposeSecret as _, SecretString};

use crate::x509::Certificate;

/// Far above any chain of certificates; what is larger is another file.
const MAX_BYTES: u64 = 1024 * 1024;

/// A private key and the certificate that belongs to it.
pub(super) struct KeyAndCertificate {
    pub(super) key: KeyPair,
    /// DER.
    pub(super) certificate: Vec<u8>,
    /// Begin and end of validity, seconds since 1970.
    pub(super) validity: (i64, i64),
}

/// Reads the text of a file; the error is what is wrong with it, to stand behind its name.
pub(super) fn read(path: &Path) -> Result<SecretString, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("is no regular file".to_owned());
    }
    if metadata.len() > MAX_BYTES {
        return Err(
            "is larger than 1 MB: it is no PEM file with a key and a certificate".to_owned(),
        );
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    // A SEQUENCE: DER, as certificates and PKCS#12 archives are.
    if bytes.first() == Some(&0x30) {
        return Err(
            "is no PEM file: a .pfx or .p12 archive becomes one by `openssl pkcs12 -in FILE -nodes \
             -out client.pem`; a .cer or .der file has no private key"
                .to_owned(),
        );
    }
    String::from_utf8(bytes)
        .map(SecretString::from)
        .map_err(|_| "is no PEM file: it is not even text".to_owned())
}

/// Finds the key and its certificate in a text.
pub(super) fn parse(text: &SecretString) -> Result<KeyAndCertificate, String> {
    let text = text.expose_secret();
    if let Some(line) = encrypted(text) {
        return Err(format!(
            "has an encrypted private key in line {line}, and iefctl asks for no passphrase: write a \
             copy without one by `openssl pkey -in FILE -out key.pem`, append the certificate, and \
             protect the file by its permissions or your CI system's secret files"
        ));
    }
    // Readers of PEM take what follows for a part of such a section.
    if let Some((line, kind)) = unfinished(text) {
        return Err(format!(
            "is damaged: section {kind}, which begins in line {line}, has no end"
        ));
    }
    let mut keys = Vec::new();
    let mut certificates = Vec::new();
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes());
    for section in sections {
        let Ok((kind, der)) = section else {
            return Err(damaged(text));
        };
        match kind {
            SectionKind::PrivateKey => keys.push(KeyPair::from_pkcs8(&der)),
            SectionKind::RsaPrivateKey => keys.push(KeyPair::from_der(&der)),
            SectionKind::EcPrivateKey => return Err(not_rsa()),
            SectionKind::Certificate => certificates.push(der),
            _ => {}
        }
    }
    let mut keys = keys.into_iter();
    let key = match (keys.next(), keys.next()) {
        (None, _) if certificates.is_empty() && !text.contains("-----BEGIN ") => {
            return Err(
                "is no PEM file: nothing in it begins with -----BEGIN PRIVATE KEY-----".to_owned(),
            );
        }
        (None, _) => {
            return Err(
                "has no private key: append the one that belongs to the certificate, from \
                 -----BEGIN PRIVATE KEY----- to its end"
                    .to_owned(),
            );
        }
        (Some(_), Some(_)) => {
            return Err(
                "has more than one private key: leave the one that belongs to the certificate"
                    .to_owned(),
            );
        }
        // What is refused is either of another kind or shorter than 2048 bits.
        (Some(key), None) => key.map_err(|_| not_rsa())?,
    };
    if certificates.is_empty() {
        return Err(
            "has no certificate: append the one that was uploaded to the application, from \
             -----BEGIN CERTIFICATE----- to its end"
                .to_owned(),
        );
    }
    matching(key, certificates)
}

fn matching(key: KeyPair, certificates: Vec<Vec<u8>>) -> Result<KeyAndCertificate, String> {
    let public = key.public_key().as_ref();
    let mut readable = 0;
    let count = certificates.len();
    for der in certificates {
        let Some(certificate) = Certificate::read(&der) else {
            continue;
        };
        readable += 1;
        if Certificate::rsa_public_key(&der) == Some(public) {
            return Ok(KeyAndCertificate {
                key,
                validity: (certificate.not_before, certificate.not_after),
                certificate: der,
            });
        }
    }
    Err(match (count, readable) {
        (_, 0) => "has a section CERTIFICATE that holds no certificate".to_owned(),
        (1, _) => {
            "has a private key and a certificate that do not belong together: the certificate is for \
             another key"
                .to_owned()
        }
        _ => format!("has {count} certificates, and none of them belongs to its private key"),
    })
}

fn not_rsa() -> String {
    "has a private key that cannot be used: Entra takes certificates with RSA keys of 2048 bits or \
     more, in PKCS#8 (PRIVATE KEY) or PKCS#1 (RSA PRIVATE KEY)"
        .to_owned()
}

/// The line of an encrypted key, in either of its two forms.
fn encrypted(text: &str) -> Option<usize> {
    let mut lines = text.lines();
    let marks = [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "Proc-Type: 4,ENCRYPTED",
    ];
    let line = lines.position(|line| marks.contains(&line.trim()))?;
    Some(line + 1)
}

/// Line and kind of the first section that has no end.
fn unfinished(text: &str) -> Option<(usize, &str)> {
    let mut open = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(kind) = line.strip_prefix("-----BEGIN ") {
            if open.is_some() {
                return open;
            }
            open = Some((number, kind.trim_end_matches('-')));
        } else if line.starts_with("-----END ") {
            open = None;
        }
    }
    open
}

/// Where the first line is that is not base64.
fn damaged(text: &str) -> String {
    let mut section = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(kind) = line.strip_prefix("-----BEGIN ") {
            section = Some(kind.trim_end_matches('-'));
        } else if line.starts_with("-----END ") {
            section = None;
        } else if let Some(kind) = section
            && !line.bytes().all(is_base64)
        {
            return format!(
                "is damaged in line {number}: section {kind} has a line that is not base64"
            );
        }
    }
    "is damaged: a section is not base64".to_owned()
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrong(text: &str) -> String {
        parse(&SecretString::from(text)).err().unwrap()
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(wrong("").contains("no PEM file"));
        assert!(wrong("hello\n").contains("no PEM file"));
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(wrong(certificate).contains("no private key"));
        let encrypted = "x\r\n-----BEGIN ENCRYPTED PRIVATE KEY-----\r\nAAAA\r\n";
        assert!(wrong(encrypted).contains("line 2"), "{}", wrong(encrypted));
        let old =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nAA==\n";
        assert!(wrong(old).contains("encrypted"), "{}", wrong(old));
        let elliptic = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
        assert!(wrong(elliptic).contains("RSA"));
        let junk = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(wrong(junk).contains("cannot be used"));
    }

    #[test]
    fn damage_has_its_line() {
        let open = format!("{}-----BEGIN PRIVATE KEY-----\nAAAA\n", "note\n".repeat(3));
        assert!(
            wrong(&open).contains("begins in line 4"),
            "{}",
            wrong(&open)
        );
        let odd = "-----BEGIN PRIVATE KEY-----\nAA?A\n-----END PRIVATE KEY-----\n";
        assert!(wrong(odd).contains("line 2"), "{}", wrong(odd));
        assert!(!wrong(odd).contains("AA?A"));
    }

    #[test]
    fn a_section_without_end_does_not_run_into_the_next() {
        // Whole groups of base64, which would decode together.
        let text = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----BEGIN CERTIFICATE-----\nAAAA\n\
                    -----END CERTIFICATE-----\n";
        assert!(wrong(text).contains("begins in line 1"), "{}", wrong(text));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(-----(BEGIN|END) (RSA PRIVATE KEY|CERTIFICATE)-----|[A-Za-z+/=\r\n -]){0,60}") {
            let _ = parse(&SecretString::from(text));
        }
    }
}
