//! How many slips of the keyboard lie between two words, if they are few.

/// More slips than this are never asked about.
pub(super) const MOST: usize = 3;

const WIDTH: usize = 2 * MOST + 1;
/// Farther than anybody asks.
const FAR: u8 = 100;

/// How far the starts of one word are from the starts of another: one row of the table of all such
/// distances, as far as they can matter. A slip is a letter too many, too few, or wrong, or two neighbours
/// swapped, of which none is changed again (optimal string alignment).
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The distance from the start of this row, of `length` letters, to those of `length - MOST` up to
    /// `length + MOST` letters.
    cells: [u8; WIDTH],
    length: usize,
}

impl Row {
    /// That of no letters.
    pub(super) fn first(other: &[char]) -> Self {
        let mut cells = [FAR; WIDTH];
        for length in 0..=MOST.min(other.len()) {
            cells[MOST + length] = length as u8;
        }
        Self { cells, length: 0 }
    }

    /// That of one letter more: `letter` behind `before`. `prior` is the row before this one.
    pub(super) fn next(
        &self,
        prior: Option<&Self>,
        before: Option<char>,
        letter: char,
        other: &[char],
    ) -> Self {
        let length = self.length + 1;
        let mut cells = [FAR; WIDTH];
        for index in 0..WIDTH {
            let Some(end) = (length + index).checked_sub(MOST) else {
                continue;
            };
            if end > other.len() {
                break;
            }
            let too_few = index.checked_sub(1).map_or(FAR, |left| cells[left] + 1);
            let too_many = self.cells.get(index + 1).map_or(FAR, |above| above + 1);
            let mut least = too_few.min(too_many);
            if end > 0 {
                least = least.min(self.cells[index] + u8::from(other[end - 1] != letter));
            }
            if end > 1
                && let Some(prior) = prior
                && before == Some(other[end - 1])
                && other[end - 2] == letter
            {
                least = least.min(prior.cells[index] + 1);
            }
            cells[index] = least.min(FAR);
        }
        Self { cells, length }
    }

    /// Whether a word that begins like this may be within `limit`; two rows that are not have no
    /// successors that are.
    pub(super) fn may_be_within(&self, limit: usize) -> bool {
        self.cells.iter().any(|cell| usize::from(*cell) <= limit)
    }

    /// The distance to the whole other word, if it is at most `limit`.
    pub(super) fn distance(&self, other: &[char], limit: usize) -> Option<usize> {
        let index = (other.len() + MOST).checked_sub(self.length)?;
        let distance = usize::from(*self.cells.get(index)?);
        (distance <= limit).then_some(distance)
    }
}

/// The distance between two words if it is at most `limit`.
pub(super) fn distance_within(one: &[char], other: &[char], limit: usize) -> Option<usize> {
    let mut prior = None;
    let mut row = Row::first(other);
    let mut before = None;
    for letter in one {
        let next = row.next(prior.as_ref(), before, *letter, other);
        if !next.may_be_within(limit) && !row.may_be_within(limit) {
            return None;
        }
        prior = Some(row);
        row = next;
        before = Some(*letter);
    }
    row.distance(other, limit)
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
                distance_within(&letters(&one), &letters(&other), limit),
                (whole <= limit).then_some(whole),
                "{} {}", one, other
            );
        }
    }
}
