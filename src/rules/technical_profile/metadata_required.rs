//! `tp-metadata-required`: a metadata item without which the profile cannot run.

use super::Reached;
use crate::diagnostics::{Diagnostic, KnownNames, Level, Rule, near_miss};
use crate::policy::Item;
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
            findings.extend(missing(reached, kind, &[key], level));
        }
    }
    let lacks_all = |keys: &[&str]| keys.iter().all(|key| reached.metadata(key).is_none());
    let mut need = |keys: &[&'static str], level| {
        if lacks_all(keys) {
            findings.extend(missing(reached, kind, keys, level));
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

/// Says that the first of the keys is missing, where none of them is there.
fn missing(
    reached: &Reached<'_, '_>,
    kind: ProfileKind,
    keys: &[&'static str],
    level: Level,
) -> Option<Diagnostic> {
    let misspelt = misspelt(reached, kind, keys);
    let (key, place) = match misspelt {
        Some((key, item)) => (key, reached.place_at([item.site])?),
        None => (keys[0], reached.place()?),
    };
    let id = reached.profile.id;
    let finding = |location| {
        Diagnostic::new(
            &TP_METADATA_REQUIRED,
            location,
            format!("{} `{id}` lacks metadata item `{key}`", kind.noun()),
        )
        .level(level)
        .policy_id(place.policy_id())
    };
    let finding = match misspelt {
        Some((_, item)) if place.site.element == item.site.element => {
            let names: Vec<_> = kind.metadata_keys().map(|known| known.name).collect();
            let location = item.site.attribute_location("Key");
            finding(location)
                .cause(item.site.tag_location())
                .did_you_mean(location, item.key, &KnownNames::new(names))
        }
        _ => finding(place.location).help(format!(
            "add `<Item Key=\"{key}\">…</Item>` to the Metadata of `{id}`, of a profile that it \
             includes, or of either in a base policy"
        )),
    };
    // The service reads a client id that is not there as an empty one.
    Some(match (key, level) {
        ("client_id", _) => finding.service_message(invalid_value(id, &place, key, "")),
        (_, Level::Error) => finding.service_message(required_item(id, &place, key)),
        _ => finding,
    })
}

/// The item whose key is one of the missing ones with a slip.
fn misspelt<'v, 's>(
    reached: &Reached<'v, 's>,
    kind: ProfileKind,
    keys: &[&'static str],
) -> Option<(&'static str, &'v Item<'s>)> {
    let names = || kind.metadata_keys().map(|known| known.name);
    let mut items = reached.profile.metadata.iter();
    items.find_map(|item| {
        let written = item.key.trim();
        if names().any(|name| name == written) {
            return None;
        }
        let meant = near_miss(written, names())?;
        let key = keys.iter().find(|key| **key == meant)?;
        Some((*key, item))
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
