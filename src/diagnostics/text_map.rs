use super::Span;

/// One replacement: `original` bytes of the file became `resolved` bytes of the text that is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where the placeholder stands in the original text.
    pub original: Span,
    /// Where its value stands in the resolved text.
    pub resolved: Span,
}

/// The way back from a resolved text to the original: the list of replacements, in text order. The
/// bytes between two replacements are the same in both texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextMap {
    pieces: Vec<Piece>,
}

impl TextMap {
    /// The map of a text in which nothing was replaced.
    pub fn identity() -> Self {
        Self::default()
    }

    /// A map from replacements that are in ascending order and do not overlap.
    pub fn new(pieces: Vec<Piece>) -> Self {
        debug_assert!(pieces.is_sorted_by_key(|piece| piece.resolved.start));
        Self { pieces }
    }

    /// The replacements, in text order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Where a range of the resolved text stands in the original. An end inside a replaced value
    /// moves outwards to the end of its placeholder, so that the answer always covers whole
    /// placeholders. A placeholder without a value belongs to no neighbour: only an empty range in
    /// its place becomes the placeholder.
    pub fn to_original(&self, span: Span) -> Span {
        let start = self.start(span.start);
        if span.is_empty() {
            let first = self
                .pieces
                .partition_point(|piece| piece.resolved.start < span.start);
            let here = self.pieces[first..]
                .iter()
                .take_while(|piece| piece.resolved == Span::at(span.start))
                .map(|piece| piece.original);
            return here.reduce(Span::cover).unwrap_or(Span::at(start));
        }
        Span::new(start, self.end(span.end).max(start))
    }

    /// Whether a range of the resolved text covers some of a replaced value, or an insertion there
    /// would fall into one. Beside a value is no touch; beside a value that is empty is, as nothing
    /// tells on which side of the placeholder an edit would stand.
    pub fn touches_replacement(&self, span: Span) -> bool {
        let first = self
            .pieces
            .partition_point(|piece| piece.resolved.end < span.start);
        self.pieces[first..]
            .iter()
            .map(|piece| piece.resolved)
            .take_while(|value| value.start <= span.end)
            .any(|value| value.is_empty() || (value.start < span.end && span.start < value.end))
    }

    /// Where what begins at this offset begins.
    fn start(&self, offset: u32) -> u32 {
        let behind = self
            .pieces
            .partition_point(|piece| piece.resolved.start <= offset);
        match behind.checked_sub(1).map(|last| &self.pieces[last]) {
            None => offset,
            Some(piece) if offset < piece.resolved.end => piece.original.start,
            Some(piece) => piece.original.end + (offset - piece.resolved.end),
        }
    }

    /// Where what ends at this offset ends.
    fn end(&self, offset: u32) -> u32 {
        let behind = self
            .pieces
            .partition_point(|piece| piece.resolved.start < offset);
        match behind.checked_sub(1).map(|last| &self.pieces[last]) {
            None => offset,
            Some(piece) => piece.original.end + offset.saturating_sub(piece.resolved.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a{S:K}b{S:L}` → `aXXXXXXXXb` (`{S:K}` → eight characters, `{S:L}` → nothing).
    fn map() -> TextMap {
        TextMap::new(vec![
            Piece {
                original: Span::new(1, 6),
                resolved: Span::new(1, 9),
            },
            Piece {
                original: Span::new(7, 12),
                resolved: Span::new(10, 10),
            },
        ])
    }

    #[test]
    fn text_between_replacements_keeps_its_place() {
        assert_eq!(map().to_original(Span::new(0, 1)), Span::new(0, 1));
        assert_eq!(map().to_original(Span::new(9, 10)), Span::new(6, 7));
    }

    #[test]
    fn a_range_inside_a_value_becomes_the_placeholder() {
        assert_eq!(map().to_original(Span::new(3, 5)), Span::new(1, 6));
        assert_eq!(map().to_original(Span::new(0, 4)), Span::new(0, 6));
        assert_eq!(map().to_original(Span::new(8, 10)), Span::new(1, 7));
    }

    #[test]
    fn a_placeholder_without_value_belongs_to_no_neighbour() {
        assert_eq!(map().to_original(Span::new(9, 10)), Span::new(6, 7));
        assert_eq!(map().to_original(Span::new(10, 11)), Span::new(12, 13));
        assert_eq!(map().to_original(Span::new(9, 11)), Span::new(6, 13));
        assert_eq!(map().to_original(Span::at(10)), Span::new(7, 12));
        assert_eq!(map().to_original(Span::at(9)), Span::at(6));
    }

    #[test]
    fn only_what_covers_a_value_touches_it() {
        let touches = |start, end| map().touches_replacement(Span::new(start, end));
        assert!(!touches(0, 1) && !touches(0, 0) && !touches(1, 1));
        assert!(touches(0, 2) && touches(3, 3) && touches(8, 9) && touches(1, 9));
        assert!(!touches(9, 9), "an insertion right behind the value");
        assert!(touches(9, 10) && touches(10, 10) && touches(10, 11));
        assert!(!touches(11, 12));
        assert!(!TextMap::identity().touches_replacement(Span::new(0, 9)));
    }

    #[test]
    fn identity_changes_nothing() {
        let span = Span::new(3, 8);
        assert_eq!(TextMap::identity().to_original(span), span);
    }
}
