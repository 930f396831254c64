//! Signed tokens of others (RFC 7515, compact).

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A token, read but not verified.
#[derive(Debug, Clone)]
pub(super) struct Jws {
    pub(super) header: Value,
    pub(super) claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Jws {
    /// `None` unless it is three parts of base64url, the first two JSON objects.
    pub(super) fn parse(token: &str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| {
            let json = URL_SAFE_NO_PAD.decode(part).ok()?;
            let value: Value = serde_json::from_slice(&json).ok()?;
            value.is_object().then_some(value)
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            signed: signed.to_owned(),
            signature,
        })
    }

    pub(super) fn algorithm(&self) -> &str {
        self.header["alg"].as_str().unwrap_or_default()
    }

    /// A claim that is text.
    pub(super) fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    /// A claim that is a time, in seconds since 1970; RFC 7519 allows fractions, which MSAL writes.
    pub(super) fn time(&self, name: &str) -> Option<i64> {
        let time = &self.claims[name];
        time.as_i64()
            .or_else(|| time.as_f64().map(|time| time as i64))
    }

    /// Whether the RSA key with this modulus and exponent, both base64url, made the signature.
    pub(super) fn is_signed_by(&self, n: &str, e: &str) -> bool {
        let parameters: &'static RsaParameters = match self.algorithm() {
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            "PS256" => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        let number = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let (Some(n), Some(e)) = (number(n), number(e)) else {
            return false;
        };
        let key = RsaPublicKeyComponents { n, e };
        key.verify(parameters, self.signed.as_bytes(), &self.signature)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_may_have_fractions() {
        let of = |claims: &str| {
            let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
            Jws::parse(&format!("{}.{}.{}", part("{}"), part(claims), part("x"))).unwrap()
        };
        for (claims, time) in [
            ("{\"exp\":1790000000}", Some(1_790_000_000)),
            ("{\"exp\":1790000000.75}", Some(1_790_000_000)),
            ("{\"exp\":\"1790000000\"}", None),
            ("{\"exp\":1e300}", Some(i64::MAX)),
            ("{}", None),
        ] {
            assert_eq!(of(claims).time("exp"), time, "{claims}");
        }
    }

    #[test]
    fn what_is_no_token_is_none() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let good = format!("{}.{}.{}", part("{}"), part("{}"), part("x"));
        assert!(Jws::parse(&good).is_some());
        assert!(!Jws::parse(&good).unwrap().is_signed_by("AQAB", "AQAB"));
        for bad in [
            String::new(),
            "a.b".to_owned(),
            "a.b.c".to_owned(),
            "é.é.é".to_owned(),
            format!("{}.{}.x.y", part("{}"), part("{}")),
            format!("{}.{}.", part("[]"), part("{}")),
            format!("{}=.{}.x", part("{}"), part("{}")),
        ] {
            assert!(Jws::parse(&bad).is_none(), "{bad}");
        }
    }
}
