//! How the key of a keyset comes to be, as data. Values are never part of it.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::diagnostics::Location;
use crate::msgraph::{KeyKind, KeyUse};

/// Where a value comes from that does not stand in the configuration itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ValueSource {
    /// The environment variable of this name.
    Env(String),
    /// The content of this file.
    File(PathBuf),
}

impl fmt::Display for ValueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

/// What a key is for; the service keeps both uses apart (AADB2C95042).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Usage {
    /// Signatures, and secrets that are only sent or compared.
    Sig,
    /// Encryption.
    Enc,
}

impl Usage {
    /// The service's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sig => "sig",
            Self::Enc => "enc",
        }
    }
}

impl From<Usage> for KeyUse {
    fn from(usage: Usage) -> Self {
        match usage {
            Usage::Sig => Self::Signature,
            Usage::Enc => Self::Encryption,
        }
    }
}

/// The kinds of keys that the service generates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GeneratedKind {
    /// An RSA key pair.
    Rsa,
    /// A symmetric key.
    Oct,
}

impl From<GeneratedKind> for KeyKind {
    fn from(kind: GeneratedKind) -> Self {
        match kind {
            GeneratedKind::Rsa => Self::Rsa,
            GeneratedKind::Oct => Self::Octets,
        }
    }
}

/// What the first key of a keyset is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "how")]
pub enum KeyContent {
    /// The service generates it.
    #[serde(rename_all = "camelCase")]
    Generate {
        /// RSA or symmetric.
        kind: GeneratedKind,
        /// What it is for.
        usage: Usage,
    },
    /// A secret that somebody else chose.
    #[serde(rename_all = "camelCase")]
    Secret {
        /// Where its text is.
        value: ValueSource,
        /// What it is for.
        usage: Usage,
    },
    /// A certificate without its private key.
    Certificate {
        /// Where the certificate is, PEM or DER; in a variable also base64.
        value: ValueSource,
    },
    /// A certificate with its private key.
    #[serde(rename_all = "camelCase")]
    Pkcs12 {
        /// Where the archive is; in a variable as base64.
        archive: ValueSource,
        /// Where its password is, if it has one.
        password: Option<ValueSource>,
    },
    /// A random secret in the place of one that nobody gave. Only for the emulator: with it the
    /// policies are accepted, and whatever needs the real secret fails.
    Placeholder {
        /// What it is for.
        usage: Usage,
    },
}

impl KeyContent {
    /// What the key is for, where the recipe decides it; a certificate brings its own use.
    pub const fn usage(&self) -> Option<Usage> {
        match self {
            Self::Generate { usage, .. }
            | Self::Secret { usage, .. }
            | Self::Placeholder { usage } => Some(*usage),
            Self::Certificate { .. } | Self::Pkcs12 { .. } => None,
        }
    }
}

/// In words, for messages; names sources, never values.
impl fmt::Display for KeyContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generate { kind, usage } => {
                let kind = match kind {
                    GeneratedKind::Rsa => "RSA",
                    GeneratedKind::Oct => "symmetric",
                };
                write!(f, "generated {kind} key ({})", usage.as_str())
            }
            Self::Secret { value, usage } => write!(f, "secret of {value} ({})", usage.as_str()),
            Self::Certificate { value } => write!(f, "certificate of {value}"),
            Self::Pkcs12 { archive, .. } => write!(f, "certificate with key of {archive}"),
            Self::Placeholder { usage } => write!(f, "random placeholder ({})", usage.as_str()),
        }
    }
}

/// What the user configured for one keyset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The keyset; the prefix `B2C_1A_` may be missing, as the service adds it.
    pub keyset: String,
    /// Where its key comes from.
    pub content: KeyContent,
    /// Where the recipe stands, if its file is among the sources of the run.
    pub origin: Option<Location>,
}
