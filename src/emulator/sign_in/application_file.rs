//! The file that registers applications:
//!
//! ```json
//! {"applications": [{
//!   "clientId": "11111111-1111-1111-1111-111111111111",
//!   "certificates": ["client.pem"],
//!   "federatedCredentials": [{
//!     "issuer": "https://token.actions.githubusercontent.com",
//!     "subject": "repo:contoso/policies:environment:prod",
//!     "audience": "api://AzureADTokenExchange",
//!     "keys": "jwks.json"
//!   }]
//! }]}
//! ```
//!
//! `certificates` and `keys` name files, relative to this one; `keys` may be a URL on this machine
//! instead, and may be left out where the issuer is one.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::Value;

use super::applications::{Application, FederatedCredential, IssuerKeys};
use super::issuer_keys;
use crate::emulator::certificate::Certificate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    applications: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    client_id: String,
    client_secret: Option<String>,
    #[serde(default)]
    certificates: Vec<String>,
    #[serde(default)]
    federated_credentials: Vec<Credential>,
    #[serde(default)]
    public_client: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Credential {
    issuer: String,
    subject: String,
    #[serde(default = "usual_audience")]
    audience: String,
    keys: Option<String>,
}

fn usual_audience() -> String {
    "api://AzureADTokenExchange".to_owned()
}

/// Reads a file that registers applications.
///
/// # Errors
/// A sentence that names the file and what is wrong in it.
pub fn read(path: &Path) -> Result<Vec<Application>, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the applications `{shown}`: {error}"))?;
    let file: File = serde_json::from_str(&text)
        .map_err(|error| format!("`{shown}` registers no applications: {error}"))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut applications: Vec<Application> = Vec::new();
    for entry in file.applications {
        let known = |other: &Application| other.client_id.eq_ignore_ascii_case(&entry.client_id);
        if applications.iter().any(known) {
            return Err(format!(
                "`{shown}` has application {} twice",
                entry.client_id
            ));
        }
        let mut certificates = Vec::new();
        for name in &entry.certificates {
            certificates.extend(certificates_in(&folder.join(name))?);
        }
        let credentials = entry
            .federated_credentials
            .into_iter()
            .map(|credential| federated(credential, folder));
        applications.push(Application {
            client_secret: entry.client_secret.map(Into::into),
            certificates,
            federated_credentials: credentials.collect::<Result<_, _>>()?,
            public_client: entry.public_client,
            client_id: entry.client_id,
        });
    }
    Ok(applications)
}

/// The certificates of a PEM file, or the one of a DER file.
fn certificates_in(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let shown = path.display();
    let bytes = std::fs::read(path)
        .map_err(|error| format!("cannot read the certificate `{shown}`: {error}"))?;
    let found: Vec<Vec<u8>> = if bytes.first() == Some(&0x30) {
        vec![bytes]
    } else {
        let sections = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
        let sections = sections.map_err(|_| format!("`{shown}` is a damaged PEM file"))?;
        sections
            .iter()
            .map(|certificate| certificate.to_vec())
            .collect()
    };
    if found.is_empty() {
        return Err(format!("`{shown}` holds no certificate"));
    }
    for der in &found {
        Certificate::read(der).map_err(|reason| format!("`{shown}`: {reason}"))?;
    }
    Ok(found)
}

fn federated(credential: Credential, folder: &Path) -> Result<FederatedCredential, String> {
    let keys = match credential.keys {
        Some(url) if url.contains("://") => {
            issuer_keys::check_url(&url)?;
            IssuerKeys::Url(url)
        }
        Some(file) => IssuerKeys::Set(key_set(&folder.join(file))?),
        None => {
            issuer_keys::check_url(&credential.issuer).map_err(|_| {
                format!(
                    "the issuer {} is not on this machine: name a file with its keys as `keys`",
                    credential.issuer
                )
            })?;
            IssuerKeys::Discovery
        }
    };
    Ok(FederatedCredential {
        issuer: credential.issuer,
        subject: credential.subject,
        audience: credential.audience,
        keys,
    })
}

fn key_set(path: &Path) -> Result<Value, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the keys `{shown}`: {error}"))?;
    let set: Value = serde_json::from_str(&text)
        .map_err(|error| format!("`{shown}` is no JSON Web Key Set: {error}"))?;
    if set["keys"].is_array() {
        Ok(set)
    } else {
        Err(format!(
            "`{shown}` is no JSON Web Key Set: it has no `keys`"
        ))
    }
}
