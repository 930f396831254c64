//! The whole validation: parse, schema, policy, rules, report.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use crate::diagnostics::{Diagnostic, Level, Location, Report, Source, SourceId, SourceMap, Span};
use crate::parallel::Workers;
use crate::policy::{Policy, PolicyIndex, PolicySet, Role, Views, keyset_references};
use crate::{rules, schema, xml};

/// What is to be validated.
#[derive(Debug, Default)]
pub struct Input {
    /// All texts, with their placeholders replaced.
    pub sources: SourceMap,
    /// The user's own files.
    pub own: Vec<SourceId>,
    /// Files that may hold bases of the own ones: folders named by `--with`, the tenant's policies.
    pub context: Vec<SourceId>,
    /// Whether the tenant's policies are among the context, so that a base which is not there does
    /// not exist.
    pub tenant_known: bool,
    /// Where placeholders without a value are left. That they are no valid values follows from the
    /// missing setting, which was reported already, and is not said again.
    pub unresolved: Vec<Location>,
    /// What was found in these texts before, while their placeholders were replaced; comments in
    /// the policies may silence it.
    pub found: Vec<Diagnostic>,
    /// Whether the environment is marked production; some rules speak only there.
    pub production: bool,
    /// Judge as the tenant does, to which a comment that silences a finding means nothing.
    pub as_tenant: bool,
    /// Levels that the team configured: rule id to level, `None` for "off".
    pub levels: HashMap<String, Option<Level>>,
}

/// What validation found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings and the texts.
    pub report: Report,
    /// The policies.
    pub set: PolicySet,
    /// Own files that hold well-formed XML but no policy.
    pub not_policies: Vec<SourceId>,
}

/// The files of one of several sets that are validated together; the fields are those of [`Input`].
#[derive(Debug, Default)]
pub struct SetFiles {
    /// The user's own files.
    pub own: Vec<SourceId>,
    /// Files that may hold bases of the own ones. Several sets may share them.
    pub context: Vec<SourceId>,
    /// What was found before in the own files.
    pub found: Vec<Diagnostic>,
}

/// By which measure several sets are judged; the fields are those of [`Input`].
#[derive(Debug, Default)]
pub struct Terms {
    /// Whether the tenant's policies are among the context of every set.
    pub tenant_known: bool,
    /// Where placeholders without a value are left.
    pub unresolved: Vec<Location>,
    /// Where values stand in for ones that are looked up in the tenant later. Nothing is said of
    /// them before.
    pub looked_up: Vec<Location>,
    /// Whether the environment is marked production.
    pub production: bool,
    /// Judge as the tenant does.
    pub as_tenant: bool,
    /// Levels that the team configured.
    pub levels: HashMap<String, Option<Level>>,
    /// Only the findings are wanted: the policies of a set are given up as soon as it is judged, so
    /// that the next one takes their memory, which is at hand already.
    pub findings_only: bool,
}

/// What validation found in one of several sets.
#[derive(Debug)]
pub struct CheckedSet {
    /// The findings, in no order yet.
    pub diagnostics: Vec<Diagnostic>,
    /// The policies; none if only the findings are wanted.
    pub set: PolicySet,
    /// How many of them are the user's own.
    pub policies: usize,
    /// Own files that hold well-formed XML but no policy.
    pub not_policies: Vec<SourceId>,
}

/// Validates a set of policies. Never fails: whatever is wrong is in the report.
pub fn validate(input: Input) -> Outcome {
    let Input {
        sources,
        own,
        context,
        tenant_known,
        unresolved,
        found,
        production,
        as_tenant,
        levels,
    } = input;
    let files = SetFiles {
        own,
        context,
        found,
    };
    let terms = Terms {
        tenant_known,
        unresolved,
        looked_up: Vec::new(),
        production,
        as_tenant,
        levels,
        findings_only: false,
    };
    let mut outcome = Outcome::default();
    for checked in validate_sets(&sources, vec![files], &terms) {
        outcome.report.policies = checked.policies;
        outcome.report.diagnostics = checked.diagnostics;
        outcome.set = checked.set;
        outcome.not_policies = checked.not_policies;
    }
    outcome.report.sources = sources;
    outcome.report.sort();
    outcome
}

