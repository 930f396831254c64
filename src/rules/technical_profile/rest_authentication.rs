//! `rest-insecure-auth` and `rest-bearer-source`: how a REST profile authenticates.

use super::Reached;
use crate::diagnostics::{Diagnostic, KnownNames, Level, Rule};
use crate::policy::known::claim_resolvers::resolvers;
use crate::policy::known::handlers::ProfileKind;

pub(super) static REST_INSECURE_AUTH: Rule = Rule {
    id: "rest-insecure-auth",
    level: Level::Error,
    summary: "a production policy calls a REST service without authentication",
};

pub(super) static REST_BEARER_SOURCE: Rule = Rule {
    id: "rest-bearer-source",
    level: Level::Error,
    summary: "a REST profile authenticates with a bearer token, but has none",
};

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    if reached.kind != Some(ProfileKind::Rest) {
        return;
    }
    let Some(authentication) = reached.metadata_text("AuthenticationType") else {
        return;
    };
    if authentication.eq_ignore_ascii_case("None") {
        findings.extend(insecure(reached));
    } else if authentication.eq_ignore_ascii_case("Bearer") {
        findings.extend(bearer(reached));
    }
}

fn insecure(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let root = reached.view.policy().document.root()?;
    let mode = root.attribute_value("DeploymentMode").unwrap_or_default();
    if matches!(mode.trim(), "Development" | "Debugging")
        || reached.flag("AllowInsecureAuthInProduction") == Some(true)
    {
        return None;
    }
    let item = reached.metadata("AuthenticationType")?;
    let place = reached.place_at([item.site])?;
    let id = reached.profile.id;
    Some(
        Diagnostic::new(
            &REST_INSECURE_AUTH,
            place.location,
            format!("`{id}` calls its REST service without authentication in a production policy"),
        )
        .cause(item.site.tag_location())
        .help(
            "authenticate with Basic, Bearer, ClientCertificate or ApiKeyHeader; or set metadata item \
             AllowInsecureAuthInProduction to true, or DeploymentMode of the relying party policy to \
             Development",
        )
        .service_message(format!(
            "Profile '{id}' uses an insecure authentication mode that is only allowed in production \
             mode policies with metadata key 'AllowInsecureAuthInProduction' set to true."
        ))
        .policy_id(place.policy_id()),
    )
}

fn bearer(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let Some(item) = reached.metadata("UseClaimAsBearerToken") else {
        if reached.has_cryptographic_key("BearerAuthenticationToken") {
            return None;
        }
        let place = reached.place_at([reached.metadata("AuthenticationType")?.site])?;
        return Some(
            Diagnostic::new(
                &REST_BEARER_SOURCE,
                place.location,
                format!(
                    "`{}` authenticates with a bearer token, but does not say where it comes from",
                    reached.profile.id
                ),
            )
            .help(
                "add the cryptographic key BearerAuthenticationToken, or metadata item \
                 UseClaimAsBearerToken with the claim that holds the token",
            )
            .policy_id(place.policy_id()),
        );
    };
    let claim = item.value.trim();
    let inputs = &reached.profile.input_claims;
    let sent = inputs.iter().any(|input| {
        let partner = input.attribute("PartnerClaimType").unwrap_or_default();
        input.claim_type.eq_ignore_ascii_case(claim) || partner.eq_ignore_ascii_case(claim)
    });
    if sent || resolvers(claim).next().is_some() {
        return None;
    }
    let place = reached.place_at([item.site])?;
    let finding = Diagnostic::new(
        &REST_BEARER_SOURCE,
        place.location,
        format!(
            "the bearer token of `{}` is claim `{claim}`, which is not among its input claims",
            reached.profile.id
        ),
    )
    .cause(item.site.tag_location())
    .policy_id(place.policy_id());
    let names: Vec<_> = inputs.iter().map(|input| input.claim_type).collect();
    let finding = if place.site.element == item.site.element {
        finding.did_you_mean(place.location, claim, &KnownNames::new(names))
    } else {
        finding
    };
    Some(finding.or_help(format!(
        "add `<InputClaim ClaimTypeReferenceId=\"{claim}\" />` to `{}`",
        reached.profile.id
    )))
}
