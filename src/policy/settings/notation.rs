use super::{BuiltIn, TenantValue};

/// How the policies of a project write placeholders. A project has one notation: that of the tool
/// that its configuration file was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notation {
    /// `{Settings:Key}` in any case, and four built-in settings: `iefctl.toml`, `appsettings.json`.
    #[default]
    Settings,
    /// `{Settings:Key}` where case counts and only `Tenant` is built in: go-ieftool.
    ExactSettings,
    /// `{Key}` and `{Group:Key}` where case counts: IEFPolicies. Braces are common in policies, so that
    /// only what is defined is a placeholder. `yourtenant`, the ids of the applications that every
    /// tenant has, `{tenantId}`, `{ExtAppId}` and `{ExtObjectId}` are fixed ones, in any case.
    Braces,
    /// `{{ name }}` where case counts: ieftool.
    DoubleBraces,
}

impl Notation {
    /// The placeholder of a setting.
    pub fn placeholder(self, key: &str) -> String {
        match self {
            Self::Settings | Self::ExactSettings => format!("{{Settings:{key}}}"),
            Self::Braces => match FIXED_WORDS.contains(&key) {
                true => key.to_owned(),
                false => format!("{{{key}}}"),
            },
            Self::DoubleBraces => format!("{{{{ {key} }}}}"),
        }
    }

    /// What equal keys have in common.
    pub fn fold(self, key: &str) -> String {
        match self {
            Self::Settings => key.to_lowercase(),
            _ => key.to_owned(),
        }
    }

    /// What this tool looks up in the tenant where nothing defines the key.
    pub fn looked_up(self, key: &str) -> Option<TenantValue> {
        if self != Self::Braces {
            return None;
        }
        Some(match key {
            "IdentityExperienceFrameworkAppId" => TenantValue::FrameworkAppId,
            "ProxyIdentityExperienceFrameworkAppId" => TenantValue::ProxyAppId,
            "ExtAppId" => TenantValue::ExtensionsAppId,
            "ExtObjectId" => TenantValue::ExtensionsObjectId,
            "tenantId" => TenantValue::TenantId,
            _ => return None,
        })
    }

    /// The built-in setting of this name.
    pub fn built_in(self, key: &str) -> Option<BuiltIn> {
        match self {
            Self::Settings => BuiltIn::from_key(key),
            Self::ExactSettings => (key == "Tenant").then_some(BuiltIn::Tenant),
            Self::Braces | Self::DoubleBraces => None,
        }
    }
}

/// Words that IEFPolicies replaces wherever they stand, the longer one first.
pub(super) const FIXED_WORDS: [&str; 2] = [
    "ProxyIdentityExperienceFrameworkAppId",
    "IdentityExperienceFrameworkAppId",
];

/// What IEFPolicies replaces in braces without it being configured.
pub(super) const FIXED_KEYS: [&str; 3] = ["tenantId", "ExtAppId", "ExtObjectId"];
