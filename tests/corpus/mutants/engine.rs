//! Breaks the sets, validates them, and counts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use iefctl::diagnostics::{Diagnostic, Source, SourceId, SourceMap};
use iefctl::validate::{SetFiles, Terms, validate_sets};
use roxmltree::Node;

use super::model::{Place, PolicyFiles};

/// Marks the place in a replacement at which it must be found, where that is not its start.
pub(crate) const HERE: char = '\u{1}';

/// One way to break a set.
pub(crate) struct Mutant {
    pub(crate) kind: &'static str,
    /// The rule that must find it.
    rule: &'static str,
    /// The file that is broken.
    file: usize,
    /// What is replaced in it, in text order.
    edits: Vec<(Range<usize>, String)>,
    /// The file and the place in it before the edits at which it must be found; else where the first
    /// edit is.
    at: Option<(usize, usize)>,
}

impl Mutant {
    pub(crate) fn new(
        kind: &'static str,
        rule: &'static str,
        file: usize,
        range: Range<usize>,
        replacement: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            rule,
            file,
            edits: vec![(range, replacement.into())],
            at: None,
        }
    }

    /// Another value of an attribute.
    pub(crate) fn attribute(
        kind: &'static str,
        rule: &'static str,
        (file, element): Place<'_>,
        attribute: &str,
        replacement: impl Into<String>,
    ) -> Option<Self> {
        let range = element.attribute_node(attribute)?.range_value();
        Some(Self::new(kind, rule, file, range, replacement))
    }

    /// Another text of an element.
    pub(crate) fn text(
        kind: &'static str,
        rule: &'static str,
        (file, element): Place<'_>,
        replacement: impl Into<String>,
    ) -> Option<Self> {
        let text = element.children().find(Node::is_text)?;
        Some(Self::new(kind, rule, file, text.range(), replacement))
    }

    /// An attribute less.
    pub(crate) fn without_attribute(
        kind: &'static str,
        rule: &'static str,
        (file, element): Place<'_>,
        attribute: &str,
    ) -> Option<Self> {
        let range = element.attribute_node(attribute)?.range();
        let found = Self::new(kind, rule, file, range, "");
        Some(found.at((file, element)))
    }

    /// An element less; `at` must say where that is found.
    pub(crate) fn without(
        kind: &'static str,
        rule: &'static str,
        (file, element): Place<'_>,
    ) -> Self {
        Self::new(kind, rule, file, element.range(), "")
    }

    /// Something put in front of an element, on a line of its own.
    pub(crate) fn before(
        kind: &'static str,
        rule: &'static str,
        (file, element): Place<'_>,
        what: &str,
    ) -> Self {
        let start = element.range().start;
        Self::new(kind, rule, file, start..start, format!("{what}\n"))
    }

    /// Something put behind an element, on a line of its own.
    pub(crate) fn behind(
        kind: &'static str,
        rule: &'static str,
        (file, element): Place<'_>,
        what: &str,
    ) -> Self {
        let end = element.range().end;
        Self::new(kind, rule, file, end..end, format!("\n{what}"))
    }

    /// Another edit of the same file.
    pub(crate) fn and(mut self, range: Range<usize>, replacement: impl Into<String>) -> Self {
        self.edits.push((range, replacement.into()));
        self
    }

    /// It must be found at this element.
    pub(crate) fn at(mut self, (file, element): Place<'_>) -> Self {
        self.at = Some((file, element.range().start));
        self
    }

    /// It must be found at this attribute.
    pub(crate) fn at_attribute(mut self, (file, element): Place<'_>, name: &str) -> Self {
        let start = element.attribute_node(name).unwrap().range_value().start;
        self.at = Some((file, start));
        self
    }

    /// The broken text, and where in it a place of the sound one is.
    fn apply(&self, text: &str) -> (String, usize) {
        let mut edits: Vec<_> = self.edits.iter().collect();
        edits.sort_by_key(|(range, _)| range.start);
        let first = &self.edits[0];
        let wanted = match self.at {
            Some((file, offset)) if file == self.file => offset,
            _ => first.0.start,
        };
        let is_marked = self.edits.iter().any(|(_, text)| text.contains(HERE));
        let mut broken = String::with_capacity(text.len() + 100);
        let mut place = wanted;
        let mut behind = 0;
        for edit in edits {
            let (range, replacement) = edit;
            broken.push_str(&text[behind..range.start]);
            if let Some((before, after)) = replacement.split_once(HERE) {
                place = broken.len() + before.len();
                broken.push_str(before);
                broken.push_str(after);
            } else if self.at.is_none() && !is_marked && std::ptr::eq(edit, first) {
                let blank = replacement.len() - replacement.trim_start().len();
                place = broken.len() + blank;
                broken.push_str(replacement);
            } else {
                if self.at.is_some() && range.end <= wanted {
                    place = (place + replacement.len()) - range.len();
                }
                broken.push_str(replacement);
            }
            behind = range.end;
        }
        broken.push_str(&text[behind..]);
        (broken, place)
    }
}

#[derive(Default)]
struct Counted {
    tried: usize,
    found: usize,
    /// What else is found that is not found in the sound set: by rule, how often and the first one.
    others: BTreeMap<&'static str, (usize, Option<String>)>,
}

