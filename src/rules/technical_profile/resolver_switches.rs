//! `resolver-no-include` and `resolver-no-always`: what switches claim resolvers on.

use super::usable;
use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::claim_resolvers::{Family, resolvers};
use crate::policy::known::handlers::ProfileKind;
use crate::policy::{Effective, Site};

pub(super) static RESOLVER_NO_INCLUDE: Rule = Rule {
    id: "resolver-no-include",
    level: Level::Warning,
    summary: "a claim resolver in a profile that does not resolve them",
};

pub(super) static RESOLVER_NO_ALWAYS: Rule = Rule {
    id: "resolver-no-always",
    level: Level::Hint,
    summary: "a claim resolver counts only while the claim is empty",
};

const SWITCH: &str = "IncludeClaimResolvingInClaimsHandling";

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    let policy = view.policy();
    for (element, default) in policy.default_values() {
        if default.value().contains('{') {
            findings.extend(in_profile(view, Site { policy, element }));
        }
    }
    if let Some(relying_party) = policy.relying_party() {
        let claims = relying_party
            .element
            .descend(&["TechnicalProfile", "OutputClaims"]);
        for element in claims
            .iter()
            .flat_map(|claims| claims.children_named("OutputClaim"))
        {
            let claim = Site {
                policy: view.policy(),
                element,
            };
            findings.extend(not_always(view, claim));
        }
    }
}

/// A claim with a resolver in the lists of a declared profile.
fn in_profile(view: &Effective<'_>, claim: Site<'_>) -> Option<Diagnostic> {
    let list = claim.element.parent()?;
    let declaration = list.parent()?;
    let is_in = |names: [&str; 2]| list.is_named(names[0]) && claim.element.is_named(names[1]);
    let is_input = is_in(["InputClaims", "InputClaim"]);
    let is_declared = declaration.is_named("TechnicalProfile")
        && declaration.parent()?.is_named("TechnicalProfiles");
    if !is_declared || !(is_input || is_in(["OutputClaims", "OutputClaim"])) {
        return None;
    }
    let profile = usable(view, declaration.attribute_value("Id")?)?;
    let resolves = match profile.kind()? {
        ProfileKind::Directory
        | ProfileKind::OAuth2
        | ProfileKind::OpenIdConnect
        | ProfileKind::ClaimsTransformation
        | ProfileKind::SelfAsserted => true,
        ProfileKind::Rest => is_input,
        ProfileKind::Saml => !is_input,
        _ => false,
    };
    // An issuer with a provider's protocol is another kind.
    if !resolves || profile.child("OutputTokenFormat").is_some() {
        return None;
    }
    let switched_on = profile
        .metadata(SWITCH)
        .is_some_and(|item| item.value.trim().eq_ignore_ascii_case("true"));
    switch(view, profile.id, claim, switched_on)
}

fn has_resolver(claim: Site<'_>) -> bool {
    let value = claim.attribute("DefaultValue").unwrap_or_default();
    resolvers(value).any(|resolver| Family::find(resolver.prefix).is_some())
}

fn switch(
    view: &Effective<'_>,
    profile: &str,
    claim: Site<'_>,
    switched_on: bool,
) -> Option<Diagnostic> {
    if switched_on {
        return not_always(view, claim);
    }
    if !has_resolver(claim) {
        return None;
    }
    Some(
        Diagnostic::new(
            &RESOLVER_NO_INCLUDE,
            claim.attribute_location("DefaultValue"),
            format!("`{profile}` does not resolve claim resolvers: the text arrives as it stands"),
        )
        .help(format!(
            "add `<Item Key=\"{SWITCH}\">true</Item>` to its Metadata, and \
             AlwaysUseDefaultValue=\"true\" to the claim"
        ))
        .policy_id(view.policy().id()),
    )
}

fn not_always(view: &Effective<'_>, claim: Site<'_>) -> Option<Diagnostic> {
    let always = claim
        .attribute("AlwaysUseDefaultValue")
        .is_some_and(|always| matches!(always.trim(), "true" | "1"));
    if always || !has_resolver(claim) {
        return None;
    }
    Some(
        Diagnostic::new(
            &RESOLVER_NO_ALWAYS,
            claim.attribute_location("DefaultValue"),
            "the resolver counts only while the claim has no value",
        )
        .help("add AlwaysUseDefaultValue=\"true\" if it is to count always")
        .policy_id(view.policy().id()),
    )
}
