//! `policyid-prefix`, `publicpolicyuri-mismatch` and `tenantid-placeholder`: what the document element
//! says about the policy.

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, Edit, Level, Rule};
use crate::policy::{Effective, Policy, PolicySet};
use crate::xml::escape_attribute;

/// Custom policies of a tenant begin with `B2C_1A_`.
pub(super) static POLICYID_PREFIX: Rule = Rule {
    id: "policyid-prefix",
    level: Level::Warning,
    summary: "a PolicyId does not begin with B2C_1A_",
};

/// The address of the policy names another policy or tenant.
pub(super) static PUBLICPOLICYURI_MISMATCH: Rule = Rule {
    id: "publicpolicyuri-mismatch",
    level: Level::Hint,
    summary: "PublicPolicyUri is not http://{TenantId}/{PolicyId}",
};

/// The tenant of a template was never filled in.
pub(super) static TENANTID_PLACEHOLDER: Rule = Rule {
    id: "tenantid-placeholder",
    level: Level::Warning,
    summary: "TenantId still holds the placeholder of a template",
};

/// First labels of domains that templates use. Those that contain a hyphen, a brace or an underscore
/// are no tenant names for the schema, which reports them.
const PLACEHOLDERS: &[&str] = &["yourtenant", "yourtenantname", "tenantname", "mytenantname"];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    findings.extend(prefix(view));
    findings.extend(public_policy_uri(view));
}

fn prefix(view: &Effective<'_>) -> Option<Diagnostic> {
    let id = view.policy().header.policy_id.as_ref()?;
    if is_prefixed(&id.value) || id.value.is_empty() {
        return None;
    }
    Some(
        Diagnostic::new(
            &POLICYID_PREFIX,
            id.location,
            format!("PolicyId `{}` does not begin with `B2C_1A_`", id.value),
        )
        .help(format!(
            "write `B2C_1A_{}`, also in the BasePolicy of the policies that inherit from it",
            id.value
        ))
        .policy_id(&id.value),
    )
}

fn is_prefixed(id: &str) -> bool {
    let start = id.get(..7);
    start.is_some_and(|start| start.eq_ignore_ascii_case("B2C_1A_"))
}

fn public_policy_uri(view: &Effective<'_>) -> Option<Diagnostic> {
    let header = &view.policy().header;
    let uri = header.public_policy_uri.as_ref()?;
    let tenant = &header.tenant_id.as_ref()?.value;
    let id = &header.policy_id.as_ref()?.value;
    let expected = format!("http://{tenant}/{id}");
    if tenant.is_empty() || id.is_empty() || uri.same(&expected) {
        return None;
    }
    // That the tenant differs from that of a base is another mistake, and so is an id without prefix:
    // what is right there is not known, and the address may follow from it.
    let follows_from = |tenant: &str| {
        let start = format!("http://{tenant}/");
        let parts = uri.value.split_at_checked(start.len());
        parts.is_some_and(|(named, policy)| {
            let is_it = !is_prefixed(id) || policy.eq_ignore_ascii_case(id);
            is_it && named.eq_ignore_ascii_case(&start)
        })
    };
    let chain = view.chain().iter().map(|policy| policy.tenant());
    let others: Vec<&str> = chain
        .filter(|other| !other.eq_ignore_ascii_case(tenant))
        .collect();
    if follows_from(tenant) || others.iter().copied().any(follows_from) {
        return None;
    }
    let finding = Diagnostic::new(
        &PUBLICPOLICYURI_MISMATCH,
        uri.location,
        format!("PublicPolicyUri is `{}`, not `{expected}`", uri.value),
    )
    .help("the tenant accepts it, but people take it for the address of the policy")
    .policy_id(id);
    if !others.is_empty() || !is_prefixed(id) {
        return Some(finding);
    }
    let edit = Edit {
        location: uri.location,
        replacement: escape_attribute(&expected).to_string(),
    };
    Some(finding.fix(format!("write `{expected}`"), vec![edit]))
}

/// One placeholder that nobody replaced is one mistake, however many files it stands in.
pub(super) fn check_set(set: &PolicySet, findings: &mut Vec<Diagnostic>) {
    let mut by_name: BTreeMap<String, Vec<&Policy>> = BTreeMap::new();
    for (_, policy) in set.own() {
        let Some(tenant) = &policy.header.tenant_id else {
            continue;
        };
        let label = tenant.value.split('.').next().unwrap_or_default();
        let is_placeholder = PLACEHOLDERS
            .iter()
            .any(|placeholder| placeholder.eq_ignore_ascii_case(label));
        if is_placeholder && policy.document.is_well_formed() {
            let name = tenant.value.to_ascii_lowercase();
            by_name.entry(name).or_default().push(policy);
        }
    }
    for policies in by_name.into_values() {
        let others = match policies.len() - 1 {
            0 => String::new(),
            1 => ", here and in one more policy".to_owned(),
            count => format!(", here and in {count} more policies"),
        };
        let mut first = None;
        for policy in policies {
            let Some(tenant) = &policy.header.tenant_id else {
                continue;
            };
            let mut finding = Diagnostic::new(
                &TENANTID_PLACEHOLDER,
                tenant.location,
                format!(
                    "TenantId `{}` is the placeholder of a template{others}",
                    tenant.value
                ),
            )
            .help(
                "name the tenant with `--tenant`, or in an environment of the configuration; it \
                 takes the place of `yourtenant.onmicrosoft.com`",
            )
            .policy_id(policy.id());
            finding.cause = Some(*first.get_or_insert(tenant.location));
            findings.push(finding);
        }
    }
}
