//! Which policies a project no longer contains and may therefore be deleted from the tenant. Pure.

use std::collections::{BTreeMap, HashSet};

use crate::diagnostics::{Diagnostic, Level, Location, Rule};

use super::{Local, Owned, Remote, fold};

/// A policy that the project no longer contains was changed by somebody else.
pub static PRUNE_CHANGED: Rule = Rule {
    id: "prune-changed",
    level: Level::Error,
    summary: "a policy that is to be pruned was changed in the tenant since this project deployed it",
};

/// A policy that the project no longer contains is the base of somebody else's.
pub static PRUNE_INHERITED: Rule = Rule {
    id: "prune-inherited",
    level: Level::Error,
    summary: "a policy that stays in the tenant inherits from one that is to be pruned",
};

/// What pruning would do.
#[derive(Debug, Clone, Default)]
pub struct Pruning {
    /// The policies that are to be deleted, as the tenant writes their ids.
    pub delete: Vec<String>,
    /// Why others are kept that the project no longer contains. Whatever level a team gives to
    /// these rules, the policies are kept.
    pub findings: Vec<Diagnostic>,
}

/// Chooses among the policies that the project deployed those that it no longer contains, that are
/// in the tenant as they were deployed, and from which no policy inherits that stays. `remote` must
/// hold the content of all policies; `place` is shown with the findings.
pub fn prune(owned: &[Owned], local: &Local, remote: &Remote, place: Location) -> Pruning {
    let mut pruning = Pruning::default();
    let mut delete: Vec<String> = Vec::new();
    for owned in owned {
        if local.find(&owned.id).is_some() {
            continue;
        }
        let Some(existing) = remote.policy(&owned.id) else {
            continue;
        };
        if owned.fingerprints.contains(&existing.fingerprint()) {
            delete.push(existing.id.clone());
            continue;
        }
        pruning.findings.push(
            Diagnostic::new(
                &PRUNE_CHANGED,
                place,
                format!(
                    "policy `{}` is not among the files any more, but it was changed in the tenant \
                     since it was deployed, and is therefore not deleted",
                    existing.id
                ),
            )
            .help("delete it in the portal if nobody needs it, or take it back with `iefctl pull`")
            .policy_id(&existing.id),
        );
    }
    // One that is kept keeps its bases.
    loop {
        let heirs = heirs_outside(&delete, Some(local), remote);
        if heirs.is_empty() {
            break;
        }
        delete.retain(|id| !heirs.contains_key(&fold(id)));
        for (id, heirs) in heirs {
            let id = remote.policy(&id).map_or(id, |policy| policy.id.clone());
            pruning.findings.push(
                Diagnostic::new(
                    &PRUNE_INHERITED,
                    place,
                    format!(
                        "policy `{id}` is not among the files any more, but {} inherits from it, \
                         and it is therefore not deleted",
                        heirs.join(", ")
                    ),
                )
                .help("let that policy inherit from another one first")
                .policy_id(&id),
            );
        }
    }
    pruning.delete = delete;
    pruning
}

/// The policies of the tenant that inherit from one of `ids` and are not among them: by the folded id
/// of the base. A policy of `local` inherits from what its file says, as it is written first.
pub fn heirs_outside(
    ids: &[String],
    local: Option<&Local>,
    remote: &Remote,
) -> BTreeMap<String, Vec<String>> {
    let inside: HashSet<String> = ids.iter().map(|id| fold(id)).collect();
    let mut heirs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for policy in remote.contents() {
        if inside.contains(&fold(&policy.id)) {
            continue;
        }
        let base = match local.and_then(|local| local.find(&policy.id)) {
            Some(file) => file.base.as_ref().map(|base| &base.id),
            None => policy.base.as_ref(),
        };
        if let Some(base) = base.map(|base| fold(base))
            && inside.contains(&base)
        {
            heirs.entry(base).or_default().push(policy.id.clone());
        }
    }
    // A file may be new and inherit from what is to go.
    for policy in local.iter().flat_map(|local| &local.policies) {
        if let Some(base) = policy.base.as_ref().map(|base| fold(&base.id))
            && inside.contains(&base)
            && !remote.has_policy(&policy.id)
        {
            heirs.entry(base).or_default().push(policy.id.clone());
        }
    }
    heirs
}

#[cfg(test)]
mod tests {
    use super::super::{Fingerprint, RemotePolicy};
    use super::*;
    use crate::diagnostics::{Source, SourceMap, Span};

    fn policy(id: &str, base: &str) -> RemotePolicy {
        let base = match base {
            "" => String::new(),
            base => format!("<BasePolicy><PolicyId>{base}</PolicyId></BasePolicy>"),
        };
        let text = format!("<TrustFrameworkPolicy PolicyId=\"{id}\">{base}</TrustFrameworkPolicy>");
        RemotePolicy::new(id, text)
    }

    fn remote(policies: Vec<RemotePolicy>) -> Remote {
        let ids = policies.iter().map(|policy| policy.id.clone()).collect();
        Remote::new(ids, Vec::new(), policies)
    }

    fn owned(policy: &RemotePolicy) -> Owned {
        Owned::new(policy.id.to_uppercase(), vec![policy.fingerprint()])
    }

    fn place() -> Location {
        let mut sources = SourceMap::new();
        Location {
            source: sources.add(Source::new("iefctl.toml", "project = 'x'")),
            span: Span::new(0, 7),
        }
    }

    #[test]
    fn only_what_is_ours_and_unchanged_goes() {
        let (gone, changed, foreign) = (policy("A", ""), policy("B", ""), policy("C", ""));
        let records = [
            owned(&gone),
            Owned::new("B".to_owned(), vec![Fingerprint::of("other")]),
            Owned::new("Deleted".to_owned(), Vec::new()),
        ];
        let remote = remote(vec![gone, changed, foreign]);
        let pruning = prune(&records, &Local::default(), &remote, place());
        assert_eq!(pruning.delete, ["A"]);
        assert_eq!(pruning.findings.len(), 1);
        assert_eq!(pruning.findings[0].rule, &PRUNE_CHANGED);
    }

    #[test]
    fn a_policy_that_stays_keeps_its_whole_chain() {
        let policies = vec![
            policy("Root", ""),
            policy("Ours", "ROOT"),
            policy("Theirs", "ours"),
            policy("Leaf", "Ours"),
        ];
        let records: Vec<Owned> = [0, 1, 3].map(|index: usize| owned(&policies[index])).into();
        let remote = remote(policies);
        let pruning = prune(&records, &Local::default(), &remote, place());
        assert_eq!(pruning.delete, ["Leaf"]);
        let rules: Vec<_> = pruning.findings.iter().map(|found| found.rule.id).collect();
        assert_eq!(rules, ["prune-inherited", "prune-inherited"]);
    }
}
