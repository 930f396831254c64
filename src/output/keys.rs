//! How keysets look: what a tenant has, what a check found, and what became of a change.
//!
//! The structs here are the JSON and the input of all other formats. They hold times as RFC 3339 text
//! and nothing secret; whoever asks the tenant fills them.

mod annotations;
mod human;
mod markdown;

use std::io;

use serde::Serialize;

use crate::diagnostics::Level;

use super::json::{self, SCHEMA_VERSION};
use super::{Format, Style};

/// The keysets of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeysetsJson {
    /// Version of this contract.
    pub schema_version: u32,
    /// `keys list` or `keys show`.
    pub command: &'static str,
    /// The tenant, as it was named.
    pub tenant: String,
    /// The keysets by id.
    pub keysets: Vec<KeysetJson>,
}

/// One keyset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeysetJson {
    /// Its id.
    pub id: String,
    /// `RSA` or `oct`, as the service writes it; null for an empty keyset.
    pub kty: Option<String>,
    /// `sig` or `enc`; null for an empty keyset.
    #[serde(rename = "use")]
    pub key_use: Option<String>,
    /// Id of the key that the service uses now.
    pub active: Option<String>,
    /// When the active key ends.
    pub expires: Option<String>,
    /// Its keys in the order of the service.
    pub keys: Vec<KeyJson>,
    /// Where local policies need it; null if none were asked about.
    pub used_by: Option<Vec<KeyUserJson>>,
}

/// The public side of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyJson {
    /// Its id.
    pub kid: Option<String>,
    /// `RSA` or `oct`.
    pub kty: Option<String>,
    /// `sig` or `enc`.
    #[serde(rename = "use")]
    pub key_use: Option<String>,
    /// What it does now.
    pub state: KeyState,
    /// When it begins.
    pub not_before: Option<String>,
    /// When it ends, as the service says.
    pub expires: Option<String>,
    /// Thumbprint of its certificate, base64url.
    pub thumbprint: Option<String>,
    /// When its certificate ends.
    pub certificate_expires: Option<String>,
}

/// What a key does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// The service uses it.
    Active,
    /// Its time has not come.
    Waiting,
    /// It could be used, but another one is.
    Standby,
    /// Its time is over.
    Expired,
    /// It is switched off.
    Disabled,
}

/// A place in a policy that needs a keyset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyUserJson {
    /// The policy.
    pub policy_id: String,
    /// Technical profile or claims transformation; empty if it is neither.
    pub element: String,
    /// What the key is for there; may be empty.
    pub key: String,
    /// The file, for local policies.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column in characters, from 1.
    pub column: Option<u32>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckJson {
    /// Version of this contract.
    pub schema_version: u32,
    /// `keys check`.
    pub command: &'static str,
    /// The tenant, as it was named.
    pub tenant: String,
    /// The counts.
    pub summary: CheckSummaryJson,
    /// What is wrong.
    pub findings: Vec<KeyFindingJson>,
}

/// The counts of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CheckSummaryJson {
    /// Keysets that were looked at.
    pub keysets: usize,
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings of level hint.
    pub hints: usize,
}

/// One thing that is wrong with a keyset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyFindingJson {
    /// The rule.
    pub rule: &'static str,
    /// How bad it is.
    #[serde(serialize_with = "level")]
    pub level: Level,
    /// The keyset.
    pub keyset: String,
    /// The key, if it is one of several.
    pub kid: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where policies need the keyset.
    pub used_by: Vec<KeyUserJson>,
}

/// What became of a change, or what it would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeJson {
    /// Version of this contract.
    pub schema_version: u32,
    /// `keys create`, `keys rotate` or `keys delete`.
    pub command: &'static str,
    /// The tenant, as it was named.
    pub tenant: String,
    /// The keyset.
    pub keyset: String,
    /// How it ended.
    pub status: ChangeStatus,
    /// How the new key is made, in words.
    pub content: Option<String>,
    /// Id of the new key.
    pub kid: Option<String>,
    /// How often the request for it was sent.
    pub attempts: u32,
    /// When the new key becomes active; null if it does not or that is not known.
    pub active_from: Option<String>,
    /// Which key is active from when on.
    pub handovers: Vec<HandoverJson>,
    /// What should be known.
    pub warnings: Vec<String>,
    /// Why it was not done, or not completely.
    pub errors: Vec<String>,
    /// Places in the tenant's policies that keep the keyset from being deleted.
    pub used_by: Vec<KeyUserJson>,
}

