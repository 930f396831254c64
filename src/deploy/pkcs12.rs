//! How a PKCS#12 archive (RFC 7292) is protected: whether the service can read it, and whether a
//! password fits. Nothing is decrypted.
//!
//! The service reads archives as Windows made them for decades (triple DES or RC2, MAC with SHA-1).
//! What tools of today make by default (AES with PBES2, MAC with SHA-256) it answers as if the
//! password were wrong (AADB2C90213; MicrosoftDocs/azure-docs#36773).

use aws_lc_rs::{digest, hmac};
use secrecy::{ExposeSecret as _, SecretString};

use crate::x509::der::{self, Elements};

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
const SHROUDED_KEY_BAG: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02,
];
const KEY_BAG: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01,
];
/// `pkcs-12PbeIds`; a last byte tells which.
const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
/// `aes` of NIST; a last byte tells length and mode.
const AES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01];
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// `hashAlgs` of NIST; a last byte tells which.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
const PBMAC1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0e];

/// Archives in use have some thousands; one beyond costs seconds and is left to the service.
const MOST_ITERATIONS: u32 = 1_000_000;

/// How to make an archive that the service reads.
const REMEDY: &str = "make it anew with triple DES and SHA-1: `openssl pkcs12 -in OLD.pfx -nodes \
    | openssl pkcs12 -export -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg SHA1 -out \
    NEW.pfx`, or in PowerShell `Export-PfxCertificate … -CryptoAlgorithmOption TripleDES_SHA1`";

/// Why an archive would not be accepted. Holds nothing of the archive or the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Pkcs12Problem {
    /// The bytes are something else.
    #[error("is no PKCS#12 archive: {0}")]
    Malformed(&'static str),
    /// The service cannot read what protects it.
    #[error(
        "is protected with {0}, which the service reports as a wrong password (AADB2C90213) \
         whatever the password is; {REMEDY}"
    )]
    Unsupported(&'static str),
    /// There is no private key in it.
    #[error(
        "holds no private key; if only its certificate is wanted, upload that as a certificate"
    )]
    WithoutKey,
    /// The password is another one.
    #[error("does not open with the password given (AADB2C90213)")]
    WrongPassword,
    /// It has a password, and none was given.
    #[error("needs a password, and none was given")]
    NoPassword,
}

/// Looks whether the service would accept an archive with this password.
///
/// A password can be checked only where the archive has the old kind of MAC; archives without MAC
/// and with excessive iterations are left to the service.
///
/// # Errors
/// See [`Pkcs12Problem`].
pub(super) fn check(archive: &[u8], password: &SecretString) -> Result<(), Pkcs12Problem> {
    let archive = Archive::read(archive)?;
    if let Some(algorithm) = archive.unsupported {
        return Err(Pkcs12Problem::Unsupported(algorithm));
    }
    if let Some(mac) = &archive.mac {
        if let Some(algorithm) = mac.unsupported() {
            return Err(Pkcs12Problem::Unsupported(algorithm));
        }
        let password = password.expose_secret();
        if !mac.fits(archive.content, password) {
            return Err(if password.is_empty() {
                Pkcs12Problem::NoPassword
            } else {
                Pkcs12Problem::WrongPassword
            });
        }
    }
    // Encrypted contents may hold the key without showing it.
    if !archive.has_key && !archive.has_encrypted_content {
        return Err(Pkcs12Problem::WithoutKey);
    }
    Ok(())
}

/// What can be seen of an archive without a password.
struct Archive<'a> {
    /// What the MAC is computed over.
    content: &'a [u8],
    mac: Option<Mac<'a>>,
    /// The first protection that the service cannot undo.
    unsupported: Option<&'static str>,
    has_key: bool,
    has_encrypted_content: bool,
}

