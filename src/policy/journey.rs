use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasherDefault;

use crate::schema::STEP_TYPES;

use super::Kind;
use super::id::{Id, IdHasher, IdMap};
use super::site::{self, Site};

/// A user journey or sub journey after merging: steps of the same order in several policies of the
/// chain are one step. A policy can add to an inherited step and override parts of it, but not
/// remove anything.
#[derive(Debug)]
pub struct Journey<'s> {
    /// [`Kind::UserJourney`] or [`Kind::SubJourney`].
    pub kind: Kind,
    /// The id as the nearest declaration writes it.
    pub id: &'s str,
    /// The journey elements that contribute, the root's first; never empty.
    pub sites: Vec<Site<'s>>,
    /// The steps by ascending order. Steps whose order is no number are left out; the schema reports
    /// them.
    pub steps: Vec<Step<'s>>,
    /// Whether the journey is what its author meant as far as numbers and types of steps and the ids
    /// of claims exchanges tell: 1 to N without a gap, none twice in one file, and every type one that
    /// exists. If not, that is the mistake, and what stands in which step by chance says nothing.
    pub is_settled: bool,
}

/// An orchestration step after merging.
#[derive(Debug)]
pub struct Step<'s> {
    /// The order, from 1.
    pub order: u32,
    /// The step elements that contribute, the root's first; never empty.
    pub sites: Vec<Site<'s>>,
    /// `ClaimsExchanges/ClaimsExchange`, one per id over all contributing elements.
    pub exchanges: Vec<Exchange<'s>>,
    /// Where in `exchanges` each id is.
    exchange_of: IdMap<'s, usize>,
    /// `ClaimsProviderSelections/ClaimsProviderSelection`.
    pub selections: Vec<Selection<'s>>,
    /// `JourneyList/Candidate` of the nearest element that has a list.
    pub candidates: Vec<Site<'s>>,
}

/// A claims exchange of a step.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'s> {
    /// `@Id`.
    pub id: &'s str,
    /// `@TechnicalProfileReferenceId`.
    pub technical_profile: Option<&'s str>,
    /// The element that counts.
    pub site: Site<'s>,
}

/// A claims provider selection of a step.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'s> {
    /// `@TargetClaimsExchangeId`: an exchange of the next step.
    pub target: Option<&'s str>,
    /// `@ValidationClaimsExchangeId`: an exchange of the same step.
    pub validation: Option<&'s str>,
    /// The element that counts.
    pub site: Site<'s>,
}

impl<'s> Journey<'s> {
    /// The step of this order.
    pub fn step(&self, order: u32) -> Option<&Step<'s>> {
        let index = self
            .steps
            .binary_search_by_key(&order, |step| step.order)
            .ok()?;
        self.steps.get(index)
    }

    /// The journey element nearest to the policy.
    pub fn site(&self) -> Site<'s> {
        self.sites[self.sites.len() - 1]
    }

    /// The order of the last step that the nearest element writes, if that element is a whole
    /// journey by itself: steps from 1 on without a gap, the last of which sends the claims. Steps
    /// behind it that are inherited were hardly meant to stay.
    pub fn written_anew_to(&self) -> Option<u32> {
        let mut steps: Vec<(u32, &str)> = self
            .site()
            .items("OrchestrationSteps", "OrchestrationStep")
            .filter_map(|step| {
                let order = step.attribute("Order")?.trim().parse().ok()?;
                Some((order, step.attribute("Type").unwrap_or_default()))
            })
            .collect();
        steps.sort_unstable();
        let &(last, last_type) = steps.last()?;
        let contiguous = steps
            .iter()
            .zip(1..)
            .all(|((order, _), expected)| *order == expected);
        (contiguous && steps.len() > 1 && last_type == "SendClaims").then_some(last)
    }

    /// An attribute of the journey after merging.
    #[inline(always)]
    pub fn attribute(&self, name: &str) -> Option<&'s str> {
        site::nearest_value(&self.sites, name)
    }
}

