//! `ref-refresh-journey`: the journey that redeems tokens does not exist.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Role};

/// An issuer names a journey that the relying party cannot see.
pub(super) static REFRESH_JOURNEY: Rule = Rule {
    id: "ref-refresh-journey",
    level: Level::Error,
    summary: "a token issuer names a user journey for refresh or client credentials that is not \
              declared",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    let Some(execution) = view.execution() else {
        return;
    };
    for executed in &execution.profiles {
        let profile = &executed.profile;
        for key in [
            "RefreshTokenUserJourneyId",
            "ClientCredentialsUserJourneyId",
        ] {
            let Some(item) = profile.metadata(key) else {
                continue;
            };
            let id = item.value.trim();
            let policy = item.site.policy;
            if id.is_empty()
                || id.contains('{')
                || policy.role == Role::Context
                || view.declares(Kind::UserJourney, id)
            {
                continue;
            }
            let location = item.site.location(item.site.element.text_span());
            let finding = Diagnostic::new(
                &REFRESH_JOURNEY,
                location,
                format!("user journey `{id}` of {key} is declared nowhere"),
            )
            .service_message(format!(
                "AADB2C90288: UserJourney with ID '{id}' referenced in TechnicalProfile '{}' for \
                 refresh token redemption does not exist in the policy or any of its base policies.",
                profile.id
            ))
            .policy_id(policy.id());
            findings.push(
                finding
                    .did_you_mean(location, id, view.known_ids(Kind::UserJourney))
                    .or_help("declare the journey in this policy or one of its bases"),
            );
        }
    }
}
