use crate::diagnostics::Span;
use crate::xml::{Attribute, Document, Element, Fingerprint, NodeId};

use super::Kind;
use super::set::Policy;

/// One way in which a policy refers to an element by its id.
#[derive(Debug, PartialEq, Eq)]
pub struct ReferenceRow {
    /// The referring element.
    pub element: &'static str,
    /// Its parent, where the element name alone is ambiguous.
    pub parent: Option<&'static str>,
    /// The attribute that holds the id.
    pub attribute: &'static str,
    /// What it refers to.
    pub target: Kind,
    /// Whether the tenant is known to look the target up when the policy is uploaded.
    pub is_checked: bool,
}

const fn row(element: &'static str, attribute: &'static str, target: Kind) -> ReferenceRow {
    ReferenceRow {
        element,
        parent: None,
        attribute,
        target,
        is_checked: true,
    }
}

/// Every reference to an element of the policy or its ancestors, without regard to case. References
/// in metadata, and those that the tenant's keysets decide, are not in this table.
pub static SOURCES: &[ReferenceRow] = &[
    row("InputClaim", "ClaimTypeReferenceId", Kind::ClaimType),
    row("OutputClaim", "ClaimTypeReferenceId", Kind::ClaimType),
    row("PersistedClaim", "ClaimTypeReferenceId", Kind::ClaimType),
    row("DisplayClaim", "ClaimTypeReferenceId", Kind::ClaimType),
    row(
        "DisplayClaim",
        "DisplayControlReferenceId",
        Kind::DisplayControl,
    ),
    row(
        "InputClaimsTransformation",
        "ReferenceId",
        Kind::ClaimsTransformation,
    ),
    row(
        "OutputClaimsTransformation",
        "ReferenceId",
        Kind::ClaimsTransformation,
    ),
    row(
        "ValidationTechnicalProfile",
        "ReferenceId",
        Kind::TechnicalProfile,
    ),
    row(
        "ValidationClaimsExchangeTechnicalProfile",
        "TechnicalProfileReferenceId",
        Kind::TechnicalProfile,
    ),
    row(
        "ClaimsExchange",
        "TechnicalProfileReferenceId",
        Kind::TechnicalProfile,
    ),
    row(
        "IncludeTechnicalProfile",
        "ReferenceId",
        Kind::TechnicalProfile,
    ),
    row(
        "UseTechnicalProfileForSessionManagement",
        "ReferenceId",
        Kind::TechnicalProfile,
    ),
    row(
        "OrchestrationStep",
        "CpimIssuerTechnicalProfileReferenceId",
        Kind::TechnicalProfile,
    ),
    row(
        "UserJourney",
        "DefaultCpimIssuerTechnicalProfileReferenceId",
        Kind::TechnicalProfile,
    ),
    row(
        "AuthorizationTechnicalProfile",
        "ReferenceId",
        Kind::TechnicalProfile,
    ),
    row(
        "OrchestrationStep",
        "ContentDefinitionReferenceId",
        Kind::ContentDefinition,
    ),
    row("Candidate", "SubJourneyReferenceId", Kind::SubJourney),
    row("DefaultUserJourney", "ReferenceId", Kind::UserJourney),
    row("Endpoint", "UserJourneyReferenceId", Kind::UserJourney),
    ReferenceRow {
        parent: Some("UserJourney"),
        ..row("ClientDefinition", "ReferenceId", Kind::ClientDefinition)
    },
    row("PredicateReference", "Id", Kind::Predicate),
    row(
        "PredicateValidationReference",
        "Id",
        Kind::PredicateValidation,
    ),
    row("InputValidationReference", "Id", Kind::InputValidation),
    // The schema has these two; no documentation and no published policy does.
    ReferenceRow {
        parent: Some("InputTokenSources"),
        is_checked: false,
        ..row("TechnicalProfile", "Id", Kind::TechnicalProfile)
    },
    ReferenceRow {
        is_checked: false,
        ..row(
            "From",
            "TechnicalProfileReferenceId",
            Kind::TechnicalProfile,
        )
    },
];

/// One reference in a file.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'s> {
    /// Which way of referring it is.
    pub row: &'static ReferenceRow,
    /// The id as written.
    pub id: &'s str,
    /// Where the id stands.
    pub span: Span,
    /// The referring element.
    pub element: Element<'s>,
}

/// A reference as a policy keeps it: the row, the referring element and which of its attributes it is.
pub(super) type Found = (&'static ReferenceRow, NodeId, u32);

/// The references of a policy's own file, those of one way of referring in document order. They are
/// looked for once.
pub fn references(policy: &Policy) -> impl Iterator<Item = Reference<'_>> {
    let found = policy
        .found
        .references
        .get_or_init(|| find(&policy.document));
    found.iter().filter_map(|&(row, node, attribute)| {
        let element = policy.document.element(node)?;
        let attribute = element.attributes().nth(attribute as usize)?;
        Some(Reference {
            row,
            id: attribute.value(),
            span: attribute.value_span(),
            element,
        })
    })
}

fn find(document: &Document) -> Vec<Found> {
    let mut found = Vec::new();
    for row in SOURCES {
        let name = Fingerprint::of(row.attribute);
        for element in document.elements_named(row.element) {
            let is_below = |parent| element.parent().is_some_and(|own| own.is_named(parent));
            let is_it = |attribute: &Attribute<'_>| {
                attribute.is_plain() && attribute.has_name(name, row.attribute)
            };
            let mut attributes = element.attributes().zip(0..);
            if row.parent.is_none_or(is_below)
                && let Some((_, number)) = attributes.find(|(attribute, _)| is_it(attribute))
            {
                found.push((row, element.id(), number));
            }
        }
    }
    found
}
