//! The inputs of a step: text by name, with nothing of the runner's own rules left to know.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};
use secrecy::{ExposeSecret as _, SecretString};

use super::key_file::is_path;

/// The names as `action.yml` writes them; their variables are `INPUT_` and the name in capitals with
/// `_` for `-`. Those that hold a secret are marked.
const NAMES: &[(&str, bool)] = &[
    ("command", false),
    ("folder", false),
    ("files", false),
    ("environment", false),
    ("tenant", false),
    ("config", false),
    ("bases", false),
    ("prefix", false),
    ("suffix", false),
    ("plan-file", false),
    ("output", false),
    ("arguments", false),
    ("auth", false),
    ("cloud", false),
    ("clientId", false),
    ("clientSecret", true),
    ("client-certificate", true),
    ("federated-token-file", false),
    ("renumberSteps", false),
    ("addAppInsightsStep", false),
    ("verbose", false),
    ("name", false),
    ("value", true),
    ("file", false),
    ("password", true),
    ("options", false),
    ("key_use", false),
    ("key_type", false),
    ("secret", true),
    ("file_path", false),
    ("certificate_kind", false),
    ("activation_date", false),
    ("expiration_date", false),
    ("policy_keys", true),
    ("rotate", false),
    ("tenant_id", false),
    ("client_id", false),
    ("client_secret", true),
];

/// The inputs that are not empty.
#[derive(Debug)]
pub(super) struct Inputs {
    texts: BTreeMap<&'static str, String>,
    secrets: BTreeMap<&'static str, SecretString>,
}

/// The variable that carries an input.
pub(super) fn variable(name: &str) -> String {
    format!("INPUT_{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// The variables of all inputs.
pub(super) fn variables() -> impl Iterator<Item = String> {
    NAMES.iter().map(|(name, _)| variable(name))
}

impl Inputs {
    /// Reads all inputs. White space around a value does not count: YAML's block scalars end with a
    /// line break. Secrets keep theirs but for one line break at the end.
    ///
    /// # Errors
    /// A value that is not UTF-8, a name that no input has.
    pub(super) fn read(
        variables: impl IntoIterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
    ) -> Result<Self> {
        let mut inputs = Self {
            texts: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        for (key, value) in variables {
            let Some(key) = key.to_str().filter(|key| key.starts_with("INPUT_")) else {
                continue;
            };
            let Some(&(name, secret)) = NAMES.iter().find(|(name, _)| variable(name) == key) else {
                // Another step of the same job may have left its own.
                continue;
            };
            let Ok(value) = value.into_string() else {
                bail!("input `{name}` is not UTF-8");
            };
            if value.trim().is_empty() {
                continue;
            }
            if secret {
                let value = value.strip_suffix('\n').unwrap_or(&value);
                let value = value.strip_suffix('\r').unwrap_or(value);
                inputs.secrets.insert(name, SecretString::from(value));
            } else {
                inputs.texts.insert(name, value.trim().to_owned());
            }
        }
        Ok(inputs)
    }

    /// The value of an input, if it has one.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// The value of a secret input, if it has one.
    pub(super) fn secret(&self, name: &str) -> Option<&SecretString> {
        self.secrets.get(name)
    }

    /// Whether an input has a value, secret or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.texts.contains_key(name) || self.secrets.contains_key(name)
    }

    /// The value of an input that has two names.
    ///
    /// # Errors
    /// If both are given and differ.
    pub(super) fn either(&self, one: &str, other: &str) -> Result<Option<&str>> {
        match (self.text(one), self.text(other)) {
            (Some(a), Some(b)) if a != b => {
                bail!("inputs `{one}` and `{other}` mean the same and differ: give one of them")
            }
            (a, b) => Ok(a.or(b)),
        }
    }

    /// The same for a secret.
    ///
    /// # Errors
    /// As [`Inputs::either`].
    pub(super) fn either_secret(&self, one: &str, other: &str) -> Result<Option<&SecretString>> {
        match (self.secret(one), self.secret(other)) {
            (Some(a), Some(b)) if a.expose_secret() != b.expose_secret() => {
                bail!("inputs `{one}` and `{other}` mean the same and differ: give one of them")
            }
            (a, b) => Ok(a.or(b)),
        }
    }

    /// A yes or no as YAML writes it; no without a value.
    ///
    /// # Errors
    /// Any other text.
    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        match self.text(name) {
            None => Ok(false),
            Some("true" | "True" | "TRUE") => Ok(true),
            Some("false" | "False" | "FALSE") => Ok(false),
            Some(other) => bail!(
                "input `{name}` is {}: it takes true or false",
                other.escape_debug()
            ),
        }
    }

    /// The parts of a list: one per line or behind a comma.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.text(name).map(parts).unwrap_or_default()
    }

    /// The lines of a text.
    pub(super) fn lines(&self, name: &str) -> Vec<&str> {
        let lines = self.text(name).unwrap_or_default().lines();
        let lines = lines.map(str::trim);
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// The secrets that were given, for the runner to hide. The path of a certificate is none; `exists`
    /// tells whether a file is there.
    pub(super) fn all_secrets(
        &self,
        exists: &dyn Fn(&Path) -> bool,
    ) -> impl Iterator<Item = &SecretString> {
        let given = self.secrets.iter();
        let secret =
            given.filter(|(name, value)| **name != "client-certificate" || !is_path(value, exists));
        secret.map(|(_, value)| value)
    }
}

/// The parts of a list that stand in lines or behind commas.
fn parts(text: &str) -> Vec<&str> {
    text.split([',', '\n'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(pairs: &[(&str, &str)]) -> Inputs {
        let pairs = pairs.iter();
        Inputs::read(pairs.map(|(name, value)| (variable(name).into(), (*value).into()))).unwrap()
    }

    #[test]
    fn names_become_variables_that_a_shell_can_set() {
        let mut seen = std::collections::BTreeSet::new();
        for variable in variables() {
            let plain = |c: char| c.is_ascii_uppercase() || c == '_';
            assert!(variable.chars().all(plain), "{variable}");
            assert!(seen.insert(variable));
        }
    }

    #[test]
    fn empty_counts_as_not_given_and_lists_have_two_forms() {
        let inputs = inputs(&[
            ("folder", " \n"),
            ("files", " a.xml, b.xml ,\nc.xml\n"),
            ("clientSecret", " s \r\n"),
        ]);
        assert_eq!(inputs.text("folder"), None);
        assert_eq!(inputs.list("files"), ["a.xml", "b.xml", "c.xml"]);
        assert_eq!(
            inputs.secret("clientSecret").unwrap().expose_secret(),
            " s "
        );
        assert!(!format!("{inputs:?}").contains(" s "));
    }

    #[test]
    fn what_is_neither_yes_nor_no_is_refused() {
        assert!(inputs(&[("verbose", "TRUE")]).flag("verbose").unwrap());
        assert!(!inputs(&[("verbose", "false")]).flag("verbose").unwrap());
        assert!(!inputs(&[]).flag("verbose").unwrap());
        assert!(inputs(&[("verbose", "yes")]).flag("verbose").is_err());
    }

    #[test]
    fn two_names_of_one_input_must_agree() {
        let same = inputs(&[("clientId", "a"), ("client_id", "a")]);
        assert_eq!(same.either("clientId", "client_id").unwrap(), Some("a"));
        let differ = inputs(&[("clientSecret", "a"), ("client_secret", "b")]);
        let error = differ.either_secret("clientSecret", "client_secret");
        assert!(error.is_err());
    }
}
