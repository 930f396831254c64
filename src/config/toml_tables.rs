//! Reads tables of TOML strictly: every key is known, every value has its type, and each mistake is
//! told with its place, all of them at once.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::configuration::{Located, Place};
use super::keys::Keys;
use crate::diagnostics::{SourceId, Span, near_miss};

pub(super) type Value<'i> = Spanned<DeValue<'i>>;
pub(super) type Key<'i> = Spanned<DeString<'i>>;

/// A mistake in the file.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Collects the mistakes of one file.
#[derive(Debug)]
pub(super) struct Tables {
    source: SourceId,
    pub(super) mistakes: Vec<Mistake>,
}

impl Tables {
    pub(super) fn new(source: SourceId) -> Self {
        Self {
            source,
            mistakes: Vec::new(),
        }
    }

    pub(super) fn place(&self, range: Range<usize>) -> Place {
        Place {
            source: self.source,
            span: Span::new(range.start as u32, range.end as u32),
        }
    }

    pub(super) fn mistake(
        &mut self,
        range: Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.mistakes.push(Mistake {
            place: self.place(range),
            message: message.into(),
            help,
        });
    }

    /// The entries in the order of the file.
    fn entries<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Key<'i>, &'t Value<'i>)> {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
    }

    /// Entries of a table whose keys are names that the user chooses; of names that are equal but
    /// for case the second is a mistake.
    pub(super) fn named<'t, 'i>(
        &mut self,
        table: &'t DeTable<'i>,
        what: &str,
    ) -> Vec<(&'t Key<'i>, &'t Value<'i>)> {
        let mut seen = std::collections::HashSet::new();
        let mut entries = Self::entries(table);
        entries.retain(|(key, _)| {
            let name: &str = key.get_ref();
            if name.trim().is_empty() || name.contains(['{', '}', '\n', '\r']) {
                let message = format!("`{}` cannot be the name of {what}", name.escape_debug());
                self.mistake(key.span(), message, None);
                return false;
            }
            if !seen.insert(name.to_lowercase()) {
                let message = format!("{what} `{name}` is defined twice; case does not count");
                self.mistake(key.span(), message, Some("remove one of them".to_owned()));
                return false;
            }
            true
        });
        entries
    }

    /// The entries of a table with known keys; others are mistakes.
    pub(super) fn fields<'t, 'i, K: Keys>(
        &mut self,
        table: &'t DeTable<'i>,
    ) -> Vec<(K, &'t Key<'i>, &'t Value<'i>)> {
        let mut fields = Vec::new();
        for (key, value) in Self::entries(table) {
            match K::named(key.get_ref()) {
                Some(field) => fields.push((field, key, value)),
                None => self.unknown::<K>(key),
            }
        }
        fields
    }

    fn unknown<K: Keys>(&mut self, key: &Key<'_>) {
        let name: &str = key.get_ref();
        let help = match near_miss(name, K::names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "known keys are {}",
                K::names().collect::<Vec<_>>().join(", ")
            ),
        };
        self.mistake(key.span(), format!("unknown key `{name}`"), Some(help));
    }

    pub(super) fn table<'t, 'i>(
        &mut self,
        key: &Key<'_>,
        value: &'t Value<'i>,
    ) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(key, value, "a table");
        }
        table
    }

    pub(super) fn string(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<Located<String>> {
        match value.get_ref() {
            DeValue::String(text) => Some(Located {
                value: text.to_string(),
                place: self.place(value.span()),
            }),
            _ => {
                self.wrong_type(key, value, "a string");
                None
            }
        }
    }

    /// A string that is not empty.
    pub(super) fn name(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<Located<String>> {
        let text = self.string(key, value)?;
        if text.value.trim().is_empty() {
            self.mistake(value.span(), format!("`{}` is empty", key.get_ref()), None);
            return None;
        }
        Some(text)
    }

    pub(super) fn boolean(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<bool> {
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        flag
    }

    pub(super) fn strings(&mut self, key: &Key<'_>, value: &Value<'_>) -> Vec<Located<String>> {
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong_type(key, value, "an array of strings");
            return Vec::new();
        };
        let elements: &[Value<'_>] = array;
        elements
            .iter()
            .filter_map(|element| self.name(key, element))
            .collect()
    }

    /// One of the words, mapped to what it means.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.string(key, value)?;
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let known: Vec<String> = words
                .iter()
                .map(|(word, _)| format!("\"{word}\""))
                .collect();
            let message = format!(
                "`{}` is \"{}\", but can only be {}",
                key.get_ref(),
                text.value.escape_debug(),
                known.join(" or ")
            );
            let near = near_miss(&text.value, words.iter().map(|(word, _)| *word));
            let help = near.map(|near| format!("did you mean \"{near}\"?"));
            self.mistake(value.span(), message, help);
        }
        found.map(|(_, meaning)| *meaning)
    }

    pub(super) fn wrong_type(&mut self, key: &Key<'_>, value: &Value<'_>, expected: &str) {
        let message = format!(
            "`{}` is of type {}, but must be {expected}",
            key.get_ref(),
            value.get_ref().type_str()
        );
        self.mistake(value.span(), message, None);
    }
}
