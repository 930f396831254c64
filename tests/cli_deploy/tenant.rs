//! Small sets of policies for an emulated tenant, and what it has stored.

use std::path::Path;

use serde_json::Value;

use super::sandbox::Sandbox;
pub(crate) use super::tenant_process::{Tenant, access};

/// A policy of the starter packs' placeholder tenant, so that `--tenant` decides.
pub(crate) fn policy(id: &str, base: Option<&str>, body: &str) -> String {
    const TENANT: &str = "yourtenant.onmicrosoft.com";
    let base = base.map_or_else(String::new, |base| {
        format!("<BasePolicy><TenantId>{TENANT}</TenantId><PolicyId>{base}</PolicyId></BasePolicy>")
    });
    format!(
        "<TrustFrameworkPolicy \
         xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"{TENANT}\" PolicyId=\"{id}\" \
         PublicPolicyUri=\"http://{TENANT}/{id}\">\n{base}\n{body}\n</TrustFrameworkPolicy>\n"
    )
}

/// A claims schema with one claim type.
pub(crate) fn claim(name: &str) -> String {
    format!(
        "<BuildingBlocks><ClaimsSchema><ClaimType Id=\"{name}\"><DisplayName>{name}</DisplayName>\
         <DataType>string</DataType></ClaimType></ClaimsSchema></BuildingBlocks>"
    )
}

/// A technical profile that needs these keysets.
pub(crate) fn keys(keys: &[(&str, &str)]) -> String {
    let keys: String = keys
        .iter()
        .map(|(key, keyset)| format!("<Key Id=\"{key}\" StorageReferenceId=\"{keyset}\" />\n"))
        .collect();
    format!(
        "<ClaimsProviders><ClaimsProvider><DisplayName>P</DisplayName><TechnicalProfiles>\
         <TechnicalProfile Id=\"P\"><DisplayName>P</DisplayName><Protocol Name=\"None\" />\
         <CryptographicKeys>{keys}</CryptographicKeys></TechnicalProfile></TechnicalProfiles>\
         </ClaimsProvider></ClaimsProviders>"
    )
}

/// Base (with two keysets) ← Ext ← A, B; and Root2 ← C. `version` changes Base, A and Root2; the new
/// version has one more leaf.
pub(crate) fn write_set(sandbox: &Sandbox, folder: &str, version: &str) {
    let keysets = [
        ("issuer_secret", "B2C_1A_Sig"),
        ("issuer_refresh_token_key", "B2C_1A_Enc"),
    ];
    let base = format!("{}{}", claim(version), keys(&keysets));
    let write = |id: &str, base: Option<&str>, body: &str| {
        let base = base.map(|base| format!("B2C_1A_{base}"));
        let text = policy(&format!("B2C_1A_{id}"), base.as_deref(), body);
        sandbox.write(&format!("{folder}/{id}.xml"), &text);
    };
    write("Base", None, &base);
    write("Ext", Some("Base"), &claim("ext"));
    write("A", Some("Ext"), &claim(version));
    write("B", Some("Ext"), "");
    write("Root2", None, &claim(version));
    if version == "new" {
        write("C", Some("Root2"), "");
    }
}

/// The policies that a state folder holds for a tenant: file name and text.
pub(crate) fn stored_policies(state: &Path, tenant: &str) -> Vec<(String, String)> {
    stored(state, tenant, "policies")
}

/// How many keys each keyset has.
pub(crate) fn stored_keys(state: &Path, tenant: &str) -> Vec<(String, usize)> {
    let keysets = stored(state, tenant, "keysets").into_iter();
    keysets
        .map(|(name, text)| {
            let keyset: Value = serde_json::from_str(&text).unwrap();
            (name, keyset["keys"].as_array().unwrap().len())
        })
        .collect()
}

fn stored(state: &Path, tenant: &str, part: &str) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(state.join(tenant).join(part)) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .map(|path| (path, String::new()))
        .map(|(path, _)| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap_or_default())
        })
        .filter(|(name, _)| !name.starts_with('.'))
        .collect();
    files.sort();
    files
}
