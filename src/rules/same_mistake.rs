//! One mistake, one finding: what several rules, or one rule through several profiles and journeys,
//! say of one place.

use std::collections::{HashMap, HashSet};

use crate::diagnostics::{Diagnostic, Location};

/// Rules of which the second adds nothing where the first has a finding at the same place.
static SAYS_MORE: &[(&str, &str)] = &[
    // The item that is missing is there, under a misspelt key.
    ("tp-metadata-required", "tp-metadata-unknown"),
    // The claim that has no token does not even exist.
    ("rest-bearer-source", "ref-metadata-claim"),
    // What does not exist is not sent either.
    ("ref-metadata-claim", "rest-payload-claim"),
];

/// Leaves one finding of each mistake. Of those that have one cause, at one place or also at the cause
/// itself, one stays, with the places that the others point at: the one at the cause, the worst, the
/// first in the order of their messages.
pub fn tell_once(findings: &mut Vec<Diagnostic>) {
    merge(findings);
    let stronger: HashSet<(&str, Location)> = findings
        .iter()
        .filter(|finding| SAYS_MORE.iter().any(|(id, _)| *id == finding.rule.id))
        .map(|finding| (finding.rule.id, finding.primary.location))
        .collect();
    if stronger.is_empty() {
        return;
    }
    findings.retain(|finding| {
        !SAYS_MORE.iter().any(|(more, less)| {
            *less == finding.rule.id && stronger.contains(&(more, finding.primary.location))
        })
    });
}

fn merge(findings: &mut Vec<Diagnostic>) {
    let is_at_cause = |finding: &&Diagnostic| finding.cause == Some(finding.primary.location);
    let at_cause: HashSet<(&str, Location)> = findings
        .iter()
        .filter(is_at_cause)
        .map(|finding| (finding.rule.id, finding.primary.location))
        .collect();
    let mut by_cause: HashMap<_, Vec<usize>> = HashMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if let Some(cause) = finding.cause {
            let is_told_there = at_cause.contains(&(finding.rule.id, cause));
            let place = (!is_told_there).then_some(finding.primary.location);
            let mistake = (finding.rule.id, cause, place);
            by_cause.entry(mistake).or_default().push(index);
        }
    }
    let mut told = HashSet::new();
    for mut same in by_cause.into_values().filter(|same| same.len() > 1) {
        same.sort_by(|&one, &other| {
            let [one, other] = [&findings[one], &findings[other]];
            let at_cause = is_at_cause(&other).cmp(&is_at_cause(&one));
            let level = other.level.cmp(&one.level);
            at_cause
                .then(level)
                .then_with(|| one.message.cmp(&other.message))
        });
        let (first, others) = (same[0], &same[1..]);
        let mut related = std::mem::take(&mut findings[first].related);
        for &other in others {
            for label in &findings[other].related {
                if !related.contains(label) {
                    related.push(label.clone());
                }
            }
        }
        related[..].sort_by_key(|label| label.location);
        findings[first].related = related;
        told.extend(others.iter().copied());
    }
    if !told.is_empty() {
        let mut index = 0;
        findings.retain(|_| {
            index += 1;
            !told.contains(&(index - 1))
        });
    }
}
