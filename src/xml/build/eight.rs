//! Eight bytes of a text at once, in one integer.

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGHEST_BITS: u64 = EACH << 7;

/// Eight bytes that follow each other.
#[derive(Clone, Copy)]
pub(super) struct Eight(u64);

impl Eight {
    pub(super) const COUNT: usize = 8;

    /// The bytes that begin at an offset; `None` if there are fewer than eight.
    #[inline(always)]
    pub(super) fn at(bytes: &[u8], start: usize) -> Option<Self> {
        let eight = bytes.get(start..)?.first_chunk()?;
        Some(Self(u64::from_le_bytes(*eight)))
    }

    /// The first of the bytes in the lowest bits.
    #[inline(always)]
    pub(super) const fn number(self) -> u64 {
        self.0
    }

    /// The same for some of the bytes, fewer than eight: zeros stand for the others.
    #[inline(always)]
    pub(super) const fn first(self, count: usize) -> u64 {
        self.0 & ((1 << (count * 8)) - 1)
    }

    /// Marks a byte.
    #[inline(always)]
    pub(super) const fn mark(self, byte: u8) -> Marks {
        let zero_if_equal = self.0 ^ (EACH * byte as u64);
        Marks(zero_if_equal.wrapping_sub(EACH) & !zero_if_equal & HIGHEST_BITS)
    }

    /// Marks all bytes below an ASCII one.
    #[inline(always)]
    pub(super) const fn mark_below(self, byte: u8) -> Marks {
        Marks(self.0.wrapping_sub(EACH * byte as u64) & !self.0 & HIGHEST_BITS)
    }

    /// How many bytes at the start are this one.
    #[inline(always)]
    pub(super) const fn count(self, byte: u8) -> usize {
        ((self.0 ^ (EACH * byte as u64)).trailing_zeros() / 8) as usize
    }
}

/// Which bytes are marked. Only the first mark can be relied on: what is subtracted from a marked byte
/// may be taken from those behind it.
#[derive(Clone, Copy)]
pub(super) struct Marks(u64);

impl Marks {
    #[inline(always)]
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Where the first mark is.
    #[inline(always)]
    pub(super) const fn first(self) -> Option<usize> {
        match self.0 {
            0 => None,
            marks => Some((marks.trailing_zeros() / 8) as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_are_found_where_they_are(
            bytes in prop::collection::vec(prop_oneof![Just(b'<'), Just(b'&'), Just(b' '), any::<u8>()], 8),
            byte in any::<u8>(),
            limit in 1..128u8,
        ) {
            let eight = Eight::at(&bytes, 0).unwrap();
            let position = |is: &dyn Fn(u8) -> bool| bytes.iter().position(|byte| is(*byte));
            for byte in [byte, bytes[3], b'<'] {
                prop_assert_eq!(eight.mark(byte).first(), position(&|b| b == byte));
                prop_assert_eq!(eight.count(byte), position(&|b| b != byte).unwrap_or(8));
            }
            prop_assert_eq!(eight.mark_below(limit).first(), position(&|b| b < limit));
            let either = eight.mark(b'<').or(eight.mark(b'&')).or(eight.mark_below(limit));
            prop_assert_eq!(
                either.first(),
                position(&|b| b == b'<' || b == b'&' || b < limit)
            );
            for count in 0..8 {
                let first = eight.first(count).to_le_bytes();
                prop_assert_eq!(&first[..count], &bytes[..count]);
                prop_assert!(first[count..].iter().all(|byte| *byte == 0));
            }
            prop_assert_eq!(Eight::at(&bytes, 1).map(Eight::number), None);
        }
    }
}