impl<'s> Step<'s> {
    /// An attribute of the step after merging: the nearest element that has it counts.
    #[inline(always)]
    pub fn attribute(&self, name: &str) -> Option<&'s str> {
        site::nearest_value(&self.sites, name)
    }

    /// `@Type` after merging.
    pub fn step_type(&self) -> Option<&'s str> {
        self.attribute("Type")
    }

    /// The step element nearest to the policy.
    pub fn site(&self) -> Site<'s> {
        self.sites[self.sites.len() - 1]
    }

    /// Whether one file has the step twice, as two steps that are numbered alike. The schema reports
    /// it.
    pub fn is_twice(&self) -> bool {
        has_twins(&self.sites)
    }

    /// Whether it is there to run a claims exchange and has none.
    pub fn runs_nothing(&self) -> bool {
        self.exchanges.is_empty() && self.step_type() == Some("ClaimsExchange")
    }

    /// The exchange of this id.
    pub fn exchange(&self, id: &str) -> Option<&Exchange<'s>> {
        self.exchanges.get(*self.exchange_of.get(&Id::of(id))?)
    }
}

/// Merges a journey from its declarations, the root's first; `None` if there are none.
pub(super) fn merge(kind: Kind, mut sites: Vec<Site<'_>>) -> Option<Journey<'_>> {
    // Of two in one file whose ids differ in letter case only the first counts: they are told as a
    // warning, which must not hide what is wrong with them.
    sites.dedup_by(|later, first| {
        std::ptr::eq(later.policy, first.policy) && later.attribute("Id") != first.attribute("Id")
    });
    let own_id = sites.last()?.attribute("Id")?;
    let mut by_order: BTreeMap<u32, Vec<Site<'_>>> = BTreeMap::new();
    let mut is_settled = !has_twins(&sites);
    for site in &sites {
        is_settled &= !has_exchange_twice(*site);
        for step in site.items("OrchestrationSteps", "OrchestrationStep") {
            let order = step.attribute("Order").map(str::trim);
            match order.and_then(|order| order.parse().ok()) {
                Some(order) => by_order.entry(order).or_default().push(step),
                None => is_settled = false,
            }
        }
    }
    let steps: Vec<_> = by_order
        .into_iter()
        .map(|(order, sites)| merge_step(order, sites))
        .collect();
    is_settled &= (1..).zip(&steps).all(|(number, step)| {
        step.order == number
            && !step.is_twice()
            && step
                .step_type()
                .is_some_and(|known| STEP_TYPES.contains(&known))
    });
    Some(Journey {
        kind,
        id: own_id,
        sites,
        steps,
        is_settled,
    })
}

/// Whether a journey element gives one id to two claims exchanges, which the schema reports: it is not
/// known which of them has lost its own.
fn has_exchange_twice(journey: Site<'_>) -> bool {
    let mut seen: HashSet<&str, BuildHasherDefault<IdHasher>> = HashSet::default();
    journey
        .items("OrchestrationSteps", "OrchestrationStep")
        .flat_map(|step| step.items("ClaimsExchanges", "ClaimsExchange"))
        .filter_map(|exchange| exchange.attribute("Id"))
        .any(|id| !seen.insert(id))
}

/// Whether one file contributes twice.
fn has_twins(sites: &[Site<'_>]) -> bool {
    sites
        .windows(2)
        .any(|pair| std::ptr::eq(pair[0].policy, pair[1].policy))
}

fn merge_step(order: u32, sites: Vec<Site<'_>>) -> Step<'_> {
    let mut exchanges: Vec<Exchange<'_>> = Vec::new();
    let mut exchange_of = IdMap::default();
    let mut selections: Vec<Selection<'_>> = Vec::new();
    let mut selection_of = HashMap::new();
    let mut candidates = Vec::new();
    for site in &sites {
        for element in site.items("ClaimsExchanges", "ClaimsExchange") {
            let Some(id) = element.attribute("Id") else {
                continue;
            };
            let exchange = Exchange {
                id,
                technical_profile: element.attribute("TechnicalProfileReferenceId"),
                site: element,
            };
            let position = *exchange_of.entry(Id::of(id)).or_insert(exchanges.len());
            match exchanges.get_mut(position) {
                Some(known) => *known = exchange,
                None => exchanges.push(exchange),
            }
        }
        for element in site.items("ClaimsProviderSelections", "ClaimsProviderSelection") {
            let selection = Selection {
                target: element.attribute("TargetClaimsExchangeId"),
                validation: element.attribute("ValidationClaimsExchangeId"),
                site: element,
            };
            let key = (selection.target, selection.validation);
            let position = *selection_of.entry(key).or_insert(selections.len());
            match selections.get_mut(position) {
                Some(known) => *known = selection,
                None => selections.push(selection),
            }
        }
        let list: Vec<_> = site.items("JourneyList", "Candidate").collect();
        if !list.is_empty() {
            candidates = list;
        }
    }
    Step {
        order,
        sites,
        exchanges,
        exchange_of,
        selections,
        candidates,
    }
}
