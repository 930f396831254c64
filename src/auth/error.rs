use std::fmt;

use super::EndpointError;
use super::aadsts;

/// Why there is no access token. Cloneable, because all tasks that waited for the same token get
/// the same answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Variables that signing in needs are not set or empty; all of them are named at once.
    #[error("signing in needs {}, which {} not set", list(names), if names.len() == 1 { "is" } else { "are" })]
    MissingVariables {
        /// The names, in the order of the documentation.
        names: Vec<&'static str>,
    },
    /// A variable or setting has a value that cannot be right. The value is not repeated.
    #[error("{name} {reason}")]
    InvalidSetting {
        /// The variable or setting.
        name: String,
        /// What is wrong and what is expected.
        reason: String,
    },
    /// An endpoint is unusable.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Entra answered with an error.
    #[error("sign-in failed: {0}")]
    Entra(Box<EntraError>),
    /// There was no answer, or TLS could not be set up.
    #[error("sign-in failed: {0}")]
    Transport(String),
    /// The answer was none of a token endpoint: a proxy's or another service's page.
    #[error("sign-in failed: {host} answered {status} with {what} instead of a token")]
    Unexpected {
        /// The host that was asked.
        host: String,
        /// HTTP status.
        status: u16,
        /// What came instead.
        what: String,
    },
}

impl AuthError {
    /// What to do next, as one sentence.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::MissingVariables { .. } => Some(
                "Set them to the tenant (domain or id), the application (client) id and the client \
                 secret of an application that is registered in the B2C tenant itself.",
            ),
            Self::Entra(error) => error.code.and_then(aadsts::advice),
            Self::Unexpected { .. } => {
                Some("Check the login endpoint, and whether a proxy asks for a sign-in of its own.")
            }
            Self::InvalidSetting { .. } | Self::Endpoint(_) | Self::Transport(_) => None,
        }
    }
}

/// What Entra said when it refused a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntraError {
    /// HTTP status.
    pub status: u16,
    /// The OAuth error, for example `invalid_client`.
    pub error: String,
    /// The number behind `AADSTS`.
    pub code: Option<u32>,
    /// The first sentence of Entra's description, without the code.
    pub message: String,
    /// Entra's id of the request, for support.
    pub trace_id: Option<String>,
    /// The correlation id, for support and for the sign-in log.
    pub correlation_id: Option<String>,
    /// When, as Entra wrote it.
    pub timestamp: Option<String>,
}

impl fmt::Display for EntraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "AADSTS{code}")?,
            None if self.error.is_empty() => write!(f, "status {}", self.status)?,
            None => f.write_str(&self.error)?,
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end_matches('.'))?;
        }
        if let Some(advice) = self.code.and_then(aadsts::advice) {
            write!(f, ". {}", advice.trim_end_matches('.'))?;
        }
        let ids = [
            ("trace id", &self.trace_id),
            ("correlation id", &self.correlation_id),
            ("at", &self.timestamp),
        ];
        let ids: Vec<String> = ids
            .iter()
            .filter_map(|(name, id)| Some(format!("{name} {}", id.as_ref()?)))
            .collect();
        if !ids.is_empty() {
            write!(f, " ({})", ids.join(", "))?;
        }
        Ok(())
    }
}

/// `A`, `A and B`, `A, B and C`.
fn list(names: &[&'static str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_variables_read_as_a_sentence() {
        let names = vec!["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"];
        assert_eq!(
            AuthError::MissingVariables { names }.to_string(),
            "signing in needs AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, which are \
             not set"
        );
    }
}
