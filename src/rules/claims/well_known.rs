//! `reserved-claim-type-change` and `extension-claim-datatype`: claim types that the directory or the
//! service fills, declared with a data type that does not fit.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site};

/// A claim type that the service knows, with another data type than the starter packs give it.
pub(super) static RESERVED_CLAIM_TYPE_CHANGE: Rule = Rule {
    id: "reserved-claim-type-change",
    level: Level::Hint,
    summary: "a claim type that the service fills has another data type than usual",
};

/// A custom attribute with a data type that the directory does not store.
pub(super) static EXTENSION_CLAIM_DATATYPE: Rule = Rule {
    id: "extension-claim-datatype",
    level: Level::Warning,
    summary: "a custom attribute of the directory has a data type that it cannot store",
};

/// Claim types of Microsoft's starter packs that the directory or the service gives a meaning.
static WELL_KNOWN: &[(&str, &[&str])] = &[
    (
        "string",
        &[
            "alternativeSecurityId",
            "authenticationSource",
            "client_id",
            "displayName",
            "email",
            "executed-SelfAsserted-Input",
            "givenName",
            "grant_type",
            "identityProvider",
            "identityProviderAccessToken",
            "issuerUserId",
            "mailNickName",
            "nca",
            "newPassword",
            "objectId",
            "password",
            "passwordPolicies",
            "reenterPassword",
            "refreshTokenIssuedOnDateTime",
            "refreshTokensValidFromDateTime",
            "resource_id",
            "scope",
            "signInName",
            "signInNames.emailAddress",
            "strongAuthenticationEmailAddress",
            "strongAuthenticationPhoneNumber",
            "sub",
            "surname",
            "tenantId",
            "upnUserName",
            "userPrincipalName",
            "verificationCode",
        ],
    ),
    (
        "boolean",
        &[
            "accountEnabled",
            "isActiveMFASession",
            "newPhoneNumberEntered",
            "newUser",
            "objectIdFromSession",
        ],
    ),
    ("stringCollection", &["otherMails"]),
];

/// What a custom attribute can be. The reference names string, boolean and int; date, dateTime and
/// long are stored too.
static STORED: &[&str] = &["string", "boolean", "int", "long", "date", "dateTime"];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for element in policy.declarations(Kind::ClaimType) {
        let claim_type = Site { policy, element };
        let Some(id) = claim_type.attribute("Id") else {
            continue;
        };
        let Some(declaration) = claim_type.child("DataType") else {
            continue;
        };
        let actual = declaration.element.trimmed_text();
        let location = || declaration.location(declaration.element.text_span());
        if id.len() > 10 && id.as_bytes()[..10].eq_ignore_ascii_case(b"extension_") {
            if !STORED.contains(&actual) {
                findings.push(
                    Diagnostic::new(
                        &EXTENSION_CLAIM_DATATYPE,
                        location(),
                        format!("custom attribute `{id}` cannot be stored as {actual}"),
                    )
                    .policy_id(policy.id())
                    .help("the directory stores string, boolean and int"),
                );
            }
            continue;
        }
        let known = WELL_KNOWN
            .iter()
            .find(|(_, ids)| ids.iter().any(|known| known.eq_ignore_ascii_case(id)));
        if let Some((usual, _)) = known
            && *usual != actual
        {
            findings.push(
                Diagnostic::new(
                    &RESERVED_CLAIM_TYPE_CHANGE,
                    location(),
                    format!("claim type `{id}` is {actual}, but the service knows it as {usual}"),
                )
                .policy_id(policy.id())
                .help("use a claim type of your own for another kind of value"),
            );
        }
    }
}
