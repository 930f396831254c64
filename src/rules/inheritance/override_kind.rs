//! `override-type-conflict`: an inherited element becomes something else.

use crate::diagnostics::{Diagnostic, Level, Rule, Span};
use crate::policy::known::handlers::handler_kind;
use crate::policy::{Effective, Kind, Override, Policy, Site};
use crate::xml::Element;

/// What other elements rely on changes below them.
pub(super) static OVERRIDE_TYPE_CONFLICT: Rule = Rule {
    id: "override-type-conflict",
    level: Level::Warning,
    summary: "a policy changes the type of an inherited claim, profile, step or sub journey",
};

/// What an element is, as its file writes it, and where.
type Nature<'s> = (&'s str, Span);

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let chain = view.chain();
    let ancestors = &chain[..chain.len() - 1];
    for &Override { kind, own, .. } in view.overrides() {
        let conflict = |word, nature| conflict(ancestors, kind, own, word, nature);
        match kind {
            Kind::ClaimType => findings.extend(conflict("DataType", data_type)),
            Kind::TechnicalProfile => {
                let other = conflict("Protocol", protocol);
                findings.extend(other.or_else(|| conflict("Handler", handler)));
            }
            Kind::SubJourney => findings.extend(conflict("Type", own_type)),
            _ => {}
        }
        if matches!(kind, Kind::UserJourney | Kind::SubJourney) {
            findings.extend(steps(view, own, kind));
        }
    }
}

fn data_type(element: Element<'_>) -> Option<Nature<'_>> {
    let child = element.child("DataType")?;
    Some((child.trimmed_text(), child.text_span()))
}

fn protocol(element: Element<'_>) -> Option<Nature<'_>> {
    let name = element.child("Protocol")?.attribute("Name")?;
    Some((name.value(), name.value_span()))
}

fn handler(element: Element<'_>) -> Option<Nature<'_>> {
    let handler = element.child("Protocol")?.attribute("Handler")?;
    let class = handler.value().split(',').next().unwrap_or_default().trim();
    // One that does not exist is reported where it is executed.
    handler_kind(class)?;
    Some((class, handler.value_span()))
}

fn own_type(element: Element<'_>) -> Option<Nature<'_>> {
    let own = element.attribute("Type")?;
    Some((own.value(), own.value_span()))
}

fn conflict<'s>(
    ancestors: &[&'s Policy],
    kind: Kind,
    site: Site<'s>,
    word: &str,
    nature: fn(Element<'s>) -> Option<Nature<'s>>,
) -> Option<Diagnostic> {
    let id = site.attribute("Id")?;
    let (own, span) = nature(site.element)?;
    let (base, (inherited, inherited_span)) = ancestors.iter().rev().find_map(|&base| {
        let nature = base.declared(kind, id).filter_map(nature).last()?;
        Some((base, nature))
    })?;
    (own != inherited).then(|| {
        Diagnostic::new(
            &OVERRIDE_TYPE_CONFLICT,
            site.location(span),
            format!(
                "{word} of {} `{id}` is `{own}` here and `{inherited}` in `{}`",
                kind.noun(),
                base.id()
            ),
        )
        .related(base.location(inherited_span), "inherited from here")
        .help("what uses it in the base relies on the old one; declare a new element instead")
        .policy_id(site.policy.id())
    })
}

/// Steps change their type now and then on purpose, to take a page out of a journey: a hint.
fn steps(view: &Effective<'_>, journey: Site<'_>, kind: Kind) -> Vec<Diagnostic> {
    let Some(id) = journey.attribute("Id") else {
        return Vec::new();
    };
    let Some(merged) = view.journey(kind, id) else {
        return Vec::new();
    };
    // A journey that is written anew, and shorter, is one mistake, not one in every step.
    let is_shorter = merged
        .written_anew_to()
        .is_some_and(|last| merged.step(last + 1).is_some());
    if merged.sites.len() < 2 || is_shorter {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for step in &merged.steps {
        let [inherited @ .., own] = step.sites.as_slice() else {
            continue;
        };
        if own
            .element
            .ancestors()
            .all(|element| element != journey.element)
        {
            continue;
        }
        let Some(own_type) = own.attribute("Type") else {
            continue;
        };
        let Some((base, base_type)) = inherited
            .iter()
            .rev()
            .filter(|site| site.policy.source != own.policy.source)
            .find_map(|site| Some((site, site.attribute("Type")?)))
        else {
            continue;
        };
        if own_type != base_type {
            findings.push(
                Diagnostic::new(
                    &OVERRIDE_TYPE_CONFLICT,
                    own.attribute_location("Type"),
                    format!(
                        "step {} of journey `{id}` is a {own_type} here and a {base_type} in `{}`",
                        step.order,
                        base.policy.id()
                    ),
                )
                .level(Level::Hint)
                .related(base.attribute_location("Type"), "inherited from here")
                .help("exchanges and selections of the inherited step stay in it")
                .policy_id(own.policy.id()),
            );
        }
    }
    findings
}
