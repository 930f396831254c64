//! Every kind of reference by id, pointed at nothing.

use roxmltree::Node;

use super::engine::Mutant;
use super::model::{Model, Place, below, child, has_path, is, within};

const NOWHERE: &str = "brokenReference";

/// A reference in an attribute: what it is, the last names on the way to its element, the attribute,
/// and the rule.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
);

const ATTRIBUTES: &[Row] = &[
    (
        "input claim of a profile",
        &["TechnicalProfile", "InputClaims", "InputClaim"],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "output claim of a profile",
        &["TechnicalProfile", "OutputClaims", "OutputClaim"],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "persisted claim",
        &["TechnicalProfile", "PersistedClaims", "PersistedClaim"],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "display claim",
        &["TechnicalProfile", "DisplayClaims", "DisplayClaim"],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "display control of a display claim",
        &["DisplayClaims", "DisplayClaim"],
        "DisplayControlReferenceId",
        "ref-displaycontrol",
    ),
    (
        "input claim of a transformation",
        &["ClaimsTransformation", "InputClaims", "InputClaim"],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "output claim of a transformation",
        &["ClaimsTransformation", "OutputClaims", "OutputClaim"],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "input claim of a display control",
        &["DisplayControl", "InputClaims", "InputClaim"],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "output claim of a display control",
        &["DisplayControl", "OutputClaims", "OutputClaim"],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "display claim of a display control",
        &["DisplayControl", "DisplayClaims", "DisplayClaim"],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "slot of a display control",
        &["DisplayControl", "DisplayClaims", "DisplayClaim"],
        "ControlClaimType",
        "displaycontrol-actions",
    ),
    (
        "input claims transformation",
        &["InputClaimsTransformation"],
        "ReferenceId",
        "ref-claimstransformation",
    ),
    (
        "output claims transformation",
        &["OutputClaimsTransformation"],
        "ReferenceId",
        "ref-claimstransformation",
    ),
    (
        "validation technical profile",
        &["ValidationTechnicalProfile"],
        "ReferenceId",
        "ref-technicalprofile",
    ),
    (
        "profile of a display control's action",
        &["ValidationClaimsExchangeTechnicalProfile"],
        "TechnicalProfileReferenceId",
        "ref-technicalprofile",
    ),
    (
        "claims exchange",
        &["ClaimsExchange"],
        "TechnicalProfileReferenceId",
        "ref-technicalprofile",
    ),
    (
        "included profile",
        &["IncludeTechnicalProfile"],
        "ReferenceId",
        "include-not-found",
    ),
    (
        "session management",
        &["UseTechnicalProfileForSessionManagement"],
        "ReferenceId",
        "ref-technicalprofile",
    ),
    (
        "issuer of a step",
        &["OrchestrationStep"],
        "CpimIssuerTechnicalProfileReferenceId",
        "ref-technicalprofile",
    ),
    (
        "issuer of a journey",
        &["UserJourney"],
        "DefaultCpimIssuerTechnicalProfileReferenceId",
        "ref-technicalprofile",
    ),
    (
        "authorization profile",
        &["AuthorizationTechnicalProfile"],
        "ReferenceId",
        "ref-technicalprofile",
    ),
    (
        "content definition of a step",
        &["OrchestrationStep"],
        "ContentDefinitionReferenceId",
        "ref-contentdefinition-step",
    ),
    (
        "target of a selection",
        &["ClaimsProviderSelection"],
        "TargetClaimsExchangeId",
        "selection-target",
    ),
    (
        "exchange that validates a selection",
        &["ClaimsProviderSelection"],
        "ValidationClaimsExchangeId",
        "selection-target",
    ),
    (
        "sub journey of a step",
        &["Candidate"],
        "SubJourneyReferenceId",
        "ref-subjourney",
    ),
    (
        "default user journey",
        &["DefaultUserJourney"],
        "ReferenceId",
        "ref-userjourney",
    ),
    (
        "journey of an endpoint",
        &["Endpoint"],
        "UserJourneyReferenceId",
        "ref-userjourney",
    ),
    (
        "client definition",
        &["UserJourney", "ClientDefinition"],
        "ReferenceId",
        "ref-clientdefinition",
    ),
    ("predicate", &["PredicateReference"], "Id", "ref-predicate"),
    (
        "predicate validation",
        &["PredicateValidationReference"],
        "Id",
        "ref-predicatevalidation",
    ),
    (
        "localized resources",
        &["LocalizedResourcesReference"],
        "LocalizedResourcesReferenceId",
        "ref-localizedresources",
    ),
    (
        "output claim of a relying party",
        &[
            "RelyingParty",
            "TechnicalProfile",
            "OutputClaims",
            "OutputClaim",
        ],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "input claim of a relying party",
        &[
            "RelyingParty",
            "TechnicalProfile",
            "InputClaims",
            "InputClaim",
        ],
        "ClaimTypeReferenceId",
        "ref-claimtype",
    ),
    (
        "subject of a relying party",
        &["RelyingParty", "TechnicalProfile", "SubjectNamingInfo"],
        "ClaimType",
        "subject-naming",
    ),
    (
        "keyset",
        &["CryptographicKeys", "Key"],
        "StorageReferenceId",
        "policykey-prefix",
    ),
];

