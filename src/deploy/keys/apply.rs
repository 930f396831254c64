//! Adds keys and deletes keysets, each after a last look whether the tenant is still as it was when
//! the user saw it.

use std::time::SystemTime;

use secrecy::SecretSlice;

use super::tenant::{Scope, TenantKeyset, read};
use super::users::{KeyUser, users_in_tenant};
use super::{Offer, Refusal, RotationPlan, TenantKey};
use crate::deploy::keyset_plan::prefixed;
use crate::deploy::lock::{LockError, Pending, TenantLock};
use crate::deploy::materials::{self, Material};
use crate::deploy::provision::add_key;
use crate::deploy::{KeyContent, ValueError, ValueSource};
use crate::msgraph::{
    AppendedKey, GraphClient, GraphError, Key, KeyStatus, KeyValidity, KeysetState,
};
use crate::x509::Certificate;

/// Why a keyset was not changed, or not as planned.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The value of the key cannot be had.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The service refused or did not answer.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The plan must not be carried out.
    #[error("{0}")]
    Refused(Refusal),
    /// The keyset has a key, and its first one was to be added.
    #[error(
        "keyset {id} already has {keys} {}: `iefctl keys rotate {id}` adds a further one",
        if *keys == 1 { "key" } else { "keys" }
    )]
    HasKeys {
        /// The keyset.
        id: String,
        /// How many keys it has.
        keys: usize,
    },
    /// An earlier run has asked for a key, and nobody knows yet whether it comes.
    #[error(
        "an earlier run was interrupted while it added a key to keyset {id}, which may still appear: \
         nothing was done; look with `iefctl keys show {id}` in {seconds} s and run again if no key has \
         come"
    )]
    Pending {
        /// The keyset.
        id: String,
        /// How long it may take.
        seconds: u64,
    },
    /// That a key is asked for cannot be noted.
    #[error("nothing was done, because it cannot be noted first")]
    Lock(#[from] LockError),
    /// Somebody else was faster.
    #[error("keyset {0} has changed since it was read: nothing was done; run again")]
    Moved(String),
    /// There is no such keyset.
    #[error("keyset {0} does not exist in the tenant")]
    Missing(String),
    /// Policies of the tenant need the keyset.
    #[error("{} of the tenant refer to keyset {id}", policies(users))]
    InUse {
        /// The keyset.
        id: String,
        /// Where it is needed.
        users: Vec<KeyUser>,
    },
}

fn policies(users: &[KeyUser]) -> String {
    match users.len() {
        1 => "1 place in policies".to_owned(),
        count => format!("{count} places in policies"),
    }
}

/// What happened to a keyset besides the key that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Created,
    /// It was there.
    Kept,
}

/// A key that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The keyset, as the service names it.
    pub keyset: String,
    /// Whether the keyset is new.
    pub change: Change,
    /// The key.
    pub key: Key,
    /// How often the request was sent.
    pub attempts: u32,
    /// Whether the service gave the key disabled, and it was enabled.
    pub enabled: bool,
    /// What could not be made sure after the key was added.
    pub doubt: Option<String>,
}

/// Reads what a key is made from, and what can be told of it before anything is sent. The values stay
/// in memory only as long as the result.
///
/// # Errors
/// [`ValueError`]: what is missing, unreadable, or would not be accepted by the service.
pub fn offer_from(
    content: &KeyContent,
    validity: KeyValidity,
    resolve: &dyn Fn(&ValueSource) -> Result<SecretSlice<u8>, ValueError>,
) -> Result<Offer, ValueError> {
    let material = materials::material(content, resolve, false)?;
    let certificate = match (&material, content) {
        (Material::Certificate { der }, KeyContent::Certificate { value }) => {
            Some(Certificate::read(der).ok_or_else(|| ValueError::Unfit {
                origin: value.clone(),
                problem: "is no X.509 certificate",
            })?)
        }
        _ => None,
    };
    Ok(Offer {
        content: content.clone(),
        validity,
        certificate,
    })
}

/// Makes a keyset with its first key, or gives an empty keyset its first key.
///
/// # Errors
/// [`KeysError::HasKeys`] if it has one; others see [`KeysError`].
pub async fn create(
    client: &GraphClient,
    plan: &RotationPlan,
    resolve: &dyn Fn(&ValueSource) -> Result<SecretSlice<u8>, ValueError>,
    lock: Option<&TenantLock>,
) -> Result<Added, KeysError> {
    let material = prepared(plan, resolve)?;
    refuse_pending(lock, &plan.keyset)?;
    let created = client.create_keyset(&plan.keyset).await?;
    let validity = plan.offer.validity;
    let state = KeysetState::Empty;
    let added = noted(lock, &created.id, async || {
        add_key(client, &created.id, state, &material, validity).await
    });
    let added = match added.await? {
        Err(GraphError::KeysetNotEmpty { id, keys }) => {
            return Err(KeysError::HasKeys { id, keys });
        }
        added => added?,
    };
    let change = if created.existed {
        Change::Kept
    } else {
        Change::Created
    };
    Ok(enabled(client, created.id, change, added).await)
}

