use std::sync::{Arc, OnceLock};

use crate::diagnostics::{Diagnostic, Location, SourceId, Span};
use crate::xml::{Attribute, Document, Element, NodeId};

use super::declarations::Declarations;
use super::header::Header;
use super::id::{Id, IdSet};
use super::inheritance::{self, Inheritance};
use super::references;
use super::{Kind, Site, Views};

/// The number of a policy in its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyIndex(pub(super) u32);

/// Why a policy is in the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// One of the user's files: checked, reported on and deployed.
    Own,
    /// A base that the user's files inherit from and that lives elsewhere, in a folder named by
    /// `--with` or in the tenant: read to know what is inherited, never reported on or deployed.
    Context,
}

/// One policy: its document, its header and what it declares. Copying it is cheap, as sets share
/// bases.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The text it was read from.
    pub source: SourceId,
    /// Why it is in the set.
    pub role: Role,
    /// The parsed document.
    pub document: Arc<Document>,
    /// What it says about itself.
    pub header: Header,
    declarations: Arc<Declarations>,
    pub(super) found: Arc<Found>,
}

/// What is found in a file when it is first asked for: of bases that several sets share hardly
/// anything.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) references: OnceLock<Vec<references::Found>>,
    pub(super) default_values: OnceLock<Vec<NodeId>>,
}

impl Policy {
    /// Reads a policy from its document; `None` if the document is no policy.
    pub fn read(document: Document, source: SourceId, role: Role) -> Option<Self> {
        Some(Self {
            source,
            role,
            header: Header::read(&document, source)?,
            declarations: Arc::new(Declarations::read(&document)),
            found: Arc::default(),
            document: Arc::new(document),
        })
    }

    /// The id as its file writes it; empty if it has none.
    pub fn id(&self) -> &str {
        self.header
            .policy_id
            .as_ref()
            .map_or("", |id| id.value.as_str())
    }

    /// The tenant as its file writes it; empty if it has none.
    pub fn tenant(&self) -> &str {
        self.header
            .tenant_id
            .as_ref()
            .map_or("", |tenant| tenant.value.as_str())
    }

    /// The `RelyingParty` of its file.
    pub fn relying_party(&self) -> Option<Site<'_>> {
        let element = self.document.root()?.child("RelyingParty")?;
        let policy = self;
        Some(Site { policy, element })
    }

    /// Whether its own relying party has a default user journey. Those that inherit from it run that
    /// journey unless they name one.
    pub fn names_default_journey(&self) -> bool {
        let relying_party = self.relying_party();
        relying_party.is_some_and(|it| it.child("DefaultUserJourney").is_some())
    }

    /// A place in its text.
    pub const fn location(&self, span: Span) -> Location {
        Location {
            source: self.source,
            span,
        }
    }

    /// The elements of this file that declare an id, in document order. One is the rule; more are a
    /// mistake that other rules report.
    pub fn declared<'p>(&'p self, kind: Kind, id: &str) -> impl Iterator<Item = Element<'p>> {
        self.declared_as(kind, Id::of(id))
    }

    /// The same for an id that is looked up in several policies.
    pub(super) fn declared_as<'p, 'i>(
        &'p self,
        kind: Kind,
        id: Id<'i>,
    ) -> impl DoubleEndedIterator<Item = Element<'p>> + use<'p, 'i> {
        self.declarations
            .declared_as(&self.document, kind, id)
            .filter_map(|node| self.document.element(node))
    }

    /// Whether some id is declared twice in this file.
    pub fn declares_twice(&self) -> bool {
        self.declarations.has_twins()
    }

    /// Every `DefaultValue` in this file, with the element that has it, in document order. They are
    /// looked for once.
    pub fn default_values(&self) -> impl Iterator<Item = (Element<'_>, Attribute<'_>)> {
        const NAME: &str = "DefaultValue";
        let document = &self.document;
        let found = self.found.default_values.get_or_init(|| {
            let found = document.attributes_named(NAME);
            found.map(|(element, _)| element.id()).collect()
        });
        found.iter().filter_map(|&node| {
            let element = document.element(node)?;
            Some((element, element.attribute(NAME)?))
        })
    }

    /// Whether this file declares an id.
    pub(super) fn declares(&self, kind: Kind, id: Id<'_>) -> bool {
        self.declarations
            .declared_as(&self.document, kind, id)
            .next()
            .is_some()
    }

    /// Whether it is clear that the policy inherits from nothing: its file has neither a `BasePolicy`,
    /// however incomplete, nor something in its place, which the schema reports.
    pub fn is_meant_as_root(&self) -> bool {
        let names_a_base = |child: Element<'_>| {
            child.is_named("BasePolicy")
                || child.child("PolicyId").is_some()
                || child.child("TenantId").is_some()
        };
        let root = self.document.root();
        root.is_none_or(|root| !root.children().any(names_a_base))
    }

    /// The same as [`Policy::declarations`], each together with the policy.
    pub fn sites(&self, kind: Kind) -> impl Iterator<Item = Site<'_>> {
        self.declarations(kind).map(|element| Site {
            policy: self,
            element,
        })
    }

    /// All elements of a kind that this file declares, in document order.
    pub fn declarations(&self, kind: Kind) -> impl Iterator<Item = Element<'_>> {
        self.declarations
            .of_kind(kind)
            .iter()
            .filter_map(|&node| self.document.element(node))
    }
}

