//! `vtp-output-not-bubbled`: a claim that a validation technical profile yields and its page keeps.

use std::collections::BTreeSet;

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Flow, Kept, Kind, Site, Step};

use super::{doubt_unless_declared, own};

pub(super) static VTP_OUTPUT_NOT_BUBBLED: Rule = Rule {
    id: "vtp-output-not-bubbled",
    level: Level::Warning,
    summary: "a later step uses a claim that only a validation technical profile yields, and its \
              page does not pass on",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(flow) = view.flow() else {
        return;
    };
    if !flow.is_certain() || !flow.keeps_any() {
        return;
    }
    let start = findings.len();
    let mut reported = BTreeSet::new();
    for step in &flow.journey().steps {
        for (claim, place) in uses(view, step) {
            let Some(kept) = flow.kept(claim).filter(|kept| kept.order < step.order) else {
                continue;
            };
            if is_missed_elsewhere(view, flow, claim)
                || !view.declares(Kind::ClaimType, claim)
                || !reported.insert(claim.to_ascii_lowercase())
            {
                continue;
            }
            findings.extend(report(view, step, claim, place, &kept));
        }
    }
    doubt_unless_declared(view, flow, findings, start);
}

/// The claims that a step looks at, and where: in its preconditions, and as input of its profiles.
/// What a profile persists is not among them: it writes what there is, in the starter packs too.
fn uses<'s>(view: &Effective<'s>, step: &Step<'s>) -> Vec<(&'s str, Site<'s>)> {
    let mut uses = Vec::new();
    for precondition in
        (step.sites.iter()).flat_map(|site| site.items("Preconditions", "Precondition"))
    {
        if let Some(value) = precondition.child("Value") {
            uses.push((value.element.trimmed_text(), value));
        }
    }
    for exchange in &step.exchanges {
        let profile = exchange
            .technical_profile
            .and_then(|id| view.technical_profile(id));
        let Some(profile) = profile else {
            continue;
        };
        let open = profile
            .input_claims
            .iter()
            .filter(|claim| claim.attribute("DefaultValue").is_none());
        uses.extend(open.map(|claim| (claim.claim_type, claim.site())));
    }
    uses
}

/// Whether the relying party or a step cannot do without the claim: that is an error of its own.
fn is_missed_elsewhere(view: &Effective<'_>, flow: &Flow<'_>, claim: &str) -> bool {
    let is_it = |other: &str| other.eq_ignore_ascii_case(claim);
    let asked = view
        .relying_party()
        .and_then(|relying_party| relying_party.child("TechnicalProfile"))
        .is_some_and(|profile| {
            let mut outputs = profile.items("OutputClaims", "OutputClaim");
            outputs.any(|output| output.attribute("ClaimTypeReferenceId").is_some_and(is_it))
        });
    let required = || {
        let exchanges = flow.journey().steps.iter().flat_map(|step| &step.exchanges);
        let profiles =
            exchanges.filter_map(|exchange| view.technical_profile(exchange.technical_profile?));
        profiles.into_iter().any(|profile| {
            profile.input_claims.iter().any(|input| {
                is_it(input.claim_type) && matches!(input.attribute("Required"), Some("true" | "1"))
            })
        })
    };
    asked || required()
}

fn report<'s>(
    view: &Effective<'s>,
    step: &Step<'s>,
    claim: &str,
    place: Site<'s>,
    kept: &Kept<'s>,
) -> Option<Diagnostic> {
    let reference = view
        .relying_party()
        .and_then(|relying_party| relying_party.child("DefaultUserJourney"));
    let site = own([kept.reference, place].into_iter().chain(reference))?;
    let location = if site.element.name() == "Value" {
        site.location(site.element.text_span())
    } else if site.attribute("ClaimTypeReferenceId").is_some() {
        site.attribute_location("ClaimTypeReferenceId")
    } else {
        site.attribute_location("ReferenceId")
    };
    let used = if place.element.name() == "Value" {
        place.location(place.element.text_span())
    } else {
        place.attribute_location("ClaimTypeReferenceId")
    };
    let output = if kept.output.attribute("ClaimTypeReferenceId").is_some() {
        "ClaimTypeReferenceId"
    } else {
        "ReferenceId"
    };
    let finding = Diagnostic::new(
        &VTP_OUTPUT_NOT_BUBBLED,
        location,
        format!(
            "step {} uses claim `{claim}`, but page `{}` of step {} keeps it: a validation technical \
             profile yields it, and the page does not",
            step.order, kept.page, kept.order
        ),
    )
    .related(kept.output.attribute_location(output), "yielded here")
    .help(format!(
        "add `<OutputClaim ClaimTypeReferenceId=\"{claim}\" />` to `{}`",
        kept.page
    ))
    .policy_id(site.policy.id());
    // Profiles take claims that may be there; a condition on a claim that is never there is a mistake.
    let finding = if place.element.name() == "Value" {
        finding
    } else {
        finding.level(Level::Hint)
    };
    Some(if used == location {
        finding
    } else {
        finding.related(used, format!("used in step {}", step.order))
    })
}
