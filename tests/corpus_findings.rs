//! Real policies that people published as samples: every error must be on the list below, with the
//! reason why the policy is really broken. Whatever else is an error here is a false alarm.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it left out"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use iefctl::diagnostics::{Level, Source};
use iefctl::validate::{Input, Outcome, validate};

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

/// What authors of samples write where the tenant belongs.
const TENANTS: &[&str] = &[
    "yourtenant.onmicrosoft.com",
    "your-tenant.onmicrosoft.com",
    "your_tenant.onmicrosoft.com",
    "tenant-name.onmicrosoft.com",
    "{Settings:Tenant}",
    "{{ tenantId }}",
];

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "CI must have the corpus of real policies beside the repository"
    );
    println!("skipped: no corpus of real policies beside the repository");
    None
}

fn xml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "xml"))
        .collect();
    files.sort();
    files
}

fn folders(root: &Path, found: &mut Vec<PathBuf>) {
    if !xml_files(root).is_empty() {
        found.push(root.to_path_buf());
    }
    let mut below: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    below.sort();
    for folder in below {
        folders(&folder, found);
    }
}

fn text(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap();
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    for tenant in TENANTS {
        text = text.replace(tenant, "contoso.onmicrosoft.com");
    }
    text.trim_start_matches('\u{FEFF}').to_owned()
}

fn load(folder: &Path, context: &Path) -> Outcome {
    let mut input = Input::default();
    for file in xml_files(folder) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let id = input.sources.add(Source::new(name, text(&file)));
        input.own.push(id);
    }
    for file in xml_files(context) {
        let id = input.sources.add(Source::new("base", text(&file)));
        input.context.push(id);
    }
    validate(input)
}

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
    let mut packs = Vec::new();
    for group in ["starterpack", "starterpack/Display Controls Starterpack"] {
        for pack in [
            "SocialAndLocalAccounts",
            "SocialAndLocalAccountsWithMfa",
            "LocalAccounts",
            "SocialAccounts",
        ] {
            packs.push(corpus.join(group).join(pack));
        }
    }
    let samples = corpus.join("samples");
    let mut sets = Vec::new();
    folders(&samples, &mut sets);
    assert!(sets.len() > 40);
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
            .map(|pack| errors(&load(set, pack)))
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
