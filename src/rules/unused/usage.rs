//! `unused-…`: elements that no relying party of the set needs.
//!
//! Journeys and technical profiles count as used where a relying party reaches them through any
//! declaration of the set, merged or not; everything else where anything mentions it. Both find too
//! much in use rather than too little. A reference to nothing is a finding of its own, and keeps these
//! rules silent: whatever seems unused may be what it means, or in use there.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{
    Base, Id, IdHasher, IdSet, Kind, Policy, PolicyIndex, PolicySet, Role, Site, references,
};
use crate::xml::{Attribute, Element};

macro_rules! rules {
    ($($name:ident, $id:literal, $summary:literal;)*) => {
        $(pub(super) static $name: Rule = Rule {
            id: $id,
            level: Level::Hint,
            summary: $summary,
        };)*
    };
}

rules! {
    UNUSED_CLAIM, "unused-claim",
        "a claim type that nothing in the set refers to";
    UNUSED_TECHNICALPROFILE, "unused-technicalprofile",
        "a technical profile that no relying party of the set reaches";
    UNUSED_JOURNEY, "unused-journey",
        "a user journey that no relying party of the set reaches";
    UNUSED_SUBJOURNEY, "unused-subjourney",
        "a sub journey that no relying party of the set reaches";
    UNUSED_CONTENTDEFINITION, "unused-contentdefinition",
        "a content definition that nothing in the set refers to";
    UNUSED_DISPLAYCONTROL, "unused-displaycontrol",
        "a display control that nothing in the set refers to";
    UNUSED_PREDICATE, "unused-predicate",
        "a predicate, predicate validation or input validation that nothing in the set refers to";
    CT_UNUSED, "ct-unused",
        "no technical profile of the set runs the claims transformation";
    LOCALIZATION_UNUSED, "localization-unused",
        "no content definition of the set refers to the localized resources";
}

/// What the service uses without being told to.
const USED_BY_SERVICE: &[(Kind, &str)] = &[
    // Session management where a profile names none.
    (
        Kind::TechnicalProfile,
        "tpengine_c3bd4fe2-1775-4013-b91d-35f16d377d13",
    ),
    // The page of errors.
    (Kind::ContentDefinition, "api.error"),
    // Parameters of token requests.
    (Kind::ClaimType, "grant_type"),
    (Kind::ClaimType, "scope"),
    (Kind::ClaimType, "nca"),
    (Kind::ClaimType, "client_id"),
    (Kind::ClaimType, "resource_id"),
];

fn rule(kind: Kind) -> Option<&'static Rule> {
    Some(match kind {
        Kind::ClaimType => &UNUSED_CLAIM,
        Kind::TechnicalProfile => &UNUSED_TECHNICALPROFILE,
        Kind::UserJourney => &UNUSED_JOURNEY,
        Kind::SubJourney => &UNUSED_SUBJOURNEY,
        Kind::ContentDefinition => &UNUSED_CONTENTDEFINITION,
        Kind::DisplayControl => &UNUSED_DISPLAYCONTROL,
        Kind::Predicate | Kind::PredicateValidation | Kind::InputValidation => &UNUSED_PREDICATE,
        Kind::ClaimsTransformation => &CT_UNUSED,
        Kind::LocalizedResources => &LOCALIZATION_UNUSED,
        Kind::ClientDefinition => return None,
    })
}

/// Whether elements of the kind are in use only where a relying party reaches them.
const fn is_reached(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::TechnicalProfile | Kind::UserJourney | Kind::SubJourney
    )
}

/// What to say of an element that is not in use, before its name.
const fn complaint(kind: Kind) -> &'static str {
    match kind {
        Kind::ClaimsTransformation => "no technical profile of the set runs",
        Kind::LocalizedResources => "no content definition of the set refers to",
        _ if is_reached(kind) => "no relying party of the set reaches",
        _ => "nothing in the set refers to",
    }
}

/// The elements that [`Usage::refer_by_text`] knows.
const REFERRING_BY_TEXT: &[&str] = &[
    "Item",
    "IncludeClaimsFromTechnicalProfile",
    "From",
    "TechnicalProfile",
    "LocalizedResourcesReference",
    "Precondition",
];

/// Metadata items that name a claim.
const CLAIM_KEYS: &[&str] = &[
    "UseClaimAsBearerToken",
    "ClaimUsedForRequestPayload",
    "ClaimTypeOnWhichToEnable",
    "issuer_refresh_token_user_identity_claim_type",
];

