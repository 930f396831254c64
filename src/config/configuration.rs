//! What a configuration says, whatever its format. Every format has one file that reads it into this.

use std::path::PathBuf;

use super::access::TenantAccess;
use crate::diagnostics::{Diagnostic, Level, Location, SourceId};
use crate::policy::{
    Notation, Replacement, SETTINGS_DUPLICATE_ENVIRONMENT, SETTINGS_SHARED_TENANT, Semantics,
    TenantValue,
};

/// A place in a configuration file. Nothing is replaced in those, so a location is the place itself.
pub(super) type Place = Location;

/// A value with the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// Where a value comes from that does not stand in the configuration itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueSource {
    /// The environment variable of this name.
    Env(String),
    /// The content of this file.
    File(PathBuf),
}

/// The value of a setting before environment variables and files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RawValue {
    Text(String),
    From(ValueSource),
    /// The environment variable where it is set and not empty, else the text.
    EnvOr {
        name: String,
        default: String,
    },
    /// What the tenant says.
    Tenant(TenantValue),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawSetting {
    pub(super) key: Located<String>,
    pub(super) value: Located<RawValue>,
    pub(super) semantics: Semantics,
}

/// What a key of a keyset is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// Signatures, and plain secrets.
    Sig,
    /// Encryption.
    Enc,
}

/// The kinds of keys that the service can generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratedKey {
    /// An RSA key pair.
    Rsa,
    /// A symmetric key.
    Oct,
}

/// Where the first key of a keyset comes from. Values are read only when a keyset is provisioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysetContent {
    /// The service generates it.
    Generate(GeneratedKey),
    /// A secret that somebody else chose.
    Secret(ValueSource),
    /// A certificate without its private key: a PEM or CER file, or a variable with the same.
    Certificate(ValueSource),
    /// A certificate with its private key: a PFX file, or a variable with its base64 form.
    Pkcs12 {
        /// The archive.
        archive: ValueSource,
        /// Its password; none where the archive has none.
        password: Option<ValueSource>,
    },
}

/// How a keyset is provisioned when the tenant does not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysetRecipe {
    /// The id, always with the prefix `B2C_1A_`.
    pub id: String,
    /// What its key is for.
    pub key_use: KeyUse,
    /// Where its key comes from.
    pub content: KeysetContent,
    /// Where the recipe stands.
    pub location: Location,
}

/// The level that a team gives to a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleLevel {
    /// The name of the rule, as the configuration writes it.
    pub rule: String,
    /// The level; none switches the rule off.
    pub level: Option<Level>,
    /// Where the name stands.
    pub location: Location,
}

#[derive(Debug, Clone)]
pub(super) struct Environment {
    pub(super) name: Located<String>,
    pub(super) tenant: Option<Located<String>>,
    pub(super) production: bool,
    /// What stands behind `B2C_1A_` in the ids of this environment.
    pub(super) prefix: Option<Located<String>>,
    pub(super) include: Vec<Located<String>>,
    pub(super) exclude: Vec<Located<String>>,
    pub(super) settings: Vec<RawSetting>,
    pub(super) keysets: Vec<KeysetRecipe>,
    /// Levels for this environment; they go before those for all.
    pub(super) rule_levels: Vec<RuleLevel>,
    pub(super) access: TenantAccess,
    /// Where a new setting of this environment goes, to follow "add it to".
    pub(super) settings_place: String,
}

impl Environment {
    pub(super) fn new(name: Located<String>, settings_place: String) -> Self {
        Self {
            name,
            tenant: None,
            production: false,
            prefix: None,
            include: Vec::new(),
            exclude: Vec::new(),
            settings: Vec::new(),
            keysets: Vec::new(),
            rule_levels: Vec::new(),
            access: TenantAccess::default(),
            settings_place,
        }
    }
}

/// A folder to which a tool writes copies of the policies, which are no input.
#[derive(Debug, Clone)]
pub(super) struct Generated {
    /// Its path, relative to the file.
    pub(super) folder: String,
    /// Whether folders of that name further below are meant as well.
    pub(super) at_any_depth: bool,
    /// Why it is passed over, to follow its name.
    pub(super) reason: &'static str,
}

