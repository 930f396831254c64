//! Microsoft's starter packs, where they stand beside the repository: sets that every tenant
//! accepts, so every error is a false alarm.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it left out"
)]

use std::path::{Path, PathBuf};

use iefctl::diagnostics::{Diagnostic, Level, Source};
use iefctl::validate::{Input, Outcome, validate};

fn starter_packs() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/starterpack");
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

/// Reads a folder as a set, with the tenant placeholder set.
fn load(folder: &Path, with: Option<&Path>) -> Outcome {
    let mut input = Input::default();
    for (folder, own) in [(Some(folder), true), (with, false)] {
        for file in folder.into_iter().flat_map(xml_files) {
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.trim_start_matches('\u{FEFF}');
            let text = text.replace("yourtenant.onmicrosoft.com", "contoso.onmicrosoft.com");
            let id = input
                .sources
                .add(Source::new(file.display().to_string(), text));
            if own {
                input.own.push(id);
            } else {
                input.context.push(id);
            }
        }
    }
    validate(input)
}

fn describe(outcome: &Outcome, finding: &Diagnostic) -> String {
    let location = finding.primary.location;
    let (start, _) = outcome.report.sources.position(location);
    format!(
        "{}:{start}: {} [{}] {}",
        outcome.report.sources.get(location.source).name(),
        finding.level,
        finding.rule.id,
        finding.message
    )
}

/// True mistakes in the starter packs themselves.
fn is_known_mistake(outcome: &Outcome, finding: &Diagnostic) -> bool {
    let source = outcome.report.sources.get(finding.primary.location.source);
    // The list of countries gives Curaçao the code of the Czech Republic, and the United Arab
    // Emirates that of Ukraine: who chooses one gets the other.
    let country_list = source.name().ends_with("Phone_Email_Base.xml")
        && finding.rule.id == "enumeration-duplicate-value"
        && (finding.message.contains("`CZ`") || finding.message.contains("`UA`"));
    // The password change scenario leaves the client id of the tenant's own application to the
    // reader; without it the tenant refuses the policy.
    let client_id = source.name().contains("scenarios/password-change")
        && finding.rule.id == "tp-metadata-required"
        && finding.message.contains("`client_id`");
    country_list || client_id
}

#[test]
fn starter_packs_have_no_errors_and_no_warnings() {
    let Some(root) = starter_packs() else {
        return;
    };
    let mut sets: Vec<(PathBuf, Option<PathBuf>)> = Vec::new();
    for pack in [root.clone(), root.join("Display Controls Starterpack")] {
        for name in [
            "LocalAccounts",
            "SocialAccounts",
            "SocialAndLocalAccounts",
            "SocialAndLocalAccountsWithMfa",
        ] {
            sets.push((pack.join(name), None));
        }
    }
    for scenario in [
        "linkedin-identity-provider",
        "password-change",
        "phone-number-passwordless",
    ] {
        sets.push((
            root.join("scenarios").join(scenario),
            Some(root.join("SocialAndLocalAccounts")),
        ));
    }
    for (folder, with) in sets {
        let outcome = load(&folder, with.as_deref());
        assert!(outcome.report.policies >= 2, "{}", folder.display());
        let problems: Vec<_> = outcome
            .report
            .diagnostics
            .iter()
            .filter(|finding| {
                finding.level >= Level::Warning && !is_known_mistake(&outcome, finding)
            })
            .map(|finding| describe(&outcome, finding))
            .collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        let order = outcome.set.upload_order();
        assert_eq!(order.len(), outcome.report.policies);
    }
}
