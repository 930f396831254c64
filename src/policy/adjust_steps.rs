use std::collections::{BTreeMap, HashMap};

use crate::diagnostics::{Diagnostic, Level, Rule, SourceId, SourceMap, Span, Splice, Splices};
use crate::xml::{self, Element};

use super::declarations::Kind;
use super::effective::Effective;
use super::set::{Policy, PolicyIndex, PolicySet, Role};

/// The technical profile that an Application Insights step calls, by the name that Microsoft's
/// samples give it.
pub const APPLICATION_INSIGHTS: &str = "AppInsights-Start";

/// A journey was to be adjusted and was not.
pub static JOURNEY_STEPS_KEPT: Rule = Rule {
    id: "journey-steps-kept",
    level: Level::Warning,
    summary: "the steps of a journey are uploaded as they are, although they were to be adjusted",
};

/// What is done to the orchestration steps of user journeys on the way to the tenant. Files stay as
/// they are.
///
/// Only a journey that begins in one of the user's own policies is adjusted, where everything that
/// the policy inherits is known: to write a number into a declaration that overrides an inherited
/// step would make it override another one. What would be unsafe is left and reported by
/// [`JOURNEY_STEPS_KEPT`]. Adjusting an adjusted journey changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepAdjustments {
    /// Number the steps 1, 2, 3 … in the order in which they stand in the file.
    pub renumber: bool,
    /// Let every journey begin with a step that calls [`APPLICATION_INSIGHTS`], unless a step of it
    /// does so already.
    pub application_insights: bool,
}

/// What was adjusted, and what was not.
#[derive(Debug, Default)]
pub struct Adjusted {
    /// The changes to each text.
    pub splices: HashMap<SourceId, Splices>,
    /// Journeys that were left as they are; places are those before the changes.
    pub findings: Vec<Diagnostic>,
}

impl StepAdjustments {
    /// Whether there is nothing to do.
    pub const fn is_empty(self) -> bool {
        !self.renumber && !self.application_insights
    }

    /// Adjusts the journeys of `own` in the resolved texts of `sources`; `context` holds bases.
    pub fn apply(
        self,
        sources: &mut SourceMap,
        own: &[SourceId],
        context: &[SourceId],
    ) -> Adjusted {
        let own = own.iter().map(|&id| (id, Role::Own));
        let all = own.chain(context.iter().map(|&id| (id, Role::Context)));
        let policies = all.filter_map(|(id, role)| {
            let (document, _) = xml::parse(sources.get(id).text(), id);
            Policy::read(document, id, role)
        });
        let (set, _) = PolicySet::new(policies.collect(), false);
        let mut work = Work::default();
        let views = set.views();
        for (index, policy) in set.own() {
            let view = views.of(index);
            let mut seen: Vec<&str> = Vec::new();
            for journey in policy.declarations(Kind::UserJourney) {
                let Some(id) = journey.attribute_value("Id") else {
                    continue;
                };
                let again = seen.iter().any(|known| known.eq_ignore_ascii_case(id));
                seen.push(id);
                // A second declaration in one file is an error of the schema.
                if !again && !is_inherited(&view, id) {
                    self.adjust(&Begun::new(&set, index, &view, journey, id), &mut work);
                }
            }
        }
        let mut adjusted = Adjusted {
            findings: work.findings,
            ..Adjusted::default()
        };
        for (source, splices) in work.splices {
            let splices = Splices::new(splices);
            sources.splice(source, &splices);
            adjusted.splices.insert(source, splices);
        }
        adjusted
    }

    fn adjust(self, journey: &Begun<'_, '_>, work: &mut Work) {
        let Some(own) = Numbered::read(journey.element) else {
            // The schema says what is wrong with the numbers.
            return;
        };
        let insert = self.application_insights && !journey.calls_application_insights();
        let is_counted = (1..).zip(&own).all(|(order, step)| step.order == order);
        let renumber = self.renumber && !is_counted;
        if !insert && !renumber {
            return;
        }
        if journey
            .view
            .chain()
            .iter()
            .any(|policy| !policy.document.is_well_formed())
        {
            // Nothing can be said of such a file but what the parser says.
            return;
        }
        if !journey.view.is_complete() {
            let why = "its policy inherits from one that is not known here, which may begin it";
            work.kept(
                journey,
                why,
                "name the folder that holds the base with `--with`",
            );
            return;
        }
        if renumber && !journey.heirs.is_empty() {
            let why = format!("{} counts on its numbers", journey.heirs[0].0.id());
            let help = "number its steps by hand, together with what overrides them";
            work.kept(journey, &why, help);
            if !insert {
                return;
            }
        }
        let renumber = renumber && journey.heirs.is_empty();
        if insert && !renumber && own.iter().any(|step| step.order == 0) {
            // It would become the number of the new step. That steps count from 1 is a finding.
            return;
        }
        let shift = u32::from(insert);
        let mut splices = Vec::new();
        for (order, step) in (1..).zip(&own) {
            let order = if renumber { order } else { step.order };
            if order + shift != step.order {
                splices.push((journey.policy.source, step.to(order + shift)));
            }
        }
        if insert {
            for (heir, element) in &journey.heirs {
                let numbers = Numbered::read(*element);
                let Some(numbers) = numbers.filter(|_| heir.role == Role::Own) else {
                    let why = format!("the numbers of {} cannot be moved", heir.id());
                    work.kept(journey, &why, "insert the step by hand");
                    return;
                };
                let moved = numbers.iter().map(|step| step.to(step.order + 1));
                splices.extend(moved.map(|splice| (heir.source, splice)));
            }
            if let Some(first) = own.first() {
                splices.push((journey.policy.source, first_step(first.element)));
            }
        }
        for (source, splice) in splices {
            work.splices.entry(source).or_default().push(splice);
        }
    }
}

