use std::cell::OnceCell;
use std::rc::Rc;

use crate::diagnostics::KnownNames;
use crate::xml::Fingerprint;

use super::claims_transformation::ClaimsTransformation;
use super::execution::{self, Execution};
use super::flow::{self, Flow};
use super::id::{Id, IdSet};
use super::journey::Journey;
use super::set::{Policy, PolicyIndex, PolicySet};
use super::site::Site;
use super::technical_profile::{Layers, TechnicalProfile};
use super::views::Merged;
use super::{Kind, journey};

/// A policy with everything that it inherits, as the tenant sees it when the policy is uploaded or
/// runs: its own declarations and those of its ancestors, never those of its descendants.
///
/// Merged elements are computed when first asked for and kept, where [`Views`] says. A view is meant
/// for one thread.
///
/// [`Views`]: super::Views
#[derive(Debug)]
pub struct Effective<'s> {
    set: &'s PolicySet,
    index: PolicyIndex,
    /// Root first, the policy itself last.
    chain: Vec<&'s Policy>,
    complete: bool,
    /// What is merged for each policy of the chain.
    merged: Vec<Rc<Merged<'s>>>,
    /// Of that, what was asked for here and the policy itself adds nothing to.
    inherited: Merged<'s>,
    execution: OnceCell<Option<Execution<'s>>>,
    flow: OnceCell<Option<Flow<'s>>>,
    ids: [OnceCell<KnownNames<'s>>; Kind::ALL.len()],
    overrides: OnceCell<Vec<Override<'s>>>,
    own_journeys: OnceCell<Vec<Rc<Journey<'s>>>>,
    own_transformations: OnceCell<Vec<ClaimsTransformation<'s>>>,
}

/// A declaration in the policy's own file of what an ancestor declares.
#[derive(Debug, Clone, Copy)]
pub struct Override<'s> {
    /// What is declared.
    pub kind: Kind,
    /// The id as the policy writes it.
    pub id: &'s str,
    /// The policy's own element.
    pub own: Site<'s>,
    /// The element of the nearest ancestor that has one.
    pub inherited: Site<'s>,
}

impl<'s> Effective<'s> {
    /// `merged` gives the place where what is merged for a policy is kept.
    pub(super) fn new(
        set: &'s PolicySet,
        index: PolicyIndex,
        merged: impl FnMut(PolicyIndex) -> Rc<Merged<'s>>,
    ) -> Self {
        let (mut indices, complete) = set.chain(index);
        indices.reverse();
        Self {
            set,
            index,
            chain: indices.iter().map(|&index| set.get(index)).collect(),
            complete,
            merged: indices.into_iter().map(merged).collect(),
            inherited: Merged::default(),
            execution: OnceCell::new(),
            flow: OnceCell::new(),
            ids: Default::default(),
            overrides: OnceCell::new(),
            own_journeys: OnceCell::new(),
            own_transformations: OnceCell::new(),
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
    /// looked up in the relying party's policy, which may see more than a base does; and who extends a
    /// journey may add what is missing in it.
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

    /// The element that declares this id first, without a look at the others.
    pub fn first_site(&self, kind: Kind, id: &str) -> Option<Site<'s>> {
        self.declarations(kind, Id::of(id)).next()
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
    pub fn ids(&self, kind: Kind) -> &[&'s str] {
        self.known_ids(kind).as_slice()
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

    /// What the policy declares that an ancestor declares too, by kind and in document order.
    pub fn overrides(&self) -> &[Override<'s>] {
        let policy = self.policy();
        let ancestors = &self.chain[..self.chain.len() - 1];
        self.overrides.get_or_init(|| {
            if ancestors.is_empty() {
                return Vec::new();
            }
            let declarations = Kind::ALL.into_iter().flat_map(|kind| {
                let declared = policy.declarations(kind);
                declared.map(move |element| (kind, Site { policy, element }))
            });
            let overrides = declarations.filter_map(|(kind, own)| {
                let id = own.attribute("Id")?;
                let key = Id::of(id);
                let inherited = ancestors.iter().rev().find_map(|&policy| {
                    let element = policy.declared_as(kind, key).next_back()?;
                    Some(Site { policy, element })
                });
                Some(Override {
                    kind,
                    id,
                    own,
                    inherited: inherited?,
                })
            });
            overrides.collect()
        })
    }

    /// A child element's text after merging: the one nearest to the policy counts. Fits claim types,
    /// content definitions and other elements whose children override each other one by one.
    #[inline(always)]
    pub fn merged_child(&self, kind: Kind, id: &str, child: &str) -> Option<Site<'s>> {
        self.merged_child_with(kind, id, Fingerprint::of(child), child)
    }

    fn merged_child_with(
        &self,
        kind: Kind,
        id: &str,
        fingerprint: Fingerprint,
        child: &str,
    ) -> Option<Site<'s>> {
        let mut nearest_first = self.declarations(kind, Id::of(id)).rev();
        nearest_first.find_map(|site| {
            let element = site.element.child_with(fingerprint, child)?;
            Some(Site { element, ..site })
        })
    }

    /// A technical profile, merged over the chain and with what it includes.
    pub fn technical_profile(&self, id: &str) -> Option<Rc<TechnicalProfile<'s>>> {
        let id = Id::of(id);
        let known = self.inherited.profiles.get(id);
        if let Some(known) = known.or_else(|| self.own().profiles.get(id)) {
            return Some(known);
        }
        let layers = Layers::of(self, id)?;
        let owner = self.nearest(&layers.sites);
        let profile = owner.profiles.get(id).or_else(|| {
            let profile = Rc::new(TechnicalProfile::merge(layers)?);
            owner.profiles.insert(profile.id, &profile);
            Some(profile)
        })?;
        if !std::ptr::eq(owner, self.own()) {
            self.inherited.profiles.insert(profile.id, &profile);
        }
        Some(profile)
    }

