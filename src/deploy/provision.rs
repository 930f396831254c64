//! Makes the keysets of a plan: an empty keyset first, then its only key.
//!
//! If the key cannot be added, the empty keyset stays: the next run finds it and completes it.
//! Deleting it instead could destroy a key that arrives late, or one that somebody else has added
//! meanwhile.

use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;

use crate::msgraph::{AppendedKey, GraphClient, GraphError, KeyValidity, KeysetState, NewSecret};

use super::materials::Material;
use super::plan::KeysetAction;

/// What became of one keyset.
#[derive(Debug)]
pub(super) struct Provisioned {
    pub(super) result: Result<KeyMade, GraphError>,
    pub(super) duration: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyMade {
    /// This run added the key.
    Added { attempts: u32 },
    /// Somebody else was faster; nothing was added.
    FoundThere,
}

/// Makes one keyset usable. Never adds a key to a keyset that has one.
pub(super) async fn provision(
    client: &GraphClient,
    id: &str,
    action: KeysetAction,
    material: &Material,
) -> Provisioned {
    let started = Instant::now();
    let result = make(client, id, action, material).await;
    Provisioned {
        result,
        duration: started.elapsed(),
    }
}

async fn make(
    client: &GraphClient,
    id: &str,
    action: KeysetAction,
    material: &Material,
) -> Result<KeyMade, GraphError> {
    let id = match action {
        // That it exists by now is no reason to stop: its keys are looked at before one is added.
        KeysetAction::Create => client.create_keyset(id).await?.id,
        _ => id.to_owned(),
    };
    // A key with a beginning is not active before it, and one with an end leaves nothing behind.
    let validity = KeyValidity::default();
    match add_key(client, &id, KeysetState::Empty, material, validity).await {
        Ok(added) => Ok(KeyMade::Added {
            attempts: added.attempts,
        }),
        Err(GraphError::KeysetNotEmpty { .. }) => Ok(KeyMade::FoundThere),
        Err(error) => Err(error),
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
