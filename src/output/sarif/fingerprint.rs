//! Names for findings that survive edits elsewhere in the file, so that a scanning service knows a
//! finding again after lines moved.

use std::collections::{BTreeMap, HashMap};

use crate::diagnostics::{Diagnostic, Report};
use crate::output::positions::original_range;

/// The kind of fingerprint; the number grows when the recipe changes.
const KIND: &str = "iefctl/v1";

/// At most so many bytes on each side of a finding take part, for files without line breaks.
const CONTEXT: usize = 200;

/// Makes the fingerprints of one report.
#[derive(Default)]
pub(super) struct Fingerprints {
    seen: HashMap<u64, u32>,
}

impl Fingerprints {
    /// Rule, file and the text of the line, without its indentation; equal ones are numbered in file
    /// order.
    pub(super) fn of(
        &mut self,
        diagnostic: &Diagnostic,
        report: &Report,
    ) -> BTreeMap<&'static str, String> {
        let location = diagnostic.primary.location;
        let source = report.sources.get(location.source);
        let range = original_range(source, location.span);
        let text = source.original().as_bytes();
        let from = range.start.saturating_sub(CONTEXT);
        let before = text[from..range.start]
            .rsplit(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let to = text.len().min(range.start.saturating_add(CONTEXT));
        let behind = text[range.start..to]
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let mut hash = Fnv::new();
        hash.add(diagnostic.rule.id.as_bytes());
        hash.add(source.name().as_bytes());
        hash.add(before.trim_ascii_start());
        hash.add(behind.trim_ascii_end());
        let number = self.seen.entry(hash.0).or_default();
        *number += 1;
        BTreeMap::from([(KIND, format!("{:016x}:{number}", hash.0))])
    }
}

/// FNV-1a with 64 bits: small, and the same on every platform and in every version.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes and an end mark, so that two fields never run into each other.
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