impl<'a> Archive<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Pkcs12Problem> {
        let malformed = Pkcs12Problem::Malformed;
        let mut pfx = der::sequence(bytes).ok_or(malformed("it is not in DER"))?;
        if pfx.take(der::INTEGER) != Some(&[3]) {
            return Err(malformed("it has another version than 3"));
        }
        let content = data(&mut pfx).ok_or(malformed(
            "its content is not protected by a password but in another way",
        ))?;
        let mac = match pfx.enter(der::SEQUENCE) {
            Some(mac) => Some(Mac::read(mac).ok_or(malformed("its MAC is damaged"))?),
            None => None,
        };
        let mut archive = Self {
            content,
            mac,
            unsupported: None,
            has_key: false,
            has_encrypted_content: false,
        };
        let safes = der::sequence(content).ok_or(malformed("its content is damaged"))?;
        archive
            .look_into(safes)
            .ok_or(malformed("its content is damaged"))?;
        Ok(archive)
    }

    /// `AuthenticatedSafe`: a list of contents, plain or encrypted.
    fn look_into(&mut self, mut safes: Elements<'a>) -> Option<()> {
        while !safes.is_empty() {
            let mut ahead = safes;
            let mut safe = ahead.enter(der::SEQUENCE)?;
            let kind = safe.take(der::OID)?;
            if kind == DATA {
                let bags = der::sequence(data(&mut safes)?)?;
                self.look_at(bags)?;
                continue;
            }
            if kind == ENCRYPTED_DATA {
                self.has_encrypted_content = true;
                let mut encrypted = safe.enter(der::CONTEXT_0)?.enter(der::SEQUENCE)?;
                encrypted.take(der::INTEGER)?;
                let mut info = encrypted.enter(der::SEQUENCE)?;
                info.take(der::OID)?;
                self.note(info.enter(der::SEQUENCE)?);
            }
            safes = ahead;
        }
        Some(())
    }

    /// `SafeContents`: a list of bags.
    fn look_at(&mut self, mut bags: Elements<'a>) -> Option<()> {
        while !bags.is_empty() {
            let mut bag = bags.enter(der::SEQUENCE)?;
            let kind = bag.take(der::OID)?;
            self.has_key |= kind == KEY_BAG || kind == SHROUDED_KEY_BAG;
            if kind == SHROUDED_KEY_BAG {
                let mut key = bag.enter(der::CONTEXT_0)?.enter(der::SEQUENCE)?;
                self.note(key.enter(der::SEQUENCE)?);
            }
        }
        Some(())
    }

    fn note(&mut self, algorithm: Elements<'_>) {
        self.unsupported = self.unsupported.or(unsupported_cipher(algorithm));
    }
}

/// The octets of a `ContentInfo` with plain data.
fn data<'a>(elements: &mut Elements<'a>) -> Option<&'a [u8]> {
    let mut info = elements.enter(der::SEQUENCE)?;
    if info.take(der::OID)? != DATA {
        return None;
    }
    info.enter(der::CONTEXT_0)?.take(der::OCTET_STRING)
}

/// The name of an encryption that the service does not know.
fn unsupported_cipher(mut algorithm: Elements<'_>) -> Option<&'static str> {
    let id = algorithm.take(der::OID)?;
    if id.starts_with(PKCS12_PBE) {
        return None;
    }
    if id != PBES2 {
        // Nobody reported how the service takes others.
        return None;
    }
    let cipher = algorithm.enter(der::SEQUENCE).and_then(|mut parameters| {
        parameters.take(der::SEQUENCE)?;
        parameters.enter(der::SEQUENCE)?.take(der::OID)
    });
    Some(match cipher.and_then(|cipher| cipher.strip_prefix(AES)) {
        Some([0x02]) => "AES-128 (PBES2)",
        Some([0x16]) => "AES-192 (PBES2)",
        Some([0x2a]) => "AES-256 (PBES2)",
        _ => "PBES2",
    })
}

struct Mac<'a> {
    algorithm: &'a [u8],
    value: &'a [u8],
    salt: &'a [u8],
    iterations: u32,
}

impl<'a> Mac<'a> {
    fn read(mut data: Elements<'a>) -> Option<Self> {
        let mut info = data.enter(der::SEQUENCE)?;
        Some(Self {
            algorithm: info.enter(der::SEQUENCE)?.take(der::OID)?,
            value: info.take(der::OCTET_STRING)?,
            salt: data.take(der::OCTET_STRING)?,
            iterations: match data.take(der::INTEGER) {
                Some(iterations) => der::number(iterations)?,
                None => 1,
            },
        })
    }

    fn unsupported(&self) -> Option<&'static str> {
        if self.algorithm == SHA1 {
            return None;
        }
        if self.algorithm == PBMAC1 {
            return Some("a MAC of the kind PBMAC1");
        }
        Some(match self.algorithm.strip_prefix(SHA2) {
            Some([1]) => "a MAC with SHA-256",
            Some([2]) => "a MAC with SHA-384",
            Some([3]) => "a MAC with SHA-512",
            _ => "a MAC without SHA-1",
        })
    }

    /// Whether the password fits, as far as that is worth the time.
    fn fits(&self, content: &[u8], password: &str) -> bool {
        if self.iterations > MOST_ITERATIONS {
            return true;
        }
        let with_end: Vec<u8> = password
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_be_bytes)
            .collect();
        // An empty password is written with and without its terminator.
        let spellings: &[&[u8]] = match password {
            "" => &[&with_end, &[]],
            _ => &[&with_end],
        };
        spellings.iter().any(|password| {
            let key = mac_key(password, self.salt, self.iterations);
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
            hmac::verify(&key, content, self.value).is_ok()
        })
    }
}

