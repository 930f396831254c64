use std::ops::Deref;

use crate::diagnostics::{Location, Span};
use crate::xml::{Attribute, Element, Fingerprint};

use super::set::{Policy, Role};

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

    /// The place of the start tag.
    pub fn tag_location(&self) -> Location {
        self.location(self.element.tag_span())
    }

    /// Whether the element stands in one of the user's own files, so that it can be reported on.
    pub fn is_own(&self) -> bool {
        self.policy.role == Role::Own
    }

    /// The value of an attribute.
    #[inline(always)]
    pub fn attribute(&self, name: &str) -> Option<&'s str> {
        self.element.attribute_value(name)
    }

    /// The first child element of this name.
    #[inline(always)]
    pub fn child(&self, name: &str) -> Option<Self> {
        let element = self.element.child(name)?;
        Some(Self { element, ..*self })
    }

    /// The child elements.
    #[inline]
    pub fn children(&self) -> impl Iterator<Item = Self> + use<'s> {
        let policy = self.policy;
        self.element
            .children()
            .map(move |element| Self { policy, element })
    }

    /// The child elements of this name.
    #[inline(always)]
    pub fn children_named(&self, name: &'static str) -> impl Iterator<Item = Self> + use<'s> {
        let policy = self.policy;
        self.element
            .children_named(name)
            .map(move |element| Self { policy, element })
    }

    /// The children below a list element: `list/item`, over every list of that name.
    #[inline(always)]
    pub fn items(
        &self,
        list: &'static str,
        item: &'static str,
    ) -> impl Iterator<Item = Self> + use<'s> {
        let policy = self.policy;
        self.element
            .children_named(list)
            .flat_map(move |list| list.children_named(item))
            .map(move |element| Self { policy, element })
    }
}

/// The elements that contribute to something, weakest first: nearly always one.
#[derive(Debug, Clone)]
pub struct Sites<'s>(Kept<'s>);

#[derive(Debug, Clone)]
enum Kept<'s> {
    One([Site<'s>; 1]),
    Several(Vec<Site<'s>>),
}

impl<'s> Sites<'s> {
    pub(super) const fn one(site: Site<'s>) -> Self {
        Self(Kept::One([site]))
    }

    /// Adds the strongest.
    pub(super) fn push(&mut self, site: Site<'s>) {
        match &mut self.0 {
            Kept::One([first]) => self.0 = Kept::Several(vec![*first, site]),
            Kept::Several(sites) => sites.push(site),
        }
    }
}

impl<'s> Deref for Sites<'s> {
    type Target = [Site<'s>];

    fn deref(&self) -> &Self::Target {
        match &self.0 {
            Kept::One(site) => site,
            Kept::Several(sites) => sites,
        }
    }
}

/// The value of an attribute at the last of the sites that has it.
#[inline(always)]
pub(super) fn nearest_value<'s>(sites: &[Site<'s>], name: &str) -> Option<&'s str> {
    nearest_value_with(sites, Fingerprint::of(name), name)
}

fn nearest_value_with<'s>(
    sites: &[Site<'s>],
    fingerprint: Fingerprint,
    name: &str,
) -> Option<&'s str> {
    let mut nearest_first = sites.iter().rev();
    nearest_first
        .find_map(|site| site.element.attribute_with(fingerprint, name))
        .map(Attribute::value)
}

/// The first child element of this name at the last of the sites that has one.
#[inline(always)]
pub(super) fn nearest_child<'s>(sites: &[Site<'s>], name: &str) -> Option<Site<'s>> {
    nearest_child_with(sites, Fingerprint::of(name), name)
}

fn nearest_child_with<'s>(
    sites: &[Site<'s>],
    fingerprint: Fingerprint,
    name: &str,
) -> Option<Site<'s>> {
    sites.iter().rev().find_map(|site| {
        let element = site.element.child_with(fingerprint, name)?;
        Some(Site { element, ..*site })
    })
}
