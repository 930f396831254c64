//! Near misses: which of the allowed names was probably meant.

/// A name that was probably meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Near {
    /// Its index among the candidates.
    pub(super) index: usize,
    /// Whether it differs in nothing but case.
    pub(super) case_only: bool,
}

/// The candidate that is nearest to what is written: equal but for case, or a few letters away.
pub(super) fn nearest<'c>(
    written: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<Near> {
    // What nobody would take for a slip needs no comparison, however long it is.
    if written.is_empty() || written.len() > 100 {
        return None;
    }
    let small = written.to_ascii_lowercase();
    let mut best: Option<(usize, usize)> = None;
    for (index, candidate) in candidates.enumerate() {
        if candidate.eq_ignore_ascii_case(written) {
            return Some(Near {
                index,
                case_only: true,
            });
        }
        let length = candidate.len().max(small.len());
        let limit = (length / 4).clamp(1, 3);
        if length - candidate.len().min(small.len()) > limit {
            continue;
        }
        let distance = strsim::osa_distance(&small, &candidate.to_ascii_lowercase());
        // A different name of two letters is no slip.
        if distance <= limit
            && distance < length - 1
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, index));
        }
    }
    best.map(|(_, index)| Near {
        index,
        case_only: false,
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
