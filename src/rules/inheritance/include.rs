//! `include-cycle` and `include-claims-scope`: profiles that take over others.

use std::collections::HashSet;

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Site};

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
    let mut known: HashSet<Vec<String>> = HashSet::new();
    for profile in view.policy().sites(Kind::TechnicalProfile) {
        findings.extend(cycle(view, profile, &mut known));
        findings.extend(claims_scope(view, profile));
    }
}

/// One finding for a cycle, in the policy that closes it: the one whose file holds an inclusion.
fn cycle(
    view: &Effective<'_>,
    profile: Site<'_>,
    known: &mut HashSet<Vec<String>>,
) -> Option<Diagnostic> {
    let include = profile.child("IncludeTechnicalProfile")?;
    include.attribute("ReferenceId")?;
    let id = profile.attribute("Id")?;
    let merged = view.technical_profile(id)?;
    let path = merged.include_cycle.as_ref()?;
    let start = path
        .iter()
        .position(|member| member.eq_ignore_ascii_case(id))?;
    let mut members = path.clone();
    members.sort();
    if !known.insert(members) {
        return None;
    }
    let written = |folded: &String| {
        view.sites(Kind::TechnicalProfile, folded)
            .last()
            .and_then(|site| site.attribute("Id"))
            .unwrap_or_default()
    };
    let names: Vec<_> = path[start..]
        .iter()
        .chain(&path[..start])
        .chain(path.get(start))
        .map(|member| format!("`{}`", written(member)))
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
