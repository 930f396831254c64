//! Reads files as text. Policies and configuration are UTF-8; anything else is named, not guessed.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use super::error::ConfigError;
use super::paths;
use crate::diagnostics::{LineColumn, Source, Span};

/// Larger files are refused; a policy may have 1024 KB.
const MAX_FILE: u64 = 64 << 20;

/// So much memory is kept from one file to the next: a policy may have so many bytes.
const KEPT: usize = 1 << 20;

/// Larger configurations are refused; nobody writes one.
const MAX_CONFIGURATION: u64 = 4 << 20;

/// Reads a configuration file, as [`source`] reads any.
pub(super) fn configuration(path: &Path) -> Result<Source, ConfigError> {
    let length = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if length > MAX_CONFIGURATION {
        return Err(ConfigError::Unusable {
            path: paths::display(path),
            reason: format!(
                "it has {} MB; a configuration file may have {}",
                length.div_ceil(1 << 20),
                MAX_CONFIGURATION >> 20
            ),
        });
    }
    source(path)
}

thread_local! {
    /// What was read last, kept for its memory: fresh memory costs more than reading does.
    static READ: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Reads a file into a source whose name is the path as the user would write it.
pub(super) fn source(path: &Path) -> Result<Source, ConfigError> {
    let mut bytes = READ.take();
    let source = read(path, &mut bytes).and_then(|()| decode(&paths::display(path), &bytes));
    if bytes.capacity() <= KEPT {
        READ.set(bytes);
    }
    source
}

/// Reads a file that must be a regular one, as reading a pipe would wait for ever.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let mut bytes = Vec::new();
    read(path, &mut bytes)?;
    Ok(bytes)
}

fn read(path: &Path, bytes: &mut Vec<u8>) -> Result<(), ConfigError> {
    bytes.clear();
    let metadata = fs::metadata(path).map_err(|error| ConfigError::io(path, error))?;
    let unusable = |reason: &str| ConfigError::Unusable {
        path: paths::display(path),
        reason: reason.to_owned(),
    };
    if !metadata.is_file() {
        return Err(unusable("it is not a regular file"));
    }
    if metadata.len() > MAX_FILE {
        return Err(unusable("it has more than 64 MB"));
    }
    bytes.reserve(metadata.len() as usize + 1);
    // A file that grows meanwhile is read no further than any file.
    File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(bytes))
        .map_err(|error| ConfigError::io(path, error))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(unusable("it has more than 64 MB"));
    }
    Ok(())
}

/// Decodes UTF-8 with or without byte order mark.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Source, ConfigError> {
    let error = |text: &str, place: Span, message: String| ConfigError::Encoding {
        file: name.to_owned(),
        position: end_position(&text[..place.start as usize]),
        message,
        text: text.into(),
        place,
    };
    if let Some(encoding) = wide_encoding(bytes) {
        let message = format!("the file is encoded in {encoding}");
        return Err(error("", Span::at(0), message));
    }
    let has_bom = bytes.starts_with(&[0xef, 0xbb, 0xbf]);
    let content = if has_bom { &bytes[3..] } else { bytes };
    let text = match std::str::from_utf8(content) {
        Ok(text) => text,
        Err(invalid) => {
            // What comes before is valid and has the same offsets; the first mark stands for the byte.
            let readable = String::from_utf8_lossy(content);
            let start = invalid.valid_up_to();
            let byte = content[start];
            let what = match declared_encoding(&readable[..start]) {
                Some((encoding, _)) if !is_utf8(encoding) => {
                    format!("the file declares the encoding {encoding} and is not UTF-8")
                }
                _ => "the file is not UTF-8, probably Windows-1252 or ISO-8859-1".to_owned(),
            };
            let message = format!("{what} (byte 0x{byte:02X})");
            let mark = Span::new(
                start as u32,
                (start + char::REPLACEMENT_CHARACTER.len_utf8()) as u32,
            );
            return Err(error(&readable, mark, message));
        }
    };
    if let Some((encoding, offset)) = declared_encoding(text)
        && !is_utf8(encoding)
    {
        // The bytes of ASCII text are the same in these encodings.
        let harmless = text.is_ascii() && is_ascii_superset(encoding);
        if !harmless {
            let message = format!(
                "the XML declaration says {encoding}, but the file is UTF-8; \
                 write encoding=\"utf-8\" there"
            );
            let place = Span::new(offset as u32, (offset + encoding.len()) as u32);
            return Err(error(text, place, message));
        }
    }
    Ok(Source::new(name, text).with_bom(has_bom))
}

