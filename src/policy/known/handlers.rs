//! What kinds of technical profiles there are, and which protocol or handler class makes one.
//!
//! Facts: the articles on the technical profiles of Azure AD B2C ("About technical profiles" and one
//! per kind).

use crate::policy::execution::{Executed, Use};

/// What a technical profile does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProfileKind {
    /// A page that asks the user for claims.
    SelfAsserted,
    /// Reads or writes an account of the tenant's directory.
    Directory,
    /// Calls a REST service.
    Rest,
    /// Runs claims transformations.
    ClaimsTransformation,
    /// An OpenID Connect identity provider, or a password check over OpenID Connect.
    OpenIdConnect,
    /// An OAuth 2 identity provider.
    OAuth2,
    /// An OAuth 1 identity provider.
    OAuth1,
    /// A SAML identity provider.
    Saml,
    /// Issues a JWT to the relying party.
    JwtIssuer,
    /// Issues a SAML assertion to the relying party.
    SamlIssuer,
    /// Answers the relying party with an OAuth 2 error.
    ErrorIssuer,
    /// Reads the id_token_hint of the request.
    IdTokenHint,
    /// Makes and checks one-time passwords.
    OneTimePassword,
    /// The page of phone verification.
    PhoneFactor,
    /// Sends and checks codes by phone, TOTP.
    AzureMfa,
    /// Sends and checks codes by e-mail.
    MailCode,
    /// Evaluates conditional access policies.
    ConditionalAccess,
    /// Yields facts of the user journey.
    JourneyContext,
    /// Sends events to Application Insights.
    ApplicationInsights,
    /// Makes and checks CAPTCHA challenges.
    Captcha,
    /// Keeps no session.
    NoopSession,
    /// Keeps claims in the session.
    DefaultSession,
    /// Keeps the session of an identity provider.
    ExternalLoginSession,
    /// Keeps the session of OAuth 2 and OpenID Connect relying parties.
    OAuthSession,
    /// Keeps the session of SAML relying parties and identity providers.
    SamlSession,
}

/// What stands behind the class in every handler.
pub const ASSEMBLY: &str = "Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null";

/// The handler classes of proprietary profiles.
static CLASSES: &[(&str, ProfileKind)] = &[
    (
        "Web.TPEngine.Providers.SelfAssertedAttributeProvider",
        ProfileKind::SelfAsserted,
    ),
    (
        "Web.TPEngine.Providers.AzureActiveDirectoryProvider",
        ProfileKind::Directory,
    ),
    ("Web.TPEngine.Providers.RestfulProvider", ProfileKind::Rest),
    (
        "Web.TPEngine.Providers.ClaimsTransformationProtocolProvider",
        ProfileKind::ClaimsTransformation,
    ),
    (
        "Web.TPEngine.Providers.OneTimePasswordProtocolProvider",
        ProfileKind::OneTimePassword,
    ),
    (
        "Web.TPEngine.Providers.PhoneFactorProtocolProvider",
        ProfileKind::PhoneFactor,
    ),
    (
        "Web.TPEngine.Providers.AzureMfaProtocolProvider",
        ProfileKind::AzureMfa,
    ),
    (
        "Web.TPEngine.Providers.AadSsprProtocolProvider",
        ProfileKind::MailCode,
    ),
    (
        "Web.TPEngine.Providers.ConditionalAccessProtocolProvider",
        ProfileKind::ConditionalAccess,
    ),
    (
        "Web.TPEngine.Providers.UserJourneyContextProvider",
        ProfileKind::JourneyContext,
    ),
    (
        "Web.TPEngine.Providers.Insights.AzureApplicationInsightsProvider",
        ProfileKind::ApplicationInsights,
    ),
    (
        "Web.TPEngine.Providers.AzureApplicationInsightsProvider",
        ProfileKind::ApplicationInsights,
    ),
    (
        "Web.TPEngine.Providers.CaptchaProvider",
        ProfileKind::Captcha,
    ),
    (
        "Web.TPEngine.SSO.NoopSSOSessionProvider",
        ProfileKind::NoopSession,
    ),
    (
        "Web.TPEngine.SSO.DefaultSSOSessionProvider",
        ProfileKind::DefaultSession,
    ),
    (
        "Web.TPEngine.SSO.ExternalLoginSSOSessionProvider",
        ProfileKind::ExternalLoginSession,
    ),
    (
        "Web.TPEngine.SSO.OAuthSSOSessionProvider",
        ProfileKind::OAuthSession,
    ),
    (
        "Web.TPEngine.SSO.SamlSSOSessionProvider",
        ProfileKind::SamlSession,
    ),
];

