//! What an update changes by meaning: which elements are added, removed or changed, and how.

mod providers;
mod steps;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::diagnostics::{Source, SourceMap};
use crate::policy::{Kind, canonical_form};
use crate::xml::{self, Document, Element};

use providers::Providers;

/// The changes of one policy, in the order of the new text, of steps in that of their numbers; removed
/// elements stand where they were.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Every change. Empty only for two policies that mean the same.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The element, from the outside in: `["TechnicalProfile \"REST\"", "Item \"ServiceUrl\""]`.
    /// Lists without an id of their own are left out.
    pub path: Vec<String>,
    /// The attribute that changed, if it is one.
    pub attribute: Option<String>,
    /// What happened to it.
    pub how: How,
    /// Policies of the tenant that inherit from this one and use what the change removes or gives
    /// another type: while caches are old, their users fail. Empty for harmless changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
}

/// Something that a change takes away from policies that inherit it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Touched {
    /// The change, by its position.
    pub(super) change: usize,
    /// What is taken away.
    pub(super) what: Taken,
}

/// What a change takes away. Ids are folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// A declaration is gone.
    Declaration(Kind, String),
    /// A declaration has another data type.
    Retyped(Kind, String),
    /// A journey lost a step, or an exchange of a step.
    Step(Kind, String),
    /// Steps of a journey have other numbers, by which policies that extend it name them.
    Numbers(Kind, String),
    /// A technical profile lost something that it gives to others.
    Part(Part),
}

/// Something in a technical profile that policies which inherit it rely on. Ids are folded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// An output claim.
    OutputClaim {
        /// `@Id` of the profile.
        profile: String,
        /// The claim type.
        claim: String,
    },
    /// An item of its metadata.
    MetadataItem {
        /// `@Id` of the profile.
        profile: String,
        /// `@Key`.
        key: String,
    },
}

impl Part {
    /// The part that an element is, if it is one.
    pub(super) fn of(element: Element<'_>) -> Option<Self> {
        let list = element.parent()?;
        let profile = list
            .parent()
            .filter(|parent| parent.name() == "TechnicalProfile")?;
        let profile = super::fold(profile.attribute_value("Id")?);
        match (list.name(), element.name()) {
            ("OutputClaims", "OutputClaim") => {
                let claim = super::fold(element.attribute_value("ClaimTypeReferenceId")?);
                Some(Self::OutputClaim { profile, claim })
            }
            ("Metadata", "Item") => {
                let key = super::fold(element.attribute_value("Key")?);
                Some(Self::MetadataItem { profile, key })
            }
            _ => None,
        }
    }
}

/// What the removal of an element takes away.
fn taken(element: Element<'_>) -> Option<Taken> {
    if let Some((kind, id)) = declaration(element) {
        return Some(Taken::Declaration(kind, id));
    }
    if matches!(element.name(), "OrchestrationStep" | "ClaimsExchange") {
        let mut parent = element.parent();
        while let Some(around) = parent {
            if let Some((kind, id)) = declaration(around) {
                return Some(Taken::Step(kind, id));
            }
            parent = around.parent();
        }
        return None;
    }
    Part::of(element).map(Taken::Part)
}

/// What happened to an element, a text or an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum How {
    /// The tenant's policy does not have it.
    Added {
        /// Its text or value; none for an element with content of its own.
        to: Option<String>,
    },
    /// Only the tenant's policy has it.
    Removed {
        /// Its text or value; none for an element with content of its own.
        from: Option<String>,
    },
    /// It has another text or value.
    Changed {
        /// In the tenant.
        from: String,
        /// In the file.
        to: String,
    },
    /// Orchestration steps that are otherwise as they were have other numbers.
    Renumbered {
        /// The numbers in the tenant: `3`, or `3 to 7`.
        from: String,
        /// Those in the file.
        to: String,
    },
    /// Its children stand in another order.
    Reordered,
    /// Something else differs: text beside elements, or a namespace.
    Other,
    /// The tenant's text is not well-formed XML.
    Unreadable,
}

impl Difference {
    /// What changes when the policy that the tenant holds becomes the one of the file.
    pub fn between(tenant: &str, file: &Document) -> Self {
        Self::with_touched(tenant, file).0
    }

