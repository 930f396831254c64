//! `ct-unused`: claims transformations that nothing runs.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Id, IdSet, Kind, Role, references};

/// No policy of the set refers to the claims transformation.
pub(super) static CT_UNUSED: Rule = Rule {
    id: "ct-unused",
    level: Level::Hint,
    summary: "no technical profile of the set runs the claims transformation",
};

/// Looks at the whole set, and therefore only once: with the first policy that is checked.
pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let mut checked = view
        .set()
        .own()
        .filter(|(_, policy)| policy.document.is_well_formed());
    if checked
        .next()
        .is_none_or(|(first, _)| first != view.index())
    {
        return;
    }
    let used: IdSet<'_> = view
        .set()
        .iter()
        .flat_map(|(_, policy)| references(policy))
        .filter(|reference| reference.row.target == Kind::ClaimsTransformation)
        .map(|reference| Id::of(reference.id))
        .collect();
    for (_, policy) in view.set().iter() {
        if policy.role != Role::Own {
            continue;
        }
        for site in policy.sites(Kind::ClaimsTransformation) {
            let id = site.attribute("Id").unwrap_or_default();
            if used.contains(&Id::of(id)) {
                continue;
            }
            findings.push(
                Diagnostic::new(
                    &CT_UNUSED,
                    site.attribute_location("Id"),
                    format!("no technical profile of the set runs claims transformation `{id}`"),
                )
                .policy_id(policy.id()),
            );
        }
    }
}
