//! Rules on the claims transformations that a relying party runs: `ct-assert-outside-selfasserted`,
//! `ct-localized-string-missing` and `ct-input-unavailable`.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use crate::diagnostics::{Diagnostic, Level, Location, Rule};
use crate::policy::{
    ClaimsTransformation, Effective, Executed, Execution, Id, IdHasher, IdSet, Kind, Role, Site,
    TechnicalProfile, Use,
};

/// An assertion runs where no page can show its message.
pub(super) static CT_ASSERT_OUTSIDE_SELFASSERTED: Rule = Rule {
    id: "ct-assert-outside-selfasserted",
    level: Level::Warning,
    summary: "an assertion runs outside of a self-asserted page, so a failure ends the journey",
};

/// A text that a claims transformation fetches exists in no language.
pub(super) static CT_LOCALIZED_STRING_MISSING: Rule = Rule {
    id: "ct-localized-string-missing",
    level: Level::Warning,
    summary: "a claims transformation fetches a localized string that does not exist",
};

/// None of the inputs of a claims transformation can have a value.
pub(super) static CT_INPUT_UNAVAILABLE: Rule = Rule {
    id: "ct-input-unavailable",
    level: Level::Warning,
    summary: "a claims transformation runs although nothing produces any of its input claims",
};

const SELF_ASSERTED: &str = "Web.TPEngine.Providers.SelfAssertedAttributeProvider";

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(execution) = view.execution() else {
        return;
    };
    if !view.is_complete() {
        return;
    }
    let mut strings: Option<Strings<'_>> = None;
    let mut produced: Option<IdSet<'_>> = None;
    for executed in &execution.profiles {
        for reference in transformations(&executed.profile) {
            let Some(id) = reference.attribute("ReferenceId") else {
                continue;
            };
            let Some(transformation) = ClaimsTransformation::find(view, id) else {
                continue;
            };
            if reference.policy.role == Role::Own {
                findings.extend(assertion(view, executed, reference, &transformation));
                let produced = produced.get_or_insert_with(|| claims(view, execution));
                let finding = unavailable(executed, reference, &transformation, produced);
                findings.extend(
                    finding.filter(|_| is_known(view, execution, &transformation, produced)),
                );
            }
            if transformation.site.policy.role == Role::Own {
                let needed = localized(&transformation);
                if needed.is_empty() {
                    continue;
                }
                let strings = strings.get_or_insert_with(|| localized_strings(view));
                let missing_texts = needed
                    .into_iter()
                    .filter(|(kind, id, _)| !strings.contains(&(kind, Id::of(id))))
                    .map(|(kind, id, place)| missing(&transformation, kind, id, place));
                findings.extend(missing_texts);
            }
        }
    }
}

fn transformations<'p, 's>(
    profile: &'p TechnicalProfile<'s>,
) -> impl Iterator<Item = Site<'s>> + use<'p, 's> {
    let inputs = profile.input_claims_transformations.iter();
    inputs
        .chain(&profile.output_claims_transformations)
        .copied()
}

fn assertion(
    view: &Effective<'_>,
    executed: &Executed<'_>,
    reference: Site<'_>,
    transformation: &ClaimsTransformation<'_>,
) -> Option<Diagnostic> {
    let is_false = |parameter: &str| {
        let value = transformation.parameter(parameter)?.attribute("Value")?;
        Some(value.trim().eq_ignore_ascii_case("false"))
    };
    let asserts = match transformation.method?.name {
        "AssertNumber" => is_false("throwError") != Some(true),
        "LookupValue" => is_false("errorOnFailedLookup") == Some(false),
        name => name.starts_with("Assert"),
    };
    if !asserts || executed.profile.handler() == Some(SELF_ASSERTED) {
        return None;
    }
    let exchange = executed
        .uses
        .iter()
        .find(|(how, site)| *how == Use::Exchange && has_user(view, *site))?;
    Some(
        Diagnostic::new(
            &CT_ASSERT_OUTSIDE_SELFASSERTED,
            reference.attribute_location("ReferenceId"),
            format!(
                "assertion `{}` runs in technical profile `{}`, which no page calls",
                transformation.id, executed.profile.id
            ),
        )
        .policy_id(reference.policy.id())
        .related(
            exchange.1.attribute_location("TechnicalProfileReferenceId"),
            "a step runs the profile itself",
        )
        .help(
            "call the profile as validation technical profile of a self-asserted one; there the \
             user sees a message and can try again",
        ),
    )
}

