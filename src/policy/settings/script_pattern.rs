//! Regular expressions as JavaScript reads them, with the flags `g` and `i`, turned into those of the
//! crate `regex`. That one works in linear time, so that it has neither look-around nor
//! back-references: those are refused by name.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::CharIndices;

use regex::{Regex, RegexBuilder};

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (at character {character})")]
pub struct PatternError {
    /// What is wrong.
    pub reason: String,
    /// The character of the pattern, from 1.
    pub character: usize,
}

/// Compiled patterns do not need more memory than this.
const MAX_COMPILED: usize = 4 << 20;

/// Compiles a pattern.
pub(super) fn compile(pattern: &str) -> Result<Regex, PatternError> {
    let mut translation = Translation {
        pattern,
        input: pattern.char_indices().peekable(),
        out: String::with_capacity(pattern.len() + 16),
        groups: 0,
        repeatable: false,
    };
    translation.run()?;
    let built = RegexBuilder::new(&translation.out)
        .case_insensitive(true)
        .size_limit(MAX_COMPILED)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => PatternError {
            reason: "it is too large".to_owned(),
            character: 1,
        },
        _ => PatternError {
            reason: "it is no regular expression".to_owned(),
            character: 1,
        },
    })
}

struct Translation<'p> {
    pattern: &'p str,
    input: Peekable<CharIndices<'p>>,
    out: String,
    /// Groups that are open.
    groups: usize,
    /// Whether a quantifier may follow.
    repeatable: bool,
}

/// A member of a character class.
enum Member {
    Character(char),
    /// Several characters, as they stand in a class.
    Set(&'static str),
}

impl Translation<'_> {
    fn error<T>(&self, at: usize, reason: impl Into<String>) -> Result<T, PatternError> {
        Err(PatternError {
            reason: reason.into(),
            character: self.pattern[..at].chars().count() + 1,
        })
    }

