//! A text made of parts that are replaced and parts that stay, with the place that every byte of the
//! result comes from: what the maps of positions must say.

use iefctl::diagnostics::{Source, Span};
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Default)]
pub(crate) struct Origins {
    pub(crate) text: String,
    /// For every byte of the resolved text the range of the original that it stands for.
    places: Vec<(usize, usize)>,
}

impl Origins {
    /// Adds a part, which becomes `value`, or stays.
    pub(crate) fn add(&mut self, part: &str, value: Option<&str>) {
        let start = self.text.len();
        self.text.push_str(part);
        let end = self.text.len();
        match value {
            Some(value) => self.places.extend(vec![(start, end); value.len()]),
            None => self
                .places
                .extend((start..end).map(|byte| (byte, byte + 1))),
        }
    }

    /// Checks that the range between two places of the resolved text leads back to its origin.
    pub(crate) fn check(
        &self,
        source: &Source,
        from: Index,
        to: Index,
    ) -> Result<(), TestCaseError> {
        let length = self.places.len();
        prop_assert_eq!(source.text().len(), length, "{}", source.text());
        let (from, to) = (from.index(length), to.index(length));
        let (from, to) = (from.min(to), from.max(to));
        let expected = Span::new(self.places[from].0 as u32, self.places[to].1 as u32);
        let span = Span::new(from as u32, to as u32 + 1);
        prop_assert_eq!(source.to_original(span), expected);
        Ok(())
    }
}
