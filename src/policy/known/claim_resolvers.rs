//! The claim resolvers: `{Prefix:Key}` in a value stands for something of the request, the policy or
//! the session.
//!
//! Facts: the article "Claim resolvers" of Azure AD B2C. Accepted policies write prefixes and keys in
//! any letter case, so case does not count.

/// A family of resolvers.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// What stands before the colon.
    pub prefix: &'static str,
    /// What may stand behind it; empty where any name may.
    pub keys: &'static [&'static str],
}

/// All families.
pub static FAMILIES: &[Family] = &[
    Family {
        prefix: "Culture",
        keys: &["LanguageName", "LCID", "RegionName", "RFC5646"],
    },
    Family {
        prefix: "Policy",
        keys: &[
            "PolicyId",
            "RelyingPartyTenantId",
            "TenantObjectId",
            "TrustFrameworkTenantId",
        ],
    },
    Family {
        prefix: "Context",
        keys: &[
            "BuildNumber",
            "CorrelationId",
            "DateTimeInUtc",
            "DeploymentMode",
            "HostName",
            "IPAddress",
            "KMSI",
        ],
    },
    Family {
        prefix: "Claim",
        keys: &[],
    },
    Family {
        prefix: "OIDC",
        keys: &[
            "AuthenticationContextReferences",
            "ClientId",
            "DomainHint",
            "GrantType",
            "IdToken",
            "LoginHint",
            "MaxAge",
            "Nonce",
            "Password",
            "Prompt",
            "RedirectUri",
            "Resource",
            "Scope",
            "Username",
        ],
    },
    Family {
        prefix: "OAUTH-KV",
        keys: &[],
    },
    Family {
        prefix: "OAUTH2",
        keys: &["access_token", "token_type", "expires_in", "refresh_token"],
    },
    Family {
        prefix: "SAML",
        keys: &[
            "AllowCreate",
            "AuthnContextClassReferences",
            "Binding",
            "ForceAuthn",
            "Issuer",
            "NameIdPolicyFormat",
            "ProviderName",
            "RelayState",
            "Subject",
        ],
    },
    Family {
        prefix: "SAML-KV",
        keys: &[],
    },
];

impl Family {
    /// The family of this prefix.
    pub fn find(prefix: &str) -> Option<&'static Self> {
        FAMILIES
            .iter()
            .find(|family| family.prefix.eq_ignore_ascii_case(prefix))
    }

    /// Whether the family has this key.
    pub fn has(&self, key: &str) -> bool {
        self.keys.is_empty()
            || self
                .keys
                .iter()
                .any(|known| known.eq_ignore_ascii_case(key))
    }
}

/// One `{prefix:key}` in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolver<'t> {
    /// What stands before the colon.
    pub prefix: &'t str,
    /// What stands behind it.
    pub key: &'t str,
}

/// The resolvers in a text, in order. Braces without a colon and JSON are passed over: a prefix
/// consists of letters, digits and hyphens, a key of neither braces, quotes nor white space.
pub fn resolvers(text: &str) -> impl Iterator<Item = Resolver<'_>> {
    text.split('{').skip(1).filter_map(|rest| {
        let (inner, _) = rest.split_once('}')?;
        let (prefix, key) = inner.split_once(':')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let sound = !prefix.is_empty()
            && prefix.chars().all(plain)
            && !key.is_empty()
            && !key.contains(|c: char| c.is_whitespace() || c == '"');
        sound.then_some(Resolver { prefix, key })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, &str)> {
        resolvers(text)
            .map(|resolver| (resolver.prefix, resolver.key))
            .collect()
    }

    #[test]
    fn resolvers_are_found_between_other_text() {
        assert_eq!(
            found("a{Culture:LCID}b{OAUTH-KV:ref}{x}"),
            [("Culture", "LCID"), ("OAUTH-KV", "ref")]
        );
        assert_eq!(found(r#"{"a":1} { a:b } {:x} {x:} {a:b"#), []);
    }

    #[test]
    fn case_does_not_count() {
        let family = Family::find("CONTEXT").unwrap();
        assert!(family.has("kmsi"));
        assert!(!family.has("Kmsi2"));
        assert!(Family::find("Claim").unwrap().has("anything"));
        assert!(Family::find("Contxt").is_none());
    }
}
