//! `datauri-unknown`, `datauri-version` and `datauri-outdated`: the page that a content definition
//! asks the service for.

use crate::diagnostics::{Diagnostic, Edit, Level, Location, Rule, near_miss};
use crate::policy::known::page_contracts::{Availability, DataUri, PAGES, PREFIX, Page, Version};
use crate::policy::{Effective, Kind, Site};

pub(super) static DATAURI_UNKNOWN: Rule = Rule {
    id: "datauri-unknown",
    level: Level::Error,
    summary: "a DataUri names a page that the service does not have",
};

pub(super) static DATAURI_VERSION: Rule = Rule {
    id: "datauri-version",
    level: Level::Error,
    summary: "a DataUri names a version of a page contract that does not exist",
};

pub(super) static DATAURI_OUTDATED: Rule = Rule {
    id: "datauri-outdated",
    level: Level::Hint,
    summary: "a DataUri names a page version with known security or accessibility defects",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for element in policy.declarations(Kind::ContentDefinition) {
        let Some(uri) = (Site { policy, element }).child("DataUri") else {
            continue;
        };
        let text = uri.element.trimmed_text();
        if text.is_empty() {
            continue;
        }
        let location = uri.location(uri.element.text_span());
        let finding = match DataUri::parse(text) {
            DataUri::Legacy { page, version } => legacy(location, text, page, version),
            DataUri::Contract { page, version } => contract(location, text, page, version),
            DataUri::Other => Some(
                unknown(location, text)
                    .level(Level::Warning)
                    .help(format!("the form is {PREFIX}contract:{{page}}:{{version}}")),
            ),
        };
        findings.extend(finding.map(|finding| finding.policy_id(policy.id())));
    }
}

fn unknown(location: Location, text: &str) -> Diagnostic {
    Diagnostic::new(
        &DATAURI_UNKNOWN,
        location,
        format!("the service has no page `{text}`"),
    )
    .service_message(format!(
        "The element specified by id '{text}' cannot be found in the element factory cache. Check \
         that element definition exists in the elements folder."
    ))
}

fn legacy(location: Location, text: &str, page: &str, version: &str) -> Option<Diagnostic> {
    let parsed = Version::parse(version);
    if let Some(known) = Page::find_legacy(page)
        && parsed.is_some_and(|version| known.legacy.contains(&version))
    {
        return Some(
            Diagnostic::new(
                &DATAURI_OUTDATED,
                location,
                format!("`{page}` {version} is the form from before page contracts"),
            )
            .help(format!(
                "use {PREFIX}contract:{}:{}",
                known.name,
                known.newest()
            )),
        );
    }
    let known = DataUri::parse(text).page();
    let finding = unknown(location, text);
    Some(match known {
        Some(known)
            if parsed
                .is_some_and(|version| known.availability(version) == Availability::Available) =>
        {
            let right = format!("{PREFIX}contract:{}:{version}", known.name);
            finding
                .help(format!(
                    "version {version} exists as page contract: write {right}"
                ))
                .fix(
                    "insert `contract:`",
                    vec![Edit {
                        location,
                        replacement: right,
                    }],
                )
        }
        Some(known) => finding.help(format!(
            "use {PREFIX}contract:{}:{}",
            known.name,
            known.newest()
        )),
        None => page_help(finding, page),
    })
}

fn page_help(finding: Diagnostic, page: &str) -> Diagnostic {
    let names = PAGES.iter().map(|page| page.name);
    match near_miss(page, names.clone()) {
        Some(near) => finding.help(format!("did you mean the page `{near}`?")),
        None => finding.help(format!(
            "the pages are {}",
            names.collect::<Vec<_>>().join(", ")
        )),
    }
}

fn contract(location: Location, text: &str, page: &str, version: &str) -> Option<Diagnostic> {
    let Some(known) = Page::find(page) else {
        return Some(page_help(unknown(location, text), page));
    };
    let parsed = Version::parse(version);
    let availability = parsed.map_or(Availability::Unavailable, |version| {
        known.availability(version)
    });
    let newest = known.newest();
    let wrong = |message: String| {
        let name = format!("{PREFIX}contract:{}", known.name);
        let versions: Vec<_> = known
            .versions()
            .map(|version| format!("\"{version}\""))
            .collect();
        Diagnostic::new(&DATAURI_VERSION, location, message).service_message(format!(
            "The specified page contract '{name}' has invalid version '{version}'. The available \
             versions are: '[{}]'.",
            versions.join(",")
        ))
    };
    match availability {
        Availability::Available => {
            let parsed = parsed?;
            (parsed < known.sound).then(|| {
                Diagnostic::new(
                    &DATAURI_OUTDATED,
                    location,
                    format!(
                        "version {parsed} of `{}` draws its page with outdated libraries; fixed \
                         since {}",
                        known.name, known.sound
                    ),
                )
                .help(format!("the newest known version is {newest}"))
            })
        }
        Availability::Unavailable => Some(
            wrong(format!(
                "page contract `{}` has no version {version}",
                known.name
            ))
            .help(format!("the newest known version is {newest}")),
        ),
        Availability::Doubtful => Some(
            wrong(format!(
                "it is not known whether page contract `{}` has a version {version}",
                known.name
            ))
            .level(Level::Warning)
            .help(format!("the newest known version is {newest}")),
        ),
        Availability::Newer => Some(
            wrong(format!(
                "version {version} of page contract `{}` is newer than {newest}, the newest one \
                 known here",
                known.name
            ))
            .level(Level::Warning)
            .help("make sure that Microsoft's page layout article lists it"),
        ),
    }
}
