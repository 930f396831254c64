//! Values that refer to other values: expands each once, finds what cannot be expanded.

use std::collections::{HashMap, HashSet};

use super::escape::{self, Fragment};
use super::placeholder::{Kind, placeholders};
use super::{BuiltIn, Notation, Semantics, Setting, Settings};

/// More bytes than this no value may have; a whole policy has at most 1024 KB.
const MAX_VALUE: usize = 1 << 20;
/// More bytes than this the values together may not have after expansion.
const MAX_TOTAL: usize = 16 << 20;

/// A part of an expanded value.
#[derive(Debug, Clone)]
pub(super) enum Chunk {
    Text {
        text: String,
        is_xml: bool,
    },
    /// Differs from file to file.
    FileName(BuiltIn),
}

/// Why a value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The value leads back to itself through these settings; it is one of them.
    Cycle(Vec<usize>),
    /// The value refers to a setting that stands before it, where only following ones are replaced.
    Earlier(usize),
    /// The value refers to a built-in setting, where only following ones are replaced.
    BuiltIn(BuiltIn),
    /// The value contains a placeholder, where none is replaced.
    Nested(String),
    /// The value refers to a setting that does not exist.
    Undefined(String),
    /// The value contains something like a placeholder.
    Malformed(&'static str),
    /// XML cannot contain this character.
    Illegal(char),
    /// The expanded value is too long.
    Oversized,
    /// A setting to which the value refers is at fault.
    Inherited,
}

/// All values, expanded.
#[derive(Debug)]
pub(super) struct Expansion {
    notation: Notation,
    index: HashMap<String, usize>,
    /// What stands before a colon in keys.
    groups: HashSet<String>,
    values: Vec<Result<Vec<Chunk>, Fault>>,
    references: Vec<Vec<usize>>,
}

enum Part<'v> {
    Text(&'v str),
    BuiltIn(BuiltIn),
    Setting(usize),
}

impl Expansion {
    pub(super) fn new(settings: &Settings) -> Self {
        let notation = settings.notation;
        let mut index = HashMap::new();
        for (position, setting) in settings.values.iter().enumerate() {
            index.entry(notation.fold(&setting.key)).or_insert(position);
        }
        let groups = index.keys().flat_map(|key| {
            let colons = key.match_indices(':');
            colons.map(|(colon, _)| key[..colon].to_owned())
        });
        let groups = groups.collect();
        let parts: Vec<_> = (0..settings.values.len())
            .map(|position| parts(settings, position, &index))
            .collect();
        let references: Vec<Vec<usize>> = settings
            .values
            .iter()
            .map(|setting| mentioned(setting, notation, &index))
            .collect();
        let mut values: Vec<Option<Result<Vec<Chunk>, Fault>>> = vec![None; parts.len()];
        mark_cycles(&references, &parts, &mut values);
        let mut total = 0;
        for position in order(&references) {
            if values[position].is_none() {
                let value = join(settings, position, &parts[position], &values, &mut total);
                values[position] = Some(value);
            }
        }
        Self {
            notation,
            index,
            groups,
            values: values
                .into_iter()
                .map(|value| value.unwrap_or(Err(Fault::Inherited)))
                .collect(),
            references,
        }
    }

    /// The setting of this key, as the notation compares keys.
    pub(super) fn find(&self, key: &str) -> Option<usize> {
        self.index.get(&self.notation.fold(key)).copied()
    }

    /// Whether keys of this group exist.
    pub(super) fn has_group(&self, group: &str) -> bool {
        self.groups.contains(group)
    }

    pub(super) fn value(&self, position: usize) -> &Result<Vec<Chunk>, Fault> {
        &self.values[position]
    }

    /// The settings that a value mentions, whether or not they can be inserted there.
    pub(super) fn references(&self, position: usize) -> &[usize] {
        &self.references[position]
    }
}

/// A built-in value that is the same in all files.
pub(super) fn global(settings: &Settings, built_in: BuiltIn) -> Option<&str> {
    match built_in {
        BuiltIn::Tenant => settings.tenant.as_deref(),
        BuiltIn::Environment => settings.environment.as_deref(),
        BuiltIn::Filename | BuiltIn::PolicyFilename => None,
    }
}

