use std::cell::{Cell, OnceCell};

use super::edit_distance::{MOST, Word};

/// The known name that someone most likely meant: equal but for letter case and white space around it,
/// or close enough that a slip of the keyboard explains it. Of several equally close names the first.
pub fn near_miss<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let meant = Meant::by(written);
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        if meant.excludes(name) || differ(meant.letters, letters(name), meant.allowed) {
            continue;
        }
        let farthest = best.map_or(Some(meant.allowed), |(nearest, _)| nearest.checked_sub(1));
        let Some(farthest) = farthest else { break };
        if let Some(distance) = Word::new(&meant.folded, farthest).distance_to(&fold(name)) {
            best = Some((distance, name));
        }
    }
    Some(best?.1)
}

/// The known name that must have been meant: the only one that a single slip of the keyboard explains
/// (one letter too many, too few, wrong, or two swapped). Names that differ in a digit or in a plural
/// `s` are different names, not slips, and short names have too many neighbours; then nobody can tell.
fn only_slip<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = fold(written);
    if is_too_short(&folded) {
        return None;
    }
    let word = Word::new(&folded, 1);
    let mut near = known.into_iter().filter(|name| {
        !is_of_other_length(name, written) && word.distance_to(&fold(name)).is_some()
    });
    let meant = near.next()?;
    (near.next().is_none() && !is_other_name(&folded, &fold(meant))).then_some(meant)
}

/// Whether two words are no more than so many slips apart, without regard to case.
pub fn is_within_slips(slips: usize, one: &str, other: &str) -> bool {
    Word::new(&fold(one), slips)
        .distance_to(&fold(other))
        .is_some()
}

/// Names among which those that were meant are looked for. Where that happens often, looking through all
/// of them each time would take quadratic time; so they are sorted then.
#[derive(Debug, Clone, Default)]
pub struct KnownNames<'k> {
    names: Vec<&'k str>,
    questions: Cell<usize>,
    sorted: OnceCell<Sorted>,
}

impl<'k> KnownNames<'k> {
    /// As many questions are answered before the names are sorted.
    const FEW: usize = 8;
    /// As many are answered at all. Names can be made that are all near each other; who asks oftener than
    /// this did not slip.
    const MOST: usize = 1_000;

    /// Names in their order.
    pub const fn new(names: Vec<&'k str>) -> Self {
        Self {
            names,
            questions: Cell::new(0),
            sorted: OnceCell::new(),
        }
    }

    /// The names in the order in which they were given.
    pub fn as_slice(&self) -> &[&'k str] {
        &self.names
    }

    /// The one that was most likely meant: what [`near_miss`] says of these names, for the first thousand
    /// questions.
    pub fn near_miss(&self, written: &str) -> Option<&'k str> {
        if !self.answers() {
            return None;
        }
        let Some(sorted) = self.sorted() else {
            return near_miss(written, self.names.iter().copied());
        };
        let meant = Meant::by(written);
        // Few slips are soon looked for, and those who find something need not look farther.
        (0..=meant.allowed).find_map(|slips| {
            let mut first = None;
            sorted.search(&meant.folded, meant.letters, slips, |place| {
                if !meant.excludes(self.names[place]) && first.is_none_or(|first| place < first) {
                    first = Some(place);
                }
            });
            first.map(|place| self.names[place])
        })
    }

    /// The one that must have been meant, because no other is a single slip away; for the first thousand
    /// questions.
    pub fn only_slip(&self, written: &str) -> Option<&'k str> {
        if !self.answers() {
            return None;
        }
        let Some(sorted) = self.sorted() else {
            return only_slip(written, self.names.iter().copied());
        };
        let folded = fold(written);
        let mut near = Vec::new();
        sorted.search(&folded, letters(written), 1, |place| {
            near.push(self.names[place])
        });
        // What is said of several names does not depend on their order.
        only_slip(written, near)
    }

    /// Counts a question; whether it is answered.
    fn answers(&self) -> bool {
        let before = self.questions.get();
        self.questions.set(before + 1);
        before < Self::MOST
    }

    fn sorted(&self) -> Option<&Sorted> {
        (self.questions.get() > Self::FEW)
            .then(|| self.sorted.get_or_init(|| Sorted::new(&self.names)))
    }
}

/// Names as they are compared: the short before the long, and those of one length in alphabetical order.
#[derive(Debug, Clone)]
struct Sorted(Vec<Name>);

#[derive(Debug, Clone)]
struct Name {
    folded: Vec<char>,
    letters: Option<u64>,
    /// Its place among those that were given.
    place: usize,
}

