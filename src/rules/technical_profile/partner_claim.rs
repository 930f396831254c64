//! `partnerclaimtype-duplicate`: two claims that leave under one name.

use super::declared;
use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::handlers::ProfileKind;
use crate::policy::{Effective, Site};

pub(super) static PARTNERCLAIMTYPE_DUPLICATE: Rule = Rule {
    id: "partnerclaimtype-duplicate",
    level: Level::Warning,
    summary: "two claims leave the policy under the same name",
};

/// Only claims that leave: several output claims of a provider may read one and the same of its
/// claims.
pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    let relying_party = policy.relying_party();
    if let Some(profile) = relying_party.and_then(|it| it.child("TechnicalProfile")) {
        duplicates(view, profile.items("OutputClaims", "OutputClaim"), findings);
    }
    for (site, profile) in declared(view) {
        match profile.kind() {
            Some(ProfileKind::Directory) => {
                duplicates(
                    view,
                    site.items("PersistedClaims", "PersistedClaim"),
                    findings,
                );
            }
            Some(ProfileKind::Rest) => {
                duplicates(view, site.items("InputClaims", "InputClaim"), findings);
            }
            _ => {}
        }
    }
}

fn duplicates<'s>(
    view: &Effective<'_>,
    claims: impl Iterator<Item = Site<'s>>,
    findings: &mut Vec<Diagnostic>,
) {
    let mut seen: Vec<(&str, Site<'_>)> = Vec::new();
    for claim in claims {
        let Some(id) = claim.attribute("ClaimTypeReferenceId") else {
            continue;
        };
        let name = claim.attribute("PartnerClaimType").unwrap_or(id);
        let first = seen.iter().find(|(known, _)| *known == name);
        let same_claim = |other: &Site<'_>| {
            other
                .attribute("ClaimTypeReferenceId")
                .is_some_and(|other| other.eq_ignore_ascii_case(id))
        };
        if let Some((_, first)) = first
            && !same_claim(first)
        {
            let attribute = if claim.attribute("PartnerClaimType").is_some() {
                "PartnerClaimType"
            } else {
                "ClaimTypeReferenceId"
            };
            findings.push(
                Diagnostic::new(
                    &PARTNERCLAIMTYPE_DUPLICATE,
                    claim.attribute_location(attribute),
                    format!("two claims leave under the name `{name}`"),
                )
                .related(
                    first.attribute_location("ClaimTypeReferenceId"),
                    "the other one",
                )
                .help("give each a PartnerClaimType of its own, or send one of them only")
                .policy_id(view.policy().id()),
            );
        }
        seen.push((name, claim));
    }
}
