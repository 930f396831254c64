use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use super::Kind;
use super::effective::Effective;
use super::id::{Id, IdMap};
use super::known::handlers::ProfileKind;
use super::site::{self, Site, Sites};

/// The elements by which technical profiles and others take, yield, store and show claims.
pub const CLAIM_ELEMENTS: [&str; 4] = [
    "InputClaim",
    "OutputClaim",
    "PersistedClaim",
    "DisplayClaim",
];

/// A technical profile after merging: deep, over all policies of the chain and over the profiles
/// that it includes. Nothing that was inherited can be removed, only overridden.
#[derive(Debug)]
pub struct TechnicalProfile<'s> {
    /// The id as the nearest declaration writes it.
    pub id: &'s str,
    /// Everything that contributes, weakest first: included profiles, then the declarations of this
    /// one from the root of the chain on.
    pub layers: Vec<Site<'s>>,
    /// How many of the layers come from included profiles.
    pub included: usize,
    /// The ids of an include chain that returns to where it was, if it does.
    pub include_cycle: Option<Vec<&'s str>>,
    /// Whether it, or a profile that it includes, includes one that nobody declares: what that would
    /// bring is not known.
    pub includes_unknown: bool,
    /// `Metadata/Item`, one per key.
    pub metadata: Vec<Item<'s>>,
    /// `CryptographicKeys/Key`, one per id.
    pub cryptographic_keys: Vec<Item<'s>>,
    /// `InputClaims/InputClaim`, one per claim type.
    pub input_claims: Vec<Claim<'s>>,
    /// `OutputClaims/OutputClaim`, one per claim type.
    pub output_claims: Vec<Claim<'s>>,
    /// `PersistedClaims/PersistedClaim`, one per claim type.
    pub persisted_claims: Vec<Claim<'s>>,
    /// `DisplayClaims/DisplayClaim`, appended.
    pub display_claims: Vec<Site<'s>>,
    /// `InputClaimsTransformations/InputClaimsTransformation`, appended.
    pub input_claims_transformations: Vec<Site<'s>>,
    /// `OutputClaimsTransformations/OutputClaimsTransformation`, appended.
    pub output_claims_transformations: Vec<Site<'s>>,
    /// `ValidationTechnicalProfiles/ValidationTechnicalProfile`, one per referenced profile.
    pub validation_technical_profiles: Vec<Site<'s>>,
    /// Asked for so often that they are kept.
    protocol: Option<&'s str>,
    handler: Option<&'s str>,
    kind: Option<ProfileKind>,
}

/// A metadata item or a cryptographic key after merging.
#[derive(Debug, Clone, Copy)]
pub struct Item<'s> {
    /// `@Key` of a metadata item, `@Id` of a key.
    pub key: &'s str,
    /// Text of a metadata item, `@StorageReferenceId` of a key.
    pub value: &'s str,
    /// The element that counts.
    pub site: Site<'s>,
}

/// An input, output or persisted claim after merging.
#[derive(Debug, Clone)]
pub struct Claim<'s> {
    /// `@ClaimTypeReferenceId` as first written.
    pub claim_type: &'s str,
    /// The elements that contribute, weakest first; never empty.
    pub sites: Sites<'s>,
}

impl<'s> Claim<'s> {
    /// An attribute after merging: the nearest element that has it counts.
    #[inline(always)]
    pub fn attribute(&self, name: &str) -> Option<&'s str> {
        site::nearest_value(&self.sites, name)
    }

    /// The element nearest to the policy.
    pub fn site(&self) -> Site<'s> {
        self.sites[self.sites.len() - 1]
    }
}

impl<'s> TechnicalProfile<'s> {
    /// The child element of this name that counts after merging.
    #[inline(always)]
    pub fn child(&self, name: &str) -> Option<Site<'s>> {
        site::nearest_child(&self.layers, name)
    }

    /// The declaration nearest to the policy.
    pub fn site(&self) -> Site<'s> {
        self.layers[self.layers.len() - 1]
    }

    /// `Protocol/@Name` after merging.
    pub const fn protocol(&self) -> Option<&'s str> {
        self.protocol
    }

    /// The class of `Protocol/@Handler`, without the assembly: `Web.TPEngine.Providers.…`.
    pub const fn handler(&self) -> Option<&'s str> {
        self.handler
    }

    /// What the profile is by protocol and handler, as far as these tell ([`ProfileKind::of`]).
    pub const fn kind(&self) -> Option<ProfileKind> {
        self.kind
    }

    /// The metadata item of this key.
    pub fn metadata(&self, key: &str) -> Option<&Item<'s>> {
        self.metadata.iter().find(|item| item.key == key)
    }

    /// The cryptographic key of this id.
    pub fn cryptographic_key(&self, id: &str) -> Option<&Item<'s>> {
        self.cryptographic_keys.iter().find(|key| key.key == id)
    }
}