/// Validates several sets: all cores work on all of them, and a file that several sets have as
/// context is parsed once. The results come in the order of the sets.
pub fn validate_sets(sources: &SourceMap, sets: Vec<SetFiles>, terms: &Terms) -> Vec<CheckedSet> {
    let shared = Shared {
        sources,
        terms,
        context: parse_context(sources, &sets),
        unresolved: Places::new(&terms.unresolved),
        looked_up: Places::new(&terms.looked_up),
    };
    let (among_sets, within_set) = Workers::among_or_within(sets.len());
    // The largest first, so that no core is left alone with one at the end.
    let mut order: Vec<usize> = (0..sets.len()).collect();
    order.sort_by_key(|&number| Reverse(sets[number].size(sources)));
    let checked = among_sets.map(&order, |&number| {
        (number, shared.check(&sets[number], within_set))
    });
    let mut checked: Vec<(usize, CheckedSet)> = checked;
    checked.sort_unstable_by_key(|(number, _)| *number);
    checked.into_iter().map(|(_, checked)| checked).collect()
}

/// A file that was read: what it is if it is a policy, and what parsing and the schema say of it.
type Parsed = (Option<Policy>, Vec<Diagnostic>);

/// What the validation of every set needs.
struct Shared<'s> {
    sources: &'s SourceMap,
    terms: &'s Terms,
    context: HashMap<SourceId, Parsed>,
    unresolved: Places,
    looked_up: Places,
}

fn parse_context(sources: &SourceMap, sets: &[SetFiles]) -> HashMap<SourceId, Parsed> {
    let mut seen = HashSet::new();
    let files: Vec<SourceId> = sets
        .iter()
        .flat_map(|files| files.context.iter().copied())
        .filter(|file| seen.insert(*file))
        .collect();
    let parsed = Workers::All.map(&files, |&file| parse(sources, file, Role::Context));
    files.into_iter().zip(parsed).collect()
}

/// Parses a file and holds it against the schema, unless it is a base, which is not judged.
fn parse(sources: &SourceMap, id: SourceId, role: Role) -> Parsed {
    let (document, mut findings) = xml::parse(sources.get(id).text(), id);
    // A policy with a slip in its first word is none that could be passed over.
    if findings.is_empty() && role == Role::Own && schema::is_misspelt_policy(&document) {
        return (None, schema::validate(&document, id));
    }
    let policy = Policy::read(document, id, role);
    if let Some(policy) = &policy {
        // What is missing in an ill-formed document says nothing.
        if findings.is_empty() && role == Role::Own {
            findings = schema::validate(&policy.document, id);
        }
        for finding in &mut findings {
            finding.policy_id = Some(policy.id().to_owned());
        }
    }
    (policy, findings)
}

impl Shared<'_> {
    fn check(&self, files: &SetFiles, workers: Workers) -> CheckedSet {
        let mut checked = self.form(files, workers);
        let work: Vec<Work> = Work::of(&checked.set).collect();
        let findings =
            workers.map_with(&work, || checked.set.views(), |views, work| work.run(views));
        let diagnostics = &mut checked.diagnostics;
        diagnostics.extend(findings.into_iter().flatten());
        diagnostics.retain(|finding| !self.says_nothing(finding));
        diagnostics.extend_from_slice(&files.found);
        if !self.terms.as_tenant {
            rules::suppress(&checked.set, self.sources, diagnostics);
        }
        apply_levels(diagnostics, &self.terms.levels);
        // Last: what nobody is shown explains nothing.
        rules::tell_once(&checked.set, diagnostics);
        if self.terms.findings_only {
            checked.set = PolicySet::default();
        }
        checked
    }

    /// Whether a finding only follows from a value that is missing or not known yet.
    fn says_nothing(&self, finding: &Diagnostic) -> bool {
        let labels = finding.related.iter().map(|label| label.location);
        self.unresolved.overlap(finding.primary.location)
            || self.looked_up.overlap(finding.primary.location)
            || labels
                .into_iter()
                .any(|label| self.looked_up.overlap(label))
    }

    /// Reads the files of a set.
    fn form(&self, files: &SetFiles, workers: Workers) -> CheckedSet {
        let mut diagnostics = Vec::new();
        let mut policies = Vec::new();
        let mut not_policies = Vec::new();
        let own = workers.map(&files.own, |&id| parse(self.sources, id, Role::Own));
        for (&id, (policy, findings)) in files.own.iter().zip(own) {
            if policy.is_none() && findings.is_empty() {
                not_policies.push(id);
            }
            diagnostics.extend(findings);
            policies.extend(policy);
        }
        for (policy, findings) in files.context.iter().filter_map(|id| self.context.get(id)) {
            diagnostics.extend_from_slice(findings);
            policies.extend(policy.clone());
        }
        let (set, findings) = PolicySet::new(policies, self.terms.tenant_known);
        diagnostics.extend(findings);
        CheckedSet {
            diagnostics,
            policies: set.own().count(),
            set: set.for_production(self.terms.production),
            not_policies,
        }
    }
}

