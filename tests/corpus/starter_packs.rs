//! Microsoft's starter packs, where they stand beside the repository: sets that every tenant
//! accepts, so every error is a false alarm.

use std::path::PathBuf;

use iefctl::diagnostics::{Diagnostic, Level};
use iefctl::validate::Outcome;

use super::files::{check, corpus, packs};

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
    let Some(corpus) = corpus() else {
        return;
    };
    let root = corpus.join("starterpack");
    let mut sets: Vec<(PathBuf, Option<PathBuf>)> = packs(&corpus)
        .into_iter()
        .map(|pack| (pack, None))
        .collect();
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
        let outcome = check(&folder, with.as_deref());
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
