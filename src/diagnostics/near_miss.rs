/// The known name that someone most likely meant: equal but for letter case and white space around it,
/// or close enough that a slip of the keyboard explains it. Of several equally close names the first.
pub fn near_miss<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let exact = written;
    let written = exact.trim();
    let word = Word::new(written);
    let allowed = match word.folded.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=12 => 2,
        _ => 3,
    };
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        if name.len().abs_diff(written.len()) > allowed || name == exact {
            continue;
        }
        let Some(distance) = word.slips_to(name, allowed) else {
            continue;
        };
        if best.is_none_or(|(nearest, _)| distance < nearest) {
            best = Some((distance, name));
        }
    }
    Some(best?.1)
}

/// A word that others are compared with.
struct Word {
    folded: String,
    /// How often it has each letter; `None` if it has others than those of ASCII.
    letters: Option<Letters>,
}

/// How often each letter occurs, without regard to case; some are counted together.
type Letters = [i16; 32];

impl Word {
    fn new(word: &str) -> Self {
        let folded = word.to_lowercase();
        Self {
            letters: count(&folded, [0; 32], 1),
            folded,
        }
    }

    /// How many slips lie between the word and a name, if there are no more than these.
    fn slips_to(&self, name: &str, most: usize) -> Option<usize> {
        // A slip adds at most one letter and takes at most one away, which is far cheaper to see.
        if let Some(letters) = self.letters
            && let Some(left) = count(name, letters, -1)
        {
            let missing: i32 = left.iter().map(|&left| i32::from(left.max(0))).sum();
            let added: i32 = left.iter().map(|&left| i32::from(left.min(0))).sum();
            if missing.max(-added) as usize > most {
                return None;
            }
        }
        let distance = strsim::osa_distance(&self.folded, &name.to_lowercase());
        (distance <= most).then_some(distance)
    }
}

/// Adds a step for every letter of a word; `None` if it has others than those of ASCII, or more than
/// can be counted.
fn count(word: &str, mut letters: Letters, step: i16) -> Option<Letters> {
    if !word.is_ascii() || word.len() > 1_000 {
        return None;
    }
    for byte in word.bytes() {
        letters[usize::from(byte.to_ascii_lowercase() % 32)] += step;
    }
    Some(letters)
}

/// The known name that must have been meant: the only one that a single slip of the keyboard explains
/// (one letter too many, too few, wrong, or two swapped). Names that differ in a digit or in a plural
/// `s` are different names, not slips, and short names have too many neighbours; then nobody can tell.
pub fn only_slip<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = Word::new(written);
    let folded = &*word.folded;
    if folded.chars().count() < 4 {
        return None;
    }
    let mut meant = None;
    for name in known {
        if name.len().abs_diff(written.len()) > 4 {
            // One character has at most four bytes.
            continue;
        }
        if word.slips_to(name, 1).is_some() && meant.replace(name).is_some() {
            return None;
        }
    }
    let name = meant?;
    let other = &*name.to_lowercase();
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let is_plural = |one: &str, many: &str| many.strip_suffix('s') == Some(one);
    let is_other_name =
        digits(folded) != digits(other) || is_plural(folded, other) || is_plural(other, folded);
    (!is_other_name).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Word, near_miss, only_slip};

    proptest! {
        #[test]
        fn counting_letters_loses_no_near_word(
            word in "[a-dA-D1éÖ]{0,9}", name in "[a-dA-D1éÖ]{0,9}", most in 0_usize..4,
        ) {
            let distance = strsim::osa_distance(&word.to_lowercase(), &name.to_lowercase());
            let near = (distance <= most).then_some(distance);
            prop_assert_eq!(Word::new(&word).slips_to(&name, most), near);
        }
    }

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
}
