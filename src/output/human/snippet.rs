//! The source lines of a finding, with their labels drawn by annotate-snippets.
//!
//! The lines are copied into an excerpt first: cut around the label where they are long, tabs
//! expanded, control characters made visible. So the drawing never sees a line that it would have
//! to cut itself, and its work does not grow with the length of the file.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level as Severity, Renderer, Snippet as Drawing};

use crate::diagnostics::Level;
use crate::output::text_index::TextIndex;
use crate::output::visible::visible;

const TAB: &str = "    ";
const ELLIPSIS: &str = "...";
/// A label that is longer than the line can show keeps so many characters in front of it.
const LEAD: usize = 8;
/// Inside a label of many lines, lines farther than this from its ends are never drawn.
const DRAWN_LINES: usize = 8;

/// A range of the original text with the word that stands below it.
pub(super) struct Mark<'a> {
    pub(super) range: Range<usize>,
    pub(super) word: Option<Cow<'a, str>>,
}

/// One drawing of a piece of a file.
pub(super) struct Snippet<'a> {
    /// The whole original text.
    pub(super) text: &'a TextIndex<'a>,
    /// What to point at; not empty.
    pub(super) marks: &'a [Mark<'a>],
    pub(super) level: Level,
    /// Whether the first mark is the primary label of the finding.
    pub(super) is_first: bool,
    /// Columns for source text.
    pub(super) width: usize,
    /// Columns for line numbers.
    pub(super) gutter: usize,
    pub(super) colour: bool,
}

impl Snippet<'_> {
    /// The lines, each with its line break.
    pub(super) fn draw(&self) -> String {
        let ranges: Vec<Range<usize>> = self
            .marks
            .iter()
            .map(|mark| {
                let offset = |offset| outside_line_break(self.text.text(), offset);
                offset(mark.range.start)..offset(mark.range.end)
            })
            .collect();
        let excerpt = Excerpt::new(self.text, &ranges, self.width);
        let labels = self.marks.iter().zip(&ranges).enumerate();
        let annotations = labels.map(|(index, (mark, range))| {
            let kind = if index == 0 && self.is_first {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            kind.span(excerpt.range(range)).label(mark.word.as_deref())
        });
        let drawing = Drawing::source(excerpt.text.as_str())
            .line_start(excerpt.first_line + 1)
            .annotations(annotations);
        let severity = match self.level {
            Level::Error => Severity::ERROR,
            Level::Warning => Severity::WARNING,
            Level::Hint => Severity::INFO,
        };
        let renderer = if self.colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let drawn = renderer
            .term_width(self.width + 2 * ELLIPSIS.len() + TAB.len())
            .render(&[Group::with_level(severity).element(drawing)]);
        self.aligned(&drawn, excerpt.last_line + 1)
    }

    /// Line numbers of one drawing may have fewer digits than those of the next one.
    fn aligned(&self, drawn: &str, last_number: usize) -> String {
        let digits = last_number.to_string().len();
        let indent = " ".repeat(self.gutter.saturating_sub(digits));
        drawn
            .lines()
            .map(|line| format!("{indent}{line}\n"))
            .collect()
    }
}

/// Whether all lines in which `range` begins or ends can be shown whole in `width` columns.
pub(super) fn fits(text: &TextIndex<'_>, range: &Range<usize>, width: usize) -> bool {
    [range.start, range.end].into_iter().all(|offset| {
        let line = text.range(text.line(offset));
        columns_up_to(&text.text()[line], width) <= width
    })
}

/// The lines around some ranges, as they are shown.
struct Excerpt {
    text: String,
    /// Numbers of the first and last line, from 0.
    first_line: usize,
    last_line: usize,
    /// Original offset and offset in `text`, ascending.
    offsets: Vec<(usize, usize)>,
}

