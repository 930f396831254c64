use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::task::JoinSet;

use crate::deploy::keyset_plan::prefixed;
use crate::msgraph::{GraphClient, GraphError, Key, KeyStatus, Keyset};
use crate::x509::Certificate;

/// A keyset as the tenant has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TenantKeyset {
    /// Its id, with prefix.
    pub id: String,
    /// Its keys in the order of the service.
    pub keys: Vec<TenantKey>,
    /// The id of the key that the service says it uses now.
    pub active: Option<String>,
}

/// The public side of a key of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TenantKey {
    /// The key.
    pub key: Key,
    /// Whether it may be used, where the service tells.
    pub status: Option<KeyStatus>,
    /// What its certificate says, if it has one that can be read.
    pub certificate: Option<Certificate>,
}

impl TenantKey {
    /// The key with what its certificate says.
    pub fn new(key: Key, status: Option<KeyStatus>) -> Self {
        let certificate = key.certificates.first().and_then(|certificate| {
            let der = STANDARD.decode(certificate).ok()?;
            Certificate::read(&der)
        });
        Self {
            key,
            status,
            certificate,
        }
    }

    /// When it ends, seconds since 1970: what the service says, or its certificate where that ends
    /// earlier or the service says nothing.
    pub fn expires(&self) -> Option<i64> {
        let certificate = self.certificate.map(|certificate| certificate.not_after);
        match (self.key.expires, certificate) {
            (Some(key), Some(certificate)) => Some(key.min(certificate)),
            (key, certificate) => key.or(certificate),
        }
    }

    /// Whether it is known to be switched off.
    pub fn is_disabled(&self) -> bool {
        matches!(self.status, Some(KeyStatus::Disabled))
    }
}

impl TenantKeyset {
    /// `RSA` or `oct`, as the service writes it; keys of a keyset do not differ in it.
    pub fn kty(&self) -> Option<&str> {
        self.keys.iter().find_map(|key| key.key.kty.as_deref())
    }

    /// `sig` or `enc`; keys of a keyset do not differ in it.
    pub fn key_use(&self) -> Option<&str> {
        self.keys.iter().find_map(|key| key.key.key_use.as_deref())
    }

    /// The key that the service uses now.
    pub fn active_key(&self) -> Option<&TenantKey> {
        let active = self.active.as_ref()?;
        self.keys
            .iter()
            .find(|key| key.key.kid.as_ref() == Some(active))
    }
}

/// Which keysets to look at closely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of the tenant.
    All,
    /// Those of these names, with or without prefix, as far as the tenant has them.
    These(Vec<String>),
}

/// The keyset that is meant by `name`, which may lack the prefix. Case does not count.
pub fn find<'k>(keysets: &'k [TenantKeyset], name: &str) -> Option<&'k TenantKeyset> {
    let is = |id: &str| {
        keysets
            .iter()
            .find(|keyset| keyset.id.eq_ignore_ascii_case(id))
    };
    is(name).or_else(|| is(&prefixed(name)))
}

/// Reads the tenant's keysets, at most `concurrency` calls at a time. Those outside of the scope are
/// in the result too, without status and active key.
///
/// # Errors
/// The first call that fails. That a tenant does not tell the status of keys is no failure.
pub async fn read(
    client: &GraphClient,
    scope: &Scope,
    concurrency: usize,
) -> Result<Vec<TenantKeyset>, GraphError> {
    let mut keysets = client.list_keysets().await?;
    keysets.sort_by_cached_key(|keyset| keyset.id.to_ascii_lowercase());
    let in_scope = |keyset: &Keyset| match scope {
        Scope::All => true,
        Scope::These(names) => names.iter().any(|name| {
            keyset.id.eq_ignore_ascii_case(name) || keyset.id.eq_ignore_ascii_case(&prefixed(name))
        }),
    };
    let mut waiting: VecDeque<usize> = (0..keysets.len())
        .filter(|&position| in_scope(&keysets[position]) && !keysets[position].keys.is_empty())
        .collect();
    let mut found: Vec<TenantKeyset> = keysets.into_iter().map(plain).collect();
    let mut running = JoinSet::new();
    loop {
        while running.len() < concurrency.max(1)
            && let Some(position) = waiting.pop_front()
        {
            let (client, id) = (client.clone(), found[position].id.clone());
            running.spawn(async move { (position, details(&client, &id).await) });
        }
        let Some(answer) = running.join_next().await else {
            return Ok(found);
        };
        let (position, details) = match answer {
            Ok(answer) => answer,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Nobody aborts these tasks.
                Err(_) => continue,
            },
        };
        let (active, states) = details?;
        let keyset = &mut found[position];
        keyset.active = active;
        for key in &mut keyset.keys {
            let state = states.iter().find(|(kid, _)| *kid == key.key.kid);
            key.status = state.and_then(|(_, status)| status.clone());
        }
    }
}

fn plain(keyset: Keyset) -> TenantKeyset {
    TenantKeyset {
        id: keyset.id,
        keys: keyset
            .keys
            .into_iter()
            .map(|key| TenantKey::new(key, None))
            .collect(),
        active: None,
    }
}

type States = Vec<(Option<String>, Option<KeyStatus>)>;

async fn details(client: &GraphClient, id: &str) -> Result<(Option<String>, States), GraphError> {
    let (active, states) = tokio::join!(client.get_active_key(id), client.list_key_states(id));
    let states = match states {
        Ok(states) => states,
        // `keys_v2` is in the metadata, but not in all of the documentation.
        Err(GraphError::Rejected(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let states = states
        .into_iter()
        .map(|state| (state.key.kid, state.status))
        .collect();
    Ok((active?.and_then(|key| key.kid), states))
}
