//! The documentation: the pages of the rules, and every command that a page shows.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(unix)]
mod commands;
mod rule_pages;
#[cfg(unix)]
#[path = "../tenant/mod.rs"]
mod tenant;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}
