//! RSA keys: the one that signs access tokens, and generated policy keys.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, RSA_PKCS1_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::der;
use super::guid;

/// Signs and verifies JSON Web Tokens with RS256.
pub(super) struct Signer {
    pair: KeyPair,
    kid: String,
    public: RsaPublic,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// The public half of an RSA key, encoded as in a JSON Web Key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RsaPublic {
    pub(super) n: String,
    pub(super) e: String,
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadToken {
    /// Not three parts of base64url with JSON inside.
    Malformed,
    /// Signed by somebody else, or altered.
    Signature,
}

impl Signer {
    /// Generates a key; `None` if the system has no randomness.
    pub(super) fn new() -> Option<Self> {
        let (pair, public) = generate(KeySize::Rsa2048)?;
        Some(Self {
            pair,
            kid: guid::random_kid(),
            public,
        })
    }

    /// A signed token with these claims; `None` if signing fails.
    pub(super) fn sign(&self, claims: &Value) -> Option<String> {
        let header = serde_json::json!({"typ":"JWT","alg":"RS256","x5t":self.kid,"kid":self.kid});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", encode(&header), encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .ok()?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Some(token)
    }

    /// The claims of a token that this signer made.
    pub(super) fn verify(&self, token: &str) -> Result<Value, BadToken> {
        let (signed, signature) = token.rsplit_once('.').ok_or(BadToken::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(BadToken::Malformed)?;
        let decode = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| BadToken::Malformed)
        };
        let parse = |part: &str| {
            serde_json::from_slice::<Value>(&decode(part)?).map_err(|_| BadToken::Malformed)
        };
        let (header, claims) = (parse(header)?, parse(claims)?);
        // Only the one algorithm: a token that says "none" or "HS256" is not signed by this key.
        if header["alg"] != "RS256" || header["kid"] != self.kid.as_str() {
            return Err(BadToken::Signature);
        }
        UnparsedPublicKey::new(
            &signature::RSA_PKCS1_2048_8192_SHA256,
            self.pair.public_key().as_ref(),
        )
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| BadToken::Signature)?;
        Ok(claims)
    }

    /// The key as the discovery document's `jwks_uri` publishes it.
    pub(super) fn jwk(&self, issuer: &str) -> Value {
        serde_json::json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "x5t": self.kid,
            "n": self.public.n, "e": self.public.e, "issuer": issuer,
        })
    }
}

/// A generated policy key of 2048, 3072 or 4096 bits, of which only the public half is kept. With
/// `reuse` all callers of the process get the same one.
pub(super) fn generate_public(bits: u16, reuse: bool) -> Option<RsaPublic> {
    static REUSED: OnceLock<Option<RsaPublic>> = OnceLock::new();
    if reuse {
        return REUSED
            .get_or_init(|| generate(KeySize::Rsa2048).map(|(_, public)| public))
            .clone();
    }
    let size = match bits {
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        _ => KeySize::Rsa2048,
    };
    generate(size).map(|(_, public)| public)
}

fn generate(size: KeySize) -> Option<(KeyPair, RsaPublic)> {
    let pair = KeyPair::generate(size).ok()?;
    let (n, e) = der::rsa_public_key(pair.public_key().as_ref())?;
    let public = RsaPublic {
        n: URL_SAFE_NO_PAD.encode(n),
        e: URL_SAFE_NO_PAD.encode(e),
    };
    Some((pair, public))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_untouched_tokens_verify() {
        let (one, other) = (Signer::new().unwrap(), Signer::new().unwrap());
        let claims = serde_json::json!({"tid":"a","exp":5});
        let token = one.sign(&claims).unwrap();
        assert_eq!(one.verify(&token), Ok(claims));
        assert_eq!(other.verify(&token), Err(BadToken::Signature));
        for broken in ["", "a", "a.b", "a.b.c", "..", "é.é.é"] {
            assert_eq!(one.verify(broken), Err(BadToken::Malformed), "{broken:?}");
        }
        let parts: Vec<&str> = token.split('.').collect();
        let claims = URL_SAFE_NO_PAD.encode(r#"{"tid":"b","exp":5}"#);
        let forged = format!("{}.{claims}.{}", parts[0], parts[2]);
        assert_eq!(one.verify(&forged), Err(BadToken::Signature));
        let none = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"none","kid":"{}"}}"#, one.kid));
        let unsigned = format!("{none}.{}.", parts[1]);
        assert_eq!(one.verify(&unsigned), Err(BadToken::Signature));
    }
}