/// An element under its id.
type Node<'s> = (Kind, Id<'s>);

type Nodes<'s> = HashSet<Node<'s>, BuildHasherDefault<IdHasher>>;

pub(super) fn check(set: &PolicySet, findings: &mut Vec<Diagnostic>) {
    if !is_complete(set) {
        return;
    }
    let mut usage = Usage::default();
    for (_, policy) in set.iter() {
        usage.add(policy);
    }
    if usage.dangles(set) {
        return;
    }
    let mut reached = usage.reached();
    for (kind, id) in USED_BY_SERVICE {
        usage.mentioned.insert((*kind, Id::of(id)));
        reached.insert((*kind, Id::of(id)));
    }
    let claims = unmentioned_claims(set, &usage);
    let mut seen = Nodes::default();
    for (_, policy) in set.iter() {
        for kind in Kind::ALL {
            let Some(rule) = rule(kind) else {
                continue;
            };
            for site in policy.sites(kind) {
                let Some(id) = site.attribute("Id") else {
                    continue;
                };
                let node = (kind, Id::of(id));
                let used = match kind {
                    Kind::ClaimType => !claims.contains(&node.1),
                    _ if is_reached(kind) => reached.contains(&node),
                    _ => usage.mentioned.contains(&node),
                };
                if used || !seen.insert(node) {
                    continue;
                }
                let complaint = complaint(kind);
                findings.push(
                    Diagnostic::new(
                        rule,
                        site.attribute_location("Id"),
                        format!("{complaint} {} `{id}`", kind.noun()),
                    )
                    .policy_id(policy.id()),
                );
            }
        }
    }
}

/// Whether the set holds everything that could use its elements: all policies are the user's own,
/// each inherits from another one of the set or from nothing, and each that no other inherits from
/// has a relying party, and no relying party lacks what it cannot do without. Policies elsewhere
/// could inherit from one without.
fn is_complete(set: &PolicySet) -> bool {
    let mut parents = HashSet::new();
    for (index, policy) in set.iter() {
        if policy.role != Role::Own || !policy.document.is_well_formed() {
            return false;
        }
        match set.base(index) {
            Base::Root => {}
            Base::InSet(base) => {
                parents.insert(base);
            }
            Base::Elsewhere => return false,
        }
    }
    set.iter()
        .all(|(index, policy)| match policy.relying_party() {
            Some(relying_party) => is_whole(set, index, relying_party),
            None => parents.contains(&index),
        })
}

/// Whether a relying party says which claims it wants, and it or that of a base which journey it runs. If
/// not, that is the finding.
fn is_whole(set: &PolicySet, index: PolicyIndex, own: Site<'_>) -> bool {
    let has = |name| own.child(name).is_some();
    let mut chain = set.chain(index).0.into_iter();
    has("TechnicalProfile")
        && (has("Endpoints") || chain.any(|policy| set.get(policy).names_default_journey()))
}

#[derive(Default)]
struct Usage<'s> {
    /// What the declarations of an element refer to.
    edges: HashMap<Node<'s>, Vec<Node<'s>>, BuildHasherDefault<IdHasher>>,
    /// What is referred to from outside of any declaration: by relying parties.
    roots: Vec<Node<'s>>,
    mentioned: Nodes<'s>,
}

impl<'s> Usage<'s> {
    fn add(&mut self, policy: &'s Policy) {
        for reference in references(policy) {
            self.refer(reference.element, reference.row.target, reference.id);
        }
        for name in REFERRING_BY_TEXT {
            for element in policy.document.elements_named(name) {
                self.refer_by_text(element);
            }
        }
    }

    fn refer(&mut self, from: Element<'s>, kind: Kind, id: &'s str) {
        let target = (kind, Id::of(id.trim()));
        self.mentioned.insert(target);
        if !leads_on(kind) {
            return;
        }
        match owner(from) {
            Some(owner) => self.edges.entry(owner).or_default().push(target),
            None => self.roots.push(target),
        }
    }

