//! The keys of `iefctl.toml`: each once, with what it means and what may stand there. The reader goes
//! through them with an exhaustive `match`, and the JSON schema is made of them, so that neither can
//! know a key that the other does not.

use crate::policy::TenantValue;

/// The keys of one kind of table.
pub(super) trait Keys: Copy + 'static {
    /// All, in the order of the documentation.
    const ALL: &'static [(&'static str, Self)];

    /// What the key means, for the schema.
    fn about(self) -> &'static str;

    /// What may stand there.
    fn shape(self) -> Shape;

    /// The key of this name.
    fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(known, _)| *known == name).map(|(_, key)| *key)
    }

    /// The names of all.
    fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(name, _)| *name)
    }
}

/// A word that may stand at a key, and what it means.
pub(super) type Word = (&'static str, &'static str);

/// What may stand at a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A string that is not blank.
    Name,
    /// Any string.
    Text,
    Boolean,
    /// Strings that are not blank.
    Names,
    /// One folder, or several.
    Folders,
    /// The domain or id of a tenant.
    Tenant,
    /// What can stand behind `B2C_1A_`.
    Prefix,
    /// One of these words.
    Words(&'static [Word]),
    /// An integer in these bounds.
    Integer(i64, i64),
    /// A table of settings.
    Settings,
    Environments,
    Keysets,
    /// A table from rules to levels.
    Rules,
    Deploy,
    /// Where a secret comes from.
    Secret,
    Pkcs12,
}

macro_rules! keys {
    ($($(#[$doc:meta])* $table:ident {
        $($variant:ident = $name:literal, $shape:expr, $about:literal;)*
    })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $table {
            $($variant),*
        }

        impl Keys for $table {
            const ALL: &'static [(&'static str, Self)] = &[$(($name, Self::$variant)),*];

            fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about),*
                }
            }

            fn shape(self) -> Shape {
                match self {
                    $(Self::$variant => $shape),*
                }
            }
        })*
    };
}

/// What can be looked up in a tenant.
const TENANT_VALUES: &[Word] = &[
    (
        TenantValue::FrameworkAppId.notation(),
        "Client id of the application IdentityExperienceFramework.",
    ),
    (
        TenantValue::ProxyAppId.notation(),
        "Client id of the application ProxyIdentityExperienceFramework.",
    ),
    (
        TenantValue::ExtensionsAppId.notation(),
        "Client id of b2c-extensions-app.",
    ),
    (
        TenantValue::ExtensionsObjectId.notation(),
        "Object id of b2c-extensions-app.",
    ),
    (TenantValue::TenantId.notation(), "Id of the tenant."),
    (
        TenantValue::TenantDomain.notation(),
        "The tenant's first domain, such as contoso.onmicrosoft.com.",
    ),
];

/// The ways to sign in, as the room `auth` calls them, which this one does not know; a test compares.
const WAYS: &[Word] = &[
    ("certificate", "With a certificate and its private key."),
    (
        "federated-token",
        "With a token in a file, from an issuer that the application trusts: Kubernetes and others.",
    ),
    (
        "github-oidc",
        "With the token that GitHub Actions gives a job; needs `permissions: id-token: write`.",
    ),
    (
        "azure-pipelines",
        "With the token that Azure Pipelines gives for a service connection.",
    ),
    (
        "managed-identity",
        "As the managed identity of the machine, or as an application that trusts it.",
    ),
    ("azure-cli", "As whoever Azure CLI is signed in as."),
    (
        "device-code",
        "As a person who confirms a code in a browser.",
    ),
    ("client-secret", "With a client secret."),
];

/// The clouds, as the room `auth` calls them.
const CLOUDS: &[Word] = &[
    ("global", "The public cloud."),
    ("usgov", "US Government, impact level 4."),
    (
        "dod",
        "US Government, impact level 5 (Department of Defense).",
    ),
    ("china", "China, operated by 21Vianet."),
];

/// The levels of rules.
pub(super) const LEVELS: &[&str] = &["off", "hint", "warning", "error"];

/// Uploads that may run at once.
pub(super) const MAX_CONCURRENCY: i64 = 256;

