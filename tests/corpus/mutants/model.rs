//! The sets, and who refers to what in them: as simple as it can be, and no code of the library.

use std::path::{Path, PathBuf};

use iefctl::diagnostics::{Diagnostic, Level};
use roxmltree::{Document, Node};

use super::super::files::{check, packs, samples, text, xml_files};

/// A set of policies.
pub(crate) struct PolicyFiles {
    /// Names and texts; the set's own files come first.
    pub(crate) files: Vec<(String, String)>,
    /// How many of them are its own; the others hold their bases.
    pub(crate) own: usize,
    /// Files in which nothing may be broken, because something is.
    unsound: Vec<String>,
}

impl PolicyFiles {
    /// The starter packs, and the samples upon the pack that each fits best.
    pub(crate) fn all(corpus: &Path) -> Vec<Self> {
        let packs = packs(corpus);
        let mut sets: Vec<_> = packs.iter().map(|pack| Self::read(pack, None)).collect();
        for sample in samples(corpus) {
            let upon = packs.iter().map(|pack| Self::read(&sample, Some(pack)));
            sets.extend(upon.min_by_key(|set| set.unsound.len()));
        }
        sets.retain(|set| set.own > set.unsound.len());
        sets
    }

    fn read(folder: &Path, bases: Option<&Path>) -> Self {
        let report = check(folder, bases).report;
        let is_mistake = |finding: &&Diagnostic| {
            finding.level == Level::Error || finding.rule.id == "base-unknown"
        };
        let mistakes = report.diagnostics.iter().filter(is_mistake);
        let mut unsound: Vec<_> = mistakes
            .map(|finding| report.sources.get(finding.primary.location.source).name())
            .map(str::to_owned)
            .collect();
        unsound.dedup();
        let read = |file: PathBuf| (file.display().to_string(), text(&file));
        let is_policy = |(_, text): &(String, String)| {
            Document::parse(text)
                .is_ok_and(|document| document.root_element().has_attribute("PolicyId"))
        };
        let mut files: Vec<_> = xml_files(folder).into_iter().map(read).collect();
        files.retain(is_policy);
        let own = files.len();
        files.extend(bases.into_iter().flat_map(xml_files).map(read));
        Self {
            files,
            own,
            unsound,
        }
    }
}

/// A place in a set: the number of the file and an element of it.
pub(crate) type Place<'m> = (usize, Node<'m, 'm>);

/// A step of a journey, and all elements that contribute to it, the nearest first.
pub(crate) struct Step<'m> {
    pub(crate) order: usize,
    pub(crate) elements: Vec<Place<'m>>,
}

/// A parsed set.
pub(crate) struct Model<'m> {
    pub(crate) set: &'m PolicyFiles,
    pub(crate) documents: Vec<Document<'m>>,
    parents: Vec<Option<usize>>,
}