    fn rest(&mut self) -> &str {
        let pattern = self.pattern;
        let at = self.input.peek().map_or(pattern.len(), |(at, _)| *at);
        &pattern[at..]
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            for _ in text.chars() {
                self.input.next();
            }
        }
        found
    }

    fn literal(&mut self, character: char) {
        // Writing to a string does not fail.
        let _ = write!(self.out, "\\x{{{:X}}}", u32::from(character));
        self.repeatable = true;
    }

    fn atom(&mut self, text: &str) {
        self.out.push_str(text);
        self.repeatable = true;
    }

    fn run(&mut self) -> Result<(), PatternError> {
        while let Some((at, character)) = self.input.next() {
            match character {
                '\\' => self.escape(at)?,
                '[' => self.class(at)?,
                '(' => self.group(at)?,
                ')' => {
                    if self.groups == 0 {
                        return self.error(at, "this parenthesis closes none");
                    }
                    self.groups -= 1;
                    self.atom(")");
                }
                '.' => self.atom("[^\\n\\r\\x{2028}\\x{2029}]"),
                '^' => self.anchor("\\A"),
                '$' => self.anchor("\\z"),
                '|' => self.anchor("|"),
                '*' | '+' | '?' => self.quantifier(at, &character.to_string())?,
                '{' => match braces(self.pattern, at) {
                    Some(quantifier) => {
                        let quantifier = quantifier.to_owned();
                        self.eat(&quantifier[1..]);
                        self.quantifier(at, &quantifier)?;
                    }
                    // JavaScript takes other braces as they stand.
                    None => self.literal('{'),
                },
                other => self.literal(other),
            }
        }
        if self.groups > 0 {
            return self.error(self.pattern.len(), "a parenthesis is not closed");
        }
        Ok(())
    }

    fn anchor(&mut self, text: &str) {
        self.out.push_str(text);
        self.repeatable = false;
    }

    fn quantifier(&mut self, at: usize, text: &str) -> Result<(), PatternError> {
        if !self.repeatable {
            return self.error(at, format!("there is nothing that `{text}` could repeat"));
        }
        self.out.push_str(text);
        if self.eat("?") {
            self.out.push('?');
        }
        self.repeatable = false;
        Ok(())
    }

    fn group(&mut self, at: usize) -> Result<(), PatternError> {
        self.repeatable = false;
        self.groups += 1;
        if self.eat("?:") {
            self.out.push_str("(?:");
        } else if ["?=", "?!", "?<=", "?<!"]
            .iter()
            .any(|look| self.rest().starts_with(look))
        {
            return self.error(
                at,
                "iefctl does not look ahead or behind (`(?=`, `(?!`, `(?<`)",
            );
        } else if self.eat("?<") {
            let name: String = self.rest().chars().take_while(|c| *c != '>').collect();
            if !self.eat(&name) || !self.eat(">") {
                return self.error(at, "the name of a group is not closed");
            }
            let _ = write!(self.out, "(?P<{name}>");
        } else if self.eat("?") {
            return self.error(at, "this kind of group is unknown");
        } else {
            self.out.push('(');
        }
        Ok(())
    }

    fn escape(&mut self, at: usize) -> Result<(), PatternError> {
        let Some((_, character)) = self.input.next() else {
            return self.error(at, "a backslash stands at the end");
        };
        match character {
            'd' => self.atom("[0-9]"),
            'D' => self.atom("[^0-9]"),
            'w' => self.atom("[0-9A-Za-z_]"),
            'W' => self.atom("[^0-9A-Za-z_]"),
            's' => self.atom("[\\s\\x{FEFF}]"),
            'S' => self.atom("[^\\s\\x{FEFF}]"),
            'b' => self.anchor("(?-u:\\b)"),
            'B' => return self.error(at, "iefctl does not know `\\B`"),
            '1'..='9' => return self.error(at, "iefctl does not refer back to groups"),
            'k' if self.rest().starts_with('<') => {
                return self.error(at, "iefctl does not refer back to groups");
            }
            other => {
                let character = self.character(at, other)?;
                self.literal(character);
            }
        }
        Ok(())
    }

    /// The one character that an escape means.
    fn character(&mut self, at: usize, escaped: char) -> Result<char, PatternError> {
        let code = match escaped {
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'v' => return Ok('\u{b}'),
            'f' => return Ok('\u{c}'),
            '0' if !self.rest().starts_with(|c: char| c.is_ascii_digit()) => return Ok('\0'),
            '0'..='9' => return self.error(at, "an octal number; write it as \\xHH"),
            'c' => match self.rest().chars().next() {
                Some(letter) if letter.is_ascii_alphabetic() => {
                    self.input.next();
                    return Ok(char::from(letter as u8 & 0x1f));
                }
                _ => return self.error(at, "`\\c` needs a letter"),
            },
            'x' => self.hexadecimal(2),
            'u' => self.hexadecimal(4),
            other => return Ok(other),
        };
        match code {
            // JavaScript takes the letter itself where no number follows.
            None => Ok(escaped),
            Some(code) => match char::from_u32(code) {
                Some(character) => Ok(character),
                None => self.error(at, "half of a surrogate pair; write the character itself"),
            },
        }
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<u32> {
        let text: String = self.rest().chars().take(digits).collect();
        let valid = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = valid.then(|| u32::from_str_radix(&text, 16).ok()).flatten();
        if number.is_some() {
            self.eat(&text);
        }
        number
    }

    fn class(&mut self, start: usize) -> Result<(), PatternError> {
        let negated = self.eat("^");
        let mut members = String::new();
        let mut any = false;
        loop {
            let Some((at, character)) = self.input.next() else {
                return self.error(start, "a bracket is not closed");
            };
            if character == ']' {
                break;
            }
            any = true;
            let first = self.member(at, character)?;
            let is_range = self.rest().starts_with('-') && !self.rest().starts_with("-]");
            if !is_range {
                push(&mut members, &first);
                continue;
            }
            self.input.next();
            let Some((next_at, next)) = self.input.next() else {
                return self.error(start, "a bracket is not closed");
            };
            let last = self.member(next_at, next)?;
            match (&first, &last) {
                (Member::Character(from), Member::Character(to)) if from <= to => {
                    push(&mut members, &first);
                    members.push('-');
                    push(&mut members, &last);
                }
                (Member::Character(_), Member::Character(_)) => {
                    return self.error(at, "a range ends before it begins");
                }
                // With a set at one end, JavaScript takes the hyphen as it stands.
                _ => {
                    push(&mut members, &first);
                    push(&mut members, &Member::Character('-'));
                    push(&mut members, &last);
                }
            }
        }
        match (any, negated) {
            (true, true) => self.atom(&format!("[^{members}]")),
            (true, false) => self.atom(&format!("[{members}]")),
            (false, true) => self.atom("[\\s\\S]"),
            (false, false) => self.atom("[^\\s\\S]"),
        }
        Ok(())
    }

    fn member(&mut self, at: usize, character: char) -> Result<Member, PatternError> {
        if character != '\\' {
            return Ok(Member::Character(character));
        }
        let Some((_, escaped)) = self.input.next() else {
            return self.error(at, "a backslash stands at the end");
        };
        Ok(match escaped {
            'd' => Member::Set("0-9"),
            'D' => Member::Set("[^0-9]"),
            'w' => Member::Set("0-9A-Za-z_"),
            'W' => Member::Set("[^0-9A-Za-z_]"),
            's' => Member::Set("\\s\\x{FEFF}"),
            'S' => Member::Set("[^\\s\\x{FEFF}]"),
            'b' => Member::Character('\u{8}'),
            other => Member::Character(self.character(at, other)?),
        })
    }
}

