//! The values that keys are made from: read and checked, all of them, before anything is written.

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use crate::diagnostics::{Diagnostic, Level, Location, Rule};

use super::pkcs12::{self, Pkcs12Problem};
use super::plan::{KeysetAction, KeysetStep, Plan};
use super::{GeneratedKind, KeyContent, Local, Usage, ValueSource, fold, keyset_plan};

/// The value of a key cannot be had.
pub static KEYSET_WITHOUT_VALUE: Rule = Rule {
    id: "keyset-without-value",
    level: Level::Error,
    summary: "the secret or certificate of a keyset that has to be made cannot be read",
};

/// Why a value cannot be used. Never holds any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The environment variable is not there.
    #[error("environment variable {0} is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("file {path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system says.
        reason: String,
    },
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(ValueSource),
    /// It is not what is needed.
    #[error("{origin} {problem}")]
    Unfit {
        /// Where the value comes from.
        origin: ValueSource,
        /// What is wrong, as the end of a sentence.
        problem: &'static str,
    },
    /// It is an archive that the service would not accept.
    #[error("{origin} {problem}")]
    Archive {
        /// Where the value comes from.
        origin: ValueSource,
        /// What is wrong.
        problem: Pkcs12Problem,
    },
    /// It is a certificate that the service would not accept.
    #[error("{origin} {problem}")]
    Certificate {
        /// Where the value comes from.
        origin: ValueSource,
        /// What is wrong, as the end of a sentence.
        problem: String,
    },
}

