//! What is wrong with the children of an element: unknown, foreign, repeated, misplaced or missing
//! ones. As few findings as explain the list, because each costs somebody a look.

use std::collections::{HashMap, HashSet};

use crate::diagnostics::{Diagnostic, Edit, Span};
use crate::xml::Element;

use super::check::{Checker, fits, shorten};
use super::notation::{Declaration, Type};
use super::order::in_order;
use super::service;
use super::suggest::nearest;
use super::values::enumerate;
use super::{XSD_CHILD_ORDER, XSD_MISSING_CHILD, describe};

/// What a child is to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Right(usize),
    Misplaced(usize),
    Repeated(usize),
    /// In a choice: of another kind than its elder siblings.
    Excluded(usize),
    /// A wrong name for an element that may stand here.
    Slip {
        rank: usize,
        case_only: bool,
    },
    /// Known at other places.
    Elsewhere,
    Unknown,
    /// Of another namespace.
    Foreign,
}

struct Child<'d> {
    element: Element<'d>,
    part: Part,
}

/// One element whose children are being explained.
struct List<'d> {
    parent: Element<'d>,
    of: &'static Type,
    particles: &'static [Declaration],
    choice: bool,
    children: Vec<Child<'d>>,
    /// Index and rank of the children that stand right: ascending in both.
    kept: Vec<(usize, usize)>,
    /// How many children of one name do not belong here.
    strangers: HashMap<&'d str, usize>,
    /// Names of children that must be there and are not, not even misspelt or in the wrong place.
    lacking: Vec<&'static str>,
}

impl<'d> Checker<'d> {
    /// Explains a list of children that is not as its type wants it. The content of the first
    /// `checked` of them has been checked already; that of the others is checked here.
    pub(super) fn explain_children(
        &mut self,
        parent: Element<'d>,
        of: &'static Type,
        particles: &'static [Declaration],
        choice: bool,
        checked: usize,
    ) {
        let list = self.assign(parent, of, particles, choice);
        let mut findings = Vec::new();
        let mut seen: HashSet<&str> = HashSet::new();
        for (index, child) in list.children.iter().enumerate() {
            let finding = match child.part {
                Part::Right(_) => None,
                Part::Misplaced(rank) => Some(self.misplaced(&list, index, rank)),
                Part::Repeated(rank) => Some(self.repeated(&list, index, rank)),
                // Elements of one name that do not belong are one slip.
                Part::Excluded(_) => seen
                    .insert(child.element.name())
                    .then(|| self.excluded(&list, index)),
                Part::Slip { rank, case_only } => Some(self.slip(&list, index, rank, case_only)),
                Part::Elsewhere | Part::Unknown | Part::Foreign => seen
                    .insert(child.element.name())
                    .then(|| self.stranger(&list, index)),
            };
            findings.extend(finding);
        }
        if let Some(missing) = self.missing(&list) {
            findings.push(missing);
        }
        // The service's validator stops at the first mistake in a list; this is its sentence.
        if let (Some(first), Some(sentence)) = (findings.first_mut(), self.first_sentence(&list)) {
            first.service_message = Some(sentence);
        }
        self.findings.append(&mut findings);
        for child in &list.children[checked.min(list.children.len())..] {
            match child.part {
                Part::Right(rank)
                | Part::Misplaced(rank)
                | Part::Repeated(rank)
                | Part::Excluded(rank)
                | Part::Slip {
                    rank,
                    case_only: true,
                } => self.element(child.element, particles[rank].of),
                Part::Slip { rank, .. } => {
                    // A guess must not lead to more findings.
                    if fits(child.element, particles[rank].of) {
                        self.element(child.element, particles[rank].of);
                    }
                }
                Part::Elsewhere => self.displaced(child.element),
                Part::Unknown | Part::Foreign => {}
            }
        }
    }

    /// Reports the children of an element that holds no elements; `model` is how the service calls
    /// what it holds.
    pub(super) fn no_elements(&mut self, parent: Element<'d>, model: &str) {
        let mut seen = HashSet::new();
        for child in parent.children() {
            if !seen.insert(child.name()) {
                continue;
            }
            let sentence = service::no_children(parent, child, model);
            let sentence = self.service.sentence(child.name_span().start, &sentence);
            let holds = if model == "empty" {
                "attributes"
            } else {
                "text"
            };
            let finding = self
                .finding(
                    &XSD_CHILD_ORDER,
                    child.name_span(),
                    format!(
                        "`{}` is not allowed in `{}`, which has only {holds}",
                        shorten(child.name()),
                        parent.name()
                    ),
                )
                .service_message(sentence);
            let finding = match home(child, None) {
                Some(home) => finding.help(home),
                None => finding.help("remove it"),
            };
            self.findings.push(finding);
            self.displaced(child);
        }
    }

