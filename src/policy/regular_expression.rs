//! Regular expressions as the service reads them: what .NET certainly refuses, and what a browser,
//! which checks the user's input with the same text, reads differently.
//!
//! The parser follows the grammar of .NET without building anything. Where a construct makes the
//! outcome uncertain (conditions, the options `x` and `n`), it stops and says nothing.

/// What is wrong with a regular expression.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegexAnalysis {
    /// Why .NET refuses it, with the number of the character, from 1.
    pub error: Option<String>,
    /// Constructs that JavaScript does not know or reads otherwise; each once.
    pub not_javascript: Vec<&'static str>,
}

/// Analyses a regular expression.
pub fn analyse_regex(pattern: &str) -> RegexAnalysis {
    let mut parser = Parser {
        units: pattern.encode_utf16().collect(),
        at: 0,
        groups: Groups::default(),
        not_javascript: Vec::new(),
    };
    let outcome = parser.groups().and_then(|groups| {
        parser.groups = groups;
        parser.at = 0;
        parser.not_javascript.clear();
        parser.expression()
    });
    let error = match outcome {
        Ok(()) | Err(Stop::Uncertain) => None,
        Err(Stop::Refused(reason)) => {
            let before = parser.units.get(..parser.at).unwrap_or(&parser.units);
            let count = char::decode_utf16(before.iter().copied()).count();
            Some(format!("{reason} (at character {})", count.max(1)))
        }
    };
    let mut not_javascript = parser.not_javascript;
    let mut seen = std::collections::HashSet::new();
    not_javascript.retain(|construct| seen.insert(*construct));
    RegexAnalysis {
        error,
        not_javascript,
    }
}

