//! Policies to work with.
#![allow(dead_code, reason = "not every test binary uses all of it")]

use std::path::Path;

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
    let root = "../shared/corpus/starterpack";
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join(root).is_dir() {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI must have the corpus of real policies beside the repository"
        );
        return Vec::new();
    }
    let packs = [
        "LocalAccounts",
        "SocialAccounts",
        "SocialAndLocalAccounts",
        "SocialAndLocalAccountsWithMfa",
        "Display Controls Starterpack/SocialAndLocalAccountsWithMfa",
    ];
    packs.map(|pack| format!("{root}/{pack}")).into()
}
