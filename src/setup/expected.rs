use std::collections::BTreeSet;

use crate::deploy::Place;
use crate::deploy::keys::{KeyUser, users_in_set};
use crate::diagnostics::{Location, SourceMap};
use crate::policy::{Effective, Kind, PolicySet, TechnicalProfile, TenantValue};

/// What policies say of the tenant that they are for.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// Whether there are policies at all.
    pub has_policies: bool,
    /// Client ids of the application whose tokens policies expect (`IdTokenAudience`).
    pub framework: Vec<Mention>,
    /// Client ids that policies sign in with (`client_id` beside `IdTokenAudience`).
    pub proxy: Vec<Mention>,
    /// `ClientId` of Azure AD profiles.
    pub extensions_app: Vec<Mention>,
    /// `ApplicationObjectId` of Azure AD profiles.
    pub extensions_object: Vec<Mention>,
    /// Tenants that policies name.
    pub tenants: Vec<Mention>,
    /// Ids of the policies.
    pub policies: Vec<String>,
    /// Where keysets are needed.
    pub keys: Vec<KeyUser>,
    /// Keysets that the configuration says how to make.
    pub recipes: Vec<String>,
    /// Values that are declared as looked up in the tenant.
    pub looked_up: Vec<TenantValue>,
}

/// A value that policies hold, at the first place that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The value, without blanks around it.
    pub value: String,
    /// What it is there: ``client_id of login-NonInteractive``.
    pub what: String,
    /// Where.
    pub place: Place,
}

impl Expected {
    /// Reads the user's own policies.
    pub fn of(set: &PolicySet, sources: &SourceMap) -> Self {
        let mut expected = Self {
            has_policies: set.own().next().is_some(),
            keys: users_in_set(set, sources),
            ..Self::default()
        };
        let own: BTreeSet<_> = set.own().map(|(index, _)| index).collect();
        let views = set.views();
        for (index, policy) in set.own() {
            expected.policies.push(policy.id().to_owned());
            if let Some(tenant) = &policy.header.tenant_id {
                add(
                    &mut expected.tenants,
                    sources,
                    &tenant.value,
                    "TenantId".to_owned(),
                    tenant.location,
                );
            }
            // What a policy overrides in its base does not count: only the last ones of a chain are
            // carried out.
            if !set.children(index).any(|child| own.contains(&child)) {
                expected.read(&views.of(index), sources);
            }
        }
        expected
    }

    /// Adds what another set says.
    pub fn extend(&mut self, other: Self) {
        self.has_policies |= other.has_policies;
        self.policies.extend(other.policies);
        self.keys.extend(other.keys);
        for (own, others) in [
            (&mut self.framework, other.framework),
            (&mut self.proxy, other.proxy),
            (&mut self.extensions_app, other.extensions_app),
            (&mut self.extensions_object, other.extensions_object),
            (&mut self.tenants, other.tenants),
        ] {
            for mention in others {
                if !own.iter().any(|known| known.is(&mention.value)) {
                    own.push(mention);
                }
            }
        }
    }

    /// Every application id that policies name.
    pub fn application_ids(&self) -> BTreeSet<String> {
        let mentions = self
            .framework
            .iter()
            .chain(&self.proxy)
            .chain(&self.extensions_app);
        mentions
            .filter(|mention| super::is_id(&mention.value) && !mention.is_looked_up())
            .map(|mention| mention.value.to_ascii_lowercase())
            .collect()
    }

    fn read(&mut self, view: &Effective<'_>, sources: &SourceMap) {
        for id in view.ids(Kind::TechnicalProfile) {
            let Some(profile) = view.technical_profile(id) else {
                continue;
            };
            let take = |list: &mut Vec<Mention>, key: &str| {
                if let Some(item) = profile.metadata(key) {
                    let place = item.site.location(item.site.element.text_span());
                    add(list, sources, item.value, format!("{key} of {id}"), place);
                }
            };
            if signs_in(&profile) {
                take(&mut self.framework, "IdTokenAudience");
                take(&mut self.proxy, "client_id");
            }
            take(&mut self.extensions_app, "ClientId");
            take(&mut self.extensions_object, "ApplicationObjectId");
        }
    }
}

/// Whether a profile signs local accounts in through the two applications.
fn signs_in(profile: &TechnicalProfile<'_>) -> bool {
    let has = |key: &str| profile.metadata(key).is_some();
    has("IdTokenAudience") && has("client_id")
        || profile.id.eq_ignore_ascii_case("login-NonInteractive")
}

fn add(list: &mut Vec<Mention>, sources: &SourceMap, value: &str, what: String, at: Location) {
    let value = value.trim();
    // What is left of a placeholder is no value; that it is undefined is said by validation.
    let is_left = value.contains('{');
    if value.is_empty() || is_left || list.iter().any(|known| known.is(value)) {
        return;
    }
    list.push(Mention {
        value: value.to_owned(),
        what,
        place: Place::of(sources, at),
    });
}

impl Mention {
    /// Whether it is this value; case does not count.
    pub fn is(&self, value: &str) -> bool {
        self.value.eq_ignore_ascii_case(value)
    }

    /// Whether it stands for a value that is looked up in the tenant, and so fits to it.
    pub fn is_looked_up(&self) -> bool {
        TenantValue::is_stand_in(&self.value)
    }
}
