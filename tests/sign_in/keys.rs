//! RSA keys with certificates and signatures, made without the code under test.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _};
use aws_lc_rs::{digest, signature::RsaSignatureEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

pub(crate) const DAY: i64 = 86_400;

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) struct Key(KeyPair);

impl Key {
    /// A key that all tests share, because making one takes long.
    pub(crate) fn one() -> &'static Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        KEY.get_or_init(Self::generate)
    }

    /// Another one.
    pub(crate) fn other() -> &'static Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        KEY.get_or_init(Self::generate)
    }

    fn generate() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// PKCS#8, as `openssl req -nodes` writes it.
    pub(crate) fn pem(&self) -> String {
        pem("PRIVATE KEY", &self.pkcs8())
    }

    /// PKCS#1, as older tools write it.
    pub(crate) fn old_pem(&self) -> String {
        // Version, algorithm, and the header of the OCTET STRING: the same for all keys of a size.
        pem("RSA PRIVATE KEY", &self.pkcs8()[26..])
    }

    fn pkcs8(&self) -> Vec<u8> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().unwrap();
        der.as_ref().to_vec()
    }

    /// A certificate for this key, valid from and to so many seconds from now.
    pub(crate) fn certificate(&self, from: i64, to: i64) -> Vec<u8> {
        let public = self.0.public_key().as_ref();
        self.certificate_of(public, from, to)
    }

    fn certificate_of(&self, public: &[u8], from: i64, to: i64) -> Vec<u8> {
        const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
        const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
        const COMMON_NAME: &[u8] = &[0x55, 4, 3];
        let algorithm = |oid| sequence(&[tlv(6, oid), tlv(5, &[])]);
        let attribute = sequence(&[tlv(6, COMMON_NAME), tlv(12, b"contoso")]);
        let name = sequence(&[tlv(0x31, &attribute)]);
        let time = |offset: i64| {
            let date = iefctl::deploy::date(now() + offset);
            let digits: String = date.chars().filter(char::is_ascii_digit).collect();
            tlv(0x18, format!("{digits}Z").as_bytes())
        };
        let tbs = sequence(&[
            tlv(0xa0, &tlv(2, &[2])),
            tlv(2, &[1]),
            algorithm(SHA256_WITH_RSA),
            name.clone(),
            sequence(&[time(from), time(to)]),
            name,
            sequence(&[algorithm(RSA_ENCRYPTION), bits(public)]),
        ]);
        let signature = self.sign_bytes(&signature::RSA_PKCS1_SHA256, &tbs);
        sequence(&[tbs, algorithm(SHA256_WITH_RSA), bits(&signature)])
    }

    fn sign_bytes(&self, encoding: &'static RsaSignatureEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .unwrap();
        signature
    }

    /// A token with this header and these claims, signed as the header says.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            base64url(header.to_string()),
            base64url(claims.to_string())
        );
        let encoding: &'static RsaSignatureEncoding = match header["alg"].as_str() {
            Some("PS256") => &signature::RSA_PSS_SHA256,
            _ => &signature::RSA_PKCS1_SHA256,
        };
        let signature = self.sign_bytes(encoding, signed.as_bytes());
        format!("{signed}.{}", base64url(signature))
    }

    /// The public half as a JSON Web Key.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        // `RSAPublicKey` of 2048 bits: the header, a zero and the modulus, and the exponent 65537.
        let public = self.0.public_key().as_ref();
        assert_eq!((public.len(), public[8]), (270, 0));
        let (n, e) = (&public[9..265], &public[267..]);
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
            "n": base64url(n),
            "e": base64url(e),
        })
    }
}

pub(crate) fn certificate_pem(der: &[u8]) -> String {
    pem("CERTIFICATE", der)
}

pub(crate) fn sha256_thumbprint(der: &[u8]) -> String {
    base64url(digest::digest(&digest::SHA256, der))
}

fn pem(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
        lines.join("\n")
    )
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        Ok(long) => out.extend([0x81, long]),
        Err(_) => {
            let long = u16::try_from(length).unwrap().to_be_bytes();
            out.extend([0x82, long[0], long[1]]);
        }
    }
    out.extend(content);
    out
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn bits(content: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], content].concat())
}