/// Whether the exchange belongs to a journey with a person before the screen. The journeys of the
/// other endpoints, which redeem refresh tokens or tell about the user, have none, and an assertion
/// is the way to refuse there.
fn has_user(view: &Effective<'_>, exchange: Site<'_>) -> bool {
    let journey = exchange
        .element
        .ancestors()
        .find(|element| matches!(element.name(), "UserJourney" | "SubJourney"));
    let Some(journey) = journey else {
        return false;
    };
    let relying_party = view.relying_party();
    let default =
        relying_party.and_then(|it| it.child("DefaultUserJourney")?.attribute("ReferenceId"));
    journey.name() == "SubJourney"
        || default
            .zip(journey.attribute_value("Id"))
            .is_some_and(|(default, id)| default.eq_ignore_ascii_case(id))
}

/// The localized strings that a claims transformation needs: element type, id, and where it says so.
fn localized<'s>(
    transformation: &ClaimsTransformation<'s>,
) -> Vec<(&'static str, &'s str, Location)> {
    if transformation.is("FormatLocalizedString") {
        let parameter = transformation.parameter("stringFormatId");
        return parameter
            .and_then(|parameter| {
                Some((
                    "FormatLocalizedStringTransformationClaimType",
                    parameter.attribute("Value")?,
                    parameter.attribute_location("Value"),
                ))
            })
            .into_iter()
            .collect();
    }
    if !transformation.is("GetLocalizedStringsTransformation") {
        return Vec::new();
    }
    transformation
        .outputs()
        .map(|claim| {
            let attribute = match claim.site.attribute("TransformationClaimType") {
                Some(_) => "TransformationClaimType",
                None => "ClaimTypeReferenceId",
            };
            (
                "GetLocalizedStringsTransformationClaimType",
                claim.slot,
                claim.site.attribute_location(attribute),
            )
        })
        .collect()
}

/// Element types and ids of localized strings.
type Strings<'s> = HashSet<(&'s str, Id<'s>), BuildHasherDefault<IdHasher>>;

fn localized_strings<'s>(view: &Effective<'s>) -> Strings<'s> {
    view.chain()
        .iter()
        .flat_map(|policy| policy.declarations(Kind::LocalizedResources))
        .filter_map(|resources| resources.child("LocalizedStrings"))
        .flat_map(|list| list.children_named("LocalizedString"))
        .filter_map(|string| {
            let kind = string.attribute_value("ElementType")?;
            let id = string.attribute_value("StringId")?;
            Some((kind, Id::of(id)))
        })
        .collect()
}

fn missing(
    transformation: &ClaimsTransformation<'_>,
    kind: &str,
    id: &str,
    place: Location,
) -> Diagnostic {
    Diagnostic::new(
        &CT_LOCALIZED_STRING_MISSING,
        place,
        format!("there is no localized string `{id}` of element type {kind}"),
    )
    .policy_id(transformation.site.policy.id())
    .help(
        "add it to the localized resources of the page whose technical profile runs the claims \
         transformation",
    )
}