/// References in metadata items: key and rule.
const ITEMS: &[(&str, &str)] = &[
    (
        "ContentDefinitionReferenceId",
        "ref-contentdefinition-metadata",
    ),
    ("ClaimTypeOnWhichToEnable", "ref-metadata-claim"),
    ("UseClaimAsBearerToken", "rest-bearer-source"),
    ("ClaimUsedForRequestPayload", "ref-metadata-claim"),
    (
        "issuer_refresh_token_user_identity_claim_type",
        "ref-metadata-claim",
    ),
];

/// Whose texts a localized string can be.
const LOCALIZED: &[&str] = &[
    "ClaimType",
    "Predicate",
    "PredicateValidation",
    "DisplayControl",
];

pub(super) fn breaks(model: &Model<'_>, mutants: &mut Vec<Mutant>) {
    for place in model.elements() {
        let (_, element) = place;
        for (kind, path, attribute, rule) in ATTRIBUTES {
            let of_profile = path[0] == "TechnicalProfile" && within(element, "RelyingParty");
            if has_path(element, path) && !of_profile {
                // Now another word, now a slip of the keyboard: they are explained differently. Any
                // name can be that of a keyset.
                let written = element.attribute(*attribute).unwrap_or_default();
                let broken = if element.range().start % 2 == 0 || *kind == "keyset" {
                    NOWHERE.to_owned()
                } else {
                    format!("{written}z")
                };
                mutants.extend(Mutant::attribute(kind, rule, place, attribute, broken));
            }
        }
        if has_path(element, &["Metadata", "Item"]) && !within(element, "RelyingParty") {
            let key = element.attribute("Key").unwrap_or_default();
            if let Some((kind, rule)) = ITEMS.iter().find(|(known, _)| *known == key) {
                mutants.extend(Mutant::text(kind, rule, place, NOWHERE));
            }
        }
        if has_path(element, &["Precondition", "Value"]) && element.prev_sibling_element().is_none()
        {
            mutants.extend(Mutant::text(
                "claim of a precondition",
                "ref-precondition-claim",
                place,
                NOWHERE,
            ));
        }
        if is(element, "LocalizedString")
            && LOCALIZED.contains(&element.attribute("ElementType").unwrap_or_default())
        {
            mutants.extend(Mutant::attribute(
                "element of a localized string",
                "ref-localization-element",
                place,
                "ElementId",
                NOWHERE,
            ));
        }
        bases(place, mutants);
        inserted(place, mutants);
    }
    relying_parties(model, mutants);
}

fn bases((file, element): Place<'_>, mutants: &mut Vec<Mutant>) {
    if has_path(element, &["BasePolicy", "PolicyId"]) {
        let rule = "base-not-found";
        mutants.extend(Mutant::text(
            "base policy",
            rule,
            (file, element),
            "B2C_1A_Nowhere",
        ));
    }
    if has_path(element, &["BasePolicy", "TenantId"]) {
        let (rule, other) = ("tenantid-mismatch-set", "fabrikam.onmicrosoft.com");
        mutants.extend(Mutant::text(
            "tenant of the base",
            rule,
            (file, element),
            other,
        ));
    }
}

