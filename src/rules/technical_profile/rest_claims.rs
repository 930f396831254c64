//! `rest-payload-claim` and `rest-url-placeholder`: how claims reach a REST service.

use super::Reached;
use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::handlers::ProfileKind;

pub(super) static REST_PAYLOAD_CLAIM: Rule = Rule {
    id: "rest-payload-claim",
    level: Level::Warning,
    summary: "the claim that is to be the payload of a REST call is not sent",
};

pub(super) static REST_URL_PLACEHOLDER: Rule = Rule {
    id: "rest-url-placeholder",
    level: Level::Warning,
    summary: "the address of a REST service has a placeholder that no input claim fills",
};

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    if reached.kind == Some(ProfileKind::Rest) {
        findings.extend(payload(reached));
        placeholders(reached, findings);
    }
}

fn is_input(reached: &Reached<'_, '_>, name: &str) -> bool {
    reached.profile.input_claims.iter().any(|input| {
        let partner = input.attribute("PartnerClaimType").unwrap_or_default();
        input.claim_type.eq_ignore_ascii_case(name) || partner.eq_ignore_ascii_case(name)
    })
}

fn payload(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let item = reached.metadata("ClaimUsedForRequestPayload")?;
    let claim = item.value.trim();
    let sent_in = reached.metadata_text("SendClaimsIn").unwrap_or("Body");
    let id = reached.profile.id;
    let (message, help) = if !is_input(reached, claim) {
        (
            format!(
                "the payload of `{id}` is claim `{claim}`, which is not among its input claims"
            ),
            format!("add `<InputClaim ClaimTypeReferenceId=\"{claim}\" />` to `{id}`"),
        )
    } else if !sent_in.eq_ignore_ascii_case("Body") {
        (
            format!("`{id}` has a payload claim, but sends its claims in `{sent_in}`"),
            "set SendClaimsIn to Body".to_owned(),
        )
    } else {
        return None;
    };
    let place = reached.place_at([item.site])?;
    Some(
        Diagnostic::new(&REST_PAYLOAD_CLAIM, place.location, message)
            .cause(item.site.tag_location())
            .help(help)
            .policy_id(place.policy_id()),
    )
}

fn placeholders(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    let Some(item) = reached.metadata("ServiceUrl") else {
        return;
    };
    for name in names(item.value) {
        if is_input(reached, name) {
            continue;
        }
        let Some(place) = reached.place_at([item.site]) else {
            return;
        };
        findings.push(
            Diagnostic::new(
                &REST_URL_PLACEHOLDER,
                place.location,
                format!(
                    "the address of `{}` contains `{{{name}}}`, but no input claim of that name",
                    reached.profile.id
                ),
            )
            .help(format!(
                "add an input claim `{name}`, or the placeholder is sent as it stands"
            ))
            .policy_id(place.policy_id()),
        );
    }
}

/// The names in `{name}`; resolvers, which have a colon, are another matter.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-';
        (!name.is_empty() && name.chars().all(plain)).then_some(name)
    })
}
