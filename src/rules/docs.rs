//! The pages of the rules: `docs/rules/<rule id>.md`, compiled in, for `explain` and SARIF.

use super::pages::PAGES;

/// The page of a rule in Markdown.
pub fn page(id: &str) -> Option<&'static str> {
    let index = PAGES.binary_search_by_key(&id, |(known, _)| known).ok()?;
    Some(PAGES[index].1)
}
