//! Two mistakes in one set: each must still be found beside the other.
//!
//! What follows from a mistake is withheld (`rules/same_mistake.rs`), and that is where another mistake
//! could be lost. So every kind of break is put together with every other one, in the smallest set that
//! has both: as near to each other as they come, where one may explain the other, and as far apart,
//! where it may not.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use iefctl::rules;

use super::engine::{self, Checked, Mutant};
use super::model::PolicyFiles;

/// How far the two mutants of a pair are from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Distance {
    Near,
    Far,
}

/// The mutants of a set by kind, in the order of their places.
pub(crate) type ByKind = BTreeMap<&'static str, Vec<Mutant>>;

/// How many pairs were validated, and what went wrong.
#[derive(Default)]
pub(crate) struct Pairs {
    pub(crate) kinds: usize,
    pub(crate) tried: usize,
    pub(crate) hidden: usize,
    /// What is hidden and is not in [`HIDES`], or by what shows less than it hides.
    pub(crate) lost: Vec<String>,
    /// What [`HIDES`] names and was hidden: break and rule.
    used: BTreeSet<(&'static str, &'static str)>,
}

impl Pairs {
    /// What [`HIDES`] names although nothing hides it.
    pub(crate) fn in_vain(&self) -> Vec<String> {
        let rows = HIDES.iter().filter_map(|(kinds, rules, _)| {
            let is_idle = |kind: &str| !rules.iter().any(|rule| self.used.contains(&(kind, *rule)));
            let is_unheard =
                |rule: &str| !kinds.iter().any(|kind| self.used.contains(&(*kind, rule)));
            let idle: Vec<_> = (kinds.iter().filter(|kind| is_idle(kind)))
                .chain(rules.iter().filter(|rule| is_unheard(rule)))
                .collect();
            (!idle.is_empty()).then(|| format!("{idle:?}"))
        });
        rows.collect()
    }
}

/// Validates one in so many of all pairs; `sets` begin with the smallest.
pub(crate) fn run(sets: &[(&PolicyFiles, ByKind)], one_in: usize) -> Pairs {
    let mut pairs = Pairs::default();
    let kinds: BTreeSet<&str> = (sets.iter())
        .flat_map(|(_, mutants)| mutants.keys().copied())
        .collect();
    pairs.kinds = kinds.len();
    let mut of_set: Vec<Vec<Vec<&Mutant>>> = sets.iter().map(|_| Vec::new()).collect();
    let mut count = 0;
    for one in &kinds {
        for other in kinds.range::<str, _>((Excluded(*one), Unbounded)) {
            for distance in [Distance::Near, Distance::Far] {
                count += 1;
                if count % one_in != 0 || CANCEL.contains(&(one, other)) {
                    continue;
                }
                let found = sets.iter().enumerate().find_map(|(number, (_, mutants))| {
                    let pair = choose(mutants.get(one)?, mutants.get(other)?, distance)?;
                    Some((number, pair))
                });
                if let Some((number, pair)) = found {
                    of_set[number].push(pair);
                }
            }
        }
    }
    for ((set, _), groups) in sets.iter().zip(of_set) {
        engine::validate(set, &groups, &mut |group, checked| {
            // One finding for both cannot be told from two.
            if !checked.is_same(group[0], group[1]) {
                pairs.tried += 1;
                pairs.judge(group, checked);
            }
        });
    }
    pairs
}

impl Pairs {
    fn judge(&mut self, group: &[&Mutant], checked: &Checked<'_>) {
        for (number, other) in [(0, 1), (1, 0)] {
            let (mutant, beside) = (group[number], group[other]);
            if checked.found(number, mutant).is_some() {
                continue;
            }
            self.hidden += 1;
            self.used.insert((beside.kind, mutant.rule));
            let is_known = HIDES.iter().any(|(kinds, hidden, _)| {
                kinds.contains(&beside.kind) && hidden.contains(&mutant.rule)
            });
            let level = rules::find(mutant.rule).map(|rule| rule.level);
            let shown = checked.found(other, beside);
            let is_outweighed = shown.is_some_and(|shown| {
                Some(shown.level) >= level || UNHEARD_OF.contains(&beside.kind)
            });
            if !is_known || !is_outweighed {
                self.lost.push(format!(
                    "`{}` ({} of {}) beside `{}` ({}): {:?}",
                    mutant.kind,
                    mutant.rule,
                    checked.place(number),
                    beside.kind,
                    checked.place(other),
                    checked.others(None)
                ));
            }
        }
    }
}

