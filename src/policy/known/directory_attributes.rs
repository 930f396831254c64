//! The attributes of a directory account that an Azure AD technical profile can read and write.
//!
//! Facts: the article "User profile attributes" of Azure AD B2C, and what starter packs and samples
//! read that tenants have accepted.

/// Names that a directory profile may use as partner claim type, besides extension attributes.
static ATTRIBUTES: &[&str] = &[
    "accountEnabled",
    "ageGroup",
    "alternativeSecurityId",
    "alternativeSecurityIds",
    "businessPhones",
    "city",
    "companyName",
    "consentProvidedForMinor",
    "country",
    "createdDateTime",
    "creationType",
    "dateOfBirth",
    "department",
    "displayName",
    "employeeId",
    "externalUserState",
    "facsimileTelephoneNumber",
    "faxNumber",
    "givenName",
    "identities",
    "immutableId",
    "jobTitle",
    "lastPasswordChangeDateTime",
    "legalAgeGroupClassification",
    "legalCountry",
    "logonIdentifier.emailAddress",
    "mail",
    "mailNickname",
    "minorConsent",
    "mobile",
    "mobilePhone",
    "netId",
    "newClaimsPrincipalCreated",
    "objectId",
    "officeLocation",
    "otherMails",
    "password",
    "passwordPolicies",
    "passwordProfile",
    "physicalDeliveryOfficeName",
    "postalCode",
    "preferredLanguage",
    "proxyAddresses",
    "refreshTokensValidFromDateTime",
    "signInNames",
    "signInNames.emailAddress",
    "signInNames.oidToken",
    "signInNames.phoneNumber",
    "signInNames.userName",
    "signInNamesInfo.emailAddress",
    "signInNamesInfo.phoneNumber",
    "signInNamesInfo.userName",
    "state",
    "streetAddress",
    "strongAuthenticationAlternativePhoneNumber",
    "strongAuthenticationAppPassword",
    "strongAuthenticationEmailAddress",
    "strongAuthenticationPhoneNumber",
    "surname",
    "telephoneNumber",
    "thumbnailPhoto",
    "tenantId",
    "usageLocation",
    "userIdentities",
    "userPrincipalName",
    "userState",
    "userStateChangedOn",
    "userType",
];

/// What the name of an extension attribute begins with.
pub const EXTENSION_PREFIX: &str = "extension_";

/// Whether a name is that of an extension attribute, which is stored under the object id of an
/// application.
pub fn is_extension_attribute(name: &str) -> bool {
    name.strip_prefix(EXTENSION_PREFIX)
        .is_some_and(|rest| !rest.is_empty())
}

/// Whether the directory has an attribute of this name, without regard to case.
pub fn is_directory_attribute(name: &str) -> bool {
    let extension = name
        .get(..EXTENSION_PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(EXTENSION_PREFIX));
    extension
        || ATTRIBUTES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
}

/// The names of all attributes but the extension attributes.
pub fn directory_attributes() -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_attributes_have_a_name_behind_the_prefix() {
        assert!(is_extension_attribute("extension_loyalty"));
        assert!(!is_extension_attribute("extension_"));
        assert!(!is_extension_attribute("loyalty"));
        assert!(is_directory_attribute("Extension_loyalty"));
        assert!(is_directory_attribute("SurName"));
        assert!(!is_directory_attribute("given_name"));
        assert!(!is_directory_attribute("é"));
    }
}
