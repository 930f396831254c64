//! References to elements that neither the policy nor an ancestor declares: one algorithm, one rule
//! record for each kind of target.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Policy, Reference, Role, references};

macro_rules! rules {
    ($($name:ident, $id:literal, $summary:literal;)*) => {
        $(pub(super) static $name: Rule = Rule {
            id: $id,
            level: Level::Error,
            summary: $summary,
        };)*
    };
}

rules! {
    CLAIM_TYPE, "ref-claimtype",
        "a reference to a claim type that the policy and its bases do not declare";
    CLAIMS_TRANSFORMATION, "ref-claimstransformation",
        "a reference to a claims transformation that the policy and its bases do not declare";
    TECHNICAL_PROFILE, "ref-technicalprofile",
        "a reference to a technical profile that the policy and its bases do not declare";
    INCLUDE, "include-not-found",
        "IncludeTechnicalProfile names a profile that the policy and its bases do not declare";
    CONTENT_DEFINITION, "ref-contentdefinition-step",
        "an orchestration step names a content definition that the policy and its bases do not declare";
    USER_JOURNEY, "ref-userjourney",
        "a relying party names a user journey that the policy and its bases do not declare";
    SUB_JOURNEY, "ref-subjourney",
        "an orchestration step invokes a sub journey that the policy and its bases do not declare";
    PREDICATE, "ref-predicate",
        "a predicate group names a predicate that the policy and its bases do not declare";
    PREDICATE_VALIDATION, "ref-predicatevalidation",
        "a claim type names a predicate validation that the policy and its bases do not declare";
    INPUT_VALIDATION, "ref-inputvalidation",
        "a claim type names an input validation that the policy and its bases do not declare";
    DISPLAY_CONTROL, "ref-displaycontrol",
        "a display claim names a display control that the policy and its bases do not declare";
    CLIENT_DEFINITION, "ref-clientdefinition",
        "a user journey names a client definition that the policy and its bases do not declare";
}

fn rule(reference: &Reference<'_>) -> &'static Rule {
    if reference.row.element == "IncludeTechnicalProfile" {
        return &INCLUDE;
    }
    match reference.row.target {
        Kind::ClaimType => &CLAIM_TYPE,
        Kind::ClaimsTransformation => &CLAIMS_TRANSFORMATION,
        Kind::TechnicalProfile => &TECHNICAL_PROFILE,
        Kind::ContentDefinition | Kind::LocalizedResources => &CONTENT_DEFINITION,
        Kind::UserJourney => &USER_JOURNEY,
        Kind::SubJourney => &SUB_JOURNEY,
        Kind::Predicate => &PREDICATE,
        Kind::PredicateValidation => &PREDICATE_VALIDATION,
        Kind::InputValidation => &INPUT_VALIDATION,
        Kind::DisplayControl => &DISPLAY_CONTROL,
        Kind::ClientDefinition => &CLIENT_DEFINITION,
    }
}

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    // With a base unknown, what is missing here may be declared there.
    if !view.is_complete() {
        return;
    }
    let policy = view.policy();
    for reference in references(policy) {
        let kind = reference.row.target;
        if view.declares(kind, reference.id) {
            continue;
        }
        let finding = Diagnostic::new(
            rule(&reference),
            policy.location(reference.span),
            format!(
                "{} `{}` is declared neither here nor in a base policy",
                kind.noun(),
                reference.id
            ),
        )
        .policy_id(policy.id());
        let finding = if reference.row.is_checked {
            finding.service_message(service_message(policy, &reference))
        } else {
            finding.level(Level::Warning)
        };
        findings.push(explain(finding, view, &reference));
    }
}

fn service_message(policy: &Policy, reference: &Reference<'_>) -> String {
    format!(
        "Policy \"{}\" of tenant \"{}\" makes a reference to {} with id \"{}\" but neither the \
         policy nor any of its base policies contain such an element.",
        policy.id(),
        policy.tenant(),
        reference.row.target.element(),
        reference.id
    )
}

/// Says what to do: a near miss, or where else in the set the element is.
fn explain(finding: Diagnostic, view: &Effective<'_>, reference: &Reference<'_>) -> Diagnostic {
    let kind = reference.row.target;
    for (index, other) in view.set().iter() {
        let Some(element) = other.declared(kind, reference.id).next() else {
            continue;
        };
        let below = view.set().chain(index).0.contains(&view.index());
        let help = if below {
            format!(
                "`{}` declares it, but a policy sees only itself and its bases, not the policies \
                 that inherit from it: move the declaration up or the reference down",
                other.id()
            )
        } else if other.role == Role::Own {
            format!(
                "`{}` declares it, but is no base of this policy",
                other.id()
            )
        } else {
            continue;
        };
        let place = element
            .attribute("Id")
            .map_or_else(|| element.tag_span(), |id| id.value_span());
        return finding
            .related(other.location(place), "declared here")
            .help(help);
    }
    let finding = finding.label(format!("no such {}", kind.noun()));
    let location = view.policy().location(reference.span);
    finding.did_you_mean(location, reference.id, view.known_ids(kind))
}
