//! `tp-key-required`: a cryptographic key without which the profile cannot run.

use super::Reached;
use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::handlers::ProfileKind;

pub(super) static TP_KEY_REQUIRED: Rule = Rule {
    id: "tp-key-required",
    level: Level::Error,
    summary: "a technical profile that is executed lacks a cryptographic key that it needs",
};

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    let Some(kind) = reached.kind else {
        return;
    };
    let mut need = |ids: &[&str], reason: &str| {
        if !ids.iter().any(|id| reached.has_cryptographic_key(id)) {
            findings.extend(missing(reached, kind, ids[0], reason));
        }
    };
    match kind {
        ProfileKind::OpenIdConnect => {
            let types = reached.metadata_text("response_types").unwrap_or_default();
            let code = types
                .split([' ', ','])
                .any(|word| word.eq_ignore_ascii_case("code"));
            if code && !is_public_client(reached) {
                need(
                    &["client_secret", "assertion_signing_key"],
                    "it redeems an authorization code",
                );
            }
        }
        ProfileKind::OAuth2 if !is_public_client(reached) => need(
            &["client_secret", "assertion_signing_key"],
            "it redeems an authorization code",
        ),
        ProfileKind::OAuth1 => need(&["client_secret"], "it signs its requests"),
        ProfileKind::Rest => rest(reached, &mut need),
        ProfileKind::JwtIssuer => {
            need(&["issuer_secret"], "it signs the tokens");
            need(&["issuer_refresh_token_key"], "it encrypts refresh tokens");
        }
        ProfileKind::SamlIssuer => need(
            &["SamlMessageSigning", "SamlAssertionSigning"],
            "it signs its answers",
        ),
        ProfileKind::Saml => {
            if reached.flag("WantsSignedRequests") != Some(false) {
                need(
                    &["SamlMessageSigning"],
                    "it signs its requests unless WantsSignedRequests is false",
                );
            }
            if reached.flag("WantsEncryptedAssertions") == Some(true) {
                need(
                    &["SamlAssertionDecryption"],
                    "WantsEncryptedAssertions is true",
                );
            }
        }
        _ => {}
    }
}

fn rest(reached: &Reached<'_, '_>, need: &mut impl FnMut(&[&str], &str)) {
    let authentication = reached
        .metadata_text("AuthenticationType")
        .unwrap_or_default();
    if authentication.eq_ignore_ascii_case("Basic") {
        let reason = "AuthenticationType is Basic";
        need(&["BasicAuthenticationUsername"], reason);
        need(&["BasicAuthenticationPassword"], reason);
    } else if authentication.eq_ignore_ascii_case("ClientCertificate") {
        need(
            &["ClientCertificate"],
            "AuthenticationType is ClientCertificate",
        );
    } else if authentication.eq_ignore_ascii_case("ApiKeyHeader")
        && reached.profile.cryptographic_keys.is_empty()
    {
        need(
            &["(the name of the header)"],
            "AuthenticationType is ApiKeyHeader",
        );
    }
}

/// Whether the profile says that it authenticates without a secret.
fn is_public_client(reached: &Reached<'_, '_>) -> bool {
    reached
        .metadata_text("token_endpoint_auth_method")
        .is_some_and(|method| method.eq_ignore_ascii_case("none"))
}

fn missing(
    reached: &Reached<'_, '_>,
    kind: ProfileKind,
    key: &str,
    reason: &str,
) -> Option<Diagnostic> {
    let place = reached.place()?;
    let id = reached.profile.id;
    Some(
        Diagnostic::new(
            &TP_KEY_REQUIRED,
            place.location,
            format!(
                "{} `{id}` lacks cryptographic key `{key}`, which it needs because {reason}",
                kind.noun()
            ),
        )
        .help(format!(
            "add `<Key Id=\"{key}\" StorageReferenceId=\"B2C_1A_…\" />` to its CryptographicKeys"
        ))
        .service_message(format!(
            "AADB2C90025: Profile '{id}' in policy '{}' in tenant '{}' does not contain the required \
             cryptographic key '{key}'.",
            place.policy_id(),
            place.tenant()
        ))
        .policy_id(place.policy_id()),
    )
}