/// The wide encoding that the first bytes show, by a byte order mark or by the zeros of ASCII.
fn wide_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [b'<', 0, 0, 0, ..] => Some("UTF-32 LE"),
        [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, b'<', ..] => Some("UTF-32 BE"),
        [0xff, 0xfe, ..] => Some("UTF-16 LE"),
        [0xfe, 0xff, ..] => Some("UTF-16 BE"),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => Some("UTF-16 LE"),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => Some("UTF-16 BE"),
        _ => None,
    }
}

/// The encoding that an XML declaration names, and the offset of the name.
fn declared_encoding(text: &str) -> Option<(&str, usize)> {
    let declaration = text.strip_prefix("<?xml")?;
    let declaration = &declaration[..declaration.find("?>")?];
    let mut rest = declaration;
    loop {
        rest = &rest[rest.find("encoding")?..];
        rest = &rest["encoding".len()..];
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let value = &value[1..];
        let name = &value[..value.find(quote)?];
        let offset = "<?xml".len() + declaration.len() - value.len();
        return Some((name, offset));
    }
}

fn is_utf8(encoding: &str) -> bool {
    // Placeholders in a declaration are replaced later.
    matches!(encoding.to_ascii_lowercase().as_str(), "utf-8" | "utf8") || encoding.contains('{')
}

fn is_ascii_superset(encoding: &str) -> bool {
    let encoding = encoding.to_ascii_lowercase();
    encoding == "us-ascii"
        || encoding == "ascii"
        || encoding.starts_with("iso-8859-")
        || encoding.starts_with("windows-125")
        || encoding == "latin1"
}

/// The position right behind `text`.
fn end_position(text: &str) -> LineColumn {
    let line_start = text.rfind('\n').map_or(0, |newline| newline + 1);
    LineColumn {
        line: text.matches('\n').count() as u32 + 1,
        column: text[line_start..].chars().count() as u32 + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8]) -> String {
        decode("a.xml", bytes).expect_err("is refused").to_string()
    }

    #[test]
    fn utf8_is_read_with_and_without_byte_order_mark() {
        let plain = decode("a.xml", "<ä/>".as_bytes()).expect("is read");
        assert!(!plain.has_bom());
        let marked = decode("a.xml", "\u{feff}<ä/>".as_bytes()).expect("is read");
        assert!(marked.has_bom());
        assert_eq!(plain.text(), marked.text());
        decode("a.xml", b"").expect("the empty file is read");
        decode("a.xml", b"\xef\xbb\xbf").expect("a mark alone is read");
    }

    #[test]
    fn other_encodings_are_named_with_their_first_byte() {
        let text = "<a>\n</a>";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(message(&le).starts_with("a.xml:1:1: the file is encoded in UTF-16 LE"));
        assert!(message(&be).contains("UTF-16 BE"));
        assert!(message(&[&[0xff, 0xfe][..], &le].concat()).contains("UTF-16 LE"));
        assert!(message(&[&[0xfe, 0xff][..], &be].concat()).contains("UTF-16 BE"));
        assert!(message(b"\xff\xfe\0\0<\0\0\0").contains("UTF-32 LE"));
        let latin = message(b"<a>\n  f\xfcr</a>");
        assert!(latin.starts_with("a.xml:2:4: "), "{latin}");
        assert!(latin.contains("Windows-1252") && latin.contains("0xFC") && latin.contains("save"));
        let declared = message(b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xfc</a>");
        assert!(declared.contains("iso-8859-1"), "{declared}");
        assert!(message(b"<a>\xe4").starts_with("a.xml:1:4: "));
    }

    #[test]
    fn a_declaration_must_tell_the_truth() {
        let wide = message(b"<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>");
        assert!(wide.starts_with("a.xml:1:31: "), "{wide}");
        let text = "<?xml version=\"1.0\" encoding = 'ISO-8859-1'?><ä/>";
        assert!(message(text.as_bytes()).starts_with("a.xml:1:33: "));
        for harmless in [
            "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
            "<?xml version='1.0' encoding='UTF-8'?><ä/>",
            "<?xml version='1.0'?><ä encoding='utf-16'/>",
            "<?xml version='1.0' encoding='{Settings:E}'?><ä/>",
            "<?xml encoding",
        ] {
            decode("a.xml", harmless.as_bytes()).expect(harmless);
        }
    }
}
