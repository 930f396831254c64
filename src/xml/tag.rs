use crate::diagnostics::Span;

use super::characters::{is_name_start, name_length};

/// One attribute as it stands in a start tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawAttribute {
    pub(super) name: Span,
    /// Without quotes.
    pub(super) value: Span,
    /// Whether the value stands for itself: no reference, no white space but blanks, no `<`.
    pub(super) is_plain: bool,
}

/// What is wrong inside a tag, and where.
#[derive(Debug)]
pub(super) struct TagError {
    pub(super) span: Span,
    pub(super) message: String,
}

/// Reads the attributes that stand in `text[span]`, the part of a tag behind its name. Reading goes
/// on behind a mistake where the next attribute can be found again, so that one mistake is one
/// finding and later attributes are not lost.
pub(super) fn attributes(
    text: &str,
    span: Span,
    attributes: &mut Vec<RawAttribute>,
    errors: &mut Vec<TagError>,
) {
    let mut scanner = Scanner {
        text,
        at: span.start,
        end: span.end,
    };
    loop {
        let before = scanner.at;
        scanner.skip_blanks();
        if scanner.at >= scanner.end {
            return;
        }
        let separated = scanner.at > before;
        let name = scanner.name();
        if name.is_empty() {
            let start = scanner.at;
            let wrong = scanner.rest().chars().next().unwrap_or(' ');
            scanner.skip_to_blank();
            errors.push(TagError {
                span: Span::new(start, start + wrong.len_utf8() as u32),
                message: match wrong {
                    '<' => "a tag begins before the previous one is closed with `>`".into(),
                    _ => format!("`{wrong}` cannot stand here: an attribute name is expected"),
                },
            });
            continue;
        }
        if !separated {
            errors.push(TagError {
                span: name,
                message: "white space is missing before this attribute".into(),
            });
        }
        scanner.skip_blanks();
        if scanner.peek() != Some(b'=') {
            errors.push(TagError {
                span: name,
                message: format!("attribute `{}` has no value", name.of(text)),
            });
            continue;
        }
        scanner.at += 1;
        scanner.skip_blanks();
        match scanner.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                let start = scanner.at + 1;
                let rest = Span::new(start, scanner.end).of(text);
                let Some(length) = memchr::memchr(quote, rest.as_bytes()) else {
                    errors.push(TagError {
                        span: Span::new(scanner.at, scanner.at + 1),
                        message: "this quote is never closed".into(),
                    });
                    return;
                };
                let value = Span::new(start, start + length as u32);
                scanner.at = value.end + 1;
                attributes.push(RawAttribute {
                    name,
                    value,
                    is_plain: is_plain(&rest.as_bytes()[..length]),
                });
            }
            _ => {
                let start = scanner.at;
                scanner.skip_to_blank();
                let end = scanner.at.max(start);
                errors.push(TagError {
                    span: Span::new(start, end),
                    message: format!("the value of attribute `{}` is not quoted", name.of(text)),
                });
            }
        }
    }
}

/// Without leaving early: that is a loop that uses vector registers.
fn is_plain(value: &[u8]) -> bool {
    value.iter().fold(true, |is_plain, byte| {
        is_plain & !matches!(byte, b'&' | b'<' | b'\r' | b'\n' | b'\t')
    })
}

struct Scanner<'t> {
    text: &'t str,
    at: u32,
    end: u32,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        Span::new(self.at, self.end).of(self.text)
    }

    fn peek(&self) -> Option<u8> {
        if self.at >= self.end {
            return None;
        }
        self.text.as_bytes().get(self.at as usize).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    fn skip_to_blank(&mut self) {
        while self.peek().is_some_and(|byte| !is_blank(byte)) {
            self.at += 1;
        }
    }

    fn name(&mut self) -> Span {
        let start = self.at;
        self.at += name_length(self.rest()) as u32;
        Span::new(start, self.at)
    }
}

/// White space as XML means it.
#[inline]
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Length of `prefix:` at the start of a qualified name; `None` if the name is no qualified name.
pub(super) fn prefix_length(name: &str) -> Option<u16> {
    match name.split_once(':') {
        None => Some(0),
        Some((prefix, local)) => {
            let valid =
                !prefix.is_empty() && !local.contains(':') && local.starts_with(is_name_start);
            valid.then_some(prefix.len() as u16 + 1)
        }
    }
}

/// Whether the string is a name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name_length(name) == name.len()
}
