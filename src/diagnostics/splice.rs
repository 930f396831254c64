use super::{Piece, Span, TextMap};

/// One change to a resolved text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// What takes its place.
    pub replacement: String,
}

/// Changes to one resolved text, in text order, without overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Splices {
    splices: Vec<Splice>,
}

impl Splices {
    /// Puts changes into order. Of two that overlap the first one counts; two insertions at one
    /// place follow each other.
    pub fn new(mut splices: Vec<Splice>) -> Self {
        splices.sort_by_key(|splice| splice.span);
        let mut end = 0;
        splices.retain(|splice| {
            let fits = splice.span.start >= end;
            if fits {
                end = splice.span.end;
            }
            fits
        });
        Self { splices }
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.splices.is_empty()
    }

    /// The changes, in text order.
    pub fn iter(&self) -> impl Iterator<Item = &Splice> {
        self.splices.iter()
    }

    /// The text with all changes made.
    pub fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for splice in &self.splices {
            out.push_str(Span::new(copied, splice.span.start).of(text));
            out.push_str(&splice.replacement);
            copied = splice.span.end;
        }
        out.push_str(Span::new(copied, text.len() as u32).of(text));
        out
    }

    /// Where a range of the text stands after the changes. What is inserted at its beginning stays
    /// outside, so does what is inserted at its end.
    pub fn shift(&self, span: Span) -> Span {
        let start = moved(span.start, self.before(span.start));
        let inner = self
            .splices
            .iter()
            .take_while(|splice| splice.span.start < span.end);
        let end = inner.fold(i64::from(span.end), |end, splice| end + growth(splice));
        let end = u32::try_from(end).unwrap_or(start);
        Span::new(start, end.max(start))
    }

    /// The map of the changed text to the original, where `map` is that of the text before.
    pub fn compose(&self, map: &TextMap) -> TextMap {
        let pieces = map.pieces().iter().map(|piece| (piece.resolved, 0));
        let splices = self
            .splices
            .iter()
            .map(|splice| (splice.span, growth(splice)));
        let mut parts: Vec<(Span, i64)> = pieces.chain(splices).collect();
        parts.sort_by_key(|(span, _)| *span);
        let mut groups: Vec<(Span, i64)> = Vec::with_capacity(parts.len());
        for (span, growth) in parts {
            match groups.last_mut() {
                // A change inside a replaced value, or across one: both are one replacement now.
                Some((group, total)) if span.start < group.end => {
                    group.end = group.end.max(span.end);
                    *total += growth;
                }
                _ => groups.push((span, growth)),
            }
        }
        let mut shift = 0;
        let mut composed = Vec::with_capacity(groups.len());
        let mut known = map.pieces().iter().peekable();
        for (span, growth) in groups {
            while known
                .next_if(|piece| piece.resolved < span && piece.resolved.end <= span.start)
                .is_some()
            {}
            // A value that became empty stands at one place together with others.
            let original = match known.next_if(|piece| piece.resolved == span) {
                Some(piece) => piece.original,
                None => map.to_original(span),
            };
            let start = moved(span.start, shift);
            shift += growth;
            let resolved = Span::new(start, moved(span.end, shift).max(start));
            composed.push(Piece { original, resolved });
        }
        TextMap::new(composed)
    }

    /// How much longer the text before this offset gets.
    fn before(&self, offset: u32) -> i64 {
        let splices = self.splices.iter();
        let before = splices.take_while(|splice| splice.span.end <= offset);
        before.map(growth).sum()
    }
}

fn growth(splice: &Splice) -> i64 {
    splice.replacement.len() as i64 - i64::from(splice.span.len())
}

fn moved(offset: u32, by: i64) -> u32 {
    u32::try_from(i64::from(offset) + by).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(at: u32, text: &str) -> Splice {
        Splice {
            span: Span::at(at),
            replacement: text.to_owned(),
        }
    }

    /// `a{S:K}b` → `aXXXb`, then `p_` before and `_s` behind the value, `-` in it, `B` for `b`.
    #[test]
    fn changes_and_replaced_values_lead_back_together() {
        let map = TextMap::new(vec![Piece {
            original: Span::new(1, 6),
            resolved: Span::new(1, 4),
        }]);
        let splices = Splices::new(vec![
            insert(4, "_s"),
            insert(1, "p_"),
            insert(2, "-"),
            Splice {
                span: Span::new(4, 5),
                replacement: "BBB".to_owned(),
            },
        ]);
        assert_eq!(splices.apply("aXXXb"), "ap_X-XX_sBBB");
        let composed = splices.compose(&map);
        // The value with what was inserted in it.
        assert_eq!(composed.to_original(Span::new(3, 7)), Span::new(1, 6));
        assert_eq!(composed.to_original(Span::new(4, 5)), Span::new(1, 6));
        assert_eq!(composed.to_original(Span::new(0, 1)), Span::new(0, 1));
        assert_eq!(composed.to_original(Span::new(9, 12)), Span::new(6, 7));
        assert_eq!(composed.to_original(Span::new(0, 12)), Span::new(0, 7));
    }

    #[test]
    fn ranges_move_with_the_text() {
        let splices = Splices::new(vec![insert(2, "xx"), insert(5, "y")]);
        assert_eq!(splices.shift(Span::new(0, 2)), Span::new(0, 2));
        assert_eq!(splices.shift(Span::new(2, 5)), Span::new(4, 7));
        assert_eq!(splices.shift(Span::new(0, 8)), Span::new(0, 11));
        assert_eq!(splices.shift(Span::at(6)), Span::at(9));
    }

    #[test]
    fn of_two_overlapping_changes_the_first_counts() {
        let change = |start, end| Splice {
            span: Span::new(start, end),
            replacement: "-".to_owned(),
        };
        let splices = Splices::new(vec![change(2, 4), change(1, 3)]);
        assert_eq!(splices.apply("abcde"), "a-de");
    }
}
