/// The candidate that a misspelt `name` most likely meant: equal but for case and surrounding white
/// space, or at most a third of its characters away. The first of equally near ones is taken.
pub fn closest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = name.trim().to_lowercase();
    let length = wanted.chars().count();
    if length == 0 {
        return None;
    }
    let allowed = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = strsim::osa_distance(&wanted, &candidate.to_lowercase());
        let near = distance <= allowed && distance < length;
        if near && best.is_none_or(|(so_far, _)| distance < so_far) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn finds_typos_and_case_but_not_strangers() {
        let keys = ["ApiHost", "ApiKey", "Title"];
        assert_eq!(closest("ApiHots", keys), Some("ApiHost"));
        assert_eq!(closest(" apihost ", keys), Some("ApiHost"));
        assert_eq!(closest("Subtitle", keys), None);
        assert_eq!(closest("x", keys), None);
        assert_eq!(closest("", keys), None);
    }
}
