use crate::schema::DATA_TYPES;

use super::Kind;
use super::effective::Effective;
use super::set::{Policy, PolicySet};
use super::site::Site;

/// The `DataType` element of a claim type after merging; `None` if nothing declares one, or if it
/// holds a word that the schema does not know.
pub fn data_type<'s>(view: &Effective<'s>, claim_type: &str) -> Option<Site<'s>> {
    let site = view.merged_child(Kind::ClaimType, claim_type, "DataType")?;
    DATA_TYPES
        .contains(&site.element.trimmed_text())
        .then_some(site)
}

/// Whether any policy of the set gives a claim type options to choose from: by enumeration or by a
/// localized collection. A policy that inherits the claim type may do so, hence the whole set.
pub fn has_options(set: &PolicySet, claim_type: &str) -> bool {
    set.iter().any(|(_, policy)| {
        policy
            .declared(Kind::ClaimType, claim_type)
            .filter_map(|element| element.child("Restriction"))
            .any(|restriction| restriction.child("Enumeration").is_some())
            || has_collection(policy, claim_type)
    })
}

fn has_collection(policy: &Policy, claim_type: &str) -> bool {
    let resources = policy.declarations(Kind::LocalizedResources);
    resources
        .filter_map(|resources| resources.child("LocalizedCollections"))
        .flat_map(|list| list.children_named("LocalizedCollection"))
        .filter_map(|collection| collection.attribute_value("ElementId"))
        .any(|element| element.eq_ignore_ascii_case(claim_type))
}
