use std::collections::BTreeMap;
use std::ops::Range;

use super::{Diagnostic, Fix, SourceId, SourceMap};

/// The files as they read after fixes were applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The new original text of every file that changes, in the order of the sources.
    pub files: Vec<(SourceId, String)>,
    /// How many findings had their fix applied.
    pub fixed: usize,
    /// Findings whose fix was not applied, by their index, and why.
    pub refused: Vec<(usize, Refusal)>,
}

/// Why a fix was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It would edit what a placeholder stands for; the file does not hold that text.
    Placeholder,
    /// It would edit text that another fix edits. A later round may apply it.
    Overlap,
    /// It would edit a file that must not be written.
    ReadOnly,
}

/// An edit in the original text of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change<'f> {
    source: SourceId,
    range: Range<usize>,
    replacement: &'f str,
}

impl Change<'_> {
    /// Whether the result would depend on which of the two comes first.
    fn conflicts(&self, other: &Self) -> bool {
        if self.range.is_empty() || other.range.is_empty() {
            return self.range.start <= other.range.end && other.range.start <= self.range.end;
        }
        self.range.start < other.range.end && other.range.start < self.range.end
    }

    /// Two findings may ask for the very same replacement; two insertions would be made twice.
    fn is_same(&self, other: &Self) -> bool {
        !self.range.is_empty() && self == other
    }
}

/// Applies the fixes of findings to the original texts. A fix is applied as a whole or not at all; of
/// two that overlap, the one of the earlier finding wins. `may_edit` tells which sources may change. A
/// source that stands in the map more than once, because several sets share the file, counts as one.
pub fn apply_fixes(
    sources: &SourceMap,
    findings: &[Diagnostic],
    may_edit: impl Fn(SourceId) -> bool,
) -> Applied {
    let mut applied = Applied::default();
    let mut accepted: BTreeMap<SourceId, Vec<Change<'_>>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        let Some(fix) = &finding.fix else { continue };
        let changes = match changes(sources, fix, &may_edit) {
            Ok(changes) if changes.is_empty() => continue,
            Ok(changes) => changes,
            Err(refusal) => {
                applied.refused.push((index, refusal));
                continue;
            }
        };
        let (known, new): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| {
            let others = accepted.get(&change.source);
            others.is_some_and(|others| others.iter().any(|other| other.is_same(change)))
        });
        let overlaps = new.iter().enumerate().any(|(position, change)| {
            let others = accepted.get(&change.source).into_iter().flatten();
            let own = new[..position]
                .iter()
                .filter(|other| other.source == change.source);
            others.chain(own).any(|other| other.conflicts(change))
        });
        if overlaps {
            applied.refused.push((index, Refusal::Overlap));
            continue;
        }
        debug_assert!(!known.is_empty() || !new.is_empty());
        applied.fixed += 1;
        for change in new {
            accepted.entry(change.source).or_default().push(change);
        }
    }
    applied.files = accepted
        .into_iter()
        .map(|(source, changes)| (source, edited(sources.get(source).original(), changes)))
        .collect();
    applied
}

/// The changes of a fix that change anything, in the first source of each file.
fn changes<'f>(
    sources: &SourceMap,
    fix: &'f Fix,
    may_edit: &impl Fn(SourceId) -> bool,
) -> Result<Vec<Change<'f>>, Refusal> {
    let mut changes = Vec::new();
    for edit in &fix.edits {
        let location = edit.location;
        let source = sources.get(location.source);
        if !may_edit(location.source) {
            return Err(Refusal::ReadOnly);
        }
        let range = source.editable(location.span).ok_or(Refusal::Placeholder)?;
        if location.span.of(source.text()) == edit.replacement {
            continue;
        }
        changes.push(Change {
            source: sources.find(source.name()).unwrap_or(location.source),
            range: range.start as usize..range.end as usize,
            replacement: &edit.replacement,
        });
    }
    Ok(changes)
}

