//! Makes the keysets of a plan: an empty keyset first, then its only key.
//!
//! If the key cannot be added, the empty keyset stays: the next run finds it and completes it.
//! Deleting it instead could destroy a key that arrives late, or one that somebody else has added
//! meanwhile.
//!
//! Two runs that find the same keyset missing cannot both add a key: the service lets only one of
//! them create it. Two that find the same *empty* keyset could; on one machine the [`TenantLock`]
//! keeps them apart, elsewhere the pipeline must.

use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;

use crate::msgraph::{AppendedKey, GraphClient, GraphError, KeyValidity, KeysetState, NewSecret};

use super::Cancellation;
use super::lock::{LockError, Pending, TenantLock};
use super::materials::Material;
use super::plan::KeysetAction;

/// What became of one keyset.
#[derive(Debug)]
pub(super) struct Provisioned {
    pub(super) result: Result<KeyMade, ProvisionError>,
    pub(super) duration: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyMade {
    /// This run added the key.
    Added { attempts: u32 },
    /// Somebody else was faster; nothing was added.
    FoundThere,
}

/// Why a keyset was not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProvisionError {
    /// It could not be created; whether it was is looked at by the next run.
    #[error(transparent)]
    Create(GraphError),
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error(
        "keyset {0} was created by somebody else at the same time and has no key so far; nothing was \
         added to it. Run again when the other deployment has ended"
    )]
    Contended(String),
    #[error("no key was asked for, because that cannot be noted first: {0}")]
    Lock(#[from] LockError),
    /// Somebody asked to stop while the key of an earlier run was waited for.
    #[error("stopped")]
    Stopped,
}

/// One keyset that is to become usable.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) client: GraphClient,
    pub(super) lock: Option<TenantLock>,
    pub(super) cancellation: Cancellation,
    /// Its id.
    pub(super) id: String,
    pub(super) action: KeysetAction,
    /// What an earlier run may have left open.
    pub(super) pending: Option<Pending>,
    pub(super) wait_for_others: Duration,
}

impl Job {
    /// Makes the keyset usable. Never adds a key to a keyset that has one.
    pub(super) async fn provision(self, material: &Material) -> Provisioned {
        let started = Instant::now();
        let result = self.make(material).await;
        // What may still take effect is for the next run to know; everything else is over.
        let is_open = matches!(
            &result,
            Err(ProvisionError::Create(_)
                | ProvisionError::Graph(GraphError::Ambiguous(_))
                | ProvisionError::Stopped)
        );
        if let Some(lock) = self.lock.as_ref().filter(|_| !is_open) {
            lock.settled(&self.id);
        }
        Provisioned {
            result,
            duration: started.elapsed(),
        }
    }

    async fn make(&self, material: &Material) -> Result<KeyMade, ProvisionError> {
        let mut id = self.id.clone();
        if self.action == KeysetAction::Create {
            if let Some(lock) = &self.lock {
                lock.creating(&id)?;
            }
            let created = self.client.create_keyset(&id).await;
            let created = created.map_err(ProvisionError::Create)?;
            id = created.id;
            // Of two runs that want the same keyset only one creates it, and that one adds the key.
            if created.existed && self.pending.is_none() {
                return match self.appears(&id, self.wait_for_others).await? {
                    true => Ok(KeyMade::FoundThere),
                    false => Err(ProvisionError::Contended(id)),
                };
            }
        }
        if let Some(Pending::AddingKey(at_most)) = self.pending
            && self.appears(&id, at_most).await?
        {
            return Ok(KeyMade::FoundThere);
        }
        if let Some(lock) = &self.lock {
            lock.adding_key(&self.id)?;
        }
        // A key with a beginning is not active before it, and one with an end leaves nothing behind.
        let validity = KeyValidity::default();
        match add_key(&self.client, &id, KeysetState::Empty, material, validity).await {
            Ok(added) => Ok(KeyMade::Added {
                attempts: added.attempts,
            }),
            Err(GraphError::KeysetNotEmpty { .. }) => Ok(KeyMade::FoundThere),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a key appears in a keyset within this time.
    async fn appears(&self, id: &str, at_most: Duration) -> Result<bool, ProvisionError> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let keyset = self.client.get_keyset(id).await?;
            if keyset.is_some_and(|keyset| !keyset.keys.is_empty()) {
                return Ok(true);
            }
            let left = at_most.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            if self.cancellation.is_cancelled() {
                return Err(ProvisionError::Stopped);
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}

/// Adds one key to a keyset. Certificates have their own validity.
pub(super) async fn add_key(
    client: &GraphClient,
    id: &str,
    expected: KeysetState,
    material: &Material,
    validity: KeyValidity,
) -> Result<AppendedKey, GraphError> {
    match material {
        Material::Generate { kind, usage } => {
            let (usage, kind) = ((*usage).into(), (*kind).into());
            client
                .generate_key(id, expected, usage, kind, validity)
                .await
        }
        Material::Secret { usage, value, .. } => {
            let secret = NewSecret {
                key_use: (*usage).into(),
                value,
                validity,
            };
            client.upload_secret(id, expected, secret).await
        }
        Material::Certificate { der } => client.upload_certificate(id, expected, der).await,
        Material::Pkcs12 { archive, password } => {
            let archive = archive.expose_secret();
            client.upload_pkcs12(id, expected, archive, password).await
        }
    }
}
