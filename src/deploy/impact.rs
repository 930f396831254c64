//! Whether an update takes something away that the tenant's policies still use.

use std::collections::{BTreeSet, HashSet};

use crate::policy::Kind;

use super::difference::{Difference, Part, Taken, declaration};
use super::{Local, LocalPolicy, Remote, RemotePolicy, fold};

/// What the tenant's policies use now, and what will be there after the deployment. Policies of the
/// tenant whose content was not read are not known here.
#[derive(Debug)]
pub(super) struct Impact<'a> {
    remote: &'a Remote,
    declared: HashSet<(Kind, String)>,
    parts: HashSet<Part>,
}

impl<'a> Impact<'a> {
    pub(super) fn new(local: &Local, remote: &'a Remote) -> Self {
        let own: HashSet<String> = local
            .policies
            .iter()
            .map(|policy| fold(&policy.id))
            .collect();
        let mut declared: HashSet<(Kind, String)> = HashSet::new();
        let mut parts: HashSet<Part> = HashSet::new();
        for policy in &local.policies {
            declared.extend(policy.document.elements().filter_map(declaration));
            parts.extend(policy.document.elements().filter_map(Part::of));
        }
        for policy in remote
            .contents()
            .filter(|policy| !own.contains(&fold(&policy.id)))
        {
            declared.extend(policy.declarations.iter().cloned());
            parts.extend(policy.parts.iter().cloned());
        }
        Self {
            remote,
            declared,
            parts,
        }
    }

    /// The difference of an update, with the users of what it takes away. What moves to another
    /// policy of the set is not taken away; what the same file uses changes together with it.
    pub(super) fn difference(&self, existing: &RemotePolicy, policy: &LocalPolicy) -> Difference {
        let (mut difference, touched) = Difference::with_touched(&existing.text, &policy.document);
        if touched.is_empty() {
            return difference;
        }
        let heirs = self.heirs(existing);
        let mut users: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); difference.changes.len()];
        for touched in touched {
            let using = heirs.iter().filter(|heir| self.uses(heir, &touched.what));
            users[touched.change].extend(using.map(|heir| heir.id.as_str()));
        }
        for (change, users) in difference.changes.iter_mut().zip(users) {
            change.used_by = users.into_iter().map(str::to_owned).collect();
        }
        difference
    }

    /// Whether a policy of the tenant needs what is taken away.
    fn uses(&self, heir: &RemotePolicy, what: &Taken) -> bool {
        let refers = |kind: Kind, id: &str| {
            let mut references = heir.references.iter();
            references.any(|(known, other)| *known == kind && other == id)
        };
        match what {
            Taken::Declaration(kind, id) => {
                !self.declared.contains(&(*kind, id.clone())) && refers(*kind, id)
            }
            Taken::Retyped(kind, id) => refers(*kind, id),
            // Whoever runs or extends the journey.
            Taken::Step(kind, id) => heir.knows(*kind, id),
            // Whoever says in the tenant what happens in a step of this number.
            Taken::Numbers(kind, id) => {
                let mut declarations = heir.declarations.iter();
                declarations.any(|(known, other)| known == kind && other == id)
            }
            Taken::Part(part) if self.parts.contains(part) => false,
            Taken::Part(Part::OutputClaim { claim, .. }) => refers(Kind::ClaimType, claim),
            Taken::Part(part @ Part::MetadataItem { profile, .. }) => {
                heir.knows(Kind::TechnicalProfile, profile) && !heir.parts.contains(part)
            }
        }
    }

    /// The policies of the tenant that inherit from this one, directly or not.
    fn heirs(&self, ancestor: &RemotePolicy) -> Vec<&'a RemotePolicy> {
        let all = self.remote.contents();
        let inherits = |policy: &&RemotePolicy| {
            let mut seen = HashSet::new();
            let mut base = policy.base.as_deref();
            while let Some(id) = base
                && seen.insert(fold(id))
            {
                if id.eq_ignore_ascii_case(&ancestor.id) {
                    return true;
                }
                base = self
                    .remote
                    .policy(id)
                    .and_then(|policy| policy.base.as_deref());
            }
            false
        };
        all.filter(inherits).collect()
    }
}
