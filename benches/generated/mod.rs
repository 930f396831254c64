//! A set of policies made to measure: one base, one extension, any number of relying parties. What a
//! real tenant would accept, as far as the validator knows.

use std::fmt::Write as _;

/// One file of the set.
pub(crate) struct GeneratedPolicy {
    /// File name.
    pub(crate) name: String,
    /// The XML.
    pub(crate) text: String,
}

/// A set of `leaves` relying parties below an extension below a base; every file has about the
/// number of bytes asked for, the head of a policy being the minimum.
pub(crate) fn generated_set(
    leaves: usize,
    base_bytes: usize,
    leaf_bytes: usize,
) -> Vec<GeneratedPolicy> {
    let mut set = vec![
        GeneratedPolicy {
            name: "Base.xml".into(),
            text: base(base_bytes),
        },
        GeneratedPolicy {
            name: "Extensions.xml".into(),
            text: policy("B2C_1A_Extensions", Some("B2C_1A_Base"), &extension_body()),
        },
    ];
    for number in 0..leaves {
        set.push(GeneratedPolicy {
            name: format!("Leaf{number:03}.xml"),
            text: leaf(number, leaf_bytes),
        });
    }
    set
}

fn policy(id: &str, base: Option<&str>, body: &str) -> String {
    let base = base.map_or(String::new(), |base| {
        format!(
            "  <BasePolicy>\n    <TenantId>contoso.onmicrosoft.com</TenantId>\n    <PolicyId>{base}</PolicyId>\n  </BasePolicy>\n"
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<TrustFrameworkPolicy \
         xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"contoso.onmicrosoft.com\" PolicyId=\"{id}\" \
         PublicPolicyUri=\"http://contoso.onmicrosoft.com/{id}\">\n{base}{body}</TrustFrameworkPolicy>\n"
    )
}

const PROPRIETARY: &str = "Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null";

fn claim(id: &str, input: bool) -> String {
    let input = if input {
        "<UserInputType>TextBox</UserInputType>"
    } else {
        ""
    };
    format!(
        "      <ClaimType Id=\"{id}\">\n        <DisplayName>{id}</DisplayName>\n        \
         <DataType>string</DataType>\n        {input}\n      </ClaimType>\n"
    )
}

fn page_profile(id: &str, claims: &[String]) -> String {
    let outputs: String = claims
        .iter()
        .map(|claim| format!("            <OutputClaim ClaimTypeReferenceId=\"{claim}\" />\n"))
        .collect();
    format!(
        "        <TechnicalProfile Id=\"{id}\">\n          <DisplayName>{id}</DisplayName>\n          \
         <Protocol Name=\"Proprietary\" Handler=\"Web.TPEngine.Providers.SelfAssertedAttributeProvider, {PROPRIETARY}\" />\n          \
         <Metadata>\n            <Item Key=\"ContentDefinitionReferenceId\">api.selfasserted</Item>\n          </Metadata>\n          \
         <OutputClaims>\n{outputs}          </OutputClaims>\n        </TechnicalProfile>\n"
    )
}

fn base(bytes: usize) -> String {
    let mut claims = String::new();
    for id in ["objectId", "sub"] {
        claims.push_str(&claim(id, true));
    }
    let mut profiles = page_profile("Page-Start", &["objectId".into()]);
    profiles.push_str(
        "        <TechnicalProfile Id=\"JwtIssuer\">\n          <DisplayName>JWT Issuer</DisplayName>\n          \
         <Protocol Name=\"None\" />\n          <OutputTokenFormat>JWT</OutputTokenFormat>\n          \
         <Metadata>\n            <Item Key=\"issuer_refresh_token_user_identity_claim_type\">objectId</Item>\n          </Metadata>\n          \
         <CryptographicKeys>\n            <Key Id=\"issuer_secret\" StorageReferenceId=\"B2C_1A_TokenSigningKeyContainer\" />\n            \
         <Key Id=\"issuer_refresh_token_key\" StorageReferenceId=\"B2C_1A_TokenEncryptionKeyContainer\" />\n          </CryptographicKeys>\n        \
         </TechnicalProfile>\n",
    );
    let mut number = 0;
    while claims.len() + profiles.len() + 2_000 < bytes {
        let ids: Vec<String> = (0..4).map(|part| format!("claim{number}x{part}")).collect();
        for id in &ids {
            claims.push_str(&claim(id, true));
        }
        profiles.push_str(&page_profile(&format!("Page-{number}"), &ids));
        number += 1;
    }
    policy(
        "B2C_1A_Base",
        None,
        &format!(
            "  <BuildingBlocks>\n    <ClaimsSchema>\n{claims}    </ClaimsSchema>\n    <ContentDefinitions>\n      \
             <ContentDefinition Id=\"api.selfasserted\">\n        <LoadUri>~/tenant/templates/AzureBlue/selfAsserted.cshtml</LoadUri>\n        \
             <RecoveryUri>~/common/default_page_error.html</RecoveryUri>\n        \
             <DataUri>urn:com:microsoft:aad:b2c:elements:contract:selfasserted:2.1.26</DataUri>\n      </ContentDefinition>\n    \
             </ContentDefinitions>\n  </BuildingBlocks>\n  <ClaimsProviders>\n    <ClaimsProvider>\n      \
             <DisplayName>Pages</DisplayName>\n      <TechnicalProfiles>\n{profiles}      </TechnicalProfiles>\n    \
             </ClaimsProvider>\n  </ClaimsProviders>\n  <UserJourneys>\n    <UserJourney Id=\"Start\">\n      <OrchestrationSteps>\n        \
             <OrchestrationStep Order=\"1\" Type=\"ClaimsExchange\">\n          <ClaimsExchanges>\n            \
             <ClaimsExchange Id=\"Start\" TechnicalProfileReferenceId=\"Page-Start\" />\n          </ClaimsExchanges>\n        \
             </OrchestrationStep>\n        <OrchestrationStep Order=\"2\" Type=\"SendClaims\" \
             CpimIssuerTechnicalProfileReferenceId=\"JwtIssuer\" />\n      </OrchestrationSteps>\n    </UserJourney>\n  </UserJourneys>\n"
        ),
    )
}

fn extension_body() -> String {
    format!(
        "  <BuildingBlocks>\n    <ClaimsSchema>\n{}    </ClaimsSchema>\n  </BuildingBlocks>\n",
        claim("loyaltyNumber", true)
    )
}

fn leaf(number: usize, bytes: usize) -> String {
    let mut claims = String::new();
    let mut profiles = String::new();
    let mut steps = String::new();
    let mut page = 0;
    while claims.len() + profiles.len() + steps.len() + 2_000 < bytes {
        let ids: Vec<String> = (0..4)
            .map(|part| format!("leaf{number}p{page}x{part}"))
            .collect();
        for id in &ids {
            claims.push_str(&claim(id, true));
        }
        let profile = format!("Leaf-{number}-{page}");
        profiles.push_str(&page_profile(&profile, &ids));
        // Writing to a string cannot fail.
        let _ = write!(
            steps,
            "        <OrchestrationStep Order=\"{}\" Type=\"ClaimsExchange\">\n          <ClaimsExchanges>\n            \
             <ClaimsExchange Id=\"E{page}\" TechnicalProfileReferenceId=\"{profile}\" />\n          </ClaimsExchanges>\n        \
             </OrchestrationStep>\n",
            page + 1
        );
        page += 1;
    }
    let journey = format!("Journey{number}");
    let body = if page == 0 {
        String::new()
    } else {
        format!(
            "  <BuildingBlocks>\n    <ClaimsSchema>\n{claims}    </ClaimsSchema>\n  </BuildingBlocks>\n  \
             <ClaimsProviders>\n    <ClaimsProvider>\n      <DisplayName>Leaf</DisplayName>\n      \
             <TechnicalProfiles>\n{profiles}      </TechnicalProfiles>\n    </ClaimsProvider>\n  </ClaimsProviders>\n  \
             <UserJourneys>\n    <UserJourney Id=\"{journey}\">\n      <OrchestrationSteps>\n{steps}        \
             <OrchestrationStep Order=\"{}\" Type=\"ClaimsExchange\">\n          <ClaimsExchanges>\n            \
             <ClaimsExchange Id=\"Start\" TechnicalProfileReferenceId=\"Page-Start\" />\n          </ClaimsExchanges>\n        \
             </OrchestrationStep>\n        <OrchestrationStep Order=\"{}\" Type=\"SendClaims\" \
             CpimIssuerTechnicalProfileReferenceId=\"JwtIssuer\" />\n      </OrchestrationSteps>\n    </UserJourney>\n  </UserJourneys>\n",
            page + 1,
            page + 2
        )
    };
    let journey = if page == 0 { "Start" } else { &journey };
    let relying_party = format!(
        "  <RelyingParty>\n    <DefaultUserJourney ReferenceId=\"{journey}\" />\n    \
         <TechnicalProfile Id=\"PolicyProfile\">\n      <DisplayName>PolicyProfile</DisplayName>\n      \
         <Protocol Name=\"OpenIdConnect\" />\n      <OutputClaims>\n        \
         <OutputClaim ClaimTypeReferenceId=\"objectId\" PartnerClaimType=\"sub\" />\n      </OutputClaims>\n      \
         <SubjectNamingInfo ClaimType=\"sub\" />\n    </TechnicalProfile>\n  </RelyingParty>\n"
    );
    policy(
        &format!("B2C_1A_Leaf{number:03}"),
        Some("B2C_1A_Extensions"),
        &format!("{body}{relying_party}"),
    )
}
