//! One keyset with a generated RSA key, outside of a deployment and made as a deployment makes it.

use std::time::{Duration, SystemTime};

use crate::msgraph::GraphClient;

use super::lock::TenantLock;
use super::materials::Material;
use super::plan::KeysetAction;
use super::provision::{Job, ProvisionError};
use super::{Cancellation, GeneratedKind, Usage};

/// How long the key of somebody who creates the keyset at the same time is waited for.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(20);

/// Why the keyset was not made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct KeysetNotMade(ProvisionError);

impl KeysetNotMade {
    /// What to do.
    pub fn advice(&self) -> Option<&str> {
        match &self.0 {
            ProvisionError::Create(error) | ProvisionError::Graph(error) => error.advice(),
            ProvisionError::Contended(_) | ProvisionError::Lock(_) | ProvisionError::Stopped => {
                None
            }
        }
    }
}

/// Makes a keyset usable that is missing or, if it `exists`, empty. It never gets a second key, also
/// if an earlier run was killed while the service made the first one: `lock` knows.
///
/// # Errors
/// [`KeysetNotMade`]; the next run completes it.
pub async fn make_generated_keyset(
    client: &GraphClient,
    lock: Option<&TenantLock>,
    keyset: &str,
    usage: Usage,
    exists: bool,
) -> Result<(), KeysetNotMade> {
    let job = Job {
        client: client.clone(),
        lock: lock.cloned(),
        cancellation: Cancellation::new(),
        id: keyset.to_owned(),
        action: match exists {
            true => KeysetAction::Fill,
            false => KeysetAction::Create,
        },
        pending: lock.and_then(|lock| lock.pending(keyset, SystemTime::now())),
        wait_for_others: WAIT_FOR_OTHERS,
    };
    let material = Material::Generate {
        kind: GeneratedKind::Rsa,
        usage,
    };
    job.provision(&material)
        .await
        .result
        .map(|_| ())
        .map_err(KeysetNotMade)
}