impl Sorted {
    fn new(names: &[&str]) -> Self {
        let names = names.iter().enumerate().map(|(place, name)| Name {
            folded: fold(name),
            letters: letters(name),
            place,
        });
        let mut names: Vec<_> = names.collect();
        names.sort_by(|one, other| {
            let lengths = one.folded.len().cmp(&other.folded.len());
            lengths.then_with(|| one.folded.cmp(&other.folded))
        });
        Self(names)
    }

    /// Hands out the places of all names within so many slips of a word.
    fn search(
        &self,
        folded: &[char],
        letters: Option<u64>,
        slips: usize,
        mut take: impl FnMut(usize),
    ) {
        let word = Word::new(folded, slips);
        let is_far = |name: &Name| differ(letters, name.letters, slips);
        for length in word.lengths() {
            let from = self.0.partition_point(|name| name.folded.len() < length);
            let rest = &self.0[from..];
            let end = rest.partition_point(|name| name.folded.len() == length);
            search_alphabet(&rest[..end], word, is_far, &mut take);
        }
    }
}

/// The same among names of one length in alphabetical order. What they begin with in common is compared
/// once, and those whose beginning is too far away are passed over together.
fn search_alphabet(
    names: &[Name],
    word: Word<'_>,
    is_far: impl Fn(&Name) -> bool,
    take: &mut impl FnMut(usize),
) {
    let mut rows = vec![word.first()];
    let mut before: &[char] = &[];
    let (mut index, mut passed) = (0, 0_usize);
    while let Some(candidate) = names.get(index) {
        // Most names that are too far away are passed over by their letters. Of every few, one row is made
        // all the same: these together show that nothing that begins like this is near.
        let far = is_far(candidate);
        passed += usize::from(far);
        if far && !passed.is_multiple_of(16) {
            index += 1;
            continue;
        }
        let name = &candidate.folded;
        let known = before.iter().zip(name).take(rows.len() - 1);
        rows.truncate(1 + known.take_while(|(one, other)| one == other).count());
        before = name;
        let wanted = if far { rows.len() } else { name.len() };
        let mut open = true;
        while open && rows.len() <= wanted.min(name.len()) {
            let length = rows.len();
            let last = &rows[length - 1];
            let prior = length.checked_sub(2).map(|index| &rows[index]);
            let letter_before = prior.map(|_| name[length - 2]);
            let next = word.next(prior, last, letter_before, name[length - 1]);
            open = word.may_lead(&next, name.len()) || word.may_lead(last, name.len());
            rows.push(next);
        }
        if open {
            if !far && word.distance(&rows[name.len()]).is_some() {
                take(candidate.place);
            }
            index += 1;
        } else {
            let beginning = &name[..rows.len() - 1];
            let rest = &names[index..];
            index += rest.partition_point(|other| other.folded.starts_with(beginning));
        }
    }
}

/// Someone's word, as names are compared with it.
struct Meant<'w> {
    exact: &'w str,
    /// Without white space around it.
    written: &'w str,
    folded: Vec<char>,
    /// How many slips explain it.
    allowed: usize,
    letters: Option<u64>,
}

impl<'w> Meant<'w> {
    fn by(exact: &'w str) -> Self {
        let written = exact.trim();
        let folded = fold(written);
        let allowed = match folded.len() {
            0..=2 => 0,
            3..=5 => 1,
            6..=12 => 2,
            _ => MOST,
        };
        Self {
            exact,
            written,
            folded,
            allowed,
            letters: letters(written),
        }
    }

    /// Whether the name is not to be suggested: it is what is written, or far longer or shorter.
    fn excludes(&self, name: &str) -> bool {
        name.len().abs_diff(self.written.len()) > self.allowed || name == self.exact
    }
}

/// The letters of a name without regard to case.
fn fold(name: &str) -> Vec<char> {
    if name.is_ascii() {
        let letters = name.bytes().map(|byte| byte.to_ascii_lowercase().into());
        return letters.collect();
    }
    // Not letter by letter: how one is written in small may depend on its neighbours.
    name.to_lowercase().chars().collect()
}

/// Which letters a word of ASCII has, without regard to case; some share a bit.
fn letters(word: &str) -> Option<u64> {
    let bit = |byte: u8| 1 << (byte.to_ascii_lowercase() % 64);
    let letters = word.bytes().map(bit);
    word.is_ascii()
        .then(|| letters.fold(0, |letters, bit: u64| letters | bit))
}