/// References of which the corpus has none.
fn inserted(place: Place<'_>, mutants: &mut Vec<Mutant>) {
    let (_, element) = place;
    if has_path(element, &["TechnicalProfile", "IncludeTechnicalProfile"]) {
        mutants.push(Mutant::before(
            "profile whose claims are included",
            "include-claims-scope",
            place,
            "<IncludeClaimsFromTechnicalProfile>brokenReference</IncludeClaimsFromTechnicalProfile>",
        ));
    }
    let is_first = !element
        .prev_siblings()
        .any(|before| is(before, "InputClaimsTransformations"));
    if is_first
        && has_path(element, &["TechnicalProfile", "InputClaims"])
        && !within(element, "RelyingParty")
    {
        mutants.push(Mutant::before(
            "source of input tokens",
            "ref-technicalprofile",
            place,
            "<InputTokenSources><TechnicalProfile Id=\"brokenReference\" /></InputTokenSources>",
        ));
    }
    if has_path(element, &["TechnicalProfile", "InputClaims", "InputClaim"])
        && !within(element, "RelyingParty")
        && !element.has_children()
        && let Some(claim) = element.attribute("ClaimTypeReferenceId")
    {
        let from = format!(
            "<InputClaim ClaimTypeReferenceId=\"{claim}\"><From \
             TechnicalProfileReferenceId=\"{NOWHERE}\" /></InputClaim>"
        );
        let (kind, rule) = (
            "profile that an input claim comes from",
            "ref-technicalprofile",
        );
        mutants.push(Mutant::new(kind, rule, place.0, element.range(), from));
    }
    if is(element, "ClaimsSchema") {
        let next = element.next_sibling_element();
        let room = ["Predicates", "InputValidations", "PredicateValidations"];
        if next.is_some_and(|next| room.iter().all(|name| !is(next, name))) {
            mutants.push(Mutant::behind(
                "predicate",
                "ref-predicate",
                place,
                "<PredicateValidations><PredicateValidation Id=\"a\"><PredicateGroups>\
                 <PredicateGroup Id=\"b\"><PredicateReferences MatchAtLeast=\"1\">\
                 <PredicateReference Id=\"brokenReference\" /></PredicateReferences>\
                 </PredicateGroup></PredicateGroups></PredicateValidation></PredicateValidations>",
            ));
        }
    }
    if has_path(element, &["RelyingParty", "DefaultUserJourney"])
        && element
            .next_sibling_element()
            .is_some_and(|next| !is(next, "Endpoints"))
    {
        mutants.push(Mutant::behind(
            "journey of an endpoint",
            "ref-userjourney",
            place,
            "<Endpoints><Endpoint Id=\"Token\" UserJourneyReferenceId=\"brokenReference\" />\
             </Endpoints>",
        ));
    }
    if is(element, "ClaimType")
        && child(element, "PredicateValidationReference").is_none()
        && let Some(last) = element.children().rfind(Node::is_element)
    {
        for (kind, rule, name) in [
            (
                "input validation",
                "ref-inputvalidation",
                "InputValidationReference",
            ),
            (
                "predicate validation",
                "ref-predicatevalidation",
                "PredicateValidationReference",
            ),
        ] {
            let reference = format!("<{name} Id=\"{NOWHERE}\" />");
            mutants.push(Mutant::behind(kind, rule, (place.0, last), &reference));
        }
    }
    if is(element, "LocalizedStrings") {
        mutants.push(Mutant::before(
            "claim type of a localized collection",
            "ref-localization-element",
            place,
            "<LocalizedCollections><LocalizedCollection ElementType=\"ClaimType\" \
             ElementId=\"brokenReference\" TargetCollection=\"Restriction\">\
             <Item Text=\"a\" Value=\"b\" /></LocalizedCollection></LocalizedCollections>",
        ));
    }
}

/// References that count only where a relying party reaches them.
fn relying_parties(model: &Model<'_>, mutants: &mut Vec<Mutant>) {
    for (file, _, journey) in model.relying_parties() {
        for step in model.steps(file, journey) {
            let issuer = step
                .elements
                .iter()
                .find_map(|(_, step)| step.attribute("CpimIssuerTechnicalProfileReferenceId"));
            let issuer = issuer.filter(|_| step.kind() == "SendClaims");
            let profiles = issuer.map(|id| model.declared(file, "TechnicalProfile", id));
            for (at, profile) in profiles.into_iter().flatten() {
                let Some(metadata) = child(profile, "Metadata") else {
                    continue;
                };
                let Some(item) = below(metadata, "Item").next() else {
                    continue;
                };
                for key in [
                    "RefreshTokenUserJourneyId",
                    "ClientCredentialsUserJourneyId",
                ] {
                    let what = format!("<Item Key=\"{key}\">{NOWHERE}</Item>");
                    let rule = "ref-refresh-journey";
                    mutants.push(Mutant::before(key, rule, (at, item), &what));
                }
            }
            links(model, file, &step, mutants);
        }
    }
}

/// Links of a page to claims exchanges of the next step.
fn links(model: &Model<'_>, file: usize, step: &super::model::Step<'_>, mutants: &mut Vec<Mutant>) {
    if !matches!(
        step.kind(),
        "CombinedSignInAndSignUp" | "ClaimsProviderSelection"
    ) {
        return;
    }
    for (_, exchange) in step.exchanges() {
        let id = exchange
            .attribute("TechnicalProfileReferenceId")
            .unwrap_or_default();
        for (at, profile) in model.declared(file, "TechnicalProfile", id) {
            if !model.may_break(at) {
                continue;
            }
            let rule = "signuptarget-missing";
            let (target, other) = ("SignUpTarget", "setting.forgotPasswordLinkOverride");
            let mut has_other = false;
            for item in below(profile, "Item") {
                if item.attribute("Key") == Some(target) {
                    let mutant = Mutant::text(target, rule, (at, item), NOWHERE);
                    mutants.extend(mutant);
                }
                has_other |= item.attribute("Key") == Some(other);
            }
            if let Some(first) = below(profile, "Item").next()
                && !has_other
            {
                let item = format!("<Item Key=\"{other}\">{NOWHERE}</Item>");
                mutants.push(Mutant::before(other, rule, (at, first), &item));
            }
        }
    }
}