/// A finding about a configuration file.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) diagnostic: Diagnostic,
    /// The environment that alone is concerned, by its position.
    pub(super) environment: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Configuration {
    pub(super) source: SourceId,
    /// The folder of the file, as the user would write it.
    pub(super) folder: PathBuf,
    pub(super) policies: Vec<Located<String>>,
    pub(super) exclude: Vec<Located<String>>,
    pub(super) with: Vec<Located<String>>,
    pub(super) settings: Vec<RawSetting>,
    pub(super) environments: Vec<Environment>,
    pub(super) keysets: Vec<KeysetRecipe>,
    pub(super) rule_levels: Vec<RuleLevel>,
    pub(super) concurrency: Option<usize>,
    /// The name under which deployments are recorded.
    pub(super) project: Option<Located<String>>,
    /// What stands behind `B2C_1A_` in the ids of all environments.
    pub(super) prefix: Option<Located<String>>,
    /// How the policies write placeholders.
    pub(super) notation: Notation,
    /// What is searched and replaced in single files.
    pub(super) replacements: Vec<Replacement>,
    pub(super) generated: Option<Generated>,
    /// What begins the name of an environment variable that defines a setting, or goes before its
    /// definition.
    pub(super) variables: Option<&'static str>,
    pub(super) findings: Vec<Finding>,
    /// Where a new setting for all environments goes.
    pub(super) settings_place: String,
}

impl Configuration {
    pub(super) fn empty(source: SourceId, folder: PathBuf, settings_place: String) -> Self {
        Self {
            source,
            folder,
            policies: Vec::new(),
            exclude: Vec::new(),
            with: Vec::new(),
            settings: Vec::new(),
            environments: Vec::new(),
            keysets: Vec::new(),
            rule_levels: Vec::new(),
            concurrency: None,
            project: None,
            prefix: None,
            notation: Notation::default(),
            replacements: Vec::new(),
            generated: None,
            variables: None,
            findings: Vec::new(),
            settings_place,
        }
    }
}

impl Configuration {
    fn find(&mut self, diagnostic: Diagnostic) {
        self.findings.push(Finding {
            diagnostic,
            environment: None,
        });
    }

    /// Adds an environment. Two of one name are an error, as nobody can choose the second; two of one
    /// tenant overwrite each other.
    pub(super) fn add_environment(&mut self, new: Environment) {
        let lower = new.name.value.to_lowercase();
        let same_name = |other: &&Environment| other.name.value.to_lowercase() == lower;
        if let Some(first) = self.environments.iter().find(same_name) {
            let message = format!("there are two environments named `{}`", new.name.value);
            let diagnostic =
                Diagnostic::new(&SETTINGS_DUPLICATE_ENVIRONMENT, new.name.place, message)
                    .related(first.name.place, "the same name; case does not count")
                    .help("rename one of them");
            self.find(diagnostic);
        }
        if let Some(tenant) = &new.tenant
            && let Some((other, theirs)) = self.environments.iter().find_map(|other| {
                let theirs = other.tenant.as_ref()?;
                let same = theirs.value.eq_ignore_ascii_case(&tenant.value);
                same.then_some((other, theirs))
            })
        {
            let message = format!(
                "environments `{}` and `{}` name the same tenant",
                other.name.value, new.name.value
            );
            let diagnostic = Diagnostic::new(&SETTINGS_SHARED_TENANT, tenant.place, message)
                .related(theirs.place, "the same tenant")
                .help("their policies overwrite each other unless their ids differ");
            self.find(diagnostic);
        }
        self.environments.push(new);
    }
}

/// Whether `tenant` can be a tenant: a domain name, or an id.
pub(super) fn is_tenant(tenant: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_domain = tenant.contains('.') && tenant.split('.').all(is_label);
    is_domain || is_id(tenant)
}

/// Whether `tenant` is the id of one.
pub(super) fn is_id(tenant: &str) -> bool {
    let groups = tenant.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12])
        && tenant
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