impl<'m> Model<'m> {
    pub(crate) fn new(set: &'m PolicyFiles) -> Self {
        let documents: Vec<_> = set
            .files
            .iter()
            .map(|(_, text)| Document::parse(text).unwrap())
            .collect();
        let id_of = |document: &Document<'_>| {
            let id = document.root_element().attribute("PolicyId");
            id.unwrap_or_default().to_ascii_lowercase()
        };
        let ids: Vec<_> = documents.iter().map(id_of).collect();
        let parents = documents
            .iter()
            .map(|document| {
                let base = child(document.root_element(), "BasePolicy")?;
                let id = child(base, "PolicyId")?.text()?.trim().to_ascii_lowercase();
                ids.iter().position(|known| *known == id)
            })
            .collect();
        Self {
            set,
            documents,
            parents,
        }
    }

    /// A policy and what it inherits from, nearest first.
    pub(crate) fn chain(&self, file: usize) -> Vec<usize> {
        let mut chain = vec![file];
        while let Some(parent) = self.parents[chain[chain.len() - 1]] {
            assert!(chain.len() < 20, "a cycle");
            chain.push(parent);
        }
        chain
    }

    /// Whether a file is one of the set's own, and it and its bases are sound.
    pub(crate) fn may_break(&self, file: usize) -> bool {
        let is_sound = |file: &usize| !self.set.unsound.contains(&self.set.files[*file].0);
        file < self.set.own && self.chain(file).iter().all(is_sound)
    }

    /// The files that may be broken.
    pub(crate) fn own(&self) -> impl Iterator<Item = usize> {
        (0..self.set.own).filter(|file| self.may_break(*file))
    }

    /// All elements of the set's own files.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Place<'_>> {
        self.own().flat_map(|file| {
            let elements = self.documents[file].descendants().filter(Node::is_element);
            elements.map(move |element| (file, element))
        })
    }

    /// The elements of this name and id that a policy sees, nearest first.
    pub(crate) fn declared(&self, file: usize, name: &str, id: &str) -> Vec<Place<'_>> {
        let chain = self.chain(file);
        let here = |file: usize| {
            let elements = self.documents[file].descendants();
            elements
                .filter(|element| is(*element, name) && !within(*element, "RelyingParty"))
                .filter(|element| {
                    let known = element.attribute("Id");
                    known.is_some_and(|known| known.eq_ignore_ascii_case(id))
                })
                .map(move |element| (file, element))
        };
        chain.into_iter().flat_map(here).collect()
    }

    /// Whether a claim type has any of the data types, where the policy can see it.
    pub(crate) fn data_type(&self, file: usize, claim: &str) -> Option<&str> {
        let declared = self.declared(file, "ClaimType", claim);
        let types = declared
            .iter()
            .filter_map(|(_, element)| child(*element, "DataType"));
        types.into_iter().find_map(|element| element.text())
    }

    /// Own policies with a relying party, each with the id of its default journey.
    pub(crate) fn relying_parties(&self) -> Vec<(usize, Node<'_, '_>, &str)> {
        let relying_party = |file: usize| {
            let root = self.documents[file].root_element();
            let relying_party = child(root, "RelyingParty")?;
            let journey = child(relying_party, "DefaultUserJourney")?;
            Some((file, relying_party, journey.attribute("ReferenceId")?))
        };
        self.own().filter_map(relying_party).collect()
    }

    /// The steps of a journey as a policy sees it, by order.
    pub(crate) fn steps(&self, file: usize, journey: &str) -> Vec<Step<'_>> {
        let mut steps: Vec<Step<'_>> = Vec::new();
        for (file, journey) in self.declared(file, "UserJourney", journey) {
            for element in below(journey, "OrchestrationStep") {
                let order = order(element);
                match steps.iter_mut().find(|step| step.order == order) {
                    Some(step) => step.elements.push((file, element)),
                    None => steps.push(Step {
                        order,
                        elements: vec![(file, element)],
                    }),
                }
            }
        }
        steps.sort_by_key(|step| step.order);
        steps
    }

    /// How many elements of this name and id the whole set has.
    pub(crate) fn count(&self, name: &str, id: &str) -> usize {
        let all = self.documents.iter().flat_map(Document::descendants);
        all.filter(|element| is(*element, name))
            .filter(|element| {
                let known = element.attribute("Id");
                known.is_some_and(|known| known.eq_ignore_ascii_case(id))
            })
            .count()
    }
}

impl<'m> Step<'m> {
    /// The type, as the nearest element has it.
    pub(crate) fn kind(&self) -> &'m str {
        let kinds = self
            .elements
            .iter()
            .filter_map(|(_, one)| one.attribute("Type"));
        kinds.into_iter().next().unwrap_or_default()
    }

    /// The claims exchanges of all contributing elements.
    pub(crate) fn exchanges(&self) -> impl Iterator<Item = Place<'m>> {
        self.elements.iter().flat_map(|(file, element)| {
            below(*element, "ClaimsExchange").map(move |exchange| (*file, exchange))
        })
    }
}

pub(crate) fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

pub(crate) fn child<'m>(node: Node<'m, 'm>, name: &str) -> Option<Node<'m, 'm>> {
    node.children().find(|child| is(*child, name))
}

/// All elements of this name within another one.
pub(crate) fn below<'m>(node: Node<'m, 'm>, name: &str) -> impl Iterator<Item = Node<'m, 'm>> {
    node.descendants().filter(move |other| is(*other, name))
}

/// Whether an element stands within one of this name.
pub(crate) fn within(node: Node<'_, '_>, name: &str) -> bool {
    node.ancestors().skip(1).any(|ancestor| is(ancestor, name))
}

/// Whether the last ancestors of an element, and itself, have these names.
pub(crate) fn has_path(node: Node<'_, '_>, path: &[&str]) -> bool {
    let mut ancestors = node.ancestors();
    path.iter()
        .rev()
        .all(|name| ancestors.next().is_some_and(|node| is(node, name)))
}

pub(crate) fn order(step: Node<'_, '_>) -> usize {
    step.attribute("Order").unwrap().trim().parse().unwrap()
}