impl Excerpt {
    fn new(text: &TextIndex<'_>, ranges: &[Range<usize>], width: usize) -> Self {
        let ends: Vec<usize> = ranges
            .iter()
            .flat_map(|range| [text.line(range.start), text.line(range.end)])
            .collect();
        let mut excerpt = Self {
            text: String::new(),
            first_line: ends.iter().copied().min().unwrap_or(0),
            last_line: ends.iter().copied().max().unwrap_or(0),
            offsets: Vec::new(),
        };
        for number in excerpt.first_line..=excerpt.last_line {
            if number > excerpt.first_line {
                excerpt.text.push('\n');
            }
            let line = text.range(number);
            if ends.iter().any(|end| end.abs_diff(number) <= DRAWN_LINES) {
                let window = window(text.text(), &line, ranges, width);
                excerpt.copy(text.text(), &line, window);
            } else {
                excerpt.offsets.push((line.start, excerpt.text.len()));
            }
        }
        excerpt
    }

    /// The range in the excerpt that shows a range of the original; what was cut off belongs to the
    /// ellipsis.
    fn range(&self, original: &Range<usize>) -> Range<usize> {
        let offset = |wanted: usize| {
            let index = self.offsets.partition_point(|(offset, _)| *offset < wanted);
            self.offsets
                .get(index)
                .map_or(self.text.len(), |(_, offset)| *offset)
        };
        let start = offset(original.start);
        start..offset(original.end).max(start)
    }

    fn copy(&mut self, text: &str, line: &Range<usize>, window: Range<usize>) {
        if window.start > line.start {
            self.text.push_str(ELLIPSIS);
        }
        for (index, c) in text[window.clone()].char_indices() {
            let offset = window.start + index;
            self.offsets.push((offset, self.text.len()));
            match c {
                '\t' => self.text.push_str(TAB),
                c => self.text.push(visible(c, &text[offset..window.end])),
            }
        }
        self.offsets.push((window.end, self.text.len()));
        self.offsets.push((line.end, self.text.len()));
        if window.end < line.end {
            self.text.push_str(ELLIPSIS);
        }
    }
}

/// The part of a line to show: all of it, or `width` columns around the first range that touches it.
fn window(text: &str, line: &Range<usize>, ranges: &[Range<usize>], width: usize) -> Range<usize> {
    if columns_up_to(&text[line.clone()], width) <= width {
        return line.clone();
    }
    let within = |offset: usize| line.start <= offset && offset <= line.end;
    let focus = ranges.iter().find_map(|range| {
        if within(range.start) {
            Some(range.start..range.end.min(line.end))
        } else if within(range.end) {
            Some(range.end..range.end)
        } else {
            None
        }
    });
    let Some(focus) = focus else {
        return line.start..walk(text, line.start..line.end, width);
    };
    let label = columns_up_to(&text[focus.clone()], width);
    let lead = (width.saturating_sub(label) / 2).max(LEAD);
    let start = walk_back(text, line.start..focus.start, lead);
    let end = walk(text, start..line.end, width);
    if end == line.end {
        // Nothing is cut off behind; show more in front.
        return walk_back(text, line.start..line.end, width)..line.end;
    }
    start..end
}

/// The end of the characters from the start of `range` that fill at most `columns`.
fn walk(text: &str, range: Range<usize>, columns: usize) -> usize {
    let mut left = columns;
    for (index, c) in text[range.clone()].char_indices() {
        match left.checked_sub(columns_of(c)) {
            Some(rest) => left = rest,
            None => return range.start + index,
        }
    }
    range.end
}

/// The start of the characters up to the end of `range` that fill at most `columns`.
fn walk_back(text: &str, range: Range<usize>, columns: usize) -> usize {
    let mut left = columns;
    for (index, c) in text[range.clone()].char_indices().rev() {
        match left.checked_sub(columns_of(c)) {
            Some(rest) => left = rest,
            None => return range.start + index + c.len_utf8(),
        }
    }
    range.start
}

/// Columns of a text, counted only until they are more than `most`.
fn columns_up_to(text: &str, most: usize) -> usize {
    let mut columns = 0;
    for c in text.chars() {
        columns += columns_of(c);
        if columns > most {
            break;
        }
    }
    columns
}

/// Columns that a character may take; beyond ASCII the wide case is assumed.
const fn columns_of(c: char) -> usize {
    match c {
        '\t' => TAB.len(),
        c if c.is_ascii() => 1,
        _ => 2,
    }
}

/// An offset between the two characters of a line break moves in front of it.
fn outside_line_break(text: &str, offset: usize) -> usize {
    let is_between = text[..offset].ends_with('\r') && text[offset..].starts_with('\n');
    if is_between { offset - 1 } else { offset }
}
