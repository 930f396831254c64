//! `vtp-on-other` and `vtp-is-interactive`: where validation technical profiles may stand, and what
//! they may be.

use super::Reached;
use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::handlers::ProfileKind;
use crate::policy::{Site, TechnicalProfile};

pub(super) static VTP_ON_OTHER: Rule = Rule {
    id: "vtp-on-other",
    level: Level::Error,
    summary: "a profile that shows no page has validation technical profiles",
};

pub(super) static VTP_IS_INTERACTIVE: Rule = Rule {
    id: "vtp-is-interactive",
    level: Level::Error,
    summary: "a validation technical profile needs the user",
};

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    let Some(kind) = reached.kind else {
        return;
    };
    for validation in &reached.profile.validation_technical_profiles {
        if kind == ProfileKind::SelfAsserted {
            findings.extend(interactive(reached, *validation));
        } else {
            findings.extend(on_other(reached, kind, *validation));
        }
    }
}

fn on_other<'s>(
    reached: &Reached<'_, 's>,
    kind: ProfileKind,
    validation: Site<'s>,
) -> Option<Diagnostic> {
    let place = reached.place_at([validation])?;
    Some(
        Diagnostic::new(
            &VTP_ON_OTHER,
            place.location,
            format!(
                "{} `{}` validates no input of the user, so it can have no validation technical \
                 profiles",
                kind.noun(),
                reached.profile.id
            ),
        )
        .help("move them to the self-asserted profile, or run them in a step of their own")
        .cause(validation.tag_location())
        .policy_id(place.policy_id()),
    )
}

fn interactive<'s>(reached: &Reached<'_, 's>, validation: Site<'s>) -> Option<Diagnostic> {
    let id = validation.attribute("ReferenceId")?;
    let profile = reached.view.technical_profile(id)?;
    let kind = profile.kind()?;
    let level = match kind {
        ProfileKind::SelfAsserted
        | ProfileKind::PhoneFactor
        | ProfileKind::OAuth1
        | ProfileKind::Saml => Level::Error,
        // Without a grant of its own it redirects the browser, as far as is known.
        ProfileKind::OpenIdConnect | ProfileKind::OAuth2 if !has_grant(&profile) => Level::Warning,
        _ => return None,
    };
    let place = reached.place_at([validation])?;
    Some(
        Diagnostic::new(
            &VTP_IS_INTERACTIVE,
            place.location,
            format!(
                "`{}` needs the user, so it can be no validation technical profile ({})",
                profile.id,
                kind.noun()
            ),
        )
        .level(level)
        .related(profile.site().attribute_location("Id"), "declared here")
        .help("run it in an orchestration step of its own")
        .policy_id(place.policy_id()),
    )
}

/// Whether the profile asks the token endpoint directly, as the password check of local accounts.
fn has_grant(profile: &TechnicalProfile<'_>) -> bool {
    let is_grant = |name: &str| name.eq_ignore_ascii_case("grant_type");
    profile.metadata.iter().any(|item| is_grant(item.key))
        || profile.input_claims.iter().any(|claim| {
            is_grant(claim.claim_type) || claim.attribute("PartnerClaimType").is_some_and(is_grant)
        })
}
