//! What must hold before anything is written, beyond what validation of the files can know.

use std::collections::HashSet;

use crate::diagnostics::{Diagnostic, Level, Rule, Span, near_miss};
use crate::policy::{BASE_NOT_FOUND, InitialDomain};

use super::plan::{PlanOptions, PolicyAction, PolicyStep, TenantIdentity};
use super::{Local, LocalPolicy, Remote, fold, keyset_plan};

/// The policy cannot be brought into an order of upload, or is no complete policy.
pub static POLICY_UNDEPLOYABLE: Rule = Rule {
    id: "policy-undeployable",
    level: Level::Error,
    summary: "a policy of the set cannot be uploaded as it is",
};

/// The service would store the policy under another id.
pub static POLICYID_UNPREFIXED: Rule = Rule {
    id: "policyid-unprefixed",
    level: Level::Error,
    summary: "a PolicyId does not begin with B2C_1A_, so the tenant would store it under another id",
};

/// The policy belongs to another tenant.
pub static TENANT_OTHER: Rule = Rule {
    id: "tenant-other",
    level: Level::Error,
    summary: "a policy names another tenant than the one that was signed in to",
};

/// The policy is larger than the service accepts.
pub static POLICY_TOO_LARGE: Rule = Rule {
    id: "policy-too-large",
    level: Level::Error,
    summary: "a policy is larger than the 1024 KB that a tenant accepts",
};

/// The tenant would hold more policies than it can.
pub static TENANT_FULL: Rule = Rule {
    id: "tenant-full",
    level: Level::Error,
    summary: "the tenant would hold more than 200 policies",
};

/// Debugging settings would reach users.
pub static PRODUCTION_DEBUGGING: Rule = Rule {
    id: "production-debugging",
    level: Level::Error,
    summary: "a policy for a production environment is in development mode, which logs claims",
};

/// Every rule that only planning can decide.
pub static RULES: &[&Rule] = &[
    &POLICY_UNDEPLOYABLE,
    &POLICYID_UNPREFIXED,
    &TENANT_OTHER,
    &POLICY_TOO_LARGE,
    &TENANT_FULL,
    &PRODUCTION_DEBUGGING,
    &keyset_plan::KEYSET_MISSING,
    &keyset_plan::KEYSET_MIXED_USE,
    &keyset_plan::KEYSET_WRONG_KIND,
    &keyset_plan::KEYSET_CONFLICTING_RECIPES,
    &super::materials::KEYSET_WITHOUT_VALUE,
    &super::prune::PRUNE_CHANGED,
    &super::prune::PRUNE_INHERITED,
    &super::keys::KEYSET_WITHOUT_KEY,
    &super::keys::KEYSET_WITHOUT_ACTIVE_KEY,
    &super::keys::KEYSET_NOT_YET_ACTIVE,
    &super::keys::KEYSET_EXPIRED,
    &super::keys::KEYSET_EXPIRING,
    &super::rejected::UPLOAD_FAILED,
];

/// Rules of validation, and the rule by which planning, which knows the tenant, says the same of a
/// policy more strictly.
static STRICTER: &[(&str, &Rule)] = &[
    ("policyid-prefix", &POLICYID_UNPREFIXED),
    ("file-too-large", &POLICY_TOO_LARGE),
    ("too-many-policies", &TENANT_FULL),
    ("sec-development-mode", &PRODUCTION_DEBUGGING),
    ("sec-insights-developer", &PRODUCTION_DEBUGGING),
];

/// Removes what validation found where planning found the same: one mistake is one finding.
pub fn without_doubles(diagnostics: &mut Vec<Diagnostic>) {
    let strict: Vec<(&str, Option<String>)> = diagnostics
        .iter()
        .filter(|finding| STRICTER.iter().any(|(_, rule)| *rule == finding.rule))
        .map(|finding| (finding.rule.id, finding.policy_id.clone()))
        .collect();
    if strict.is_empty() {
        return;
    }
    diagnostics.retain(|finding| {
        let rules = STRICTER.iter();
        let mut rules = rules.filter(|(validated, _)| *validated == finding.rule.id);
        !rules.any(|(_, rule)| {
            strict
                .iter()
                .any(|(id, policy)| *id == rule.id && *policy == finding.policy_id)
        })
    });
}