/// Whether the letters of two words alone show that more slips lie between them. A slip adds and takes
/// away at most one.
fn differ(one: Option<u64>, other: Option<u64>, slips: usize) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return false;
    };
    (one ^ other).count_ones() as usize > 2 * slips
}

fn is_too_short(folded: &[char]) -> bool {
    folded.len() < 4
}

/// Whether one character more or less, which has at most four bytes, cannot explain the difference.
fn is_of_other_length(name: &str, written: &str) -> bool {
    name.len().abs_diff(written.len()) > 4
}

fn is_other_name(one: &[char], other: &[char]) -> bool {
    let digits = |name: &[char]| -> String { name.iter().filter(|c| c.is_ascii_digit()).collect() };
    let is_plural = |one: &[char], many: &[char]| many.strip_suffix(&['s']) == Some(one);
    digits(one) != digits(other) || is_plural(one, other) || is_plural(other, one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{KnownNames, Sorted, near_miss, only_slip};

    #[test]
    fn a_slip_is_certain_only_without_a_second_reading() {
        let known = [
            "objectId",
            "displayName",
            "signInName",
            "step1",
            "abc",
            "mail",
        ];
        assert_eq!(only_slip("dispalyName", known), Some("displayName"));
        assert_eq!(only_slip("OBJECTI", known), Some("objectId"));
        assert_eq!(only_slip("obectI", known), None, "two slips");
        assert_eq!(only_slip("signInNames", known), None, "a plural");
        assert_eq!(only_slip("step2", known), None, "a number");
        assert_eq!(only_slip("step", known), None, "a number less");
        assert_eq!(only_slip("ab", known), None, "too short");
        assert_eq!(only_slip("hail", ["mail", "tail"]), None, "two readings");
        assert_eq!(only_slip("", known), None);
    }

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["objectId", "displayName", "email", "ab"];
        assert_eq!(near_miss("objectid", known), Some("objectId"));
        assert_eq!(near_miss("dispalyName", known), Some("displayName"));
        assert_eq!(near_miss("emial", known), Some("email"));
        assert_eq!(near_miss(" email ", known), Some("email"));
        assert_eq!(near_miss("givenName", known), None);
        assert_eq!(near_miss("xy", known), None);
        assert_eq!(near_miss("", known), None);
    }

    #[test]
    fn nobody_slips_a_thousand_times() {
        let known = KnownNames::new(vec!["objectId"]);
        let answers = (0..2_000).filter(|_| known.near_miss("objectid").is_some());
        assert_eq!(answers.count(), KnownNames::MOST);
        assert_eq!(known.only_slip("obectId"), None);
    }

    /// Names of which many are near each other, some but for case, some with letters of several bytes.
    fn names() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(
            "(claim|Claim|KLAIM|ä|İx|Σ)?[abAB1 ]{0,4}s?(Name|name|naem)?",
            0..30,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]
        #[test]
        fn sorted_names_give_the_same_answers(names in names(), questions in names()) {
            let known = || names.iter().map(String::as_str);
            let sorted = KnownNames::new(known().collect());
            sorted.questions.set(KnownNames::FEW);
            for written in &questions {
                prop_assert_eq!(sorted.near_miss(written), near_miss(written, known()));
                prop_assert_eq!(sorted.only_slip(written), only_slip(written, known()));
            }
            prop_assert_eq!(sorted.sorted.get().is_some(), !questions.is_empty());
        }

        #[test]
        fn nothing_near_is_missed(names in names(), written in "[abAB1]{0,3}(Name|nam)?") {
            let known = names.iter().map(String::as_str);
            let lower = written.to_lowercase();
            let allowed = match lower.len() { 0..=2 => 0, 3..=5 => 1, _ => 2 };
            let distance = |name: &str| strsim::osa_distance(&lower, &name.to_lowercase());
            let near = known.clone().filter(|name| {
                *name != written && name.len().abs_diff(written.len()) <= allowed && distance(name) <= allowed
            });
            prop_assert_eq!(near_miss(&written, known), near.min_by_key(|name| distance(name)));
        }
    }

    #[test]
    fn most_names_are_passed_over() {
        let names: Vec<String> = (0..20_000).map(|number| format!("claim{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let sorted = Sorted::new(&names);
        let mut found = 0;
        let written: Vec<char> = "missing12345".chars().collect();
        sorted.search(&written, None, 2, |_| found += 1);
        assert_eq!(found, 0);
        let known = KnownNames::new(names);
        for _ in 0..20 {
            assert_eq!(known.near_miss("claim12x34"), Some("claim1234"));
            assert_eq!(known.only_slip("claim123"), None);
        }
    }
}
