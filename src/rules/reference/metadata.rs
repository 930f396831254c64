//! `ref-contentdefinition-metadata` and `ref-metadata-claim`: metadata items whose value is an id.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site};

/// A page of the profile is not there when it is to be shown.
pub(super) static CONTENT_DEFINITION: Rule = Rule {
    id: "ref-contentdefinition-metadata",
    level: Level::Warning,
    summary: "metadata ContentDefinitionReferenceId names a content definition that is not declared",
};

/// The profile reads or fills a claim that is not there.
pub(super) static CLAIM: Rule = Rule {
    id: "ref-metadata-claim",
    level: Level::Warning,
    summary: "a metadata item names a claim type that is not declared",
};

/// Keys whose value is the id of a claim type. `IpAddressClaimReferenceId` is not among them: in
/// Microsoft's starter packs it names a claim that they do not declare.
const CLAIM_KEYS: &[&str] = &[
    "UseClaimAsBearerToken",
    "ClaimUsedForRequestPayload",
    "ClaimTypeOnWhichToEnable",
    "issuer_refresh_token_user_identity_claim_type",
];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    for profile in view.policy().sites(Kind::TechnicalProfile) {
        for item in profile.items("Metadata", "Item") {
            let Some(key) = item.attribute("Key") else {
                continue;
            };
            let target = if key == "ContentDefinitionReferenceId" {
                (&CONTENT_DEFINITION, Kind::ContentDefinition)
            } else if CLAIM_KEYS.contains(&key) {
                (&CLAIM, Kind::ClaimType)
            } else {
                continue;
            };
            findings.extend(check_item(view, item, key, target));
        }
    }
}

fn check_item(
    view: &Effective<'_>,
    item: Site<'_>,
    key: &str,
    (rule, kind): (&'static Rule, Kind),
) -> Option<Diagnostic> {
    let id = item.element.trimmed_text();
    if id.is_empty() || id.contains('{') || view.declares(kind, id) || view.declared_below(kind, id)
    {
        return None;
    }
    let location = item.location(item.element.text_span());
    let finding = Diagnostic::new(
        rule,
        location,
        format!(
            "{key} names {} `{id}`, which is declared neither here nor in a base policy",
            kind.noun()
        ),
    )
    .policy_id(view.policy().id());
    Some(finding.did_you_mean(location, id, view.known_ids(kind)))
}
