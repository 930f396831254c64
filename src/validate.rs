//! The whole validation: parse, schema, policy, rules, report.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::diagnostics::{Diagnostic, Level, Location, Report, Source, SourceId, SourceMap};
use crate::policy::{Policy, PolicyIndex, PolicySet, Role, keyset_references};
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
#[derive(Debug)]
pub struct Outcome {
    /// The findings and the texts.
    pub report: Report,
    /// The policies.
    pub set: PolicySet,
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
    let mut diagnostics = Vec::new();
    let mut policies = Vec::new();
    let mut not_policies = Vec::new();

    let files: Vec<_> = own
        .into_iter()
        .map(|id| (id, Role::Own))
        .chain(context.into_iter().map(|id| (id, Role::Context)))
        .collect();
    let parsed = in_parallel(&files, |&(id, role)| {
        let (document, mut findings) = xml::parse(sources.get(id).text(), id);
        let policy = Policy::read(document, id, role);
        if let Some(policy) = &policy {
            // What is missing in an ill-formed document says nothing, and a base is not judged here.
            if findings.is_empty() && role == Role::Own {
                findings = schema::validate(&policy.document, id);
            }
            for finding in &mut findings {
                finding.policy_id = Some(policy.id().to_owned());
            }
        }
        (policy, findings)
    });
    for (&(id, role), (policy, findings)) in files.iter().zip(parsed) {
        if policy.is_none() && findings.is_empty() && role == Role::Own {
            not_policies.push(id);
        }
        diagnostics.extend(findings);
        policies.extend(policy);
    }

    let (set, findings) = PolicySet::new(policies, tenant_known);
    diagnostics.extend(findings);
    let set = set.for_production(production);

    let policies = set
        .own()
        .filter(|(_, policy)| policy.document.is_well_formed())
        .map(|(index, _)| Work::Policy(index));
    let work: Vec<Work> = rules::set_checks().map(Work::Set).chain(policies).collect();
    for findings in in_parallel(&work, |work| work.run(&set)) {
        diagnostics.extend(findings);
    }

    diagnostics.retain(|finding| !overlaps(finding.primary.location, &unresolved));
    diagnostics.extend(found);
    if !as_tenant {
        rules::suppress(&set, &sources, &mut diagnostics);
    }
    let mut report = Report {
        policies: set.own().count(),
        sources,
        diagnostics,
    };
    apply_levels(&mut report.diagnostics, &levels);
    report.sort();
    Outcome {
        report,
        set,
        not_policies,
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
    fn run(&self, set: &PolicySet) -> Vec<Diagnostic> {
        match self {
            Self::Policy(index) => rules::check(&set.effective(*index)),
            Self::Set(check) => {
                let mut findings = Vec::new();
                check(set, &mut findings);
                findings
            }
        }
    }
}

fn overlaps(location: Location, places: &[Location]) -> bool {
    places.iter().any(|place| {
        place.source == location.source
            && place.span.start < location.span.end.max(location.span.start + 1)
            && location.span.start < place.span.end
    })
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

/// Maps over all cores; the results come in the order of the items. Small inputs stay on this
/// thread: starting another costs more than it saves.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(items.len());
    if threads < 2 || items.len() < 4 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let worker = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else {
                    return done;
                };
                done.push((index, work(item)));
            }
        };
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut results = worker();
        for other in others {
            match other.join() {
                Ok(done) => results.extend(done),
                // A panic in a worker is a bug; it must not be lost.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