/// How a change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeStatus {
    /// It is about to be done.
    Planned,
    /// It was done.
    Done,
    /// It was done, but something about it could not be made sure; see the warnings.
    Doubtful,
    /// There was nothing to do.
    Unchanged,
    /// It must not be done.
    Refused,
    /// It was tried, and failed.
    Failed,
    /// Somebody said no.
    Declined,
}

/// From when on which key is active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandoverJson {
    /// The time.
    pub at: String,
    /// Id of the key; null for the new one and for none.
    pub kid: Option<String>,
    /// Whether it is the new key.
    pub new: bool,
}

impl ChangeJson {
    /// A change that is about to be done.
    pub fn new(
        command: &'static str,
        tenant: impl Into<String>,
        keyset: impl Into<String>,
    ) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            command,
            tenant: tenant.into(),
            keyset: keyset.into(),
            status: ChangeStatus::Planned,
            content: None,
            kid: None,
            attempts: 0,
            active_from: None,
            handovers: Vec::new(),
            warnings: Vec::new(),
            errors: Vec::new(),
            used_by: Vec::new(),
        }
    }
}

impl KeyUserJson {
    /// "`client_secret` of Google-OAuth2 in B2C_1A_Extensions (policies/Extensions.xml:12:34)".
    fn words(&self) -> String {
        let mut words = match (self.key.as_str(), self.element.as_str()) {
            ("", "") => self.policy_id.clone(),
            ("", element) => format!("{element} in {}", self.policy_id),
            (key, "") => format!("{key} in {}", self.policy_id),
            (key, element) => format!("{key} of {element} in {}", self.policy_id),
        };
        if let Some(place) = self.place() {
            words = format!("{words} ({place})");
        }
        words
    }

    fn place(&self) -> Option<String> {
        let (line, column) = (self.line?, self.column?);
        Some(format!("{}:{line}:{column}", self.file.as_ref()?))
    }
}

/// Writes the keysets of a tenant: JSON, Markdown, else a table for people.
///
/// # Errors
/// Only those of `out`.
pub fn render_keysets(
    keysets: &KeysetsJson,
    format: Format,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Json => json::write(keysets, out),
        Format::Markdown => markdown::keysets(keysets, out),
        _ if keysets.command == "keys show" => human::keyset(keysets, style, out),
        _ => human::keysets(keysets, style, out),
    }
}

/// Writes what a check found: JSON, Markdown, annotations of a CI system, else text for people.
///
/// # Errors
/// Only those of `out`.
pub fn render_check(
    check: &CheckJson,
    format: Format,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Json => json::write(check, out),
        Format::Markdown => markdown::check(check, out),
        Format::Github => annotations::github(check, out),
        Format::Azure => annotations::azure(check, out),
        _ => human::check(check, style, out),
    }
}

/// Writes a change: JSON, Markdown, else text for people.
///
/// # Errors
/// Only those of `out`.
pub fn render_change(
    change: &ChangeJson,
    format: Format,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Json => json::write(change, out),
        Format::Markdown => markdown::change(change, out),
        _ => human::change(change, style, out),
    }
}

/// "contoso.onmicrosoft.com: 3 keysets checked, 1 error".
fn summary_line(check: &CheckJson) -> String {
    let CheckSummaryJson {
        keysets,
        errors,
        warnings,
        hints,
    } = check.summary;
    let found: Vec<String> = [(errors, "error"), (warnings, "warning"), (hints, "hint")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| super::counted(count, noun))
        .collect();
    let found = if found.is_empty() {
        "no problems found".to_owned()
    } else {
        found.join(", ")
    };
    let keysets = super::counted(keysets, "keyset");
    format!("{}: {keysets} checked: {found}", check.tenant)
}

fn level<S: serde::Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(level)
}
