//! What the tool says about the user's files: sources, positions, findings and the report.
//!
//! Everything here is data. A finding is a [`Diagnostic`]: a rule, a level, a headline and at least
//! one place. Places are byte ranges in the *resolved* text of a source (placeholders replaced);
//! [`SourceMap`] leads from there back to the file that the user edits. Lines and columns exist only
//! at the edge, in `output/` and where the service's positions are read.

mod diagnostic;
mod edit_distance;
mod edits;
mod near_miss;
mod report;
mod rule;
mod source;
mod splice;
mod text_map;

pub use diagnostic::{Diagnostic, Edit, Fix, Label, Level};
pub use edits::{Applied, Refusal, apply_fixes};
pub use near_miss::{KnownNames, is_within_slips, near_miss};
pub use report::{Report, Summary};
pub use rule::Rule;
pub use source::{LineColumn, Location, Source, SourceId, SourceMap, Span};
pub use splice::{Splice, Splices};
pub use text_map::{Piece, TextMap};
