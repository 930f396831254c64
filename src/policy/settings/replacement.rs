//! Search and replace in the text of one file, as the GitHub Action for policies does it.

use regex::{Captures, Regex};

use super::escape::{self, Fragment};
use super::markup::{Context, Markup};
use super::script_pattern::{PatternError, compile};
use crate::diagnostics::{Location, Source, SourceMap, Span, Splice, Splices};
use crate::xml;

/// A regular expression and what takes the place of its matches, in one file.
#[derive(Debug, Clone)]
pub struct Replacement {
    file: String,
    find: Regex,
    with: Vec<Part>,
    location: Location,
}

/// A part of what is inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
    Name(String),
    /// The text before the match.
    Before,
    /// The text behind the match.
    Behind,
}

/// What became of a text.
pub(super) struct Replaced {
    pub(super) source: Source,
    pub(super) matches: usize,
}

impl Replacement {
    /// Replaces `find`, a regular expression of JavaScript with the flags `g` and `i`, by `with`, in
    /// which `$1`, `$&` and the like mean what they mean in JavaScript. `file` is the name of the
    /// source, `location` the place of the pattern.
    ///
    /// # Errors
    /// If the pattern is wrong, needs what `iefctl` does not have, or matches where nothing is.
    pub fn new(
        file: impl Into<String>,
        find: &str,
        with: &str,
        location: Location,
    ) -> Result<Self, PatternError> {
        let find = compile(find)?;
        let sample = "a-b <c d=\"1\">";
        if find.is_match("") || find.find_iter(sample).any(|found| found.is_empty()) {
            return Err(PatternError {
                reason: "it matches where nothing stands, so that the text would be inserted there"
                    .to_owned(),
                character: 1,
            });
        }
        let with = parts(with, &find);
        Ok(Self {
            file: file.into(),
            find,
            with,
            location,
        })
    }

    /// The name of the file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where the pattern stands.
    pub const fn location(&self) -> Location {
        self.location
    }

    /// Replaces every match in the resolved text; `limit` is the size that the text may reach.
    /// Nothing where it would grow beyond.
    pub(super) fn apply(&self, source: Source, limit: usize) -> Option<Replaced> {
        let text = source.text().clone();
        let (splices, out_length) = self.splices(&text, limit)?;
        debug_assert!(out_length <= limit);
        let matches = splices.len();
        let source = match splices.is_empty() {
            true => source,
            false => source.spliced(&Splices::new(splices)),
        };
        Some(Replaced { source, matches })
    }

    /// The changes to a text, and how long it gets.
    fn splices(&self, text: &str, limit: usize) -> Option<(Vec<Splice>, usize)> {
        let mut markup = Markup::new(text);
        let mut out = String::new();
        let mut copied = 0;
        let mut splices = Vec::new();
        for captures in self.find.captures_iter(text) {
            let Some(found) = captures.get(0).filter(|found| !found.is_empty()) else {
                continue;
            };
            out.push_str(&text[copied..found.start()]);
            copied = found.end();
            let before = out.len();
            let context = markup.at(found.start());
            let value = self.expand(&captures, text);
            insert(&mut out, &value, found.as_str(), context, &text[copied..]);
            splices.push(Splice {
                span: Span::new(found.start() as u32, found.end() as u32),
                replacement: out[before..].to_owned(),
            });
            if out.len() + (text.len() - copied) > limit {
                return None;
            }
        }
        Some((splices, out.len() + (text.len() - copied)))
    }

    fn expand(&self, captures: &Captures<'_>, text: &str) -> String {
        let (start, end) = captures
            .get(0)
            .map_or((0, 0), |found| (found.start(), found.end()));
        let mut value = String::new();
        for part in &self.with {
            match part {
                Part::Text(text) => value.push_str(text),
                Part::Group(number) => {
                    value.push_str(captures.get(*number).map_or("", |group| group.as_str()));
                }
                Part::Name(name) => {
                    value.push_str(captures.name(name).map_or("", |group| group.as_str()));
                }
                Part::Before => value.push_str(&text[..start]),
                Part::Behind => value.push_str(&text[end..]),
            }
        }
        value
    }
}

/// Appends what takes the place of `found`. A value within text or within an attribute value is
/// escaped for that place, with the character references that it already has; in text it may also
/// be whole elements. Where the match covers markup, or stands in a comment, the value is XML as it is.
fn insert(out: &mut String, value: &str, found: &str, context: Context, following: &str) {
    let fragment = Fragment {
        text: value,
        is_xml: true,
    };
    let within = match context {
        Context::Text => !found.contains(['<', '>']) && !is_markup(value),
        Context::AttributeValue(quote) => !found.contains(['<', '>', char::from(quote)]),
        Context::CData => !found.contains("]]>"),
        _ => false,
    };
    let written = within
        && value.chars().all(escape::is_legal)
        && escape::append(out, [fragment].into_iter(), context, following).is_ok();
    if !written {
        out.push_str(value);
    }
}

/// Whether a value is one or several elements or comments, so that it is meant as such.
fn is_markup(value: &str) -> bool {
    if !value.contains('<') {
        return false;
    }
    let mut sources = SourceMap::new();
    let id = sources.add(Source::new("", format!("<x>{value}</x>")));
    let (document, findings) = xml::parse(sources.get(id).text(), id);
    findings.is_empty() && document.is_well_formed()
}

