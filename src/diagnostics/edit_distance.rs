//! How many slips of the keyboard lie between two words, if they are few.
//!
//! A slip is a letter too many, too few, or wrong, or two neighbours swapped, of which none is changed again
//! (optimal string alignment).

use std::ops::RangeInclusive;

/// More slips than this are never asked about.
pub(super) const MOST: usize = 3;

const WIDTH: usize = 2 * MOST + 1;
/// Farther than anybody asks.
const FAR: u8 = 100;

/// A word with which names are compared letter by letter.
#[derive(Clone, Copy)]
pub(super) struct Word<'w> {
    letters: &'w [char],
    limit: usize,
}

/// How far the beginning of a name is from the beginnings of the word: a row of the table of all such
/// distances, as far as they can matter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The distance from the beginning of the name, of `length` letters, to those of the word of
    /// `length - MOST` up to `length + MOST` letters.
    cells: [u8; WIDTH],
    length: usize,
}

impl<'w> Word<'w> {
    /// Names within `limit` are of interest, which is at most [`MOST`].
    pub(super) fn new(letters: &'w [char], limit: usize) -> Self {
        debug_assert!(limit <= MOST, "the rows are too short for that");
        Self { letters, limit }
    }

    /// How many letters a name within the limit can have.
    pub(super) fn lengths(self) -> RangeInclusive<usize> {
        self.letters.len().saturating_sub(self.limit)..=self.letters.len() + self.limit
    }

    /// The row of no letters.
    pub(super) fn first(self) -> Row {
        let mut cells = [FAR; WIDTH];
        for length in 0..=self.limit.min(self.letters.len()) {
            cells[MOST + length] = length as u8;
        }
        Row { cells, length: 0 }
    }

    /// The row of one letter more: `letter` behind `before`. `prior` is the row before `last`.
    pub(super) fn next(
        self,
        prior: Option<&Row>,
        last: &Row,
        before: Option<char>,
        letter: char,
    ) -> Row {
        let length = last.length + 1;
        let mut cells = [FAR; WIDTH];
        for index in MOST - self.limit..=MOST + self.limit {
            let Some(end) = (length + index).checked_sub(MOST) else {
                continue;
            };
            if end > self.letters.len() {
                break;
            }
            let too_few = index.checked_sub(1).map_or(FAR, |left| cells[left] + 1);
            let too_many = last.cells.get(index + 1).map_or(FAR, |above| above + 1);
            let mut least = too_few.min(too_many);
            if end > 0 {
                let wrong = u8::from(self.letters[end - 1] != letter);
                least = least.min(last.cells[index] + wrong);
            }
            if end > 1
                && let Some(prior) = prior
                && before == Some(self.letters[end - 1])
                && self.letters[end - 2] == letter
            {
                least = least.min(prior.cells[index] + 1);
            }
            cells[index] = least.min(FAR);
        }
        Row { cells, length }
    }

    /// Whether a name of so many letters that begins like this may be within the limit. Two rows that lead
    /// nowhere have no successors that do.
    pub(super) fn may_lead(self, row: &Row, letters: usize) -> bool {
        // Where the rows end if the name is the word; every letter from there is a slip.
        let Some(end) = (self.letters.len() + MOST).checked_sub(letters) else {
            return false;
        };
        let slips = |(index, cell): (usize, &u8)| usize::from(*cell) + index.abs_diff(end);
        row.cells
            .iter()
            .enumerate()
            .map(slips)
            .any(|slips| slips <= self.limit)
    }

    /// The distance of the whole name, if it is within the limit.
    pub(super) fn distance(self, row: &Row) -> Option<usize> {
        let index = (self.letters.len() + MOST).checked_sub(row.length)?;
        let distance = usize::from(*row.cells.get(index)?);
        (distance <= self.limit).then_some(distance)
    }

    /// The same for a name whose rows are not at hand.
    pub(super) fn distance_to(self, name: &[char]) -> Option<usize> {
        let mut prior = None;
        let mut row = self.first();
        let mut before = None;
        for letter in name {
            let next = self.next(prior.as_ref(), &row, before, *letter);
            if !self.may_lead(&next, name.len()) && !self.may_lead(&row, name.len()) {
                return None;
            }
            prior = Some(row);
            row = next;
            before = Some(*letter);
        }
        self.distance(&row)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn the_distance_is_that_of_the_whole_table(
            one in "[abä]{0,9}",
            other in "[abä]{0,9}",
            prefix in "[abc]{0,3}",
            limit in 0..=MOST,
        ) {
            let (one, other) = (format!("{prefix}{one}"), format!("{prefix}{other}"));
            let letters = |word: &str| word.chars().collect::<Vec<_>>();
            let whole = strsim::osa_distance(&one, &other);
            prop_assert_eq!(
                Word::new(&letters(&one), limit).distance_to(&letters(&other)),
                (whole <= limit).then_some(whole),
                "{} {}", one, other
            );
        }
    }
}
