//! Settings whose value is looked up in the tenant: which values there are, how they are written, and
//! what stands in for them while no tenant was asked.

use std::collections::BTreeMap;

use super::Settings;

/// A value that a tenant knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TenantValue {
    /// Client id of the application IdentityExperienceFramework.
    FrameworkAppId,
    /// Client id of the application ProxyIdentityExperienceFramework.
    ProxyAppId,
    /// Client id of b2c-extensions-app.
    ExtensionsAppId,
    /// Object id of b2c-extensions-app.
    ExtensionsObjectId,
    /// Id of the tenant.
    TenantId,
    /// The tenant's first domain, such as contoso.onmicrosoft.com.
    TenantDomain,
}

impl TenantValue {
    /// All, in the order in which they are listed to users.
    pub const ALL: [Self; 6] = [
        Self::FrameworkAppId,
        Self::ProxyAppId,
        Self::ExtensionsAppId,
        Self::ExtensionsObjectId,
        Self::TenantId,
        Self::TenantDomain,
    ];

    /// How it is written: `{ tenant = "b2c-extensions-app.appId" }`.
    pub const fn notation(self) -> &'static str {
        match self {
            Self::FrameworkAppId => "IdentityExperienceFramework.appId",
            Self::ProxyAppId => "ProxyIdentityExperienceFramework.appId",
            Self::ExtensionsAppId => "b2c-extensions-app.appId",
            Self::ExtensionsObjectId => "b2c-extensions-app.objectId",
            Self::TenantId => "tenant.id",
            Self::TenantDomain => "tenant.domain",
        }
    }

    /// The value of this notation.
    pub fn from_notation(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.notation() == text)
    }

    /// What a setting of this name usually holds, by the names that samples and tools use.
    pub fn usual_for(key: &str) -> Option<Self> {
        let key: String = key
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let has = |part: &str| key.contains(part);
        let is_id = key.ends_with("id");
        if !is_id {
            None
        } else if has("proxyidentityexperienceframework") || key == "proxyiefappid" {
            Some(Self::ProxyAppId)
        } else if has("identityexperienceframework") || key == "iefappid" {
            Some(Self::FrameworkAppId)
        } else if has("extension") && has("objectid") {
            Some(Self::ExtensionsObjectId)
        } else if has("extension") && (has("clientid") || has("appid")) {
            Some(Self::ExtensionsAppId)
        } else if ["tenantid", "tenantobjectid"].contains(&key.as_str()) {
            Some(Self::TenantId)
        } else {
            None
        }
    }

    /// A text of the right form that stands in for the value; different for each, and no id of a
    /// real tenant.
    pub const fn stand_in(self) -> &'static str {
        match self {
            Self::FrameworkAppId => "1ef00000-0000-4000-8000-000000000001",
            Self::ProxyAppId => "1ef00000-0000-4000-8000-000000000002",
            Self::ExtensionsAppId => "1ef00000-0000-4000-8000-000000000003",
            Self::ExtensionsObjectId => "1ef00000-0000-4000-8000-000000000004",
            Self::TenantId => "1ef00000-0000-4000-8000-000000000005",
            Self::TenantDomain => "lookedupinthetenant.onmicrosoft.com",
        }
    }

    /// Whether a text is one that stands in for a value.
    pub fn is_stand_in(text: &str) -> bool {
        Self::ALL
            .into_iter()
            .any(|value| value.stand_in().eq_ignore_ascii_case(text.trim()))
    }
}

impl Settings {
    /// The values that are still to be looked up, each once.
    pub fn looked_up(&self) -> Vec<TenantValue> {
        let mut values: Vec<_> = self.lookups.iter().map(|(_, value)| *value).collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// Puts what was found in the place of what stood in for it.
    pub fn fill(&mut self, found: &BTreeMap<TenantValue, String>) {
        let values = &mut self.values;
        self.lookups.retain(|(position, value)| {
            match (values.get_mut(*position), found.get(value)) {
                (Some(setting), Some(found)) => {
                    setting.value.clone_from(found);
                    false
                }
                _ => true,
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::TenantValue;

    #[test]
    fn the_names_of_samples_are_known() {
        for (key, value) in [
            (
                "IdentityExperienceFrameworkAppId",
                TenantValue::FrameworkAppId,
            ),
            (
                "ProxyIdentityExperienceFrameworkAppId",
                TenantValue::ProxyAppId,
            ),
            ("ExtensionsAppClientId", TenantValue::ExtensionsAppId),
            ("ExtensionAppId", TenantValue::ExtensionsAppId),
            (
                "b2c-extensions-app-objectId",
                TenantValue::ExtensionsObjectId,
            ),
            ("AADExtensionAppObjectID", TenantValue::ExtensionsObjectId),
            ("TenantId", TenantValue::TenantId),
        ] {
            assert_eq!(TenantValue::usual_for(key), Some(value), "{key}");
        }
        for key in [
            "FacebookAppId",
            "ApiHost",
            "ProxyHost",
            "Tenant",
            "ExtensionsHost",
        ] {
            assert_eq!(TenantValue::usual_for(key), None, "{key}");
        }
    }

    #[test]
    fn notations_and_stand_ins_are_distinct() {
        for value in TenantValue::ALL {
            assert_eq!(TenantValue::from_notation(value.notation()), Some(value));
            let same = TenantValue::ALL
                .into_iter()
                .filter(|other| other.stand_in() == value.stand_in());
            assert_eq!(same.count(), 1);
        }
    }
}
