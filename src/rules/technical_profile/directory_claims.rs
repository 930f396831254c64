//! The claims of Azure AD profiles: `aad-one-inputclaim`, `aad-key-not-persisted`,
//! `aad-output-unsupported` and `aad-displayname-create`.

use super::Reached;
use crate::diagnostics::{Diagnostic, Level, Rule, near_miss};
use crate::policy::known::directory_attributes::{directory_attributes, is_directory_attribute};
use crate::policy::known::handlers::ProfileKind;
use crate::policy::{Claim, Kind};
use crate::rules::{UNDECLARED_CLAIM, doubt_while};

macro_rules! rules {
    ($($name:ident, $id:literal, $summary:literal;)*) => {
        $(pub(super) static $name: Rule = Rule {
            id: $id,
            level: Level::Warning,
            summary: $summary,
        };)*
    };
}

rules! {
    AAD_ONE_INPUTCLAIM, "aad-one-inputclaim",
        "an Azure AD profile has not exactly one input claim to find the account by";
    AAD_KEY_NOT_PERSISTED, "aad-key-not-persisted",
        "an Azure AD profile writes an account, but not the attribute that it finds it by";
    AAD_OUTPUT_UNSUPPORTED, "aad-output-unsupported",
        "an Azure AD profile reads something that is no attribute of a directory account";
    AAD_DISPLAYNAME_CREATE, "aad-displayname-create",
        "an Azure AD profile creates accounts without a display name";
}

/// The name of an attribute in the directory.
pub(super) fn attribute_name<'s>(claim: &Claim<'s>) -> &'s str {
    claim
        .attribute("PartnerClaimType")
        .unwrap_or(claim.claim_type)
}

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    if reached.kind != Some(ProfileKind::Directory) {
        return;
    }
    findings.extend(one_input(reached));
    for claim in &reached.profile.output_claims {
        findings.extend(output(reached, claim));
    }
    let write = reached
        .metadata_text("Operation")
        .is_some_and(|operation| operation.eq_ignore_ascii_case("Write"));
    let persisted = &reached.profile.persisted_claims;
    if write && !persisted.is_empty() {
        let start = findings.len();
        findings.extend(key_not_persisted(reached));
        findings.extend(no_display_name(reached));
        // One that is not declared is reported as such, and may stand for the one that is missing.
        if !persisted.iter().all(|claim| is_declared(reached, claim)) {
            doubt_while(UNDECLARED_CLAIM, &mut findings[start..]);
        }
    }
}

fn is_declared(reached: &Reached<'_, '_>, claim: &Claim<'_>) -> bool {
    reached.view.declares(Kind::ClaimType, claim.claim_type)
}

fn is_persisted(reached: &Reached<'_, '_>, name: &str) -> bool {
    let mut claims = reached.profile.persisted_claims.iter();
    claims.any(|claim| attribute_name(claim).eq_ignore_ascii_case(name))
}

fn one_input(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let count = reached.profile.input_claims.len();
    if count == 1 {
        return None;
    }
    let place = match reached.profile.input_claims.last() {
        Some(claim) => reached.place_at([claim.site()])?,
        None => reached.place()?,
    };
    let id = reached.profile.id;
    let message = if count == 0 {
        format!("Azure AD profile `{id}` has no input claim to find the account by")
    } else {
        format!("Azure AD profile `{id}` has {count} input claims; it finds the account by one")
    };
    let finding = Diagnostic::new(&AAD_ONE_INPUTCLAIM, place.location, message)
        .help("keep the one input claim that identifies the account")
        .policy_id(place.policy_id());
    Some(match reached.profile.input_claims.last() {
        Some(claim) => finding.cause(claim.site().tag_location()),
        None => finding,
    })
}

fn output<'s>(reached: &Reached<'_, 's>, claim: &Claim<'s>) -> Option<Diagnostic> {
    let name = attribute_name(claim);
    let has_default = claim.attribute("DefaultValue").is_some();
    if has_default
        || name.contains('{')
        || is_directory_attribute(name)
        || !is_declared(reached, claim)
    {
        return None;
    }
    let place = reached.place_at(claim.sites.iter().rev().copied())?;
    let finding = Diagnostic::new(
        &AAD_OUTPUT_UNSUPPORTED,
        place.location,
        format!("`{name}` is no attribute that Azure AD profile `{}` can read", reached.profile.id),
    )
    .cause(claim.site().tag_location())
    .service_message(format!(
        "Output Claim '{name}' is not supported in Azure Active Directory Provider technical profile \
         '{}' of policy '{}'. If it is a claim with default value, add AlwaysUseDefaultValue=\"true\" \
         to the output claim mapping.",
        reached.profile.id,
        place.policy_id()
    ))
    .policy_id(place.policy_id());
    Some(match near_miss(name, directory_attributes()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(
            "name the attribute in PartnerClaimType; attributes of your own begin with `extension_`",
        ),
    })
}

fn key_not_persisted(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let [key] = reached.profile.input_claims.as_slice() else {
        return None;
    };
    if !is_declared(reached, key) {
        return None;
    }
    let name = attribute_name(key);
    let persisted = &reached.profile.persisted_claims;
    let same_claim = persisted
        .iter()
        .any(|claim| claim.claim_type.eq_ignore_ascii_case(key.claim_type));
    if same_claim || is_persisted(reached, name) {
        return None;
    }
    let place = reached.place()?;
    Some(
        Diagnostic::new(
            &AAD_KEY_NOT_PERSISTED,
            place.location,
            format!(
                "`{}` finds the account by `{name}`, but does not persist it",
                reached.profile.id
            ),
        )
        .related(
            key.site().attribute_location("ClaimTypeReferenceId"),
            "the input claim",
        )
        .help(format!("add `{name}` to its PersistedClaims"))
        .policy_id(place.policy_id()),
    )
}

fn no_display_name(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    // Only a profile that refuses existing accounts surely creates one.
    if reached.flag("RaiseErrorIfClaimsPrincipalAlreadyExists") != Some(true)
        || is_persisted(reached, "displayName")
    {
        return None;
    }
    let place = reached.place()?;
    Some(
        Diagnostic::new(
            &AAD_DISPLAYNAME_CREATE,
            place.location,
            format!("`{}` creates accounts, but persists no displayName", reached.profile.id),
        )
        .help(
            "add `<PersistedClaim ClaimTypeReferenceId=\"displayName\" DefaultValue=\"unknown\" />`: \
             an account cannot be without one",
        )
        .policy_id(place.policy_id()),
    )
}