/// Everything that contributes to a profile.
#[derive(Debug)]
pub(super) struct Layers<'s> {
    /// Those of [`TechnicalProfile::layers`].
    pub(super) sites: Vec<Site<'s>>,
    included: usize,
    cycle: Option<Vec<&'s str>>,
    leads_nowhere: bool,
}

impl<'s> Layers<'s> {
    /// Those of this profile; `None` if neither the policy nor an ancestor declares it. Inclusion works
    /// on profiles that are already merged over the chain: only the nearest `IncludeTechnicalProfile`
    /// counts.
    pub(super) fn of(view: &Effective<'s>, id: Id<'_>) -> Option<Self> {
        let kind = Kind::TechnicalProfile;
        // A list instead of recursion: profiles may include each other in long chains.
        let mut way: Vec<(&'s str, Vec<Site<'s>>)> = Vec::new();
        let mut passed = IdMap::default();
        let (mut cycle, mut leads_nowhere) = (None, false);
        let mut next = Some(id);
        while let Some(id) = next {
            if let Some(&first) = passed.get(&id) {
                cycle = Some(way[first..].iter().map(|&(id, _)| id).collect());
                break;
            }
            let own: Vec<_> = view.declarations(kind, id).collect();
            let Some(written) = own.last().and_then(|site| site.attribute("Id")) else {
                leads_nowhere = !way.is_empty();
                break;
            };
            let include = own.iter().rev().find_map(|site| {
                site.child("IncludeTechnicalProfile")?
                    .attribute("ReferenceId")
            });
            next = include.map(Id::of);
            if next.is_some() {
                passed.insert(Id::of(written), way.len());
            }
            way.push((written, own));
        }
        let (_, own) = way.first()?;
        let own = own.len();
        let sites: Vec<_> = way.into_iter().rev().flat_map(|(_, sites)| sites).collect();
        Some(Self {
            included: sites.len() - own,
            sites,
            cycle,
            leads_nowhere,
        })
    }
}

impl<'s> TechnicalProfile<'s> {
    /// Merges the layers of a profile.
    pub(super) fn merge(layers: Layers<'s>) -> Option<Self> {
        let mut profile = TechnicalProfile {
            id: layers.sites.last()?.attribute("Id")?,
            included: layers.included,
            include_cycle: layers.cycle,
            includes_unknown: layers.leads_nowhere,
            metadata: Vec::new(),
            cryptographic_keys: Vec::new(),
            input_claims: Vec::new(),
            output_claims: Vec::new(),
            persisted_claims: Vec::new(),
            display_claims: Vec::new(),
            input_claims_transformations: Vec::new(),
            output_claims_transformations: Vec::new(),
            validation_technical_profiles: Vec::new(),
            protocol: None,
            handler: None,
            kind: None,
            layers: Vec::new(),
        };
        for layer in &layers.sites {
            for list in layer.children() {
                profile.merge_list(list);
            }
        }
        profile.layers = layers.sites;
        if let Some(protocol) = profile.child("Protocol") {
            let class = |handler: &'s str| handler.split(',').next().unwrap_or(handler).trim();
            profile.protocol = protocol.attribute("Name");
            profile.handler = protocol.attribute("Handler").map(class);
            profile.kind = ProfileKind::of(profile.protocol, profile.handler);
        }
        Some(profile)
    }

    /// Merges one of the lists of a layer into those of the layers before it.
    fn merge_list(&mut self, list: Site<'s>) {
        match list.element.name() {
            "Metadata" => {
                let items = list.children_named("Item").filter_map(|site| {
                    Some(Item {
                        key: site.attribute("Key")?,
                        value: site.element.text(),
                        site,
                    })
                });
                override_items(&mut self.metadata, items);
            }
            "CryptographicKeys" => {
                let keys = list.children_named("Key").filter_map(|site| {
                    Some(Item {
                        key: site.attribute("Id")?,
                        value: site.attribute("StorageReferenceId").unwrap_or_default(),
                        site,
                    })
                });
                override_items(&mut self.cryptographic_keys, keys);
            }
            "InputClaims" => {
                merge_claims(&mut self.input_claims, list.children_named("InputClaim"));
            }
            "OutputClaims" => {
                merge_claims(&mut self.output_claims, list.children_named("OutputClaim"));
            }
            "PersistedClaims" => {
                let claims = list.children_named("PersistedClaim");
                merge_claims(&mut self.persisted_claims, claims);
            }
            "DisplayClaims" => {
                let claims = list.children_named("DisplayClaim");
                self.display_claims.extend(claims);
            }
            "InputClaimsTransformations" => {
                let transformations = list.children_named("InputClaimsTransformation");
                self.input_claims_transformations.extend(transformations);
            }
            "OutputClaimsTransformations" => {
                let transformations = list.children_named("OutputClaimsTransformation");
                self.output_claims_transformations.extend(transformations);
            }
            "ValidationTechnicalProfiles" => {
                let validations = list.children_named("ValidationTechnicalProfile");
                override_references(&mut self.validation_technical_profiles, validations);
            }
            _ => {}
        }
    }
}

