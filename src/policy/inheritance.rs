use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::xml::FILE_UNREADABLE;

use super::header::Named;
use super::set::{Base, Policy, PolicyIndex, Role};

/// Two files declare one policy.
pub static POLICYID_DUPLICATE: Rule = Rule {
    id: "policyid-duplicate",
    level: Level::Error,
    summary: "two files of a set declare the same PolicyId",
};

/// A policy inherits, directly or through others, from itself.
pub static BASE_CYCLE: Rule = Rule {
    id: "base-cycle",
    level: Level::Error,
    summary: "a policy inherits from itself, directly or through others",
};

/// The base is neither among the files nor in the tenant.
pub static BASE_NOT_FOUND: Rule = Rule {
    id: "base-not-found",
    level: Level::Error,
    summary: "the base policy exists neither among the files nor in the tenant",
};

/// The base is not among the files; whether the tenant holds it is not known here.
pub static BASE_UNKNOWN: Rule = Rule {
    id: "base-unknown",
    level: Level::Warning,
    summary: "the base policy is not among the files, so what it declares cannot be checked",
};

/// The chain of bases is longer than the service allows.
pub static BASE_DEPTH: Rule = Rule {
    id: "base-depth",
    level: Level::Error,
    summary: "a policy inherits through more than ten levels",
};

/// A base is written with other letter case than its file.
pub static BASE_CASE: Rule = Rule {
    id: "base-case",
    level: Level::Hint,
    summary: "a BasePolicy writes the id with other letter case than the policy itself",
};

/// Policies of one chain name different tenants.
pub static TENANTID_MISMATCH: Rule = Rule {
    id: "tenantid-mismatch-set",
    level: Level::Error,
    summary: "policies of one inheritance chain name different tenants",
};

/// Several policies of the set have no base.
pub static MULTIPLE_ROOTS: Rule = Rule {
    id: "multiple-roots",
    level: Level::Hint,
    summary: "several policies of the set inherit from nothing",
};

/// Levels of inheritance that the service documents as its limit
/// (Microsoft's "service limits and restrictions" page of Azure AD B2C).
const MAX_LEVELS: usize = 10;

/// The solved graph: bases and an order of upload.
#[derive(Debug, Clone, Default)]
pub(super) struct Inheritance {
    bases: Vec<Base>,
    order: Vec<PolicyIndex>,
    by_id: HashMap<Box<str>, PolicyIndex>,
}

impl Inheritance {
    pub(super) fn find(&self, id: &str) -> Option<PolicyIndex> {
        self.by_id.get(&*id.to_ascii_lowercase()).copied()
    }

    pub(super) fn base(&self, index: PolicyIndex) -> Base {
        self.bases[index.0 as usize]
    }

    pub(super) fn order(&self) -> &[PolicyIndex] {
        &self.order
    }
}

pub(super) fn resolve(policies: &[Policy], tenant_known: bool) -> (Inheritance, Vec<Diagnostic>) {
    let mut findings = Vec::new();
    let by_id = index_by_id(policies, &mut findings);
    let mut graph = DiGraph::<PolicyIndex, ()>::new();
    let nodes: Vec<NodeIndex> = (0..policies.len() as u32)
        .map(|index| graph.add_node(PolicyIndex(index)))
        .collect();
    let bases: Vec<Base> = policies
        .iter()
        .enumerate()
        .map(|(index, policy)| {
            let Some(base) = &policy.header.base else {
                return if policy.is_meant_as_root() {
                    Base::Root
                } else {
                    Base::Elsewhere
                };
            };
            match by_id.get(&*base.policy_id.value.to_ascii_lowercase()) {
                Some(&found) => {
                    graph.add_edge(nodes[found.0 as usize], nodes[index], ());
                    Base::InSet(found)
                }
                None => Base::Elsewhere,
            }
        })
        .collect();

    for (policy, base) in policies.iter().zip(&bases) {
        if policy.role == Role::Context {
            continue;
        }
        match base {
            Base::Root => {}
            Base::Elsewhere => findings.extend(missing_base(policy, policies, tenant_known)),
            Base::InSet(base) => {
                let base = &policies[base.0 as usize];
                findings.extend(other_case(policy, base));
                findings.extend(other_tenant(policy, Some(base)));
            }
        }
        if *base == Base::Elsewhere {
            findings.extend(other_tenant(policy, None));
        }
    }
    findings.extend(cycles(policies, &graph));
    findings.extend(multiple_roots(policies, &bases));
    findings.extend(depth(policies, &bases));

    let order = upload_order(&graph);
    (
        Inheritance {
            bases,
            order,
            by_id,
        },
        findings,
    )
}