/// Why parsing ended early.
enum Stop {
    /// .NET refuses the expression.
    Refused(&'static str),
    /// The outcome cannot be told.
    Uncertain,
}

/// The groups that an expression captures.
#[derive(Default)]
struct Groups {
    /// Unnamed groups.
    unnamed: u32,
    names: std::collections::HashSet<String>,
    numbers: std::collections::HashSet<u32>,
}

impl Groups {
    fn has(&self, number: u32) -> bool {
        // Named groups are numbered behind the unnamed ones.
        number <= self.unnamed + self.names.len() as u32 || self.numbers.contains(&number)
    }
}

struct Parser {
    /// .NET counts in UTF-16 code units: a character beyond the basic plane is two of them.
    units: Vec<u16>,
    at: usize,
    groups: Groups,
    not_javascript: Vec<&'static str>,
}

/// Class subtractions within each other beyond which nobody writes by hand.
const DEEPEST: usize = 50;

/// The general categories of Unicode that .NET knows.
const CATEGORIES: &[&str] = &[
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc",
    "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C",
    "Cc", "Cf", "Cs", "Co", "Cn",
];

impl Parser {
    fn peek(&self, ahead: usize) -> Option<char> {
        let unit = *self.units.get(self.at + ahead)?;
        Some(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek(0)?;
        self.at += 1;
        Some(next)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek(0) == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Counts the groups first, because a reference may stand before its group.
    fn groups(&mut self) -> Result<Groups, Stop> {
        let mut groups = Groups::default();
        while let Some(c) = self.next() {
            match c {
                '\\' => self.at += 1,
                '[' => self.class(0)?,
                '(' if self.peek(0) != Some('?') => groups.unnamed += 1,
                '(' if self.peek(1) == Some('#') => self.comment()?,
                '(' => {
                    let close = match self.peek(1) {
                        Some('<') => '>',
                        Some('\'') => '\'',
                        _ => continue,
                    };
                    self.at += 2;
                    let name = self.word();
                    if name.is_empty() || ![Some(close), Some('-')].contains(&self.peek(0)) {
                        continue;
                    }
                    match name.parse() {
                        Ok(number) => groups.numbers.insert(number),
                        Err(_) => groups.names.insert(name),
                    };
                }
                _ => {}
            }
        }
        Ok(groups)
    }

    fn expression(&mut self) -> Result<(), Stop> {
        let mut open = 0usize;
        // Whether something stands before that a quantifier can apply to, or a quantifier.
        let mut unit = false;
        let mut quantified = false;
        while let Some(c) = self.peek(0) {
            let was_quantified = std::mem::take(&mut quantified);
            if matches!(c, '*' | '+' | '?') || (c == '{' && self.quantifier_ahead()) {
                if !unit {
                    self.at += 1;
                    return Err(Stop::Refused(if was_quantified {
                        "a quantifier follows a quantifier"
                    } else {
                        "a quantifier follows nothing"
                    }));
                }
                self.quantifier()?;
                unit = false;
                quantified = true;
                continue;
            }
            self.at += 1;
            unit = true;
            match c {
                '\\' => self.escape()?,
                '[' => self.class(0)?,
                '|' => unit = false,
                '(' => {
                    let opened = self.group_open()?;
                    open += usize::from(opened);
                    unit = !opened;
                }
                ')' => {
                    open = open
                        .checked_sub(1)
                        .ok_or(Stop::Refused("`)` closes no group"))?;
                }
                _ => {}
            }
        }
        if open > 0 {
            return Err(Stop::Refused("a group is not closed"));
        }
        Ok(())
    }

    /// Whether `{` begins `{n}`, `{n,}` or `{n,m}`; otherwise it stands for itself.
    fn quantifier_ahead(&self) -> bool {
        let digits = |from: usize| {
            let rest = self.units.get(self.at + from..).unwrap_or_default();
            let digit = |unit: &&u16| (u16::from(b'0')..=u16::from(b'9')).contains(*unit);
            rest.iter().take_while(digit).count()
        };
        let first = digits(1);
        if first == 0 {
            return false;
        }
        match self.peek(1 + first) {
            Some('}') => true,
            Some(',') => self.peek(2 + first + digits(2 + first)) == Some('}'),
            _ => false,
        }
    }

    fn quantifier(&mut self) -> Result<(), Stop> {
        if self.next() == Some('{') {
            let least = self.number()?;
            if self.eat(',') && self.peek(0) != Some('}') && self.number()? < least {
                return Err(Stop::Refused("the quantifier {x,y} has x greater than y"));
            }
            self.eat('}');
        }
        self.eat('?');
        Ok(())
    }

    fn number(&mut self) -> Result<u32, Stop> {
        let mut number = 0i32;
        while let Some(digit) = self.peek(0).and_then(|c| c.to_digit(10)) {
            self.at += 1;
            number = number
                .checked_mul(10)
                .and_then(|number| number.checked_add(digit as i32))
                .ok_or(Stop::Refused("a number is too large"))?;
        }
        Ok(number.unsigned_abs())
    }

    /// Letters, digits and underscores; beyond ASCII what Rust calls alphanumeric.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek(0).filter(|c| c.is_alphanumeric() || *c == '_') {
            self.at += 1;
            word.push(c);
        }
        word
    }

    fn comment(&mut self) -> Result<(), Stop> {
        while let Some(c) = self.next() {
            if c == ')' {
                return Ok(());
            }
        }
        Err(Stop::Refused("a comment is not closed"))
    }

    /// What follows `(`. Tells whether a group was opened: comments and options are complete.
    fn group_open(&mut self) -> Result<bool, Stop> {
        if self.peek(0) != Some('?') || self.peek(1) == Some(')') {
            return Ok(true);
        }
        self.at += 1;
        match self.next() {
            Some(':' | '=' | '!') => Ok(true),
            Some('>') => self.foreign("(?>…)").map(|()| true),
            Some('#') => {
                self.not_javascript.push("(?#…)");
                self.comment().map(|()| false)
            }
            Some('(') => {
                self.not_javascript.push("(?(…)…)");
                Err(Stop::Uncertain)
            }
            Some('\'') => {
                self.not_javascript.push("(?'name'…)");
                self.group_name('\'').map(|()| true)
            }
            Some('<') if matches!(self.peek(0), Some('=' | '!')) => {
                self.at += 1;
                Ok(true)
            }
            Some('<') => self.group_name('>').map(|()| true),
            Some(c) if c.is_ascii_alphabetic() || c == '-' || c == '+' => self.options(c),
            _ => Err(Stop::Refused("`(?` begins no known construct")),
        }
    }

