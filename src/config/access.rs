//! How the tenant of an environment is reached: the cloud, the way to sign in and what belongs to it.
//! What the words for clouds and ways mean is not known here; they carry their place, so that whoever
//! finds one that does not fit can point at it.

use std::path::PathBuf;

use toml::de::DeValue;

use super::configuration::ValueSource;
use super::iefctl_toml::Reader;
use super::keys::{EnvironmentKey, Keys as _, Shape};
use super::paths;
use super::toml_tables::{Key, Value};

/// A value with the place where it stands, as `iefctl.toml:12:8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated<T> {
    /// The value.
    pub value: T,
    /// File, line and column.
    pub place: String,
}

/// How the tenant of the chosen environment is reached, as far as the configuration says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantAccess {
    /// `auth`: the way to sign in.
    pub auth: Option<Stated<String>>,
    /// `cloud`: the Microsoft cloud that the tenant belongs to.
    pub cloud: Option<Stated<String>>,
    /// `client_id`: the application that signs in.
    pub client_id: Option<Stated<String>>,
    /// `client_secret`: where the application's secret comes from.
    pub client_secret: Option<Stated<ValueSource>>,
    /// `certificate`: the PEM file with the application's key and certificate.
    pub certificate: Option<Stated<PathBuf>>,
    /// `token_file`: the file with a federated token.
    pub token_file: Option<Stated<PathBuf>>,
    /// `service_connection_id`: the Azure Pipelines service connection.
    pub service_connection_id: Option<Stated<String>>,
    /// `managed_identity_client_id`: which user-assigned managed identity is meant.
    pub managed_identity_client_id: Option<Stated<String>>,
    /// Whether the command line or the configuration names the tenant, and not the policies alone.
    pub names_tenant: bool,
}

impl TenantAccess {
    pub(super) const fn of_named_tenant(mut self, names_tenant: bool) -> Self {
        self.names_tenant = names_tenant;
        self
    }
}

impl Reader<'_> {
    /// Reads one of the keys that say how a tenant is reached; `keys.rs` has them all.
    pub(super) fn access(&mut self, access: &mut TenantAccess, key: &Key<'_>, value: &Value<'_>) {
        match key.get_ref().as_ref() {
            "auth" => access.auth = self.stated_word(key, value, EnvironmentKey::Auth),
            "cloud" => access.cloud = self.stated_word(key, value, EnvironmentKey::Cloud),
            "client_id" => access.client_id = self.stated_name(key, value),
            "client_secret" => {
                let source = self.secret_source(key, value);
                access.client_secret = source.map(|source| self.stated(value, source));
            }
            "certificate" => access.certificate = self.stated_file(key, value),
            "token_file" => access.token_file = self.stated_file(key, value),
            "service_connection_id" => access.service_connection_id = self.stated_name(key, value),
            "managed_identity_client_id" => {
                access.managed_identity_client_id = self.stated_name(key, value);
            }
            _ => {}
        }
    }

    fn stated<T>(&self, at: &Value<'_>, value: T) -> Stated<T> {
        let place = self.tables.place(at.span());
        let position = self.sources.position(place).0;
        Stated {
            value,
            place: format!("{}:{position}", self.file_name),
        }
    }

    /// One of the words that the schema lists.
    fn stated_word(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
        known: EnvironmentKey,
    ) -> Option<Stated<String>> {
        let Shape::Words(words) = known.shape() else {
            return None;
        };
        let words: Vec<_> = words.iter().map(|(word, _)| (*word, *word)).collect();
        let word = self.tables.word(key, value, &words)?;
        Some(self.stated(value, word.to_owned()))
    }

    fn stated_name(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<Stated<String>> {
        let name = self.tables.name(key, value)?;
        Some(self.stated(value, name.value.trim().to_owned()))
    }

    /// A path, relative to the folder of the configuration. A certificate's text instead of its path
    /// is a secret in the wrong place and not repeated.
    fn stated_file(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<Stated<PathBuf>> {
        if let DeValue::String(text) = value.get_ref()
            && (text.contains("-----BEGIN") || text.contains('\n'))
        {
            let message = format!("`{}` must name a file, not hold its content", key.get_ref());
            let help = "a secret does not belong into this file".to_owned();
            self.tables.mistake(value.span(), message, Some(help));
            return None;
        }
        let path = self.tables.name(key, value)?;
        let path = paths::join(&self.configuration.folder, &path.value);
        Some(self.stated(value, path))
    }
}
