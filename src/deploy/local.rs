//! What is to be deployed, as plain data.

use std::sync::Arc;

use crate::diagnostics::{Location, SourceId, SourceMap};
use crate::policy::{Base, KeysetReference, Policy, PolicySet, canonical_form, needed_keysets};
use crate::xml::Document;

use super::place::Place;
use super::{Fingerprint, fold};

/// The user's policies, every base before the policies that inherit from it.
#[derive(Debug, Clone, Default)]
pub struct Local {
    /// The texts that locations point into.
    pub sources: SourceMap,
    /// The policies in the order in which they can be uploaded.
    pub policies: Vec<LocalPolicy>,
    /// Policies of the set that cannot be deployed: on a cycle of bases, without id, not
    /// well-formed, or a second file for an id. Validation normally stops before.
    pub undeployable: Vec<Undeployable>,
}

/// One policy that is to be in the tenant.
#[derive(Debug, Clone)]
pub struct LocalPolicy {
    /// `PolicyId` as its file writes it.
    pub id: String,
    /// The file, as shown to the user.
    pub file: String,
    /// The text it was read from.
    pub source: SourceId,
    /// `TenantId` with its place.
    pub tenant: Option<(String, Location)>,
    /// `TenantObjectId` with its place, for the rare file that has it.
    pub tenant_object_id: Option<(String, Location)>,
    /// What it inherits from.
    pub base: Option<LocalBase>,
    /// What is uploaded: placeholders replaced, no byte order mark.
    pub text: Arc<str>,
    /// What counts when it is compared with the tenant's policy.
    pub canonical: String,
    /// The parsed text.
    pub document: Arc<Document>,
    /// Where the id stands.
    pub location: Location,
    /// The keysets that it refers to, in document order.
    pub keysets: Vec<KeysetReference>,
}

/// The base of a local policy.
#[derive(Debug, Clone)]
pub struct LocalBase {
    /// `BasePolicy/PolicyId` as written.
    pub id: String,
    /// Where it stands.
    pub location: Location,
    /// Position of the base in [`Local::policies`] if it is one of them.
    pub in_set: Option<usize>,
}

/// A policy that cannot be deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undeployable {
    /// Its id; empty if it has none.
    pub id: String,
    /// Where to look.
    pub location: Location,
    /// Why, as the end of a sentence.
    pub reason: &'static str,
}

impl Local {
    /// Takes the user's own policies out of a set that was read from `sources`.
    pub fn new(set: &PolicySet, sources: &SourceMap) -> Self {
        let mut local = Self {
            sources: sources.clone(),
            ..Self::default()
        };
        let order = set.upload_order();
        for (index, policy) in set.own() {
            if !order.contains(&index) {
                local.refuse(policy, "it inherits from itself through its bases");
            }
        }
        let mut position = std::collections::HashMap::new();
        for index in order {
            let policy = set.get(index);
            match local.read(policy) {
                Ok(read) => {
                    let base = policy.header.base.as_ref();
                    let base = base.filter(|_| set.base(index) != Base::Root);
                    let base = base.map(|base| LocalBase {
                        id: base.policy_id.value.clone(),
                        location: base.policy_id.location,
                        in_set: position.get(&fold(&base.policy_id.value)).copied(),
                    });
                    position.insert(fold(&read.id), local.policies.len());
                    local.policies.push(LocalPolicy { base, ..read });
                }
                Err(reason) => local.refuse(policy, reason),
            }
        }
        local
    }

    fn read(&self, policy: &Policy) -> Result<LocalPolicy, &'static str> {
        let id = policy.header.policy_id.as_ref();
        let Some(id) = id.filter(|id| !id.value.is_empty()) else {
            return Err("it has no PolicyId");
        };
        if !policy.document.is_well_formed() {
            return Err("its file is not well-formed XML");
        }
        if self.find(&id.value).is_some() {
            return Err("another file of the set declares the same PolicyId");
        }
        let Some(canonical) = canonical_form(&policy.document) else {
            return Err("its file is empty");
        };
        let tenant = policy.header.tenant_id.as_ref();
        let root = policy.document.root();
        let object_id = root.and_then(|root| root.attribute("TenantObjectId"));
        Ok(LocalPolicy {
            id: id.value.clone(),
            file: self.sources.get(policy.source).name().to_owned(),
            source: policy.source,
            tenant: tenant.map(|tenant| (tenant.value.clone(), tenant.location)),
            tenant_object_id: object_id
                .map(|id| (id.value().to_owned(), policy.location(id.value_span()))),
            base: None,
            text: Arc::clone(policy.document.text()),
            canonical,
            document: Arc::clone(&policy.document),
            location: id.location,
            keysets: needed_keysets(policy),
        })
    }

    fn refuse(&mut self, policy: &Policy, reason: &'static str) {
        let id = policy.header.policy_id.as_ref();
        let root = policy.document.root().map(|root| root.name_span());
        self.undeployable.push(Undeployable {
            id: policy.id().to_owned(),
            location: id.map_or_else(
                || policy.location(root.unwrap_or_default()),
                |id| id.location,
            ),
            reason,
        });
    }

    /// The policy with this id, without regard to case.
    pub fn find(&self, id: &str) -> Option<&LocalPolicy> {
        let mut policies = self.policies.iter();
        policies.find(|policy| policy.id.eq_ignore_ascii_case(id))
    }

    /// A location as the user sees it.
    pub fn place(&self, location: Location) -> Place {
        Place::of(&self.sources, location)
    }

    /// The ids of all policies and of all bases that are not among them: what has to be read from
    /// the tenant.
    pub fn wanted(&self) -> Vec<String> {
        let own = self.policies.iter().map(|policy| policy.id.clone());
        let bases = self.policies.iter().filter_map(|policy| {
            let base = policy.base.as_ref()?;
            base.in_set.is_none().then(|| base.id.clone())
        });
        let mut wanted: Vec<String> = own.chain(bases).collect();
        let mut seen = std::collections::HashSet::new();
        wanted.retain(|id| seen.insert(fold(id)));
        wanted
    }
}

impl LocalPolicy {
    /// Identifies what counts in the policy.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.canonical)
    }
}
