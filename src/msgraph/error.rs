use std::fmt;

use super::ValidationFailure;
use super::error_body::{BodyShape, ErrorBody};
use crate::auth::AuthError;

/// Why a call to Microsoft Graph did not succeed. Never holds a secret: what a request carried as
/// secret is removed from the service's answer before it is kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GraphError {
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Setup(AuthError),
    /// There is no access token.
    #[error("{source}")]
    SignIn {
        /// The call that needed the token.
        operation: String,
        /// What went wrong.
        source: AuthError,
    },
    /// The service answered with an error.
    #[error(transparent)]
    Rejected(Box<Rejection>),
    /// No answer, or none that can be understood, in all attempts.
    #[error(transparent)]
    NoAnswer(Box<NoAnswer>),
    /// A key was to be added, and it is unknown whether it was.
    #[error(transparent)]
    Ambiguous(Box<Ambiguity>),
    /// An application was to be created, and it is unknown whether it was.
    #[error(transparent)]
    UnknownCreation(Box<UnknownCreation>),
    /// The service says that an application exists, and does not show it.
    #[error(
        "the service says that an application with the URI {uri} exists, but shows none of the name \
         {name}"
    )]
    HiddenApplication {
        /// Its display name.
        name: String,
        /// Its application id URI.
        uri: String,
    },
    /// The service's next page is on another host, which must not get the token.
    #[error(
        "{operation}: the next page of the list is on {host}, which is not the Graph endpoint; it \
         was not requested"
    )]
    ForeignLink {
        /// The call.
        operation: String,
        /// Where the link leads.
        host: String,
    },
    /// The id cannot stand in a URL: it is empty or holds control characters.
    #[error("{what} has an id that no tenant accepts: {id:?}")]
    InvalidId {
        /// `policy`, `keyset` or `key`.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// A key was to be added to a keyset that is not there.
    #[error("keyset {id} does not exist in the tenant: create it first")]
    KeysetMissing {
        /// The keyset.
        id: String,
    },
    /// The first key was to be added to a keyset that already has one.
    #[error("keyset {id} already has {keys} {}: no further one was added", if *keys == 1 { "key" } else { "keys" })]
    KeysetNotEmpty {
        /// The keyset.
        id: String,
        /// How many keys it has.
        keys: usize,
    },
}

impl GraphError {
    /// HTTP status of the service's last answer.
    pub fn status(&self) -> Option<u16> {
        self.rejection().map(|rejection| rejection.status)
    }

    /// The service's code, for example `AADB2C90073` or the bare `AADB2C`.
    pub fn code(&self) -> Option<&str> {
        self.rejection()?.code.as_deref()
    }

    /// The service's answer, if there was one that refused the call.
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Ambiguous(ambiguity) => ambiguity.cause.rejection(),
            Self::UnknownCreation(unknown) => unknown.cause.rejection(),
            _ => None,
        }
    }

    /// What the service found in a policy, taken apart.
    pub fn validation(&self) -> Option<ValidationFailure> {
        self.rejection()?.validation()
    }

    /// How often the call was sent.
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Rejected(rejection) => rejection.attempts,
            Self::NoAnswer(no_answer) => no_answer.attempts,
            Self::Ambiguous(ambiguity) => ambiguity.cause.attempts(),
            Self::UnknownCreation(unknown) => unknown.cause.attempts(),
            _ => 0,
        }
    }

    /// What to do next, as one or two sentences.
    pub fn advice(&self) -> Option<&str> {
        match self {
            Self::Setup(error) | Self::SignIn { source: error, .. } => error.advice(),
            Self::Rejected(rejection) => rejection.advice(),
            Self::Ambiguous(_) => Some(
                "Look at the keyset before you run again: a second key in it would become the \
                 active one sooner or later.",
            ),
            Self::UnknownCreation(_) => Some(
                "Wait a minute and run again: the application is looked for before it is created.",
            ),
            Self::HiddenApplication { .. } => Some(
                "It was created a moment ago, then run again in a few minutes; or it was deleted, then \
                 restore it or delete it for good in the portal under App registrations > Deleted \
                 applications; or it has another name now, then give it its name back.",
            ),
            Self::ForeignLink { .. } => Some(
                "If the Graph endpoint is a proxy of your own, let it rewrite @odata.nextLink.",
            ),
            Self::NoAnswer(_)
            | Self::InvalidId { .. }
            | Self::KeysetMissing { .. }
            | Self::KeysetNotEmpty { .. } => None,
        }
    }
}

