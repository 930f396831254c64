//! Assertions that an application signs with the key of its certificate (JWS, RFC 7515, with the
//! claims of RFC 7523). Entra's page: "Microsoft identity platform application authentication
//! certificate credentials".

use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::{digest, signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::pem::KeyAndCertificate;

/// How long an assertion is good, in seconds: Entra's page suggests five to ten minutes.
const LIFETIME: i64 = 600;

/// Signs assertions.
pub(super) struct Signer {
    key: KeyPair,
    /// `x5t#S256`: the SHA-256 of the certificate.
    thumbprint: String,
}

impl Signer {
    pub(super) fn new(pair: KeyAndCertificate) -> Self {
        let hash = digest::digest(&digest::SHA256, &pair.certificate);
        Self {
            key: pair.key,
            thumbprint: URL_SAFE_NO_PAD.encode(hash),
        }
    }

    /// An assertion that `client_id` is who signs, for one request to `audience`; `None` if the
    /// system has no randomness.
    pub(super) fn sign(&self, client_id: &str, audience: &str, now: i64) -> Option<SecretString> {
        let mut id = [0; 16];
        rand::fill(&mut id).ok()?;
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        let claims = json!({
            "aud": audience, "iss": client_id, "sub": client_id,
            "jti": URL_SAFE_NO_PAD.encode(id), "iat": now, "nbf": now, "exp": now + LIFETIME,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut assertion = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(
                &signature::RSA_PSS_SHA256,
                &random,
                assertion.as_bytes(),
                &mut signature,
            )
            .ok()?;
        assertion.push('.');
        assertion.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Some(SecretString::from(assertion))
    }
}
