//! As much of DER (X.690) as certificates and PKCS#12 archives need. Reads bytes that anybody may
//! have made: what is no DER ends the reading, and nothing is allocated.

/// Tag of INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// Tag of BIT STRING.
pub(crate) const BIT_STRING: u8 = 0x03;
/// Tag of OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// Tag of OBJECT IDENTIFIER.
pub(crate) const OID: u8 = 0x06;
/// Tag of UTCTime.
pub(crate) const UTC_TIME: u8 = 0x17;
/// Tag of GeneralizedTime.
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
/// Tag of SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;
/// Tag of an explicit `[0]`.
pub(crate) const CONTEXT_0: u8 = 0xa0;

/// The elements of some content, one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    #[cfg(test)]
    pub(crate) const fn of(content: &'a [u8]) -> Self {
        Self(content)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tag and content of the next element; `None` at the end and where the bytes are no DER.
    pub(crate) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let [tag, first, rest @ ..] = self.0 else {
            return None;
        };
        // Tags of several bytes occur in none of the formats.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = match usize::from(*first) {
            short @ 0..=0x7f => (short, rest),
            // 0x80 alone is a length that is found by searching, which DER does not have.
            long @ 0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(long - 0x80)?;
                let length = digits
                    .iter()
                    .fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// The content of the next element if it has this tag; otherwise it stays.
    pub(crate) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (found, content) = ahead.next()?;
        if found != tag {
            return None;
        }
        *self = ahead;
        Some(content)
    }

    /// The elements inside the next element if it has this tag; otherwise it stays.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self)
    }
}

/// The inside of the SEQUENCE that is all of `bytes`.
pub(crate) fn sequence(bytes: &[u8]) -> Option<Elements<'_>> {
    let mut elements = Elements(bytes);
    let inside = elements.enter(SEQUENCE)?;
    elements.is_empty().then_some(inside)
}

/// A small number that is not negative.
pub(crate) fn number(content: &[u8]) -> Option<u32> {
    let digits = match content {
        [0, rest @ ..] if !rest.is_empty() => rest,
        [first, ..] if *first < 0x80 => content,
        _ => return None,
    };
    (digits.len() <= 4).then(|| {
        digits
            .iter()
            .fold(0, |number, digit| number << 8 | u32::from(*digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_definite_and_within_the_input() {
        let first = |bytes: &'static [u8]| Elements::of(bytes).next();
        assert_eq!(first(&[0x04, 2, 7, 8, 9]), Some((4, &[7, 8][..])));
        assert_eq!(first(&[0x04, 0x81, 1, 7]), Some((4, &[7][..])));
        assert_eq!(first(&[0x04, 0x84, 0, 0, 0, 1, 7]), Some((4, &[7][..])));
        let broken: [&[u8]; 8] = [
            &[],
            &[0x04],
            &[0x04, 1],
            &[0x30, 0x80, 0, 0],
            &[0x04, 0x82, 1],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
            &[0x04, 0x85, 0, 0, 0, 0, 1, 7],
            &[0x1f, 0x01, 7],
        ];
        for bytes in broken {
            assert_eq!(Elements::of(bytes).next(), None, "{bytes:?}");
        }
        assert!(sequence(&[0x30, 0, 0]).is_none());
        assert!(sequence(&[0x30, 0]).is_some_and(|inside| inside.is_empty()));
    }

    #[test]
    fn numbers_are_small_and_positive() {
        assert_eq!(number(&[3]), Some(3));
        assert_eq!(number(&[0, 0x80]), Some(128));
        assert_eq!(number(&[0, 0xff, 0xff, 0xff, 0xff]), Some(u32::MAX));
        for odd in [&[][..], &[0x80], &[1, 0, 0, 0, 0], &[0, 1, 0, 0, 0, 0]] {
            assert_eq!(number(odd), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut elements = Elements::of(&bytes);
            let mut read = 0;
            while let Some((_, content)) = elements.next() {
                read += content.len() + 2;
            }
            prop_assert!(read <= bytes.len());
            let _ = (sequence(&bytes), number(&bytes));
        }
    }
}