    fn options(&mut self, first: char) -> Result<bool, Stop> {
        let mut option = Some(first);
        let mut uncertain = false;
        while let Some(c) = option {
            match c.to_ascii_lowercase() {
                'i' | 'm' | 's' | '-' | '+' => {}
                // They change how the rest is read.
                'x' | 'n' => uncertain = true,
                ':' | ')' => {
                    self.not_javascript.push("(?i)");
                    if uncertain {
                        return Err(Stop::Uncertain);
                    }
                    return Ok(c == ':');
                }
                _ => break,
            }
            option = self.next();
        }
        Err(Stop::Refused("`(?` begins no known construct"))
    }

    fn group_name(&mut self, close: char) -> Result<(), Stop> {
        let name = self.word();
        if name.parse() == Ok(0) {
            return Err(Stop::Refused("group number 0 is reserved"));
        }
        if self.eat('-') {
            self.not_javascript.push("(?<a-b>…)");
            let other = self.word();
            let known = match other.parse() {
                Ok(number) => self.groups.has(number),
                Err(_) => self.groups.names.contains(&other),
            };
            if !known {
                return Err(Stop::Refused("a reference names no group"));
            }
        } else if name.is_empty() {
            return Err(Stop::Refused("a group name is not valid"));
        }
        if self.eat(close) {
            Ok(())
        } else {
            Err(Stop::Refused("a group name is not valid"))
        }
    }

    fn foreign(&mut self, construct: &'static str) -> Result<(), Stop> {
        self.not_javascript.push(construct);
        Ok(())
    }

    /// What follows `\` outside a class.
    fn escape(&mut self) -> Result<(), Stop> {
        let Some(c) = self.peek(0) else {
            return Err(Stop::Refused("it ends in `\\`"));
        };
        match c {
            'b' | 'B' | 'w' | 'W' | 's' | 'S' | 'd' | 'D' => {
                self.at += 1;
                Ok(())
            }
            'A' | 'G' | 'Z' | 'z' => {
                self.at += 1;
                self.foreign("\\A, \\Z, \\z or \\G")
            }
            'p' | 'P' => {
                self.at += 1;
                self.property()
            }
            'k' => {
                self.at += 1;
                let close = match self.next() {
                    Some('<') => '>',
                    Some('\'') => '\'',
                    _ => return Err(Stop::Refused("`\\k` names no group")),
                };
                let name = self.word();
                let known = match name.parse() {
                    Ok(number) => self.groups.has(number),
                    Err(_) => self.groups.names.contains(&name),
                };
                if !self.eat(close) {
                    return Err(Stop::Refused("`\\k` names no group"));
                }
                if known {
                    Ok(())
                } else {
                    Err(Stop::Refused("a reference names no group"))
                }
            }
            '1'..='9' => {
                let start = self.at;
                let number = self.number()?;
                if self.groups.has(number) {
                    return Ok(());
                }
                if number <= 9 {
                    return Err(Stop::Refused("a reference names no group"));
                }
                // More digits can be an octal character.
                self.at = start;
                self.character().map(drop)
            }
            _ => self.character().map(drop),
        }
    }

