use super::der::{self, Elements};
use crate::utc;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The parts of an X.509 certificate (RFC 5280) that matter for its use as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificate {
    /// Begin of its validity, seconds since 1970.
    pub not_before: i64,
    /// End of its validity, seconds since 1970.
    pub not_after: i64,
    /// Bits of its RSA key; `None` if it has a key of another kind.
    pub rsa_bits: Option<usize>,
}

impl Certificate {
    /// Reads a certificate in DER; `None` if the bytes are none.
    pub fn read(der: &[u8]) -> Option<Self> {
        let Parts {
            not_before,
            not_after,
            algorithm,
            key,
        } = Parts::read(der)?;
        let rsa_bits = match algorithm {
            RSA => Some(rsa_bits(key)?),
            _ => None,
        };
        Some(Self {
            not_before,
            not_after,
            rsa_bits,
        })
    }

    /// The `RSAPublicKey` (RFC 8017) of a certificate in DER; `None` if it has a key of another kind
    /// or the bytes are no certificate.
    pub fn rsa_public_key(der: &[u8]) -> Option<&[u8]> {
        let parts = Parts::read(der)?;
        (parts.algorithm == RSA).then_some(parts.key)
    }
}

struct Parts<'a> {
    not_before: i64,
    not_after: i64,
    algorithm: &'a [u8],
    /// The content of the BIT STRING, without the count of unused bits.
    key: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut certificate = der::sequence(der)?;
        let mut parts = certificate.enter(der::SEQUENCE)?;
        // The version is left out for version 1.
        parts.take(der::CONTEXT_0);
        parts.take(der::INTEGER)?;
        // Signature algorithm and issuer.
        parts.take(der::SEQUENCE)?;
        parts.take(der::SEQUENCE)?;
        let mut validity = parts.enter(der::SEQUENCE)?;
        let not_before = time(&mut validity)?;
        let not_after = time(&mut validity)?;
        // Subject.
        parts.take(der::SEQUENCE)?;
        let mut key = parts.enter(der::SEQUENCE)?;
        let algorithm = key.enter(der::SEQUENCE)?.take(der::OID)?;
        let (0, key) = key
            .take(der::BIT_STRING)?
            .split_first()
            .map(|(unused, key)| (*unused, key))?
        else {
            return None;
        };
        Some(Self {
            not_before,
            not_after,
            algorithm,
            key,
        })
    }
}

/// Bits of the modulus in an `RSAPublicKey`.
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let modulus = der::sequence(key)?.take(der::INTEGER)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let digits = &modulus[zeros..];
    let leading = digits.first()?.leading_zeros() as usize;
    Some(digits.len() * 8 - leading)
}

