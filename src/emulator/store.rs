//! What the tenants hold: policies and keysets, in memory, written through to the state folder.
//!
//! One writer at a time decides, writes the file and then changes the memory, so that a file is
//! never older than what a client has been told. Readers never wait for the disk. No caller may
//! hold a reference into the store while it validates or generates keys.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::clock;
use super::directory::{self, Directory, DirectoryOptions, Entity};
use super::guid;
use super::state::{StateError, StateFolder};
use super::upload;

/// The prefix of every policy and keyset id.
pub(super) const PREFIX: &str = "B2C_1A_";

/// The id as the service stores it: with the prefix added where it is missing.
pub(super) fn with_prefix(id: &str) -> String {
    if has_prefix(id) {
        id.to_owned()
    } else {
        format!("{PREFIX}{id}")
    }
}

/// Whether an id begins with the prefix, in any case.
pub(super) fn has_prefix(id: &str) -> bool {
    id.get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// The form in which ids are compared.
pub(super) fn key(id: &str) -> String {
    id.to_lowercase()
}

/// The readable part of one key of a keyset. Secret parts are dropped on arrival.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The key's id, made by the service.
    pub kid: String,
    /// `RSA` or `OCT`.
    pub kty: String,
    /// `sig` or `enc`.
    #[serde(rename = "use")]
    pub usage: String,
    /// Not active before, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Not active from then on, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// RSA modulus, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA exponent, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Certificate chain, base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub x5c: Vec<String>,
    /// SHA-1 thumbprint of the certificate, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5t: Option<String>,
    /// Whether the key may become active.
    pub enabled: bool,
}

/// A keyset: an id and the keys in the order of their arrival.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyset {
    /// The id, with prefix.
    pub id: String,
    /// The keys, oldest first.
    pub keys: Vec<Key>,
}

impl Keyset {
    /// The key in use at `now` (seconds since 1970): the enabled and unexpired key with the latest
    /// `nbf` that has passed; without such a key the first one that has no `nbf`. `None` means that
    /// no token can be issued with this keyset.
    pub fn active_key(&self, now: i64) -> Option<&Key> {
        let usable = |key: &&Key| key.enabled && key.exp.is_none_or(|exp| now < exp);
        self.keys
            .iter()
            .filter(usable)
            .filter(|key| key.nbf.is_some_and(|nbf| nbf <= now))
            // The last of equals wins in max_by_key; the first one uploaded shall.
            .rev()
            .max_by_key(|key| key.nbf)
            .or_else(|| {
                self.keys
                    .iter()
                    .filter(usable)
                    .find(|key| key.nbf.is_none())
            })
    }
}

/// A stored policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    /// The id, with prefix, as its XML writes it.
    pub(super) id: String,
    /// The stored form.
    pub(super) xml: Arc<str>,
    /// The id of the policy it inherits from.
    pub(super) base: Option<String>,
    /// Every `StorageReferenceId`.
    pub(super) key_references: Vec<String>,
}

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tenant {
    pub(super) id: String,
    /// The domain; unknown if clients signed in with the id only.
    pub(super) domain: Option<String>,
    /// Whether the id was given by the user; otherwise it is invented, and cannot contradict a
    /// policy's `TenantObjectId`.
    pub(super) id_is_real: bool,
    pub(super) policies: BTreeMap<String, Policy>,
    pub(super) keysets: BTreeMap<String, Keyset>,
    /// None as long as it is that of a new tenant.
    pub(super) directory: Option<Directory>,
}

impl Tenant {
    /// The name in messages.
    pub(super) fn name(&self) -> &str {
        self.domain.as_deref().unwrap_or(&self.id)
    }

    pub(super) fn policy(&self, id: &str) -> Option<&Policy> {
        self.policies.get(&key(id))
    }

    pub(super) fn keyset(&self, id: &str) -> Option<&Keyset> {
        self.keysets.get(&key(id))
    }
}