fn index_by_id(
    policies: &[Policy],
    findings: &mut Vec<Diagnostic>,
) -> HashMap<Box<str>, PolicyIndex> {
    let mut by_id: HashMap<Box<str>, PolicyIndex> = HashMap::new();
    for (index, policy) in policies.iter().enumerate() {
        let Some(id) = policy
            .header
            .policy_id
            .as_ref()
            .filter(|id| !id.value.is_empty())
        else {
            continue;
        };
        let index = PolicyIndex(index as u32);
        let first = *by_id
            .entry(id.value.to_ascii_lowercase().into())
            .or_insert(index);
        if first == index {
            continue;
        }
        let Some(other) = &policies[first.0 as usize].header.policy_id else {
            continue;
        };
        let spelling = if other.value == id.value {
            ""
        } else {
            "; ids that differ only in letter case are the same policy for the tenant"
        };
        findings.push(
            Diagnostic::new(
                &POLICYID_DUPLICATE,
                id.location,
                format!(
                    "policy `{}` is declared by two files of the set{spelling}",
                    id.value
                ),
            )
            .related(other.location, "declared here first")
            .help("give one of them another PolicyId, or leave one file out of the set")
            .service_message(format!(
                "Tenant \"{}\" already has a policy with id \"{}\". Another policy with the same \
                 id cannot be stored",
                policy.tenant(),
                id.value
            ))
            .policy_id(&id.value),
        );
    }
    by_id
}

fn missing_base(policy: &Policy, policies: &[Policy], tenant_known: bool) -> Option<Diagnostic> {
    let base = &policy.header.base.as_ref()?.policy_id;
    if base.value.is_empty() {
        // The schema reports the empty id.
        return None;
    }
    let known = policies.iter().map(Policy::id);
    let near = crate::diagnostics::near_miss(&base.value, known);
    let sentence = format!(
        "Policy with 'policyId': {} cannot be found in the directory '{}'.",
        base.value.to_uppercase(),
        policy.tenant()
    );
    let (rule, message, mut help) = if tenant_known {
        (
            &BASE_NOT_FOUND,
            format!(
                "base policy `{}` exists neither among the files nor in the tenant",
                base.value
            ),
            "add its file to the set, or upload it first".to_owned(),
        )
    } else {
        (
            &BASE_UNKNOWN,
            format!(
                "base policy `{}` is not among the files; what this policy takes from it is not \
                 checked",
                base.value
            ),
            "name the folder that holds it with `--with DIR`; on deploy it is read from the tenant"
                .to_owned(),
        )
    };
    if let Some(near) = near {
        help = format!("did you mean `{near}`? Otherwise {help}");
    }
    let mut finding = Diagnostic::new(rule, base.location, message)
        .help(help)
        .service_message(sentence)
        .policy_id(policy.id());
    // It may be in a file that cannot be read, which says as much.
    finding.doubtful_while = Some(FILE_UNREADABLE.id);
    Some(finding)
}

fn other_case(policy: &Policy, base: &Policy) -> Option<Diagnostic> {
    let written = &policy.header.base.as_ref()?.policy_id;
    let declared = base.header.policy_id.as_ref()?;
    (written.value != declared.value).then(|| {
        Diagnostic::new(
            &BASE_CASE,
            written.location,
            format!(
                "`{}` is written `{}` by the base itself",
                written.value, declared.value
            ),
        )
        .related(declared.location, "declared here")
        .policy_id(policy.id())
    })
}

/// One finding for a policy whose tenant, base tenant and base disagree.
fn other_tenant(policy: &Policy, base: Option<&Policy>) -> Option<Diagnostic> {
    let tenant = policy.header.tenant_id.as_ref()?;
    let mismatch = |here: &Named, there: &Named, word: &str| {
        Diagnostic::new(
            &TENANTID_MISMATCH,
            here.location,
            format!(
                "tenant `{}` is not the tenant `{}` {word}",
                here.value, there.value
            ),
        )
        .related(there.location, "another tenant here")
        .help("a policy and its base live in one tenant; write the same tenant everywhere")
        .service_message(format!(
            "TenantId in the policy xml '{}' is not same as the one in login tenant '{}'.",
            here.value, there.value
        ))
        .policy_id(policy.id())
    };
    let base_tenant = policy.header.base.as_ref()?.tenant_id.as_ref();
    if let Some(base_tenant) = base_tenant
        && !base_tenant.same(&tenant.value)
    {
        return Some(mismatch(base_tenant, tenant, "of this policy"));
    }
    let declared = base?.header.tenant_id.as_ref()?;
    (!declared.same(&tenant.value)).then(|| mismatch(tenant, declared, "of its base policy"))
}

