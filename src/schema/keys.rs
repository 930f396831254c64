//! Values that must be unique: ids within a file, step numbers within a journey.

use crate::xml::{Attribute, Element};

use super::XSD_DUPLICATE_ID;
use super::check::{Checker, shorten, value_or_name};
use super::notation::{Key, Name};
use super::values::int;

/// One value of a key.
#[derive(Debug, Clone, Copy)]
struct Entry<'d> {
    value: KeyValue<'d>,
    attribute: Attribute<'d>,
    element: Element<'d>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum KeyValue<'d> {
    Number(i32),
    Text(&'d str),
}

impl KeyValue<'_> {
    /// A number that equal values share and different ones hardly ever do.
    fn mark(self) -> u64 {
        match self {
            Self::Number(number) => number as u64,
            Self::Text(text) => digest(text),
        }
    }
}

impl<'d> Entry<'d> {
    /// The value of a selected element. A missing or wrong one has its own finding.
    fn of(element: Element<'d>, key: &Key) -> Option<Self> {
        let Name { text, fingerprint } = key.attribute;
        let mut attributes = element.attributes();
        let attribute = attributes.find(|it| it.is_plain() && it.has_name(fingerprint, text))?;
        let value = match key.numeric {
            true => KeyValue::Number(int(attribute.value())?),
            false => KeyValue::Text(attribute.value()),
        };
        Some(Self {
            value,
            attribute,
            element,
        })
    }
}

impl<'d> Checker<'d> {
    /// Reports every value of a key that an earlier element has already.
    pub(super) fn key(&mut self, holder: Element<'d>, key: &'static Key) {
        let mut marks = std::mem::take(&mut self.marks);
        marks.clear();
        self.select(holder, key, key.path, &mut |entry| {
            marks.push(entry.value.mark());
        });
        marks.sort_unstable();
        if marks.windows(2).any(|pair| pair[0] == pair[1]) {
            self.duplicates(holder, key);
        }
        self.marks = marks;
    }

    /// The same for a key in which values are equal or look so.
    fn duplicates(&mut self, holder: Element<'d>, key: &'static Key) {
        let mut entries = Vec::new();
        self.select(holder, key, key.path, &mut |entry| entries.push(entry));
        entries.sort_unstable_by(|a, b| (a.value, a.element.id()).cmp(&(b.value, b.element.id())));
        let mut first = 0;
        for index in 1..entries.len() {
            if entries[index].value == entries[first].value {
                self.duplicate(key, entries[first], entries[index]);
            } else {
                first = index;
            }
        }
    }

    /// Hands out the values of a key in the order of the text.
    fn select(
        &self,
        at: Element<'d>,
        key: &'static Key,
        path: &[Name],
        take: &mut impl FnMut(Entry<'d>),
    ) {
        let Some((step, rest)) = path.split_first() else {
            return;
        };
        for child in at.children() {
            if !child.has_name(step.fingerprint, step.text) || !self.is_ours(child) {
                continue;
            }
            if !rest.is_empty() {
                self.select(child, key, rest, take);
            } else if let Some(entry) = Entry::of(child, key) {
                take(entry);
            }
        }
    }

    fn duplicate(&mut self, key: &'static Key, first: Entry<'d>, second: Entry<'d>) {
        let (attribute, element) = (second.attribute, second.element);
        let value = shorten(attribute.value());
        let line = self.service.line(first.attribute.name_span().start);
        let name = key.name;
        // What the validator compares are values: the number 1, however it is written.
        let compared = match second.value {
            KeyValue::Number(number) => number.to_string(),
            KeyValue::Text(text) => text.to_owned(),
        };
        let sentence = self.service.sentence(
            element.name_span().start,
            &format!(
                "There is a duplicate key sequence '{compared}' for the '{}:{name}' key or unique identity constraint.",
                element.namespace()
            ),
        );
        let finding = self
            .finding(
                &XSD_DUPLICATE_ID,
                value_or_name(attribute),
                format!(
                    "`{}` `{value}` is already the `{}` of the `{}` on line {line}",
                    key.attribute.text,
                    key.attribute.text,
                    element.name()
                ),
            )
            .related(self.location(value_or_name(first.attribute)), "first here")
            .help(format!(
                "give each `{}` its own `{}`",
                element.name(),
                key.attribute.text
            ))
            .service_message(sentence);
        self.findings.push(finding);
    }
}

/// A number made of all bytes of a text.
fn digest(text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let rest = rest.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    words.chain([rest]).fold(text.len() as u64, |digest, word| {
        (digest.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    })
}
