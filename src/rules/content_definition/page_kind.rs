//! `datauri-missing` and `datauri-page-kind`: whether the page fits what shows it.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::known::page_contracts::DataUri;
use crate::policy::{Effective, Kind, ShownBy, ShownPage, Site};

pub(super) static DATAURI_MISSING: Rule = Rule {
    id: "datauri-missing",
    level: Level::Error,
    summary: "a page that a relying party shows has no DataUri or no LoadUri",
};

pub(super) static DATAURI_PAGE_KIND: Rule = Rule {
    id: "datauri-page-kind",
    level: Level::Warning,
    summary: "the page of a content definition does not fit the step or profile that shows it",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    let mut missing: Vec<&str> = Vec::new();
    for page in view.shown_pages() {
        let id = page.content_definition;
        let sites = view.sites(Kind::ContentDefinition, id);
        if sites.is_empty() {
            continue;
        }
        if !missing.iter().any(|known| known.eq_ignore_ascii_case(id)) {
            let start = findings.len();
            findings.extend(absent(view, page, &sites));
            if findings.len() > start {
                missing.push(id);
            }
        }
        findings.extend(misfit(view, page, &sites));
    }
}

/// The place nearest to the mistake in a file of the user's own: the definition, what shows it, or
/// the relying party.
fn place<'s>(view: &Effective<'s>, sites: impl Iterator<Item = Site<'s>>) -> Option<Site<'s>> {
    let mut sites = sites.filter(Site::is_own);
    sites
        .next()
        .or_else(|| view.relying_party()?.child("DefaultUserJourney"))
}

/// A child of the content definition after merging.
fn merged<'s>(sites: &[Site<'s>], child: &str) -> Option<Site<'s>> {
    sites.iter().rev().find_map(|site| site.child(child))
}

fn absent<'v, 's>(
    view: &'v Effective<'s>,
    page: ShownPage<'s>,
    sites: &'v [Site<'s>],
) -> impl Iterator<Item = Diagnostic> + use<'v, 's> {
    let id = page.content_definition;
    ["LoadUri", "DataUri"]
        .into_iter()
        .filter(|child| {
            let text = merged(sites, child);
            text.is_none_or(|site| site.element.trimmed_text().is_empty())
        })
        .filter_map(move |child| {
            let candidates = sites.iter().rev().copied().chain([page.site]);
            let place = place(view, candidates)?;
            let location = place.location(place.element.tag_span());
            Some(
                Diagnostic::new(
                    &DATAURI_MISSING,
                    location,
                    format!("content definition `{id}` is shown but has no {child}"),
                )
                .help(format!(
                    "add {child} here or in a base policy that declares the content definition"
                ))
                .policy_id(place.policy.id()),
            )
        })
}

fn misfit<'s>(view: &Effective<'s>, page: ShownPage<'s>, sites: &[Site<'s>]) -> Option<Diagnostic> {
    let id = page.content_definition;
    let uri = merged(sites, "DataUri")?;
    let name = DataUri::parse(uri.element.trimmed_text()).page()?.name;
    let (fits, shower): (&[&str], _) = match page.by {
        ShownBy::Selection => (
            &["providerselection", "unifiedssp", "unifiedssd"],
            "a claims provider selection step",
        ),
        ShownBy::SignIn => (
            &["unifiedssp", "unifiedssd"],
            "a combined sign-in and sign-up step",
        ),
        ShownBy::SelfAsserted => (
            &["selfasserted", "claimsconsent"],
            "a self-asserted technical profile",
        ),
        ShownBy::PhoneFactor => (&["multifactor"], "a phone factor technical profile"),
        ShownBy::Other => return None,
    };
    if fits.contains(&name) {
        return None;
    }
    let place = place(view, [page.site, uri].into_iter())?;
    let location = match place.element.name() {
        "OrchestrationStep" => place.attribute_location("ContentDefinitionReferenceId"),
        "Item" | "DataUri" => place.location(place.element.text_span()),
        _ => place.location(place.element.tag_span()),
    };
    Some(
        Diagnostic::new(
            &DATAURI_PAGE_KIND,
            location,
            format!("content definition `{id}` is a {name} page, but {shower} shows it"),
        )
        .related(uri.location(uri.element.text_span()), "the page")
        .help(format!(
            "{shower} needs a page of the kind {}",
            fits.join(" or ")
        ))
        .policy_id(place.policy.id()),
    )
}
