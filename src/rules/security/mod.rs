//! What an attacker would look for.

use crate::diagnostics::Rule;

use super::Group;

mod endpoints;
mod id_token_hint;
mod metadata;
mod password;
mod production;
mod query_string;
mod relying_party;
mod rest;
mod saml;
mod secret;

pub(super) static GROUP: Group = Group {
    rules: &[
        &secret::SEC_SECRET_METADATA,
        &endpoints::SEC_HTTP_ENDPOINT,
        &endpoints::SEC_OPENREDIRECT_LOADURI,
        &rest::SEC_REST_NONE,
        &metadata::SEC_ALLOW_INSECURE,
        &metadata::SEC_REST_DEBUG,
        &metadata::SEC_ISSUER_ANY,
        &metadata::SEC_EMAIL_VERIFICATION,
        &metadata::SEC_TEST_EMAIL,
        &metadata::SEC_OTP_WEAK,
        &metadata::SEC_REFRESH_INFINITE,
        &production::SEC_DEVELOPMENT_MODE,
        &production::SEC_INSIGHTS_DEVELOPER,
        &relying_party::SEC_SCRIPT_ALLOW,
        &relying_party::SEC_FRAMING,
        &saml::SEC_SAML_UNSIGNED,
        &password::SEC_PASSWORD_PLAIN,
        &query_string::SEC_QUERYSTRING_CLAIM,
        &id_token_hint::SEC_IDHINT_NOKEY,
    ],
    checks: &[
        secret::check,
        endpoints::check,
        rest::check,
        metadata::check,
        production::check,
        relying_party::check,
        saml::check,
        password::check,
        query_string::check,
        id_token_hint::check,
    ],
    set_checks: &[],
};

/// Rules that speak only where the environment is marked production.
pub(super) static PRODUCTION_ONLY: &[&Rule] = &[
    &production::SEC_DEVELOPMENT_MODE,
    &production::SEC_INSIGHTS_DEVELOPER,
];