impl SetFiles {
    /// How much there is to read.
    fn size(&self, sources: &SourceMap) -> usize {
        let own = self.own.iter();
        own.map(|&id| sources.get(id).text().len()).sum()
    }
}

/// Places in texts, to be asked for often.
struct Places {
    /// Per source in order of the text; they never overlap each other.
    by_source: HashMap<SourceId, Vec<Span>>,
}

impl Places {
    fn new(locations: &[Location]) -> Self {
        let mut locations = locations.to_vec();
        locations.sort_unstable();
        let mut by_source: HashMap<_, Vec<_>> = HashMap::new();
        for location in locations {
            by_source
                .entry(location.source)
                .or_default()
                .push(location.span);
        }
        Self { by_source }
    }

    fn overlap(&self, location: Location) -> bool {
        let Some(spans) = self.by_source.get(&location.source) else {
            return false;
        };
        let end = location.span.end.max(location.span.start + 1);
        let before_end = spans.partition_point(|place| place.start < end);
        before_end > 0 && location.span.start < spans[before_end - 1].end
    }
}

/// A share of the rules' work.
enum Work {
    /// All rules on one policy.
    Policy(PolicyIndex),
    /// One check on the whole set.
    Set(rules::SetCheck),
}

impl Work {
    fn of(set: &PolicySet) -> impl Iterator<Item = Self> {
        let policies = set
            .own()
            .filter(|(_, policy)| policy.document.is_well_formed())
            .map(|(index, _)| Self::Policy(index));
        rules::set_checks().map(Self::Set).chain(policies)
    }

    fn run(&self, views: &Views<'_>) -> Vec<Diagnostic> {
        match self {
            Self::Policy(index) => rules::check(&views.of(*index)),
            Self::Set(check) => {
                let mut findings = Vec::new();
                check(views.set(), &mut findings);
                findings
            }
        }
    }
}

/// Sets the levels that a team configured; findings of rules that are off disappear.
pub fn apply_levels(diagnostics: &mut Vec<Diagnostic>, levels: &HashMap<String, Option<Level>>) {
    diagnostics.retain_mut(|diagnostic| match levels.get(diagnostic.rule.id) {
        None => true,
        Some(None) => false,
        Some(Some(level)) => {
            diagnostic.level = *level;
            true
        }
    });
}

/// What the tenant's validator would say of one uploaded policy.
///
/// `ancestors` are the texts of the stored policies that it inherits from, nearest base first;
/// `keysets` the ids of the keysets that the tenant holds, or `None` to leave key references
/// unchecked. The answer is the list of the service's sentences, empty when it would accept the
/// upload.
pub fn upload_verdict(text: &str, ancestors: &[&str], keysets: Option<&[String]>) -> Vec<String> {
    let mut input = Input {
        tenant_known: true,
        as_tenant: true,
        ..Input::default()
    };
    let own = input.sources.add(Source::new("upload", text));
    input.own.push(own);
    for ancestor in ancestors {
        let id = input.sources.add(Source::new("stored", *ancestor));
        input.context.push(id);
    }
    let outcome = validate(input);
    let mut sentences: Vec<String> = outcome
        .report
        .diagnostics
        .into_iter()
        .filter(|finding| finding.level == Level::Error)
        // An error without a sentence of the service fails only at run time.
        .filter_map(|finding| finding.service_message)
        .collect();
    if let Some(keysets) = keysets {
        for (_, policy) in outcome.set.own() {
            let mut missing: Vec<String> = Vec::new();
            for reference in keyset_references(policy) {
                let known = keysets.iter().chain(&missing);
                if known
                    .into_iter()
                    .any(|id| id.eq_ignore_ascii_case(&reference.keyset))
                {
                    continue;
                }
                sentences.push(format!(
                    "Tenant \"{}\" does not have CryptographicKey referenced by \
                     storageReferenceId \"{}\".",
                    policy.tenant(),
                    reference.keyset
                ));
                missing.push(reference.keyset);
            }
        }
    }
    sentences
}