/// What begins the id of the profile that stands for the policy engine itself.
const ENGINE: &str = "TpEngine_c3bd4fe2-";

/// The handler classes.
pub fn handler_classes() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|(class, _)| *class)
}

/// What a profile of this handler class is.
pub fn handler_kind(class: &str) -> Option<ProfileKind> {
    let (_, kind) = CLASSES.iter().find(|(known, _)| *known == class)?;
    Some(*kind)
}

/// Whether the id is that of the profile that stands for the policy engine itself: starter packs
/// declare it, nothing refers to it, and it lacks what other profiles need.
pub fn is_engine(id: &str) -> bool {
    id.get(..ENGINE.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(ENGINE))
}

impl ProfileKind {
    /// What a profile is by its protocol and handler. Identity providers and token issuers cannot be
    /// told apart by that alone; without a look at how they are used they count as providers.
    pub fn of(protocol: Option<&str>, handler: Option<&str>) -> Option<Self> {
        match protocol? {
            "Proprietary" => handler_kind(handler?),
            "OpenIdConnect" => Some(Self::OpenIdConnect),
            "OAuth2" => Some(Self::OAuth2),
            "OAuth1" => Some(Self::OAuth1),
            "SAML2" => Some(Self::Saml),
            _ => None,
        }
    }

    /// What a profile is by the way in which it is executed.
    pub fn of_executed(executed: &Executed<'_>) -> Option<Self> {
        let profile = &executed.profile;
        let used = |wanted| executed.uses.iter().any(|(by, _)| *by == wanted);
        if !used(Use::Issuer) {
            return profile.kind();
        }
        let format = profile.child("OutputTokenFormat");
        match (
            format.map(|site| site.element.trimmed_text()),
            profile.protocol(),
        ) {
            (Some("JWT"), _) => Some(Self::JwtIssuer),
            (Some("SAML2"), _) => Some(Self::SamlIssuer),
            (Some("OAuth2Error"), _) => Some(Self::ErrorIssuer),
            (None, Some("None")) => Some(Self::IdTokenHint),
            // Named as issuer by mistake, which is told; it may run elsewhere as what it is.
            (_, Some("Proprietary")) => profile.kind(),
            _ => None,
        }
    }

    /// The kind in prose.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::SelfAsserted => "self-asserted profile",
            Self::Directory => "Azure AD profile",
            Self::Rest => "REST profile",
            Self::ClaimsTransformation => "claims transformation profile",
            Self::OpenIdConnect => "OpenID Connect profile",
            Self::OAuth2 => "OAuth2 profile",
            Self::OAuth1 => "OAuth1 profile",
            Self::Saml => "SAML identity provider",
            Self::JwtIssuer => "JWT issuer",
            Self::SamlIssuer => "SAML token issuer",
            Self::ErrorIssuer => "OAuth2 error profile",
            Self::IdTokenHint => "id_token_hint profile",
            Self::OneTimePassword => "one-time password profile",
            Self::PhoneFactor => "phone factor profile",
            Self::AzureMfa => "Azure AD MFA profile",
            Self::MailCode => "Azure AD SSPR profile",
            Self::ConditionalAccess => "Conditional Access profile",
            Self::JourneyContext => "user journey context profile",
            Self::ApplicationInsights => "Application Insights profile",
            Self::Captcha => "CAPTCHA profile",
            Self::NoopSession
            | Self::DefaultSession
            | Self::ExternalLoginSession
            | Self::OAuthSession
            | Self::SamlSession => "session management profile",
        }
    }

    /// Whether it manages a session.
    pub const fn is_session(self) -> bool {
        matches!(
            self,
            Self::NoopSession
                | Self::DefaultSession
                | Self::ExternalLoginSession
                | Self::OAuthSession
                | Self::SamlSession
        )
    }

    /// Whether it sends the user to an identity provider.
    pub const fn is_identity_provider(self) -> bool {
        matches!(
            self,
            Self::OpenIdConnect | Self::OAuth2 | Self::OAuth1 | Self::Saml
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_known_by_its_id() {
        assert!(is_engine("TpEngine_c3bd4fe2-1775-4013-b91d-35f16d377d13"));
        assert!(!is_engine("TpEngine"));
        assert!(!is_engine("é"));
    }
}
