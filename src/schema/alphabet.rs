//! Sets of characters that values are made of.

/// A set of ASCII characters: all letters and digits, and some others.
pub(super) struct Alphabet([bool; 256]);

impl Alphabet {
    /// Letters, digits and `also`.
    pub(super) const fn with(also: &[u8]) -> Self {
        let mut holds = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            holds[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut index = 0;
        while index < also.len() {
            assert!(also[index].is_ascii(), "part of another character");
            holds[also[index] as usize] = true;
            index += 1;
        }
        Self(holds)
    }

    pub(super) const fn holds(&self, byte: u8) -> bool {
        self.0[byte as usize]
    }

    /// Whether a text is made of nothing else.
    pub(super) fn spells(&self, text: &str) -> bool {
        text.bytes().all(|byte| self.holds(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_what_is_named() {
        let alphabet = Alphabet::with(b"_-");
        assert!(alphabet.spells("B2C_1A-z09AZ"));
        assert!(alphabet.spells(""));
        for other in ["a.b", "a b", "é", "a\0", "€"] {
            assert!(!alphabet.spells(other), "{other}");
        }
    }
}