/// Policies in a tenant, custom ones and user flows together (Microsoft's "service limits and
/// restrictions" page of Azure AD B2C).
const MOST_POLICIES: usize = 200;

/// Size of a policy in bytes, from the same page.
const LARGEST_POLICY: usize = 1024 * 1024;

/// Microsoft's own helper counts a kilobyte as 1000 bytes here.
const LARGE_POLICY: usize = 1_024_000;

pub(super) fn check(
    tenant: &TenantIdentity,
    local: &Local,
    remote: &Remote,
    options: &PlanOptions,
    steps: &[PolicyStep],
    findings: &mut Vec<Diagnostic>,
) {
    for policy in &local.undeployable {
        let name = if policy.id.is_empty() {
            "this policy".to_owned()
        } else {
            format!("policy `{}`", policy.id)
        };
        findings.push(Diagnostic::new(
            &POLICY_UNDEPLOYABLE,
            policy.location,
            format!("{name} cannot be deployed: {}", policy.reason),
        ));
    }
    let known = KnownTenant::new(tenant, remote);
    for policy in &local.policies {
        findings.extend(unprefixed(policy));
        findings.extend(too_large(policy));
        findings.extend(base_nowhere(policy, local, remote, options));
        findings.extend(known.mismatch(policy));
        if options.production {
            findings.extend(debugging(policy));
        }
    }
    findings.extend(full(local, remote, steps));
}

fn unprefixed(policy: &LocalPolicy) -> Option<Diagnostic> {
    let start = policy.id.get(..7);
    let prefixed = start.is_some_and(|start| start.eq_ignore_ascii_case("B2C_1A_"));
    (!prefixed).then(|| {
        Diagnostic::new(
            &POLICYID_UNPREFIXED,
            policy.location,
            format!("PolicyId `{}` does not begin with `B2C_1A_`", policy.id),
        )
        .help(format!(
            "the tenant would store it as `B2C_1A_{0}`, and policies that name it `{0}` as their \
             base would not find it; write `B2C_1A_{0}` everywhere",
            policy.id
        ))
        .policy_id(&policy.id)
    })
}

fn too_large(policy: &LocalPolicy) -> Option<Diagnostic> {
    let bytes = policy.text.len();
    if bytes <= LARGE_POLICY {
        return None;
    }
    let level = if bytes > LARGEST_POLICY {
        Level::Error
    } else {
        Level::Warning
    };
    Some(
        Diagnostic::new(
            &POLICY_TOO_LARGE,
            policy.location,
            format!(
                "policy `{}` has {bytes} bytes; a tenant accepts 1024 KB",
                policy.id
            ),
        )
        .level(level)
        .help("move a part of it into a policy that it inherits from")
        .policy_id(&policy.id),
    )
}

fn base_nowhere(
    policy: &LocalPolicy,
    local: &Local,
    remote: &Remote,
    options: &PlanOptions,
) -> Option<Diagnostic> {
    let base = policy.base.as_ref()?;
    if base.in_set.is_some() {
        return None;
    }
    let deleted = options
        .delete
        .iter()
        .any(|id| id.eq_ignore_ascii_case(&base.id));
    if remote.has_policy(&base.id) && !deleted {
        return None;
    }
    if deleted && remote.has_policy(&base.id) {
        return Some(
            Diagnostic::new(
                &BASE_NOT_FOUND,
                base.location,
                format!("base policy `{}` is to be deleted from the tenant", base.id),
            )
            .help("keep it, or let this policy inherit from another one")
            .policy_id(&policy.id),
        );
    }
    let known = local
        .policies
        .iter()
        .map(|known| known.id.as_str())
        .filter(|id| *id != policy.id)
        .chain(remote.policies.iter().map(String::as_str));
    let help = match near_miss(&base.id, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add its file to the set, or upload it first".to_owned(),
    };
    Some(
        Diagnostic::new(
            &BASE_NOT_FOUND,
            base.location,
            format!(
                "base policy `{}` exists neither among the files nor in the tenant",
                base.id
            ),
        )
        .help(help)
        .service_message(format!(
            "Policy with 'policyId': {} cannot be found in the directory",
            base.id.to_uppercase()
        ))
        .policy_id(&policy.id),
    )
}

/// What is known of the tenant's names. A domain and an id can only be compared through what the
/// token or the tenant's own policies tell.
struct KnownTenant {
    shown: String,
    domains: HashSet<String>,
    ids: HashSet<String>,
}

