//! One mistake, one finding: what several rules, or one rule through several profiles and journeys,
//! say of one place.

use std::collections::{HashMap, HashSet};

use crate::diagnostics::{Diagnostic, Level, Location, SourceId, Span};
use crate::policy::{Kind, Policy, PolicySet};

use super::unused::OVER_COMPLETE_SETS;

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
///
/// `findings` are those that people will be shown, with the levels that they have there: nothing is
/// withheld for a finding that is silenced, nor the last error for a warning.
pub fn tell_once(set: &PolicySet, findings: &mut Vec<Diagnostic>) {
    withhold_what_the_schema_explains(set, findings);
    withhold_what_is_doubtful(findings);
    merge(findings);
    let mut stronger: HashMap<(&str, Location), Level> = HashMap::new();
    for finding in findings.iter() {
        if SAYS_MORE.iter().any(|(id, _)| *id == finding.rule.id) {
            let place = (finding.rule.id, finding.primary.location);
            let level = stronger.entry(place).or_insert(finding.level);
            *level = finding.level.max(*level);
        }
    }
    if stronger.is_empty() {
        return;
    }
    findings.retain(|finding| {
        let is_told = |more| {
            let level = stronger.get(&(more, finding.primary.location));
            level.is_some_and(|level| *level >= finding.level)
        };
        let mut pairs = SAYS_MORE.iter();
        !pairs.any(|(more, less)| *less == finding.rule.id && is_told(*more))
    });
}

/// While a rule shows errors, what they make doubtful is not told.
fn withhold_what_is_doubtful(findings: &mut Vec<Diagnostic>) {
    let errors = findings.iter().filter(|it| it.level == Level::Error);
    let errors: HashSet<&str> = errors.map(|finding| finding.rule.id).collect();
    findings.retain(|finding| {
        let rule = finding.doubtful_while;
        rule.is_none_or(|rule| !errors.contains(rule))
    });
}

/// Rules of the schema about what stands where it may not, or does not stand where it must. In a file
/// that cannot be read everything may stand.
static GRAMMAR: &[&str] = &[
    "file-unreadable",
    "xsd-child-order",
    "xsd-missing-child",
    "xsd-attr",
    "xsd-text-content",
    "xml-root-ns",
];

/// Rules about what a technical profile lacks after merging.
static OF_WHOLE_PROFILES: &[&str] = &["tp-metadata-required", "tp-key-required", "tp-no-protocol"];

/// Rules about what seems to be missing, and may be in a part that the schema refuses. What is there and
/// wrong is so whatever else is.
static ABOUT_WHAT_IS_MISSING: &[&str] = &[
    "aad-write-persisted",
    "claimtype-no-datatype",
    "claimtype-no-displayname",
    "ct-input-mismatch",
    "ct-input-unavailable",
    "ct-mapped-value-no-restriction",
    "ct-output-mismatch",
    "ct-parameter-mismatch",
    "datauri-missing",
    "displaycontrol-actions",
    "enabledfor-metadata",
    "exchange-unreachable",
    "flow-optional-input",
    "flow-required-input",
    "flow-rp-output",
    "invoke-no-candidate",
    "journey-no-sendclaims",
    "mask-regex-missing",
    "precondition-arity",
    "precondition-never",
    "ref-precondition-claim",
    "rest-bearer-source",
    "rp-no-journey",
    "rp-no-profile",
    "rp-without-subject",
    "sa-displayclaim-no-input",
    "sa-hidden-output",
    "sa-no-contentdefinition",
    "sa-output-no-source",
    "select-without-options",
    "selection-content-definition",
    "selection-target",
    "signuptarget-missing",
    "step-no-exchange",
    "step-no-selection",
    "tp-key-required",
    "tp-metadata-required",
    "tp-no-protocol",
    "transfer-no-sendclaims",
    "vtp-output-not-bubbled",
];

/// Those of them that are about the values of a precondition, which nothing outside of it can be.
static OF_PRECONDITIONS: &[&str] = &["precondition-arity", "ref-precondition-claim"];

/// Where the schema refuses a part of a declaration, that part is not what its author meant, and what
/// the declaration seems to lack may be in it.
fn withhold_what_the_schema_explains(set: &PolicySet, findings: &mut Vec<Diagnostic>) {
    let is_grammar =
        |finding: &Diagnostic| finding.level == Level::Error && GRAMMAR.contains(&finding.rule.id);
    let mut refused: HashMap<SourceId, Vec<Refused>> = HashMap::new();
    for finding in findings.iter().filter(|finding| is_grammar(finding)) {
        let location = finding.primary.location;
        refused.entry(location.source).or_default().push(Refused {
            place: location.span.start,
            is_attribute: finding.rule.id == "xsd-attr",
        });
    }
    if refused.is_empty() {
        return;
    }
    let mut unclear: HashMap<SourceId, Unclear> = HashMap::new();
    for (_, policy) in set.own() {
        if let Some(places) = refused.get(&policy.source) {
            unclear.insert(policy.source, Unclear::of(policy, places));
        }
    }
    let has_lost_profile = unclear.values().any(|unclear| unclear.has_lost_profile);
    findings.retain(|finding| {
        let id = finding.rule.id;
        if OVER_COMPLETE_SETS.iter().any(|rule| rule.id == id)
            || (has_lost_profile && OF_WHOLE_PROFILES.contains(&id))
        {
            return false;
        }
        let location = finding.primary.location;
        let unclear = unclear.get(&location.source);
        let is_unclear = unclear.is_some_and(|unclear| unclear.explains(id, location.span.start));
        !is_unclear || !ABOUT_WHAT_IS_MISSING.contains(&id)
    });
}