/// An error that the service answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The call, for example `PUT policy B2C_1A_X`.
    pub operation: String,
    /// HTTP status.
    pub status: u16,
    /// The service's code; the bare `AADB2C` for rejected policies and missing permissions.
    pub code: Option<String>,
    /// The service's words, without blanks around them; may be empty.
    pub message: String,
    /// Graph's id of the request.
    pub request_id: Option<String>,
    /// The id that the client gave to the request.
    pub client_request_id: Option<String>,
    /// Id that the B2C service behind Graph gave; absent if the error is Graph's own.
    pub correlation_id: Option<String>,
    /// When, as the service wrote it; its date has no zone and means UTC.
    pub date: Option<String>,
    /// How often the call was sent.
    pub attempts: u32,
    pub(super) shape: BodyShape,
}

impl Rejection {
    pub(super) fn new(operation: &str, status: u16, attempts: u32, body: ErrorBody) -> Self {
        Self {
            operation: operation.to_owned(),
            status,
            code: body.code,
            message: body.message,
            request_id: body.request_id,
            client_request_id: body.client_request_id,
            correlation_id: body.correlation_id,
            date: body.date,
            attempts,
            shape: body.shape,
        }
    }

    /// The number behind `AADB2C`, taken from the code or, where that is bare, from the message.
    pub fn number(&self) -> Option<u32> {
        let numbered = |text: &str| {
            let (_, rest) = text.split_once("AADB2C")?;
            rest.get(..5)?.parse::<u32>().ok()
        };
        let code = self.code.as_deref().and_then(numbered);
        code.or_else(|| numbered(&self.message))
    }

    /// What the service found in a policy, taken apart; `None` if it is no such message.
    pub fn validation(&self) -> Option<ValidationFailure> {
        super::split_validation_message(&self.message)
    }

    /// Whether the service says that the policy or keyset is not there. The status alone does not
    /// tell: the B2C service uses 400 for it, and a 404 that is not of its making (a wrong endpoint,
    /// a proxy's page) says nothing about the tenant.
    pub(super) fn is_not_found(&self) -> bool {
        match self.number() {
            Some(90_073) => matches!(self.status, 400 | 404),
            _ if self.status == 404 => matches!(self.shape, BodyShape::OData | BodyShape::Empty),
            _ => {
                self.status == 400
                    && self.shape == BodyShape::OData
                    && self.message.contains("cannot be found in the directory")
            }
        }
    }

    fn advice(&self) -> Option<&'static str> {
        if let Some(advice) = self.number().and_then(advice_for) {
            return Some(advice);
        }
        if self.code.as_deref() == Some("Authorization_RequestDenied") {
            return Some(
                "The application lacks an application permission of Microsoft Graph for this: \
                 `iefctl doctor` names it.",
            );
        }
        match (self.status, self.shape) {
            (401, _) => Some(
                "Graph does not accept the token: check that login and Graph endpoint belong to \
                 the same cloud, and that the application is registered in this tenant.",
            ),
            (403, _) => Some(
                "Grant admin consent to the application permissions \
                 Policy.ReadWrite.TrustFramework and TrustFrameworkKeySet.ReadWrite.All; the \
                 application must be registered in the B2C tenant itself.",
            ),
            (404 | 405, BodyShape::WebApi) | (_, BodyShape::Html) => {
                Some("Check the Graph endpoint, and whether a proxy answers in its place.")
            }
            _ => None,
        }
    }
}

