//! `aad-extension-app` and `aad-appid-swapped`: the application that holds extension attributes.

use super::Reached;
use super::directory_claims::attribute_name;
use super::metadata_required::required_item;
use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::directory_attributes::is_extension_attribute;
use crate::policy::known::handlers::ProfileKind;
use crate::policy::{Claim, Kind};

pub(super) static AAD_EXTENSION_APP: Rule = Rule {
    id: "aad-extension-app",
    level: Level::Error,
    summary: "an Azure AD profile uses extension attributes without naming the application that holds them",
};

pub(super) static AAD_APPID_SWAPPED: Rule = Rule {
    id: "aad-appid-swapped",
    level: Level::Hint,
    summary: "ApplicationObjectId and ClientId of an Azure AD profile are the same",
};

const OBJECT_ID: &str = "ApplicationObjectId";
const CLIENT_ID: &str = "ClientId";

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    if reached.kind != Some(ProfileKind::Directory) {
        return;
    }
    findings.extend(no_application(reached));
    findings.extend(swapped(reached));
}

fn no_application(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let given = |key: &str| {
        reached
            .metadata_text(key)
            .is_some_and(|text| !text.is_empty())
    };
    let (key, level) = if !given(OBJECT_ID) {
        (OBJECT_ID, Level::Error)
    } else if !given(CLIENT_ID) {
        (CLIENT_ID, Level::Warning)
    } else {
        return None;
    };
    let claim = extension_claim(reached)?;
    let place = reached.place_at(claim.sites.iter().rev().copied())?;
    let id = reached.profile.id;
    let finding = Diagnostic::new(
        &AAD_EXTENSION_APP,
        place.location,
        format!(
            "`{id}` uses extension attribute `{}`, but has no metadata item `{key}`",
            attribute_name(claim)
        ),
    )
    .level(level)
    .cause(claim.site().tag_location())
    .help(
        "add ApplicationObjectId and ClientId of the application b2c-extensions-app to the Metadata \
         of `AAD-Common`, which Azure AD profiles include",
    )
    .policy_id(place.policy_id());
    Some(if level == Level::Error {
        finding.service_message(required_item(id, &place, key))
    } else {
        finding
    })
}

/// The first extension attribute that the profile reads, writes or searches by. A claim that is not
/// declared is reported as such.
fn extension_claim<'v, 's>(reached: &Reached<'v, 's>) -> Option<&'v Claim<'s>> {
    let profile = reached.profile;
    let is_extension = |claim: &&Claim<'_>| is_extension_attribute(attribute_name(claim));
    let always_default = |claim: &&Claim<'_>| {
        claim
            .attribute("AlwaysUseDefaultValue")
            .is_some_and(|always| matches!(always.trim(), "true" | "1"))
    };
    let written = profile.persisted_claims.iter().filter(is_extension);
    let read = profile.output_claims.iter().filter(is_extension);
    let key = profile.input_claims.iter().filter(is_extension);
    written
        .chain(read.filter(|claim| !always_default(claim)))
        .chain(key)
        .find(|claim| reached.view.declares(Kind::ClaimType, claim.claim_type))
}

fn swapped(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let object = reached.metadata(OBJECT_ID)?;
    let client = reached.metadata(CLIENT_ID)?;
    let value = client.value.trim();
    if value.is_empty() || !object.value.trim().eq_ignore_ascii_case(value) {
        return None;
    }
    let place = reached.place_at([client.site])?;
    Some(
        Diagnostic::new(
            &AAD_APPID_SWAPPED,
            place.location,
            "ApplicationObjectId and ClientId are the same, but an application has one of each",
        )
        .related(
            object.site.location(object.site.element.text_span()),
            "the object id",
        )
        .help("both are shown on the page of the application b2c-extensions-app")
        .policy_id(place.policy_id()),
    )
}
