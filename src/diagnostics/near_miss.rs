/// The known name that someone most likely meant: equal but for letter case, or close enough that a
/// slip of the keyboard explains it. Of several equally close names the first.
pub fn near_miss<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = written.to_lowercase();
    let allowed = match folded.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=12 => 2,
        _ => 3,
    };
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        if name.len().abs_diff(written.len()) > allowed || name == written {
            continue;
        }
        let distance = strsim::osa_distance(&folded, &name.to_lowercase());
        if distance <= allowed && best.is_none_or(|(nearest, _)| distance < nearest) {
            best = Some((distance, name));
        }
    }
    Some(best?.1)
}

#[cfg(test)]
mod tests {
    use super::near_miss;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["objectId", "displayName", "email", "ab"];
        assert_eq!(near_miss("objectid", known), Some("objectId"));
        assert_eq!(near_miss("dispalyName", known), Some("displayName"));
        assert_eq!(near_miss("emial", known), Some("email"));
        assert_eq!(near_miss("givenName", known), None);
        assert_eq!(near_miss("xy", known), None);
        assert_eq!(near_miss("", known), None);
    }
}