/// Reads the placeholders of a replacement text as JavaScript does.
fn parts(with: &str, find: &Regex) -> Vec<Part> {
    let groups = find.captures_len() - 1;
    let has_names = find.capture_names().flatten().next().is_some();
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = with;
    while let Some(dollar) = rest.find('$') {
        text.push_str(&rest[..dollar]);
        let behind = &rest[dollar + 1..];
        let (part, length) = special(behind, groups, has_names);
        rest = &behind[length..];
        match part {
            Some(Part::Text(more)) => text.push_str(&more),
            None => text.push('$'),
            Some(part) => {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(part);
            }
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

/// What stands behind a dollar sign, and how long that is. Nothing where the sign means itself.
fn special(behind: &str, groups: usize, has_names: bool) -> (Option<Part>, usize) {
    let bytes = behind.as_bytes();
    let digit = |at: usize| {
        let digit = bytes.get(at).filter(|byte| byte.is_ascii_digit());
        digit.map(|byte| usize::from(byte - b'0'))
    };
    match bytes.first() {
        Some(b'$') => (Some(Part::Text("$".to_owned())), 1),
        Some(b'&') => (Some(Part::Group(0)), 1),
        Some(b'`') => (Some(Part::Before), 1),
        Some(b'\'') => (Some(Part::Behind), 1),
        Some(b'<') if has_names => match behind.find('>') {
            Some(end) => (Some(Part::Name(behind[1..end].to_owned())), end + 1),
            None => (None, 0),
        },
        _ => {
            let Some(first) = digit(0) else {
                return (None, 0);
            };
            let two = digit(1).map(|second| first * 10 + second);
            match two.filter(|number| (1..=groups).contains(number)) {
                Some(number) => (Some(Part::Group(number)), 2),
                None if (1..=groups).contains(&first) => (Some(Part::Group(first)), 1),
                None => (None, 0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn replaced(find: &str, with: &str, text: &str) -> String {
        let mut sources = SourceMap::new();
        let location = Location {
            source: sources.add(Source::new("deployment.json", "")),
            span: Span::at(0),
        };
        let replacement = Replacement::new("a.xml", find, with, location).expect(find);
        let source = Source::new("a.xml", text);
        let replaced = replacement.apply(source, 1 << 20).expect("fits");
        replaced.source.text().to_string()
    }

    #[test]
    fn dollars_mean_what_they_mean_in_javascript() {
        for (find, with, expected) in [
            ("(b)(c)", "$2$1", "acbd"),
            ("bc", "[$&]", "a[bc]d"),
            ("bc", "$$1", "a$1d"),
            ("bc", "$1", "a$1d"),
            ("(b)c", "$10", "ab0d"),
            ("(b)c", "$2$", "a$2$d"),
            ("bc", "$`-$'", "aa-dd"),
            ("(?<x>b)c", "$<x>$<y>", "abd"),
            ("bc", "$<x>", "a$&lt;x>d"),
            ("BC", "é", "aéd"),
        ] {
            assert_eq!(replaced(find, with, "abcd"), expected, "{find} {with}");
        }
    }

    #[test]
    fn a_value_is_escaped_for_its_place() {
        for (find, with, text, expected) in [
            ("X", "a=1&b<2", "<a>X</a>", "<a>a=1&amp;b&lt;2</a>"),
            ("X", "a&amp;b&c", "<a>X</a>", "<a>a&amp;b&amp;c</a>"),
            ("X", "a\"'b", "<a b=\"X\"/>", "<a b=\"a&quot;'b\"/>"),
            ("X", "<b c='1'/>", "<a>X</a>", "<a><b c='1'/></a>"),
            (
                "X",
                "<b c='1'/>",
                "<a b='X'/>",
                "<a b='&lt;b c=&apos;1&apos;/>'/>",
            ),
            ("<!-- X -->", "<b/>", "<a><!-- X --></a>", "<a><b/></a>"),
            ("b=\"\\w+\"", "b=\"2\"", "<a b=\"1\"/>", "<a b=\"2\"/>"),
            ("X", "y", "<a><!-- X --></a>", "<a><!-- y --></a>"),
            (
                "X",
                "]]>",
                "<a><![CDATA[X]]></a>",
                "<a><![CDATA[]]]]><![CDATA[>]]></a>",
            ),
        ] {
            assert_eq!(replaced(find, with, text), expected, "{find} {with} {text}");
        }
    }

    #[test]
    fn what_matches_nothing_at_all_is_refused() {
        let mut sources = SourceMap::new();
        let location = Location {
            source: sources.add(Source::new("deployment.json", "")),
            span: Span::at(0),
        };
        for find in ["", "x*", "^", "\\b", "a|"] {
            assert!(
                Replacement::new("a.xml", find, "y", location).is_err(),
                "{find}"
            );
        }
    }

    #[test]
    fn a_text_does_not_grow_beyond_its_limit() {
        let mut sources = SourceMap::new();
        let location = Location {
            source: sources.add(Source::new("deployment.json", "")),
            span: Span::at(0),
        };
        let replacement = Replacement::new("a.xml", "x", "$`$`$'", location).expect("is one");
        let source = Source::new("a.xml", "x".repeat(1000));
        assert!(replacement.apply(source, 10_000).is_none());
    }
}
