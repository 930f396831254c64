//! Identifiers: GUIDs, random and derived, and random key ids.

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A random GUID, for request ids.
pub(super) fn random() -> String {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    format(bytes, 4)
}

/// The GUID that stands for `name` in this emulator and in every other one.
pub(super) fn derived(purpose: &str, name: &str) -> String {
    let text = format!("iefctl emulator {purpose}\n{}", name.to_lowercase());
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash.as_ref()) {
        *byte = *hashed;
    }
    format(bytes, 8)
}

/// True for `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
pub(super) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// 32 random bytes in base64url, the look of the service's `kid`s.
pub(super) fn random_kid() -> String {
    let mut bytes = [0; 32];
    fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Random bytes from the operating system. Should it refuse, a counter keeps ids distinct: nothing
/// that the emulator makes protects anything.
fn fill(bytes: &mut [u8]) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNTER: AtomicU64 = AtomicU64::new(1);
    if rand::fill(bytes).is_err() {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, counted) in bytes.iter_mut().rev().zip(count.iter().rev()) {
            *byte = *counted;
        }
    }
}

fn format(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_depend_on_the_name_only() {
        let one = derived("tenant", "Contoso.onmicrosoft.com");
        assert_eq!(one, derived("tenant", "contoso.ONMICROSOFT.com"));
        assert_ne!(one, derived("tenant", "fabrikam.onmicrosoft.com"));
        assert!(is_guid(&one), "{one}");
        assert!(is_guid(&random()));
        assert_ne!(random(), random());
        assert!(!is_guid("contoso.onmicrosoft.com"));
        assert!(!is_guid("00000000-0000-0000-0000-00000000000g"));
    }
}
