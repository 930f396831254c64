//! Every output format over one shared sample report, and over arbitrary ones.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod ci;
mod deploy;
mod hostile;
mod human;
mod json;
mod junit;
mod markdown;
mod sample;
mod sarif;

use iefctl::diagnostics::Report;
use iefctl::output::{self, Format, Options};

/// The report in a format, with default options.
fn rendered(report: &Report, format: Format) -> String {
    let mut out = Vec::new();
    output::render(report, format, &Options::default(), &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("formats write UTF-8")
}
