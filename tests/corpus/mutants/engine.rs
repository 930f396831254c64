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
    pub(crate) rule: &'static str,
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

    /// Where it must be found.
    fn anchor(&self) -> Anchor {
        if let Some((file, offset)) = self.at
            && file != self.file
        {
            return Anchor::Sound(file, offset);
        }
        let mut marks = self.edits.iter().enumerate();
        let mark = marks.find_map(|(number, (_, text))| Some((number, text.find(HERE)?)));
        match (mark, self.at) {
            (Some((number, offset)), _) => Anchor::Edit(number, offset),
            (None, Some((file, offset))) => Anchor::Sound(file, offset),
            (None, None) => {
                let text = &self.edits[0].1;
                Anchor::Edit(0, text.len() - text.trim_start().len())
            }
        }
    }

    /// Whether both can be done, each where and as it was meant.
    pub(crate) fn goes_with(&self, other: &Self) -> bool {
        let touch = |one: &Range<usize>, other: &Range<usize>| {
            one.start <= other.end && other.start <= one.end
        };
        let is_lost = |one: &Self, other: &Self| match one.anchor() {
            Anchor::Sound(file, offset) => {
                let mut edits = other.edits.iter();
                file == other.file && edits.any(|(range, _)| range.contains(&offset))
            }
            Anchor::Edit(..) => false,
        };
        let mut pairs =
            (self.edits.iter()).flat_map(|one| other.edits.iter().map(move |it| (one, it)));
        let meet = self.file == other.file && pairs.any(|(one, other)| touch(&one.0, &other.0));
        !meet && !is_lost(self, other) && !is_lost(other, self)
    }

    /// The file and the place in it where something is changed first.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.file, self.edits[0].0.start)
    }
}

/// Where something must be found.
enum Anchor {
    /// In a replacement: which one, and the offset in it.
    Edit(usize, usize),
    /// In a sound text: which file, and the offset in it.
    Sound(usize, usize),
}

/// The texts of a set in which several things are broken, and where in them each must be found.
struct Broken {
    /// The files that are not as they were.
    texts: Vec<(usize, String)>,
    /// File and offset, in the order of the mutants.
    places: Vec<(usize, usize)>,
}

fn break_all(set: &PolicyFiles, mutants: &[&Mutant]) -> Broken {
    let files: BTreeSet<usize> = mutants.iter().map(|mutant| mutant.file).collect();
    let mut places: Vec<(usize, usize)> = mutants
        .iter()
        .map(|mutant| match mutant.anchor() {
            Anchor::Edit(..) => (mutant.file, 0),
            Anchor::Sound(file, offset) => (file, offset),
        })
        .collect();
    let mut texts = Vec::new();
    for file in files {
        let text = &set.files[file].1;
        let mut edits = Vec::new();
        for (number, mutant) in mutants.iter().enumerate().filter(|(_, it)| it.file == file) {
            let own = mutant.edits.iter().enumerate();
            edits.extend(
                own.map(|(edit, (range, text))| (range, text.replace(HERE, ""), number, edit)),
            );
        }
        edits.sort_by_key(|(range, ..)| range.start);
        for (place, mutant) in places.iter_mut().zip(mutants) {
            if let Anchor::Sound(at, offset) = mutant.anchor()
                && at == file
            {
                for (range, text, ..) in edits.iter().filter(|(range, ..)| range.end <= offset) {
                    place.1 = place.1 + text.len() - range.len();
                }
            }
        }
        let mut broken = String::with_capacity(text.len() + 100);
        let mut behind = 0;
        for (range, replacement, number, edit) in &edits {
            broken.push_str(&text[behind..range.start]);
            if let Anchor::Edit(at, offset) = mutants[*number].anchor()
                && at == *edit
            {
                places[*number].1 = broken.len() + offset;
            }
            broken.push_str(replacement);
            behind = range.end;
        }
        broken.push_str(&text[behind..]);
        texts.push((file, broken));
    }
    Broken { texts, places }
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

/// A broken set after validation.
pub(crate) struct Checked<'a> {
    pub(crate) sources: &'a SourceMap,
    pub(crate) findings: &'a [Diagnostic],
    /// What is found in the sound set.
    known: &'a BTreeSet<(&'static str, String)>,
    /// File and line where each of the mutants must be found.
    lines: Vec<(SourceId, u32)>,
}

