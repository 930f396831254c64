//! Claims providers are headings over technical profiles, which are known by their own ids: a profile
//! that moves below another heading is the same one.

use std::collections::{HashMap, HashSet};

use crate::xml::Element;

/// The claims providers of a version, with their technical profiles.
pub(super) struct Providers<'d> {
    /// Each provider, with the folded ids and elements of its profiles.
    pub(super) all: Vec<Provider<'d>>,
    /// Where a profile is, by its folded id: the position of its provider, and the element.
    pub(super) profiles: HashMap<String, (usize, Element<'d>)>,
}

pub(super) struct Provider<'d> {
    pub(super) element: Element<'d>,
    pub(super) profiles: Vec<(String, Element<'d>)>,
}

impl<'d> Providers<'d> {
    /// Reads them; nothing if a technical profile has no id or is there twice.
    pub(super) fn read(list: Element<'d>) -> Option<Self> {
        let mut all = Vec::new();
        let mut known = HashMap::new();
        for (position, element) in list.children().enumerate() {
            let lists = element
                .children()
                .filter(|child| child.name() == "TechnicalProfiles");
            let mut profiles = Vec::new();
            for profile in lists.flat_map(Element::children) {
                let id = super::super::fold(profile.attribute_value("Id")?);
                if known.insert(id.clone(), (position, profile)).is_some() {
                    return None;
                }
                profiles.push((id, profile));
            }
            all.push(Provider { element, profiles });
        }
        Some(Self {
            all,
            profiles: known,
        })
    }

    /// For each provider of `new` the position of the one that it was: of the same name, else one that
    /// had one of its profiles.
    pub(super) fn partners(&self, new: &Self) -> Vec<Option<usize>> {
        let mut taken = HashSet::new();
        let mut partners = vec![None; new.all.len()];
        for (partner, provider) in partners.iter_mut().zip(&new.all) {
            let name = name(provider.element);
            let mut same = self.all.iter().enumerate();
            *partner = same
                .find(|(position, it)| self::name(it.element) == name && !taken.contains(position))
                .map(|(position, _)| position);
            taken.extend(*partner);
        }
        for (partner, provider) in partners.iter_mut().zip(&new.all) {
            if partner.is_none() {
                let before = provider.profiles.iter();
                let before = before.filter_map(|(id, _)| Some(self.profiles.get(id)?.0));
                let mut before = before.filter(|position| !taken.contains(position));
                *partner = before.next();
                taken.extend(*partner);
            }
        }
        partners
    }

    /// The ids of the profiles that another version has as well, in the order of this one.
    pub(super) fn common(&self, other: &Self) -> Vec<&str> {
        let profiles = self.all.iter().flat_map(|it| &it.profiles);
        let ids = profiles.map(|(id, _)| id.as_str());
        ids.filter(|id| other.profiles.contains_key(*id)).collect()
    }
}

fn name(provider: Element<'_>) -> Option<&str> {
    Some(provider.child("DisplayName")?.trimmed_text())
}
