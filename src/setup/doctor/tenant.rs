//! Which tenant it is, whether policies mean it, and how full it is.

use crate::msgraph::{DirectoryQuota, Organization};

use super::{Check, Examination, Group, State};
use crate::setup::Mention;

const TYPE: &str = "AAD B2C";
const PERMISSION: &str = "Organization.Read.All";

pub(super) fn check(examination: &Examination<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    let check = |id, subject: &str, state, message: String| {
        Check::new(Group::Tenant, id, subject, state, message)
    };
    match &examination.facts.organization {
        Err(error) => {
            checks.push(Check::unknown(
                Group::Tenant,
                "tenant-identity",
                "identity",
                error,
                PERMISSION,
            ));
        }
        Ok(organization) => {
            checks.push(identity(examination, organization));
            let kind = organization.tenant_type.as_deref();
            checks.push(match kind {
                Some(kind) if kind.eq_ignore_ascii_case(TYPE) => {
                    check("tenant-type", "type", State::Ok, kind.to_owned())
                }
                Some(kind) => check(
                    "tenant-type",
                    "type",
                    State::Problem,
                    format!("`{kind}` is no B2C tenant: custom policies need the type `{TYPE}`"),
                )
                .help(
                    "sign in to the B2C tenant itself, not to the one that it was created from: \
                     portal: switch directory, register the application there, and give its \
                     domain with --tenant",
                ),
                None => check(
                    "tenant-type",
                    "type",
                    State::Warning,
                    "the service does not say what kind of tenant it is".to_owned(),
                ),
            });
            checks.push(policies_name(examination, organization));
        }
    }
    match &examination.facts.quota {
        // Said once already.
        Err(_) if examination.facts.organization.is_err() => {}
        Err(error) => checks.push(Check::unknown(
            Group::Tenant,
            "tenant-quota",
            "directory quota",
            error,
            PERMISSION,
        )),
        Ok(None) => checks.push(check(
            "tenant-quota",
            "directory quota",
            State::Unknown,
            "could not check, because the service does not report it".to_owned(),
        )),
        Ok(Some(quota)) => checks.push(quota_check(*quota)),
    }
    checks
}

fn identity(examination: &Examination<'_>, organization: &Organization) -> Check {
    let domain = organization.initial_domain().unwrap_or("without domain");
    let who = format!("{domain} ({})", organization.id);
    let names_it = is_of(examination.tenant, organization);
    if names_it {
        return Check::new(Group::Tenant, "tenant-identity", "identity", State::Ok, who);
    }
    Check::new(
        Group::Tenant,
        "tenant-identity",
        "identity",
        State::Problem,
        format!(
            "{} was asked for, but the sign-in is to {who}",
            examination.tenant
        ),
    )
    .help(format!(
        "choose the tenant with `--tenant {domain}`, or correct it in the configuration"
    ))
}

fn is_of(tenant: &str, organization: &Organization) -> bool {
    organization.id.eq_ignore_ascii_case(tenant)
        || organization
            .domains
            .iter()
            .any(|domain| domain.name.eq_ignore_ascii_case(tenant))
}

fn policies_name(examination: &Examination<'_>, organization: &Organization) -> Check {
    let check = |state, message: String| {
        Check::new(Group::Tenant, "tenant-policies", "policies", state, message)
    };
    let tenants = &examination.expected.tenants;
    if tenants.is_empty() {
        return check(State::Ok, "no policy names a tenant".to_owned());
    }
    let other: Option<&Mention> = tenants
        .iter()
        .find(|tenant| !tenant.is_looked_up() && !is_of(&tenant.value, organization));
    match other {
        None => check(State::Ok, "they name this tenant".to_owned()),
        Some(other) => check(
            State::Problem,
            format!(
                "{} names tenant {}, which is no domain of this one",
                other.place, other.value
            ),
        )
        .help("write `TenantId=\"{Settings:Tenant}\"`, or choose the tenant of the policies"),
    }
}

fn quota_check(quota: DirectoryQuota) -> Check {
    let DirectoryQuota { used, total } = quota;
    let check = |state, message: String| {
        Check::new(
            Group::Tenant,
            "tenant-quota",
            "directory quota",
            state,
            message,
        )
    };
    let count = format!("{used} of {total} objects");
    let help = "delete users and objects that nobody needs (also under Deleted users), or ask for \
                more: portal: New support request > Azure AD B2C > directory quota; a verified \
                custom domain raises the limit";
    if total == 0 || used >= total {
        check(State::Problem, format!("{count}: it is full")).help(help)
    } else if used.saturating_mul(10) >= total.saturating_mul(9) {
        check(State::Warning, format!("{count}: nearly full")).help(help)
    } else {
        check(State::Ok, count)
    }
}
