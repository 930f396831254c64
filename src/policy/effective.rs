use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::diagnostics::{Location, Span};
use crate::xml::Element;

use super::declarations::fold;
use super::execution::{self, Execution};
use super::flow::{self, Flow};
use super::journey::Journey;
use super::set::{Policy, PolicyIndex, PolicySet, Role};
use super::technical_profile::TechnicalProfile;
use super::{Kind, journey, technical_profile};

/// An element together with the policy whose file holds it.
#[derive(Debug, Clone, Copy)]
pub struct Site<'s> {
    /// The policy.
    pub policy: &'s Policy,
    /// The element.
    pub element: Element<'s>,
}

impl<'s> Site<'s> {
    /// A place in the text of the policy.
    pub const fn location(&self, span: Span) -> Location {
        self.policy.location(span)
    }

    /// The place of an attribute's value, or of the start tag if the attribute is missing.
    pub fn attribute_location(&self, name: &str) -> Location {
        let span = self.element.attribute(name).map_or_else(
            || self.element.tag_span(),
            |attribute| attribute.value_span(),
        );
        self.location(span)
    }

    /// Whether the element stands in one of the user's own files, so that it can be reported on.
    pub fn is_own(&self) -> bool {
        self.policy.role == Role::Own
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&'s str> {
        self.element.attribute_value(name)
    }

    /// The first child element of this name.
    pub fn child(&self, name: &str) -> Option<Self> {
        let element = self.element.child(name)?;
        Some(Self { element, ..*self })
    }

    /// The children below a list element: `list/item`, over every list of that name.
    pub fn items(
        &self,
        list: &'static str,
        item: &'static str,
    ) -> impl Iterator<Item = Self> + use<'s> {
        let policy = self.policy;
        self.element
            .children()
            .filter(move |child| child.name() == list)
            .flat_map(move |list| list.children().filter(move |child| child.name() == item))
            .map(move |element| Self { policy, element })
    }
}

/// A policy with everything that it inherits, as the tenant sees it when the policy is uploaded or
/// runs: its own declarations and those of its ancestors, never those of its descendants.
///
/// Merged elements are computed when first asked for and kept. A view is meant for one thread; make
/// one per policy and thread.
#[derive(Debug)]
pub struct Effective<'s> {
    set: &'s PolicySet,
    index: PolicyIndex,
    /// Root first, the policy itself last.
    chain: Vec<&'s Policy>,
    complete: bool,
    profiles: RefCell<HashMap<String, Merged<TechnicalProfile<'s>>>>,
    journeys: RefCell<HashMap<(Kind, String), Merged<Journey<'s>>>>,
    execution: OnceCell<Option<Execution<'s>>>,
    flow: OnceCell<Option<Flow<'s>>>,
}

/// A merged element, or that nothing declares it.
type Merged<T> = Option<Rc<T>>;

impl<'s> Effective<'s> {
    pub(super) fn new(set: &'s PolicySet, index: PolicyIndex) -> Self {
        let (chain, complete) = set.chain(index);
        Self {
            set,
            index,
            chain: chain
                .into_iter()
                .rev()
                .map(|index| set.get(index))
                .collect(),
            complete,
            profiles: RefCell::default(),
            journeys: RefCell::default(),
            execution: OnceCell::new(),
            flow: OnceCell::new(),
        }
    }

    /// The set that the policy belongs to.
    pub const fn set(&self) -> &'s PolicySet {
        self.set
    }

    /// The number of the policy.
    pub const fn index(&self) -> PolicyIndex {
        self.index
    }

    /// The policy whose view this is.
    pub fn policy(&self) -> &'s Policy {
        self.set.get(self.index)
    }

    /// The policy and its ancestors, root first.
    pub fn chain(&self) -> &[&'s Policy] {
        &self.chain
    }

    /// Whether everything that the policy inherits is known. If not, that something is missing here
    /// proves nothing.
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether the policy or an ancestor declares this id.
    pub fn declares(&self, kind: Kind, id: &str) -> bool {
        self.chain
            .iter()
            .any(|policy| policy.declared(kind, id).next().is_some())
    }

    /// Whether a policy that inherits from this one declares an id. What only run time looks up is
    /// looked up in the relying party's policy, which may see more than a base does.
    pub fn declared_below(&self, kind: Kind, id: &str) -> bool {
        self.set.iter().any(|(index, policy)| {
            index != self.index
                && policy.declared(kind, id).next().is_some()
                && self.set.chain(index).0.contains(&self.index)
        })
    }

    /// The elements that declare this id, the root's first.
    pub fn sites(&self, kind: Kind, id: &str) -> Vec<Site<'s>> {
        self.chain
            .iter()
            .flat_map(|&policy| {
                policy
                    .declared(kind, id)
                    .map(move |element| Site { policy, element })
            })
            .collect()
    }

    /// Every id of a kind once, as first declared, in order of declaration from the root on.
    pub fn ids(&self, kind: Kind) -> Vec<&'s str> {
        let mut seen = std::collections::HashSet::new();
        self.chain
            .iter()
            .flat_map(|policy| policy.declarations(kind))
            .filter_map(|element| element.attribute_value("Id"))
            .filter(|id| seen.insert(fold(id).into_owned()))
            .collect()
    }

    /// A child element's text after merging: the one nearest to the policy counts. Fits claim types,
    /// content definitions and other elements whose children override each other one by one.
    pub fn merged_child(&self, kind: Kind, id: &str, child: &str) -> Option<Site<'s>> {
        self.sites(kind, id)
            .iter()
            .rev()
            .find_map(|site| site.child(child))
    }

    /// A technical profile, merged over the chain and with what it includes.
    pub fn technical_profile(&self, id: &str) -> Option<Rc<TechnicalProfile<'s>>> {
        let key = fold(id).into_owned();
        if let Some(known) = self.profiles.borrow().get(&key) {
            return known.clone();
        }
        let profile = technical_profile::merge(self, id).map(Rc::new);
        self.profiles.borrow_mut().insert(key, profile.clone());
        profile
    }

    /// A user journey ([`Kind::UserJourney`]) or sub journey ([`Kind::SubJourney`]), its steps
    /// merged by order over the chain.
    pub fn journey(&self, kind: Kind, id: &str) -> Option<Rc<Journey<'s>>> {
        let key = (kind, fold(id).into_owned());
        if let Some(known) = self.journeys.borrow().get(&key) {
            return known.clone();
        }
        let journey = journey::merge(self, kind, id).map(Rc::new);
        self.journeys.borrow_mut().insert(key, journey.clone());
        journey
    }

    /// Everything that can run through the policy's own relying party; `None` if its file has none.
    /// Incomplete if the view is.
    pub fn execution(&self) -> Option<&Execution<'s>> {
        self.execution
            .get_or_init(|| execution::follow(self))
            .as_ref()
    }

    /// The `RelyingParty` element of the policy's own file.
    pub fn relying_party(&self) -> Option<Site<'s>> {
        let policy = self.policy();
        let element = policy.document.root()?.child("RelyingParty")?;
        Some(Site { policy, element })
    }

    /// Which claims the default user journey of the policy's own relying party can yield; `None` if
    /// its file has none.
    pub fn flow(&self) -> Option<&Flow<'s>> {
        self.flow.get_or_init(|| flow::follow(self)).as_ref()
    }

    /// The claims that the claims transformations of these references have as output.
    pub fn transformation_outputs(&self, references: &[Site<'s>]) -> Vec<&'s str> {
        flow::transformation_outputs(self, references).0
    }
}