/// RFC 7292, appendix B.2, with SHA-1 for a MAC: the key is as long as the digest, so that one block
/// of output is enough.
fn mac_key(password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
    const BLOCK: usize = 64;
    const FOR_MAC: u8 = 3;
    let mut input = vec![FOR_MAC; BLOCK];
    for text in [salt, password] {
        let length = text.len().next_multiple_of(BLOCK);
        input.extend(text.iter().cycle().take(length));
    }
    let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
    let mut hash = digest::digest(sha1, &input);
    for _ in 1..iterations {
        hash = digest::digest(sha1, hash.as_ref());
    }
    hash.as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    /// RSA key and certificate with triple DES, MAC with SHA-1.
    const OLD: &str = "\
        MIIF8QIBAzCCBbcGCSqGSIb3DQEHAaCCBagEggWkMIIFoDCCAp8GCSqGSIb3DQEHBqCCApAwggKMAgEAMIIChQYJ\
        KoZIhvcNAQcBMBwGCiqGSIb3DQEMAQMwDgQI6jipq2nmdF0CAggAgIICWAmDE+PqZCkqOcfWFAZgIVNo8d7VdFHE\
        H/blSXDocyhmAgriY0B+i83N4QgmtcWfSQwmN4xxROMABV18R9yYnsy2scf/03QBNYOCV/Nwb6sKVx8b07YqaFRa\
        5Olr+YEv4GIz3l8XWr35TCHEfu76VuQk7RDjA323jyM34Mkc4rdLTdfzcyJwpaBwpB40AMfo/6cRvI8oD82N5T4G\
        9wynjrRcPva2/Vfsj/sZy+6m7dgDuVaYPkXlhjDIZjXNo01WiH5N9/cpGlb89nKhf44To1OiSidBA2PoJSS822x3\
        mLLHlbrhsb7Pj4xpxao9kxkGOOMlF3EF39VozU3IfRg4Vqpfn+wl9Tmegr3serfpiTnxXeTMXBaGccxsAcibFPgG\
        mNmLRx6x/FH8pakXS8wOCfn9AlVFcbzWq5rOY+pFxcBCwJIg5crky0Lqtd7R81QsNBPQnRZ2XjbJvxTWm3Inn1iO\
        wVoN3abKuyLMu4KBkXdiiSx4Q8RLDnVTzPwCOIuto0TSYkDDoF+LykevQJ76b/+yahISq938cRLYSxJ5ZIiOuV6b\
        I9l4M84CqBpVprY0EzJ+q31ueMbfOLcNEXEbpOvtsuW9HLop1A+VyP3c8SALzLUQiDjs4PnlARmLERpnloGOfoQd\
        KtBQKStYIAduLfyujrtinxWN8VKVvO46EoaRD3kL8j/PMMc0/TrbbuFk8tZ3SgD241hMJ7W9JpZGwD0KRzzd7tlE\
        H0Z8V6BcMCDzlMblvAcjkRkMZW2bxZQLb6OU6Z5Zc3s6f/rn5w/kOOv+0PeU0UL5xDCCAvkGCSqGSIb3DQEHAaCC\
        AuoEggLmMIIC4jCCAt4GCyqGSIb3DQEMCgECoIICpjCCAqIwHAYKKoZIhvcNAQwBAzAOBAgE1CM8If8iMAICCAAE\
        ggKAWYaoaN0eNxL4BYRhl/Of0lMWHYk8z5Ybs+1SCw0d+2FdSObKwWe/VaqY6L7exDC+h539BHqc2cOrrLlUuftj\
        cwCurVWfOGgQvbvSSfJSnXoxUZgGIz3mcjG5Q4noQYYL8EDAJPSajnNrf+3f+xLR8pj1HP1H+J3BrytP/xB9zyli\
        JIcWG5NMIlV2iYe2lb701dG6ZJq/XI2z2rgBgUvh5zryKr+DSblMTITBMG2rs6JJunh72W/M/gsk2TQlwTHn5YS7\
        MRAsGr+FsAuIYwS1D+E7PzeM8e4NAYeIY12iUTTPkuifYhPui70g1a5OLNrbcW9qCOrB5F904x74qL5itmKzl56E\
        Lh+jcVwDB3txOsxXPcax1ARNiBU3hzrGaa+VdK1l/05pyP4GHOrj6Qhxw4VAUMj5n2gh1f1+T/wvHQEGtGraWP8C\
        MRcCrUldLNzUN+JpcbGkVdZv+VlvS7nztkIw62Lr/CdfbHIaUqjLN3Kmg9N972ofT+y6sN1UTmhtUdzo/8V9ptOi\
        LCpu32hKUlKJT/bFSuYqXpyxHqD2Jdfgk/6BWjWtZb7NJCzMOuvB6GVwBDpSl8+zVGJN/IAsow5ph7pePKbqcOHK\
        u2erRIRmJs9x8y6XsHdngOtAVUm2RYagjtCZE5s0knGsyhenzHk141npoFQtCiCl9UeZHYlsbrB77h2HRzCatzV6\
        b/eP4OdjNu9ZmUZqlnJ3bTUVFD8nr5m66SfTjFgwYwsyjHknt4z9/Xw8sqO2sfmrTCpbPt/GC7SMOAZQlmecH2ib\
        jxuhBt8anEvxDE5vX4Wi/0k8i+NyL3Fl3TMB8A5y2GYrJ10Qsgylr+JBtqWTH/uurDElMCMGCSqGSIb3DQEJFTEW\
        BBTfJXzhPx300hJG5xyA3Ete7VAQCDAxMCEwCQYFKw4DAhoFAAQU8SjitjU1aB0YArENMH7YvTXJenAECL5DeWan\
        RLflAgIIAA==";
    /// What `openssl pkcs12 -export` of today makes by itself.
    const MODERN: &str = "\
        MIIGfwIBAzCCBjUGCSqGSIb3DQEHAaCCBiYEggYiMIIGHjCCAuIGCSqGSIb3DQEHBqCCAtMwggLPAgEAMIICyAYJ\
        KoZIhvcNAQcBMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgUmj3+wPmViQICCAAwDAYIKoZIhvcNAgkF\
        ADAdBglghkgBZQMEASoEEF53NCbxYjaSv2DMsQ2A9IyAggJgcRkoz4pSCQ9L0CsCLgn8RLZq/8QqJSd7se7iCA42\
        tm2uufx51imW6J+XrFhFkAjR+OVBqUJ2Fq8Ij0Y/PqqFiBSeGs4J53URahtV1LwxFlQL+H0PG7i8WHWU5UnHaKuI\
        hb43OgOcp8qYozE/RYLstGDH4ypocBkfHzoZzhZWVcja0112w1JFuZEB3bQ1mFUGYYD+0b0KI4ACGRBBuxn25g8N\
        f4vn2Tvp9JAY/V+lrvGjzlUFhOajU9aXQwxD/xbwHbzC1UR/+YDqc9zKy3e3tmgvK/fck5BLivqoxVDNTyViPTbP\
        6CNAgRy7xFEM79z1rA1Y8mhl+AsLzHCV01rb5iEnz5s+H314ve5eKc8ZpVMb7rUvVDxgCACgOGwD2eF0dqc11O4Y\
        s7Z/mETh6nbo8Cn2FkTD0BorNKze8F8fjSMdDMUQgzDYI2dGjvtGYTI+PFsaY84AykETJ9qMU4vS2YamKQZQ4qv1\
        k6mlYVsCpLNReaZfr8ckhhi0DjrjdbalqWYa7FKLTS/D+7C6BQOO4xpPZVQsceMop1k0pbq7lVzZBdB7wcCgS+x3\
        iOtJAzF+w2k9FRQByiPWTV2Cc9WmeTjxGXkYNTXk0VyTChaY+aLn+yzgLxDVjGapwHyc93cjkWtJErCUDT2afObj\
        VtZKuMIyfS1zWh/VBOPHbRnQwFBKS2BsAHCICWRc/Vehn1SSgGZfd6FWWOZP6eaeg0OnqiRWRFlEVcYlNNVGBmFo\
        hSM+N/wSfKd0QtgkkKjXIPssx/Yl+N9iFOAKtpR6qAYtIZdF8fN4PXyL9pk5cpkVpf0wggM0BgkqhkiG9w0BBwGg\
        ggMlBIIDITCCAx0wggMZBgsqhkiG9w0BDAoBAqCCAuEwggLdMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAc\
        BAgZP1BAM3Bm8wICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFkWTZjRgbcQkT7HgGPsaAsEggKA1IxG\
        unfpjSgr0EVw0d2vSw9GzLJdty37Z+2f/IOi/tWzZBVCoeNh/gl7pD9c+/jlGQniWVZbmKUGmI0uioqSv64A+FQd\
        Bg2hfQNJVZCp+2vegPHoHPjEHbacrQXRHpZIXenQ4CAcyxpxbuYiQGWx/twVe1F4RLme3xItCfEnv1KCRS01rbTO\
        mzlOXSXT0Y92SqWOIDBqvSHz+sWQazZF5ConX65uiu10P0i+/5g87xQzMjSkJAJFcfM7Q/3UuUT3mUaJM6M0MMyQ\
        eIZLsIyJJ2A8UmxMXgF33waYbVzjZaPe96qEBB1bGJ9vIJvax+kp083lnNIljIAGkTZELaG8AH6hAHw5b2yVrPIK\
        j0D++TiygsQHPf0iUiO2W57l4ZjFXLLbMNVVK5K/BksWb99rTs8HrKGxtVhFSbn5gOT2SA9SA266MTEM/sSktnSj\
        QvaM19suGWbu6Piz8lE6URWj2ThIj07E1VrsSpbzhZdwjoNS6uiMbQ0vQCzOM5iCj/15KzHbJMkRkY4ZG0XDNiX9\
        bH87yKcBXPALMqqlkfCAsKmV+MkxNDDLx4MYiySlxGER8k47HjrU5PobIXpKLl9bB2mwAOe4GEWoGM3z7DovhC0x\
        4Zw4Ed/KmRTOHktO7yBVuYrBS3CnA24NYEVR5uLKeP2s1wEoKD9ca9IhI75Qb+Hpb/l6pu8Eh+0CwA1R3j+AIoFZ\
        pfS0eWkS/N3+WjeroNkLqyUXGENYPNmGBnV169oBRH1QNiaOkU5YpKgyapGZlzSY0zypRI4/C9jNamC9b2YrXirx\
        RPdAggscSiFYCnQHsF5Pn9hz/grzabzKPx00QHcEtXZiGVsUel1eJcFu4DElMCMGCSqGSIb3DQEJFTEWBBTfJXzh\
        Px300hJG5xyA3Ete7VAQCDBBMDEwDQYJYIZIAWUDBAIBBQAEIE7867whG2382Dn9KCvhaQjkT98uIrWQLpkt2sxq\
        +A0KBAgviodxlj5Q7wICCAA=";
    /// Triple DES, but a MAC with SHA-256.
    const OLD_WITH_SHA256: &str = "\
        MIIGAQIBAzCCBbcGCSqGSIb3DQEHAaCCBagEggWkMIIFoDCCAp8GCSqGSIb3DQEHBqCCApAwggKMAgEAMIIChQYJ\
        KoZIhvcNAQcBMBwGCiqGSIb3DQEMAQMwDgQICSoLTZ34VpMCAggAgIICWKdyzYrq1Z5tfPchX2VXIZ76f7MXWmQd\
        C0OQ3FlSp6KLVWnufKXoOOdhpN2XQ8wXzxDjzVbax7VbDQi6F2I2RyLJ+aDOZE4TrObSFt5eXDw7CXi5mGV49ToL\
        3AY7p9V3V4LmmOQAo5q9vMvy4iveiiBLkgymZ/2k5F3d9ZUQ+CgI/gMEjqxvSLzmeo193HIebgCyj8li4sWEuvWf\
        ibMJkCJaWnjXWXtnH584Xv18+zGVyUqGmrRwj6TGOd5WZzQ95JOhJl44oE+b9XP1HfXxYtGArfnYhq6zfPKIz89h\
        H+zZKL8ZFZCIPy2mvh3R7hONXbuBfxDVO2Kx4lw+9hshpTLfkaijQklIAMogk9IHX0EgQdcrEhGifP8tLj9IDbod\
        CwngTHnLgDsLP4ilYPjGFStnazL7BGsn8jzyvkPlBHSpBiY7GYzkT/Dp7W7f/0yq8WvmIKP2BQ3VZFk0HrsdB3bN\
        7W6HlXUbgKMfztCjxjqUZxGuXIgE427aRTWHDXgVoAyUL0cIhm+cAwQ1AXSTyq7n7YEMlmSG6h6gRhzREiiPk0AS\
        vp1OQdSAMXMyrUDoWIXsn3tDba0C+Nt8/6uAN/E0SmQj6PaCuo1jlbGmyA/Lw8+dH+JQ/GtiEb7z1EtBFTrUoDrS\
        Tmh/Tu3qBsNId8XaIKaOnxN8sTw9K2ABymz/D4Hea/O+lJalZr5DG9vvl2WtIavYo/HU9tJEeZsKXZA2TKegmQA2\
        Csrk+U+ZXxmIwc0BP0XJdGvKjKPbgcixr1EhYaKVpq4p8mCJzS1OE2lnhS56Fg7bWjCCAvkGCSqGSIb3DQEHAaCC\
        AuoEggLmMIIC4jCCAt4GCyqGSIb3DQEMCgECoIICpjCCAqIwHAYKKoZIhvcNAQwBAzAOBAhvqXvQWLCvNAICCAAE\
        ggKA/akZO+dGpsnHM3Srfz7YKwmhnZuY5u3aNbEk9T723psO7/zij4210GZRjszuxP6gIU44QSDeLq8lEFf0yhpy\
        FLT4TYWF7EQvwY/UVf3sHYByEXKTVSFx/o8hY/+t+16zWQjCiP3O5NWhUJv1+/jmK6EXxQ+LdeT/SFsJeYYWxOoA\
        vm/r8XYtZa7HDgeNRPti+eNP4H7B7DQ3LBEQzUUYkXOFRFIjTKqzCP7VFD93aSI4E3YwKBK1A6ue9/Nb2f+xTTuu\
        zsKwsuaOdDcjzJwkYSk118rg7lNoZVf9GgEWXIq4A4N+6FnBeMqlzJevyJdvfRDi0eoHFKDeDqSmtZHtOOuwlopw\
        aFfoPuRhqfMmFPFEq/mOoez+dXYqFwXTZJMj2uIzGLZHFuDWpphNVgOYd/9Jdp1tgHBeDM71U9z4ryq4g7SnUTar\
        B0C/576GowutQjJIZG2ukB8w5Al8z5lfxeQKFulii90qIOtz32q4nGocjRQqWtFvkw0QVKjsRzitzzWZHQXuSEj7\
        6vUB7BSFI87UuuSfZw7pfxLzAuiwuo0uJd0eBii0H9k6qvaRYNfEw2TYorcOEj+LcFU1iJnIbe3rPeTQwXDV5RcM\
        Em0pAKlQ3iVft/YxJwFML6igkc8zOeDJUbiuK4j2VVhcIFCkcrr7QgCH0BOmex/ihUc0CZiI9u1u/Mvg507+giUT\
        Iwr/NRGk2ZN0duQP/bfyO5MhqfPF9yUd0phJS9e4jiiJNkUPXogZ+LguAwkEsWFTN5Ug6sxsvn9DBGAZPMPlGsEP\
        gVOINQ5LWpv0Cp1zRMdCBLn+GPCEu9E4ZzniITSk1/mCBmdsLREOTf0LGbBh+wLaqDElMCMGCSqGSIb3DQEJFTEW\
        BBTfJXzhPx300hJG5xyA3Ete7VAQCDBBMDEwDQYJYIZIAWUDBAIBBQAEIOY3nIrgS6KksqdCYuBgD02m38AVoL76\
        WP+UIXq/naBxBAhmcSdD8gR5VgICCAA=";
    /// As `OLD`, with an empty password.
    const EMPTY_PASSWORD: &str = "\
        MIIF8QIBAzCCBbcGCSqGSIb3DQEHAaCCBagEggWkMIIFoDCCAp8GCSqGSIb3DQEHBqCCApAwggKMAgEAMIIChQYJ\
        KoZIhvcNAQcBMBwGCiqGSIb3DQEMAQMwDgQIkC9PlZ93s+0CAggAgIICWOy/W1nMvu6z7NnbVlmGxOhYf2OduSiN\
        oSdhfRvHuNgnAb5Jy3Arwl+WRvUXlQKTUycQUUoJXF9YpI2af2/d9z/Q8XA/MMtOpCpGIMD4IjMQoTsKMed2h2fI\
        6NnLSSmekul7/Yr8+B/Nwly9Tj0I/19XWjMGipDpMJR3OXF3f/PyHZbzLy8p5yM29wzILwZCXxxzx6vsL1IWlVh9\
        WzXbpVNGrqYjJ3cfBp5DyQY59toBtQ0yGltNIYkSAE1JnvcnEAWJ1HMVfJVjd3iwlJoHnBSsyvZ7tG20mZwzmdQg\
        ZejuwiBqPABRFqfbDtcscn7Y83PvC3ilA0DTTe8CPbNZdkpHbVZRLxeXtM262hBMoq6PkLUmRt8L3Od3hUyU6cfU\
        WL0HIThWuP/EFaoHy5AXfcCQ8JkJXo71sVeoosJbPGKSUX8I5y7RETiQP4tAJFB3Dr9pMXbhn42YppD12LyaHVJz\
        EuqXPjzMbGnXuoLYQzESf4O0InKDOaafRkzxUreALO2FVvDu5HNg22//gSbTMYt7U2j/hLwXm2/9sdyvoUSa8aCK\
        R8uQOOGC9V2NOPchhEdp1Hf0sCZPhDszr0tILAfc7eQw+NirKvfRzPttDZ+DcFk/fAQYDGb9ukSaSXV2askB4Arw\
        Ng2qmGMZWwuG4IEeKsfBGTUKocWSU2OYVO0AZ8Cw3AIIgEJpQeVELeaAwD7B0ajtprOeWCkIenT/j/t5lmqmXj18\
        ocMDFe90BfpNsQk4MiqhOjVVmq+CakFZ57hE8bNLB5nZlNuzaphNnH/Qe8uRS70hpDCCAvkGCSqGSIb3DQEHAaCC\
        AuoEggLmMIIC4jCCAt4GCyqGSIb3DQEMCgECoIICpjCCAqIwHAYKKoZIhvcNAQwBAzAOBAiw+EYBqs20QwICCAAE\
        ggKAMG+1I2MIc2zkvHSfUvJTDEG5jfEoSMizQYmeoWOINMBoPXfQNBW8xEW8xcpUgw2XeWZK8wDI4NAey38qvY+s\
        X+9XfWXJUZd4dYqqS+PLsAyQRnjsKnGXNpRX3stBDnzudY0A/bNPrvlN+NKdc9vc5haosHpvzFNQnaV1g3m+qwyz\
        xxLhefK/KBl2Ee8UJ/gr1t9FhrN+gDRBfMqPHNzWzRXmd8VxTM/8EbW+W6DZZegM9WNWk12XKALgvKlPNtvMpquA\
        OUoNu0Mw7ExasxDAzIGMVCibVvMXzo05pmDiqkJayo86WVXtMAsswOSyfAvQ00o+9g1wvkeeP6ykoubkNUkeBHe9\
        zmYvxao7DBWad4c9idry1oBnurM1Vv8TDxHfL6iho9eRfazCnJotDKFl6sjOhw3inYDIdRCc2bV4lm2UacdYlQ0X\
        hKm4hQ1FSX3wfFRUwXv1nCqh8VvVaFb67UDLCM2B6U41BU5zl8nxEx381aF3daBsOY5vCYpE3xZQQsRKvsSjrqhc\
        YUM88S+9XGxLyKN2axhKBZ1mcktMp/GT2i6awxTso7lXxeNWCDTZ0xu7qOsVTuY3fYEuiTNbc4bDgEqDt+UFn9Z0\
        K9Im+w5PtAM+eaPzh1v8F/kLFyzORNMxYu+zFjudXkSfVIpPYHlgLwSfXVXtBcjn9K9uunh33vuZAQDOvMop0EDX\
        +4C7b+BSK7vrSPfCeJLYV1Voh58LcjJekFIluyMchTf1oOHVQej2zuGonbUgqt5Q5zcdFX3JKoGGILJnhtHBpiui\
        M6dgJDCz/sAFITU8obhaJe+E7himazkXMiwCAAt02wrRCJ/1iDYuhgqKUSL1cg75vTElMCMGCSqGSIb3DQEJFTEW\
        BBTfJXzhPx300hJG5xyA3Ete7VAQCDAxMCEwCQYFKw4DAhoFAAQU37BwU+F2oIb1pMl+8ZXmju6v8mcECFxfkOAf\
        CJwVAgIIAA==";
    /// A certificate in the clear and nothing else.
    const CERTIFICATE_ONLY: &str = "\
        MIICkwIBAzCCAlkGCSqGSIb3DQEHAaCCAkoEggJGMIICQjCCAj4GCSqGSIb3DQEHAaCCAi8EggIrMIICJzCCAiMG\
        CyqGSIb3DQEMCgEDoIICEjCCAg4GCiqGSIb3DQEJFgGgggH+BIIB+jCCAfYwggFfoAMCAQICFGnprZtSS8YkOKTy\
        sQ+6IJAIuwfaMA0GCSqGSIb3DQEBCwUAMAwxCjAIBgNVBAMMAWMwIBcNMjYxMTIxMDQzOTI0WhgPMjEyNjEwMjgw\
        NDM5MjRaMAwxCjAIBgNVBAMMAWMwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBAOTughU7LDjsOHxOSE3fa6z/\
        oIqjL+C9ISTkvLtFV5ToF0yy7Z6lP9fGx9Ve7eUhRez2vNmDYA2yf9YYm7H7Mi5B8+5Kg1iyShPFS7bKx0zinh1B\
        ing4DTkrOxsTjRRTMNfCRQn0UUqX7FHkdfMOHFzBfEw8BdtyeJ2W3O54e0OhAgMBAAGjUzBRMB0GA1UdDgQWBBSO\
        XyEJ+eJ5KAcH1o9vDDc/YN7adDAfBgNVHSMEGDAWgBSOXyEJ+eJ5KAcH1o9vDDc/YN7adDAPBgNVHRMBAf8EBTAD\
        AQH/MA0GCSqGSIb3DQEBCwUAA4GBANAClcdCB+zEUEIxhb/ulRvDj6PSjKmOxpvMIHM2D1n1/8x/1WazOc7Mhv1g\
        MvBtavJ/wuXD8K0IYg7yQRwK+e36cD+dgfoTN3sAtoz7LpJt+AEhtHDv/+avXrC6ydbXppc5BTlESfe+DA7AGwEg\
        7UpzysxXyqXJzDdd9l7wAzewMDEwITAJBgUrDgMCGgUABBS6bRkqxTnfDge8bYacxHDFy/7d5gQIYUO01PCBcooC\
        AggA";
    const PASSWORD: &str = "pässword";

    fn decoded(text: &str) -> Vec<u8> {
        STANDARD
            .decode(text.replace(char::is_whitespace, ""))
            .unwrap()
    }

    fn verdict(archive: &[u8], password: &str) -> Result<(), Pkcs12Problem> {
        check(archive, &SecretString::from(password))
    }

    #[test]
    fn old_protection_is_read_and_its_password_checked() {
        let archive = decoded(OLD);
        assert_eq!(verdict(&archive, PASSWORD), Ok(()));
        assert_eq!(
            verdict(&archive, "other"),
            Err(Pkcs12Problem::WrongPassword)
        );
        assert_eq!(verdict(&archive, ""), Err(Pkcs12Problem::NoPassword));
        assert_eq!(verdict(&decoded(EMPTY_PASSWORD), ""), Ok(()));
        assert_eq!(
            verdict(&decoded(CERTIFICATE_ONLY), PASSWORD),
            Err(Pkcs12Problem::WithoutKey)
        );
    }

    #[test]
    fn new_protection_is_named_and_the_remedy_told() {
        for (archive, name) in [
            (MODERN, "AES-256 (PBES2)"),
            (OLD_WITH_SHA256, "a MAC with SHA-256"),
        ] {
            // Whatever the password is: the service would blame it.
            for password in [PASSWORD, "other", ""] {
                let problem = verdict(&decoded(archive), password).unwrap_err();
                assert_eq!(problem, Pkcs12Problem::Unsupported(name));
                assert!(problem.to_string().contains("-certpbe PBE-SHA1-3DES"));
            }
        }
    }

    #[test]
    fn other_files_are_no_archives() {
        for bytes in [
            &b""[..],
            b"junk",
            &[0x30, 0],
            &[0x30, 3, 2, 1, 1],
            &[0x30, 3, 2, 1, 3],
        ] {
            let problem = verdict(bytes, "").unwrap_err();
            assert!(matches!(problem, Pkcs12Problem::Malformed(_)), "{problem}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn damage_never_panics(position in 0..1_500_usize, byte in any::<u8>(), cut in 0..1_500_usize) {
            let mut archive = decoded(OLD);
            let position = position % archive.len();
            // The bytes of the iteration count are left, as a large one takes its time.
            if position < archive.len() - 4 {
                archive[position] = byte;
            }
            let _ = verdict(&archive, "x");
            archive.truncate(cut);
            let _ = verdict(&archive, "x");
        }
    }
}