/// Two mutants of these kinds that can be done together.
fn choose<'m>(
    ones: &'m [Mutant],
    others: &'m [Mutant],
    distance: Distance,
) -> Option<Vec<&'m Mutant>> {
    let apart = |one: &Mutant, other: &Mutant| {
        let [(file, start), (other_file, other_start)] = [one.place(), other.place()];
        match file == other_file {
            true => start.abs_diff(other_start),
            false => usize::MAX,
        }
    };
    let pairs = ones.iter().flat_map(|one| {
        // Those around it, and the first and the last.
        let near = others.partition_point(|other| other.place() < one.place());
        let around = near.saturating_sub(3)..(near + 3).min(others.len());
        let ends = [0, others.len() - 1].into_iter();
        around.chain(ends).map(move |other| (one, &others[other]))
    });
    let pairs = pairs.filter(|(one, other)| one.goes_with(other));
    let chosen = match distance {
        Distance::Near => pairs.min_by_key(|(one, other)| apart(one, other)),
        Distance::Far => pairs.max_by_key(|(one, other)| apart(one, other)),
    };
    chosen.map(|(one, other)| vec![one, other])
}

/// Breaks beside which others are not found, the rules of those, and why.
type Hides = (
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

/// Every one of these shows an error, or at least as much as it hides; what it hides is told once it is
/// corrected.
const HIDES: &[Hides] = &[
    (
        &["base policy"],
        &[
            "ct-localized-string-missing",
            "ct-mapped-value-no-restriction",
            "flow-required-input",
            "flow-rp-output",
            "journey-no-sendclaims",
            "journey-tail-inherited",
            "precondition-never",
            "ref-claimtype",
            "ref-localization-element",
            "ref-localizedresources",
            "ref-metadata-claim",
            "ref-refresh-journey",
            "ref-technicalprofile",
            "ref-userjourney",
            "resolver-claim-missing",
            "rest-bearer-source",
            "rest-url-placeholder",
            "rp-no-journey",
            "rp-protocol-issuer",
            "sa-output-no-source",
            "sendclaims-issuer",
            "sso-handler",
            "subject-naming",
            "tp-handler-unknown",
            "tp-metadata-invalid",
            "tp-metadata-required",
        ],
        "the base that is not known may have what is missed",
    ),
    (
        &["default user journey", "relying party without journey"],
        &[
            "ct-localized-string-missing",
            "flow-required-input",
            "flow-rp-output",
            "journey-no-sendclaims",
            "precondition-never",
            "rest-url-placeholder",
            "rp-protocol-issuer",
            "sa-output-no-source",
            "sendclaims-issuer",
            "sso-handler",
            "tp-handler-unknown",
            "tp-metadata-invalid",
            "tp-metadata-required",
        ],
        "nobody knows what the relying party runs, and what nothing runs need not be whole",
    ),
    (
        &[
            "claims exchange twice",
            "gap in a sub journey",
            "number of a step twice",
            "number of the last step too high",
            "step 0",
            "step in the middle left out",
            "step of a negative number",
            "unknown type of step",
        ],
        &[
            "ct-localized-string-missing",
            "exchange-unreachable",
            "flow-rp-output",
            "getclaims-first",
            "invoke-no-candidate",
            "journey-multi-exchange",
            "journey-no-sendclaims",
            "journey-order-gap",
            "precondition-never",
            "rest-url-placeholder",
            "selection-content-definition",
            "selection-next-not-exchange",
            "selection-target",
            "sendclaims-issuer",
            "sendclaims-not-last",
            "signuptarget-missing",
            "step-no-exchange",
            "step-no-selection",
            "tp-metadata-invalid",
            "tp-metadata-required",
        ],
        "which step stands before which is not known, or a step that runs something is not there",
    ),
    (
        &["misspelt list of metadata"],
        &[
            "ref-contentdefinition-metadata",
            "ref-metadata-claim",
            "ref-refresh-journey",
            "rest-bearer-source",
            "rest-url-placeholder",
            "signuptarget-missing",
            "tp-metadata-invalid",
            "tp-metadata-required",
        ],
        "the items of the list are not read",
    ),
    (
        &[
            "boolean with a capital",
            "text among claims",
            "unknown attribute of a claims exchange",
            "unknown element among steps",
            "unknown element among technical profiles",
            "unknown element in a claims transformation",
            "unknown element in a relying party's profile",
            "unknown element in a step",
            "unknown element in a technical profile",
        ],
        &[
            "ct-input-mismatch",
            "ct-output-mismatch",
            "ct-parameter-mismatch",
            "displaycontrol-actions",
            "exchange-unreachable",
            "flow-required-input",
            "flow-rp-output",
            "invoke-no-candidate",
            "precondition-never",
            "rest-bearer-source",
            "rp-no-journey",
            "sa-output-no-source",
            "selection-content-definition",
            "selection-target",
            "signuptarget-missing",
            "step-no-exchange",
            "tp-metadata-required",
        ],
        "what the declaration seems to lack may be the part of it that the schema refuses",
    ),
    (
        &[
            "claims exchange",
            "included profile",
            "input claims transformation",
            "issuer of a step",
            "output claims transformation",
            "sub journey of a step",
            "validation technical profile",
        ],
        &[
            "flow-required-input",
            "flow-rp-output",
            "precondition-never",
            "sa-output-no-source",
            "signuptarget-missing",
            "sso-handler",
        ],
        "what is meant instead of the one that does not exist may yield what is missed, or be it",
    ),
    (
        &["claims exchange"],
        &[
            "ct-localized-string-missing",
            "rest-url-placeholder",
            "tp-metadata-invalid",
            "tp-metadata-required",
        ],
        "nothing else runs the profile, and what nothing runs need not be whole",
    ),
    (
        &[
            "display claim",
            "display control of a display claim",
            "input claim of a profile",
            "input claim of a relying party",
            "output claim of a display control",
            "output claim of a profile",
            "output claim of a transformation",
        ],
        &[
            "flow-required-input",
            "flow-rp-output",
            "precondition-never",
            "rest-url-placeholder",
        ],
        "the claim that is missed may be the one that is named wrongly",
    ),
    (
        &["step without claims exchange"],
        &["flow-rp-output", "precondition-never"],
        "the claims exchange that the step lacks may yield the claim",
    ),
    (
        &["handler"],
        &[
            "rest-url-placeholder",
            "tp-metadata-invalid",
            "tp-metadata-required",
        ],
        "what kind of profile it is, and so what it needs, is not known",
    ),
    (
        &["method of a claims transformation"],
        &["ct-input-mismatch", "ct-parameter-mismatch"],
        "what the transformation takes is not known",
    ),
    (
        &["claim of a precondition"],
        &["precondition-boolean-literal"],
        "the type of the claim that is compared is not known",
    ),
    (
        &["value too few"],
        &["precondition-never"],
        "the value that is missing is the claim",
    ),
    (
        &["no selection before a choice"],
        &[
            "exchange-unreachable",
            "selection-content-definition",
            "signuptarget-missing",
        ],
        "the step is of a type that shows no page",
    ),
    (
        &[
            "SignUpTarget",
            "no claims exchange after a selection",
            "selection of nothing",
            "setting.forgotPasswordLinkOverride",
            "target of a selection",
        ],
        &["exchange-unreachable"],
        "what leads nowhere may be meant to lead to the claims exchange",
    ),
];

/// Breaks that are warnings only, as the service may have learned what is not known here, and beside
/// which nobody knows what is needed.
const UNHEARD_OF: &[&str] = &["handler", "method of a claims transformation"];

/// Breaks that are none together.
const CANCEL: &[(&str, &str)] = &[
    // One value less and one more.
    ("value too few", "value too many"),
    // No selection, and no claims exchange that would need one.
    (
        "no claims exchange after a selection",
        "no selection before a choice",
    ),
];