/// Every claim that anything in the execution can give a value.
fn claims<'s>(view: &Effective<'s>, execution: &Execution<'s>) -> IdSet<'s> {
    let outputs = |executed: &Executed<'_>| executed.profile.output_claims.len();
    let likely = 2 * execution.profiles.iter().map(outputs).sum::<usize>();
    let mut claims = IdSet::with_capacity_and_hasher(likely, BuildHasherDefault::default());
    let mut add = |claim: &'s str| {
        claims.insert(Id::of(claim));
    };
    let relying_party = view.relying_party().into_iter();
    for claim in relying_party.flat_map(|it| it.element.descendants()) {
        if claim.name() == "InputClaim" || claim.attribute("DefaultValue").is_some() {
            claim.attribute_value("ClaimTypeReferenceId").map(&mut add);
        }
    }
    for executed in &execution.profiles {
        let profile = &executed.profile;
        for claim in &profile.output_claims {
            add(claim.claim_type);
        }
        for claim in &profile.input_claims {
            if claim.attribute("DefaultValue").is_some() {
                add(claim.claim_type);
            }
        }
        for display in &profile.display_claims {
            display.attribute("ClaimTypeReferenceId").map(&mut add);
            let Some(control) = display.attribute("DisplayControlReferenceId") else {
                continue;
            };
            for site in view.sites(Kind::DisplayControl, control) {
                let shown = site.items("DisplayClaims", "DisplayClaim");
                for claim in shown.chain(site.items("OutputClaims", "OutputClaim")) {
                    claim.attribute("ClaimTypeReferenceId").map(&mut add);
                }
            }
        }
        for reference in transformations(profile) {
            let id = reference.attribute("ReferenceId");
            let found = id.and_then(|id| ClaimsTransformation::find(view, id));
            for claim in found.iter().flat_map(ClaimsTransformation::outputs) {
                add(claim.claim_type);
            }
        }
    }
    claims
}

/// Whether all claims of the transformation, and everything that could produce them, are declared,
/// and every step is where it is meant to be. What is not is reported as such.
fn is_known(
    view: &Effective<'_>,
    execution: &Execution<'_>,
    transformation: &ClaimsTransformation<'_>,
    produced: &IdSet<'_>,
) -> bool {
    let mut inputs = transformation.inputs();
    let mut profiles = execution.profiles.iter();
    let mut produced = produced.iter().map(|claim| claim.written());
    execution.journeys().all(|journey| journey.is_settled)
        && inputs.all(|input| view.declares(Kind::ClaimType, input.claim_type))
        && produced.all(|claim| view.declares(Kind::ClaimType, claim))
        && profiles.all(|executed| {
            transformations(&executed.profile).all(|reference| {
                let id = reference.attribute("ReferenceId");
                id.is_some_and(|id| view.declares(Kind::ClaimsTransformation, id))
            })
        })
}

fn unavailable(
    executed: &Executed<'_>,
    reference: Site<'_>,
    transformation: &ClaimsTransformation<'_>,
    produced: &IdSet<'_>,
) -> Option<Diagnostic> {
    // These ask whether a claim has a value, or work without one.
    let copes = [
        "DoesClaimExist",
        "AddParameterToStringCollection",
        "AdjustNumber",
    ];
    if copes.iter().any(|method| transformation.is(method)) {
        return None;
    }
    let inputs: Vec<_> = transformation.inputs().collect();
    let available = |claim: &str| produced.contains(&Id::of(claim));
    if inputs.is_empty() || inputs.iter().any(|input| available(input.claim_type)) {
        return None;
    }
    let names: Vec<_> = inputs
        .iter()
        .map(|input| format!("`{}`", input.claim_type))
        .collect();
    Some(
        Diagnostic::new(
            &CT_INPUT_UNAVAILABLE,
            reference.attribute_location("ReferenceId"),
            format!(
                "`{}` runs in technical profile `{}`, but nothing in the journeys produces {}",
                transformation.id,
                executed.profile.id,
                names.join(" or ")
            ),
        )
        .policy_id(reference.policy.id())
        .related(
            transformation.site.attribute_location("Id"),
            "the claims transformation",
        )
        .cause(reference.tag_location()),
    )
}