/// One step of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Policy(Policy),
    RemovePolicy(String),
    Keyset(Keyset),
    RemoveKeyset(String),
    Directory(Directory),
    /// The tenant's domain has become known.
    Domain(String),
}

/// The tenants of one emulator. Tenants are named by domain or id; one that nobody has named yet
/// is empty.
#[derive(Debug)]
pub struct Store {
    writer: Mutex<()>,
    tenants: Mutex<BTreeMap<String, Tenant>>,
    known_ids: BTreeMap<String, String>,
    folder: Option<StateFolder>,
    new_directory: DirectoryOptions,
}

impl Store {
    /// Loads the folder, if there is one. `known_ids` are tenant ids by domain.
    pub(super) fn open(
        folder: Option<PathBuf>,
        known_ids: &BTreeMap<String, String>,
        new_directory: DirectoryOptions,
    ) -> Result<Self, StateError> {
        let folder = folder.map(StateFolder::open).transpose()?;
        let tenants = match &folder {
            Some(folder) => folder.load()?,
            None => Vec::new(),
        };
        Ok(Self {
            writer: Mutex::default(),
            tenants: Mutex::new(tenants.into_iter().map(|t| (t.id.clone(), t)).collect()),
            known_ids: known_ids
                .iter()
                .map(|(domain, id)| (domain.to_lowercase(), id.to_lowercase()))
                .collect(),
            folder,
            new_directory,
        })
    }

    /// The id of a tenant.
    pub fn tenant_id(&self, tenant: &str) -> String {
        self.enter(tenant)
    }

    /// The ids of a tenant's policies, sorted without regard to case.
    pub fn policies(&self, tenant: &str) -> Vec<String> {
        self.read(&self.enter(tenant), |tenant| {
            tenant
                .policies
                .values()
                .map(|policy| policy.id.clone())
                .collect()
        })
    }

    /// A policy as it would be downloaded.
    pub fn policy(&self, tenant: &str, id: &str) -> Option<String> {
        self.read(&self.enter(tenant), |tenant| {
            tenant.policy(id).map(|policy| policy.xml.to_string())
        })
    }

    /// Puts a policy into a tenant as it is, without validation; answers its id. The error is the
    /// reason in words.
    pub fn put_policy(&self, tenant: &str, xml: &str) -> Result<String, String> {
        let policy = upload::stored_policy(xml)?;
        let id = policy.id.clone();
        self.seed(tenant, Change::Policy(policy)).map(|()| id)
    }

    /// Removes a policy; the error tells why the state folder could not follow.
    pub fn remove_policy(&self, tenant: &str, id: &str) -> Result<(), String> {
        self.seed(tenant, Change::RemovePolicy(id.to_owned()))
    }

    /// A tenant's keysets, sorted by id without regard to case.
    pub fn keysets(&self, tenant: &str) -> Vec<Keyset> {
        self.read(&self.enter(tenant), |tenant| {
            tenant.keysets.values().cloned().collect()
        })
    }

    /// One keyset.
    pub fn keyset(&self, tenant: &str, id: &str) -> Option<Keyset> {
        self.read(&self.enter(tenant), |tenant| tenant.keyset(id).cloned())
    }

    /// Puts a keyset into a tenant as it is; the error tells why the state folder could not follow.
    pub fn put_keyset(&self, tenant: &str, keyset: Keyset) -> Result<(), String> {
        self.seed(tenant, Change::Keyset(keyset))
    }

    /// Puts a keyset with one generated-looking key into a tenant; `kty` is `RSA` or `OCT`.
    pub fn put_simple_keyset(
        &self,
        tenant: &str,
        id: &str,
        kty: &str,
        usage: &str,
    ) -> Result<(), String> {
        let key = Key {
            kid: guid::random_kid(),
            kty: kty.to_owned(),
            usage: usage.to_owned(),
            enabled: true,
            ..Key::default()
        };
        let id = with_prefix(id);
        self.put_keyset(
            tenant,
            Keyset {
                id,
                keys: vec![key],
            },
        )
    }

