//! The pages of self-asserted profiles: `sa-displayclaim-no-input`, `sa-hidden-output` and
//! `sa-no-contentdefinition`.

use super::Reached;
use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::handlers::ProfileKind;
use crate::policy::{Claim, Kind, Site, Use};
use crate::rules::{UNDECLARED_CLAIM, UNDECLARED_CONTROL, doubt_while};

pub(super) static SA_DISPLAYCLAIM_NO_INPUT: Rule = Rule {
    id: "sa-displayclaim-no-input",
    level: Level::Error,
    summary: "a display claim has a claim type that cannot be shown",
};

pub(super) static SA_HIDDEN_OUTPUT: Rule = Rule {
    id: "sa-hidden-output",
    level: Level::Warning,
    summary: "an output claim of a page with display claims is never asked for",
};

pub(super) static SA_NO_CONTENTDEFINITION: Rule = Rule {
    id: "sa-no-contentdefinition",
    level: Level::Warning,
    summary: "a self-asserted page has no content definition",
};

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    if reached.kind != Some(ProfileKind::SelfAsserted) {
        return;
    }
    for display in &reached.profile.display_claims {
        findings.extend(not_shown(reached, *display));
    }
    if !reached.profile.display_claims.is_empty() {
        let start = findings.len();
        for claim in &reached.profile.output_claims {
            findings.extend(hidden(reached, claim));
        }
        if findings.len() > start
            && let Some(rule) = displays_undeclared(reached)
        {
            doubt_while(rule, &mut findings[start..]);
        }
    }
    findings.extend(no_content_definition(reached));
}

fn not_shown<'s>(reached: &Reached<'_, 's>, display: Site<'s>) -> Option<Diagnostic> {
    let id = display.attribute("ClaimTypeReferenceId")?;
    let view = reached.view;
    if !view.declares(Kind::ClaimType, id)
        || view
            .merged_child(Kind::ClaimType, id, "UserInputType")
            .is_some()
    {
        return None;
    }
    let place = reached.place_at([display])?;
    let finding = Diagnostic::new(
        &SA_DISPLAYCLAIM_NO_INPUT,
        place.location,
        format!(
            "`{}` displays claim `{id}`, whose claim type has no UserInputType",
            reached.profile.id
        ),
    )
    .help(format!(
        "give claim type `{id}` a UserInputType: Readonly or Paragraph to show it, TextBox or another \
         to ask for it"
    ))
    .policy_id(place.policy_id());
    let declared = view.sites(Kind::ClaimType, id).last().copied();
    Some(match declared {
        Some(site) => finding.related(site.attribute_location("Id"), "declared here"),
        None => finding,
    })
}

/// The rule that reports what the page displays and nobody declares, if there is any: it may stand for
/// what seems to be hidden.
fn displays_undeclared(reached: &Reached<'_, '_>) -> Option<&'static str> {
    let view = reached.view;
    let is_claim = |site: &Site<'_>| {
        let claim = site.attribute("ClaimTypeReferenceId");
        claim.is_none_or(|id| view.declares(Kind::ClaimType, id))
    };
    let mut displays = reached.profile.display_claims.iter();
    displays.find_map(|display| {
        let Some(control) = display.attribute("DisplayControlReferenceId") else {
            return (!is_claim(display)).then_some(UNDECLARED_CLAIM);
        };
        let sites = view.sites(Kind::DisplayControl, control);
        if sites.is_empty() {
            return Some(UNDECLARED_CONTROL);
        }
        let mut claims = sites.iter().flat_map(|site| {
            let shown = site.items("DisplayClaims", "DisplayClaim");
            shown.chain(site.items("OutputClaims", "OutputClaim"))
        });
        let is_undeclared = claims.any(|claim| !is_claim(&claim));
        is_undeclared.then_some(UNDECLARED_CLAIM)
    })
}

fn hidden<'s>(reached: &Reached<'_, 's>, claim: &Claim<'s>) -> Option<Diagnostic> {
    let id = claim.claim_type;
    let same = |other: &str| other.eq_ignore_ascii_case(id);
    let view = reached.view;
    let input = view.merged_child(Kind::ClaimType, id, "UserInputType")?;
    // What is only shown is not asked for anyway.
    if matches!(input.element.trimmed_text(), "Readonly" | "Paragraph")
        || claim.attribute("DefaultValue").is_some()
        || reached
            .profile
            .input_claims
            .iter()
            .any(|input| same(input.claim_type))
        || !reached.profile.output_claims_transformations.is_empty()
    {
        return None;
    }
    let displayed = reached.profile.display_claims.iter().any(|display| {
        let control = display.attribute("DisplayControlReferenceId");
        display.attribute("ClaimTypeReferenceId").is_some_and(same)
            || control.is_some_and(|control| control_has(reached, control, id))
    });
    let elsewhere = view.execution().is_some_and(|execution| {
        execution.profiles.iter().any(|other| {
            !std::ptr::eq(&raw const *other.profile, reached.profile)
                && other
                    .profile
                    .output_claims
                    .iter()
                    .any(|other| same(other.claim_type))
        })
    });
    if displayed || elsewhere {
        return None;
    }
    let place = reached.place_at(claim.sites.iter().rev().copied())?;
    Some(
        Diagnostic::new(
            &SA_HIDDEN_OUTPUT,
            place.location,
            format!(
                "`{}` has display claims, `{id}` is not among them, and nothing else fills it",
                reached.profile.id
            ),
        )
        .help(format!(
            "add `<DisplayClaim ClaimTypeReferenceId=\"{id}\" />`: a page with display claims asks for \
             nothing else"
        ))
        .policy_id(place.policy_id()),
    )
}

/// Whether a display control mentions a claim at all.
fn control_has(reached: &Reached<'_, '_>, control: &str, claim: &str) -> bool {
    let sites = reached.view.sites(Kind::DisplayControl, control);
    sites.iter().any(|site| {
        site.element.descendants().any(|element| {
            element
                .attribute_value("ClaimTypeReferenceId")
                .is_some_and(|id| id.eq_ignore_ascii_case(claim))
        })
    })
}

fn no_content_definition(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    if reached.metadata("ContentDefinitionReferenceId").is_some() {
        return None;
    }
    let execution = reached.view.execution()?;
    let uses = reached.executed.uses.iter();
    for (_, exchange) in uses.filter(|(by, _)| *by == Use::Exchange) {
        let step = execution
            .journeys()
            .flat_map(|journey| journey.steps.iter().map(move |step| (journey, step)))
            .find(|(_, step)| {
                step.exchanges
                    .iter()
                    .any(|known| known.site.element == exchange.element)
            });
        let Some((journey, step)) = step else {
            continue;
        };
        if step.attribute("ContentDefinitionReferenceId").is_some() {
            continue;
        }
        let place = reached.place()?;
        return Some(
            Diagnostic::new(
                &SA_NO_CONTENTDEFINITION,
                place.location,
                format!(
                    "page `{}` has no content definition, nor has the step that shows it",
                    reached.profile.id
                ),
            )
            .related(
                exchange.attribute_location("TechnicalProfileReferenceId"),
                format!("step {} shows it", step.order),
            )
            .help("add metadata item ContentDefinitionReferenceId to the profile")
            .service_message(format!(
                "A content definition data uri is required. Orchestration step '{}' of user journey \
                 '{}' in policy '{}' does not reference one nor does one of its referenced technical \
                 profiles.",
                step.order,
                journey.id,
                place.policy_id()
            ))
            .policy_id(place.policy_id()),
        );
    }
    None
}
