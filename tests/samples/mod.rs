//! Policies to work with.
#![allow(dead_code, reason = "not every test binary uses all of it")]

#[path = "../beside/corpus.rs"]
mod corpus;

use corpus::corpus;

pub(crate) const TENANT: &str = "contoso.onmicrosoft.com";

/// A small policy with a claim type of its own.
pub(crate) fn policy(id: &str, base: Option<&str>, claim: &str) -> String {
    let base = base.map_or_else(String::new, |base| {
        format!(
            "<BasePolicy>\n<TenantId>{TENANT}</TenantId>\n<PolicyId>{base}</PolicyId>\n</BasePolicy>"
        )
    });
    format!(
        "<TrustFrameworkPolicy xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"{TENANT}\" PolicyId=\"{id}\" \
         PublicPolicyUri=\"http://{TENANT}/{id}\">{base}\n<BuildingBlocks>\n<ClaimsSchema>\n\
         <ClaimType Id=\"{claim}\">\n<DisplayName>{claim}</DisplayName>\n\
         <DataType>string</DataType>\n</ClaimType>\n</ClaimsSchema>\n</BuildingBlocks>\n\
         </TrustFrameworkPolicy>\n"
    )
}

/// Microsoft's starter packs, where they lie beside the repository.
pub(crate) fn starter_packs() -> Vec<String> {
    let Some(root) = corpus() else {
        return Vec::new();
    };
    let packs = [
        "LocalAccounts",
        "SocialAccounts",
        "SocialAndLocalAccounts",
        "SocialAndLocalAccountsWithMfa",
        "Display Controls Starterpack/SocialAndLocalAccountsWithMfa",
    ];
    let root = root.join("starterpack");
    packs
        .map(|pack| root.join(pack).display().to_string())
        .into()
}
