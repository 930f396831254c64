//! Valid sets, broken at one place at a time: every break must be found, by the rule and on the line
//! that its kind names.
//!
//! What can be broken is looked for with another XML parser and a resolver of its own (`model.rs`), so
//! that what the rules overlook is not overlooked here too. Of each kind a bounded number is tried,
//! spread evenly over all sets.

mod engine;
mod flow;
mod journeys;
mod model;
mod preconditions;
mod references;
mod transformations;
mod values;

use std::collections::BTreeMap;

use engine::{Mutant, Tally};
use model::{Model, PolicyFiles};

/// How many mutants of one kind are tried.
const OF_A_KIND: usize = 40;

/// Everything that can be broken in a set.
type Generator = fn(&Model<'_>, &mut Vec<Mutant>);

const GENERATORS: &[Generator] = &[
    references::breaks,
    values::breaks,
    transformations::breaks,
    journeys::breaks,
    preconditions::breaks,
    flow::breaks,
];

/// Kinds of breaks that are several mistakes: what else finds one of them, and why.
const SEVERAL: &[(&str, &str, &str)] = &[
    (
        "claims exchange twice",
        "selection-target",
        "the exchange that the selection names has lost its id",
    ),
    (
        "claims exchange twice",
        "signuptarget-missing",
        "the exchange that the link names has lost its id",
    ),
    (
        "input type",
        "ct-input-unavailable",
        "nothing yields the claim that takes the other one's place",
    ),
    (
        "required claim added",
        "aad-one-inputclaim",
        "a directory profile takes one input claim, and this is a second one",
    ),
    (
        "required claim that nothing yields",
        "aad-one-inputclaim",
        "a claim that overrides an inherited one is a second one under another name",
    ),
    (
        "required claim that nothing yields",
        "aad-key-not-persisted",
        "the directory profile writes the account by another key than it reads it",
    ),
    (
        "shorter journey of an inherited id",
        "journey-multi-exchange",
        "the first step has an exchange of the base too",
    ),
];

/// The kinds of breaks. A kind that no set has is no proof of anything.
const KINDS: usize = 115;

#[test]
fn what_is_broken_is_found_on_its_line() {
    let Some(corpus) = super::files::corpus() else {
        return;
    };
    let sets = PolicyFiles::all(&corpus);
    let mut by_kind: BTreeMap<&str, Vec<(usize, Mutant)>> = BTreeMap::new();
    for (number, set) in sets.iter().enumerate() {
        let model = Model::new(set);
        let mut mutants = Vec::new();
        for generator in GENERATORS {
            generator(&model, &mut mutants);
        }
        for mutant in mutants {
            let kind = by_kind.entry(mutant.kind).or_default();
            kind.push((number, mutant));
        }
    }
    let mut of_set: Vec<Vec<Mutant>> = sets.iter().map(|_| Vec::new()).collect();
    for mutants in by_kind.into_values() {
        for (number, mutant) in spread(mutants, OF_A_KIND) {
            of_set[number].push(mutant);
        }
    }
    let mut tally = Tally::default();
    for (set, mutants) in sets.iter().zip(&of_set) {
        engine::run(set, mutants, &mut tally);
    }
    println!("{} sets", sets.len());
    tally.print();
    assert_eq!(tally.misses(), Vec::<String>::new());
    assert_eq!(tally.doubles(SEVERAL), Vec::<String>::new());
    assert_eq!(tally.kinds(), KINDS);
}

/// At most so many of the items, evenly spread.
fn spread<T>(items: Vec<T>, most: usize) -> impl Iterator<Item = T> {
    let count = items.len();
    let chosen =
        move |index: usize| count <= most || (index * most / count) != ((index + 1) * most / count);
    items
        .into_iter()
        .enumerate()
        .filter(move |(index, _)| chosen(*index))
        .map(|(_, item)| item)
}
