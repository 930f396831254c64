//! Whether an update takes something away that the tenant's policies still use.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::policy::Kind;

use super::difference::{Difference, declaration};
use super::{Local, LocalPolicy, Remote, RemotePolicy, fold};

/// Who uses what in the tenant now, and what will be declared after the deployment. Policies of the
/// tenant whose content was not read are not known here.
#[derive(Debug)]
pub(super) struct Impact<'a> {
    used_by: BTreeMap<(Kind, &'a str), BTreeSet<&'a str>>,
    declared: HashSet<(Kind, String)>,
}

impl<'a> Impact<'a> {
    pub(super) fn new(local: &Local, remote: &'a Remote) -> Self {
        let mut used_by: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for policy in remote.contents() {
            for (kind, id) in &policy.references {
                let users = used_by.entry((*kind, id.as_str())).or_default();
                users.insert(policy.id.as_str());
            }
        }
        let own: HashSet<String> = local
            .policies
            .iter()
            .map(|policy| fold(&policy.id))
            .collect();
        let mut declared: HashSet<(Kind, String)> = HashSet::new();
        for policy in &local.policies {
            declared.extend(policy.document.elements().filter_map(declaration));
        }
        for policy in remote
            .contents()
            .filter(|policy| !own.contains(&fold(&policy.id)))
        {
            declared.extend(policy.declarations.iter().cloned());
        }
        Self { used_by, declared }
    }

    /// The difference of an update, with the users of what it takes away. A declaration that moves to
    /// another policy of the set is not taken away.
    pub(super) fn difference(&self, existing: &RemotePolicy, policy: &LocalPolicy) -> Difference {
        let (mut difference, touched) = Difference::with_touched(&existing.text, &policy.document);
        for touched in touched {
            let key = (touched.kind, touched.id.as_str());
            let moved =
                touched.removed && self.declared.contains(&(touched.kind, touched.id.clone()));
            if let Some(users) = self.used_by.get(&key).filter(|_| !moved) {
                let used_by = &mut difference.changes[touched.change].used_by;
                used_by.extend(users.iter().map(|user| (*user).to_owned()));
                used_by.sort();
                used_by.dedup();
            }
        }
        difference
    }
}
