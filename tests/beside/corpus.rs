//! The real policies, which lie beside the repository where they lie at all.
#![expect(clippy::print_stdout, reason = "a test says what it left out")]

use std::path::{Path, PathBuf};

/// Their folder; `None` if it is not there, which CI does not accept.
pub(crate) fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if path.is_dir() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "CI must have the corpus of real policies beside the repository"
    );
    println!("skipped: no corpus of real policies beside the repository");
    None
}
