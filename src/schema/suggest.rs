//! Near misses: which of the allowed names was probably meant.

use crate::diagnostics::near_miss;

/// A name that was probably meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Near {
    /// Its index among the candidates.
    pub(super) index: usize,
    /// Whether it differs in nothing but case.
    pub(super) case_only: bool,
}

/// The candidate that was probably meant by what is written.
pub(super) fn nearest<'c>(
    written: &str,
    candidates: impl Iterator<Item = &'c str> + Clone,
) -> Option<Near> {
    let near = near_miss(written, candidates.clone())?;
    Some(Near {
        index: candidates
            .into_iter()
            .position(|candidate| candidate == near)?,
        case_only: near.eq_ignore_ascii_case(written),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(written: &str) -> Option<(&'static str, bool)> {
        let names = ["Id", "Domains", "Domain", "DisplayName", "Metadata"];
        nearest(written, names.into_iter()).map(|near| (names[near.index], near.case_only))
    }

    #[test]
    fn case_slips_come_before_typos() {
        assert_eq!(of("ID"), Some(("Id", true)));
        assert_eq!(of("domain"), Some(("Domain", true)));
        assert_eq!(of("Domian"), Some(("Domain", false)));
        assert_eq!(of("displayname "), Some(("DisplayName", false)));
        assert_eq!(of("Metdata"), Some(("Metadata", false)));
    }

    #[test]
    fn other_names_are_not_near() {
        assert_eq!(of("Protocol"), None);
        assert_eq!(of("Of"), None);
        assert_eq!(of(""), None);
        assert_eq!(of(&"Domain".repeat(1000)), None);
    }
}
