//! The formats that a command offers, where these are not all there are.

use clap::ValueEnum as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::output::Format;

/// What is only about a result, and not about places in files.
pub(super) const RESULT: &[Format] = &[Format::Human, Format::Json, Format::Markdown];

/// The formats of findings that are not about places in files as well.
pub(super) const ANNOTATED: &[Format] = &[
    Format::Human,
    Format::Json,
    Format::Github,
    Format::Azure,
    Format::Markdown,
];

/// What is for people or programs.
pub(super) const PLAIN: &[Format] = &[Format::Human, Format::Json];

/// Takes one of these formats, and shows only them.
pub(super) fn one_of(offered: &'static [Format]) -> impl TypedValueParser<Value = Format> {
    let values = offered.iter().filter_map(Format::to_possible_value);
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Format>())
}