    /// Whether users can fail while caches are old. The service says that it takes up to 30 minutes
    /// until all of them see a change.
    pub fn is_breaking(&self) -> bool {
        self.changes.iter().any(|change| !change.used_by.is_empty())
    }

    /// The difference, and the declarations that it takes away or retypes in this one file.
    pub(super) fn with_touched(tenant: &str, file: &Document) -> (Self, Vec<Touched>) {
        let mut sources = SourceMap::new();
        let source = sources.add(Source::new("tenant", tenant));
        let (old, _) = xml::parse(sources.get(source).text(), source);
        let mut difference = Self::default();
        let mut touched = Vec::new();
        match (old.root(), file.root()) {
            (Some(old), Some(new)) if old.document().is_well_formed() => {
                difference.compare(old, new, &mut Vec::new(), &mut touched);
                if difference.changes.is_empty()
                    && canonical_form(old.document()) != canonical_form(file)
                {
                    difference.push(&[], None, How::Other);
                }
            }
            _ => difference.push(&[], None, How::Unreadable),
        }
        (difference, touched)
    }

    fn push(&mut self, path: &[String], attribute: Option<&str>, how: How) {
        self.changes.push(Change {
            path: path.to_vec(),
            attribute: attribute.map(str::to_owned),
            how,
            used_by: Vec::new(),
        });
    }

    fn compare(
        &mut self,
        old: Element<'_>,
        new: Element<'_>,
        path: &mut Vec<String>,
        touched: &mut Vec<Touched>,
    ) {
        self.compare_attributes(old, new, path);
        let is_leaf = |element: Element<'_>| element.children().next().is_none();
        if is_leaf(old) && is_leaf(new) {
            let (from, to) = (old.trimmed_text(), new.trimmed_text());
            let same = if folds_text(new) {
                from.eq_ignore_ascii_case(to)
            } else {
                from == to
            };
            if !same {
                let (from, to) = (from.to_owned(), to.to_owned());
                if new.name() == "DataType"
                    && let Some(parent) = new.parent()
                    && let Some((kind, id)) = declaration(parent)
                {
                    let change = self.changes.len();
                    let what = Taken::Retyped(kind, id);
                    touched.push(Touched { change, what });
                }
                self.push(path, None, How::Changed { from, to });
            }
            return;
        }
        if new.name() == "OrchestrationSteps"
            && let Some(paired) = steps::pairs(old, new)
        {
            return self.compare_steps(&paired, new, path, touched);
        }
        if new.name() == "ClaimsProviders"
            && let Some(old) = Providers::read(old)
            && let Some(providers) = Providers::read(new)
        {
            return self.compare_providers(&old, &providers, new, path, touched);
        }
        if !self.compare_children(&keyed(old), &keyed(new), path, touched) {
            self.reordered(new, path);
        }
    }