keys! {
    /// The file itself.
    RootKey {
        Project = "project", Shape::Name,
            "Name under which deployments are recorded, for `deploy --prune`.";
        Policies = "policies", Shape::Folders,
            "Folders, files or globs that hold the policies, relative to this file; without it the folder of this file.";
        Exclude = "exclude", Shape::Names,
            "Globs of files and folders that are no policies.";
        With = "with", Shape::Names,
            "Folders with bases that exist only in the tenant; read, never deployed.";
        Prefix = "prefix", Shape::Prefix,
            "Text that every PolicyId gets behind `B2C_1A_`, and everything that names a policy.";
        Settings = "settings", Shape::Settings,
            "Values for every environment. A policy names one as `{Settings:Key}`, in any case.";
        Environments = "environments", Shape::Environments,
            "The tenants to deploy to, by the name that `--environment` takes.";
        Keysets = "keysets", Shape::Keysets,
            "Where the key of a keyset comes from if the tenant does not have the keyset.";
        Rules = "rules", Shape::Rules,
            "Levels of rules that differ from their own; `iefctl explain` lists all rules.";
        Deploy = "deploy", Shape::Deploy,
            "How to deploy.";
    }
    /// A table of `environments`.
    EnvironmentKey {
        Tenant = "tenant", Shape::Tenant,
            "The tenant, as a domain like contoso.onmicrosoft.com or as an id; policies name it as `{Settings:Tenant}`.";
        Production = "production", Shape::Boolean,
            "Whether this is a production tenant, in which debugging is an error.";
        Prefix = "prefix", Shape::Prefix,
            "As `prefix` for all environments, for this one.";
        Include = "include", Shape::Names,
            "Globs of the only files that belong to this environment.";
        Exclude = "exclude", Shape::Names,
            "Globs of files that do not belong to this environment.";
        Settings = "settings", Shape::Settings,
            "Values for this environment; they go before those for all.";
        Keysets = "keysets", Shape::Keysets,
            "Keysets of this environment; they go before those for all.";
        Rules = "rules", Shape::Rules,
            "Levels of rules in this environment; they go before those for all.";
        Auth = "auth", Shape::Words(WAYS),
            "The way to sign in; without it the first that is set up.";
        Cloud = "cloud", Shape::Words(CLOUDS),
            "The Microsoft cloud that the tenant belongs to; without it the global one.";
        ClientId = "client_id", Shape::Name,
            "The application that signs in.";
        ClientSecret = "client_secret", Shape::Secret,
            "Where the secret of the application comes from.";
        Certificate = "certificate", Shape::Name,
            "The PEM file with the key and the certificate of the application.";
        TokenFile = "token_file", Shape::Name,
            "The file with a federated token.";
        ServiceConnectionId = "service_connection_id", Shape::Name,
            "The service connection of Azure Pipelines.";
        ManagedIdentityClientId = "managed_identity_client_id", Shape::Name,
            "The user-assigned managed identity that is meant.";
    }
    /// A table as the value of a setting.
    SettingKey {
        Env = "env", Shape::Name,
            "Environment variable that holds the value.";
        Default = "default", Shape::Text,
            "Value where the variable is not set or is empty.";
        File = "file", Shape::Name,
            "File that holds the value, relative to this one.";
        Tenant = "tenant", Shape::Words(TENANT_VALUES),
            "What is looked up in the tenant.";
        Xml = "xml", Shape::Text,
            "Value as XML text, whose character references stay as they are written.";
    }
    /// A table of `keysets`.
    RecipeKey {
        Generate = "generate", Shape::Words(&[
            ("rsa", "An RSA key pair."),
            ("oct", "A symmetric key."),
        ]),
            "The service generates a key of this type.";
        Secret = "secret", Shape::Secret,
            "A secret that somebody else chose.";
        Certificate = "certificate", Shape::Secret,
            "A certificate without its private key, as PEM or CER.";
        Pkcs12 = "pkcs12", Shape::Pkcs12,
            "A certificate with its private key.";
        Use = "use", Shape::Words(&[
            ("sig", "Signatures, and plain secrets."),
            ("enc", "Encryption."),
        ]),
            "What the key is for: signatures and plain secrets, or encryption. Without it `sig`.";
    }
    /// A table that says where a secret comes from.
    SecretKey {
        Env = "env", Shape::Name,
            "Environment variable that holds it.";
        File = "file", Shape::Name,
            "File that holds it, relative to this one.";
    }
    /// The table `pkcs12`.
    Pkcs12Key {
        Env = "env", Shape::Name,
            "Environment variable that holds the archive in base64.";
        File = "file", Shape::Name,
            "The PFX file, relative to this one.";
        Password = "password", Shape::Secret,
            "Its password, if it has one.";
    }
    /// The table `deploy`.
    DeployKey {
        Concurrency = "concurrency", Shape::Integer(1, MAX_CONCURRENCY),
            "Uploads that may run at once; without it 8.";
    }
}
