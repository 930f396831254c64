//! Switches in the metadata of technical profiles that take protection away: one table, one rule for
//! each.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site};

macro_rules! rules {
    ($($name:ident, $id:literal, $summary:literal;)*) => {
        $(pub(super) static $name: Rule = Rule {
            id: $id,
            level: Level::Warning,
            summary: $summary,
        };)*
    };
}

rules! {
    SEC_ALLOW_INSECURE, "sec-allow-insecure",
        "AllowInsecureAuthInProduction lets a REST service be called without authentication";
    SEC_REST_DEBUG, "sec-rest-debug",
        "DebugMode of a REST profile returns what the service answered to the user's browser";
    SEC_ISSUER_ANY, "sec-issuer-any",
        "ValidTokenIssuerPrefixes accepts the tokens of every tenant";
    SEC_EMAIL_VERIFICATION, "sec-email-verification",
        "EnforceEmailVerification is switched off, so addresses are not proved";
    SEC_TEST_EMAIL, "sec-test-email",
        "allowTestEmailAddressPassThrough lets test addresses pass without a code";
    SEC_OTP_WEAK, "sec-otp-weak",
        "a one-time code is easier to guess than the service's defaults make it";
    SEC_REFRESH_INFINITE, "sec-refresh-infinite",
        "refresh tokens never expire as long as they are used";
}

/// What is wrong with an item and what to do.
struct Weakness {
    rule: &'static Rule,
    message: String,
    help: &'static str,
}

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for profile in view.policy().sites(Kind::TechnicalProfile) {
        for item in profile.items("Metadata", "Item") {
            let key = item.attribute("Key").unwrap_or_default();
            let Some(weakness) = weakness(view, profile, key, item) else {
                continue;
            };
            findings.push(
                Diagnostic::new(
                    weakness.rule,
                    item.location(item.element.text_span()),
                    weakness.message,
                )
                .help(weakness.help)
                .policy_id(view.policy().id()),
            );
        }
    }
}

fn weakness(
    view: &Effective<'_>,
    profile: Site<'_>,
    key: &str,
    item: Site<'_>,
) -> Option<Weakness> {
    let value = || item.element.trimmed_text();
    let is = |expected: &str| value().eq_ignore_ascii_case(expected);
    let weakness = |rule, message: &str, help| {
        Some(Weakness {
            rule,
            message: message.to_owned(),
            help,
        })
    };
    match key {
        "AllowInsecureAuthInProduction" if is("true") && is_insecure(view, profile) => weakness(
            &SEC_ALLOW_INSECURE,
            "this profile may call its service without authentication in production",
            "let the service authenticate its caller, and remove the item",
        ),
        "DebugMode" if is("true") => weakness(
            &SEC_REST_DEBUG,
            "details of the service's errors reach the user's browser",
            "remove the item before users see the policy",
        ),
        "EnforceEmailVerification" if is("false") && asks_for_address(view, profile) => weakness(
            &SEC_EMAIL_VERIFICATION,
            "users may give addresses that are not theirs",
            "remove the item, or verify the address in another step",
        ),
        "allowTestEmailAddressPassThrough" if is("true") => weakness(
            &SEC_TEST_EMAIL,
            "test addresses pass without a code",
            "remove the item before users see the policy",
        ),
        "allow_infinite_rolling_refresh_token" if is("true") => weakness(
            &SEC_REFRESH_INFINITE,
            "a stolen refresh token can be renewed for ever",
            "remove the item and set rolling_refresh_token_lifetime_secs",
        ),
        "ValidTokenIssuerPrefixes" => any_issuer(view, profile, value()),
        "CodeLength" | "NumRetryAttempts" | "CodeExpirationInSeconds" => {
            weak_code(view, profile, key, value())
        }
        _ => None,
    }
}

/// Whether the profile may be without authentication; another type makes the permission idle.
fn is_insecure(view: &Effective<'_>, profile: Site<'_>) -> bool {
    let merged = profile
        .attribute("Id")
        .and_then(|id| view.technical_profile(id));
    merged.is_none_or(|merged| {
        merged
            .metadata("AuthenticationType")
            .is_none_or(|item| item.value.trim().eq_ignore_ascii_case("None"))
    })
}

/// Whether the profile has a claim that would be verified.
fn asks_for_address(view: &Effective<'_>, profile: Site<'_>) -> bool {
    let merged = profile
        .attribute("Id")
        .and_then(|id| view.technical_profile(id));
    merged.is_some_and(|merged| {
        merged.output_claims.iter().any(|claim| {
            claim
                .attribute("PartnerClaimType")
                .is_some_and(|partner| partner.eq_ignore_ascii_case("Verified.Email"))
        })
    })
}

fn any_issuer(view: &Effective<'_>, profile: Site<'_>, value: &str) -> Option<Weakness> {
    let any = value.split(',').map(str::trim).find(|prefix| {
        let bare = prefix.trim_end_matches('/').to_ascii_lowercase();
        bare == "https://login.microsoftonline.com" || bare == "https://sts.windows.net"
    })?;
    let merged = view.technical_profile(profile.attribute("Id")?)?;
    let by_issuer = merged.metadata("DiscoverMetadataByTokenIssuer")?;
    by_issuer
        .value
        .trim()
        .eq_ignore_ascii_case("true")
        .then(|| Weakness {
            rule: &SEC_ISSUER_ANY,
            message: format!("`{any}` is the beginning of every tenant's issuer"),
            help: "name the tenants: https://login.microsoftonline.com/{tenant id}, with commas \
                   between; if every tenant is meant, check `tid` in a later step",
        })
}

/// The service's defaults are 6 digits, 5 attempts and 600 seconds (Microsoft's page on the one-time
/// password technical profile).
fn weak_code(view: &Effective<'_>, profile: Site<'_>, key: &str, value: &str) -> Option<Weakness> {
    let number: u32 = value.parse().ok()?;
    let message = match key {
        "CodeLength" if number < 6 => format!("a code of {number} characters is easy to guess"),
        "NumRetryAttempts" if number > 5 => format!("{number} attempts make a code easy to guess"),
        "CodeExpirationInSeconds" if number > 900 => {
            format!("a code that is valid for {number} seconds is easy to intercept")
        }
        _ => return None,
    };
    let merged = view.technical_profile(profile.attribute("Id")?)?;
    (merged.handler()? == "Web.TPEngine.Providers.OneTimePasswordProtocolProvider").then_some(
        Weakness {
            rule: &SEC_OTP_WEAK,
            message,
            help: "the defaults are 6 characters, 5 attempts and 600 seconds",
        },
    )
}
