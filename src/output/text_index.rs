use std::ops::Range;

use crate::diagnostics::LineColumn;

/// Bytes between two remembered character counts.
const BLOCK: usize = 1_024;

/// Lines and columns of one text. No answer takes longer for a long line or a long text, so that
/// many findings in one enormous line are no trouble.
pub(super) struct TextIndex<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    /// How many characters begin before each multiple of [`BLOCK`].
    characters: Vec<usize>,
}

impl<'t> TextIndex<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1);
        let mut count = 0;
        let blocks = text.as_bytes().chunks(BLOCK).map(|block| {
            count += starts(block);
            count
        });
        Self {
            text,
            line_starts: std::iter::once(0).chain(breaks).collect(),
            characters: std::iter::once(0).chain(blocks).collect(),
        }
    }

    pub(super) const fn text(&self) -> &'t str {
        self.text
    }

    /// The number of the line that holds `offset`, from 0. The line break belongs to its line.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset) - 1
    }

    /// Where a line stands, without its line break; behind the last line is nothing.
    pub(super) fn range(&self, line: usize) -> Range<usize> {
        let start = self.start(line);
        let end = self.start(line + 1);
        let content = &self.text[start..end];
        let content = content.strip_suffix('\n').map_or(content, |content| {
            content.strip_suffix('\r').unwrap_or(content)
        });
        start..start + content.len()
    }

    /// The position of an offset as people write it.
    pub(super) fn position(&self, offset: usize) -> LineColumn {
        let line = self.line(offset);
        let column = self.characters_before(offset) - self.characters_before(self.start(line));
        LineColumn {
            line: line as u32 + 1,
            column: column as u32 + 1,
        }
    }

    fn start(&self, line: usize) -> usize {
        let start = self.line_starts.get(line).copied();
        start.unwrap_or(self.text.len())
    }

    fn characters_before(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let block = offset / BLOCK;
        self.characters[block] + starts(&self.text.as_bytes()[block * BLOCK..offset])
    }
}

/// How many characters begin in some bytes of UTF-8.
fn starts(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_agree_with_counting() {
        let text = format!("ab\r\n{}\n\n€{}", "ä𝄞x".repeat(1_000), "y".repeat(BLOCK));
        let index = TextIndex::new(&text);
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let before = &text[..offset];
            let line = before.matches('\n').count();
            let start = before.rfind('\n').map_or(0, |newline| newline + 1);
            let expected = LineColumn {
                line: line as u32 + 1,
                column: text[start..offset].chars().count() as u32 + 1,
            };
            assert_eq!(index.position(offset), expected);
        }
    }

    #[test]
    fn lines_come_without_their_breaks() {
        let index = TextIndex::new("ab\r\nc\n\r\n\n");
        let lines: Vec<&str> = (0..6)
            .map(|line| &index.text()[index.range(line)])
            .collect();
        assert_eq!(lines, ["ab", "c", "", "", "", ""]);
        assert_eq!(TextIndex::new("").range(0), 0..0);
        assert_eq!(TextIndex::new("a\r").range(0), 0..2);
    }
}
