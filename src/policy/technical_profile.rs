use super::Kind;
use super::declarations::fold;
use super::effective::{Effective, Site};

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
    pub include_cycle: Option<Vec<String>>,
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
    pub sites: Vec<Site<'s>>,
}

impl<'s> Claim<'s> {
    /// An attribute after merging: the nearest element that has it counts.
    pub fn attribute(&self, name: &str) -> Option<&'s str> {
        self.sites
            .iter()
            .rev()
            .find_map(|site| site.attribute(name))
    }

    /// The element nearest to the policy.
    pub fn site(&self) -> Site<'s> {
        self.sites[self.sites.len() - 1]
    }
}

impl<'s> TechnicalProfile<'s> {
    /// The child element of this name that counts after merging.
    pub fn child(&self, name: &str) -> Option<Site<'s>> {
        self.layers.iter().rev().find_map(|layer| layer.child(name))
    }

    /// The declaration nearest to the policy.
    pub fn site(&self) -> Site<'s> {
        self.layers[self.layers.len() - 1]
    }

    /// `Protocol/@Name` after merging.
    pub fn protocol(&self) -> Option<&'s str> {
        self.child("Protocol")?.attribute("Name")
    }

    /// The class of `Protocol/@Handler`, without the assembly: `Web.TPEngine.Providers.…`.
    pub fn handler(&self) -> Option<&'s str> {
        let handler = self.child("Protocol")?.attribute("Handler")?;
        Some(handler.split(',').next().unwrap_or(handler).trim())
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

/// Merges a profile; `None` if neither the policy nor an ancestor declares it.
pub(super) fn merge<'s>(view: &Effective<'s>, id: &str) -> Option<TechnicalProfile<'s>> {
    let mut visiting = Vec::new();
    let mut include_cycle = None;
    let mut includes_unknown = false;
    let (layers, included) = layers(
        view,
        id,
        &mut visiting,
        &mut include_cycle,
        &mut includes_unknown,
    )?;
    let own_id = layers.last()?.attribute("Id")?;
    let mut profile = TechnicalProfile {
        id: own_id,
        included,
        include_cycle,
        includes_unknown,
        metadata: Vec::new(),
        cryptographic_keys: Vec::new(),
        input_claims: Vec::new(),
        output_claims: Vec::new(),
        persisted_claims: Vec::new(),
        display_claims: Vec::new(),
        input_claims_transformations: Vec::new(),
        output_claims_transformations: Vec::new(),
        validation_technical_profiles: Vec::new(),
        layers: Vec::new(),
    };
    for layer in &layers {
        for item in layer.items("Metadata", "Item") {
            let value = item.element.text();
            override_item(&mut profile.metadata, item.attribute("Key"), value, item);
        }
        for key in layer.items("CryptographicKeys", "Key") {
            let value = key.attribute("StorageReferenceId").unwrap_or_default();
            override_item(
                &mut profile.cryptographic_keys,
                key.attribute("Id"),
                value,
                key,
            );
        }
        merge_claims(
            &mut profile.input_claims,
            layer.items("InputClaims", "InputClaim"),
        );
        merge_claims(
            &mut profile.output_claims,
            layer.items("OutputClaims", "OutputClaim"),
        );
        merge_claims(
            &mut profile.persisted_claims,
            layer.items("PersistedClaims", "PersistedClaim"),
        );
        profile
            .display_claims
            .extend(layer.items("DisplayClaims", "DisplayClaim"));
        profile
            .input_claims_transformations
            .extend(layer.items("InputClaimsTransformations", "InputClaimsTransformation"));
        profile
            .output_claims_transformations
            .extend(layer.items("OutputClaimsTransformations", "OutputClaimsTransformation"));
        for validation in layer.items("ValidationTechnicalProfiles", "ValidationTechnicalProfile") {
            let reference = validation.attribute("ReferenceId").unwrap_or_default();
            let known = profile
                .validation_technical_profiles
                .iter_mut()
                .find(|known| {
                    let other = known.attribute("ReferenceId").unwrap_or_default();
                    other.eq_ignore_ascii_case(reference)
                });
            match known {
                Some(known) => *known = validation,
                None => profile.validation_technical_profiles.push(validation),
            }
        }
    }
    profile.layers = layers;
    Some(profile)
}

/// The layers of a profile and how many of them are included ones. Inclusion works on profiles that
/// are already merged over the chain: only the nearest `IncludeTechnicalProfile` counts.
fn layers<'s>(
    view: &Effective<'s>,
    id: &str,
    visiting: &mut Vec<String>,
    cycle: &mut Option<Vec<String>>,
    unknown: &mut bool,
) -> Option<(Vec<Site<'s>>, usize)> {
    let own = view.sites(Kind::TechnicalProfile, id);
    if own.is_empty() {
        *unknown |= !visiting.is_empty();
        return None;
    }
    let folded = fold(id).into_owned();
    if let Some(first) = visiting.iter().position(|known| *known == folded) {
        cycle.get_or_insert_with(|| visiting[first..].to_vec());
        return None;
    }
    let include = own.iter().rev().find_map(|site| {
        site.child("IncludeTechnicalProfile")?
            .attribute("ReferenceId")
    });
    let mut all = Vec::new();
    if let Some(include) = include {
        visiting.push(folded);
        if let Some((included, _)) = layers(view, include, visiting, cycle, unknown) {
            all = included;
        }
        visiting.pop();
    }
    let included = all.len();
    all.extend(own);
    Some((all, included))
}

fn override_item<'s>(
    items: &mut Vec<Item<'s>>,
    key: Option<&'s str>,
    value: &'s str,
    site: Site<'s>,
) {
    let Some(key) = key else {
        return;
    };
    let item = Item { key, value, site };
    match items.iter_mut().find(|known| known.key == key) {
        Some(known) => *known = item,
        None => items.push(item),
    }
}

fn merge_claims<'s>(claims: &mut Vec<Claim<'s>>, sites: impl Iterator<Item = Site<'s>>) {
    for site in sites {
        let Some(claim_type) = site.attribute("ClaimTypeReferenceId") else {
            continue;
        };
        let known = claims
            .iter_mut()
            .find(|known| known.claim_type.eq_ignore_ascii_case(claim_type));
        match known {
            Some(known) => known.sites.push(site),
            None => claims.push(Claim {
                claim_type,
                sites: vec![site],
            }),
        }
    }
}
