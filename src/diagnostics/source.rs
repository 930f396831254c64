use std::fmt;
use std::sync::{Arc, OnceLock};

use line_index::LineIndex;

use super::{Splices, TextMap};

/// A half-open byte range, always on character boundaries of the text that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` to `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The empty range at `offset`.
    pub const fn at(offset: u32) -> Self {
        Self::new(offset, offset)
    }

    /// Length in bytes.
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the range covers no byte.
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// The part of `text` that the range covers; empty where the range does not fit the text.
    #[inline]
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// The smallest range that covers both.
    pub fn cover(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// Whether `offset` lies in the range.
    pub const fn contains(self, offset: u32) -> bool {
        self.start <= offset && offset < self.end
    }
}

/// The number of a source in its [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A place in the resolved text of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Which source.
    pub source: SourceId,
    /// Where in its resolved text.
    pub span: Span,
}

/// A position as people and services write it: both numbers start at 1, columns count characters
/// (Unicode scalar values).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for LineColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One text that findings can point into: a policy file, a settings file, a policy of the tenant.
///
/// `original` is what the user's file holds, `text` the same after placeholders were replaced (equal
/// where there are none). Neither contains a byte order mark; `has_bom` remembers it for those who
/// write the file back.
#[derive(Debug, Clone)]
pub struct Source {
    name: String,
    original: Arc<str>,
    text: Arc<str>,
    map: TextMap,
    has_bom: bool,
    /// The lines of the original text, from the first time that a position is asked for.
    lines: OnceLock<Arc<LineIndex>>,
}

impl Source {
    /// A source whose text is used as it stands in the file. `name` is the path as the user would
    /// write it, with forward slashes.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        Self {
            name: name.into(),
            original: Arc::clone(&text),
            text,
            map: TextMap::identity(),
            has_bom: false,
            lines: OnceLock::new(),
        }
    }

    /// The same source with its placeholders replaced: `text` is the new resolved text, `map` leads
    /// from it to the original.
    #[must_use]
    pub fn resolved(self, text: impl Into<Arc<str>>, map: TextMap) -> Self {
        Self {
            text: text.into(),
            map,
            ..self
        }
    }

    /// The same source with its resolved text changed once more; places still lead to the original.
    #[must_use]
    pub fn spliced(self, splices: &Splices) -> Self {
        Self {
            text: splices.apply(&self.text).into(),
            map: splices.compose(&self.map),
            ..self
        }
    }

    /// The way from the resolved text to the original.
    pub const fn map(&self) -> &TextMap {
        &self.map
    }

    /// Notes that the file starts with a UTF-8 byte order mark.
    #[must_use]
    pub fn with_bom(self, has_bom: bool) -> Self {
        Self { has_bom, ..self }
    }

    /// The path or name as shown to the user.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of the user's file, without byte order mark.
    pub fn original(&self) -> &Arc<str> {
        &self.original
    }

    /// The text after placeholders were replaced; spans of findings refer to it.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether the file starts with a UTF-8 byte order mark.
    pub const fn has_bom(&self) -> bool {
        self.has_bom
    }

    /// Where a range of the resolved text stands in the original text. A range that begins or ends
    /// inside a replaced value widens to the whole placeholder.
    pub fn to_original(&self, span: Span) -> Span {
        self.map.to_original(span)
    }

    /// Line and column of an offset in the original text.
    fn line_column(&self, offset: u32) -> LineColumn {
        let lines = self
            .lines
            .get_or_init(|| Arc::new(LineIndex::new(&self.original)));
        let offset = offset.min(self.original.len() as u32);
        let Some(position) = lines.try_line_col(offset.into()) else {
            return LineColumn { line: 1, column: 1 };
        };
        let start = offset - position.col;
        let column = Span::new(start, offset).of(&self.original).chars().count() as u32 + 1;
        LineColumn {
            line: position.line + 1,
            column,
        }
    }

    /// The bytes of the original text that an edit of this range of the resolved text would replace;
    /// `None` where the file does not hold that text, because a placeholder stands for some of it,
    /// or where the range does not fit the text.
    pub fn editable(&self, span: Span) -> Option<Span> {
        if self.map.touches_replacement(span) {
            return None;
        }
        let original = self.to_original(span);
        let resolved = self.text.get(span.start as usize..span.end as usize)?;
        let held = self
            .original
            .get(original.start as usize..original.end as usize)?;
        (held == resolved).then_some(original)
    }

    /// The resolved-text offset of a 1-based line and column that count in the resolved text, as the
    /// service reports them for what was uploaded. Positions behind the end of a line or of the text
    /// fall on that end.
    pub fn offset_of(&self, position: LineColumn) -> u32 {
        let mut start = 0usize;
        for _ in 1..position.line {
            match self.text[start..].find('\n') {
                Some(newline) => start += newline + 1,
                None => return self.text.len() as u32,
            }
        }
        let line = self.text[start..].lines().next().unwrap_or_default();
        let column = position.column.saturating_sub(1) as usize;
        let within = line
            .char_indices()
            .nth(column)
            .map_or(line.len(), |(offset, _)| offset);
        (start + within) as u32
    }
}

/// All sources of a run. Adding returns the id that locations carry.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

impl SourceMap {
    /// A map without sources.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source and returns its id.
    pub fn add(&mut self, source: Source) -> SourceId {
        let id = SourceId(self.sources.len() as u32);
        self.sources.push(source);
        id
    }

    /// The source with this id.
    ///
    /// # Panics
    /// If the id comes from another map, which is a programming error.
    pub fn get(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }

    /// Changes the resolved text of a source.
    ///
    /// # Panics
    /// If the id comes from another map, which is a programming error.
    pub fn splice(&mut self, id: SourceId, splices: &Splices) {
        let source = &mut self.sources[id.0 as usize];
        *source = source.clone().spliced(splices);
    }

    /// The first source of this name.
    pub fn find(&self, name: &str) -> Option<SourceId> {
        let index = self.sources.iter().position(|source| source.name == name)?;
        Some(SourceId(index as u32))
    }

    /// All sources with their ids, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.sources
            .iter()
            .enumerate()
            .map(|(index, source)| (SourceId(index as u32), source))
    }

    /// Start and end of a location as line and column of the file that the user edits.
    pub fn position(&self, location: Location) -> (LineColumn, LineColumn) {
        let source = self.get(location.source);
        let span = source.to_original(location.span);
        (source.line_column(span.start), source.line_column(span.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let mut sources = SourceMap::new();
        let source = sources.add(Source::new("a.xml", "<a>\n  äö<b/>\n</a>"));
        let start = "<a>\n  äö".len() as u32;
        let location = Location {
            source,
            span: Span::new(start, start + 4),
        };
        let (from, to) = sources.position(location);
        assert_eq!(from, LineColumn { line: 2, column: 5 });
        assert_eq!(to, LineColumn { line: 2, column: 9 });
        assert_eq!(sources.get(source).offset_of(from), start);
    }

    #[test]
    fn a_position_behind_the_text_falls_on_its_end() {
        let source = Source::new("a.xml", "ab\ncd");
        let behind = LineColumn { line: 9, column: 9 };
        assert_eq!(source.offset_of(behind), 5);
        let behind_line = LineColumn { line: 1, column: 9 };
        assert_eq!(source.offset_of(behind_line), 2);
    }
}
