//! What the views of a set share: a policy is judged alike, whoever was judged before it.

use std::rc::Rc;

use iefctl::policy::{PolicyIndex, PolicySet, Views};
use iefctl::rules;

use crate::files::{check, corpus, packs, samples};

#[test]
fn a_policy_is_judged_alike_alone_and_after_others() {
    let Some(corpus) = corpus() else {
        return;
    };
    let packs = packs(&corpus);
    let own = packs.iter().map(|pack| (pack.clone(), None));
    let samples = samples(&corpus).into_iter();
    let with_bases = samples.map(|sample| (sample, Some(packs[0].as_path())));
    let mut policies = 0;
    let mut findings = 0;
    for (folder, bases) in own.chain(with_bases) {
        let set = check(&folder, bases).set;
        let indices: Vec<PolicyIndex> = set.iter().map(|(index, _)| index).collect();
        let judged = |views: &Views<'_>, index: PolicyIndex| {
            let found = rules::check(&views.of(index));
            found.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>()
        };
        let alone = |index| judged(&set.views(), index);
        let apart: Vec<_> = indices.iter().map(|&index| alone(index)).collect();
        let (upwards, downwards) = (set.views(), set.views());
        let first_to_last = indices.iter().map(|&index| judged(&upwards, index));
        assert!(first_to_last.eq(apart.iter().cloned()), "{folder:?}");
        let last_to_first = indices.iter().rev().map(|&index| judged(&downwards, index));
        assert!(last_to_first.eq(apart.iter().rev().cloned()), "{folder:?}");
        policies += indices.len();
        findings += apart.iter().map(Vec::len).sum::<usize>();
        assert_shared(&set, &indices);
    }
    println!("{policies} policies with {findings} findings, each judged three times");
    assert!(policies > 400 && findings > 300);
}

/// Views share what they should: where the same elements contribute, there is one merged profile.
fn assert_shared(set: &PolicySet, indices: &[PolicyIndex]) {
    let views = set.views();
    let views: Vec<_> = indices.iter().map(|&index| views.of(index)).collect();
    let merged = views
        .iter()
        .filter_map(|view| view.technical_profile("AAD-Common"));
    let merged: Vec<_> = merged.collect();
    for (one, other) in merged.iter().zip(merged.iter().skip(1)) {
        let [a, b] = [one, other].map(|it| it.layers.iter().map(|site| site.element));
        assert_eq!(Rc::ptr_eq(one, other), a.eq(b));
    }
}