    /// Finds out what each child is.
    fn assign(
        &self,
        parent: Element<'d>,
        of: &'static Type,
        particles: &'static [Declaration],
        choice: bool,
    ) -> List<'d> {
        let mut children: Vec<Child<'d>> = parent
            .children()
            .map(|element| Child {
                element,
                part: self.recognise(element, particles),
            })
            .collect();
        let chosen = children.iter().find_map(|child| match child.part {
            Part::Right(rank) => Some(rank),
            _ => None,
        });
        let right: Vec<(usize, usize)> = children
            .iter()
            .enumerate()
            .filter_map(|(index, child)| match child.part {
                Part::Right(rank) => Some((index, rank)),
                _ => None,
            })
            .collect();
        // Ascending keys are allowed lists: a particle that repeats may follow itself.
        let key = |(index, rank): &(usize, usize)| {
            let within = if particles[*rank].repeats { *index } else { 0 };
            (*rank as u64) << 32 | within as u64
        };
        let kept = if choice {
            let mut seen = false;
            let kept = right.iter().map(|(_, rank)| {
                let first = !std::mem::replace(&mut seen, true);
                Some(*rank) == chosen && (first || particles[*rank].repeats)
            });
            kept.collect()
        } else {
            in_order(&right.iter().map(key).collect::<Vec<_>>())
        };
        let mut here = vec![false; particles.len()];
        let mut in_place = Vec::new();
        for (child, kept) in right.iter().zip(&kept) {
            if *kept {
                here[child.1] = true;
                in_place.push(*child);
            }
        }
        for ((index, rank), kept) in right.into_iter().zip(kept) {
            if kept {
                continue;
            }
            children[index].part = if choice && Some(rank) != chosen {
                Part::Excluded(rank)
            } else if here[rank] && !particles[rank].repeats {
                Part::Repeated(rank)
            } else {
                // The next of the same name would be a second one.
                here[rank] = true;
                Part::Misplaced(rank)
            };
        }
        let mut strangers: HashMap<&str, usize> = HashMap::new();
        for child in &children {
            match child.part {
                Part::Slip { rank, .. } => here[rank] = true,
                Part::Elsewhere | Part::Unknown | Part::Foreign => {
                    *strangers.entry(child.element.name()).or_default() += 1;
                }
                _ => {}
            }
        }
        let lacking = particles
            .iter()
            .zip(here)
            .filter(|(particle, here)| particle.required && !here)
            .map(|(particle, _)| particle.name)
            .collect();
        List {
            parent,
            of,
            particles,
            choice,
            children,
            kept: in_place,
            strangers,
            lacking,
        }
    }

    fn recognise(&self, element: Element<'d>, particles: &[Declaration]) -> Part {
        if !self.is_ours(element) {
            return Part::Foreign;
        }
        let name = element.name();
        if let Some(rank) = particles.iter().position(|particle| particle.name == name) {
            return Part::Right(rank);
        }
        let near = nearest(name, particles.iter().map(|particle| particle.name));
        let elsewhere = describe::places(name).next().is_some();
        match near {
            Some(near) if near.case_only || !elsewhere => Part::Slip {
                rank: near.index,
                case_only: near.case_only,
            },
            _ if elsewhere => Part::Elsewhere,
            _ => Part::Unknown,
        }
    }

    fn misplaced(&self, list: &List<'d>, index: usize, rank: usize) -> Diagnostic {
        let child = list.children[index].element;
        let kept = |at: usize| list.kept.get(at).map(|(other, _)| *other);
        let higher = list.kept.partition_point(|(_, other)| *other <= rank);
        let lower = list.kept.partition_point(|(_, other)| *other < rank);
        let before = kept(higher).filter(|other| *other < index);
        let behind = lower
            .checked_sub(1)
            .and_then(kept)
            .filter(|other| *other > index);
        let element = |other: usize| list.children[other].element;
        let (before, behind) = (before.map(element), behind.map(element));
        let (place, neighbour) = match (before, behind) {
            (Some(neighbour), _) => ("before", Some(neighbour)),
            (None, Some(neighbour)) => ("behind", Some(neighbour)),
            (None, None) => ("elsewhere", None),
        };
        let name = child.name();
        let message = match neighbour {
            Some(neighbour) => {
                let line = self.service.line(neighbour.name_span().start);
                format!(
                    "`{name}` must stand {place} `{}` on line {line}",
                    neighbour.name()
                )
            }
            None => format!("`{name}` is in the wrong place"),
        };
        let order: Vec<&str> = list
            .particles
            .iter()
            .map(|particle| particle.name)
            .collect();
        let finding = self.child_finding(list, index, message).help(format!(
            "the order in `{}` is: {}",
            list.parent.name(),
            order.join(", ")
        ));
        match neighbour {
            Some(neighbour) => finding.related(
                self.location(neighbour.name_span()),
                format!("`{name}` belongs {place} this"),
            ),
            None => finding,
        }
    }

    fn repeated(&self, list: &List<'d>, index: usize, rank: usize) -> Diagnostic {
        let child = list.children[index].element;
        let at = list.kept.partition_point(|(_, other)| *other < rank);
        let other = list.kept.get(at).map(|(other, _)| &list.children[*other]);
        let finding = self
            .child_finding(
                list,
                index,
                format!(
                    "`{}` may stand in `{}` only once",
                    child.name(),
                    list.parent.name()
                ),
            )
            .help("put the content of both into one");
        match other {
            Some(other) => {
                finding.related(self.location(other.element.name_span()), "the other one")
            }
            None => finding,
        }
    }

    fn excluded(&self, list: &List<'d>, index: usize) -> Diagnostic {
        let child = list.children[index].element;
        let chosen = list.kept.first().map(|(index, _)| &list.children[*index]);
        let name = chosen.map_or("", |chosen| chosen.element.name());
        let finding = self
            .child_finding(
                list,
                index,
                format!("`{}` cannot stand beside `{name}`", child.name()),
            )
            .help(format!("`{}` holds one or the other", list.parent.name()));
        match chosen {
            Some(chosen) => finding.related(
                self.location(chosen.element.name_span()),
                "this kind came first",
            ),
            None => finding,
        }
    }

    fn slip(&self, list: &List<'d>, index: usize, rank: usize, case_only: bool) -> Diagnostic {
        let child = list.children[index].element;
        let meant = list.particles[rank].name;
        let finding = self
            .child_finding(list, index, not_allowed(list, child))
            .help(format!(
                "did you mean `{meant}`? {}",
                list.particles[rank].description
            ));
        if !case_only {
            return finding;
        }
        let length = child.name().len() as u32;
        let edit = |end: u32| Edit {
            location: self.location(Span::new(end - length, end)),
            replacement: meant.to_owned(),
        };
        let mut edits = vec![edit(child.name_span().end)];
        if let Some(start) = service::end_tag(child) {
            edits.push(edit(start + 2 + child.name_span().len()));
        }
        finding.fix(format!("rename it to `{meant}`"), edits)
    }

    fn stranger(&self, list: &List<'d>, index: usize) -> Diagnostic {
        let child = &list.children[index];
        let element = child.element;
        let count = list.strangers.get(element.name()).copied().unwrap_or(1);
        let message = if child.part == Part::Foreign {
            match element.namespace() {
                "" => format!("`{}` is in no namespace", shorten(element.name())),
                namespace => format!(
                    "`{}` is in the namespace `{}`, not in that of policies",
                    shorten(element.name()),
                    shorten(namespace)
                ),
            }
        } else {
            not_allowed(list, element)
        };
        let message = match count {
            1 => message,
            _ => format!("{message} ({count} times)"),
        };
        let help = match home(element, Some(list.of)).filter(|_| child.part == Part::Elsewhere) {
            Some(home) => home,
            None => {
                let expected = self.expected(list, index);
                if expected.is_empty() {
                    format!("nothing may follow here in `{}`", list.parent.name())
                } else {
                    format!("allowed here: {}", enumerate(&expected))
                }
            }
        };
        let help = match list.lacking.as_slice() {
            [] => help,
            lacking => format!(
                "{help}; `{}` still needs {}",
                list.parent.name(),
                all_of(lacking)
            ),
        };
        self.child_finding(list, index, message).help(help)
    }

    /// Children that must be there and are not, unless a stranger may be what was meant.
    fn missing(&self, list: &List<'d>) -> Option<Diagnostic> {
        let lacking = &list.lacking;
        if lacking.is_empty() || !list.strangers.is_empty() {
            return None;
        }
        let name = list.parent.name();
        let describe = |lacking: &str| {
            let declaration = list.of.child(lacking);
            declaration.map_or("", |declaration| declaration.description)
        };
        let message = if list.children.is_empty() && list.particles.len() == 1 {
            format!(
                "`{name}` is empty; it needs at least one {}",
                all_of(lacking)
            )
        } else {
            format!("`{name}` lacks {}", all_of(lacking))
        };
        let finding = self.finding(&XSD_MISSING_CHILD, list.parent.name_span(), message);
        let finding = match lacking.as_slice() {
            [only] => finding.help(format!("add `{only}`: {}", describe(only))),
            _ => finding,
        };
        let last = list.kept.last().map(|(_, rank)| *rank);
        let sentence = service::incomplete(list.parent, &service::following(list.particles, last));
        let sentence = self
            .service
            .sentence(service::end_name(list.parent), &sentence);
        Some(finding.service_message(sentence))
    }

    /// A finding on a child, with the sentence of the service as if it were the first mistake.
    fn child_finding(&self, list: &List<'d>, index: usize, message: String) -> Diagnostic {
        let child = list.children[index].element;
        let sentence = service::invalid_child(list.parent, child, &self.expected(list, index));
        self.finding(&XSD_CHILD_ORDER, child.name_span(), message)
            .service_message(self.service.sentence(child.name_span().start, &sentence))
    }

    /// What may stand in the place of a child, if its elder siblings are put right.
    fn expected(&self, list: &List<'d>, index: usize) -> Vec<&'static str> {
        let elder = list.kept.partition_point(|(other, _)| *other < index);
        let last = elder.checked_sub(1).map(|last| list.kept[last].1);
        list.following(last)
    }

    /// The sentence for the first mistake as the service meets it, child by child.
    fn first_sentence(&self, list: &List<'d>) -> Option<String> {
        let mut last: Option<usize> = None;
        for child in &list.children {
            let expected = list.following(last);
            let name = child.element.name();
            if !self.is_ours(child.element) || !expected.contains(&name) {
                let sentence = service::invalid_child(list.parent, child.element, &expected);
                let offset = child.element.name_span().start;
                return Some(self.service.sentence(offset, &sentence));
            }
            last = list
                .particles
                .iter()
                .position(|particle| particle.name == name);
        }
        None
    }
}

