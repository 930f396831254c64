//! `password-after-step`: a password is gone once its page is left.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::handlers::ProfileKind;
use crate::policy::{Claim, Effective, Exchange, Id, IdMap, IdSet, Kind, Step, TechnicalProfile};

use super::own;

pub(super) static PASSWORD_AFTER_STEP: Rule = Rule {
    id: "password-after-step",
    level: Level::Warning,
    summary: "a step takes a password that an earlier page asked for, which does not outlive its page",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(flow) = view.flow() else {
        return;
    };
    if !flow.is_certain() {
        return;
    }
    let mut typed: IdMap<'_, u32> = IdMap::default();
    let mut other = IdSet::default();
    for step in &flow.journey().steps {
        for exchange in &step.exchanges {
            let profile = exchange
                .technical_profile
                .and_then(|id| view.technical_profile(id));
            let Some(profile) = profile else {
                continue;
            };
            let is_page = profile.kind() == Some(ProfileKind::SelfAsserted);
            let is_own = |claim: &str| {
                let mut own = yielded(&profile);
                is_page && own.any(|own| own.eq_ignore_ascii_case(claim))
            };
            for claim in taken(&profile) {
                let id = Id::of(claim.claim_type);
                let Some(&order) = typed.get(&id).filter(|&&order| order < step.order) else {
                    continue;
                };
                if other.contains(&id)
                    || is_own(claim.claim_type)
                    || !is_password(view, claim.claim_type)
                {
                    continue;
                }
                findings.extend(report(view, step, exchange, &profile, claim, order));
            }
            for claim in yielded(&profile).map(Id::of) {
                if is_page {
                    typed.entry(claim).or_insert(step.order);
                } else {
                    other.insert(claim);
                }
            }
        }
    }
}

fn yielded<'s>(profile: &TechnicalProfile<'s>) -> impl Iterator<Item = &'s str> {
    let shown = profile.display_claims.iter();
    let shown = shown.filter_map(|claim| claim.attribute("ClaimTypeReferenceId"));
    let outputs = profile.output_claims.iter().map(|claim| claim.claim_type);
    shown.chain(outputs)
}

fn taken<'p, 's>(profile: &'p TechnicalProfile<'s>) -> impl Iterator<Item = &'p Claim<'s>> {
    let taken = profile.input_claims.iter().chain(&profile.persisted_claims);
    taken.filter(|claim| claim.attribute("DefaultValue").is_none())
}

fn is_password(view: &Effective<'_>, claim: &str) -> bool {
    view.merged_child(Kind::ClaimType, claim, "UserInputType")
        .is_some_and(|input| input.element.trimmed_text() == "Password")
}

fn report<'s>(
    view: &Effective<'s>,
    step: &Step<'s>,
    exchange: &Exchange<'s>,
    profile: &TechnicalProfile<'s>,
    claim: &Claim<'s>,
    order: u32,
) -> Option<Diagnostic> {
    let reference = view
        .relying_party()
        .and_then(|relying_party| relying_party.child("DefaultUserJourney"));
    let site = own([claim.site(), exchange.site].into_iter().chain(reference))?;
    let attribute = match site.element.name() {
        "ClaimsExchange" => "TechnicalProfileReferenceId",
        "DefaultUserJourney" => "ReferenceId",
        _ => "ClaimTypeReferenceId",
    };
    Some(
        Diagnostic::new(
            &PASSWORD_AFTER_STEP,
            site.attribute_location(attribute),
            format!(
                "`{}` in step {} takes password `{}`, which the page of step {order} asked for and \
                 does not hand on",
                profile.id, step.order, claim.claim_type
            ),
        )
        .help(format!(
            "call `{}` as validation technical profile of the page that asks for the password",
            profile.id
        ))
        .policy_id(site.policy.id()),
    )
}