#[derive(Default)]
struct Work {
    splices: BTreeMap<SourceId, Vec<Splice>>,
    findings: Vec<Diagnostic>,
}

impl Work {
    fn kept(&mut self, journey: &Begun<'_, '_>, why: &str, help: &str) {
        let place = journey.element.attribute("Id");
        let place = place.map_or_else(|| journey.element.tag_span(), |id| id.value_span());
        self.findings.push(
            Diagnostic::new(
                &JOURNEY_STEPS_KEPT,
                journey.policy.location(place),
                format!(
                    "the steps of `{}` are uploaded as they are: {why}",
                    journey.id
                ),
            )
            .help(help)
            .policy_id(journey.policy.id()),
        );
    }
}

fn is_inherited(view: &Effective<'_>, id: &str) -> bool {
    let own = view.policy().source;
    view.chain()
        .iter()
        .filter(|policy| policy.source != own)
        .any(|policy| policy.declared(Kind::UserJourney, id).next().is_some())
}

/// A journey where it begins, with the policies that extend it.
struct Begun<'v, 's> {
    policy: &'s Policy,
    view: &'v Effective<'s>,
    element: Element<'s>,
    id: &'s str,
    heirs: Vec<(&'s Policy, Element<'s>)>,
}

impl<'v, 's> Begun<'v, 's> {
    fn new(
        set: &'s PolicySet,
        index: PolicyIndex,
        view: &'v Effective<'s>,
        element: Element<'s>,
        id: &'s str,
    ) -> Self {
        let heirs = set
            .iter()
            .filter(|&(heir, _)| heir != index && set.chain(heir).0.contains(&index))
            .flat_map(|(_, heir)| {
                let declared = heir.declared(Kind::UserJourney, id);
                declared.map(move |element| (heir, element))
            })
            .collect();
        Self {
            policy: set.get(index),
            view,
            element,
            id,
            heirs,
        }
    }

    fn calls_application_insights(&self) -> bool {
        let heirs = self.heirs.iter().map(|(_, element)| *element);
        let mut exchanges = std::iter::once(self.element)
            .chain(heirs)
            .flat_map(Element::descendants)
            .filter(|element| element.name() == "ClaimsExchange");
        exchanges.any(|exchange| {
            exchange
                .attribute_value("TechnicalProfileReferenceId")
                .is_some_and(|id| id.trim().eq_ignore_ascii_case(APPLICATION_INSIGHTS))
        })
    }
}

/// A step with its number and where that stands.
struct Numbered<'d> {
    element: Element<'d>,
    order: u32,
    place: Span,
}

impl<'d> Numbered<'d> {
    /// The steps of a journey element in the order of the file; nothing if one has no number.
    fn read(journey: Element<'d>) -> Option<Vec<Self>> {
        journey
            .children_named("OrchestrationSteps")
            .flat_map(|list| list.children_named("OrchestrationStep"))
            .map(|element| {
                let attribute = element.attribute("Order")?;
                let order: u32 = attribute.value().trim().parse().ok()?;
                (order < u32::MAX).then_some(Self {
                    element,
                    order,
                    place: attribute.value_span(),
                })
            })
            .collect()
    }

    fn to(&self, order: u32) -> Splice {
        Splice {
            span: self.place,
            replacement: order.to_string(),
        }
    }
}

/// The step that calls Application Insights, in front of the first one of the file.
fn first_step(first: Element<'_>) -> Splice {
    let name = first.qualified_name();
    let prefix = name.strip_suffix("OrchestrationStep").unwrap_or_default();
    Splice {
        span: Span::at(first.tag_span().start),
        replacement: format!(
            "<{prefix}OrchestrationStep Order=\"1\" Type=\"ClaimsExchange\"><{prefix}ClaimsExchanges>\
             <{prefix}ClaimsExchange Id=\"{APPLICATION_INSIGHTS}\" \
             TechnicalProfileReferenceId=\"{APPLICATION_INSIGHTS}\" /></{prefix}ClaimsExchanges>\
             </{prefix}OrchestrationStep>"
        ),
    }
}

#[cfg(test)]
mod tests;
