//! What an update changes by meaning: which elements are added, removed or changed, and how.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::diagnostics::{Source, SourceMap};
use crate::policy::{Kind, canonical_form};
use crate::xml::{self, Document, Element};

/// The changes of one policy, in the order of the new text; removed elements stand where they were.
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
        let old_children = keyed(old);
        let new_children = keyed(new);
        for (key, child) in &old_children {
            if !new_children.iter().any(|(known, _)| known == key) {
                let change = self.changes.len();
                for element in std::iter::once(*child).chain(child.descendants()) {
                    if let Some(what) = taken(element) {
                        touched.push(Touched { change, what });
                    }
                }
                path.push(label(*child));
                self.push(
                    path,
                    None,
                    How::Removed {
                        from: value(*child),
                    },
                );
                path.pop();
            }
        }
        for (key, child) in &new_children {
            let named = names_itself(*child);
            if named {
                path.push(label(*child));
            }
            match old_children.iter().find(|(known, _)| known == key) {
                Some((_, previous)) => self.compare(*previous, *child, path, touched),
                None => {
                    if !named {
                        path.push(label(*child));
                    }
                    self.push(path, None, How::Added { to: value(*child) });
                    if !named {
                        path.pop();
                    }
                }
            }
            if named {
                path.pop();
            }
        }
        let common = |these: &[(Key, Element<'_>)], those: &[(Key, Element<'_>)]| -> Vec<Key> {
            let keys = these.iter().map(|(key, _)| key);
            let keys = keys.filter(|key| those.iter().any(|(known, _)| known == *key));
            keys.cloned().collect()
        };
        if common(&old_children, &new_children) != common(&new_children, &old_children) {
            let named = names_itself(new);
            if !named {
                path.push(label(new));
            }
            self.push(path, None, How::Reordered);
            if !named {
                path.pop();
            }
        }
    }

    fn compare_attributes(&mut self, old: Element<'_>, new: Element<'_>, path: &[String]) {
        let is_root = new.parent().is_none();
        for attribute in new.attributes() {
            let name = attribute.name();
            if is_root && matches!(name, "TenantObjectId" | "schemaLocation") {
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
            How::Reordered => write!(f, "~ {path}: the order of its elements"),
            How::Other => write!(f, "~ {path}: text or namespaces outside its elements"),
            How::Unreadable => f.write_str("~ the tenant's text is not well-formed XML"),
        }
    }
}
