use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;

/// The formats in which a command can report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Format {
    /// Text with source snippets, for people
    Human,
    /// Versioned JSON, for scripts
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, for annotations in GitHub Actions
    Github,
    /// Logging commands, for annotations in Azure Pipelines
    Azure,
    /// JUnit XML, for test reports
    Junit,
    /// Markdown, for pull request comments
    Markdown,
}

/// A format name that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format `{name}`, expected one of {}", names())]
pub struct UnknownFormat {
    /// What was asked for.
    pub name: String,
}

impl Format {
    /// The format to use when none was asked for: annotations inside a CI job, text for people
    /// everywhere else. `variable` looks up an environment variable; `is_terminal` tells whether
    /// the report goes to a terminal, where somebody reads it whatever the environment claims.
    ///
    /// GitHub Actions sets `GITHUB_ACTIONS=true`, Azure Pipelines `TF_BUILD=True`.
    pub fn detect(variable: impl Fn(&str) -> Option<String>, is_terminal: bool) -> Self {
        let is_set = |name| variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_terminal {
            Self::Human
        } else if is_set("GITHUB_ACTIONS") {
            Self::Github
        } else if is_set("TF_BUILD") {
            Self::Azure
        } else {
            Self::Human
        }
    }

    /// The name as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Azure => "azure",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::value_variants()
            .iter()
            .copied()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat {
                name: name.to_owned(),
            })
    }
}

fn names() -> String {
    let names: Vec<&str> = Format::value_variants()
        .iter()
        .map(|format| format.name())
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(variables: &[(&str, &str)], is_terminal: bool) -> Format {
        Format::detect(
            |name| {
                variables
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            },
            is_terminal,
        )
    }

    #[test]
    fn every_name_is_understood_and_the_same_for_clap() {
        for format in Format::value_variants() {
            assert_eq!(format.name().parse(), Ok(*format));
            let clap_name = format.to_possible_value().expect("no variant is skipped");
            assert_eq!(clap_name.get_name(), format.name());
        }
        let error = "Human".parse::<Format>().expect_err("names are lower case");
        assert!(error.to_string().contains("human, json, sarif"), "{error}");
    }

    #[test]
    fn ci_systems_get_their_annotations() {
        assert_eq!(detect(&[], false), Format::Human);
        assert_eq!(detect(&[("GITHUB_ACTIONS", "true")], false), Format::Github);
        assert_eq!(detect(&[("TF_BUILD", "True")], false), Format::Azure);
        assert_eq!(detect(&[("GITHUB_ACTIONS", "false")], false), Format::Human);
        assert_eq!(detect(&[("GITHUB_ACTIONS", "true")], true), Format::Human);
    }
}