    /// Removes a keyset; the error tells why the state folder could not follow.
    pub fn remove_keyset(&self, tenant: &str, id: &str) -> Result<(), String> {
        self.seed(tenant, Change::RemoveKeyset(id.to_owned()))
    }

    /// The applications, service principals and consent of a tenant.
    pub fn directory(&self, tenant: &str) -> Directory {
        self.read(&self.enter(tenant), |tenant| self.directory_of(tenant))
    }

    /// Changes a tenant's directory as it is, without any check; the error tells why the state
    /// folder could not follow.
    pub fn change_directory(
        &self,
        tenant: &str,
        change: impl FnOnce(&mut Directory),
    ) -> Result<(), String> {
        let mut directory = self.directory(tenant);
        change(&mut directory);
        self.seed(tenant, Change::Directory(directory))
    }

    /// The application of this display name, if there is exactly one.
    pub fn application(&self, tenant: &str, name: &str) -> Option<Entity> {
        let applications = self.directory(tenant).applications;
        let mut found = applications
            .into_iter()
            .filter(|it| it.text("displayName") == name);
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }

    pub(super) fn directory_of(&self, tenant: &Tenant) -> Directory {
        tenant.directory.clone().unwrap_or_else(|| {
            directory::seed(&tenant.id, tenant.domain.as_deref(), &self.new_directory)
        })
    }

    /// The key of a keyset that is in use now.
    pub fn active_key(&self, tenant: &str, id: &str) -> Option<Key> {
        self.keyset(tenant, id)?.active_key(clock::now()).cloned()
    }

