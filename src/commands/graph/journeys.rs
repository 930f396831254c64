//! The journeys of relying parties as charts.

use crate::output::graph::journeys::{Choice, JourneyChart, JourneyStep};
use crate::policy::{Effective, Kind, Site, Step};

use crate::commands::project::Validated;

/// What each relying party of the sets executes.
pub(super) fn charts(validated: &Validated) -> Vec<JourneyChart> {
    let mut charts = Vec::new();
    for set in &validated.sets {
        let views = set.views();
        for (index, policy) in set.own() {
            let view = views.of(index);
            let journey = view
                .relying_party()
                .and_then(|party| party.child("DefaultUserJourney")?.attribute("ReferenceId"));
            let Some(journey) = journey else { continue };
            let merged = view.journey(Kind::UserJourney, journey);
            let steps = merged.iter().flat_map(|journey| &journey.steps);
            charts.push(JourneyChart {
                policy: policy.id().to_owned(),
                journey: journey.to_owned(),
                steps: steps.map(|step| chart(&view, step)).collect(),
            });
        }
    }
    charts
}

fn chart(view: &Effective<'_>, step: &Step<'_>) -> JourneyStep {
    let exchanges = step.exchanges.iter().map(|exchange| Choice {
        exchange: exchange.id.to_owned(),
        target: exchange.technical_profile.unwrap_or_default().to_owned(),
    });
    let direct = |target: &str| Choice {
        exchange: String::new(),
        target: target.to_owned(),
    };
    let candidates = step.candidates.iter();
    let candidates = candidates.filter_map(|site| site.attribute("SubJourneyReferenceId"));
    let issuer = step.attribute("CpimIssuerTechnicalProfileReferenceId");
    JourneyStep {
        order: step.order,
        kind: step.step_type().unwrap_or_default().to_owned(),
        page: step
            .attribute("ContentDefinitionReferenceId")
            .map(str::to_owned),
        choices: exchanges
            .chain(candidates.map(direct))
            .chain(issuer.map(direct))
            .collect(),
        skipped_if: step
            .site()
            .items("Preconditions", "Precondition")
            .filter_map(|precondition| condition(&precondition))
            .collect(),
        written_by: view
            .chain()
            .iter()
            .filter(|policy| {
                let sites = step.sites.iter();
                sites
                    .into_iter()
                    .any(|site| std::ptr::eq(site.policy, **policy))
            })
            .map(|policy| policy.id().to_owned())
            .collect(),
    }
}

/// A precondition in words; nothing if it is not whole.
fn condition(precondition: &Site<'_>) -> Option<String> {
    let values: Vec<&str> = precondition
        .children_named("Value")
        .map(|value| value.element.trimmed_text())
        .collect();
    let executes = matches!(precondition.attribute("ExecuteActionsIf")?, "true" | "1");
    match (precondition.attribute("Type")?, values.as_slice(), executes) {
        ("ClaimsExist", [claim], true) => Some(format!("{claim} exists")),
        ("ClaimsExist", [claim], false) => Some(format!("{claim} does not exist")),
        ("ClaimEquals", [claim, value], true) => Some(format!("{claim} is {value}")),
        ("ClaimEquals", [claim, value], false) => Some(format!("{claim} is not {value}")),
        _ => None,
    }
}
