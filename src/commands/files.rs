//! Writing files so that nobody ever sees half of one.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Writes a file in one step: it has its old content or the new one, whatever happens. Folders are
/// created as needed.
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
    // A link keeps leading to the file that changes.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut temporary = target.clone().into_os_string();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = File::create(&temporary)
        .and_then(|mut file| {
            if byte_order_mark {
                file.write_all("\u{feff}".as_bytes())?;
            }
            file.write_all(text.as_bytes())?;
            if let Ok(existing) = fs::metadata(&target) {
                file.set_permissions(existing.permissions())?;
            }
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        // What is left of it helps nobody; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&temporary);
    }
    written.with_context(|| format!("cannot write `{}`", path.display()))
}

/// A name that every file system takes, different for different ids: what is not a letter, digit,
/// `_`, `-` or `.` becomes `%` and two digits.
pub(super) fn name_of(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for (position, byte) in id.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if plain || (byte == b'.' && position > 0) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    name
}
