//! `include-cycle` and `include-claims-scope`: profiles that take over others.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Id, IdSet, Kind, Site};

/// A profile includes itself.
pub(super) static INCLUDE_CYCLE: Rule = Rule {
    id: "include-cycle",
    level: Level::Error,
    summary: "a technical profile includes itself, directly or through others",
};

/// Claims are taken from a profile that is not in the file.
pub(super) static INCLUDE_CLAIMS_SCOPE: Rule = Rule {
    id: "include-claims-scope",
    level: Level::Warning,
    summary: "IncludeClaimsFromTechnicalProfile names a profile that is not in the same file",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let mut told = IdSet::default();
    for profile in view.policy().sites(Kind::TechnicalProfile) {
        findings.extend(cycle(view, profile, &mut told));
        findings.extend(claims_scope(view, profile));
    }
}

/// One finding for a cycle, in the policy that closes it: the one whose file holds an inclusion. `told`
/// are the members of those that have one: a profile includes one other, so it is in one cycle at most.
fn cycle<'s>(view: &Effective<'s>, profile: Site<'s>, told: &mut IdSet<'s>) -> Option<Diagnostic> {
    let include = profile.child("IncludeTechnicalProfile")?;
    include.attribute("ReferenceId")?;
    let id = profile.attribute("Id")?;
    if told.contains(&Id::of(id)) {
        return None;
    }
    let merged = view.technical_profile(id)?;
    let path = merged.include_cycle.as_ref()?;
    let start = path
        .iter()
        .position(|member| member.eq_ignore_ascii_case(id))?;
    told.extend(path.iter().map(|member| Id::of(member)));
    let names: Vec<_> = path[start..]
        .iter()
        .chain(&path[..start])
        .chain(path.get(start))
        .map(|member| format!("`{member}`"))
        .collect();
    let message = if path.len() == 1 {
        format!("technical profile {} includes itself", names[0])
    } else {
        format!(
            "these technical profiles include each other: {}",
            names.join(" → ")
        )
    };
    Some(
        Diagnostic::new(
            &INCLUDE_CYCLE,
            include.attribute_location("ReferenceId"),
            message,
        )
        .help("break the cycle: what they share belongs in a profile that includes none of them")
        .policy_id(view.policy().id()),
    )
}

fn claims_scope(view: &Effective<'_>, profile: Site<'_>) -> Option<Diagnostic> {
    let include = profile.child("IncludeClaimsFromTechnicalProfile")?;
    let id = include.element.trimmed_text();
    let kind = Kind::TechnicalProfile;
    if id.is_empty() || view.policy().declared(kind, id).next().is_some() {
        return None;
    }
    let finding = |message: String| {
        Diagnostic::new(
            &INCLUDE_CLAIMS_SCOPE,
            include.location(include.element.text_span()),
            message,
        )
        .policy_id(view.policy().id())
    };
    if let Some(elsewhere) = view.sites(kind, id).last() {
        return Some(
            finding(format!(
                "technical profile `{id}` is in `{}`; claims are taken from profiles of the same \
                 file only",
                elsewhere.policy.id()
            ))
            .related(elsewhere.attribute_location("Id"), "declared here")
            .help("use IncludeTechnicalProfile, which takes over the whole profile, or list the claims"),
        );
    }
    if !view.is_complete() {
        return None;
    }
    let finding = finding(format!("technical profile `{id}` is declared nowhere"));
    let location = include.location(include.element.text_span());
    Some(finding.did_you_mean(location, id, view.known_ids(kind)))
}
