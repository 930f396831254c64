use std::fmt;
use std::path::Path;

use super::aadsts;
use super::{EndpointError, Method};

/// Why there is no access token. Cloneable, because all tasks that waited for the same token get
/// the same answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Nothing says how to sign in.
    #[error("nothing says how to sign in{}", because(.hint))]
    NothingFound {
        /// What was almost a way.
        hint: Option<String>,
    },
    /// A way was chosen or half of it is there, and variables that belong to it are not set or
    /// empty; all of them are named at once.
    #[error("{reason}, but {} {} not set", list(names), if names.len() == 1 { "is" } else { "are" })]
    MissingVariables {
        /// The way.
        method: Method,
        /// What is there that makes the rest necessary.
        reason: String,
        /// The names, in the order of the documentation.
        names: Vec<String>,
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
    /// Somebody other than Entra who should give a token did not.
    #[error("sign-in failed: {who} {what}")]
    Source {
        /// Who was asked, as a user knows it.
        who: &'static str,
        /// What happened.
        what: String,
        /// What to do.
        advice: Option<String>,
    },
    /// The token is for another tenant than the one that was asked for.
    #[error("sign-in failed: {who} gave a token of the tenant {found}, but {wanted} is meant")]
    OtherTenant {
        /// Who was asked.
        who: &'static str,
        /// The id of the tenant in the token.
        found: String,
        /// The tenant that is meant, as the user calls it, with its id where that differs.
        wanted: String,
        /// What to do.
        advice: String,
    },
}

impl AuthError {
    /// What to do next.
    pub fn advice(&self) -> Option<&str> {
        match self {
            Self::NothingFound { .. } => Some(
                "Set AZURE_CLIENT_ID to the id of an application in the B2C tenant itself, and one of \
                 AZURE_CLIENT_CERTIFICATE_PATH, AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET; or \
                 choose a way with --auth, for example azure-cli, device-code or managed-identity.",
            ),
            Self::MissingVariables { method, .. } => Some(needs(*method)),
            // Its own text ends with the advice.
            Self::Entra(_) => None,
            Self::Unexpected { .. } => {
                Some("Check the login endpoint, and whether a proxy asks for a sign-in of its own.")
            }
            Self::Source { advice, .. } => advice.as_deref(),
            Self::OtherTenant { advice, .. } => Some(advice),
            Self::InvalidSetting { .. } | Self::Endpoint(_) | Self::Transport(_) => None,
        }
    }
}

/// A file that a setting names is not what it has to be.
pub(super) fn wrong_file(origin: &str, path: &Path, reason: &str) -> AuthError {
    AuthError::InvalidSetting {
        name: origin.to_owned(),
        reason: format!("names `{}`, which {reason}", beginning(path)),
    }
}

/// As much of a path as tells which one it is: somebody may have put a whole key or token in its place.
fn beginning(path: &Path) -> String {
    const LONGEST: usize = 100;
    let path = path.display().to_string();
    match path.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &path[..end]),
        None => path,
    }
}

/// What belongs to a way, where its variables come from.
const fn needs(method: Method) -> &'static str {
    match method {
        Method::Certificate => {
            "Set AZURE_CLIENT_CERTIFICATE_PATH to a PEM file with private key and certificate, and \
             AZURE_CLIENT_ID to the application that the certificate was uploaded to."
        }
        Method::FederatedToken => {
            "Set AZURE_FEDERATED_TOKEN_FILE to the file that holds the token, and AZURE_CLIENT_ID to \
             the application that has a federated credential for it."
        }
        Method::GithubOidc => {
            "Give the job `permissions: id-token: write`, which makes GitHub set both \
             ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN, and set \
             AZURE_CLIENT_ID to the application that has a federated credential for the repository."
        }
        Method::AzurePipelines => {
            "Map the token of the job with `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`, name the \
             service connection in AZURESUBSCRIPTION_SERVICE_CONNECTION_ID (or as \
             service_connection_id in iefctl.toml), and set AZURE_CLIENT_ID to its application; the \
             agent sets SYSTEM_OIDCREQUESTURI by itself."
        }
        Method::ManagedIdentity => {
            "The platform sets IDENTITY_ENDPOINT and IDENTITY_HEADER together where the resource has \
             a managed identity; on a virtual machine choose --auth managed-identity without them."
        }
        Method::AzureCli => "Install Azure CLI, so that `az` is in a folder of PATH.",
        Method::DeviceCode => {
            "Set AZURE_CLIENT_ID to a public client of the tenant: an application with \"Allow public \
             client flows\" and the delegated permissions for policies and keysets."
        }
        Method::ClientSecret => {
            "Set AZURE_CLIENT_ID and AZURE_CLIENT_SECRET to the application (client) id and the client \
             secret's value of an application that is registered in the B2C tenant itself."
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
    /// What the external token says of itself, where Entra does not trust it.
    pub presented: Option<String>,
    /// By how many seconds this machine's clock is ahead of Entra's, if by minutes.
    pub clock_ahead: Option<i64>,
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
        if let Some(presented) = &self.presented {
            write!(f, ". The token that was presented has {presented}")?;
        }
        if let Some(seconds) = self.clock_ahead {
            let side = if seconds > 0 { "ahead of" } else { "behind" };
            write!(
                f,
                ". The clock of this machine is {} {side} the login endpoint's: correct it",
                span(seconds.abs())
            )?;
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

/// A span of time in its largest unit.
fn span(seconds: i64) -> String {
    let (number, unit) = match seconds {
        172_800.. => (seconds / 86_400, "days"),
        7_200.. => (seconds / 3_600, "hours"),
        120.. => (seconds / 60, "minutes"),
        _ => (seconds, "seconds"),
    };
    format!("{number} {unit}")
}

fn because(hint: &Option<String>) -> String {
    hint.as_ref()
        .map(|hint| format!(": {hint}"))
        .unwrap_or_default()
}

/// `A`, `A and B`, `A, B and C`.
fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_variables_read_as_a_sentence() {
        let names = ["ONE", "TWO", "THREE"].map(str::to_owned).to_vec();
        let error = AuthError::MissingVariables {
            method: Method::ClientSecret,
            reason: "--auth chooses client-secret".to_owned(),
            names,
        };
        assert_eq!(
            error.to_string(),
            "--auth chooses client-secret, but ONE, TWO and THREE are not set"
        );
    }

    #[test]
    fn clocks_are_compared_in_words() {
        let error = |clock_ahead| EntraError {
            code: Some(700_024),
            clock_ahead: Some(clock_ahead),
            ..EntraError::default()
        };
        let text = error(-725).to_string();
        assert!(text.contains("12 minutes behind"), "{text}");
        let text = error(3 * 86_400).to_string();
        assert!(text.contains("3 days ahead of"), "{text}");
    }
}
