//! Which metadata items and cryptographic keys each kind of technical profile knows.
//!
//! Facts: the articles on the technical profiles of Azure AD B2C, one per kind, completed with what
//! starter packs and samples use that tenants have accepted. The service ignores items that it does
//! not know, so a list that lacks one does no harm.

use std::sync::LazyLock;

use super::handlers::ProfileKind;

impl ProfileKind {
    /// The metadata items that the kind knows.
    pub fn metadata(self) -> &'static [MetadataKey] {
        self.row().map_or(&[], |row| &row.metadata)
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.get(self as usize)?.as_ref()
    }

    /// The metadata items that the kind knows, with those that all kinds know.
    pub fn metadata_keys(self) -> impl Iterator<Item = &'static MetadataKey> + Clone {
        self.metadata().iter().chain(TABLE_ANY.iter())
    }

    /// The metadata item of exactly this key.
    pub fn metadata_key(self, key: &str) -> Option<&'static MetadataKey> {
        // Two loops are faster than one over both.
        let find = |keys: &'static [MetadataKey]| keys.iter().find(|known| known.name == key);
        find(self.metadata()).or_else(|| find(&TABLE_ANY))
    }

    /// The ids of cryptographic keys that the kind knows; `None` if any id may stand there.
    pub fn cryptographic_keys(self) -> Option<&'static [&'static str]> {
        let row = self.row()?;
        (!row.any_cryptographic_key).then_some(&row.cryptographic_keys)
    }
}

/// A metadata item that a kind of profile knows.
#[derive(Debug, PartialEq, Eq)]
pub struct MetadataKey {
    /// The key.
    pub name: &'static str,
    /// Whether the profile cannot run without it.
    pub required: bool,
    /// What may stand in it.
    pub value: Value,
}

