use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use crate::diagnostics::KnownNames;

use super::execution::{self, Execution};
use super::flow::{self, Flow};
use super::id::{Id, IdMap, IdSet};
use super::journey::Journey;
use super::set::{Policy, PolicyIndex, PolicySet};
use super::site::Site;
use super::technical_profile::TechnicalProfile;
use super::{Kind, journey, technical_profile};

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
    profiles: RefCell<IdMap<'s, Rc<TechnicalProfile<'s>>>>,
    user_journeys: RefCell<IdMap<'s, Rc<Journey<'s>>>>,
    sub_journeys: RefCell<IdMap<'s, Rc<Journey<'s>>>>,
    execution: OnceCell<Option<Execution<'s>>>,
    flow: OnceCell<Option<Flow<'s>>>,
    ids: [OnceCell<KnownNames<'s>>; Kind::ALL.len()],
}

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
            user_journeys: RefCell::default(),
            sub_journeys: RefCell::default(),
            execution: OnceCell::new(),
            flow: OnceCell::new(),
            ids: Default::default(),
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
        let id = Id::of(id);
        self.chain.iter().any(|policy| policy.declares(kind, id))
    }

    /// Whether a policy that inherits from this one declares an id. What only run time looks up is
    /// looked up in the relying party's policy, which may see more than a base does.
    pub fn declared_below(&self, kind: Kind, id: &str) -> bool {
        let id = Id::of(id);
        self.set.iter().any(|(index, policy)| {
            index != self.index
                && policy.declares(kind, id)
                && self.set.chain(index).0.contains(&self.index)
        })
    }

    /// The elements that declare this id, the root's first.
    pub fn sites(&self, kind: Kind, id: &str) -> Vec<Site<'s>> {
        self.declarations(kind, Id::of(id)).collect()
    }

    /// The elements that declare this id, the root's first.
    pub(super) fn declarations<'i>(
        &self,
        kind: Kind,
        id: Id<'i>,
    ) -> impl DoubleEndedIterator<Item = Site<'s>> + use<'s, 'i, '_> {
        self.chain.iter().flat_map(move |&policy| {
            policy
                .declared_as(kind, id)
                .map(move |element| Site { policy, element })
        })
    }

    /// Every id of a kind once, as first declared, in order of declaration from the root on.
    pub fn ids(&self, kind: Kind) -> Vec<&'s str> {
        self.known_ids(kind).as_slice().to_vec()
    }

    /// The same, to look in them for one that was meant.
    pub fn known_ids(&self, kind: Kind) -> &KnownNames<'s> {
        self.ids[kind as usize].get_or_init(|| {
            let mut seen = IdSet::default();
            let declared = self.chain.iter().flat_map(|it| it.declarations(kind));
            let ids = declared.filter_map(|element| element.attribute_value("Id"));
            KnownNames::new(ids.filter(|id| seen.insert(Id::of(id))).collect())
        })
    }

    /// A child element's text after merging: the one nearest to the policy counts. Fits claim types,
    /// content definitions and other elements whose children override each other one by one.
    pub fn merged_child(&self, kind: Kind, id: &str, child: &str) -> Option<Site<'s>> {
        self.declarations(kind, Id::of(id))
            .rev()
            .find_map(|site| site.child(child))
    }

    /// A technical profile, merged over the chain and with what it includes.
    pub fn technical_profile(&self, id: &str) -> Option<Rc<TechnicalProfile<'s>>> {
        let id = Id::of(id);
        if let Some(known) = self.profiles.borrow().get(&id) {
            return Some(Rc::clone(known));
        }
        let profile = Rc::new(technical_profile::merge(self, id)?);
        let mut profiles = self.profiles.borrow_mut();
        profiles.insert(Id::of(profile.id), Rc::clone(&profile));
        Some(profile)
    }

    /// A user journey ([`Kind::UserJourney`]) or sub journey ([`Kind::SubJourney`]), its steps
    /// merged by order over the chain.
    pub fn journey(&self, kind: Kind, id: &str) -> Option<Rc<Journey<'s>>> {
        let id = Id::of(id);
        let journeys = match kind {
            Kind::SubJourney => &self.sub_journeys,
            _ => &self.user_journeys,
        };
        if let Some(known) = journeys.borrow().get(&id) {
            return Some(Rc::clone(known));
        }
        let journey = Rc::new(journey::merge(self, kind, id)?);
        let mut journeys = journeys.borrow_mut();
        journeys.insert(Id::of(journey.id), Rc::clone(&journey));
        Some(journey)
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

    /// The same; `None` if one of the claims transformations is not declared.
    pub fn declared_outputs(&self, references: &[Site<'s>]) -> Option<Vec<&'s str>> {
        let (claims, are_declared) = flow::transformation_outputs(self, references);
        are_declared.then_some(claims)
    }
}