fn cycles(policies: &[Policy], graph: &DiGraph<PolicyIndex, ()>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for component in tarjan_scc(graph) {
        let loops_to_itself = graph.find_edge(component[0], component[0]).is_some();
        if component.len() == 1 && !loops_to_itself {
            continue;
        }
        let mut members: Vec<_> = component.iter().map(|&node| graph[node]).collect();
        members.sort();
        // Follow the bases from the first member, so that the message reads as the path it is.
        let mut path = vec![members[0]];
        while path.len() < members.len() {
            let current = path[path.len() - 1];
            let node = NodeIndex::new(current.0 as usize);
            let Some(base) = graph
                .edges_directed(node, petgraph::Direction::Incoming)
                .map(|edge| graph[edge.source()])
                .next()
            else {
                break;
            };
            path.push(base);
        }
        let names: Vec<_> = path
            .iter()
            .chain(path.first())
            .map(|index| format!("`{}`", policies[index.0 as usize].id()))
            .collect();
        let base_id = |index: &PolicyIndex| {
            let base = policies[index.0 as usize].header.base.as_ref()?;
            Some(base.policy_id.location)
        };
        let first = &policies[path[0].0 as usize];
        let Some(place) = base_id(&path[0]) else {
            continue;
        };
        let message = if path.len() == 1 {
            format!("policy {} inherits from itself", names[0])
        } else {
            format!(
                "these policies inherit from each other: {}",
                names.join(" → ")
            )
        };
        let mut finding = Diagnostic::new(&BASE_CYCLE, place, message)
            .help(
                "break the cycle: one of the policies must inherit from another base or from none",
            )
            .policy_id(first.id());
        for index in &path[1..] {
            if let Some(location) = base_id(index) {
                let id = policies[index.0 as usize].id();
                finding = finding.related(location, format!("`{id}` inherits from this"));
            }
        }
        findings.push(finding);
    }
    findings
}

fn multiple_roots(policies: &[Policy], bases: &[Base]) -> Option<Diagnostic> {
    let mut roots = policies
        .iter()
        .zip(bases)
        .filter(|(policy, base)| **base == Base::Root && policy.role == Role::Own)
        .filter(|(policy, _)| policy.document.is_well_formed())
        .filter_map(|(policy, _)| policy.header.policy_id.as_ref());
    let first = roots.next()?;
    let others: Vec<_> = roots.collect();
    let second = others.first()?;
    let mut finding = Diagnostic::new(
        &MULTIPLE_ROOTS,
        second.location,
        format!(
            "{} policies of the set inherit from nothing",
            others.len() + 1
        ),
    )
    .related(first.location, "a root too")
    .help("legal, but often a BasePolicy was forgotten")
    .policy_id(&second.value);
    for other in &others[1..] {
        finding = finding.related(other.location, "a root too");
    }
    Some(finding)
}

fn depth(policies: &[Policy], bases: &[Base]) -> Vec<Diagnostic> {
    let mut levels: Vec<Option<usize>> = vec![None; policies.len()];
    let mut findings = Vec::new();
    for start in 0..policies.len() {
        // Walk up to a policy whose level is known, then back down.
        let mut path = vec![start];
        let mut below = loop {
            let current = path[path.len() - 1];
            if let Some(level) = levels[current] {
                path.pop();
                break level + 1;
            }
            match bases[current] {
                Base::InSet(base) if path.contains(&(base.0 as usize)) => break 0,
                Base::InSet(base) => path.push(base.0 as usize),
                Base::Root | Base::Elsewhere => break 0,
            }
        };
        while let Some(current) = path.pop() {
            levels[current] = Some(below);
            // Only where the limit is crossed: the policies below are consequences.
            if below == MAX_LEVELS + 1 {
                findings.extend(too_deep(&policies[current]));
            }
            below += 1;
        }
    }
    findings
}

fn too_deep(policy: &Policy) -> Option<Diagnostic> {
    let base = &policy.header.base.as_ref()?.policy_id;
    (policy.role == Role::Own).then(|| {
        Diagnostic::new(
            &BASE_DEPTH,
            base.location,
            format!(
                "policy `{}` inherits through more than {MAX_LEVELS} levels",
                policy.id()
            ),
        )
        .help("merge two of the policies that it inherits from")
        .policy_id(policy.id())
    })
}

/// Kahn's algorithm that always takes the policy which was given first, so that the order is the
/// same in every run. What lies on a cycle or below one never becomes free and is left out.
fn upload_order(graph: &DiGraph<PolicyIndex, ()>) -> Vec<PolicyIndex> {
    use petgraph::Direction::{Incoming, Outgoing};
    let mut waiting: Vec<usize> = graph
        .node_indices()
        .map(|node| graph.neighbors_directed(node, Incoming).count())
        .collect();
    let mut free: BinaryHeap<Reverse<PolicyIndex>> = graph
        .node_indices()
        .filter(|node| waiting[node.index()] == 0)
        .map(|node| Reverse(graph[node]))
        .collect();
    let mut order = Vec::with_capacity(graph.node_count());
    while let Some(Reverse(index)) = free.pop() {
        order.push(index);
        for child in graph.neighbors_directed(NodeIndex::new(index.0 as usize), Outgoing) {
            waiting[child.index()] -= 1;
            if waiting[child.index()] == 0 {
                free.push(Reverse(graph[child]));
            }
        }
    }
    order
}