impl ValueSource {
    /// Reads the value. Environment variables come through `env`.
    ///
    /// # Errors
    /// See [`ValueError`].
    pub fn read(
        &self,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<SecretSlice<u8>, ValueError> {
        let bytes = match self {
            Self::Env(name) => match env(name) {
                Some(value) => value.into_bytes(),
                None => return Err(ValueError::NotSet(name.clone())),
            },
            Self::File(path) => std::fs::read(path).map_err(|error| ValueError::Unreadable {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?,
        };
        Ok(SecretSlice::from(bytes))
    }
}

/// What one key is made from, values included.
#[derive(Debug)]
pub(super) enum Material {
    Generate {
        kind: GeneratedKind,
        usage: Usage,
    },
    Secret {
        usage: Usage,
        value: SecretString,
        placeholder: bool,
    },
    Certificate {
        der: Vec<u8>,
    },
    Pkcs12 {
        archive: SecretSlice<u8>,
        password: SecretString,
    },
}

/// The values for all keysets of a plan that get a key. Debug output shows none of them.
#[derive(Debug, Default)]
pub struct Materials {
    by_keyset: BTreeMap<String, Material>,
}

impl Materials {
    /// Reads every value that the plan needs. What cannot be read is in the findings, one for each
    /// keyset; an error among them means that the plan must not be executed. With `placeholders`,
    /// secrets that nobody set are replaced by random ones: only for the emulator.
    pub fn gather(
        plan: &Plan,
        local: &Local,
        resolve: &dyn Fn(&ValueSource) -> Result<SecretSlice<u8>, ValueError>,
        placeholders: bool,
    ) -> (Self, Vec<Diagnostic>) {
        let mut materials = Self::default();
        let mut findings = Vec::new();
        for step in &plan.keysets {
            if !matches!(step.action, KeysetAction::Create | KeysetAction::Fill) {
                continue;
            }
            let Some(content) = &step.content else {
                continue;
            };
            match material(content, resolve, placeholders) {
                Ok(material) => {
                    materials.by_keyset.insert(fold(&step.id), material);
                }
                Err(error) => findings.extend(without_value(step, local, &error)),
            }
        }
        (materials, findings)
    }

    pub(super) fn take(&mut self, keyset: &str) -> Option<Material> {
        self.by_keyset.remove(&fold(keyset))
    }

    pub(super) fn has(&self, keyset: &str) -> bool {
        self.by_keyset.contains_key(&fold(keyset))
    }
}

fn without_value(step: &KeysetStep, local: &Local, error: &ValueError) -> Option<Diagnostic> {
    let references = |id: &str| -> Vec<(String, String, Location)> {
        let all = local.policies.iter().flat_map(|policy| &policy.keysets);
        all.filter(|reference| keyset_plan::prefixed(&reference.keyset).eq_ignore_ascii_case(id))
            .map(|reference| {
                let profile = reference.technical_profile.clone();
                (reference.policy_id.clone(), profile, reference.location)
            })
            .collect()
    };
    let references = references(&step.id);
    let (policy_id, _, location) = references.first()?;
    let mut finding = Diagnostic::new(
        &KEYSET_WITHOUT_VALUE,
        *location,
        format!("keyset `{}` cannot be made: {error}", step.id),
    )
    .policy_id(policy_id);
    finding = match error {
        ValueError::NotSet(name) => finding.help(format!(
            "set {name} in the environment of this command; the value is sent to the tenant and \
             never shown"
        )),
        _ => finding,
    };
    for (_, profile, location) in &references[1..] {
        let message = if profile.is_empty() {
            "also needed here".to_owned()
        } else {
            format!("also needed by `{profile}`")
        };
        finding = finding.related(*location, message);
    }
    Some(finding)
}

/// Reads what one key is made from, and looks whether the service would take it.
pub(super) fn material(
    content: &KeyContent,
    resolve: &dyn Fn(&ValueSource) -> Result<SecretSlice<u8>, ValueError>,
    placeholders: bool,
) -> Result<Material, ValueError> {
    let read = |source: &ValueSource| {
        let value = resolve(source)?;
        if value.expose_secret().is_empty() {
            return Err(ValueError::Empty(source.clone()));
        }
        Ok(value)
    };
    Ok(match content {
        KeyContent::Generate { kind, usage } => Material::Generate {
            kind: *kind,
            usage: *usage,
        },
        KeyContent::Placeholder { usage } => placeholder(*usage),
        KeyContent::Secret { value, usage } => match read(value) {
            Err(ValueError::NotSet(_) | ValueError::Unreadable { .. }) if placeholders => {
                placeholder(*usage)
            }
            read => Material::Secret {
                usage: *usage,
                value: text(value, &read?)?,
                placeholder: false,
            },
        },
        KeyContent::Certificate { value } => match read(value) {
            Err(ValueError::NotSet(_) | ValueError::Unreadable { .. }) if placeholders => {
                placeholder(Usage::Sig)
            }
            read => Material::Certificate {
                der: certificate(value, read?.expose_secret())?,
            },
        },
        KeyContent::Pkcs12 { archive, password } => match read(archive) {
            Err(ValueError::NotSet(_) | ValueError::Unreadable { .. }) if placeholders => {
                placeholder(Usage::Sig)
            }
            bytes => {
                let bytes = pkcs12(archive, &bytes?)?;
                let password = match password {
                    Some(source) => text(source, &read(source)?)?,
                    None => SecretString::from(""),
                };
                pkcs12::check(bytes.expose_secret(), &password).map_err(|problem| {
                    let origin = archive.clone();
                    ValueError::Archive { origin, problem }
                })?;
                Material::Pkcs12 {
                    archive: bytes,
                    password,
                }
            }
        },
    })
}

fn placeholder(usage: Usage) -> Material {
    let mut bytes = [0; 32];
    // If the system has no randomness, what is left is a fixed value that protects nothing, as
    // placeholders never do.
    let _ = rand::fill(&mut bytes);
    Material::Secret {
        usage,
        value: SecretString::from(URL_SAFE_NO_PAD.encode(bytes)),
        placeholder: true,
    }
}

/// A secret as text. Files usually end with a line end that does not belong to the secret.
fn text(source: &ValueSource, value: &SecretSlice<u8>) -> Result<SecretString, ValueError> {
    let Ok(text) = std::str::from_utf8(value.expose_secret()) else {
        return Err(ValueError::Unfit {
            origin: source.clone(),
            problem: "is not UTF-8 text",
        });
    };
    let text = match source {
        ValueSource::Env(_) => text,
        ValueSource::File(_) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            let text = text.strip_suffix('\n').unwrap_or(text);
            text.strip_suffix('\r').unwrap_or(text)
        }
    };
    if text.is_empty() {
        return Err(ValueError::Empty(source.clone()));
    }
    Ok(SecretString::from(text))
}

/// The certificate as DER: from PEM, DER, or base64 of DER.
fn certificate(source: &ValueSource, bytes: &[u8]) -> Result<Vec<u8>, ValueError> {
    let unfit = |problem| ValueError::Unfit {
        origin: source.clone(),
        problem,
    };
    let is_pem = contains(bytes, b"-----BEGIN ");
    if is_pem {
        let mut found = CertificateDer::pem_slice_iter(bytes);
        let first = found.next().ok_or_else(|| unfit("holds no certificate"))?;
        let first = first.map_err(|_| unfit("is damaged PEM"))?;
        if found.next().is_some() {
            return Err(unfit("holds several certificates; a keyset takes one"));
        }
        return Ok(first.to_vec());
    }
    if is_sequence(bytes) {
        return Ok(bytes.to_vec());
    }
    match decoded(bytes) {
        Some(der) if is_sequence(&der) => Ok(der),
        _ => Err(unfit(
            "is no certificate: neither PEM, nor DER, nor base64 of DER",
        )),
    }
}

/// The archive as bytes: from the file itself or from base64.
fn pkcs12(source: &ValueSource, value: &SecretSlice<u8>) -> Result<SecretSlice<u8>, ValueError> {
    let bytes = value.expose_secret();
    if contains(bytes, b"-----BEGIN ") {
        return Err(ValueError::Unfit {
            origin: source.clone(),
            problem: "is PEM, not PKCS#12; convert it with `openssl pkcs12 -export`",
        });
    }
    if is_sequence(bytes) {
        return Ok(SecretSlice::from(bytes.to_vec()));
    }
    match decoded(bytes) {
        Some(der) if is_sequence(&der) => Ok(SecretSlice::from(der)),
        _ => Err(ValueError::Unfit {
            origin: source.clone(),
            problem: "is no PKCS#12 archive",
        }),
    }
}

fn decoded(bytes: &[u8]) -> Option<Vec<u8>> {
    let kept = bytes
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace());
    STANDARD.decode(kept.collect::<Vec<u8>>()).ok()
}

/// Whether these bytes are one complete ASN.1 sequence with a definite length.
fn is_sequence(bytes: &[u8]) -> bool {
    let Some((0x30, rest)) = bytes.split_first().map(|(tag, rest)| (*tag, rest)) else {
        return false;
    };
    let Some((&first, rest)) = rest.split_first() else {
        return false;
    };
    if first < 0x80 {
        return rest.len() == usize::from(first);
    }
    let digits = usize::from(first & 0x7f);
    if digits == 0 || digits > 4 || rest.len() < digits {
        return false;
    }
    let length = rest[..digits]
        .iter()
        .fold(0usize, |length, byte| length << 8 | usize::from(*byte));
    rest.len() - digits == length
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> ValueSource {
        ValueSource::File("x".into())
    }

    #[test]
    fn line_ends_of_files_do_not_belong_to_secrets() {
        let read = |source: &ValueSource, bytes: &str| {
            let value = SecretSlice::from(bytes.as_bytes().to_vec());
            text(source, &value).map(|text| text.expose_secret().to_owned())
        };
        assert_eq!(read(&file(), "s3cret\r\n").unwrap(), "s3cret");
        assert_eq!(read(&file(), "s3cret\n\n").unwrap(), "s3cret\n");
        assert_eq!(read(&file(), "\u{feff}s").unwrap(), "s");
        let env = ValueSource::Env("X".into());
        assert_eq!(read(&env, "s\n").unwrap(), "s\n");
        assert_eq!(read(&file(), "\n"), Err(ValueError::Empty(file())));
    }

    #[test]
    fn certificates_come_in_three_shapes() {
        let der = [0x30, 3, 1, 2, 3];
        let base64 = STANDARD.encode(der);
        let pem =
            format!("junk\n-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        for bytes in [&der[..], base64.as_bytes(), pem.as_bytes()] {
            assert_eq!(certificate(&file(), bytes).unwrap(), der);
        }
        let twice = format!("{pem}{pem}");
        let key = pem.replace("CERTIFICATE", "PRIVATE KEY");
        for bytes in [&der[..4], b"junk", twice.as_bytes(), key.as_bytes(), b""] {
            assert!(certificate(&file(), bytes).is_err());
        }
        let secret = SecretSlice::from(key.into_bytes());
        let error = pkcs12(&file(), &secret).unwrap_err();
        assert!(error.to_string().contains("openssl"), "{error}");
    }

    #[test]
    fn debug_output_shows_no_value() {
        let mut materials = Materials::default();
        let value = SecretString::from("hunter2");
        let material = Material::Secret {
            usage: Usage::Sig,
            value,
            placeholder: false,
        };
        materials.by_keyset.insert("k".to_owned(), material);
        assert!(!format!("{materials:?}").contains("hunter2"));
    }
}
