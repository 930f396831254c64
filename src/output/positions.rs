use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use crate::diagnostics::{
    Diagnostic, Edit, Fix, LineColumn, Location, Source, SourceId, SourceMap, Span,
};

use super::text_index::TextIndex;

/// Lines and columns of the files that the user edits. The index of a file is built once,
/// when the first finding points into it.
pub(super) struct Positions<'r> {
    sources: &'r SourceMap,
    indexes: HashMap<SourceId, OnceLock<TextIndex<'r>>>,
}

/// A place in a file that the user edits; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'r> {
    /// The file.
    pub(super) file: &'r str,
    /// The first character.
    pub(super) start: LineColumn,
    /// Behind the last character.
    pub(super) end: LineColumn,
}

impl<'r> Positions<'r> {
    pub(super) fn new(sources: &'r SourceMap) -> Self {
        Self {
            sources,
            indexes: sources
                .iter()
                .map(|(id, _)| (id, OnceLock::new()))
                .collect(),
        }
    }

    /// Where `location` stands in its original file.
    pub(super) fn place(&self, location: Location) -> Place<'r> {
        let source = self.sources.get(location.source);
        let range = original_range(source, location.span);
        let index = self.index(location.source);
        Place {
            file: source.name(),
            start: index.position(range.start),
            end: index.position(range.end),
        }
    }

    /// The original text of a source, by lines.
    pub(super) fn index(&self, source: SourceId) -> &TextIndex<'r> {
        // Every id of the map has its cell; a foreign id has panicked in `get` before.
        let text = self.sources.get(source).original();
        self.indexes[&source].get_or_init(|| TextIndex::new(text))
    }

    /// The fix of a finding, if it can be applied to the file: no edit touches a placeholder.
    pub(super) fn applicable_fix<'d>(&self, diagnostic: &'d Diagnostic) -> Option<&'d Fix> {
        let touches_file_only = |edit: &Edit| {
            let source = self.sources.get(edit.location.source);
            !touches_placeholder(source, edit.location.span)
        };
        diagnostic
            .fix
            .as_ref()
            .filter(|fix| fix.edits.iter().all(touches_file_only))
    }
}

/// The bytes of the original text that a range of the resolved text stands for; always within the
/// text and on character boundaries.
pub(super) fn original_range(source: &Source, span: Span) -> Range<usize> {
    let original = source.original();
    let span = source.to_original(span);
    let start = floor_boundary(original, span.start as usize);
    let end = floor_boundary(original, span.end as usize);
    start..end.max(start)
}

/// What the range reads after placeholders were replaced, where the file reads otherwise.
pub(super) fn resolved_text(source: &Source, span: Span) -> Option<&str> {
    let original = source.original().get(original_range(source, span))?;
    let resolved = span.of(source.text());
    (!span.is_empty() && resolved != original).then_some(resolved)
}

fn touches_placeholder(source: &Source, span: Span) -> bool {
    if !span.is_empty() {
        return resolved_text(source, span).is_some();
    }
    // An insertion: its neighbours map to the same placeholder if it lies inside of one.
    let Some(before) = span.start.checked_sub(1) else {
        return false;
    };
    let left = source.to_original(Span::new(before, span.start));
    let right = source.to_original(Span::new(span.start, span.start.saturating_add(1)));
    left.end > right.start
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{Piece, TextMap};

    /// `a{S:K}b` → `aXXXXXXXXb`.
    fn source() -> Source {
        let map = TextMap::new(vec![Piece {
            original: Span::new(1, 6),
            resolved: Span::new(1, 9),
        }]);
        Source::new("a.xml", "a{S:K}b").resolved("aXXXXXXXXb", map)
    }

    #[test]
    fn a_replaced_placeholder_is_told_from_the_text_around_it() {
        assert_eq!(resolved_text(&source(), Span::new(2, 4)), Some("XX"));
        assert_eq!(resolved_text(&source(), Span::new(9, 10)), None);
        assert_eq!(resolved_text(&source(), Span::at(2)), None);
    }

    #[test]
    fn an_insertion_inside_a_value_touches_the_placeholder() {
        let touched: Vec<u32> = (0..=10)
            .filter(|offset| touches_placeholder(&source(), Span::at(*offset)))
            .collect();
        assert_eq!(touched, [2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn positions_are_those_of_the_source_map() {
        let mut sources = SourceMap::new();
        let text = "ab\r\nä€𝄞x\n\n";
        let source = sources.add(Source::new("a.xml", text));
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let location = Location {
                source,
                span: Span::at(offset as u32),
            };
            let place = Positions::new(&sources).place(location);
            assert_eq!((place.start, place.end), sources.position(location));
        }
    }
}