/// What to do about `AADB2C{number}` (the error table of Microsoft's B2C documentation).
const fn advice_for(number: u32) -> Option<&'static str> {
    Some(match number {
        90_213 | 95_025 => {
            "The password is wrong, or the file is encrypted with AES, which the service reports \
             the same way: export it again with 3DES and SHA-1 (openssl pkcs12 -export -keypbe \
             PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg SHA1)."
        }
        95_032 => "A keyset holds RSA keys or secrets, never both: use another keyset.",
        95_042 => "A keyset is for signatures or for encryption, never both: use another keyset.",
        95_059 => "Keys cannot be replaced: add a new key, or delete the keyset.",
        90_205 => "Grant the permission and admin consent, then sign in again.",
        95_044 => "The policy names another tenant than the one that was signed in to.",
        90_214 => "The expiry lies in the past.",
        90_137 | 90_138 => "The key is too short.",
        _ => return None,
    })
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} was refused with status {}",
            self.operation, self.status
        )?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if self.message.is_empty() {
            f.write_str(": the service gave no reason")?;
        } else {
            write!(f, ": {}", self.message)?;
        }
        let ids = [
            ("request id", &self.request_id),
            ("client request id", &self.client_request_id),
            ("correlation id", &self.correlation_id),
            ("at", &self.date),
        ];
        let mut facts: Vec<String> = ids
            .iter()
            .filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)))
            .collect();
        if self.attempts > 1 {
            facts.push(format!("{} attempts", self.attempts));
        }
        if !facts.is_empty() {
            write!(f, " [{}]", facts.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}

/// A call that got no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer {
    /// The call.
    pub operation: String,
    /// What happened at the last attempt.
    pub reason: String,
    /// How often it was sent.
    pub attempts: u32,
    /// The id that the client gave to the last request.
    pub client_request_id: String,
    /// Whether something answered with success, but in a way that the service does not: the call may
    /// well have taken effect.
    pub unusable: bool,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} failed: {} [client request id {}",
            self.operation, self.reason, self.client_request_id
        )?;
        if self.attempts > 1 {
            write!(f, ", {} attempts", self.attempts)?;
        }
        f.write_str("]")
    }
}

impl std::error::Error for NoAnswer {}

/// A key that may or may not have been added.
#[derive(Debug, Clone)]
pub struct Ambiguity {
    /// The call.
    pub operation: String,
    /// The keyset.
    pub keyset: String,
    /// Why its answer is unknown.
    pub cause: GraphError,
    /// What a look at the keyset brought.
    pub look: String,
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it is unknown whether keyset {} got its key, and it was not tried again: {}; {}",
            self.keyset, self.cause, self.look
        )
    }
}

impl std::error::Error for Ambiguity {}

/// An application that may or may not have been created.
#[derive(Debug, Clone)]
pub struct UnknownCreation {
    /// The call.
    pub operation: String,
    /// Display name of the application.
    pub name: String,
    /// Why the answer is unknown.
    pub cause: GraphError,
}

impl fmt::Display for UnknownCreation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it is unknown whether application {} was created, and it was not tried again: {}",
            self.name, self.cause
        )
    }
}

impl std::error::Error for UnknownCreation {}

impl From<UnknownCreation> for GraphError {
    fn from(unknown: UnknownCreation) -> Self {
        Self::UnknownCreation(Box::new(unknown))
    }
}

impl From<Rejection> for GraphError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(Box::new(rejection))
    }
}

impl From<NoAnswer> for GraphError {
    fn from(no_answer: NoAnswer) -> Self {
        Self::NoAnswer(Box::new(no_answer))
    }
}

impl From<Ambiguity> for GraphError {
    fn from(ambiguity: Ambiguity) -> Self {
        Self::Ambiguous(Box::new(ambiguity))
    }
}