    /// An escape that stands for one code unit.
    fn character(&mut self) -> Result<u16, Stop> {
        let Some(c) = self.next() else {
            return Err(Stop::Refused("it ends in `\\`"));
        };
        let plain = self.units[self.at - 1];
        match c {
            '0'..='7' => {
                self.at -= 1;
                let mut value = 0u16;
                for _ in 0..3 {
                    let Some(digit) = self.peek(0).and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    self.at += 1;
                    value = value * 8 + digit as u16;
                }
                Ok(value & 0xff)
            }
            'x' => self.hexadecimal(2),
            'u' => self.hexadecimal(4),
            'a' => self.foreign("\\a or \\e").map(|()| 0x07),
            'e' => self.foreign("\\a or \\e").map(|()| 0x1b),
            'b' => Ok(0x08),
            't' => Ok(0x09),
            'n' => Ok(0x0a),
            'v' => Ok(0x0b),
            'f' => Ok(0x0c),
            'r' => Ok(0x0d),
            'c' => match self.next().map(|c| c.to_ascii_uppercase()) {
                Some(control @ '@'..='_') => Ok(control as u16 - u16::from(b'@')),
                _ => Err(Stop::Refused("`\\c` names no control character")),
            },
            c if c.is_ascii_alphanumeric() || c == '_' => {
                Err(Stop::Refused("an escape is not known"))
            }
            _ => Ok(plain),
        }
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<u16, Stop> {
        let mut value = 0;
        for _ in 0..digits {
            let digit = self.next().and_then(|c| c.to_digit(16));
            let digit = digit.ok_or(Stop::Refused("hexadecimal digits are missing"))?;
            value = value * 16 + digit as u16;
        }
        Ok(value)
    }

    /// What follows `\p`.
    fn property(&mut self) -> Result<(), Stop> {
        if !self.eat('{') {
            return Err(Stop::Refused("`\\p` needs {category}"));
        }
        let mut name = self.word();
        while self.eat('-') {
            name.push('-');
            name.push_str(&self.word());
        }
        if name.is_empty() || !self.eat('}') {
            return Err(Stop::Refused("`\\p` needs {category}"));
        }
        // Named blocks begin with Is; there are too many to list.
        if !CATEGORIES.contains(&&*name) && !name.starts_with("Is") && !name.starts_with('_') {
            return Err(Stop::Refused("`\\p{…}` names no category that .NET knows"));
        }
        self.foreign("\\p{…}")
    }

    /// A character class, behind its `[`.
    fn class(&mut self, depth: usize) -> Result<(), Stop> {
        if depth > DEEPEST {
            return Err(Stop::Uncertain);
        }
        self.eat('^');
        let mut first = true;
        let mut range: Option<u16> = None;
        while let Some(c) = self.next() {
            let at_start = std::mem::replace(&mut first, false);
            let mut unit = self.units[self.at - 1];
            let mut escaped = false;
            if c == ']' && !at_start {
                return Ok(());
            }
            match c {
                ']' => self.not_javascript.push("`]` as the first of a class"),
                '\\' => match self.peek(0) {
                    Some('d' | 'D' | 's' | 'S' | 'w' | 'W' | 'p' | 'P') => {
                        if range.is_some() {
                            return Err(Stop::Refused("a range ends in a class of characters"));
                        }
                        if matches!(self.next(), Some('p' | 'P')) {
                            self.property()?;
                        }
                        continue;
                    }
                    Some('-') => {
                        self.at += 1;
                        // .NET takes it for itself and leaves a range that it would end open.
                        if range.is_some() {
                            return Err(Stop::Uncertain);
                        }
                        continue;
                    }
                    _ => {
                        unit = self.character()?;
                        escaped = true;
                    }
                },
                _ => {}
            }
            let subtraction = '[' == c && !escaped && !at_start;
            if let Some(low) = range.take() {
                if subtraction {
                    self.subtraction(depth)?;
                } else if low > unit {
                    return Err(Stop::Refused("a range of a class runs backwards"));
                }
            } else if self.peek(0) == Some('-') && self.peek(1).is_some_and(|c| c != ']') {
                range = Some(unit);
                self.at += 1;
            } else if c == '-' && !escaped && !at_start && self.peek(0) == Some('[') {
                self.at += 1;
                self.subtraction(depth)?;
            }
        }
        Err(Stop::Refused("a character class is not closed"))
    }

    fn subtraction(&mut self, depth: usize) -> Result<(), Stop> {
        self.not_javascript.push("[a-[b]]");
        self.class(depth + 1)?;
        if self.peek(0).is_some_and(|c| c != ']') {
            return Err(Stop::Refused("a subtraction is not the last of its class"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
