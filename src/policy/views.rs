use std::cell::RefCell;
use std::rc::Rc;

use super::id::{Id, IdMap};
use super::journey::Journey;
use super::set::{Base, PolicyIndex, PolicySet};
use super::technical_profile::TechnicalProfile;
use super::{Effective, Kind};

/// The views of the policies of a set, for one thread.
///
/// Policies that inherit from the same one see most of it alike. What is merged is kept for the
/// nearest policy that contributes to it, and those that inherit from that one share it.
#[derive(Debug)]
pub struct Views<'s> {
    set: &'s PolicySet,
    /// What is merged for each policy; nothing for those that nobody inherits from, for which it is
    /// dropped together with the view.
    bases: Vec<Option<Rc<Merged<'s>>>>,
}

/// What is merged for a policy: everything that it contributes to.
#[derive(Debug, Default)]
pub(super) struct Merged<'s> {
    pub(super) profiles: Kept<'s, TechnicalProfile<'s>>,
    user_journeys: Kept<'s, Journey<'s>>,
    sub_journeys: Kept<'s, Journey<'s>>,
}

/// Merged elements under their ids.
#[derive(Debug)]
pub(super) struct Kept<'s, T>(RefCell<IdMap<'s, Rc<T>>>);

impl<'s> Views<'s> {
    pub(super) fn new(set: &'s PolicySet) -> Self {
        let mut bases = Vec::new();
        bases.resize_with(set.iter().count(), || None);
        for (index, _) in set.iter() {
            if let Base::InSet(base) = set.base(index) {
                bases[base.0 as usize].get_or_insert_default();
            }
        }
        Self { set, bases }
    }

    /// The set.
    pub const fn set(&self) -> &'s PolicySet {
        self.set
    }

    /// The view of a policy with everything that it inherits.
    pub fn of(&self, index: PolicyIndex) -> Effective<'s> {
        Effective::new(self.set, index, |policy| {
            self.bases[policy.0 as usize].clone().unwrap_or_default()
        })
    }
}

impl<'s> Merged<'s> {
    /// The journeys of one kind.
    pub(super) const fn journeys(&self, kind: Kind) -> &Kept<'s, Journey<'s>> {
        match kind {
            Kind::SubJourney => &self.sub_journeys,
            _ => &self.user_journeys,
        }
    }
}

impl<T> Default for Kept<'_, T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<'s, T> Kept<'s, T> {
    pub(super) fn get(&self, id: Id<'_>) -> Option<Rc<T>> {
        self.0.borrow().get(&id).map(Rc::clone)
    }

    pub(super) fn insert(&self, id: &'s str, element: &Rc<T>) {
        self.0.borrow_mut().insert(Id::of(id), Rc::clone(element));
    }
}
