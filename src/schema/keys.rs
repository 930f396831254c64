//! Values that must be unique: ids within a file, step numbers within a journey.

use crate::xml::{Attribute, Element};

use super::XSD_DUPLICATE_ID;
use super::check::{Checker, shorten, value_or_name};
use super::notation::Key;
use super::values::int;

/// One value of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'d> {
    value: KeyValue<'d>,
    attribute: Attribute<'d>,
    element: Element<'d>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum KeyValue<'d> {
    Number(i32),
    Text(&'d str),
}

impl<'d> Checker<'d> {
    /// Reports every value of a key that an earlier element has already.
    pub(super) fn key(&mut self, holder: Element<'d>, key: &'static Key) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.clear();
        self.select(holder, key, key.path, &mut entries);
        entries.sort_unstable_by(|a, b| (a.value, a.element.id()).cmp(&(b.value, b.element.id())));
        let mut first = 0;
        for index in 1..entries.len() {
            if entries[index].value == entries[first].value {
                self.duplicate(key, entries[first], entries[index]);
            } else {
                first = index;
            }
        }
        self.entries = entries;
    }

    fn select(
        &self,
        at: Element<'d>,
        key: &'static Key,
        path: &[&str],
        entries: &mut Vec<Entry<'d>>,
    ) {
        let Some((step, rest)) = path.split_first() else {
            // A missing or wrong value has its own finding.
            let Some(attribute) = at.attribute(key.attribute) else {
                return;
            };
            let value = if key.numeric {
                int(attribute.value()).map(KeyValue::Number)
            } else {
                Some(KeyValue::Text(attribute.value()))
            };
            entries.extend(value.map(|value| Entry {
                value,
                attribute,
                element: at,
            }));
            return;
        };
        for child in at.children_named(step) {
            if self.is_ours(child) {
                self.select(child, key, rest, entries);
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
                    key.attribute,
                    key.attribute,
                    element.name()
                ),
            )
            .related(self.location(value_or_name(first.attribute)), "first here")
            .help(format!(
                "give each `{}` its own `{}`",
                element.name(),
                key.attribute
            ))
            .service_message(sentence);
        self.findings.push(finding);
    }
}
