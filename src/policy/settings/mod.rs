//! Settings: what replaces `{Settings:Key}` and Microsoft's `yourtenant.onmicrosoft.com` in the text
//! of a policy, before it is parsed. Other tools write placeholders otherwise ([`Notation`]), or
//! search and replace ([`Replacement`]).
//!
//! [`Resolver::new`] reads the values once, [`Resolver::resolve`] replaces the placeholders of one
//! file and keeps the way back, [`Resolver::check`] tells afterwards what is wrong with the values
//! that were used and which ones nobody used. Where values come from (which file format, which
//! environment, an environment variable) is the business of `config/`; nothing here reads anything.

mod escape;
mod expand;
mod findings;
mod lookup;
mod markup;
mod notation;
mod placeholder;
mod replacement;
mod resolve;
mod script_pattern;
mod templating;

pub use escape::contains_reference;
pub use findings::{
    SETTINGS_CYCLE, SETTINGS_DUPLICATE_ENVIRONMENT, SETTINGS_DUPLICATE_KEY,
    SETTINGS_ILLEGAL_CHARACTER, SETTINGS_MALFORMED_PLACEHOLDER, SETTINGS_MISSING_POLICY_SETTINGS,
    SETTINGS_MISSING_TENANT, SETTINGS_NO_MATCH, SETTINGS_ORDER, SETTINGS_OVERSIZED, SETTINGS_RULES,
    SETTINGS_SHADOWED_BUILT_IN, SETTINGS_SHARED_TENANT, SETTINGS_UNDEFINED, SETTINGS_UNKNOWN_KEY,
    SETTINGS_UNUSED, SETTINGS_VALUE_TYPE, tell_undefined_once,
};
pub use lookup::TenantValue;
pub use markup::is_inside_value;
pub use notation::Notation;
pub use placeholder::{FoundPlaceholder, placeholders_outside_comments};
pub use replacement::Replacement;
pub use resolve::{Replaced, Resolution, Resolver, Undefined};
pub use script_pattern::PatternError;

use crate::diagnostics::Location;

/// Everything that placeholders of one run can stand for.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `{Settings:Tenant}`, and what replaces `yourtenant.onmicrosoft.com`.
    pub tenant: Option<String>,
    /// `{Settings:Environment}`: the chosen environment, as its definition spells it.
    pub environment: Option<String>,
    /// Whether the chosen environment is a production environment.
    pub production: bool,
    /// How policies write placeholders.
    pub notation: Notation,
    /// The values, in the order of their definition. Of two equal keys the first counts.
    pub values: Vec<Setting>,
    /// What is searched and replaced in single files, in this order.
    pub replacements: Vec<Replacement>,
    /// Which of the values are looked up in the tenant, by position. As long as nobody has, each holds
    /// a text of the right form that stands in for it.
    pub lookups: Vec<(usize, TenantValue)>,
    /// What the help of an undefined setting needs to know.
    pub guidance: Guidance,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name in the placeholder; whether case counts depends on the notation.
    pub key: String,
    /// The value as its file means it, escapes of that file decoded.
    pub value: String,
    /// Where the key stands.
    pub key_location: Location,
    /// Where the value stands.
    pub value_location: Location,
    /// How the value is read.
    pub semantics: Semantics,
}

/// What a value may contain, which depends on the tool that its file was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Semantics {
    /// `iefctl.toml`: the value is literal text, placeholders in it are replaced recursively, built-in
    /// ones too.
    Recursive,
    /// `appsettings.json` of the VS Code extension: a value may refer only to keys that follow it, as
    /// the extension replaces built-ins first and then each key once, in file order. A value that
    /// contains well-formed character references is taken as XML text, because the extension inserts
    /// values as they are and its users escape them by hand.
    Ordered,
    /// Other tools: a placeholder in a value is an error, as those tools replace it by chance or not at
    /// all. Character references as with `Ordered`.
    Plain,
    /// `Recursive`, with a value that is XML text: its character references are kept as they are
    /// written.
    Markup,
}

/// Where a missing setting can be added, and who has it.
#[derive(Debug, Clone, Default)]
pub struct Guidance {
    /// The place for a new setting, to follow "add it to"; none without configuration.
    pub place: Option<String>,
    /// Names of all environments, in the order of the configuration.
    pub environments: Vec<String>,
    /// Keys of environments that were not chosen.
    pub elsewhere: Vec<Elsewhere>,
}

/// A key that another environment defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The key.
    pub key: String,
    /// The environment that defines it.
    pub environment: String,
}

/// The settings that exist without being defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltIn {
    /// The tenant.
    Tenant,
    /// The name of the policy file without its last extension.
    Filename,
    /// The same without any `B2C_1A_`.
    PolicyFilename,
    /// The name of the environment.
    Environment,
}

impl BuiltIn {
    /// All, in the order in which the VS Code extension replaces them.
    pub const ALL: [Self; 4] = [
        Self::Tenant,
        Self::Filename,
        Self::PolicyFilename,
        Self::Environment,
    ];

    /// The key that stands for it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Tenant => "Tenant",
            Self::Filename => "Filename",
            Self::PolicyFilename => "PolicyFilename",
            Self::Environment => "Environment",
        }
    }

    /// The built-in setting of this name, in any case.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|built_in| built_in.key().eq_ignore_ascii_case(key))
    }
}