/// What may stand in a metadata item.
#[derive(Debug, PartialEq, Eq)]
pub enum Value {
    /// Anything.
    Text,
    /// `true` or `false`.
    Flag,
    /// An absolute http or https address.
    Address,
    /// A whole number, and the range that the documentation gives, both ends included.
    Number(i64, i64),
    /// One of these words and no other.
    Word(Vec<&'static str>),
    /// One of these words as far as is known.
    KnownWord(Vec<&'static str>),
    /// The id of a claim type.
    Claim,
}

struct Row {
    metadata: Vec<MetadataKey>,
    cryptographic_keys: Vec<&'static str>,
    any_cryptographic_key: bool,
}

/// Items that every kind of profile knows.
static TABLE_ANY: LazyLock<Vec<MetadataKey>> = LazyLock::new(|| {
    read(
        "ContentDefinitionReferenceId
         ClaimTypeOnWhichToEnable claim
         ClaimValueOnWhichToEnable
         IncludeClaimResolvingInClaimsHandling flag
         DefaultMessage
         DefaultUserMessage",
    )
    .metadata
});

/// The row of each kind, by its number.
static TABLE: LazyLock<Vec<Option<Row>>> = LazyLock::new(|| {
    let mut rows = Vec::new();
    for (kind, text) in NOTATION {
        let number = *kind as usize;
        if rows.len() <= number {
            rows.resize_with(number + 1, || None);
        }
        rows[number] = Some(read(text));
    }
    rows
});

/// Reads lines of `Key[!] [flag|url|claim|int a..b|one a|b|like a|b]`, `!` for "required"; a line
/// `keys: a b` names cryptographic keys, `keys: *` allows any.
fn read(text: &'static str) -> Row {
    let mut row = Row {
        metadata: Vec::new(),
        cryptographic_keys: Vec::new(),
        any_cryptographic_key: false,
    };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(keys) = line.strip_prefix("keys:") {
            row.any_cryptographic_key = keys.trim() == "*";
            row.cryptographic_keys = keys.split_whitespace().collect();
            continue;
        }
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        row.metadata.push(MetadataKey {
            name: name.trim_end_matches('!'),
            required: name.ends_with('!'),
            value: read_value(value.trim()),
        });
    }
    row
}

fn read_value(text: &'static str) -> Value {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let words = || rest.split('|').map(str::trim).collect();
    match word {
        "flag" => Value::Flag,
        "url" => Value::Address,
        "claim" => Value::Claim,
        "one" => Value::Word(words()),
        "like" => Value::KnownWord(words()),
        "int" => {
            let range = rest.split_once("..").and_then(|(first, last)| {
                Some(Value::Number(first.parse().ok()?, last.parse().ok()?))
            });
            range.unwrap_or(Value::Number(0, i64::MAX))
        }
        _ => Value::Text,
    }
}

const PROVIDER: &str = "client_id!
ProviderName
scope
response_types
response_mode like query|form_post|fragment
HttpBinding like GET|POST
UsePolicyInRedirectUri flag
grant_type
resource
issuer
IssuerUri
IdTokenAudience
ValidTokenIssuerPrefixes
DiscoverMetadataByTokenIssuer flag
MarkAsFailureOnStatusCode5xx flag
METADATA url
authorization_endpoint url
token_endpoint url
access_token_endpoint url
AccessTokenEndpoint url
request_token_endpoint url
ClaimsEndpoint url
end_session_endpoint url
ClaimsEndpointAccessTokenName
ClaimsEndpointFormat
ClaimsEndpointFormatName
ClaimsEndpointQueryParameters
ClaimsResponseFormat
AccessTokenResponseFormat like json|JSON_Array|Default
AdditionalRequestQueryParameters
BearerTokenTransmissionMethod
ExtraParamsInAccessTokenEndpointResponse
ExtraParamsInClaimsEndpointRequest
ResponseErrorCodeParamName
external_user_identity_claim_id
ResolveJsonPathsInJsonTokens flag
GetClaimsFromIdTokenIfNotFoundInAccessToken flag
UserAgentForClaimsExchange
token_endpoint_auth_method
token_signing_algorithm
SingleLogoutEnabled flag
IncludeClaimResolvingInClaimsHandling flag
ReadBodyClaimsOnIdpRedirect flag
client_assertion_type
AuthenticationContextReferenceClaimPattern
IncludeIdTokenHint flag
id_token_lifetime_secs int 300..86400
token_lifetime_secs int 300..86400
refresh_token_lifetime_secs int 86400..7776000
keys: client_secret assertion_signing_key id_token_decryption issuer_secret client_assertion";

static NOTATION: &[(ProfileKind, &str)] = &[
    (
        ProfileKind::SelfAsserted,
        "setting.operatingMode like Email|Username
         setting.showContinueButton flag
         setting.showCancelButton flag
         setting.showSignupLink flag
         setting.retryLimit int
         setting.forgotPasswordLinkLocation like AfterLabel|AfterInput|AfterButtons|None
         setting.forgotPasswordLinkOverride
         setting.enableRememberMe flag
         setting.inputVerificationDelayTimeInMilliseconds int
         setting.authenticationMode
         setting.autodial flag
         setting.autoSubmit flag
         SignUpTarget
         EnforceEmailVerification flag
         AllowGenerationOfClaimsWithNullValues flag
         IpAddressClaimReferenceId claim
         LocalAccountType
         LocalAccountProfile flag
         ClaimsProviderSelectionDisplayType
         TokenLifeTimeInSeconds int
         DateTimeGreaterThan
         LookupNotFound
         AllowTestEmailAddressPassThrough flag
         allowTestEmailAddressPassThrough flag
         UserInputType
         keys: *",
    ),
    (
        ProfileKind::Directory,
        "Operation! one Read|Write|DeleteClaims|DeleteClaimsPrincipal
         RaiseErrorIfClaimsPrincipalDoesNotExist flag
         RaiseErrorIfClaimsPrincipalAlreadyExists flag
         ApplicationObjectId
         ClientId
         api-version
         keys: issuer_secret",
    ),
    (
        ProfileKind::Rest,
        "ServiceUrl! url
         AuthenticationType! one None|Basic|Bearer|ClientCertificate|ApiKeyHeader
         SendClaimsIn one Body|Form|Header|Url|QueryString
         ClaimsFormat
         ClaimUsedForRequestPayload claim
         UseClaimAsBearerToken claim
         AllowInsecureAuthInProduction flag
         DebugMode flag
         ResolveJsonPathsInJsonTokens flag
         ClaimResolverUrlFormatting flag
         DefaultUserMessageIfRequestFailed
         HttpBinding like GET|POST
         BearerTokenTransmissionMethod
         keys: *",
    ),
    (ProfileKind::ClaimsTransformation, "keys: issuer_secret"),
    (ProfileKind::OpenIdConnect, PROVIDER),
    (ProfileKind::OAuth2, PROVIDER),
    (ProfileKind::OAuth1, PROVIDER),
    (
        ProfileKind::Saml,
        "PartnerEntity!
         ProviderName
         IssuerUri
         WantsSignedRequests flag
         WantsSignedAssertions flag
         ResponsesSigned flag
         WantsEncryptedAssertions flag
         XmlSignatureAlgorithm like Sha1|Sha256|Sha384|Sha512
         NameIdPolicyFormat
         NameIdPolicyAllowCreate flag
         AuthenticationRequestExtensions
         IncludeAuthnContextClassReferences
         IncludeKeyInfo flag
         SingleLogoutEnabled flag
         ForceAuthN flag
         IdpInitiatedProfileEnabled flag
         RequestContextMaximumLengthInBytes int
         MetadataSigned flag
         keys: SamlMessageSigning SamlAssertionSigning SamlAssertionDecryption MetadataSigning",
    ),
    (
        ProfileKind::JwtIssuer,
        "client_id
         issuer_refresh_token_user_identity_claim_type claim
         SendTokenResponseBodyWithJsonNumbers flag
         token_lifetime_secs int 300..86400
         id_token_lifetime_secs int 300..86400
         refresh_token_lifetime_secs int 86400..7776000
         rolling_refresh_token_lifetime_secs int 86400..31536000
         allow_infinite_rolling_refresh_token flag
         IssuanceClaimPattern one AuthorityAndTenantGuid|AuthorityWithTfp
         AuthenticationContextReferenceClaimPattern like None|PolicyId
         RefreshTokenUserJourneyId
         ClientCredentialsUserJourneyId
         issuer
         client_assertion_type
         keys: issuer_secret issuer_refresh_token_key client_secret",
    ),
    (
        ProfileKind::SamlIssuer,
        "IssuerUri
         XmlSignatureAlgorithm like Sha1|Sha256|Sha384|Sha512
         TokenNotBeforeSkewInSeconds int 0..3600
         TokenLifeTimeInSeconds int
         keys: MetadataSigning SamlMessageSigning SamlAssertionSigning",
    ),
    (ProfileKind::ErrorIssuer, "keys: issuer_secret"),
    (
        ProfileKind::IdTokenHint,
        "METADATA url
         IdTokenAudience
         issuer
         ProviderName
         keys: client_secret",
    ),
    (
        ProfileKind::OneTimePassword,
        "Operation! one GenerateCode|VerifyCode
         CodeExpirationInSeconds int 60..1200
         CodeLength int 1..100
         CharacterSet
         NumRetryAttempts int 0..100
         NumCodeGenerationAttempts int 1..100
         ReuseSameCode flag
         keys: issuer_secret",
    ),
    (
        ProfileKind::PhoneFactor,
        "ManualPhoneNumberEntryAllowed flag
         setting.authenticationMode like sms|phone|mixed
         setting.autodial flag
         setting.autosubmit flag
         keys: *",
    ),
    (
        ProfileKind::AzureMfa,
        "Operation! one OneWaySMS|Verify|BeginVerifyOTP|VerifyOTP|GetAvailableDevices
         keys: issuer_secret",
    ),
    (
        ProfileKind::MailCode,
        "Operation! one SendCode|VerifyCode
         allowTestEmailAddressPassThrough flag
         AllowTestEmailAddressPassThrough flag
         keys: issuer_secret",
    ),
    (
        ProfileKind::ConditionalAccess,
        "OperationType! one Evaluation|Remediation
         keys: issuer_secret",
    ),
    (ProfileKind::JourneyContext, "keys: issuer_secret"),
    (
        ProfileKind::ApplicationInsights,
        "InstrumentationKey
         ConnectionString
         DeveloperMode flag
         DisableTelemetry flag
         keys: issuer_secret",
    ),
    (
        ProfileKind::Captcha,
        "Operation! one GetChallenge|VerifyChallenge
         Brand
         keys: issuer_secret",
    ),
    (
        ProfileKind::NoopSession,
        "AlwaysFetchClaimsFromProvider flag
         keys: *",
    ),
    (
        ProfileKind::DefaultSession,
        "AlwaysFetchClaimsFromProvider flag
         keys: *",
    ),
    (
        ProfileKind::ExternalLoginSession,
        "AlwaysFetchClaimsFromProvider flag
         keys: *",
    ),
    (ProfileKind::OAuthSession, "keys: *"),
    (
        ProfileKind::SamlSession,
        "IncludeSessionIndex flag
         RegisterServiceProviders flag
         keys: *",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notation_is_well_formed() {
        let words = ["", "flag", "url", "claim", "one", "like", "int"];
        for (kind, text) in NOTATION {
            let mut seen = Vec::new();
            for line in text.lines().map(str::trim) {
                if line.starts_with("keys:") {
                    continue;
                }
                let mut parts = line.splitn(3, ' ');
                let name = parts.next().unwrap();
                let value = parts.next().unwrap_or_default();
                assert!(words.contains(&value), "{kind:?}: {line}");
                let rest = parts.next();
                assert_eq!(
                    ["one", "like"].contains(&value),
                    value != "int" && rest.is_some()
                );
                if let (Value::Number(first, last), Some(rest)) =
                    (read_value(line[name.len()..].trim()), rest)
                {
                    assert_eq!(format!("{first}..{last}"), rest, "{kind:?}: {line}");
                }
                assert!(!seen.contains(&name), "{kind:?}: {line} twice");
                seen.push(name);
            }
        }
    }

    #[test]
    fn keys_are_looked_up_by_kind() {
        let operation = ProfileKind::Directory.metadata_key("Operation").unwrap();
        assert!(operation.required);
        assert!(ProfileKind::Rest.metadata_key("Operation").is_none());
        assert!(ProfileKind::Rest.cryptographic_keys().is_none());
        assert_eq!(
            ProfileKind::JwtIssuer
                .metadata_key("token_lifetime_secs")
                .unwrap()
                .value,
            Value::Number(300, 86400)
        );
    }
}