    /// Compares what has the same key; whether that is in the same order.
    fn compare_children(
        &mut self,
        old: &[(Key, Element<'_>)],
        new: &[(Key, Element<'_>)],
        path: &mut Vec<String>,
        touched: &mut Vec<Touched>,
    ) -> bool {
        for (key, child) in old {
            if !new.iter().any(|(known, _)| known == key) {
                self.removed(*child, path, touched);
            }
        }
        for (key, child) in new {
            match old.iter().find(|(known, _)| known == key) {
                Some((_, previous)) => self.compare_named(*previous, *child, path, touched),
                None => self.added(*child, path),
            }
        }
        let common = |these: &[(Key, Element<'_>)], those: &[(Key, Element<'_>)]| -> Vec<Key> {
            let keys = these.iter().map(|(key, _)| key);
            let keys = keys.filter(|key| those.iter().any(|(known, _)| known == *key));
            keys.cloned().collect()
        };
        common(old, new) == common(new, old)
    }

    fn compare_named(
        &mut self,
        old: Element<'_>,
        new: Element<'_>,
        path: &mut Vec<String>,
        touched: &mut Vec<Touched>,
    ) {
        let named = names_itself(new);
        if named {
            path.push(label(new));
        }
        self.compare(old, new, path, touched);
        if named {
            path.pop();
        }
    }

    fn removed(&mut self, child: Element<'_>, path: &mut Vec<String>, touched: &mut Vec<Touched>) {
        let change = self.changes.len();
        for element in std::iter::once(child).chain(child.descendants()) {
            if let Some(what) = taken(element) {
                touched.push(Touched { change, what });
            }
        }
        path.push(label(child));
        self.push(path, None, How::Removed { from: value(child) });
        path.pop();
    }

    fn added(&mut self, child: Element<'_>, path: &mut Vec<String>) {
        path.push(label(child));
        self.push(path, None, How::Added { to: value(child) });
        path.pop();
    }

    fn reordered(&mut self, list: Element<'_>, path: &mut Vec<String>) {
        let named = names_itself(list);
        if !named {
            path.push(label(list));
        }
        self.push(path, None, How::Reordered);
        if !named {
            path.pop();
        }
    }

    /// Steps that only have another number are told together.
    fn compare_steps(
        &mut self,
        paired: &steps::Paired<'_>,
        list: Element<'_>,
        path: &mut Vec<String>,
        touched: &mut Vec<Touched>,
    ) {
        let mut moved: Vec<(String, String)> = Vec::new();
        for pair in &paired.pairs {
            match *pair {
                (Some(old), Some(new)) => {
                    let number = |step: Element<'_>| {
                        step.attribute_value("Order").unwrap_or_default().to_owned()
                    };
                    let (from, to) = (number(old), number(new));
                    if from != to {
                        moved.push((from, to));
                    }
                    self.compare_named(old, new, path, touched);
                }
                (Some(old), None) => self.removed(old, path, touched),
                (None, Some(new)) => self.added(new, path),
                (None, None) => {}
            }
        }
        let journey = list.parent().and_then(declaration);
        for (from, to) in steps::runs(&moved) {
            if let Some((kind, id)) = journey.clone() {
                let what = Taken::Numbers(kind, id);
                let change = self.changes.len();
                touched.push(Touched { change, what });
            }
            self.push(path, None, How::Renumbered { from, to });
        }
        if !paired.stand_alike {
            self.reordered(list, path);
        }
    }

    fn compare_providers(
        &mut self,
        old: &Providers<'_>,
        new: &Providers<'_>,
        list: Element<'_>,
        path: &mut Vec<String>,
        touched: &mut Vec<Touched>,
    ) {
        let partners = old.partners(new);
        for (position, provider) in old.all.iter().enumerate() {
            if !partners.contains(&Some(position)) {
                path.push(label(provider.element));
                self.push(path, None, How::Removed { from: None });
                path.pop();
            }
            for (id, profile) in &provider.profiles {
                if !new.profiles.contains_key(id) {
                    self.removed(*profile, path, touched);
                }
            }
        }
        let mut in_order = partners.iter().flatten().is_sorted();
        for (provider, partner) in new.all.iter().zip(&partners) {
            if let Some(partner) = partner {
                let heading = |element| {
                    let mut children = keyed(element);
                    children.retain(|((name, ..), _)| name != "TechnicalProfiles");
                    children
                };
                let before = old.all[*partner].element;
                path.push(label(provider.element));
                self.compare_attributes(before, provider.element, path);
                let (before, after) = (heading(before), heading(provider.element));
                in_order &= self.compare_children(&before, &after, path, touched);
                path.pop();
            } else {
                path.push(label(provider.element));
                self.push(path, None, How::Added { to: None });
                path.pop();
            }
            for (id, profile) in &provider.profiles {
                let Some((from, before)) = old.profiles.get(id) else {
                    self.added(*profile, path);
                    continue;
                };
                self.compare_named(*before, *profile, path, touched);
                if Some(*from) != *partner {
                    let (from, to) = (label(old.all[*from].element), label(provider.element));
                    path.push(label(*profile));
                    self.push(path, None, How::Changed { from, to });
                    path.pop();
                }
            }
        }
        if !in_order || old.common(new) != new.common(old) {
            self.reordered(list, path);
        }
    }

    fn compare_attributes(&mut self, old: Element<'_>, new: Element<'_>, path: &[String]) {
        let is_root = new.parent().is_none();
        for attribute in new.attributes() {
            let name = attribute.name();
            if is_root && matches!(name, "TenantObjectId" | "schemaLocation") {
                continue;
            }
            // Numbers that change are told of all steps together.
            if name == "Order" && new.name() == "OrchestrationStep" {
                continue;
            }
            let to = attribute.value().to_owned();
            match old.attribute_value(name) {
                None => self.push(path, Some(name), How::Added { to: Some(to) }),
                Some(from) => {
                    let same = from == to
                        || is_root
                            && matches!(name, "PolicyId" | "TenantId")
                            && from.eq_ignore_ascii_case(&to);
                    if !same {
                        let from = from.to_owned();
                        self.push(path, Some(name), How::Changed { from, to });
                    }
                }
            }
        }
        for attribute in old.attributes() {
            let name = attribute.name();
            let counts = !is_root || !matches!(name, "TenantObjectId" | "schemaLocation");
            if counts && !new.attributes().any(|known| known.name() == name) {
                let from = Some(attribute.value().to_owned());
                self.push(path, Some(name), How::Removed { from });
            }
        }
    }
}

/// What an element declares, with its id folded.
pub(super) fn declaration(element: Element<'_>) -> Option<(Kind, String)> {
    let id = element.attribute_value("Id")?;
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| kind.element() == element.name())?;
    Some((kind, super::fold(id)))
}

/// What makes an element the same one in two versions: its name, what identifies it, and a number
/// where that is not unique.
type Key = (String, String, usize);

fn keyed<'d>(parent: Element<'d>) -> Vec<(Key, Element<'d>)> {
    let mut keyed: Vec<(Key, Element<'d>)> = Vec::new();
    let mut counts = std::collections::HashMap::new();
    for child in parent.children() {
        let name = child.name().to_owned();
        let id = identity(child).unwrap_or_default().to_ascii_lowercase();
        let count = counts.entry((name.clone(), id.clone())).or_insert(0usize);
        keyed.push(((name, id, *count), child));
        *count += 1;
    }
    keyed
}

/// What identifies an element among its siblings.
fn identity(element: Element<'_>) -> Option<&str> {
    const ATTRIBUTES: [&str; 13] = [
        "Id",
        "Key",
        "Order",
        "ReferenceId",
        "ClaimTypeReferenceId",
        "DisplayControlReferenceId",
        "TechnicalProfileReferenceId",
        "SubJourneyReferenceId",
        "TargetClaimsExchangeId",
        "ValidationClaimsExchangeId",
        "TransformationClaimType",
        "Language",
        "ElementId",
    ];
    if element.name() == "ClaimsProvider" {
        return Some(element.child("DisplayName")?.trimmed_text());
    }
    ATTRIBUTES
        .iter()
        .find_map(|name| element.attribute_value(name))
}

/// Whether an element is worth naming on the way to a change: it has an identity, or holds text.
fn names_itself(element: Element<'_>) -> bool {
    identity(element).is_some() || element.children().next().is_none()
}

fn label(element: Element<'_>) -> String {
    match identity(element) {
        Some(id) => format!("{} \"{id}\"", element.name()),
        None => element.name().to_owned(),
    }
}

fn value(element: Element<'_>) -> Option<String> {
    if element.name() == "OrchestrationStep" {
        return steps::summary(element);
    }
    let text = element.trimmed_text();
    (element.children().next().is_none() && !text.is_empty()).then(|| text.to_owned())
}

/// Whether the service compares the text of an element without regard to case.
fn folds_text(element: Element<'_>) -> bool {
    element
        .parent()
        .is_some_and(|parent| parent.name() == "BasePolicy")
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() {
            "policy".to_owned()
        } else {
            self.path.join(" › ")
        };
        let attribute = match &self.attribute {
            Some(attribute) => format!(" @{attribute}"),
            None => String::new(),
        };
        match &self.how {
            How::Added { to: Some(to) } => write!(f, "+ {path}{attribute}: {to:?}"),
            How::Added { to: None } => write!(f, "+ {path}{attribute}"),
            How::Removed { from: Some(from) } => write!(f, "- {path}{attribute}: {from:?}"),
            How::Removed { from: None } => write!(f, "- {path}{attribute}"),
            How::Changed { from, to } => write!(f, "~ {path}{attribute}: {from:?} → {to:?}"),
            How::Renumbered { from, to } if from.contains(' ') => {
                write!(f, "~ {path}: steps {from} are now {to}")
            }
            How::Renumbered { from, to } => write!(f, "~ {path}: step {from} is now {to}"),
            How::Reordered => write!(f, "~ {path}: the order of its elements"),
            How::Other => write!(f, "~ {path}: text or namespaces outside its elements"),
            How::Unreadable => f.write_str("~ the tenant's text is not well-formed XML"),
        }
    }
}
