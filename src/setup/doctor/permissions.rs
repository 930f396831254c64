//! Whether the token allows what the set needs.

use crate::auth::TokenClaims;
use crate::policy::TenantValue;

use super::{Check, Examination, Group, State, grant};

struct Wanted {
    id: &'static str,
    subject: &'static str,
    /// The permissions that are enough, the one to ask for first.
    enough: &'static [&'static str],
    /// Permissions that allow a part.
    partly: &'static [&'static str],
    /// What works with those.
    part: &'static str,
    /// What does not work without any.
    without: &'static str,
    is_required: bool,
}

pub(super) fn check(examination: &Examination<'_>) -> Vec<Check> {
    let looked_up = |values: &[TenantValue]| {
        let mut wanted = examination.expected.looked_up.iter();
        wanted.any(|value| values.contains(value))
    };
    let wanted = [
        Wanted {
            id: "permission-policies",
            subject: "policies",
            enough: &["Policy.ReadWrite.TrustFramework"],
            partly: &["Policy.Read.All"],
            part: "plan and pull work, deploy does not",
            without: "policies can be neither read nor written",
            is_required: true,
        },
        Wanted {
            id: "permission-keysets",
            subject: "keysets",
            enough: &["TrustFrameworkKeySet.ReadWrite.All"],
            partly: &["TrustFrameworkKeySet.Read.All"],
            part: "keysets can be checked, missing ones cannot be made",
            without: "keysets can be neither read nor made",
            is_required: true,
        },
        Wanted {
            id: "permission-applications",
            subject: "applications",
            enough: &[
                "Application.Read.All",
                "Application.ReadWrite.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            partly: &[],
            part: "",
            without: "applications cannot be checked or looked up",
            is_required: looked_up(&[
                TenantValue::FrameworkAppId,
                TenantValue::ProxyAppId,
                TenantValue::ExtensionsAppId,
                TenantValue::ExtensionsObjectId,
            ]),
        },
        Wanted {
            id: "permission-consent",
            subject: "consent",
            enough: &[
                "DelegatedPermissionGrant.Read.All",
                "DelegatedPermissionGrant.ReadWrite.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            partly: &[],
            part: "",
            without: "consent cannot be checked",
            is_required: false,
        },
        Wanted {
            id: "permission-organization",
            subject: "tenant",
            enough: &[
                "Organization.Read.All",
                "Organization.ReadWrite.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            partly: &[],
            part: "",
            without: "the tenant's identity and quota cannot be checked",
            is_required: looked_up(&[TenantValue::TenantId, TenantValue::TenantDomain]),
        },
    ];
    let Some(claims) = examination.claims else {
        return vec![
            Check::new(
                Group::Permissions,
                "permissions",
                "permissions",
                State::Unknown,
                "could not check, because the access token cannot be read",
            )
            .help("what is missing shows when the service refuses a call"),
        ];
    };
    wanted.iter().map(|wanted| one(wanted, claims)).collect()
}

fn one(wanted: &Wanted, claims: &TokenClaims) -> Check {
    let held = |names: &[&'static str]| names.iter().find(|name| claims.grants(name)).copied();
    let check = |state, message: String| {
        Check::new(
            Group::Permissions,
            wanted.id,
            wanted.subject,
            state,
            message,
        )
    };
    let first = wanted.enough.first().copied().unwrap_or_default();
    match (held(wanted.enough), held(wanted.partly)) {
        (Some(name), _) => check(State::Ok, name.to_owned()),
        (None, Some(name)) => {
            check(State::Warning, format!("only {name}: {}", wanted.part)).help(grant(first))
        }
        (None, None) if wanted.is_required => check(
            State::Problem,
            format!("{first} is missing: {}", wanted.without),
        )
        .help(grant(first)),
        (None, None) => check(
            State::Warning,
            format!("{first} is missing: {}", wanted.without),
        )
        .help(format!("optional; {}", grant(first))),
    }
}
