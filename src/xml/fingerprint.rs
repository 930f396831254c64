use super::vocabulary::{self, Lookup};

/// A number that equal names share. Of a word of the vocabulary it is the number of the word, which no
/// other name has, so that comparing such names is comparing integers. Of other names it is a hash,
/// which different names hardly ever share. Of a literal it is known when the program is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(super) u32);

/// Tells hashes from numbers of words.
const HASH: u32 = 1 << 31;

impl Fingerprint {
    /// The fingerprint of a name. Always inlined, and so are those who take a name from a rule: there
    /// it is a literal.
    #[inline(always)]
    pub const fn of(name: &str) -> Self {
        Self::from_lookup(vocabulary::look_up(name.as_bytes()))
    }

    /// The fingerprint of the word of this number.
    #[inline(always)]
    pub(super) const fn of_number(word: u16) -> Self {
        Self(word as u32)
    }

    /// The fingerprint of a word of the vocabulary: in a constant, any other name does not compile.
    pub const fn of_word(name: &str) -> Self {
        let fingerprint = Self::of(name);
        assert!(
            fingerprint.is_exact(),
            "this name lacks in the words of the vocabulary"
        );
        fingerprint
    }

    #[inline(always)]
    const fn from_lookup(lookup: Lookup) -> Self {
        match lookup {
            Lookup::Word(number) => Self::of_number(number),
            Lookup::Other(hash) => Self((hash >> 32) as u32 | HASH),
        }
    }

    /// The number of the word; `None` if the name is no word, so that others can have its fingerprint.
    #[inline(always)]
    pub(super) const fn word(self) -> Option<usize> {
        if self.0 & HASH == 0 {
            Some(self.0 as usize)
        } else {
            None
        }
    }

    /// Whether only equal names have this fingerprint.
    #[inline(always)]
    pub const fn is_exact(self) -> bool {
        self.word().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_words_it_is_exact_and_of_others_it_is_not() {
        for name in ["Id", "TechnicalProfile", "TechnicalProfileReferenceId"] {
            assert!(Fingerprint::of(name).is_exact(), "{name}");
            assert_eq!(Fingerprint::of(name), Fingerprint::of(&String::from(name)));
        }
        for name in ["", "a", "id", "TechnicalProfileX", "xsi:type"] {
            assert!(!Fingerprint::of(name).is_exact(), "{name}");
            assert_eq!(Fingerprint::of(name), Fingerprint::of(&String::from(name)));
        }
    }
}