/// What was tried, found and missed.
#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<&'static str, Counted>,
    missed: Vec<String>,
}

impl Tally {
    pub(crate) fn kinds(&self) -> usize {
        self.counts.len()
    }

    pub(crate) fn misses(&self) -> Vec<String> {
        self.missed.clone()
    }

    /// What one break made several rules say, except where that is known.
    pub(crate) fn doubles(&self, known: &[(&str, &str, &str)]) -> Vec<String> {
        let mut doubles = Vec::new();
        for (kind, counted) in &self.counts {
            for (rule, (_, first)) in &counted.others {
                let is_known = known
                    .iter()
                    .any(|known| (known.0, known.1) == (*kind, *rule));
                if !is_known {
                    doubles.push(format!("{kind}: {rule}, {first:?}"));
                }
            }
        }
        doubles
    }

    /// What is known to say more, but does not.
    pub(crate) fn in_vain(&self, known: &[(&str, &str, &str)]) -> Vec<String> {
        let is_needed = |(kind, rule, _): &&(&str, &str, &str)| {
            let counted = self.counts.get(kind);
            counted.is_some_and(|counted| counted.others.contains_key(rule))
        };
        let in_vain = known.iter().filter(|known| !is_needed(known));
        in_vain.map(|known| format!("{known:?}")).collect()
    }

    pub(crate) fn print(&self) {
        let mut all = (0, 0);
        for (kind, counted) in &self.counts {
            let others: Vec<_> = counted
                .others
                .iter()
                .map(|(rule, (n, _))| format!("{rule} {n}"))
                .collect();
            let besides = if others.is_empty() { "" } else { "; besides: " };
            println!(
                "{kind}: {} mutants, {} found{besides}{}",
                counted.tried,
                counted.found,
                others.join(", ")
            );
            all = (all.0 + counted.tried, all.1 + counted.found);
        }
        println!(
            "{} kinds, {} mutants, {} found",
            self.counts.len(),
            all.0,
            all.1
        );
    }
}

/// How many broken sets are in memory at once.
const AT_ONCE: usize = 32;

/// Validates every mutant of a set; what is not broken is parsed once.
pub(crate) fn run(set: &PolicyFiles, mutants: &[Mutant], tally: &mut Tally) {
    let terms = Terms {
        tenant_known: true,
        ..Terms::default()
    };
    for mutants in mutants.chunks(AT_ONCE) {
        let mut sources = SourceMap::new();
        let sound: Vec<SourceId> = set
            .files
            .iter()
            .map(|(name, text)| sources.add(Source::new(name.as_str(), text.as_str())))
            .collect();
        let mut sets = vec![SetFiles {
            own: sound.clone(),
            ..SetFiles::default()
        }];
        let mut places = Vec::new();
        for mutant in mutants {
            let (name, text) = &set.files[mutant.file];
            let (broken, place) = mutant.apply(text);
            let own = sources.add(Source::new(name.as_str(), broken));
            let mut all = sound.clone();
            all[mutant.file] = own;
            let place = match mutant.at {
                Some((file, offset)) if file != mutant.file => (all[file], offset),
                _ => (own, place),
            };
            places.push(place);
            sets.push(SetFiles {
                own: all,
                ..SetFiles::default()
            });
        }
        let checked = validate_sets(&sources, sets, &terms);
        let known: BTreeSet<_> = checked[0].diagnostics.iter().map(essence).collect();
        for ((mutant, checked), (source, place)) in mutants.iter().zip(&checked[1..]).zip(places) {
            let text = sources.get(source).original();
            let line = text[..place].matches('\n').count() as u32 + 1;
            let is_it = |finding: &&Diagnostic| {
                let location = finding.primary.location;
                finding.rule.id == mutant.rule
                    && location.source == source
                    && sources.position(location).0.line == line
            };
            let found = checked.diagnostics.iter().find(is_it);
            let counted = tally.counts.entry(mutant.kind).or_default();
            counted.tried += 1;
            counted.found += usize::from(found.is_some());
            let others: BTreeSet<_> = checked
                .diagnostics
                .iter()
                .filter(|other| found.is_none_or(|found| *other != found))
                .filter(|other| !known.contains(&essence(other)))
                .map(|other| {
                    let place = sources.position(other.primary.location).0;
                    let name = sources.get(other.primary.location.source).name();
                    (other.rule.id, format!("{name}:{place} {}", other.message))
                })
                .collect();
            for (rule, other) in &others {
                let of_rule = counted.others.entry(rule).or_default();
                of_rule.0 += 1;
                of_rule.1.get_or_insert_with(|| other.clone());
            }
            if found.is_none() {
                let elsewhere: Vec<_> = others.iter().map(|(_, other)| other).collect();
                tally.missed.push(format!(
                    "{}:{line}: {}: no {}; instead {elsewhere:?}",
                    sources.get(source).name(),
                    mutant.kind,
                    mutant.rule
                ));
            }
        }
    }
}

/// What makes a finding the same one although lines have moved.
fn essence(finding: &Diagnostic) -> (&'static str, String) {
    (finding.rule.id, finding.message.clone())
}