/// Adds the next key to a keyset.
///
/// # Errors
/// [`KeysError::Moved`] if the keyset no longer has the keys of the plan; others see [`KeysError`].
pub async fn rotate(
    client: &GraphClient,
    plan: &RotationPlan,
    resolve: &dyn Fn(&ValueSource) -> Result<SecretSlice<u8>, ValueError>,
    lock: Option<&TenantLock>,
) -> Result<Added, KeysError> {
    let material = prepared(plan, resolve)?;
    let id = &plan.keyset;
    refuse_pending(lock, id)?;
    let Some(now) = client.get_keyset(id).await? else {
        return Err(KeysError::Missing(id.clone()));
    };
    let planned = plan.keys[..plan.new_key()].iter().map(|key| &key.key.kid);
    if !now.keys.iter().map(|key| &key.kid).eq(planned) {
        return Err(KeysError::Moved(id.clone()));
    }
    let state = KeysetState::Any;
    let added = noted(lock, id, async || {
        add_key(client, id, state, &material, plan.offer.validity).await
    });
    let added = added.await??;
    Ok(enabled(client, id.clone(), Change::Kept, added).await)
}

/// Deletes a keyset with all its keys, if no policy of the tenant needs it. `seen` is what the user
/// agreed to lose.
///
/// # Errors
/// [`KeysError::InUse`] with the places that need it, [`KeysError::Moved`] if it has other keys than
/// the user saw; others see [`KeysError`].
pub async fn delete(
    client: &GraphClient,
    seen: &TenantKeyset,
    concurrency: usize,
) -> Result<(), KeysError> {
    let id = &seen.id;
    let users = users_in_tenant(client, id, concurrency).await?;
    if !users.is_empty() {
        let id = id.clone();
        return Err(KeysError::InUse { id, users });
    }
    let keysets = read(client, &Scope::These(Vec::new()), concurrency).await?;
    let Some(now) = keysets.iter().find(|keyset| keyset.id == *id) else {
        return Err(KeysError::Missing(id.clone()));
    };
    let kid = |key: &TenantKey| key.key.kid.clone();
    if !now.keys.iter().map(kid).eq(seen.keys.iter().map(kid)) {
        return Err(KeysError::Moved(id.clone()));
    }
    if client.delete_keyset(id).await? {
        Ok(())
    } else {
        Err(KeysError::Missing(id.clone()))
    }
}

/// A key that an earlier run has asked for may still come; another one would be the second.
fn refuse_pending(lock: Option<&TenantLock>, id: &str) -> Result<(), KeysError> {
    let pending = lock.and_then(|lock| lock.pending(&prefixed(id), SystemTime::now()));
    match pending {
        Some(Pending::AddingKey(left)) => Err(KeysError::Pending {
            id: id.to_owned(),
            seconds: left.as_secs() + 1,
        }),
        Some(Pending::Creating) | None => Ok(()),
    }
}

/// Adds a key, and notes before and after it that it does.
async fn noted(
    lock: Option<&TenantLock>,
    id: &str,
    add: impl AsyncFnOnce() -> Result<AppendedKey, GraphError>,
) -> Result<Result<AppendedKey, GraphError>, KeysError> {
    let id = prefixed(id);
    if let Some(lock) = lock {
        lock.adding_key(&id)?;
    }
    let added = add().await;
    let is_open = matches!(added, Err(GraphError::Ambiguous(_)));
    if let Some(lock) = lock.filter(|_| !is_open) {
        lock.settled(&id);
    }
    Ok(added)
}

fn prepared(
    plan: &RotationPlan,
    resolve: &dyn Fn(&ValueSource) -> Result<SecretSlice<u8>, ValueError>,
) -> Result<Material, KeysError> {
    if let Some(refusal) = plan.refusals.first() {
        return Err(KeysError::Refused(refusal.clone()));
    }
    Ok(materials::material(&plan.offer.content, resolve, false)?)
}

/// A text of Microsoft's of 2024 says that keys arrive disabled: a key that nobody enables is never
/// used.
async fn enabled(
    client: &GraphClient,
    keyset: String,
    change: Change,
    added: AppendedKey,
) -> Added {
    let mut result = Added {
        keyset,
        change,
        key: added.key,
        attempts: added.attempts,
        enabled: false,
        doubt: None,
    };
    let Some(kid) = result.key.kid.clone() else {
        result.doubt = Some("the service gave the key no id".to_owned());
        return result;
    };
    let states = match client.list_key_states(&result.keyset).await {
        Ok(states) => states,
        Err(GraphError::Rejected(_)) => return result,
        Err(error) => {
            result.doubt = Some(format!(
                "it is not known whether the key is enabled: {error}"
            ));
            return result;
        }
    };
    let disabled = states.iter().any(|state| {
        state.key.kid.as_ref() == Some(&kid) && state.status == Some(KeyStatus::Disabled)
    });
    if disabled {
        match client.set_key_enabled(&result.keyset, &kid, true).await {
            Ok(true) => result.enabled = true,
            Ok(false) => {
                result.doubt =
                    Some("the key is disabled and could not be found to enable it".to_owned())
            }
            Err(error) => {
                result.doubt = Some(format!(
                    "the key is disabled and could not be enabled: {error}"
                ));
            }
        }
    }
    result
}