fn mentioned(setting: &Setting, notation: Notation, index: &HashMap<String, usize>) -> Vec<usize> {
    if setting.semantics == Semantics::Plain {
        return Vec::new();
    }
    let mut found: Vec<usize> = placeholders(&setting.value, notation, false)
        .filter_map(|placeholder| match placeholder.kind {
            Kind::Key(key) if notation.built_in(key).is_none() => {
                index.get(&notation.fold(key)).copied()
            }
            _ => None,
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Splits a value at its placeholders, or says why one of them cannot stand there.
fn parts<'v>(
    settings: &'v Settings,
    position: usize,
    index: &HashMap<String, usize>,
) -> Result<Vec<Part<'v>>, Fault> {
    let notation = settings.notation;
    let setting = &settings.values[position];
    if let Some(illegal) = setting.value.chars().find(|c| !escape::is_legal(*c)) {
        return Err(Fault::Illegal(illegal));
    }
    if setting.value.len() > MAX_VALUE {
        return Err(Fault::Oversized);
    }
    if setting.semantics == Semantics::Plain {
        return match nested(&setting.value, notation, index) {
            Some(key) => Err(Fault::Nested(key)),
            None => Ok(vec![Part::Text(&setting.value)]),
        };
    }
    let mut parts = Vec::new();
    let mut end = 0;
    for placeholder in placeholders(&setting.value, notation, false) {
        parts.push(Part::Text(&setting.value[end..placeholder.range.start]));
        end = placeholder.range.end;
        let key = match placeholder.kind {
            Kind::Key(key) => key,
            Kind::Malformed(reason) => return Err(Fault::Malformed(reason)),
            Kind::Maybe(_) | Kind::SampleTenant | Kind::SampleName => {
                end = placeholder.range.start;
                continue;
            }
        };
        let ordered = setting.semantics == Semantics::Ordered;
        if let Some(built_in) = notation.built_in(key) {
            if ordered {
                return Err(Fault::BuiltIn(built_in));
            }
            let differs_by_file = matches!(built_in, BuiltIn::Filename | BuiltIn::PolicyFilename);
            if !differs_by_file {
                let value = global(settings, built_in);
                let value = value.ok_or_else(|| Fault::Undefined(key.to_owned()))?;
                if let Some(illegal) = value.chars().find(|c| !escape::is_legal(*c)) {
                    return Err(Fault::Illegal(illegal));
                }
            }
            parts.push(Part::BuiltIn(built_in));
            continue;
        }
        let Some(&other) = index.get(&notation.fold(key)) else {
            return Err(Fault::Undefined(key.to_owned()));
        };
        let both_ordered = ordered && settings.values[other].semantics == Semantics::Ordered;
        if both_ordered && other < position {
            return Err(Fault::Earlier(other));
        }
        parts.push(Part::Setting(other));
    }
    parts.push(Part::Text(&setting.value[end..]));
    Ok(parts)
}

/// The key of a placeholder in a value in which none is replaced.
fn nested(value: &str, notation: Notation, index: &HashMap<String, usize>) -> Option<String> {
    placeholders(value, notation, false).find_map(|placeholder| match placeholder.kind {
        // The words that IEFPolicies replaces everywhere are replaced before all keys.
        Kind::Key(_) if notation == Notation::Braces => None,
        Kind::Key(key) => Some(key.to_owned()),
        Kind::Maybe(key) => index.contains_key(key).then(|| key.to_owned()),
        Kind::Malformed(_) | Kind::SampleTenant | Kind::SampleName => None,
    })
}

/// Marks every member of every cycle. Values that have a fault of their own are on no cycle.
fn mark_cycles(
    references: &[Vec<usize>],
    parts: &[Result<Vec<Part<'_>>, Fault>],
    values: &mut [Option<Result<Vec<Chunk>, Fault>>],
) {
    let mut graph = petgraph::graph::DiGraph::<usize, ()>::new();
    let nodes: Vec<_> = (0..parts.len())
        .map(|position| graph.add_node(position))
        .collect();
    for (position, targets) in references.iter().enumerate() {
        if parts[position].is_ok() {
            for &target in targets {
                graph.add_edge(nodes[position], nodes[target], ());
            }
        }
    }
    for component in petgraph::algo::kosaraju_scc(&graph) {
        let mut members: Vec<usize> = component.iter().map(|node| graph[*node]).collect();
        members.sort_unstable();
        let refers_to_itself = members
            .iter()
            .any(|member| graph.contains_edge(nodes[*member], nodes[*member]));
        if members.len() > 1 || refers_to_itself {
            for &member in &members {
                values[member] = Some(Err(Fault::Cycle(members.clone())));
            }
        }
    }
}

/// All positions, each behind the ones to which it refers (cycles aside). Without recursion, because
/// a chain of references may be as long as the file.
fn order(references: &[Vec<usize>]) -> Vec<usize> {
    let mut done = vec![false; references.len()];
    let mut order = Vec::with_capacity(references.len());
    for start in 0..references.len() {
        let mut stack = vec![(start, 0)];
        while let Some((position, next)) = stack.pop() {
            if next == 0 && std::mem::replace(&mut done[position], true) {
                continue;
            }
            match references[position].get(next) {
                Some(&target) => {
                    stack.push((position, next + 1));
                    stack.push((target, 0));
                }
                None => order.push(position),
            }
        }
    }
    order
}

fn join(
    settings: &Settings,
    position: usize,
    parts: &Result<Vec<Part<'_>>, Fault>,
    values: &[Option<Result<Vec<Chunk>, Fault>>],
    total: &mut usize,
) -> Result<Vec<Chunk>, Fault> {
    let parts = parts.as_ref().map_err(Clone::clone)?;
    let setting = &settings.values[position];
    let is_xml = match setting.semantics {
        Semantics::Recursive => false,
        Semantics::Markup => true,
        Semantics::Ordered | Semantics::Plain => escape::contains_reference(&setting.value),
    };
    let mut chunks = Vec::new();
    let mut length = 0;
    for part in parts {
        let before = chunks.len();
        match part {
            Part::Text(text) => push(&mut chunks, text, is_xml),
            Part::BuiltIn(built_in) => match global(settings, *built_in) {
                Some(value) => push(&mut chunks, value, false),
                None => chunks.push(Chunk::FileName(*built_in)),
            },
            Part::Setting(other) => match &values[*other] {
                Some(Ok(value)) => chunks.extend_from_slice(value),
                _ => return Err(Fault::Inherited),
            },
        }
        length += chunks[before..].iter().map(Chunk::length).sum::<usize>();
        if length > MAX_VALUE || *total + length > MAX_TOTAL {
            return Err(Fault::Oversized);
        }
    }
    *total += length;
    Ok(chunks)
}

fn push(chunks: &mut Vec<Chunk>, text: &str, is_xml: bool) {
    if !text.is_empty() {
        chunks.push(Chunk::Text {
            text: text.to_owned(),
            is_xml,
        });
    }
}

impl Chunk {
    fn length(&self) -> usize {
        match self {
            Self::Text { text, .. } => text.len(),
            // As long as file names get on common file systems.
            Self::FileName(_) => 255,
        }
    }

    /// The chunk for a file whose name without extension is `stem`.
    pub(super) fn fragment<'v>(&'v self, stem: &'v FileStem) -> Fragment<'v> {
        match self {
            Self::Text { text, is_xml } => Fragment {
                text,
                is_xml: *is_xml,
            },
            Self::FileName(built_in) => Fragment {
                text: stem.value(*built_in),
                is_xml: false,
            },
        }
    }
}

/// The built-in settings that depend on the name of the file.
#[derive(Debug)]
pub(super) struct FileStem {
    file_name: String,
    policy_file_name: String,
}

impl FileStem {
    /// From a path with forward slashes.
    pub(super) fn new(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let stem = match name.rsplit_once('.') {
            Some((stem, extension)) if !extension.is_empty() => stem,
            _ => name,
        };
        Self {
            file_name: stem.to_owned(),
            // The VS Code extension removes this spelling only.
            policy_file_name: stem.replace("B2C_1A_", ""),
        }
    }

    pub(super) fn value(&self, built_in: BuiltIn) -> &str {
        match built_in {
            BuiltIn::PolicyFilename => &self.policy_file_name,
            _ => &self.file_name,
        }
    }
}
