//! Writing files of policies.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::atomic_file;

/// Writes a file in one step, with the folders that it needs.
///
/// # Errors
/// Those of the system, with the path.
pub(super) fn write(path: &Path, text: &str, byte_order_mark: bool) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder `{}`", folder.display()))?;
    let mark = if byte_order_mark { "\u{feff}" } else { "" };
    atomic_file::write(path, format!("{mark}{text}").as_bytes())
        .with_context(|| format!("cannot write `{}`", path.display()))
}
