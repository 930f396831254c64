//! `ct-mapped-value-no-restriction` and `ct-copy-predicate-none`: methods that need something of the
//! claim type that they write to.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, SlotClaim, has_options};

/// The claim type that a value is looked up in has no options.
pub(super) static CT_MAPPED_VALUE_NO_RESTRICTION: Rule = Rule {
    id: "ct-mapped-value-no-restriction",
    level: Level::Warning,
    summary: "GetMappedValueFromLocalizedCollection looks a value up in a claim type without options",
};

/// The claim type that decides whether a value is copied has no predicates.
pub(super) static CT_COPY_PREDICATE_NONE: Rule = Rule {
    id: "ct-copy-predicate-none",
    level: Level::Warning,
    summary: "CopyClaimIfPredicateMatch writes to a claim type without predicates",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    for transformation in view.own_transformations() {
        let (rule, slot) = if transformation.is("GetMappedValueFromLocalizedCollection") {
            (&CT_MAPPED_VALUE_NO_RESTRICTION, "restrictionValueClaim")
        } else if transformation.is("CopyClaimIfPredicateMatch") {
            (&CT_COPY_PREDICATE_NONE, "outputClaim")
        } else {
            continue;
        };
        let mut outputs = transformation.outputs();
        let Some(claim) = outputs.find(|claim| claim.slot == slot) else {
            continue;
        };
        // A claim type that is not declared is another rule's finding.
        if !view.declares(Kind::ClaimType, claim.claim_type) {
            continue;
        }
        let finding = if rule == &CT_COPY_PREDICATE_NONE {
            copy(view, &claim)
        } else {
            mapped(view, &claim)
        };
        findings.extend(finding.map(|finding| finding.policy_id(view.policy().id())));
    }
}

fn mapped(view: &Effective<'_>, claim: &SlotClaim<'_>) -> Option<Diagnostic> {
    if has_options(view.set(), claim.claim_type) {
        return None;
    }
    let location = claim.site.attribute_location("ClaimTypeReferenceId");
    let message = format!(
        "claim type `{}` has no options to look up",
        claim.claim_type
    );
    Some(
        Diagnostic::new(&CT_MAPPED_VALUE_NO_RESTRICTION, location, message)
            .help("give it Restriction/Enumeration or a LocalizedCollection"),
    )
}

fn copy(view: &Effective<'_>, claim: &SlotClaim<'_>) -> Option<Diagnostic> {
    let checked = view.set().iter().any(|(_, policy)| {
        policy
            .declared(Kind::ClaimType, claim.claim_type)
            .any(|element| {
                element.child("PredicateValidationReference").is_some()
                    || element.child("InputValidationReference").is_some()
            })
    });
    if checked {
        return None;
    }
    let location = claim.site.attribute_location("ClaimTypeReferenceId");
    let message = format!(
        "claim type `{}` has no predicates that would decide whether to copy",
        claim.claim_type
    );
    Some(
        Diagnostic::new(&CT_COPY_PREDICATE_NONE, location, message)
            .help("give it a PredicateValidationReference, or use CopyClaim"),
    )
}
