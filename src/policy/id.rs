use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// An id as the service compares it: without regard to ASCII case.
#[derive(Debug, Clone, Copy)]
pub struct Id<'s> {
    written: &'s str,
    hash: u64,
}

/// A map from ids.
pub type IdMap<'s, V> = HashMap<Id<'s>, V, BuildHasherDefault<IdHasher>>;

/// A set of ids.
pub type IdSet<'s> = HashSet<Id<'s>, BuildHasherDefault<IdHasher>>;

impl<'s> Id<'s> {
    /// The id that a file writes like this.
    pub fn of(written: &'s str) -> Self {
        Self {
            written,
            hash: folded_hash(written.as_bytes()),
        }
    }

    /// As it is written.
    pub const fn written(self) -> &'s str {
        self.written
    }

    /// Whether this is a way to write the id; mostly it is the same one.
    #[inline]
    pub(super) fn is_written(self, written: &str) -> bool {
        self.written == written || self.written.eq_ignore_ascii_case(written)
    }

    /// Equal for equal ids.
    pub(super) const fn hash_value(self) -> u64 {
        self.hash
    }
}

impl PartialEq for Id<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.is_written(other.written)
    }
}

impl Eq for Id<'_> {}

impl Hash for Id<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// A hash of the bytes without their case, eight at a time. Bytes that differ only in the bit that
/// makes letters small count as equal here; comparing tells them apart. Ids come from files that
/// their own author validates, so a hash that can be attacked costs only the attacker.
fn folded_hash(bytes: &[u8]) -> u64 {
    const SMALL: u64 = 0x2020_2020_2020_2020;
    let mix = |hash: u64, word: u64| {
        (hash.rotate_left(5) ^ (word | SMALL)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(bytes.len() as u64, |hash, word| {
        mix(hash, u64::from_le_bytes(*word))
    });
    // The last bytes once more rather than fewer than eight, which would have to be put together.
    let last = bytes.last_chunk::<8>().map_or_else(
        || {
            rest.iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte))
        },
        |last| u64::from_le_bytes(*last),
    );
    let hash = mix(hash, last);
    hash ^ hash >> 32
}

/// Takes the hash that an id brings along.
#[derive(Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(5) ^ folded_hash(bytes);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = self.0.rotate_left(5) ^ number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_of_ascii_letters_does_not_count_and_everything_else_does() {
        let equal = |a: &str, b: &str| Id::of(a) == Id::of(b);
        assert!(equal("SignUpOrSignIn-Email", "signuporsignin-EMAIL"));
        assert!(equal("", ""));
        assert!(!equal("a", "b") && !equal("a", "") && !equal("a", "a "));
        // They differ in nothing but the bit of the case, and are no letters.
        assert!(!equal("a_b", "a\u{7F}b") && !equal("a@b", "a`b"));
        assert!(!equal("Ä", "ä"));
        let mut ids = IdSet::default();
        assert!(ids.insert(Id::of("AAD-Common")));
        assert!(!ids.insert(Id::of("aad-COMMON")));
        assert!(ids.contains(&Id::of("aad-common")));
    }
}
