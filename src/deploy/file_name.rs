//! Names of files for ids that services and people made up.

use super::Fingerprint;

/// No part of a name is longer, in bytes: file systems take 255, and something is put around it.
const LONGEST: usize = 180;

/// A name that every file system takes, different for different ids: what is not a letter, digit, `_`,
/// `-` or `.` becomes `%` and two digits. The end of a long one is told by its fingerprint.
pub fn file_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for (position, byte) in id.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if plain || (byte == b'.' && position > 0) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    if name.len() > LONGEST {
        let end = Fingerprint::of(id);
        name.truncate(LONGEST);
        name.push_str("%~");
        name.push_str(end.as_str().get(..16).unwrap_or_default());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_are_harmless_short_and_different() {
        assert_eq!(file_name("B2C_1A_Sign-In.v2"), "B2C_1A_Sign-In.v2");
        assert_eq!(file_name("../a b\\:ä"), "%2E.%2Fa%20b%5C%3A%C3%A4");
        let long = "/x".repeat(300);
        let names = [
            file_name(&long),
            file_name(&format!("{long}y")),
            file_name(&long[..90]),
        ];
        for name in &names {
            assert!(name.len() < 210 && !name.contains('/'), "{name}");
        }
        assert!(names[0] != names[1] && names[0][..90] == names[1][..90]);
    }
}