fn push(members: &mut String, member: &Member) {
    match member {
        Member::Character(character) => {
            let _ = write!(members, "\\x{{{:X}}}", u32::from(*character));
        }
        Member::Set(set) => members.push_str(set),
    }
}

/// The quantifier that begins with the brace at `at`.
fn braces(pattern: &str, at: usize) -> Option<&str> {
    let end = at + pattern[at..].find('}')?;
    let inside = &pattern[at + 1..end];
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!least.is_empty() && is_number(least) && is_number(most)).then(|| &pattern[at..=end])
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[track_caller]
    fn found(pattern: &str, text: &str) -> Vec<String> {
        let regex = compile(pattern).expect(pattern);
        regex
            .find_iter(text)
            .map(|found| found.as_str().to_owned())
            .collect()
    }

    #[test]
    fn patterns_mean_what_they_mean_in_javascript() {
        for (pattern, text, expected) in [
            ("client_id_here", "a CLIENT_ID_HERE b", "CLIENT_ID_HERE"),
            (
                "https://dev\\.api",
                "https://dev.api/x https://devxapi",
                "https://dev.api",
            ),
            ("https:\\/\\/x", "https://x", "https://x"),
            ("{ApiHost}", "{apihost}", "{apihost}"),
            ("a{2,3}", "a aa aaaa", "aa aaa"),
            ("a{,3}", "aaa a{,3}", "a{,3}"),
            ("[^]]", "x]", "x]"),
            ("[a&&b]", "a & b c", "a & b"),
            ("[[]", "[x", "["),
            ("[\\w-]+", "a-b c", "a-b c"),
            ("[+--]", "+ , - .", "+ , -"),
            ("\\d+", "12 \u{0663}", "12"),
            ("\\bab\\b", "ab äab", "ab ab"),
            (".", "\n\r\u{2028}é", "é"),
            ("\\x41\\u0042\\cJ", "AB\n", "AB\n"),
            ("\\xZZ", "xzz", "xzz"),
            ("(?<n>a)|b", "ab", "a b"),
            ("]}", "]}", "]}"),
            ("^a", "a\na", "a"),
            ("#  x", "#  x # x", "#  x"),
        ] {
            assert_eq!(found(pattern, text).join(" "), expected, "{pattern}");
        }
        assert!(found("[]", "abc").is_empty());
    }

    #[test]
    fn what_cannot_be_done_is_named_with_its_place() {
        for (pattern, words, character) in [
            ("a(?=b)", "look ahead", 2),
            ("(?<!a)b", "look ahead or behind", 1),
            ("(a)\\1", "refer back", 4),
            ("ä(", "not closed", 3),
            ("a)", "closes none", 2),
            ("*a", "nothing", 1),
            ("a**", "nothing", 3),
            ("[b-a]", "ends before", 2),
            ("[a", "bracket", 1),
            ("a\\", "backslash", 2),
            ("\\ud83d", "surrogate", 1),
            ("(?i:a)", "kind of group", 1),
            ("(?<n", "name of a group", 1),
            ("a{1000}{1000}", "nothing", 8),
            ("(a{1000}){1000}", "too large", 1),
        ] {
            let error = compile(pattern).expect_err(pattern);
            assert!(error.reason.contains(words), "{pattern}: {error}");
            assert_eq!(error.character, character, "{pattern}: {error}");
        }
    }
}