fn edited(text: &str, mut changes: Vec<Change<'_>>) -> String {
    changes.sort_by_key(|change| change.range.start);
    let mut result = String::with_capacity(text.len());
    let mut behind = 0;
    for change in changes {
        result.push_str(&text[behind..change.range.start]);
        result.push_str(change.replacement);
        behind = change.range.end;
    }
    result.push_str(&text[behind..]);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{Edit, Level, Location, Piece, Rule, Source, Span, TextMap};

    static RULE: Rule = Rule {
        id: "test",
        level: Level::Warning,
        summary: "a test",
    };

    fn finding(source: SourceId, edits: &[(u32, u32, &str)]) -> Diagnostic {
        let at = |start, end| Location {
            source,
            span: Span::new(start, end),
        };
        let edits = edits
            .iter()
            .map(|(start, end, replacement)| Edit {
                location: at(*start, *end),
                replacement: (*replacement).to_owned(),
            })
            .collect();
        Diagnostic::new(&RULE, at(0, 0), "wrong").fix("mend it", edits)
    }

    /// Applies fixes to one text that may be edited.
    fn fixed(text: &str, fixes: &[&[(u32, u32, &str)]]) -> (String, Applied) {
        let mut sources = SourceMap::new();
        let source = sources.add(Source::new("a.xml", text));
        let findings: Vec<_> = fixes.iter().map(|edits| finding(source, edits)).collect();
        let applied = apply_fixes(&sources, &findings, |_| true);
        let text = match applied.files.as_slice() {
            [] => text.to_owned(),
            [(_, text)] => text.clone(),
            _ => panic!("one file"),
        };
        (text, applied)
    }

    #[test]
    fn edits_are_applied_in_text_order_whatever_the_order_of_the_findings() {
        let (text, applied) = fixed(
            "<ä>\r\nxyz\t",
            &[&[(8, 9, "Z")], &[(0, 0, "!"), (6, 7, "")], &[(10, 10, "€")]],
        );
        assert_eq!(text, "!<ä>\r\nyZ\t€");
        assert_eq!(applied.fixed, 3);
        assert!(applied.refused.is_empty());
    }

    #[test]
    fn of_two_fixes_that_overlap_the_first_wins_as_a_whole() {
        let (text, applied) = fixed("abcdef", &[&[(2, 4, "X")], &[(0, 1, "A"), (3, 5, "Y")]]);
        assert_eq!(text, "abXef");
        assert_eq!(applied.fixed, 1);
        assert_eq!(applied.refused, [(1, Refusal::Overlap)]);
        let (text, _) = fixed("abcdef", &[&[(2, 4, "X")], &[(4, 5, "Y")]]);
        assert_eq!(text, "abXYf", "neighbours do not overlap");
        let (text, _) = fixed("ab", &[&[(1, 1, "X")], &[(1, 1, "X")], &[(1, 2, "Y")]]);
        assert_eq!(text, "aXb", "an insertion is made once");
        let (text, applied) = fixed("ab", &[&[(0, 1, "X"), (0, 2, "Y")]]);
        assert_eq!(
            (text.as_str(), applied.fixed),
            ("ab", 0),
            "a fix against itself"
        );
    }

    #[test]
    fn the_same_replacement_mends_two_findings() {
        let (text, applied) = fixed("abc", &[&[(1, 2, "X")], &[(1, 2, "X")]]);
        assert_eq!((text.as_str(), applied.fixed), ("aXc", 2));
    }

    #[test]
    fn what_changes_nothing_is_no_fix() {
        let (_, applied) = fixed("abc", &[&[(1, 2, "b")], &[]]);
        assert_eq!(applied, Applied::default());
    }

    #[test]
    fn ranges_that_do_not_fit_the_text_are_refused() {
        let (text, applied) = fixed("aä", &[&[(0, 9, "X")], &[(2, 3, "X")], &[(2, 1, "X")]]);
        assert_eq!((text.as_str(), applied.fixed), ("aä", 0));
        assert_eq!(applied.refused.len(), 3);
    }

    #[test]
    fn placeholders_stay_and_the_text_around_them_can_be_edited() {
        // `a{S:K}b` is read as `aXXXXXXXXb`.
        let map = TextMap::new(vec![Piece {
            original: Span::new(1, 6),
            resolved: Span::new(1, 9),
        }]);
        let mut sources = SourceMap::new();
        let source = Source::new("a.xml", "a{S:K}b").resolved("aXXXXXXXXb", map);
        let source = sources.add(source);
        let findings = [
            finding(source, &[(9, 10, "B")]),
            finding(source, &[(0, 1, "A")]),
            finding(source, &[(0, 2, "no")]),
            finding(source, &[(5, 5, "no")]),
        ];
        let applied = apply_fixes(&sources, &findings, |_| true);
        assert_eq!(applied.files, [(source, "A{S:K}B".to_owned())]);
        assert_eq!(
            applied.refused,
            [(2, Refusal::Placeholder), (3, Refusal::Placeholder)]
        );
    }

    #[test]
    fn a_fix_over_two_files_needs_both() {
        let mut sources = SourceMap::new();
        let own = sources.add(Source::new("own.xml", "abc"));
        let base = sources.add(Source::new("base.xml", "abc"));
        let mut both = finding(own, &[(0, 1, "X")]);
        let other = finding(base, &[(0, 1, "Y")]);
        if let (Some(fix), Some(more)) = (&mut both.fix, other.fix) {
            fix.edits.extend(more.edits);
        }
        let applied = apply_fixes(&sources, std::slice::from_ref(&both), |id| id == own);
        assert_eq!(applied.refused, [(0, Refusal::ReadOnly)]);
        assert!(applied.files.is_empty());
        let applied = apply_fixes(&sources, &[both], |_| true);
        assert_eq!(applied.files.len(), 2);
    }

    #[test]
    fn a_file_of_two_sets_is_edited_once() {
        let mut sources = SourceMap::new();
        let first = sources.add(Source::new("a.xml", "abc"));
        let second = sources.add(Source::new("a.xml", "abc"));
        let findings = [
            finding(first, &[(0, 1, "X")]),
            finding(second, &[(0, 1, "X")]),
            finding(second, &[(2, 3, "Z")]),
        ];
        let applied = apply_fixes(&sources, &findings, |_| true);
        assert_eq!(applied.files, [(first, "XbZ".to_owned())]);
    }
}
