//! Well-formedness in the words of .NET's `XmlException`, which the service passes on.

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesStart, Event};

const DTD: &str = "For security reasons DTD is prohibited in this XML document. To enable DTD \
                   processing set the DtdProcessing property on XmlReaderSettings to Parse and \
                   pass the settings into XmlReader.Create method.";
const ROOT_LEVEL: &str = "Data at the root level is invalid.";

/// The text of an upload without its byte order mark.
pub(super) fn decode(body: &[u8]) -> Result<&str, String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    std::str::from_utf8(body).map_err(|error| {
        let valid = std::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default();
        at(
            valid,
            valid.len(),
            "Invalid character in the given encoding.",
        )
    })
}

/// The first error of a document.
pub(super) fn check(text: &str) -> Result<(), String> {
    Checker {
        text,
        open: Vec::new(),
        root_seen: false,
    }
    .run()
}

struct Open<'a> {
    name: &'a str,
    /// Position of the name.
    at: usize,
    prefixes: Vec<&'a str>,
}

struct Checker<'a> {
    text: &'a str,
    open: Vec<Open<'a>>,
    root_seen: bool,
}

impl<'a> Checker<'a> {
    fn run(mut self) -> Result<(), String> {
        let text = self.text;
        let illegal = |c: &(usize, char)| !is_xml_char(c.1);
        let limit = text.char_indices().find(illegal);
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        reader.config_mut().check_comments = true;
        loop {
            let start = position(reader.buffer_position());
            let event = reader.read_event();
            let end = position(reader.buffer_position());
            if let Some((found, c)) = limit
                && (end > found || event.is_err())
            {
                let shown = format!("'{c}', hexadecimal value 0x{:02X}", u32::from(c));
                return Err(self.at(found, &format!("{shown}, is an invalid character.")));
            }
            match event {
                Err(error) => {
                    return Err(self.reader_error(&error, start, reader.error_position()));
                }
                Ok(Event::Eof) => return self.end(),
                Ok(event) => self.event(&event, start)?,
            }
        }
    }

