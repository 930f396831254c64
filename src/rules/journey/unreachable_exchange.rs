//! `exchange-unreachable` and `signuptarget-missing`: links between a page and the claims exchanges
//! of the next step.

use crate::diagnostics::{Diagnostic, KnownNames, Level, Rule};
use crate::policy::{Effective, Id, IdSet, Item, Journey, Site, Step};

use super::{EMPTY_STEP, here, is_selection, settled};

pub(super) static EXCHANGE_UNREACHABLE: Rule = Rule {
    id: "exchange-unreachable",
    level: Level::Hint,
    summary: "nothing on the page before leads to a claims exchange",
};

pub(super) static SIGNUPTARGET_MISSING: Rule = Rule {
    id: "signuptarget-missing",
    level: Level::Warning,
    summary: "a link of a sign-in page leads to a claims exchange that the next step does not have",
};

const LINKS: [&str; 2] = ["SignUpTarget", "setting.forgotPasswordLinkOverride"];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for journey in settled(view) {
        for step in &journey.steps {
            if !is_selection(step.step_type()) {
                continue;
            }
            let Some(next) = step
                .order
                .checked_add(1)
                .and_then(|next| journey.step(next))
            else {
                continue;
            };
            let links = links(view, step);
            for (item, profile) in &links {
                findings.extend(dead_link(view, journey, step, next, *item, *profile));
            }
            findings.extend(unreachable(view, journey, step, next, &links));
        }
    }
}

/// The links to claims exchanges that the page of the step shows, each with the exchange whose
/// technical profile has it.
fn links<'s>(view: &Effective<'s>, step: &Step<'s>) -> Vec<(Item<'s>, Site<'s>)> {
    let mut links = Vec::new();
    for exchange in &step.exchanges {
        let profile = exchange
            .technical_profile
            .and_then(|id| view.technical_profile(id));
        let Some(profile) = profile else {
            continue;
        };
        let shown = |key: &str| {
            key != "SignUpTarget"
                || profile
                    .metadata("setting.showSignupLink")
                    .is_none_or(|item| !item.value.trim().eq_ignore_ascii_case("false"))
        };
        let items = LINKS.iter().filter(|key| shown(key));
        links.extend(
            items
                .filter_map(|key| profile.metadata(key))
                .filter(|item| !item.value.trim().is_empty())
                .map(|item| (*item, exchange.site)),
        );
    }
    links
}

fn dead_link<'s>(
    view: &Effective<'s>,
    journey: &Journey<'s>,
    step: &Step<'s>,
    next: &Step<'s>,
    item: Item<'s>,
    exchange: Site<'s>,
) -> Option<Diagnostic> {
    let target = item.value.trim();
    if next.exchange(target).is_some() {
        return None;
    }
    let place = here(view, [item.site, exchange])
        .or_else(|| here(view, step.sites.iter().chain(&next.sites).copied()))?;
    let location = if place.element.name() == "Item" {
        place.location(place.element.text_span())
    } else if place.element.name() == "ClaimsExchange" {
        place.attribute_location("TechnicalProfileReferenceId")
    } else {
        place.attribute_location("Order")
    };
    let mut finding = Diagnostic::new(
        &SIGNUPTARGET_MISSING,
        location,
        format!(
            "{} leads from step {} of `{}` to claims exchange `{target}`, which step {} does not \
             have",
            item.key, step.order, journey.id, next.order
        ),
    )
    .related(
        item.site.location(item.site.element.text_span()),
        "the link's target",
    )
    .cause(item.site.location(item.site.element.text_span()))
    .policy_id(view.policy().id());
    finding.doubtful_while = next.runs_nothing().then_some(EMPTY_STEP);
    let known = next.exchanges.iter().map(|exchange| exchange.id);
    let known: Vec<_> = known.collect();
    let written = item.site.location(item.site.element.text_span());
    // Elsewhere than at the link nothing can be corrected.
    let finding = if location == written {
        finding.did_you_mean(location, target, &KnownNames::new(known))
    } else {
        finding
    };
    Some(finding.or_help(
        "add the claims exchange to the step; a sign-up link can be hidden with \
             setting.showSignupLink = false",
    ))
}

fn unreachable<'s>(
    view: &Effective<'s>,
    journey: &Journey<'s>,
    step: &Step<'s>,
    next: &Step<'s>,
    links: &[(Item<'s>, Site<'s>)],
) -> Vec<Diagnostic> {
    // A single exchange needs no choice: the step runs it whatever the user did before.
    if next.step_type() != Some("ClaimsExchange") || next.exchanges.len() < 2 {
        return Vec::new();
    }
    let targets: Vec<&str> = step
        .selections
        .iter()
        .filter_map(|selection| selection.target)
        .chain(links.iter().map(|(item, _)| item.value.trim()))
        .collect();
    // What leads nowhere is reported as such, and may have been meant to lead here.
    let leads_nowhere = targets.iter().any(|id| next.exchange(id).is_none())
        || step
            .selections
            .iter()
            .any(|selection| selection.target.is_none() && selection.validation.is_none())
        || step.exchanges.iter().any(|exchange| {
            let id = exchange.technical_profile;
            id.is_some_and(|id| view.technical_profile(id).is_none())
        });
    if leads_nowhere {
        return Vec::new();
    }
    let reached: IdSet<'_> = targets.into_iter().map(Id::of).collect();
    next.exchanges
        .iter()
        .filter(|exchange| !reached.contains(&Id::of(exchange.id)))
        .filter_map(|exchange| {
            let place = here(view, [exchange.site])?;
            Some(
                Diagnostic::new(
                    &EXCHANGE_UNREACHABLE,
                    place.attribute_location("Id"),
                    format!(
                        "nothing in step {} of `{}` leads to claims exchange `{}`",
                        step.order, journey.id, exchange.id
                    ),
                )
                .help(
                    "add a ClaimsProviderSelection with this TargetClaimsExchangeId, or remove the \
                     exchange",
                )
                .policy_id(view.policy().id()),
            )
        })
        .collect()
}