/// From this length on a list is not searched entry by entry: a hostile one may have thousands.
const LONG: usize = 32;

/// Where in a list, which has one entry per key and only grows, the entry of a key is. `known` is for
/// this list only.
fn position<T, K: Hash + Eq, S: BuildHasher>(
    list: &[T],
    known: &mut HashMap<K, usize, S>,
    key: impl FnOnce() -> K,
    key_of: impl Fn(&T) -> K,
    is_it: impl Fn(&T) -> bool,
) -> Option<usize> {
    if list.len() < LONG {
        return list.iter().position(is_it);
    }
    for (position, entry) in list.iter().enumerate().skip(known.len()) {
        known.insert(key_of(entry), position);
    }
    known.get(&key()).copied()
}

fn override_items<'s>(items: &mut Vec<Item<'s>>, new: impl Iterator<Item = Item<'s>>) {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for item in new {
        let key_of = |other: &Item<'s>| other.key;
        let is_it = |other: &Item<'s>| other.key == item.key;
        match position(items, &mut known, || item.key, key_of, is_it) {
            Some(position) => items[position] = item,
            None => items.push(item),
        }
    }
}

fn override_references<'s>(references: &mut Vec<Site<'s>>, sites: impl Iterator<Item = Site<'s>>) {
    let id = |site: &Site<'s>| site.attribute("ReferenceId").unwrap_or_default();
    let mut known = IdMap::default();
    for site in sites {
        let own = id(&site);
        let key_of = |other: &Site<'s>| Id::of(id(other));
        let is_it = |other: &Site<'s>| id(other).eq_ignore_ascii_case(own);
        match position(references, &mut known, || Id::of(own), key_of, is_it) {
            Some(position) => references[position] = site,
            None => references.push(site),
        }
    }
}

fn merge_claims<'s>(claims: &mut Vec<Claim<'s>>, sites: impl Iterator<Item = Site<'s>>) {
    let mut known = IdMap::default();
    for site in sites {
        let Some(claim_type) = site.attribute("ClaimTypeReferenceId") else {
            continue;
        };
        let key_of = |other: &Claim<'s>| Id::of(other.claim_type);
        let is_it = |other: &Claim<'s>| other.claim_type.eq_ignore_ascii_case(claim_type);
        match position(claims, &mut known, || Id::of(claim_type), key_of, is_it) {
            Some(position) => claims[position].sites.push(site),
            None => claims.push(Claim {
                claim_type,
                sites: Sites::one(site),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostics::{Source, SourceMap};
    use crate::policy::{Policy, PolicySet, Role};
    use crate::xml;

    const LENGTH: usize = 20_000;

    /// A set with profiles each of which includes the next one; the last includes what is given.
    fn chain(last: &str) -> PolicySet {
        let profiles = (0..=LENGTH).map(|number| {
            let next = if number < LENGTH {
                format!("p{}", number + 1)
            } else {
                last.to_owned()
            };
            format!(
                "<TechnicalProfile Id=\"P{number}\">\
                 <IncludeTechnicalProfile ReferenceId=\"{next}\" /></TechnicalProfile>"
            )
        });
        let text = format!(
            "<TrustFrameworkPolicy PolicyId=\"B2C_1A_A\"><ClaimsProviders><ClaimsProvider>\
             <TechnicalProfiles>{}</TechnicalProfiles></ClaimsProvider></ClaimsProviders>\
             </TrustFrameworkPolicy>",
            profiles.collect::<String>()
        );
        let mut sources = SourceMap::default();
        let source = sources.add(Source::new("A.xml", text));
        let (document, _) = xml::parse(sources.get(source).text(), source);
        let policy = Policy::read(document, source, Role::Own);
        PolicySet::new(policy.into_iter().collect(), true).0
    }

    #[test]
    fn long_chains_of_included_profiles_need_no_stack() {
        for (last, returns_to) in [("elsewhere", None), ("P7", Some("P7"))] {
            let set = chain(last);
            let (index, _) = set.own().next().expect("a policy");
            let profile = set.views().of(index).technical_profile("p0");
            let profile = profile.expect("the profile is declared");
            assert_eq!(profile.id, "P0");
            assert_eq!(profile.included, LENGTH);
            assert_eq!(profile.layers.len(), LENGTH + 1);
            assert_eq!(profile.layers[0].attribute("Id"), Some("P20000"));
            assert_eq!(profile.includes_unknown, returns_to.is_none());
            let cycle = profile.include_cycle.as_deref();
            assert_eq!(cycle.map(|ids| ids[0]), returns_to);
            assert_eq!(cycle.map(<[_]>::len), returns_to.map(|_| LENGTH - 6));
        }
    }
}
