//! The certificate to sign in with, where the input holds its text and not the path of a file: secrets of
//! CI systems are texts.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

/// A file with a private key that only this user can read, there as long as this value is.
#[derive(Debug)]
pub(super) struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// Writes the text into a file of `folder`; nothing if it is a path.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn new(text: &SecretString, folder: &Path) -> io::Result<Option<Self>> {
        if !is_text(text) {
            return Ok(None);
        }
        let text = text.expose_secret();
        // Who has pasted it into one line has written line ends so.
        let text = match text.contains('\n') {
            true => text.to_owned(),
            false => text.replace("\\n", "\n"),
        };
        let path = folder.join("client.pem");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        // From here on it is removed, whatever happens.
        let kept = Self { path };
        file.write_all(text.as_bytes())?;
        Ok(Some(kept))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        // Nothing more can be done about a file that cannot be removed; the runner empties the folder.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether it is the path of a file; anything else may be a secret.
pub(super) fn is_path(value: &SecretString, exists: &dyn Fn(&Path) -> bool) -> bool {
    !is_text(value) && exists(Path::new(value.expose_secret()))
}

/// Whether it is the text of a certificate or key, in PEM.
pub(super) fn is_text(value: &SecretString) -> bool {
    value.expose_secret().contains("-----BEGIN")
}
