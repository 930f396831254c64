//! What a user can set: who may sign in, what is kept, and the switches for unknown behaviour.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::DirectoryOptions;
use super::Faults;
use super::guid;
use super::sign_in::{Application, DeviceCodes};

/// How the emulator starts. The default accepts any tenant, any client id and any non-empty secret,
/// validates uploads, keeps everything in memory and never fails on purpose.
#[derive(Debug, Clone)]
pub struct EmulatorOptions {
    /// The only tenant, by domain or id; `None`: any.
    pub tenant: Option<String>,
    /// Tenant ids by domain. A domain that is not named gets an id derived from its name.
    pub tenant_ids: BTreeMap<String, String>,
    /// The only client id; `None`: any.
    pub client_id: Option<String>,
    /// The only secret; `None`: any that is not empty.
    pub client_secret: Option<SecretString>,
    /// The applications that may sign in, and what each proves itself by. None: any may, see
    /// [`Self::client_id`].
    pub applications: Vec<Application>,
    /// How signing in by a device code goes.
    pub device_codes: DeviceCodes,
    /// By how many seconds the clock of the token endpoint is ahead of this machine's; negative:
    /// behind. It judges assertions by it and says it in `Date`.
    pub clock_ahead: i64,
    /// Application permissions in every access token.
    pub roles: Vec<String>,
    /// Application permissions of single clients, by client id, instead of [`Self::roles`].
    pub client_roles: BTreeMap<String, Vec<String>>,
    /// The folder that keeps the tenants over restarts; `None`: memory only.
    pub state: Option<PathBuf>,
    /// What the directory of a new tenant holds.
    pub directory: DirectoryOptions,
    /// What fails on purpose.
    pub faults: Faults,
    /// Choices where the service's behaviour is not known.
    pub unknowns: Unknowns,
    /// How long an access token is valid; Entra gives about an hour.
    pub token_lifetime: Duration,
    /// Validate uploaded policies with the project's own validator. Existence of the base policy
    /// and of keysets is checked in any case.
    pub validate: bool,
    /// Answer `generateKey` for RSA from one key per process instead of a fresh one: `kid`s differ,
    /// moduli do not. Generating 2048 bits takes about a tenth of a second.
    pub reuse_rsa_key: bool,
    /// Listen on addresses that other machines can reach, too.
    pub allow_remote: bool,
}

impl Default for EmulatorOptions {
    fn default() -> Self {
        Self {
            tenant: None,
            tenant_ids: BTreeMap::new(),
            client_id: None,
            client_secret: None,
            applications: Vec::new(),
            device_codes: DeviceCodes::default(),
            clock_ahead: 0,
            roles: [
                "Policy.ReadWrite.TrustFramework",
                "TrustFrameworkKeySet.ReadWrite.All",
                "Organization.Read.All",
                "Application.ReadWrite.All",
                "DelegatedPermissionGrant.ReadWrite.All",
            ]
            .map(String::from)
            .to_vec(),
            client_roles: BTreeMap::new(),
            state: None,
            directory: DirectoryOptions::default(),
            faults: Faults::default(),
            unknowns: Unknowns::default(),
            token_lifetime: Duration::from_secs(3599),
            validate: true,
            reuse_rsa_key: false,
            allow_remote: false,
        }
    }
}

impl EmulatorOptions {
    /// Names the first option that has no meaning.
    pub(super) fn check(&self) -> Result<(), String> {
        for (domain, id) in &self.tenant_ids {
            if !guid::is_guid(id) {
                return Err(format!("the id '{id}' of tenant '{domain}' is no GUID"));
            }
        }
        let unknowns = &self.unknowns;
        let statuses = [
            ("missing_policy_status", unknowns.missing_policy_status),
            ("missing_keyset_status", unknowns.missing_keyset_status),
            ("existing_keyset_status", unknowns.existing_keyset_status),
            ("oversize_status", unknowns.oversize_status),
        ];
        for (name, status) in statuses {
            if !(400..500).contains(&status) {
                return Err(format!("{name} must be a 4xx status, not {status}"));
            }
        }
        if ![2048, 3072, 4096].contains(&unknowns.generated_rsa_bits) {
            return Err(format!(
                "generated_rsa_bits must be 2048, 3072 or 4096, not {}",
                unknowns.generated_rsa_bits
            ));
        }
        self.faults.check()
    }
}