impl KnownTenant {
    fn new(tenant: &TenantIdentity, remote: &Remote) -> Self {
        let mut known = Self {
            shown: tenant.name.clone(),
            domains: HashSet::new(),
            ids: HashSet::new(),
        };
        // The id that stored policies carry says no more than the token's.
        let stored = remote
            .contents()
            .filter_map(|policy| policy.tenant.as_ref());
        let names = std::iter::once(&tenant.name)
            .chain(&tenant.id)
            .chain(&tenant.aliases);
        for name in names.chain(stored) {
            if is_id(name) {
                known.ids.insert(fold(name));
            } else if !name.is_empty() {
                known.domains.insert(fold(name));
            }
        }
        known
    }

    fn mismatch(&self, policy: &LocalPolicy) -> Option<Diagnostic> {
        // A tenant has one initial domain, but any number of others, which only it knows.
        let contradicts = |name: &str| {
            if is_id(name) {
                return !self.ids.is_empty() && !self.ids.contains(&fold(name));
            }
            let initial = self
                .domains
                .iter()
                .any(|domain| InitialDomain::of(domain).is_some());
            initial && InitialDomain::of(name).is_some() && !self.domains.contains(&fold(name))
        };
        let tenant = policy.tenant.as_ref();
        let object_id = policy.tenant_object_id.as_ref();
        let (name, location) = tenant
            .filter(|(name, _)| contradicts(name))
            .or_else(|| object_id.filter(|(id, _)| contradicts(id)))?;
        Some(
            Diagnostic::new(
                &TENANT_OTHER,
                *location,
                format!(
                    "policy `{}` is for tenant `{name}`, but `{}` was signed in to",
                    policy.id, self.shown
                ),
            )
            .help("set the tenant of the environment, or sign in to the other one with `--tenant`")
            .service_message(format!(
                "TenantId in the policy xml '{name}' is not same as the one in login tenant '{}'.",
                self.shown
            ))
            .policy_id(&policy.id),
        )
    }
}

fn is_id(name: &str) -> bool {
    name.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && name
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn debugging(policy: &LocalPolicy) -> Vec<Diagnostic> {
    let at = |span: Span, message: String, help: &str| {
        let location = crate::diagnostics::Location {
            source: policy.source,
            span,
        };
        Diagnostic::new(&PRODUCTION_DEBUGGING, location, message)
            .help(help)
            .policy_id(&policy.id)
    };
    let mut findings = Vec::new();
    let root = policy.document.root();
    if let Some(mode) = root.and_then(|root| root.attribute("DeploymentMode"))
        && mode.value() != "Production"
    {
        findings.push(at(
            mode.value_span(),
            format!(
                "DeploymentMode `{}` in a production environment logs claims",
                mode.value()
            ),
            "remove the attribute for production, for example by a setting",
        ));
    }
    for element in policy.document.elements() {
        if element.name() == "JourneyInsights"
            && let Some(mode) = element.attribute("DeveloperMode")
            && matches!(mode.value(), "true" | "1")
        {
            findings.push(at(
                mode.value_span(),
                "DeveloperMode in a production environment sends all claims to Application Insights"
                    .to_owned(),
                "write `DeveloperMode=\"false\"` for production, for example by a setting",
            ));
        }
    }
    findings
}

fn full(local: &Local, remote: &Remote, steps: &[PolicyStep]) -> Option<Diagnostic> {
    let count = |action| steps.iter().filter(|step| step.action == action).count();
    let before = remote.policies.len();
    // Deletions come after all uploads.
    let most = before + count(PolicyAction::Create);
    if most <= MOST_POLICIES || count(PolicyAction::Create) == 0 {
        return None;
    }
    let surplus = most - MOST_POLICIES;
    let created = steps
        .iter()
        .filter(|step| step.action == PolicyAction::Create);
    let first = created
        .rev()
        .nth(surplus.min(count(PolicyAction::Create)) - 1)?;
    let policy = local.find(&first.id)?;
    Some(
        Diagnostic::new(
            &TENANT_FULL,
            policy.location,
            format!(
                "the tenant would hold {most} custom policies, but 200 policies are the limit, \
                 user flows included"
            ),
        )
        .help(format!(
            "delete {surplus} policies that nobody uses any more"
        ))
        .policy_id(&policy.id),
    )
}
