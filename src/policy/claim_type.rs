use super::Kind;
use super::effective::{Effective, Site};

/// The data types of the schema, as `ClaimType/DataType` writes them.
pub static DATA_TYPES: &[&str] = &[
    "boolean",
    "date",
    "dateTime",
    "duration",
    "int",
    "long",
    "string",
    "stringCollection",
    "alternativeSecurityIdCollection",
    "userIdentityCollection",
    "userIdentity",
    "phoneNumber",
    "objectIdentityCollection",
    "objectIdentity",
];

/// The `DataType` element of a claim type after merging; `None` if nothing declares one, or if it
/// holds a word that the schema does not know.
pub fn data_type<'s>(view: &Effective<'s>, claim_type: &str) -> Option<Site<'s>> {
    let site = view.merged_child(Kind::ClaimType, claim_type, "DataType")?;
    DATA_TYPES
        .contains(&site.element.trimmed_text())
        .then_some(site)
}
