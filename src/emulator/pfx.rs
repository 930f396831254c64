//! What the service makes of an uploaded PKCS#12 file.
//!
//! It knows the old algorithms only: a file protected with PBES2 (AES) or a MAC other than SHA-1 is
//! answered as if the password were wrong. The certificate inside is shown where it is not
//! encrypted; the ciphers of old files (RC2, triple DES) are not part of the emulator.

use aws_lc_rs::{digest, hmac};

use super::der::{self, Element, Reader};

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const X509_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];

/// Iterations of the MAC that are tried; files in use have some thousands.
const MAX_ITERATIONS: u32 = 1_000_000;
/// Nesting of real files is below 20.
const MAX_DEPTH: usize = 40;

/// Why a file is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Not a PFX; the reason in words.
    Malformed(&'static str),
    /// The password does not fit, or the service would say so.
    Password,
}

/// Checks a file and its password; answers the DER of the first certificate that can be read.
pub(super) fn open<'a>(bytes: &'a [u8], password: &str) -> Result<Option<&'a [u8]>, Refused> {
    let pfx = der::whole_sequence(bytes).ok_or(Refused::Malformed("the bytes are no PFX"))?;
    let (auth_safe, mac) = parts(pfx.inner()).ok_or(Refused::Malformed("the PFX is malformed"))?;
    if contains_oid(auth_safe, PBES2, MAX_DEPTH) {
        return Err(Refused::Password);
    }
    if let Some(mac) = mac {
        let mac = Mac::read(mac).ok_or(Refused::Malformed("the MAC of the PFX is malformed"))?;
        if !mac.fits(auth_safe, password) {
            return Err(Refused::Password);
        }
    }
    Ok(certificate(Reader::new(auth_safe), MAX_DEPTH))
}

/// The octets of the authenticated safe, and the MAC data.
fn parts(mut pfx: Reader<'_>) -> Option<(&[u8], Option<Element<'_>>)> {
    if pfx.expect(der::INTEGER)?.content != [3] {
        return None;
    }
    let mut content = pfx.expect(der::SEQUENCE)?.inner();
    if content.expect(der::OID)?.content != DATA {
        return None;
    }
    let octets = content
        .expect(der::CONTEXT_0)?
        .inner()
        .expect(der::OCTET_STRING)?
        .content;
    der::whole_sequence(octets)?;
    Some((octets, pfx.expect(der::SEQUENCE)))
}

struct Mac<'a> {
    algorithm: &'a [u8],
    value: &'a [u8],
    salt: &'a [u8],
    iterations: u32,
}

impl<'a> Mac<'a> {
    fn read(element: Element<'a>) -> Option<Self> {
        let mut data = element.inner();
        let mut info = data.expect(der::SEQUENCE)?.inner();
        let algorithm = info
            .expect(der::SEQUENCE)?
            .inner()
            .expect(der::OID)?
            .content;
        let value = info.expect(der::OCTET_STRING)?.content;
        let salt = data.expect(der::OCTET_STRING)?.content;
        let iterations = match data.expect(der::INTEGER) {
            None => 1,
            Some(number) if number.content.len() <= 4 => number
                .content
                .iter()
                .fold(0_u32, |value, byte| value << 8 | u32::from(*byte)),
            Some(_) => return None,
        };
        (1..=MAX_ITERATIONS).contains(&iterations).then_some(Self {
            algorithm,
            value,
            salt,
            iterations,
        })
    }

    fn fits(&self, content: &[u8], password: &str) -> bool {
        if self.algorithm != SHA1 {
            return false;
        }
        let key = mac_key(password, self.salt, self.iterations);
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
        hmac::verify(&key, content, self.value).is_ok()
    }
}

/// The key derivation of RFC 7292, appendix B.2, for SHA-1 and purpose 3 (MAC): one block is enough.
fn mac_key(password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
    const BLOCK: usize = 64;
    // A BMPString with its terminator.
    let password: Vec<u8> = password
        .encode_utf16()
        .chain([0])
        .flat_map(u16::to_be_bytes)
        .collect();
    let mut input = vec![3; BLOCK];
    for text in [salt, &password] {
        let length = text.len().div_ceil(BLOCK) * BLOCK;
        input.extend(text.iter().copied().cycle().take(length));
    }
    let mut hash = input;
    for _ in 0..iterations {
        hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &hash)
            .as_ref()
            .to_vec();
    }
    hash
}

/// Whether an object identifier occurs, also inside octet strings that hold DER.
fn contains_oid(bytes: &[u8], oid: &[u8], depth: usize) -> bool {
    let mut reader = Reader::new(bytes);
    while let Some(element) = reader.next() {
        if element.tag == der::OID && element.content == oid {
            return true;
        }
        let nested = element.tag & 0x20 != 0 || element.tag == der::OCTET_STRING;
        if nested && depth > 0 && contains_oid(element.content, oid, depth - 1) {
            return true;
        }
    }
    false
}

/// The content of the first certificate bag that is not encrypted.
fn certificate(mut reader: Reader<'_>, depth: usize) -> Option<&[u8]> {
    let mut after_oid = false;
    while let Some(element) = reader.next() {
        if after_oid && element.tag == der::CONTEXT_0 {
            return Some(element.inner().expect(der::OCTET_STRING)?.content);
        }
        after_oid = element.tag == der::OID && element.content == X509_CERTIFICATE;
        let nested = element.tag & 0x20 != 0 || element.tag == der::OCTET_STRING;
        if nested
            && depth > 0
            && let Some(found) = certificate(element.inner(), depth - 1)
        {
            return Some(found);
        }
    }
    None
}