/// Behaviour that no source confirms, one switch each. The defaults are what the evidence makes
/// most likely; a client should be tested with both.
#[derive(Debug, Clone)]
pub struct Unknowns {
    /// `PUT policies/{id}/$value` where `{id}` is not the `PolicyId` of the XML.
    pub id_mismatch: IdMismatch,
    /// Status with `AADB2C90073` for GET and DELETE of a missing policy. Default 404.
    pub missing_policy_status: u16,
    /// Status with `AADB2C90073` for a missing keyset. Default 400: two working clients require it.
    pub missing_keyset_status: u16,
    /// Status with `AADB2C95028` for POST of an existing keyset. Default 400.
    pub existing_keyset_status: u16,
    /// POST of an existing policy.
    pub duplicate_policy: DuplicatePolicy,
    /// Refuse to delete a policy that others inherit from. Default false.
    pub protect_base_policies: bool,
    /// Refuse a PUT whose `Content-Type` is not an XML type, with 415. Default false.
    pub require_xml_content_type: bool,
    /// Refuse a `PolicyId` without `B2C_1A_` instead of adding the prefix. Default false.
    pub refuse_unprefixed_policy: bool,
    /// Find a keyset by its name without `B2C_1A_`. Default false.
    pub resolve_unprefixed_keyset: bool,
    /// The least time from now to a key's `nbf`; 3 h by one report of 2024. Default none.
    pub nbf_lead_time: Option<Duration>,
    /// What stands between the items of a validation message. Default nothing; `\r\n` is possible.
    pub item_separator: String,
    /// Whether a new key is enabled. Default true; a text of 2024 says that it is not.
    pub new_key_enabled: bool,
    /// What the service changes in a policy that it stores.
    pub stored_form: StoredForm,
    /// Status for an upload above 1024 KB. Default 400; 413 is possible.
    pub oversize_status: u16,
    /// Send ETags for policies and honour `If-Match` (412). Default false.
    pub etags: bool,
    /// A second write to an object that is being written.
    pub concurrent_writes: ConcurrentWrites,
    /// Validate the policies that inherit from an uploaded one again. Default false.
    pub revalidate_children: bool,
    /// Deleting a keyset leaves a copy with the id `{id}.bak`, as the portal does. Default false.
    pub delete_leaves_backup: bool,
    /// Keysets that a tenant can hold. Default no limit.
    pub keyset_limit: Option<usize>,
    /// Policies that a tenant can hold. Default 200 (service-limits).
    pub policy_limit: Option<usize>,
    /// Bits of a generated RSA key. Default 2048.
    pub generated_rsa_bits: u16,
    /// Give a certificate's validity as `nbf` and `exp` of its key. Default true.
    pub certificate_dates: bool,
}

impl Default for Unknowns {
    fn default() -> Self {
        Self {
            id_mismatch: IdMismatch::default(),
            missing_policy_status: 404,
            missing_keyset_status: 400,
            existing_keyset_status: 400,
            duplicate_policy: DuplicatePolicy::default(),
            protect_base_policies: false,
            require_xml_content_type: false,
            refuse_unprefixed_policy: false,
            resolve_unprefixed_keyset: false,
            nbf_lead_time: None,
            item_separator: String::new(),
            new_key_enabled: true,
            stored_form: StoredForm::default(),
            oversize_status: 400,
            etags: false,
            concurrent_writes: ConcurrentWrites::default(),
            revalidate_children: false,
            delete_leaves_backup: false,
            keyset_limit: None,
            policy_limit: Some(200),
            generated_rsa_bits: 2048,
            certificate_dates: true,
        }
    }
}

/// `PUT policies/{id}/$value` where `{id}` is not the `PolicyId` of the XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdMismatch {
    /// 400 `AADB2C`, nothing is written.
    #[default]
    Refuse,
    /// The policy is stored under the id of its XML.
    TrustXml,
}

/// POST of a policy that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DuplicatePolicy {
    /// 409.
    #[default]
    Conflict,
    /// 400.
    BadRequest,
    /// Replaced, 201.
    Overwrite,
}

/// What the service changes in a policy that it stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StoredForm {
    /// `TenantObjectId` added, XML declaration dropped, the rest kept.
    #[default]
    WithTenantObjectId,
    /// Also without comments, and indented anew: what one client's comparison suggests.
    Reformatted,
    /// Byte for byte as uploaded.
    Verbatim,
}

/// A second write to an object while the first is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConcurrentWrites {
    /// The second is refused with `AADB2C95053`.
    #[default]
    Refuse,
    /// Both succeed, the one that ends last stays.
    LastWins,
}