/// Where the schema refuses something.
struct Refused {
    place: u32,
    /// An attribute alone: the element is there, and what is in it is read.
    is_attribute: bool,
}

/// The parts of a policy in which the schema refuses something.
#[derive(Default)]
struct Unclear {
    /// Declarations and single steps, in text order; none contains another.
    parts: Vec<Span>,
    /// Journeys with something that belongs to none of their steps, in text order.
    journeys: Vec<Span>,
    /// Lists of preconditions, in text order.
    preconditions: Vec<Span>,
    /// Whether the schema refuses something among the technical profiles that belongs to none of
    /// them, so that one may be there without being seen.
    has_lost_profile: bool,
}

impl Unclear {
    fn of(policy: &Policy, refused: &[Refused]) -> Self {
        let sorted = |refused: &mut dyn Iterator<Item = &Refused>| {
            let mut places: Vec<u32> = refused.map(|refused| refused.place).collect();
            places.sort_unstable();
            places
        };
        let all = sorted(&mut refused.iter());
        let elements = sorted(&mut refused.iter().filter(|refused| !refused.is_attribute));
        let root = policy.document.root();
        let child = |name| root.and_then(|root| root.child(name));
        let mut parts: Vec<Span> = child("RelyingParty").iter().map(|it| it.span()).collect();
        let mut journeys = Vec::new();
        for kind in Kind::ALL {
            for element in policy.declarations(kind) {
                if matches!(kind, Kind::UserJourney | Kind::SubJourney) {
                    journeys.push(element.span());
                    let lists = element.children_named("OrchestrationSteps");
                    let steps = lists.flat_map(|list| list.children_named("OrchestrationStep"));
                    parts.extend(steps.map(|step| step.span()));
                } else {
                    parts.push(element.span());
                }
            }
        }
        parts.sort_unstable_by_key(|part| part.start);
        let belongs_to_none = |span| {
            let mut places = within(&elements, span).iter();
            places.any(|place| !are_around(&parts, *place))
        };
        let has_lost_profile =
            child("ClaimsProviders").is_some_and(|providers| belongs_to_none(providers.span()));
        journeys.retain(|journey| belongs_to_none(*journey));
        journeys.sort_unstable_by_key(|journey| journey.start);
        let has_refused = |span: &Span| !within(&all, *span).is_empty();
        parts.retain(has_refused);
        let lists = policy.document.elements_named("Preconditions");
        let mut preconditions: Vec<Span> = lists.map(|list| list.span()).collect();
        preconditions.retain(has_refused);
        preconditions.sort_unstable_by_key(|list| list.start);
        Self {
            parts,
            journeys,
            preconditions,
            has_lost_profile,
        }
    }

    /// Whether what a rule misses at a place may be there in another form. The numbers of steps are
    /// clear as long as the steps are.
    fn explains(&self, rule: &str, place: u32) -> bool {
        if OF_PRECONDITIONS.contains(&rule) {
            return are_around(&self.preconditions, place);
        }
        are_around(&self.journeys, place)
            || (!rule.starts_with("journey-") && are_around(&self.parts, place))
    }
}

/// Those of the places, which are in order, that are in a span.
fn within(places: &[u32], span: Span) -> &[u32] {
    let from = places.partition_point(|place| *place < span.start);
    let to = places.partition_point(|place| *place < span.end);
    &places[from..to]
}

/// Whether a place is in one of the spans, which are in text order.
fn are_around(spans: &[Span], place: u32) -> bool {
    let behind = spans.partition_point(|span| span.start <= place);
    behind > 0 && place < spans[behind - 1].end
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    #[test]
    fn every_rule_that_is_named_is_one() {
        let pairs = SAYS_MORE.iter().flat_map(|(more, less)| [more, less]);
        let all = pairs
            .chain(GRAMMAR)
            .chain(OF_WHOLE_PROFILES)
            .chain(ABOUT_WHAT_IS_MISSING)
            .chain(OF_PRECONDITIONS)
            .chain([&rules::UNDECLARED_CLAIM, &rules::UNDECLARED_CONTROL]);
        for id in all {
            assert!(rules::find(id).is_some(), "{id}");
        }
    }
}