/// `YYMMDDhhmmssZ` up to 2049, `YYYYMMDDhhmmssZ` afterwards.
fn time(elements: &mut Elements<'_>) -> Option<i64> {
    let (tag, content) = elements.next()?;
    let text = std::str::from_utf8(content).ok()?;
    let digits = text.strip_suffix('Z')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (tag, digits.len()) {
        (der::UTC_TIME, 12) => {
            let year: i64 = digits[..2].parse().ok()?;
            (
                if year < 50 { 2000 + year } else { 1900 + year },
                &digits[2..],
            )
        }
        (der::GENERALIZED_TIME, 14) => (digits[..4].parse().ok()?, &digits[4..]),
        _ => return None,
    };
    let part = |position: usize| rest[position * 2..position * 2 + 2].parse::<i64>().ok();
    let time = [part(2)?, part(3)?, part(4)?];
    utc::seconds(year, part(0)?, part(1)?, time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    /// Self-signed, RSA with 1024 bits, valid to 2126.
    const RSA_1024: &str = "\
        MIIB9jCCAV+gAwIBAgIUaemtm1JLxiQ4pPKxD7ogkAi7B9owDQYJKoZIhvcNAQELBQAwDDEKMAgGA1UEAwwBYzAg\
        Fw0yNjExMjEwNDM5MjRaGA8yMTI2MTAyODA0MzkyNFowDDEKMAgGA1UEAwwBYzCBnzANBgkqhkiG9w0BAQEFAAOB\
        jQAwgYkCgYEA5O6CFTssOOw4fE5ITd9rrP+giqMv4L0hJOS8u0VXlOgXTLLtnqU/18bH1V7t5SFF7Pa82YNgDbJ/\
        1hibsfsyLkHz7kqDWLJKE8VLtsrHTOKeHUGKeDgNOSs7GxONFFMw18JFCfRRSpfsUeR18w4cXMF8TDwF23J4nZbc\
        7nh7Q6ECAwEAAaNTMFEwHQYDVR0OBBYEFI5fIQn54nkoBwfWj28MNz9g3tp0MB8GA1UdIwQYMBaAFI5fIQn54nko\
        BwfWj28MNz9g3tp0MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADgYEA0AKVx0IH7MRQQjGFv+6VG8OP\
        o9KMqY7Gm8wgczYPWfX/zH/VZrM5zsyG/WAy8G1q8n/C5cPwrQhiDvJBHAr57fpwP52B+hM3ewC2jPsukm34ASG0\
        cO//5q9esLrJ1temlzkFOURJ974MDsAbASDtSnPKzFfKpcnMN132XvADN7A=";
    /// Self-signed with a key on P-256.
    const ELLIPTIC: &str = "\
        MIIBbzCCARWgAwIBAgIUIxZjBXbrRP1nz+8aPjpJcddv2lgwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBZTAgFw0y\
        NjExMjEwNDM5MjRaGA8yMTI2MTAyODA0MzkyNFowDDEKMAgGA1UEAwwBZTBZMBMGByqGSM49AgEGCCqGSM49AwEH\
        A0IABC8RxJaymdT8BTBKIPz6vRvcj0lURVvUjRuHOMg8DRabhUUSZQl/ntFkm+yIq4c9ndJAX1Vj17rVy11jKHPO\
        L7KjUzBRMB0GA1UdDgQWBBTL4GXlZfoibtu+yV6TZYymahMQSjAfBgNVHSMEGDAWgBTL4GXlZfoibtu+yV6TZYym\
        ahMQSjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIDHHScnwhk1EZ6RUvMBBLfWtanvEA5HiRKyi\
        S1A8+VxLAiEAk1HAHT1CIVMD167LcKiu+3OO8p6rpRy7kT3rsAzGAg0=";

    fn read(text: &str) -> Option<Certificate> {
        Certificate::read(&STANDARD.decode(text).unwrap())
    }

    #[test]
    fn validity_and_key_are_read() {
        let certificate = read(RSA_1024).unwrap();
        assert_eq!(certificate.rsa_bits, Some(1024));
        assert_eq!(utc::date(certificate.not_before), "2026-11-21T04:39:24Z");
        assert_eq!(utc::date(certificate.not_after), "2126-10-28T04:39:24Z");
        assert_eq!(read(ELLIPTIC).unwrap().rsa_bits, None);
    }

    #[test]
    fn times_have_two_forms() {
        let time = |tag: u8, text: &str| {
            let mut der = vec![tag, u8::try_from(text.len()).unwrap()];
            der.extend(text.as_bytes());
            time(&mut Elements::of(&der)).map(utc::date)
        };
        let utc_time = |text| time(der::UTC_TIME, text);
        assert_eq!(utc_time("491231235959Z").unwrap(), "2049-12-31T23:59:59Z");
        assert_eq!(utc_time("500101000000Z").unwrap(), "1950-01-01T00:00:00Z");
        let long = time(der::GENERALIZED_TIME, "20500101000000Z");
        assert_eq!(long.unwrap(), "2050-01-01T00:00:00Z");
        for odd in [
            "",
            "Z",
            "4912312359Z",
            "491231235959",
            "490231235959Z",
            "4912312x5959Z",
        ] {
            assert_eq!(utc_time(odd), None);
        }
        assert_eq!(time(der::OCTET_STRING, "491231235959Z"), None);
    }

    proptest! {
        #[test]
        fn damage_never_panics(position in 0..600_usize, byte in any::<u8>(), cut in 0..600_usize) {
            let mut der = STANDARD.decode(RSA_1024).unwrap();
            let position = position % der.len();
            der[position] = byte;
            let _ = (Certificate::read(&der), Certificate::rsa_public_key(&der));
            der.truncate(cut);
            let _ = Certificate::read(&der);
        }
    }
}
