use std::ops::Range;

use crate::diagnostics::LineColumn;

/// Bytes between two remembered counts: a few lines.
const BLOCK: usize = 256;

/// Lines and columns of one text. No answer takes longer for a long line or a long text, so that
/// many findings in one enormous line are no trouble.
pub(super) struct TextIndex<'t> {
    text: &'t str,
    /// What stands before each multiple of [`BLOCK`].
    counts: Vec<Counts>,
}

#[derive(Clone, Copy)]
struct Counts {
    line_breaks: usize,
    /// How many characters begin.
    characters: usize,
}

impl<'t> TextIndex<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut before = Counts {
            line_breaks: 0,
            characters: 0,
        };
        let mut counts = Vec::with_capacity(text.len() / BLOCK + 2);
        counts.push(before);
        for block in text.as_bytes().chunks(BLOCK) {
            before.line_breaks += count_line_breaks(block);
            before.characters += starts(block);
            counts.push(before);
        }
        Self { text, counts }
    }

    pub(super) const fn text(&self) -> &'t str {
        self.text
    }

    /// The number of the line that holds `offset`, from 0. The line break belongs to its line.
    pub(super) fn line(&self, offset: usize) -> usize {
        let (counts, rest) = self.before(offset);
        counts.line_breaks + count_line_breaks(rest)
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
        let Some(break_before) = line.checked_sub(1) else {
            return 0;
        };
        // The block before the first with more line breaks before it.
        let behind = |counts: &Counts| counts.line_breaks <= break_before;
        let block = self.counts.partition_point(behind) - 1;
        let start = (block * BLOCK).min(self.text.len());
        let found = memchr::memchr_iter(b'\n', &self.text.as_bytes()[start..])
            .nth(break_before - self.counts[block].line_breaks);
        found.map_or(self.text.len(), |found| start + found + 1)
    }

    fn characters_before(&self, offset: usize) -> usize {
        let (counts, rest) = self.before(offset);
        counts.characters + starts(rest)
    }

    /// The counts before the block that holds the offset, and the bytes from there to the offset.
    fn before(&self, offset: usize) -> (Counts, &'t [u8]) {
        let offset = offset.min(self.text.len());
        let block = offset / BLOCK;
        let rest = &self.text.as_bytes()[block * BLOCK..offset];
        (self.counts[block], rest)
    }
}

/// Counts in bytes, with vector instructions, as far as a byte can count.
fn count_line_breaks(bytes: &[u8]) -> usize {
    let counts = bytes.chunks(128).map(|chunk| {
        let breaks = chunk.iter().map(|byte| u8::from(*byte == b'\n'));
        usize::from(breaks.sum::<u8>())
    });
    counts.sum()
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
