//! `enabledfor-metadata`: a profile that is enabled by a claim must name the claim.

use super::Reached;
use crate::diagnostics::{Diagnostic, Level, Rule};

pub(super) static ENABLEDFOR_METADATA: Rule = Rule {
    id: "enabledfor-metadata",
    level: Level::Error,
    summary: "EnabledForUserJourneys depends on a claim that the metadata do not name",
};

const CLAIM: &str = "ClaimTypeOnWhichToEnable";
const VALUE: &str = "ClaimValueOnWhichToEnable";

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    let Some(enabled) = reached.profile.child("EnabledForUserJourneys") else {
        return;
    };
    let mode = enabled.element.trimmed_text();
    let needed: &[&str] = match mode {
        "OnClaimsExistence" => &[CLAIM],
        "OnItemExistenceInStringCollectionClaim" | "OnItemAbsenceInStringCollectionClaim" => {
            &[CLAIM, VALUE]
        }
        _ => return,
    };
    for key in needed {
        if reached
            .metadata_text(key)
            .is_some_and(|text| !text.is_empty())
        {
            continue;
        }
        let Some(place) = reached.place_at([enabled]) else {
            return;
        };
        findings.push(
            Diagnostic::new(
                &ENABLEDFOR_METADATA,
                place.location,
                format!(
                    "`{}` is enabled {mode}, but has no metadata item `{key}`",
                    reached.profile.id
                ),
            )
            .help(format!(
                "add `<Item Key=\"{key}\">…</Item>` to its Metadata"
            ))
            .policy_id(place.policy_id()),
        );
    }
}