/// What a policy inherits from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Nothing: it is a root.
    Root,
    /// Another policy of the set.
    InSet(PolicyIndex),
    /// A policy that is not in the set.
    Elsewhere,
}

/// The policies that are looked at together, and who inherits from whom.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    policies: Vec<Policy>,
    inheritance: Inheritance,
    tenant_known: bool,
    production: bool,
}

impl PolicySet {
    /// Forms a set and checks its inheritance graph.
    ///
    /// Where a policy of role [`Role::Own`] and one of role [`Role::Context`] have the same id, the
    /// user's own file counts. `tenant_known` says that the bases which live in the tenant are among
    /// the policies, so that a base which is missing now is missing altogether.
    pub fn new(policies: Vec<Policy>, tenant_known: bool) -> (Self, Vec<Diagnostic>) {
        let own: IdSet<'_> = policies
            .iter()
            .filter(|policy| policy.role == Role::Own)
            .map(|policy| Id::of(policy.id()))
            .collect();
        let mut seen_context = IdSet::default();
        let keep: Vec<bool> = policies
            .iter()
            .map(|policy| {
                let id = Id::of(policy.id());
                policy.role == Role::Own || (!own.contains(&id) && seen_context.insert(id))
            })
            .collect();
        let mut keep = keep.into_iter();
        let policies: Vec<_> = policies
            .into_iter()
            .filter(|_| keep.next().unwrap_or(true))
            .collect();
        let (inheritance, findings) = inheritance::resolve(&policies, tenant_known);
        (
            Self {
                policies,
                inheritance,
                tenant_known,
                production: false,
            },
            findings,
        )
    }

    /// The same set, for an environment that the team marked as production or not.
    #[must_use]
    pub fn for_production(self, production: bool) -> Self {
        Self { production, ..self }
    }

    /// Whether the set is looked at together with its tenant, which is when it is to be uploaded.
    pub const fn is_tenant_known(&self) -> bool {
        self.tenant_known
    }

    /// Whether the set goes to an environment that the team marked as production.
    pub const fn is_production(&self) -> bool {
        self.production
    }

    /// The policy of this number.
    ///
    /// # Panics
    /// If the number comes from another set, which is a programming error.
    pub fn get(&self, index: PolicyIndex) -> &Policy {
        &self.policies[index.0 as usize]
    }

    /// All policies with their numbers, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = (PolicyIndex, &Policy)> {
        self.policies
            .iter()
            .enumerate()
            .map(|(index, policy)| (PolicyIndex(index as u32), policy))
    }

    /// Whether any policy of the set declares an id.
    pub fn declares(&self, kind: Kind, id: &str) -> bool {
        let id = Id::of(id);
        self.policies.iter().any(|policy| policy.declares(kind, id))
    }

    /// The user's own policies.
    pub fn own(&self) -> impl Iterator<Item = (PolicyIndex, &Policy)> {
        self.iter().filter(|(_, policy)| policy.role == Role::Own)
    }

    /// The policy with this id, without regard to case. Where several files declare it, the first.
    pub fn find(&self, id: &str) -> Option<PolicyIndex> {
        self.inheritance.find(id)
    }

    /// What a policy inherits from.
    pub fn base(&self, index: PolicyIndex) -> Base {
        self.inheritance.base(index)
    }

    /// The policies that inherit directly from this one, in the order of the set.
    pub fn children(&self, index: PolicyIndex) -> impl Iterator<Item = PolicyIndex> {
        self.iter()
            .map(|(child, _)| child)
            .filter(move |&child| self.base(child) == Base::InSet(index))
    }

    /// The user's own policies, every base before the policies that inherit from it, otherwise in
    /// the order of the set. Policies on a cycle of bases have no such order and are left out.
    pub fn upload_order(&self) -> Vec<PolicyIndex> {
        self.inheritance
            .order()
            .iter()
            .copied()
            .filter(|&index| self.get(index).role == Role::Own)
            .collect()
    }

    /// The policy and its ancestors, nearest first. The second value tells whether the chain is
    /// known up to its root.
    pub fn chain(&self, index: PolicyIndex) -> (Vec<PolicyIndex>, bool) {
        let mut chain = vec![index];
        let mut current = index;
        loop {
            if !self.get(current).document.is_well_formed() {
                // What such a file declares is not known for sure; walking on adds nothing.
                return (chain, false);
            }
            match self.base(current) {
                Base::Root => return (chain, true),
                Base::Elsewhere => return (chain, false),
                Base::InSet(base) if chain.contains(&base) => return (chain, false),
                Base::InSet(base) => {
                    chain.push(base);
                    current = base;
                }
            }
        }
    }

    /// The views of its policies, each with everything that it inherits.
    pub fn views(&self) -> Views<'_> {
        Views::new(self)
    }
}
