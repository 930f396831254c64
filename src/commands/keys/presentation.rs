//! From what `deploy::keys` knows to what is written out.

use crate::deploy::date;
use crate::deploy::keys::{KeyFinding, KeyUser, KeysReport, RotationPlan, TenantKey, TenantKeyset};
use crate::diagnostics::Level;
use crate::output::json::SCHEMA_VERSION;
use crate::output::keys::{
    ChangeJson, ChangeStatus, CheckJson, CheckSummaryJson, HandoverJson, KeyFindingJson, KeyJson,
    KeyState, KeyUserJson, KeysetJson,
};

pub(super) fn keyset(keyset: &TenantKeyset, users: Option<&[KeyUser]>, now: i64) -> KeysetJson {
    KeysetJson {
        id: keyset.id.clone(),
        kty: keyset.kty().map(str::to_owned),
        key_use: keyset.key_use().map(str::to_owned),
        active: keyset.active.clone(),
        expires: keyset.active_key().and_then(TenantKey::expires).map(date),
        keys: keyset
            .keys
            .iter()
            .map(|one| key(one, keyset, now))
            .collect(),
        used_by: users.map(|users| {
            users
                .iter()
                .filter(|user| user.keyset.eq_ignore_ascii_case(&keyset.id))
                .map(key_user)
                .collect()
        }),
    }
}

fn key(key: &TenantKey, keyset: &TenantKeyset, now: i64) -> KeyJson {
    let is_active = keyset.active.is_some() && keyset.active == key.key.kid;
    let state = if is_active {
        KeyState::Active
    } else if key.is_disabled() {
        KeyState::Disabled
    } else if key.key.expires.is_some_and(|expires| expires <= now) {
        KeyState::Expired
    } else if key.key.not_before.is_some_and(|begin| begin > now) {
        KeyState::Waiting
    } else {
        KeyState::Standby
    };
    KeyJson {
        kid: key.key.kid.clone(),
        kty: key.key.kty.clone(),
        key_use: key.key.key_use.clone(),
        state,
        not_before: key.key.not_before.map(date),
        expires: key.key.expires.map(date),
        thumbprint: key.key.thumbprint.clone(),
        certificate_expires: key
            .certificate
            .map(|certificate| date(certificate.not_after)),
    }
}

pub(super) fn key_user(user: &KeyUser) -> KeyUserJson {
    KeyUserJson {
        policy_id: user.policy_id.clone(),
        element: user.element.clone(),
        key: user.key.clone(),
        file: user.place.as_ref().map(|place| place.file.clone()),
        line: user.place.as_ref().map(|place| place.line),
        column: user.place.as_ref().map(|place| place.column),
    }
}

pub(super) fn check(report: &KeysReport, tenant: &str) -> CheckJson {
    let count = |level| {
        let findings = report.findings.iter();
        findings.filter(|finding| finding.level == level).count()
    };
    CheckJson {
        schema_version: SCHEMA_VERSION,
        command: "keys check",
        tenant: tenant.to_owned(),
        summary: CheckSummaryJson {
            keysets: report.keysets.len(),
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            hints: count(Level::Hint),
        },
        findings: report.findings.iter().map(finding).collect(),
    }
}

fn finding(finding: &KeyFinding) -> KeyFindingJson {
    KeyFindingJson {
        rule: finding.rule.id,
        level: finding.level,
        keyset: finding.keyset.clone(),
        kid: finding.kid.clone(),
        message: finding.message.clone(),
        help: finding.help.clone(),
        used_by: finding.users.iter().map(key_user).collect(),
    }
}

pub(super) fn plan(command: &'static str, plan: &RotationPlan, tenant: &str) -> ChangeJson {
    let mut change = ChangeJson::new(command, tenant, &plan.keyset);
    change.content = Some(plan.offer.content.to_string());
    change.active_from = plan.active_from().map(date);
    change.handovers = plan
        .handovers
        .iter()
        .map(|handover| HandoverJson {
            at: date(handover.at),
            kid: handover
                .key
                .and_then(|key| plan.keys.get(key)?.key.kid.clone()),
            new: handover.key == Some(plan.new_key()),
        })
        .collect();
    change.warnings = plan.warnings.iter().map(ToString::to_string).collect();
    change.errors = plan.refusals.iter().map(ToString::to_string).collect();
    if !change.errors.is_empty() {
        change.status = ChangeStatus::Refused;
        change.handovers.clear();
        change.active_from = None;
    }
    change
}
