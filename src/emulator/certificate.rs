//! What the service shows of an uploaded X.509 certificate.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::clock;
use super::der::{self, Reader};

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The readable parts, encoded as a JSON Web Key encodes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Base64 of the DER.
    pub(super) x5c: String,
    /// Base64url of the SHA-1 thumbprint.
    pub(super) x5t: String,
    /// Base64url of the modulus.
    pub(super) n: String,
    /// Base64url of the exponent.
    pub(super) e: String,
    /// Start of validity, seconds since 1970.
    pub(super) not_before: i64,
    /// End of validity, seconds since 1970.
    pub(super) not_after: i64,
}

impl Certificate {
    /// Reads a DER certificate with an RSA key; the error is the reason in words.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let certificate = der::whole_sequence(bytes).ok_or("the bytes are no DER certificate")?;
        let parts = parts(certificate.inner()).ok_or("the certificate is malformed")?;
        if parts.algorithm != RSA_ENCRYPTION {
            return Err("the certificate has no RSA key");
        }
        let (modulus, exponent) =
            der::rsa_public_key(parts.key).ok_or("the certificate's RSA key is malformed")?;
        let thumbprint = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
        Ok(Self {
            x5c: STANDARD.encode(bytes),
            x5t: URL_SAFE_NO_PAD.encode(thumbprint),
            n: URL_SAFE_NO_PAD.encode(modulus),
            e: URL_SAFE_NO_PAD.encode(exponent),
            not_before: parts.not_before,
            not_after: parts.not_after,
        })
    }
}

struct Parts<'a> {
    not_before: i64,
    not_after: i64,
    algorithm: &'a [u8],
    key: &'a [u8],
}

/// Walks `Certificate` of RFC 5280 as far as the public key.
fn parts(mut certificate: Reader<'_>) -> Option<Parts<'_>> {
    let mut tbs = certificate.expect(der::SEQUENCE)?.inner();
    certificate.expect(der::SEQUENCE)?;
    certificate.expect(der::BIT_STRING)?;
    let _version = tbs.expect(der::CONTEXT_0);
    tbs.expect(der::INTEGER)?;
    let _signature = tbs.expect(der::SEQUENCE)?;
    let _issuer = tbs.expect(der::SEQUENCE)?;
    let mut validity = tbs.expect(der::SEQUENCE)?.inner();
    let not_before = time(&mut validity)?;
    let not_after = time(&mut validity)?;
    let _subject = tbs.expect(der::SEQUENCE)?;
    let mut key_info = tbs.expect(der::SEQUENCE)?.inner();
    let algorithm = key_info
        .expect(der::SEQUENCE)?
        .inner()
        .expect(der::OID)?
        .content;
    // The first byte of a BIT STRING counts its unused bits.
    let (0, key) = key_info
        .expect(der::BIT_STRING)?
        .content
        .split_first()
        .map(|(n, k)| (*n, k))?
    else {
        return None;
    };
    Some(Parts {
        not_before,
        not_after,
        algorithm,
        key,
    })
}

/// `UTCTime` (two-digit year, 1950 to 2049) or `GeneralizedTime`.
fn time(reader: &mut Reader<'_>) -> Option<i64> {
    let element = reader.next()?;
    let text = std::str::from_utf8(element.content)
        .ok()?
        .strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (element.tag, text.len()) {
        (0x17, 12) => {
            let year: i64 = text[..2].parse().ok()?;
            (
                if year < 50 { 2000 + year } else { 1900 + year },
                &text[2..],
            )
        }
        (0x18, 14) => (text[..4].parse().ok()?, &text[4..]),
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    clock::epoch_of(year, part(0)?, part(2)?, part(4)?, part(6)?, part(8)?)
}
