/// The known name that someone most likely meant: equal but for letter case and white space around it,
/// or close enough that a slip of the keyboard explains it. Of several equally close names the first.
pub fn near_miss<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let exact = written;
    let written = exact.trim();
    let folded = written.to_lowercase();
    let allowed = match folded.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=12 => 2,
        _ => 3,
    };
    let letters_of_written = letters(written);
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        if name.len().abs_diff(written.len()) > allowed || name == exact {
            continue;
        }
        // A slip adds and takes away at most one letter.
        if let (Some(written), Some(name)) = (letters_of_written, letters(name))
            && (written ^ name).count_ones() as usize > 2 * allowed
        {
            continue;
        }
        let distance = strsim::osa_distance(&folded, &name.to_lowercase());
        if distance <= allowed && best.is_none_or(|(nearest, _)| distance < nearest) {
            best = Some((distance, name));
        }
    }
    Some(best?.1)
}

/// Which letters a word of ASCII has, without regard to case; some share a bit.
fn letters(word: &str) -> Option<u64> {
    let bit = |byte: u8| 1 << (byte.to_ascii_lowercase() % 64);
    let letters = word.bytes().map(bit);
    word.is_ascii()
        .then(|| letters.fold(0, |letters, bit: u64| letters | bit))
}

/// The known name that must have been meant: the only one that a single slip of the keyboard explains
/// (one letter too many, too few, wrong, or two swapped). Names that differ in a digit or in a plural
/// `s` are different names, not slips, and short names have too many neighbours; then nobody can tell.
pub fn only_slip<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = written.to_lowercase();
    if folded.chars().count() < 4 {
        return None;
    }
    let mut meant = None;
    for name in known {
        if name.len().abs_diff(written.len()) > 4 {
            // One character has at most four bytes.
            continue;
        }
        let other = name.to_lowercase();
        if strsim::osa_distance(&folded, &other) > 1 {
            continue;
        }
        if meant.replace((name, other)).is_some() {
            return None;
        }
    }
    let (name, other) = meant?;
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let is_plural = |one: &str, many: &str| many.strip_suffix('s') == Some(one);
    let is_other_name = digits(&folded) != digits(&other)
        || is_plural(&folded, &other)
        || is_plural(&other, &folded);
    (!is_other_name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{near_miss, only_slip};

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
