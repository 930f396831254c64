//! Real policies that people published as samples: every error must be on the list below, with the
//! reason why the policy is really broken. Whatever else is an error here is a false alarm.
use std::collections::BTreeSet;

use iefctl::diagnostics::Level;
use iefctl::validate::Outcome;

use super::files::{check, corpus, packs, samples};

/// Sample folder below `samples`, rule, and why the policy is broken.
const BROKEN: &[(&str, &str, &str)] = &[
    (
        "custom-claims-provider/policy",
        "rest-insecure-auth",
        "calls a REST service without authentication, which production policies must allow by name",
    ),
    (
        "custom-claims-provider/policy",
        "tp-metadata-invalid",
        "the client id of the identity provider is left empty for the reader to fill in",
    ),
    (
        "custom-email-verifcation/policy",
        "rest-insecure-auth",
        "calls a REST service without authentication, which production policies must allow by name",
    ),
    (
        "home-realm-discovery-page/policy",
        "tp-metadata-invalid",
        "the client id of the identity provider is left empty for the reader to fill in",
    ),
    (
        "mfa-email-or-phone/policy",
        "aad-extension-app",
        "extension attributes; the reader is to add the application ids to AAD-Common",
    ),
    (
        "remote-profile/Remote-profile-policies",
        "rest-insecure-auth",
        "calls a REST service without authentication, which production policies must allow by name",
    ),
    (
        "remote-profile/Remote-profile-policies",
        "tp-metadata-invalid",
        "the client id of the identity provider is left empty for the reader to fill in",
    ),
    (
        "remote-profile/Remote-profile-with-hash-policies",
        "rest-insecure-auth",
        "calls a REST service without authentication, which production policies must allow by name",
    ),
    (
        "remote-profile/Remote-profile-with-hash-policies",
        "tp-metadata-invalid",
        "the client id of the identity provider is left empty for the reader to fill in",
    ),
    (
        "service-consent/policy",
        "aad-extension-app",
        "extension attributes; the reader is to add the application ids to AAD-Common",
    ),
    (
        "sign-in-with-custom-mfa/policy",
        "rest-insecure-auth",
        "calls a REST service without authentication, which production policies must allow by name",
    ),
    (
        "store-three-letters-of-the-password/policy",
        "rest-insecure-auth",
        "calls a REST service without authentication, which production policies must allow by name",
    ),
    (
        "username-discovery/policy",
        "rest-insecure-auth",
        "calls a REST service without authentication, which production policies must allow by name",
    ),
    (
        "age-gating/policy",
        "datauri-unknown",
        "version 2.1.7 is one of the page contract, but the URI lacks `contract`",
    ),
    (
        "custom-email-verifcation-displaycontrol/policy/Mailjet",
        "ref-technicalprofile",
        "the profile is declared only by the sample's SSPR variant",
    ),
    (
        "custom-email-verifcation-displaycontrol/policy/SSPR",
        "policyid-duplicate",
        "sign-up and password reset carry the same PolicyId: the second upload replaces the first",
    ),
    (
        "custom-sms-displaycontrol/policy",
        "flow-required-input",
        "a journey for local accounts keeps a step of the social base",
    ),
    (
        "encrypted-profile/policies",
        "xsd-attr",
        "the instrumentation key is a text to be replaced, no GUID",
    ),
    (
        "encrypted-profile/policies",
        "xsd-text-content",
        "stray text between the elements of UserJourneyBehaviors",
    ),
    (
        "groups/policy",
        "flow-rp-output",
        "the claims transformation that yields the claim is commented out",
    ),
    (
        "home-realm-discovery-modern/policy",
        "xsd-attr",
        "the tenant's domain where its GUID belongs",
    ),
    (
        "home-realm-discovery-page/policy",
        "ref-claimtype",
        "a claim type of an older starter pack",
    ),
    (
        "invite-via-email/policy",
        "xsd-attr",
        "the instrumentation key is a text to be replaced, no GUID",
    ),
    (
        "migrate-to-entra-external-id-for-customers/policy",
        "xsd-attr",
        "the tenant's domain where its GUID belongs",
    ),
    (
        "revoke-sso-sessions/policy",
        "flow-rp-output",
        "the claim was renamed in the journey, not in the relying party",
    ),
    (
        "service-consent/policy",
        "xsd-attr",
        "the tenant's domain where its GUID belongs",
    ),
    (
        "signin-migration/b2c/policy",
        "xsd-attr",
        "the instrumentation key is a text to be replaced, no GUID",
    ),
    (
        "signin-signup-typingdna/policy",
        "xsd-duplicate-id",
        "two orchestration steps of one journey have the same Order",
    ),
    (
        "social-idp-force-email/policy",
        "ref-technicalprofile",
        "expects an identity provider that the reader has set up before",
    ),
    (
        "username-discovery/policy",
        "ref-claimtype",
        "a claim type that neither the sample nor a starter pack declares",
    ),
];

fn errors(outcome: &Outcome) -> Vec<(String, String)> {
    outcome
        .report
        .diagnostics
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .map(|finding| {
            let location = finding.primary.location;
            let (start, _) = outcome.report.sources.position(location);
            let file = outcome.report.sources.get(location.source).name();
            (
                finding.rule.id.to_owned(),
                format!("{file}:{start} [{}] {}", finding.rule.id, finding.message),
            )
        })
        .collect()
}

#[test]
fn errors_on_samples_are_real() {
    let Some(corpus) = corpus() else {
        return;
    };
    // A sample is written for one of the starter packs and does not always say for which: the one
    // that it fits best.
    let packs = packs(&corpus);
    let sets = samples(&corpus);
    let samples = corpus.join("samples");
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for set in &sets {
        let name = set
            .strip_prefix(&samples)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        let best = packs
            .iter()
            .map(|pack| errors(&check(set, Some(pack))))
            .min_by_key(Vec::len)
            .unwrap();
        for (rule, error) in best {
            let known = BROKEN
                .iter()
                .position(|(sample, broken, _)| *sample == name && *broken == rule);
            match known {
                Some(index) => {
                    seen.insert(index);
                }
                None => problems.push(format!("{name}: {error}")),
            }
        }
    }
    for (index, entry) in BROKEN.iter().enumerate() {
        if !seen.contains(&index) {
            problems.push(format!("{entry:?} is on the list, but not found any more"));
        }
    }
    println!("{} sets checked", sets.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
