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
    /// placeholders.
    pub fn to_original(&self, span: Span) -> Span {
        let start = self.offset(span.start, |piece, offset| {
            // A range may begin right behind a value; that is outside the placeholder.
            (offset < piece.resolved.end).then_some(piece.original.start)
        });
        if span.is_empty() {
            return Span::at(start);
        }
        let end = self.offset(span.end, |piece, offset| {
            (piece.resolved.start < offset && offset <= piece.resolved.end)
                .then_some(piece.original.end)
        });
        Span::new(start, end.max(start))
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

    /// Maps one offset; `inside` decides where an offset at or in the nearest preceding replacement
    /// goes.
    fn offset(&self, offset: u32, inside: impl Fn(&Piece, u32) -> Option<u32>) -> u32 {
        let behind = self
            .pieces
            .partition_point(|piece| piece.resolved.start <= offset);
        let Some(piece) = behind.checked_sub(1).map(|last| &self.pieces[last]) else {
            return offset;
        };
        if let Some(mapped) = inside(piece, offset) {
            return mapped;
        }
        if offset <= piece.resolved.start {
            // An end right before the value.
            return piece.original.start;
        }
        piece.original.end + (offset - piece.resolved.end)
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