    fn event(&mut self, event: &Event<'a>, start: usize) -> Result<(), String> {
        match event {
            Event::Decl(declaration) => {
                if start != 0 {
                    return Err(self.at(
                        start + 2,
                        "Unexpected XML declaration. The XML declaration must be the first node \
                         in the document, and no whitespace characters are allowed to appear \
                         before it.",
                    ));
                }
                if let Some(Ok(encoding)) = declaration.encoding()
                    && encoding.to_lowercase().starts_with("utf-16")
                {
                    return Err(self.at(
                        start,
                        "There is no Unicode byte order mark. Cannot switch to Unicode.",
                    ));
                }
            }
            Event::DocType(_) => return Err(DTD.to_owned()),
            Event::Start(tag) => {
                let opened = self.tag(tag, start)?;
                self.open.push(opened);
            }
            Event::Empty(tag) => {
                self.tag(tag, start)?;
            }
            Event::End(tag) => self.close(tag.name().0, start)?,
            Event::Text(content) => self.content(content, start)?,
            Event::CData(_) if self.open.is_empty() => return Err(self.at(start, ROOT_LEVEL)),
            Event::GeneralRef(reference) => self.reference(reference, start)?,
            Event::CData(_) | Event::Comment(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn end(&self) -> Result<(), String> {
        if !self.open.is_empty() {
            Err(self.unclosed())
        } else if self.root_seen {
            Ok(())
        } else {
            Err("Root element is missing.".to_owned())
        }
    }

    fn tag(&mut self, tag: &BytesStart<'a>, start: usize) -> Result<Open<'a>, String> {
        // The event borrows from the text: names are found in it by their position.
        let content = &self.text[start + 1..start + 1 + tag.len()];
        if self.open.is_empty() && self.root_seen {
            return Err(self.at(start + 1, "There are multiple root elements."));
        }
        self.root_seen = true;
        let name = &content[..tag.name().0.len()];
        self.name(name, start + 1)?;
        let mut opened = Open {
            name,
            at: start + 1,
            prefixes: Vec::new(),
        };
        let used = self.attributes(content, name.len(), start, &mut opened.prefixes)?;
        let own = name.split_once(':').map(|(prefix, _)| (prefix, start + 1));
        for (prefix, position) in own.into_iter().chain(used) {
            let declared = opened.prefixes.contains(&prefix)
                || self.open.iter().any(|open| open.prefixes.contains(&prefix));
            if !declared && prefix != "xml" {
                return Err(self.at(position, &format!("'{prefix}' is an undeclared prefix.")));
            }
        }
        Ok(opened)
    }

    /// Checks the attributes of a tag; answers the prefixes they use, and collects those they
    /// declare.
    fn attributes(
        &self,
        content: &'a str,
        name_length: usize,
        start: usize,
        declared: &mut Vec<&'a str>,
    ) -> Result<Vec<(&'a str, usize)>, String> {
        let mut used = Vec::new();
        let tag = BytesStart::from_content(content, name_length);
        let offset = |part: &str| part.as_ptr() as usize - tag.as_ptr() as usize;
        for found in tag.attributes() {
            let found = found.map_err(|error| self.attribute_error(&error, content, start + 1))?;
            let key_at = offset(found.key.0);
            let key = &content[key_at..key_at + found.key.0.len()];
            let key_position = start + 1 + key_at;
            if !content[..key_at].ends_with(|c: char| c.is_ascii_whitespace()) {
                let first = key.chars().next().unwrap_or(' ');
                return Err(self.at(
                    key_position,
                    &format!("'{first}' is an unexpected token. Expecting white space."),
                ));
            }
            self.name(key, key_position)?;
            if let Some(prefix) = key.strip_prefix("xmlns:") {
                declared.push(prefix);
            } else if let Some((prefix, _)) = key.split_once(':') {
                used.push((prefix, key_position));
            }
            let value_at = offset(&found.value);
            let value = &content[value_at..value_at + found.value.len()];
            self.attribute_value(value, start + 1 + value_at)?;
        }
        Ok(used)
    }

    fn attribute_value(&self, value: &str, position: usize) -> Result<(), String> {
        if let Some(found) = value.find('<') {
            return Err(self.at(
                position + found,
                "'<', hexadecimal value 0x3C, is an invalid attribute character.",
            ));
        }
        for (found, _) in value.match_indices('&') {
            match value[found + 1..].split_once(';') {
                Some((name, _)) => self.reference(name, position + found)?,
                None => return Err(self.bad_reference(position + found)),
            }
        }
        Ok(())
    }

    fn close(&mut self, name: &str, start: usize) -> Result<(), String> {
        let Some(open) = self.open.pop() else {
            return Err(self.at(start + 2, "Unexpected end tag."));
        };
        if open.name == name {
            return Ok(());
        }
        let (line, column) = line_and_column(self.text, open.at);
        Err(self.at(
            start + 2,
            &format!(
                "The '{}' start tag on line {line} position {column} does not match the end tag \
                 of '{name}'.",
                open.name
            ),
        ))
    }

    fn content(&self, content: &str, start: usize) -> Result<(), String> {
        if self.open.is_empty()
            && let Some(found) = content.find(|c: char| !" \t\r\n".contains(c))
        {
            return Err(self.at(start + found, ROOT_LEVEL));
        }
        match content.find("]]>") {
            Some(found) => Err(self.at(start + found, "']]>' is not allowed in character data.")),
            None => Ok(()),
        }
    }

    fn reference(&self, name: &str, start: usize) -> Result<(), String> {
        if self.open.is_empty() && !self.root_seen {
            return Err(self.at(start, ROOT_LEVEL));
        }
        if let Some(number) = name.strip_prefix('#') {
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            return match code
                .ok()
                .and_then(char::from_u32)
                .filter(|c| is_xml_char(*c))
            {
                Some(_) => Ok(()),
                None => Err(self.at(start + 2, "Invalid character reference.")),
            };
        }
        if ["lt", "gt", "amp", "apos", "quot"].contains(&name) {
            Ok(())
        } else if is_name(name) {
            Err(self.at(
                start + 1,
                &format!("Reference to undeclared entity '{name}'."),
            ))
        } else {
            Err(self.bad_reference(start))
        }
    }

    fn bad_reference(&self, start: usize) -> String {
        self.at(start + 1, "An error occurred while parsing EntityName.")
    }

    fn name(&self, name: &str, position: usize) -> Result<(), String> {
        let mut chars = name.char_indices();
        let first = chars.next().filter(|(_, c)| !is_name_start(*c));
        let shown = |c: char| format!("'{c}' character, hexadecimal value 0x{:02X},", u32::from(c));
        if name.is_empty() || first.is_some() {
            let c = first.map_or(' ', |(_, c)| c);
            let shown = shown(c);
            let message = format!(
                "Name cannot begin with the {}.",
                shown.trim_end_matches(',')
            );
            return Err(self.at(position, &message));
        }
        match chars.find(|(_, c)| !is_name_char(*c)) {
            Some((found, c)) => {
                let message = format!("The {} cannot be included in a name.", shown(c));
                Err(self.at(position + found, &message))
            }
            None => Ok(()),
        }
    }

    fn attribute_error(&self, error: &AttrError, content: &str, tag: usize) -> String {
        let token = |found: usize, expected: &str| {
            let c = content
                .get(found..)
                .and_then(|rest| rest.chars().next())
                .unwrap_or('>');
            let message =
                format!("'{c}' is an unexpected token. The expected token is {expected}.");
            self.at(tag + found, &message)
        };
        match *error {
            AttrError::ExpectedEq(found) => token(found, "'='"),
            AttrError::ExpectedValue(found) | AttrError::UnquotedValue(found) => {
                token(found, "'\"' or '''")
            }
            AttrError::ExpectedQuote(..) => self.unclosed(),
            AttrError::Duplicated(found, _) => {
                let name: String = content[found..]
                    .chars()
                    .take_while(|c| is_name_char(*c))
                    .collect();
                self.at(
                    tag + found,
                    &format!("'{name}' is a duplicate attribute name."),
                )
            }
        }
    }

    fn reader_error(&self, error: &Error, start: usize, at: u64) -> String {
        match error {
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                if self.open.is_empty() && !self.root_seen {
                    return self.at(start, ROOT_LEVEL);
                }
                self.bad_reference(start)
            }
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => self.at(
                position(at),
                "An XML comment cannot contain '--', and '-' cannot be the last character.",
            ),
            Error::IllFormed(_) => self.at(start, "Syntax for an XML declaration is invalid."),
            _ if self.text[start.min(self.text.len())..].starts_with("<!DOCTYPE") => DTD.to_owned(),
            _ => self.unclosed(),
        }
    }

    fn unclosed(&self) -> String {
        let names: Vec<&str> = self.open.iter().rev().map(|open| open.name).collect();
        let message = if names.is_empty() {
            "Unexpected end of file has occurred.".to_owned()
        } else {
            format!(
                "Unexpected end of file has occurred. The following elements are not closed: {}.",
                names.join(", ")
            )
        };
        self.at(self.text.len(), &message)
    }

    fn at(&self, position: usize, message: &str) -> String {
        at(self.text, position, message)
    }
}

fn at(text: &str, position: usize, message: &str) -> String {
    let (line, column) = line_and_column(text, position);
    format!("{message} Line {line}, position {column}.")
}

fn line_and_column(text: &str, position: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary_at(position)];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |found| found + 1);
    (line, before[start..].encode_utf16().count() + 1)
}

/// `str::floor_char_boundary` for the project's oldest compiler.
trait FloorCharBoundary {
    fn floor_char_boundary_at(&self, position: usize) -> usize;
}

impl FloorCharBoundary for str {
    fn floor_char_boundary_at(&self, position: usize) -> usize {
        let mut position = position.min(self.len());
        while !self.is_char_boundary(position) {
            position -= 1;
        }
        position
    }
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn is_xml_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn is_name_start(c: char) -> bool {
    c == '_' || c == ':' || c.is_alphabetic()
}

fn is_name_char(c: char) -> bool {
    is_name_start(c) || c.is_alphanumeric() || "-.\u{b7}".contains(c)
}

fn is_name(name: &str) -> bool {
    name.starts_with(is_name_start) && name.chars().all(is_name_char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_dotnet() {
        let eof = "Unexpected end of file has occurred. The following elements are not closed:";
        for (text, expected) in [
            ("", "Root element is missing."),
            ("  \n", "Root element is missing."),
            ("<!-- only -->", "Root element is missing."),
            (
                "{\"a\":1}",
                "Data at the root level is invalid. Line 1, position 1.",
            ),
            (
                "&lt;",
                "Data at the root level is invalid. Line 1, position 1.",
            ),
            (
                "a & b",
                "Data at the root level is invalid. Line 1, position 1.",
            ),
            (
                "\n  x<a/>",
                "Data at the root level is invalid. Line 2, position 3.",
            ),
            (
                "<a/>x",
                "Data at the root level is invalid. Line 1, position 5.",
            ),
            (
                "<a/><b/>",
                "There are multiple root elements. Line 1, position 6.",
            ),
            (
                "<a><b></a>",
                "The 'b' start tag on line 1 position 5 does not match the end tag of 'a'. Line 1, position 9.",
            ),
            ("<a><b>", &format!("{eof} b, a. Line 1, position 7.")),
            ("<a><b x='1", &format!("{eof} a. Line 1, position 11.")),
            (
                "<a x='1' x='2'/>",
                "'x' is a duplicate attribute name. Line 1, position 10.",
            ),
            (
                "<a x='1'y='2'/>",
                "'y' is an unexpected token. Expecting white space. Line 1, position 9.",
            ),
            (
                "<a x='<'/>",
                "'<', hexadecimal value 0x3C, is an invalid attribute character. Line 1, position 7.",
            ),
            (
                "<a>&nbsp;</a>",
                "Reference to undeclared entity 'nbsp'. Line 1, position 5.",
            ),
            (
                "<a x='&nbsp;'/>",
                "Reference to undeclared entity 'nbsp'. Line 1, position 8.",
            ),
            (
                "<a>b & c</a>",
                "An error occurred while parsing EntityName. Line 1, position 7.",
            ),
            (
                "<a>\u{1}</a>",
                "'\u{1}', hexadecimal value 0x01, is an invalid character. Line 1, position 4.",
            ),
            (
                "<1a/>",
                "Name cannot begin with the '1' character, hexadecimal value 0x31. Line 1, position 2.",
            ),
            ("<p:a/>", "'p' is an undeclared prefix. Line 1, position 2."),
            (
                "<a p:x='1'/>",
                "'p' is an undeclared prefix. Line 1, position 4.",
            ),
            (
                "<a>]]></a>",
                "']]>' is not allowed in character data. Line 1, position 4.",
            ),
            ("</a>", "Unexpected end tag. Line 1, position 3."),
            ("<!DOCTYPE a><a/>", DTD),
            (
                "<?xml version='1.0' encoding='utf-16'?><a/>",
                "There is no Unicode byte order mark. Cannot switch to Unicode. Line 1, position 1.",
            ),
            (
                "<a>&#0;</a>",
                "Invalid character reference. Line 1, position 6.",
            ),
            (
                "<a x/>",
                "'>' is an unexpected token. The expected token is '='. Line 1, position 5.",
            ),
        ] {
            assert_eq!(check(text), Err(expected.to_owned()), "{text:?}");
        }
        let late = check("\n<?xml version='1.0'?><a/>").unwrap_err();
        assert!(
            late.starts_with("Unexpected XML declaration.")
                && late.ends_with("Line 2, position 3.")
        );
    }

    #[test]
    fn well_formed_documents_pass() {
        for text in [
            "<a/>",
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<a xmlns:p='u' p:x='&amp;&#65;&#x41;'><p:b>ü&lt;</p:b><![CDATA[<&]]></a>\n<!-- x -->\n",
            "<a xml:lang='en'/>",
            "<a b = \"'\" />",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8() {
        assert_eq!(decode(b"\xef\xbb\xbf<a/>"), Ok("<a/>"));
        let expected = "Invalid character in the given encoding. Line 2, position 2.";
        assert_eq!(decode(b"<a>\n\xc3\xbc\xe9</a>"), Err(expected.to_owned()));
        assert!(decode(&[0xff, 0xfe, b'<', 0]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "[<>/&;'\"=a-c:! \\-\\[\\]?ü\n#0x]{0,60}") {
            let _ = check(&text);
            let _ = super::super::upload::read(text.as_bytes());
        }
    }
}
