//! Valid sets, broken at one place at a time: every break must be found, by the rule and on the line
//! that its kind names, and nothing else may be found that is not found in the sound set, hints
//! included: one mistake gives one finding.
//!
//! What can be broken is looked for with another XML parser and a resolver of its own (`model.rs`), so
//! that what the rules overlook is not overlooked here too. Of each kind a bounded number is tried,
//! spread evenly over all sets.

mod engine;
mod flow;
mod grammar;
mod journeys;
mod model;
mod pairs;
mod preconditions;
mod references;
mod transformations;
mod values;

use std::collections::BTreeMap;

use engine::{Mutant, Tally};
use model::{Model, PolicyFiles};

/// One in so many pairs of kinds is tried.
const ONE_PAIR_IN: usize = 7;

/// How many mutants of one kind are tried.
const OF_A_KIND: usize = 25;

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

/// Kinds of breaks that are several mistakes, or one that shows in several places: what else finds
/// them, and why.
const SEVERAL: &[(&str, &str, &str)] = &[
    (
        "base policy",
        "sec-script-allow",
        "says which hosts serve the pages, and now nobody knows",
    ),
    (
        "input type",
        "ct-input-unavailable",
        "nothing yields the claim that takes the other one's place",
    ),
    (
        "input validation",
        "deprecated-element",
        "the break adds a reference of a kind that is deprecated",
    ),
    (
        "no sub journey to invoke",
        "unused-subjourney",
        "the sub journey that the break adds is invoked by nothing",
    ),
    (
        "output type",
        "ct-input-unavailable",
        "nothing yields the claim whose place another one takes",
    ),
    (
        "output type",
        "flow-required-input",
        "nothing yields the claim whose place another one takes",
    ),
    (
        "required claim added",
        "aad-one-inputclaim",
        "a directory profile takes one input claim, and this is a second one",
    ),
    (
        "required claim added",
        "flow-required-input",
        "fails in every step that runs the profile, and the cure may be in each of them",
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
        "required claim that nothing yields",
        "flow-required-input",
        "fails in every step that runs the profile, and the cure may be in each of them",
    ),
    (
        "required metadata item",
        "tp-metadata-required",
        "every profile that includes this one lacks the item, and the tenant names each",
    ),
    (
        "selection without a page",
        "unused-contentdefinition",
        "no other step shows the page",
    ),
    (
        "session management by another profile",
        "precondition-never",
        "the profile that is not used any more has restored the claim",
    ),
    (
        "session management by another profile",
        "unused-technicalprofile",
        "nothing else uses the profile",
    ),
    (
        "shorter journey of an inherited id",
        "journey-multi-exchange",
        "the first step has an exchange of the base too",
    ),
    (
        "shorter journey of an inherited id",
        "vtp-output-not-bubbled",
        "other steps come before those of the base",
    ),
    (
        "step in the middle left out",
        "unused-technicalprofile",
        "no other step runs the profile",
    ),
];

/// The kinds of breaks. A kind that no set has is no proof of anything.
const KINDS: usize = 120;

/// Those of what the schema refuses.
const KINDS_OF_GRAMMAR: usize = 12;

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
    assert_eq!(tally.in_vain(SEVERAL), Vec::<String>::new());
    assert_eq!(tally.kinds(), KINDS);
}

#[test]
fn what_is_broken_is_found_beside_another_break() {
    let Some(corpus) = super::files::corpus() else {
        return;
    };
    let sets = PolicyFiles::all(&corpus);
    let mut by_size: Vec<&PolicyFiles> = sets.iter().collect();
    by_size.sort_by_key(|set| set.files.iter().map(|(_, text)| text.len()).sum::<usize>());
    let of_set = by_size.into_iter().map(|set| {
        let model = Model::new(set);
        let mut mutants = Vec::new();
        for generator in GENERATORS {
            generator(&model, &mut mutants);
        }
        grammar::breaks(&model, &mut mutants);
        mutants.sort_by_key(Mutant::place);
        let mut by_kind = pairs::ByKind::new();
        for mutant in mutants {
            by_kind.entry(mutant.kind).or_default().push(mutant);
        }
        (set, by_kind)
    });
    let of_set: Vec<_> = of_set.collect();
    // All of them take some minutes.
    let all = std::env::var_os("IEFCTL_ALL_PAIRS").is_some();
    let pairs = pairs::run(&of_set, if all { 1 } else { ONE_PAIR_IN });
    println!(
        "{} kinds, {} pairs of mutants, {} of these hidden for a reason",
        pairs.kinds,
        pairs.tried,
        pairs.hidden - pairs.lost.len()
    );
    assert_eq!(pairs.lost, Vec::<String>::new());
    assert_eq!(pairs.kinds, KINDS + KINDS_OF_GRAMMAR);
    assert!(pairs.tried > 2000, "{} pairs prove little", pairs.tried);
    if all {
        assert_eq!(pairs.in_vain(), Vec::<String>::new());
    }
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
