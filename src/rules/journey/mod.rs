//! User journeys and sub journeys, the claims that flow through them, and the relying party that
//! starts them.

use std::rc::Rc;

use super::Group;
use crate::diagnostics::Diagnostic;
use crate::policy::{Effective, Flow, Journey, Kind, Site, Step};

mod after_send_claims;
mod claims_flow;
mod empty_step;
mod get_claims;
mod issuer;
mod kept_claim;
mod multi_exchange;
mod no_send_claims;
mod order_gap;
mod password_later;
mod precondition;
mod precondition_never;
mod relying_party;
mod relying_party_parts;
mod selection_step;
mod selection_target;
mod sub_journey;
mod unreachable_exchange;

pub(super) static GROUP: Group = Group {
    rules: &[
        &order_gap::JOURNEY_ORDER_GAP,
        &no_send_claims::JOURNEY_NO_SENDCLAIMS,
        &multi_exchange::JOURNEY_MULTI_EXCHANGE,
        &empty_step::STEP_NO_EXCHANGE,
        &empty_step::STEP_NO_SELECTION,
        &selection_step::SELECTION_NEXT_NOT_EXCHANGE,
        &selection_target::SELECTION_TARGET,
        &selection_step::SELECTION_CONTENT_DEFINITION,
        &unreachable_exchange::EXCHANGE_UNREACHABLE,
        &unreachable_exchange::SIGNUPTARGET_MISSING,
        &issuer::SENDCLAIMS_ISSUER,
        &after_send_claims::SENDCLAIMS_NOT_LAST,
        &get_claims::GETCLAIMS_FIRST,
        &sub_journey::SUBJOURNEY_CALL_SENDCLAIMS,
        &sub_journey::TRANSFER_NO_SENDCLAIMS,
        &sub_journey::SUBJOURNEY_NESTING,
        &sub_journey::INVOKE_NO_CANDIDATE,
        &issuer::RP_PROTOCOL_ISSUER,
        &claims_flow::FLOW_REQUIRED_INPUT,
        &claims_flow::FLOW_RP_OUTPUT,
        &claims_flow::FLOW_OPTIONAL_INPUT,
        &kept_claim::VTP_OUTPUT_NOT_BUBBLED,
        &password_later::PASSWORD_AFTER_STEP,
        &precondition::PRECONDITION_BOOLEAN_LITERAL,
        &precondition::PRECONDITION_LITERAL_IS_CLAIM,
        &precondition::PRECONDITION_ARITY,
        &precondition::PRECONDITION_ACTION_PLACE,
        &precondition_never::PRECONDITION_NEVER,
        &relying_party_parts::RP_NO_JOURNEY,
        &relying_party_parts::RP_NO_PROFILE,
        &relying_party_parts::RP_PROTOCOL,
        &relying_party::SUBJECT_NAMING,
        &relying_party::RP_WITHOUT_SUBJECT,
        &relying_party::RP_PROFILE_ID,
        &relying_party::RP_BEHAVIORS,
    ],
    checks: &[
        order_gap::check,
        no_send_claims::check,
        multi_exchange::check,
        empty_step::check,
        selection_step::check,
        selection_target::check,
        unreachable_exchange::check,
        issuer::check,
        after_send_claims::check,
        get_claims::check,
        sub_journey::check,
        claims_flow::check,
        kept_claim::check,
        password_later::check,
        precondition::check,
        precondition_never::check,
        relying_party_parts::check,
        relying_party::check,
    ],
    set_checks: &[],
};

/// The journeys and sub journeys that the policy declares or extends, merged over its chain. None
/// while an ancestor is unknown: it may hold the other half of each of them.
fn declared<'v, 's>(view: &'v Effective<'s>) -> &'v [Rc<Journey<'s>>] {
    if view.is_complete() {
        view.own_journeys()
    } else {
        &[]
    }
}

/// Those of the declared journeys in which a step is where its author wanted it.
fn settled<'v, 's>(view: &'v Effective<'s>) -> impl Iterator<Item = &'v Rc<Journey<'s>>> {
    let journeys = declared(view).iter();
    journeys.filter(|journey| journey.is_settled)
}

/// The rule on steps without claims exchange.
const EMPTY_STEP: &str = "step-no-exchange";

/// Marks what was found to be missing from the flow of claims, if that may be only because a step lacks
/// its claims exchange, or because an undeclared claim stands for it, which are reported as such.
fn doubt_unless_declared<'s>(
    view: &Effective<'s>,
    flow: &Flow<'s>,
    findings: &mut [Diagnostic],
    start: usize,
) {
    let found = &mut findings[start..];
    if found.is_empty() {
        return;
    }
    let mut journeys = std::iter::once(flow.journey()).chain(flow.sub_journeys());
    if journeys.any(|journey| journey.steps.iter().any(Step::runs_nothing)) {
        super::doubt_while(EMPTY_STEP, found);
    } else if !flow.yields_what_is_declared(view) {
        super::doubt_while(super::UNDECLARED_CLAIM, found);
    }
}

/// The first of the places that stands in the policy's own file. A mistake that lies wholly in its
/// ancestors is theirs.
fn here<'s>(view: &Effective<'s>, sites: impl IntoIterator<Item = Site<'s>>) -> Option<Site<'s>> {
    sites
        .into_iter()
        .find(|site| std::ptr::eq(site.policy, view.policy()))
}

/// The first of the places that stands in one of the user's own files.
fn own<'s>(sites: impl IntoIterator<Item = Site<'s>>) -> Option<Site<'s>> {
    sites.into_iter().find(Site::is_own)
}

/// Whether a step shows the user something to choose from.
fn is_selection(step_type: Option<&str>) -> bool {
    matches!(
        step_type,
        Some("ClaimsProviderSelection" | "CombinedSignInAndSignUp")
    )
}

/// The word for a journey in messages of the service.
const fn service_word(kind: Kind) -> &'static str {
    match kind {
        Kind::SubJourney => "Sub journey",
        _ => "User journey",
    }
}
