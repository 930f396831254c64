use crate::diagnostics::Span;
use crate::xml::{Document, Element, Fingerprint, NodeId};

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
    const fn path(self) -> &'static [Word] {
        const BLOCKS: Word = Word::of("BuildingBlocks");
        match self {
            Self::ClaimType => const { &[BLOCKS, Word::of("ClaimsSchema")] },
            Self::Predicate => const { &[BLOCKS, Word::of("Predicates")] },
            Self::InputValidation => const { &[BLOCKS, Word::of("InputValidations")] },
            Self::PredicateValidation => const { &[BLOCKS, Word::of("PredicateValidations")] },
            Self::ClaimsTransformation => const { &[BLOCKS, Word::of("ClaimsTransformations")] },
            Self::ClientDefinition => const { &[BLOCKS, Word::of("ClientDefinitions")] },
            Self::ContentDefinition => const { &[BLOCKS, Word::of("ContentDefinitions")] },
            Self::LocalizedResources => const { &[BLOCKS, Word::of("Localization")] },
            Self::DisplayControl => const { &[BLOCKS, Word::of("DisplayControls")] },
            Self::TechnicalProfile => {
                const {
                    &[
                        Word::of("ClaimsProviders"),
                        Word::of("ClaimsProvider"),
                        Word::of("TechnicalProfiles"),
                    ]
                }
            }
            Self::UserJourney => const { &[Word::of("UserJourneys")] },
            Self::SubJourney => const { &[Word::of("SubJourneys")] },
        }
    }
}

/// An element name whose fingerprint is known when the program is compiled.
#[derive(Clone, Copy)]
struct Word {
    name: &'static str,
    fingerprint: Fingerprint,
}

impl Word {
    const fn of(name: &'static str) -> Self {
        Self {
            name,
            fingerprint: Fingerprint::of_word(name),
        }
    }
}

/// What one file declares: for each kind and id the elements, in document order.
#[derive(Debug, Clone, Default)]
pub(super) struct Declarations {
    /// The elements of each kind, one kind behind the other, in document order.
    in_order: Vec<NodeId>,
    /// Where in `in_order` the elements of each kind begin, and where the last ones end.
    of_kind: [u32; Kind::ALL.len() + 1],
    /// The elements of one bucket next to each other and in document order.
    by_key: Vec<Declared>,
    /// Where in `by_key` each bucket begins, and where the last one ends. The number of buckets is a
    /// power of two and no smaller than that of the elements, so that a bucket holds about one.
    buckets: Vec<u32>,
    /// Whether two elements have one key.
    has_twins: bool,
}

#[derive(Debug, Clone, Copy)]
struct Declared {
    key: u64,
    node: NodeId,
    /// Where the id stands in the text of the document; nowhere if it is written with references.
    id: Span,
}

/// Kind and id as one number.
fn key(kind: Kind, id: Id<'_>) -> u64 {
    (id.hash_value() ^ kind as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Declarations {
    pub(super) fn read(document: &Document) -> Self {
        let mut declarations = Self::default();
        let Some(root) = document.root() else {
            return declarations;
        };
        let mut found = Vec::new();
        for kind in Kind::ALL {
            let elements = document.elements_named(kind.element());
            let declared = elements.filter(|element| is_at(*element, root, kind.path()));
            found.extend(declared.filter_map(|element| Declared::read(kind, element)));
            declarations.of_kind[kind as usize + 1] = found.len() as u32;
        }
        declarations.in_order = found.iter().map(|declared| declared.node).collect();
        declarations.sort_into_buckets(&found);
        declarations
    }

    fn sort_into_buckets(&mut self, found: &[Declared]) {
        let Some(&first) = found.first() else {
            return;
        };
        let count = found.len().next_power_of_two();
        // First how many each bucket holds, one place further on; then where each begins; and in the
        // end, as places are given away, where the next one begins.
        let mut buckets = vec![0; count + 2];
        for declared in found {
            buckets[bucket(declared.key, count) + 2] += 1;
        }
        for index in 2..buckets.len() {
            buckets[index] += buckets[index - 1];
        }
        self.by_key = vec![first; found.len()];
        for &declared in found {
            let place = &mut buckets[bucket(declared.key, count) + 1];
            self.by_key[*place as usize] = declared;
            *place += 1;
        }
        buckets.pop();
        let mut ends = buckets.windows(2);
        self.has_twins = ends.any(|ends| {
            let bucket = &self.by_key[ends[0] as usize..ends[1] as usize];
            let mut all = bucket.iter().enumerate();
            all.any(|(index, one)| bucket[..index].iter().any(|other| other.key == one.key))
        });
        self.buckets = buckets;
    }

    /// The elements of the document that declare this id, in document order.
    pub(super) fn declared_as<'d, 'i>(
        &'d self,
        document: &'d Document,
        kind: Kind,
        id: Id<'i>,
    ) -> impl DoubleEndedIterator<Item = NodeId> + use<'d, 'i> {
        let key = key(kind, id);
        let bucket = match self.buckets.len() {
            0 => &[],
            length => {
                let bucket = bucket(key, length - 1);
                let [from, to] = [self.buckets[bucket], self.buckets[bucket + 1]];
                &self.by_key[from as usize..to as usize]
            }
        };
        bucket
            .iter()
            .filter(move |declared| declared.key == key && declared.is_called(document, id))
            .map(|declared| declared.node)
    }

    /// Whether two elements of a kind have the same id.
    pub(super) const fn has_twins(&self) -> bool {
        self.has_twins
    }

    /// All elements of a kind, in document order.
    pub(super) fn of_kind(&self, kind: Kind) -> &[NodeId] {
        let [from, to] = [self.of_kind[kind as usize], self.of_kind[kind as usize + 1]];
        &self.in_order[from as usize..to as usize]
    }
}

/// Whether the element stands at the end of a path of names below the root.
fn is_at(element: Element<'_>, root: Element<'_>, path: &[Word]) -> bool {
    let mut above = element.parent();
    for word in path.iter().rev() {
        match above {
            Some(named) if named.has_name(word.fingerprint, word.name) => above = named.parent(),
            _ => return false,
        }
    }
    above == Some(root)
}

impl Declared {
    /// `None` for an element without id.
    fn read(kind: Kind, element: Element<'_>) -> Option<Self> {
        let id = element.attribute("Id")?;
        let (value, span) = (id.value(), id.value_span());
        let is_verbatim = span.of(element.document().text()) == value;
        Some(Self {
            key: key(kind, Id::of(value)),
            node: element.id(),
            id: if is_verbatim { span } else { Span::at(0) },
        })
    }

    /// Whether the id is another way to write this one. Ids with the same key nearly always are.
    fn is_called(&self, document: &Document, id: Id<'_>) -> bool {
        if self.id.is_empty() {
            let element = document.element(self.node);
            let written = element.and_then(|element| element.attribute_value("Id"));
            return written.is_some_and(|written| id.is_written(written));
        }
        id.is_written(self.id.of(document.text()))
    }
}

/// By the upper half of a key, which all of its lower bits are mixed into.
const fn bucket(key: u64, count: usize) -> usize {
    (key >> 32) as usize & (count - 1)
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