    /// Gives the state folder back; what is written from now on fails.
    pub(super) fn close(&self) {
        if let Some(folder) = &self.folder {
            folder.close();
        }
    }

    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.path().to_owned())
    }

    /// The id of the tenant with this domain or id, which exists from now on.
    pub(super) fn enter(&self, name: &str) -> String {
        let name = name.trim().to_lowercase();
        let mut tenants = self.tenants();
        if guid::is_guid(&name) {
            let domain = self.known_ids.iter().find(|(_, id)| **id == name);
            tenants.entry(name.clone()).or_insert_with(|| Tenant {
                id: name.clone(),
                domain: domain.map(|(domain, _)| domain.clone()),
                id_is_real: true,
                ..Tenant::default()
            });
            return name;
        }
        let known = tenants
            .values()
            .find(|tenant| tenant.domain.as_ref() == Some(&name));
        if let Some(tenant) = known {
            return tenant.id.clone();
        }
        let pinned = self.known_ids.get(&name).cloned();
        let id_is_real = pinned.is_some();
        let id = pinned.unwrap_or_else(|| guid::derived("tenant", &name));
        let tenant = tenants.entry(id.clone()).or_insert_with(|| Tenant {
            id: id.clone(),
            id_is_real,
            ..Tenant::default()
        });
        tenant.domain.get_or_insert(name);
        id
    }

    /// Looks at a tenant, briefly: all other requests wait meanwhile.
    pub(super) fn read<R>(&self, id: &str, look: impl FnOnce(&Tenant) -> R) -> R {
        match self.tenants().get(id) {
            Some(tenant) => look(tenant),
            None => look(&Tenant {
                id: id.to_owned(),
                ..Tenant::default()
            }),
        }
    }

    /// Decides on a write by what the tenant holds, then writes it: file first, memory second.
    pub(super) fn change<R, E: From<StateError>>(
        &self,
        id: &str,
        decide: impl FnOnce(&Tenant) -> Result<(Vec<Change>, R), E>,
    ) -> Result<R, E> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let (changes, result) = self.read(id, decide)?;
        for change in changes {
            if let Some(folder) = &self.folder {
                // Without its contents, which the folder has already.
                let identity = self.read(id, |tenant| Tenant {
                    id: tenant.id.clone(),
                    domain: tenant.domain.clone(),
                    id_is_real: tenant.id_is_real,
                    ..Tenant::default()
                });
                folder.apply(&identity, &change)?;
            }
            let mut tenants = self.tenants();
            let tenant = tenants.entry(id.to_owned()).or_insert_with(|| Tenant {
                id: id.to_owned(),
                ..Tenant::default()
            });
            match change {
                Change::Policy(policy) => {
                    tenant.policies.insert(key(&policy.id), policy);
                }
                Change::RemovePolicy(id) => {
                    tenant.policies.remove(&key(&id));
                }
                Change::Keyset(keyset) => {
                    tenant.keysets.insert(key(&keyset.id), keyset);
                }
                Change::RemoveKeyset(id) => {
                    tenant.keysets.remove(&key(&id));
                }
                Change::Directory(directory) => tenant.directory = Some(directory),
                Change::Domain(domain) => tenant.domain = Some(domain),
            }
        }
        Ok(result)
    }

    fn seed(&self, tenant: &str, change: Change) -> Result<(), String> {
        self.change(&self.enter(tenant), |_| {
            Ok::<_, StateError>((vec![change], ()))
        })
        .map_err(|error| error.to_string())
    }

    fn tenants(&self) -> MutexGuard<'_, BTreeMap<String, Tenant>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyset(keys: &[(Option<i64>, Option<i64>, bool)]) -> Keyset {
        let keys = keys
            .iter()
            .enumerate()
            .map(|(at, (nbf, exp, enabled))| Key {
                kid: at.to_string(),
                nbf: *nbf,
                exp: *exp,
                enabled: *enabled,
                ..Key::default()
            });
        Keyset {
            id: "B2C_1A_K".to_owned(),
            keys: keys.collect(),
        }
    }

    fn active(keys: &[(Option<i64>, Option<i64>, bool)]) -> Option<usize> {
        keyset(keys)
            .active_key(100)
            .map(|key| key.kid.parse().unwrap())
    }

    #[test]
    fn active_key_follows_nbf_and_exp() {
        assert_eq!(active(&[]), None);
        assert_eq!(
            active(&[(Some(50), None, true), (Some(90), None, true)]),
            Some(1)
        );
        assert_eq!(
            active(&[(Some(50), None, true), (Some(101), None, true)]),
            Some(0)
        );
        assert_eq!(active(&[(Some(100), None, true)]), Some(0));
        // The newer one has expired: the older takes over again.
        assert_eq!(
            active(&[(Some(50), None, true), (Some(90), Some(100), true)]),
            Some(0)
        );
        // One with nbf goes before one without, which is the default when no other is valid.
        assert_eq!(
            active(&[(None, None, true), (Some(10), None, true)]),
            Some(1)
        );
        assert_eq!(
            active(&[(None, None, true), (Some(10), Some(20), true)]),
            Some(0)
        );
        assert_eq!(active(&[(None, None, true), (None, None, true)]), Some(0));
        assert_eq!(active(&[(None, None, false), (None, None, true)]), Some(1));
        assert_eq!(
            active(&[(None, Some(99), true), (Some(200), None, true)]),
            None
        );
        assert_eq!(
            active(&[(Some(50), None, true), (Some(50), None, true)]),
            Some(0)
        );
    }

    #[test]
    fn tenants_are_found_by_domain_and_id() {
        let ids = [(
            "Contoso.onmicrosoft.com".to_owned(),
            "AAAAAAAA-0000-0000-0000-000000000001".to_owned(),
        )];
        let store = Store::open(None, &ids.into(), DirectoryOptions::default()).unwrap();
        let pinned = store.enter("contoso.onmicrosoft.com");
        assert_eq!(pinned, "aaaaaaaa-0000-0000-0000-000000000001");
        assert_eq!(store.enter("AAAAAAAA-0000-0000-0000-000000000001"), pinned);
        let derived = store.enter("Fabrikam.onmicrosoft.com");
        assert_eq!(store.enter(&derived), derived);
        assert_eq!(
            store.read(&derived, |t| t.domain.clone()).as_deref(),
            Some("fabrikam.onmicrosoft.com")
        );
        assert_ne!(pinned, derived);
    }
}
