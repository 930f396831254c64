//! `sso-handler`: the session management of a profile.

use super::Reached;
use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::handlers::ProfileKind;

pub(super) static SSO_HANDLER: Rule = Rule {
    id: "sso-handler",
    level: Level::Error,
    summary: "the session management of a profile is no session provider, or not the one for its kind",
};

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    findings.extend(session(reached));
}

fn session(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let reference = reached
        .profile
        .child("UseTechnicalProfileForSessionManagement")?;
    let session = reached
        .view
        .technical_profile(reference.attribute("ReferenceId")?)?;
    let protocol = session.protocol()?;
    let kind = session.kind();
    // A handler that is not known may manage sessions.
    if kind.is_none() && protocol == "Proprietary" {
        return None;
    }
    let (level, message, help) = match (reached.kind, kind) {
        (_, kind) if !kind.is_some_and(ProfileKind::is_session) => (
            Level::Error,
            format!("`{}` manages no sessions", session.id),
            "name a profile whose handler is one of Web.TPEngine.SSO",
        ),
        (Some(ProfileKind::JwtIssuer), Some(kind)) if kind != ProfileKind::OAuthSession => (
            Level::Warning,
            format!(
                "JWT issuer `{}` does not keep OAuth sessions",
                reached.profile.id
            ),
            "name a profile with handler Web.TPEngine.SSO.OAuthSSOSessionProvider, or applications \
             cannot sign the user out",
        ),
        (Some(ProfileKind::SamlIssuer), Some(kind)) if kind != ProfileKind::SamlSession => (
            Level::Warning,
            format!(
                "SAML token issuer `{}` does not keep SAML sessions",
                reached.profile.id
            ),
            "name a profile with handler Web.TPEngine.SSO.SamlSSOSessionProvider",
        ),
        (Some(ProfileKind::Saml), Some(ProfileKind::SamlSession))
            if !session
                .metadata("RegisterServiceProviders")
                .is_some_and(|item| item.value.trim().eq_ignore_ascii_case("false")) =>
        {
            (
                Level::Warning,
                format!(
                    "`{}` registers service providers, but `{}` is an identity provider",
                    session.id, reached.profile.id
                ),
                "set metadata item RegisterServiceProviders of the session profile to false",
            )
        }
        _ => return None,
    };
    let place = reached.place_at([reference])?;
    Some(
        Diagnostic::new(&SSO_HANDLER, place.location, message)
            .level(level)
            .related(session.site().attribute_location("Id"), "declared here")
            .help(help)
            .policy_id(place.policy_id()),
    )
}
