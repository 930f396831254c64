//! As much of DER as keys, certificates and PKCS#12 files need.

/// Tag of INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// Tag of BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// Tag of OCTET STRING.
pub(super) const OCTET_STRING: u8 = 0x04;
/// Tag of OBJECT IDENTIFIER.
pub(super) const OID: u8 = 0x06;
/// Tag of SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// Tag of an explicit `[0]`.
pub(super) const CONTEXT_0: u8 = 0xa0;

/// One element: tag and content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub(super) fn inner(&self) -> Reader<'a> {
        Reader(self.content)
    }
}

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element; `None` at the end and where the bytes are no DER.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        // High tag numbers and indefinite lengths occur in none of the formats.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, mut rest) = rest.split_first()?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 || rest.len() < count {
                return None;
            }
            let (bytes, after) = rest.split_at(count);
            rest = after;
            bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte))
        };
        if rest.len() < length {
            return None;
        }
        let (content, after) = rest.split_at(length);
        self.0 = after;
        Some(Element { tag, content })
    }

    /// The next element if it has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }
}

/// The only element of `bytes`, which must be a SEQUENCE and end with it.
pub(super) fn whole_sequence(bytes: &[u8]) -> Option<Element<'_>> {
    let mut reader = Reader::new(bytes);
    let element = reader.expect(SEQUENCE)?;
    reader.is_empty().then_some(element)
}

/// Modulus and exponent of an `RSAPublicKey`, without leading zero bytes.
pub(super) fn rsa_public_key(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = whole_sequence(bytes)?.inner();
    let modulus = fields.expect(INTEGER)?.content;
    let exponent = fields.expect(INTEGER)?.content;
    Some((unsigned(modulus), unsigned(exponent)))
}

fn unsigned(mut integer: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = integer {
        integer = rest;
    }
    integer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_beyond_the_input_are_no_der() {
        assert!(Reader::new(&[0x30, 0x05, 0x00]).next().is_none());
        assert!(Reader::new(&[0x30, 0x80, 0x00, 0x00]).next().is_none());
        assert!(
            Reader::new(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff])
                .next()
                .is_none()
        );
        assert!(Reader::new(&[0x30, 0x85, 1, 1, 1, 1, 1]).next().is_none());
        assert!(Reader::new(&[]).next().is_none());
        assert!(whole_sequence(&[0x30, 0x00, 0x00]).is_none());
    }

    #[test]
    fn rsa_key() {
        let der = [0x30, 0x08, 0x02, 0x03, 0x00, 0xc1, 0x02, 0x02, 0x01, 0x03];
        assert_eq!(rsa_public_key(&der), Some((&[0xc1, 0x02][..], &[0x03][..])));
    }
}
