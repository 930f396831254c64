//! `tp-metadata-required`: a metadata item without which the profile cannot run.

use super::Reached;
use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::handlers::ProfileKind;

pub(super) static TP_METADATA_REQUIRED: Rule = Rule {
    id: "tp-metadata-required",
    level: Level::Error,
    summary: "a technical profile that is executed lacks a metadata item that it needs",
};

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    let Some(kind) = reached.kind else {
        return;
    };
    let required = kind.metadata().iter().filter(|key| key.required);
    for key in required.map(|key| key.name) {
        if reached.metadata(key).is_none() {
            // Published sets leave the client id of the tenant's own application to the user: what
            // they say of it is that it must be added, not that they are wrong. The tenant refuses
            // the upload all the same.
            let is_template = !reached.view.set().is_tenant_known();
            let level = if key == "client_id" && is_template {
                Level::Warning
            } else {
                Level::Error
            };
            findings.extend(missing(reached, kind, key, level));
        }
    }
    let lacks_all = |keys: &[&str]| keys.iter().all(|key| reached.metadata(key).is_none());
    let mut need = |keys: &[&'static str], level| {
        if lacks_all(keys) {
            findings.extend(missing(reached, kind, keys[0], level));
        }
    };
    match kind {
        ProfileKind::OpenIdConnect => need(
            &[
                "METADATA",
                "authorization_endpoint",
                "access_token_endpoint",
                "AccessTokenEndpoint",
                "token_endpoint",
            ],
            Level::Error,
        ),
        ProfileKind::OAuth2 => {
            need(&["authorization_endpoint", "METADATA"], Level::Error);
            need(
                &["AccessTokenEndpoint", "access_token_endpoint", "METADATA"],
                Level::Error,
            );
            // Claims can also come with the access token.
            need(&["ClaimsEndpoint"], Level::Warning);
        }
        ProfileKind::OAuth1 => {
            need(&["authorization_endpoint"], Level::Error);
            need(
                &["access_token_endpoint", "AccessTokenEndpoint"],
                Level::Error,
            );
            need(&["request_token_endpoint"], Level::Error);
            need(&["ClaimsEndpoint"], Level::Warning);
        }
        ProfileKind::JwtIssuer => need(
            &["issuer_refresh_token_user_identity_claim_type"],
            Level::Warning,
        ),
        _ => {}
    }
}

fn missing(
    reached: &Reached<'_, '_>,
    kind: ProfileKind,
    key: &str,
    level: Level,
) -> Option<Diagnostic> {
    let place = reached.place()?;
    let id = reached.profile.id;
    let finding = Diagnostic::new(
        &TP_METADATA_REQUIRED,
        place.location,
        format!("{} `{id}` lacks metadata item `{key}`", kind.noun()),
    )
    .level(level)
    .help(format!(
        "add `<Item Key=\"{key}\">…</Item>` to the Metadata of `{id}`, of a profile that it includes, \
         or of either in a base policy"
    ))
    .policy_id(place.policy_id());
    // The service reads a client id that is not there as an empty one.
    Some(match (key, level) {
        ("client_id", _) => finding.service_message(invalid_value(id, &place, key, "")),
        (_, Level::Error) => finding.service_message(required_item(id, &place, key)),
        _ => finding,
    })
}

/// What the tenant says of a missing item.
pub(super) fn required_item(id: &str, place: &super::Place<'_>, key: &str) -> String {
    format!(
        "A required Metadata item with key \"{key}\" was not found in the TechnicalProfile with id \
         \"{id}\" in policy \"{}\" of tenant \"{}\".",
        place.policy_id(),
        place.tenant()
    )
}

/// What the tenant says of an impossible value.
pub(super) fn invalid_value(id: &str, place: &super::Place<'_>, key: &str, value: &str) -> String {
    format!(
        "TechnicalProfile \"{id}\" in policy \"{}\" of tenant \"{}\" defines an invalid value \
         \"{value}\" for the metadata item \"{key}.\"",
        place.policy_id(),
        place.tenant()
    )
}