    /// A user journey ([`Kind::UserJourney`]) or sub journey ([`Kind::SubJourney`]), its steps
    /// merged by order over the chain.
    pub fn journey(&self, kind: Kind, id: &str) -> Option<Rc<Journey<'s>>> {
        let id = Id::of(id);
        let known = self.inherited.journeys(kind).get(id);
        if let Some(known) = known.or_else(|| self.own().journeys(kind).get(id)) {
            return Some(known);
        }
        let sites: Vec<_> = self.declarations(kind, id).collect();
        let owner = self.nearest(&sites);
        let journey = owner.journeys(kind).get(id).or_else(|| {
            let journey = Rc::new(journey::merge(kind, sites)?);
            owner.journeys(kind).insert(journey.id, &journey);
            Some(journey)
        })?;
        if !std::ptr::eq(owner, self.own()) {
            self.inherited.journeys(kind).insert(journey.id, &journey);
        }
        Some(journey)
    }

    /// The user journeys and sub journeys that the policy itself declares or extends, merged.
    pub fn own_journeys(&self) -> &[Rc<Journey<'s>>] {
        self.own_journeys.get_or_init(|| {
            let mut journeys: Vec<Rc<Journey<'s>>> = Vec::new();
            for kind in [Kind::UserJourney, Kind::SubJourney] {
                for site in self.policy().sites(kind) {
                    let journey = site.attribute("Id").and_then(|id| self.journey(kind, id));
                    let is_known =
                        |journey: &Rc<_>| journeys.iter().any(|known| Rc::ptr_eq(known, journey));
                    journeys.extend(journey.filter(|journey| !is_known(journey)));
                }
            }
            journeys
        })
    }

    /// The claims transformations that the policy's own file declares, in document order.
    pub fn own_transformations(&self) -> &[ClaimsTransformation<'s>] {
        self.own_transformations.get_or_init(|| {
            let declared = self.policy().sites(Kind::ClaimsTransformation);
            declared.map(ClaimsTransformation::read).collect()
        })
    }

    fn own(&self) -> &Merged<'s> {
        &self.merged[self.merged.len() - 1]
    }

    /// What is merged for the nearest policy that one of these elements is from: for that one they
    /// yield the same as for this.
    fn nearest(&self, sites: &[Site<'s>]) -> &Merged<'s> {
        let contributes =
            |policy: &&'s Policy| sites.iter().any(|site| std::ptr::eq(site.policy, *policy));
        let nearest = self.chain.iter().rposition(contributes);
        &self.merged[nearest.unwrap_or_default()]
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
        self.policy().relying_party()
    }

    /// Which claims the default user journey of the policy's own relying party can yield; `None` if
    /// its file has none.
    pub fn flow(&self) -> Option<&Flow<'s>> {
        self.flow.get_or_init(|| flow::follow(self)).as_ref()
    }

    /// The claims that the claims transformations of these references have as output.
    pub fn transformation_outputs(&self, references: &[Site<'s>]) -> Vec<&'s str> {
        let mut claims = Vec::new();
        flow::transformation_outputs(self, references, |claim| claims.push(claim));
        claims
    }

    /// Adds the same; `None` if one of the claims transformations is not declared.
    pub fn declared_outputs(
        &self,
        references: &[Site<'s>],
        claims: &mut Vec<&'s str>,
    ) -> Option<()> {
        flow::transformation_outputs(self, references, |claim| claims.push(claim)).then_some(())
    }
}
