//! Which orchestration step of the new version is which of the old one. Steps have numbers and no ids,
//! and whoever inserts one changes the numbers of all that follow: what a step does says which it is.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::xml::{Element, Significance, canonical};

/// More pairs than this are not weighed; steps then are the same if they have the same number.
const MOST_PAIRS: usize = 40_000;

/// A step of the old and one of the new version that are the same step, or one of them alone.
pub(super) type Pair<'d> = (Option<Element<'d>>, Option<Element<'d>>);

/// What two versions of a journey have in common.
pub(super) struct Paired<'d> {
    /// The steps in the order in which the new version runs them; a removed one stands where it was.
    pub(super) pairs: Vec<Pair<'d>>,
    /// Whether those of both versions stand in the same order in the text, which says nothing of the
    /// order in which they run.
    pub(super) stand_alike: bool,
}

/// Pairs the steps of two versions of a journey.
pub(super) fn pairs<'d>(old: Element<'d>, new: Element<'d>) -> Option<Paired<'d>> {
    let (old, new) = (by_number(old), by_number(new));
    if old.len() * new.len() > MOST_PAIRS {
        return None;
    }
    // The best weight of what is left from a pair of positions on.
    let mut best = vec![vec![0u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let skipped = best[i + 1][j].max(best[i][j + 1]);
            best[i][j] = match old[i].likeness(&new[j]) {
                0 => skipped,
                likeness => skipped.max(likeness + best[i + 1][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    let mut places = Vec::new();
    while i < old.len() || j < new.len() {
        let pairable = i < old.len() && j < new.len();
        let likeness = match pairable {
            true => old[i].likeness(&new[j]),
            false => 0,
        };
        if likeness > 0 && best[i][j] == likeness + best[i + 1][j + 1] {
            pairs.push((Some(old[i].element), Some(new[j].element)));
            places.push((new[j].place, old[i].place));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || best[i][j] == best[i + 1][j]) {
            pairs.push((Some(old[i].element), None));
            i += 1;
        } else {
            pairs.push((None, Some(new[j].element)));
            j += 1;
        }
    }
    places.sort_unstable();
    let stand_alike = places.is_sorted_by_key(|&(_, old)| old);
    Some(Paired { pairs, stand_alike })
}

/// The steps in the order in which they run; those without a number come last, as they stand.
fn by_number(list: Element<'_>) -> Vec<Step<'_>> {
    let steps = list.children().enumerate();
    let mut steps: Vec<_> = steps
        .map(|(place, element)| Step::read(element, place))
        .collect();
    steps.sort_by_key(|step| number(step.order).map_or((1, 0), |number| (0, number)));
    steps
}

fn number(order: &str) -> Option<u64> {
    order.trim().parse().ok()
}

/// Joins the numbers of steps that follow each other before and after: `2 to 4` and `3 to 5`.
pub(super) fn runs(moved: &[(String, String)]) -> Vec<(String, String)> {
    let follows = |last: &(String, String), next: &(String, String)| {
        let follows = |last: &str, next: &str| {
            number(last).is_some_and(|last| number(next) == last.checked_add(1))
        };
        follows(&last.0, &next.0) && follows(&last.1, &next.1)
    };
    let runs = moved.chunk_by(follows);
    let runs = runs.filter_map(|run| Some((run.first()?, run.last()?)));
    let span = |first: &str, last: &str| match first == last {
        true => first.to_owned(),
        false => format!("{first} to {last}"),
    };
    runs.map(|(first, last)| (span(&first.0, &last.0), span(&first.1, &last.1)))
        .collect()
}

/// What a step does, in a few words: its type, and the exchanges with their technical profiles.
pub(super) fn summary(step: Element<'_>) -> Option<String> {
    let mut words: Vec<String> = step
        .attribute_value("Type")
        .map(str::to_owned)
        .into_iter()
        .collect();
    words.extend(exchanges(step).map(|exchange| {
        let id = exchange.attribute_value("Id").unwrap_or_default();
        match exchange.attribute_value("TechnicalProfileReferenceId") {
            Some(profile) => format!("{id} → {profile}"),
            None => id.to_owned(),
        }
    }));
    (!words.is_empty()).then(|| words.join(", "))
}

fn exchanges<'d>(step: Element<'d>) -> impl Iterator<Item = Element<'d>> {
    let lists = step
        .children()
        .filter(|child| child.name() == "ClaimsExchanges");
    lists.flat_map(Element::children)
}

struct ButItsNumber;

impl Significance for ButItsNumber {
    fn attribute<'v>(
        &self,
        element: Element<'_>,
        name: &str,
        value: &'v str,
    ) -> Option<Cow<'v, str>> {
        let is_number = name == "Order" && element.name() == "OrchestrationStep";
        (!is_number).then_some(Cow::Borrowed(value))
    }

    fn text<'v>(&self, _: Element<'_>, text: &'v str) -> Cow<'v, str> {
        Cow::Borrowed(text)
    }
}

struct Step<'d> {
    element: Element<'d>,
    /// Its position in the text.
    place: usize,
    order: &'d str,
    kind: &'d str,
    exchanges: HashSet<String>,
    /// Everything but the number.
    content: String,
}

impl<'d> Step<'d> {
    fn read(element: Element<'d>, place: usize) -> Self {
        let ids = exchanges(element).filter_map(|exchange| exchange.attribute_value("Id"));
        Self {
            element,
            place,
            order: element.attribute_value("Order").unwrap_or_default(),
            kind: element.attribute_value("Type").unwrap_or_default(),
            exchanges: ids.map(super::super::fold).collect(),
            content: canonical(element, &ButItsNumber),
        }
    }

    /// How much speaks for it being the same step; 0 where nothing does.
    fn likeness(&self, other: &Self) -> u32 {
        if self.content == other.content {
            // More than any number of doubtful pairs.
            return 10_000;
        }
        let of_a_kind = u32::from(self.kind == other.kind);
        let numbered_alike = u32::from(self.order == other.order);
        if self
            .exchanges
            .intersection(&other.exchanges)
            .next()
            .is_some()
        {
            return 4 + of_a_kind + numbered_alike;
        }
        // A step without exchanges, or with others: what there is one of, as a rule, is the same one.
        let bare = self.exchanges.is_empty() && other.exchanges.is_empty();
        if of_a_kind == 1 && (bare || numbered_alike == 1) {
            return 2 + numbered_alike;
        }
        0
    }
}