impl List<'_> {
    /// What may follow the child of rank `last`.
    fn following(&self, last: Option<usize>) -> Vec<&'static str> {
        match last {
            Some(last) if self.choice => {
                let particle = &self.particles[last];
                particle
                    .repeats
                    .then_some(particle.name)
                    .into_iter()
                    .collect()
            }
            None if self.choice => self
                .particles
                .iter()
                .map(|particle| particle.name)
                .collect(),
            _ => service::following(self.particles, last),
        }
    }
}

fn not_allowed(list: &List<'_>, child: Element<'_>) -> String {
    format!(
        "`{}` is not allowed in `{}`",
        shorten(child.name()),
        list.parent.name()
    )
}

fn all_of(names: &[&str]) -> String {
    enumerate(names).replace(" or ", " and ")
}

/// Where an element that does not belong here is at home.
fn home(element: Element<'_>, here: Option<&'static Type>) -> Option<String> {
    let name = element.name();
    let places: Vec<_> = describe::places(name)
        .filter_map(|place| place.parent)
        .collect();
    // Inside one that may stand here: its wrapper was forgotten.
    let wrapper = here.and_then(|here| here.children().iter().find(|c| c.of.child(name).is_some()));
    if let Some(wrapper) = wrapper {
        return Some(format!("`{name}` belongs in `{}`", wrapper.name));
    }
    // Further out: an end tag is in the wrong place.
    // No place in the grammar is deeper than this.
    let outer = element
        .ancestors()
        .take(16)
        .skip(1)
        .find(|outer| places.iter().any(|place| place.name == outer.name()));
    if let Some(outer) = outer {
        return Some(format!(
            "`{name}` belongs in `{}`, further out; is an end tag missing?",
            outer.name()
        ));
    }
    let mut parents: Vec<&str> = Vec::new();
    for place in places {
        if !parents.contains(&place.name) {
            parents.push(place.name);
        }
    }
    match parents.len() {
        0 => None,
        1..=4 => Some(format!("`{name}` belongs in {}", enumerate(&parents))),
        _ => Some(format!(
            "`{name}` belongs in {} and others",
            enumerate(&parents[..3]).replace(" or ", ", ")
        )),
    }
}
