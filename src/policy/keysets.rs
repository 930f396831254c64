use crate::diagnostics::Location;

use super::set::Policy;

/// A place where a policy needs a keyset (policy key) of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysetReference {
    /// `@StorageReferenceId`, the id of the keyset.
    pub keyset: String,
    /// `@Id` of the key in its technical profile: what the key is for (`client_secret`,
    /// `issuer_secret`, …); empty if the file has none.
    pub key: String,
    /// The technical profile that uses the key; empty where another element does.
    pub technical_profile: String,
    /// `Protocol/@Name` in the same element, if the file states it there.
    pub protocol: Option<String>,
    /// The policy that holds the reference.
    pub policy_id: String,
    /// Where the id stands.
    pub location: Location,
}

/// The keysets that a policy's own file needs, in document order: those of [`keyset_references`], and
/// the secrets of `Hash` claims transformations, which name a keyset in `randomizerSecret`.
pub fn needed_keysets(policy: &Policy) -> Vec<KeysetReference> {
    let hashes = policy
        .document
        .elements()
        .filter(|element| {
            element.name() == "InputParameter"
                && element.attribute_value("Id") == Some(RANDOMIZER_SECRET)
        })
        .filter_map(|element| {
            let keyset = element.attribute("Value")?;
            let owner = element.parent()?.parent()?;
            let is_hash = owner.attribute_value("TransformationMethod") == Some("Hash");
            let name = keyset.value().trim();
            (is_hash && !name.is_empty()).then(|| KeysetReference {
                keyset: name.to_owned(),
                key: RANDOMIZER_SECRET.to_owned(),
                technical_profile: String::new(),
                protocol: None,
                policy_id: policy.id().to_owned(),
                location: policy.location(keyset.value_span()),
            })
        });
    let mut needed = keyset_references(policy);
    needed.extend(hashes);
    needed.sort_by_key(|reference| reference.location);
    needed
}

/// The parameter of a `Hash` claims transformation that names a keyset.
const RANDOMIZER_SECRET: &str = "randomizerSecret";

/// The keysets that a policy's own file refers to, in document order: every
/// `CryptographicKeys/Key/@StorageReferenceId`.
pub fn keyset_references(policy: &Policy) -> Vec<KeysetReference> {
    policy
        .document
        .elements_named("Key")
        .filter_map(|element| {
            let storage = element.attribute("StorageReferenceId")?;
            let list = element.parent()?;
            let owner = list.parent()?;
            if list.name() != "CryptographicKeys" || storage.value().is_empty() {
                return None;
            }
            let is_profile = owner.name() == "TechnicalProfile";
            let owner_id = owner.attribute_value("Id").filter(|_| is_profile);
            Some(KeysetReference {
                keyset: storage.value().to_owned(),
                key: element.attribute_value("Id").unwrap_or_default().to_owned(),
                technical_profile: owner_id.unwrap_or_default().to_owned(),
                protocol: owner
                    .child("Protocol")
                    .and_then(|protocol| protocol.attribute_value("Name"))
                    .map(str::to_owned),
                policy_id: policy.id().to_owned(),
                location: policy.location(storage.value_span()),
            })
        })
        .collect()
}