impl<'a> Checked<'a> {
    /// The finding that must be there because of a mutant, by its number in the group.
    pub(crate) fn found(&self, number: usize, mutant: &Mutant) -> Option<&'a Diagnostic> {
        let (source, line) = self.lines[number];
        self.findings.iter().find(|finding| {
            let location = finding.primary.location;
            finding.rule.id == mutant.rule
                && location.source == source
                && self.sources.position(location).0.line == line
        })
    }

    /// Where a mutant must be found, in words.
    pub(crate) fn place(&self, number: usize) -> String {
        let (source, line) = self.lines[number];
        format!("{}:{line}", self.sources.get(source).name())
    }

    /// Whether both must be found as one.
    pub(crate) fn is_same(&self, one: &Mutant, other: &Mutant) -> bool {
        self.lines[0] == self.lines[1] && one.rule == other.rule
    }

    /// What is found besides and is not found in the sound set: rule, place and message.
    pub(crate) fn others(&self, found: Option<&Diagnostic>) -> BTreeSet<(&'static str, String)> {
        let others = self.findings.iter();
        others
            .filter(|other| found.is_none_or(|found| *other != found))
            .filter(|other| !self.known.contains(&essence(other)))
            .map(|other| {
                let place = self.sources.position(other.primary.location).0;
                let name = self.sources.get(other.primary.location.source).name();
                (other.rule.id, format!("{name}:{place} {}", other.message))
            })
            .collect()
    }
}

/// Validates a set as often as there are groups of mutants, each time with all of the group; what is
/// not broken is parsed once.
pub(crate) fn validate(
    set: &PolicyFiles,
    groups: &[Vec<&Mutant>],
    tell: &mut dyn FnMut(&[&Mutant], &Checked<'_>),
) {
    let terms = Terms {
        tenant_known: true,
        ..Terms::default()
    };
    for groups in groups.chunks(AT_ONCE) {
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
        for group in groups {
            let broken = break_all(set, group);
            let mut own = sound.clone();
            for (file, text) in broken.texts {
                let name = set.files[file].0.as_str();
                own[file] = sources.add(Source::new(name, text));
            }
            let of = |(file, offset): (usize, usize)| (own[file], offset);
            places.push(broken.places.into_iter().map(of).collect::<Vec<_>>());
            sets.push(SetFiles {
                own,
                ..SetFiles::default()
            });
        }
        let checked = validate_sets(&sources, sets, &terms);
        let known: BTreeSet<_> = checked[0].diagnostics.iter().map(essence).collect();
        for ((group, checked), places) in groups.iter().zip(&checked[1..]).zip(places) {
            let line = |(source, offset): (SourceId, usize)| {
                let text = &sources.get(source).original()[..offset];
                (source, text.matches('\n').count() as u32 + 1)
            };
            let checked = Checked {
                sources: &sources,
                findings: &checked.diagnostics,
                known: &known,
                lines: places.into_iter().map(line).collect(),
            };
            tell(group, &checked);
        }
    }
}

/// Validates every mutant of a set by itself.
pub(crate) fn run(set: &PolicyFiles, mutants: &[Mutant], tally: &mut Tally) {
    let groups: Vec<Vec<&Mutant>> = mutants.iter().map(|mutant| vec![mutant]).collect();
    validate(set, &groups, &mut |group, checked| {
        let mutant = group[0];
        let found = checked.found(0, mutant);
        let counted = tally.counts.entry(mutant.kind).or_default();
        counted.tried += 1;
        counted.found += usize::from(found.is_some());
        let others = checked.others(found);
        for (rule, other) in &others {
            let of_rule = counted.others.entry(rule).or_default();
            of_rule.0 += 1;
            of_rule.1.get_or_insert_with(|| other.clone());
        }
        if found.is_none() {
            let elsewhere: Vec<_> = others.iter().map(|(_, other)| other).collect();
            tally.missed.push(format!(
                "{}: {}: no {}; instead {elsewhere:?}",
                checked.place(0),
                mutant.kind,
                mutant.rule
            ));
        }
    });
}

/// What makes a finding the same one although lines have moved.
fn essence(finding: &Diagnostic) -> (&'static str, String) {
    (finding.rule.id, finding.message.clone())
}
