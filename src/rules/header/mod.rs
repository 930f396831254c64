//! The head of a policy file: ids, tenant, mode, size.

use super::Group;

mod deployment_mode;
mod duplicate_id;
mod identity;
mod limits;

pub(super) static GROUP: Group = Group {
    rules: &[
        &duplicate_id::DUPLICATE_ID_CASE,
        &duplicate_id::DUPLICATE_DISPLAYCONTROL_ID,
        &duplicate_id::DUPLICATE_LOCALIZEDRESOURCES_ID,
        &identity::POLICYID_PREFIX,
        &identity::PUBLICPOLICYURI_MISMATCH,
        &identity::TENANTID_PLACEHOLDER,
        &limits::FILE_TOO_LARGE,
        &limits::TOO_MANY_POLICIES,
        &deployment_mode::DEPLOYMENT_MODE,
    ],
    checks: &[
        duplicate_id::check,
        identity::check,
        limits::check,
        deployment_mode::check,
    ],
    set_checks: &[identity::check_set, limits::check_set],
};
