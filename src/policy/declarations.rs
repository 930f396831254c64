use crate::xml::{Document, Element, NodeId};

use super::id::Id;

/// The kinds of elements that are declared under an id and referred to from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `BuildingBlocks/ClaimsSchema/ClaimType`.
    ClaimType,
    /// `BuildingBlocks/Predicates/Predicate`.
    Predicate,
    /// `BuildingBlocks/InputValidations/InputValidation`.
    InputValidation,
    /// `BuildingBlocks/PredicateValidations/PredicateValidation`.
    PredicateValidation,
    /// `BuildingBlocks/ClaimsTransformations/ClaimsTransformation`.
    ClaimsTransformation,
    /// `BuildingBlocks/ClientDefinitions/ClientDefinition`.
    ClientDefinition,
    /// `BuildingBlocks/ContentDefinitions/ContentDefinition`.
    ContentDefinition,
    /// `BuildingBlocks/Localization/LocalizedResources`.
    LocalizedResources,
    /// `BuildingBlocks/DisplayControls/DisplayControl`.
    DisplayControl,
    /// `ClaimsProviders/ClaimsProvider/TechnicalProfiles/TechnicalProfile`, over all providers.
    TechnicalProfile,
    /// `UserJourneys/UserJourney`.
    UserJourney,
    /// `SubJourneys/SubJourney`.
    SubJourney,
}

impl Kind {
    /// All kinds, in the order of the schema.
    pub const ALL: [Self; 12] = [
        Self::ClaimType,
        Self::Predicate,
        Self::InputValidation,
        Self::PredicateValidation,
        Self::ClaimsTransformation,
        Self::ClientDefinition,
        Self::ContentDefinition,
        Self::LocalizedResources,
        Self::DisplayControl,
        Self::TechnicalProfile,
        Self::UserJourney,
        Self::SubJourney,
    ];

    /// The element name, which is also the word that the service uses in its messages.
    pub const fn element(self) -> &'static str {
        match self {
            Self::ClaimType => "ClaimType",
            Self::Predicate => "Predicate",
            Self::InputValidation => "InputValidation",
            Self::PredicateValidation => "PredicateValidation",
            Self::ClaimsTransformation => "ClaimsTransformation",
            Self::ClientDefinition => "ClientDefinition",
            Self::ContentDefinition => "ContentDefinition",
            Self::LocalizedResources => "LocalizedResources",
            Self::DisplayControl => "DisplayControl",
            Self::TechnicalProfile => "TechnicalProfile",
            Self::UserJourney => "UserJourney",
            Self::SubJourney => "SubJourney",
        }
    }

    /// The kind of elements of this name.
    pub fn of_element(name: &str) -> Option<Self> {
        Some(match name {
            "ClaimType" => Self::ClaimType,
            "Predicate" => Self::Predicate,
            "InputValidation" => Self::InputValidation,
            "PredicateValidation" => Self::PredicateValidation,
            "ClaimsTransformation" => Self::ClaimsTransformation,
            "ClientDefinition" => Self::ClientDefinition,
            "ContentDefinition" => Self::ContentDefinition,
            "LocalizedResources" => Self::LocalizedResources,
            "DisplayControl" => Self::DisplayControl,
            "TechnicalProfile" => Self::TechnicalProfile,
            "UserJourney" => Self::UserJourney,
            "SubJourney" => Self::SubJourney,
            _ => return None,
        })
    }

    /// The name in prose, as Microsoft's documentation writes it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::ClaimType => "claim type",
            Self::Predicate => "predicate",
            Self::InputValidation => "input validation",
            Self::PredicateValidation => "predicate validation",
            Self::ClaimsTransformation => "claims transformation",
            Self::ClientDefinition => "client definition",
            Self::ContentDefinition => "content definition",
            Self::LocalizedResources => "localized resources",
            Self::DisplayControl => "display control",
            Self::TechnicalProfile => "technical profile",
            Self::UserJourney => "user journey",
            Self::SubJourney => "sub journey",
        }
    }

    /// Where elements of this kind are declared, from below the document element to their parent.
    const fn path(self) -> &'static [&'static str] {
        match self {
            Self::ClaimType => &["BuildingBlocks", "ClaimsSchema"],
            Self::Predicate => &["BuildingBlocks", "Predicates"],
            Self::InputValidation => &["BuildingBlocks", "InputValidations"],
            Self::PredicateValidation => &["BuildingBlocks", "PredicateValidations"],
            Self::ClaimsTransformation => &["BuildingBlocks", "ClaimsTransformations"],
            Self::ClientDefinition => &["BuildingBlocks", "ClientDefinitions"],
            Self::ContentDefinition => &["BuildingBlocks", "ContentDefinitions"],
            Self::LocalizedResources => &["BuildingBlocks", "Localization"],
            Self::DisplayControl => &["BuildingBlocks", "DisplayControls"],
            Self::TechnicalProfile => &["ClaimsProviders", "ClaimsProvider", "TechnicalProfiles"],
            Self::UserJourney => &["UserJourneys"],
            Self::SubJourney => &["SubJourneys"],
        }
    }
}

/// What one file declares: for each kind and id the elements, in document order.
#[derive(Debug, Clone, Default)]
pub(super) struct Declarations {
    kinds: [OfKind; Kind::ALL.len()],
}

#[derive(Debug, Clone, Default)]
struct OfKind {
    /// Hash of the folded id and element; elements of one hash in document order.
    by_hash: Vec<(u64, NodeId)>,
    in_order: Vec<NodeId>,
}

impl Declarations {
    pub(super) fn read(document: &Document) -> Self {
        let mut declarations = Self::default();
        let Some(root) = document.root() else {
            return declarations;
        };
        for kind in Kind::ALL {
            declarations.collect(kind, root, kind.path());
        }
        for of_kind in &mut declarations.kinds {
            of_kind.by_hash.sort_unstable();
        }
        declarations
    }

    fn collect(&mut self, kind: Kind, element: Element<'_>, path: &[&str]) {
        if let Some((first, rest)) = path.split_first() {
            for child in element.children_named(first) {
                self.collect(kind, child, rest);
            }
            return;
        }
        for declaration in element.children_named(kind.element()) {
            let Some(id) = declaration.attribute_value("Id") else {
                continue;
            };
            let of_kind = &mut self.kinds[kind as usize];
            of_kind
                .by_hash
                .push((Id::of(id).hash_value(), declaration.id()));
            of_kind.in_order.push(declaration.id());
        }
    }

    /// The elements that declare this id, in document order, and perhaps others.
    pub(super) fn candidates(
        &self,
        kind: Kind,
        id: Id<'_>,
    ) -> impl DoubleEndedIterator<Item = NodeId> + use<'_> {
        let by_hash = &self.kinds[kind as usize].by_hash;
        let hash = id.hash_value();
        let from = by_hash.partition_point(|(known, _)| *known < hash);
        let same = by_hash[from..]
            .iter()
            .take_while(|(known, _)| *known == hash)
            .count();
        by_hash[from..from + same].iter().map(|&(_, node)| node)
    }

    /// All elements of a kind, in document order.
    pub(super) fn of_kind(&self, kind: Kind) -> &[NodeId] {
        &self.kinds[kind as usize].in_order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_the_names_of_their_elements() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_element(kind.element()), Some(kind));
        }
        assert_eq!(Kind::of_element("Item"), None);
    }
}