    /// References that stand in text, or that the table of references leaves to run time.
    fn refer_by_text(&mut self, element: Element<'s>) {
        match element.name() {
            "Item" => {
                let kind = match element.attribute_value("Key") {
                    Some("ContentDefinitionReferenceId") => Kind::ContentDefinition,
                    Some("RefreshTokenUserJourneyId" | "ClientCredentialsUserJourneyId") => {
                        Kind::UserJourney
                    }
                    Some(key) if CLAIM_KEYS.contains(&key) => Kind::ClaimType,
                    _ => return,
                };
                self.refer(element, kind, element.trimmed_text());
            }
            "Precondition" => {
                if let Some(claim) = element.child("Value") {
                    self.refer(claim, Kind::ClaimType, claim.trimmed_text());
                }
            }
            "LocalizedResourcesReference" => {
                if let Some(id) = element.attribute_value("LocalizedResourcesReferenceId") {
                    self.refer(element, Kind::LocalizedResources, id);
                }
            }
            "IncludeClaimsFromTechnicalProfile" => {
                self.refer(element, Kind::TechnicalProfile, element.trimmed_text());
            }
            "From" => {
                if let Some(id) = element.attribute_value("TechnicalProfileReferenceId") {
                    self.refer(element, Kind::TechnicalProfile, id);
                }
            }
            "TechnicalProfile" => {
                let parent = element.parent();
                if let Some(parent) = parent.filter(|parent| parent.name() == "InputTokenSources")
                    && let Some(id) = element.attribute_value("Id")
                {
                    self.refer(parent, Kind::TechnicalProfile, id);
                }
            }
            _ => {}
        }
    }

    /// Whether something is mentioned that nobody declares.
    fn dangles(&self, set: &PolicySet) -> bool {
        let is_declared = |(kind, id): &Node<'_>| set.declares(*kind, id.written());
        !self.mentioned.iter().all(is_declared)
    }

    fn reached(&self) -> Nodes<'s> {
        let mut reached = Nodes::default();
        let mut waiting: Vec<Node<'s>> = self.roots.clone();
        while let Some(node) = waiting.pop() {
            if reached.insert(node) {
                waiting.extend(self.edges.get(&node).into_iter().flatten());
            }
        }
        reached
    }
}

/// Whether something that is in use only where a relying party reaches it can be reached through
/// elements of the kind.
const fn leads_on(kind: Kind) -> bool {
    is_reached(kind) || matches!(kind, Kind::DisplayControl)
}

/// The claim types that nothing refers to and no other text of the set names either: in the value of an
/// attribute, in the text of an element, or in a claim resolver there.
fn unmentioned_claims<'s>(set: &'s PolicySet, usage: &Usage<'s>) -> IdSet<'s> {
    let declared = set
        .iter()
        .flat_map(|(_, policy)| policy.sites(Kind::ClaimType));
    let ids = declared.filter_map(|site| site.attribute("Id")).map(Id::of);
    let is_unmentioned = |id: &Id<'_>| !usage.mentioned.contains(&(Kind::ClaimType, *id));
    let mut claims: IdSet<'s> = ids.filter(is_unmentioned).collect();
    for (_, policy) in set.iter() {
        for element in policy.document.elements() {
            if claims.is_empty() {
                return claims;
            }
            let values = element.attributes().map(Attribute::value);
            let text = element.holds_text().then(|| element.text());
            for name in values.chain(text).flat_map(names).map(Id::of) {
                // Hardly any value names one, so whether it could is asked last.
                if claims.contains(&name) && may_use_claims(element) {
                    claims.remove(&name);
                }
            }
        }
    }
    claims
}

/// What may be the name of a claim in a value.
fn names(value: &str) -> impl Iterator<Item = &str> {
    let resolved = value.split('{').skip(1).map(|part| {
        let inner = part.split('}').next().unwrap_or(part);
        inner.rsplit(':').next().unwrap_or(inner)
    });
    let names = std::iter::once(value).chain(resolved).map(str::trim);
    names.filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME)
}

/// What is longer names no claim.
const LONGEST_NAME: usize = 128;

/// What a claim says of itself, and its texts in other languages, use no claim.
fn may_use_claims(element: Element<'_>) -> bool {
    let idle = [
        "DisplayName",
        "LocalizedString",
        "LocalizedCollection",
        "ClaimType",
    ];
    let parent = element.parent();
    !idle.iter().any(|name| element.is_named(name))
        && parent.is_none_or(|parent| !parent.is_named("ClaimType"))
}

/// The declaration that contains an element; none in a relying party.
fn owner(element: Element<'_>) -> Option<Node<'_>> {
    std::iter::once(element)
        .chain(element.ancestors())
        .find_map(|element| {
            let kind = Kind::of_element(element.name())?;
            let list = element.parent()?;
            if matches!(list.name(), "RelyingParty" | "InputTokenSources") {
                return None;
            }
            Some((kind, Id::of(element.attribute_value("Id")?)))
        })
}
