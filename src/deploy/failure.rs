//! Why a step failed, in terms of the user's files.

use serde::Serialize;

use crate::diagnostics::Location;
use crate::msgraph::{GraphError, Name, SentenceKind, ValidationItem};

use super::locate;
use super::place::Place;
use super::{Local, LocalPolicy};

/// Why a step failed. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What happened, with the service's words.
    pub message: String,
    /// The service's code, for example `AADB2C90073`; the bare `AADB2C` for a rejected policy.
    pub code: Option<String>,
    /// HTTP status of the last answer.
    pub http_status: Option<u16>,
    /// Graph's id of the request.
    pub request_id: Option<String>,
    /// The id that this tool gave to the request.
    pub client_request_id: Option<String>,
    /// The id that the service behind Graph gave.
    pub correlation_id: Option<String>,
    /// What to do, where that is known.
    pub advice: Option<String>,
    /// What the service found in the policy, one by one.
    pub items: Vec<FailureItem>,
    /// The service found something in the policy that validation should have found: worth a report
    /// to the makers of this tool.
    pub unforeseen: bool,
}

/// One thing that the service found in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureItem {
    /// The service's sentence.
    pub text: String,
    /// Where in the user's files; the place of the PolicyId where the sentence tells no better.
    pub place: Option<Place>,
    /// The same place for snippets.
    #[serde(skip)]
    pub location: Option<Location>,
    /// Whether validation should have found it.
    pub unforeseen: bool,
    /// The sentence without the values of metadata that it quotes.
    #[serde(skip)]
    pub(super) reportable: String,
}

/// What a user is asked to do about a rejection that validation did not foresee.
const REPORT_ADVICE: &str = "iefctl found nothing wrong with this policy before it was uploaded. \
    Please report that, with the service's sentence and the part of the policy that it names, \
    without secrets.";

impl Failure {
    /// A failure that no call caused.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: None,
            http_status: None,
            request_id: None,
            client_request_id: None,
            correlation_id: None,
            advice: None,
            items: Vec::new(),
            unforeseen: false,
        }
    }

    /// A call that failed and concerns no policy text.
    pub(super) fn of_call(error: &GraphError) -> Self {
        let rejection = error.rejection();
        let client_request_id = match error {
            GraphError::NoAnswer(no_answer) => Some(no_answer.client_request_id.clone()),
            _ => rejection.and_then(|rejection| rejection.client_request_id.clone()),
        };
        Self {
            message: error.to_string(),
            code: error.code().map(str::to_owned),
            http_status: error.status(),
            request_id: rejection.and_then(|rejection| rejection.request_id.clone()),
            client_request_id,
            correlation_id: rejection.and_then(|rejection| rejection.correlation_id.clone()),
            advice: error.advice().map(str::to_owned),
            items: Vec::new(),
            unforeseen: false,
        }
    }

    /// An upload that failed: the service's sentences get their places.
    pub(super) fn of_upload(error: &GraphError, policy: &LocalPolicy, local: &Local) -> Self {
        let mut failure = Self::of_call(error);
        let Some(validation) = error.validation() else {
            return failure;
        };
        for item in &validation.items {
            let location = Location {
                source: policy.source,
                span: locate::span(item, policy, local.sources.get(policy.source)),
            };
            failure.items.push(FailureItem {
                text: item.text.clone(),
                place: Some(Place::of(&local.sources, location)),
                location: Some(location),
                unforeseen: should_have_been_found(item),
                reportable: reportable(item),
            });
        }
        failure.unforeseen = failure.items.iter().any(|item| item.unforeseen);
        if failure.unforeseen && failure.advice.is_none() {
            failure.advice = Some(REPORT_ADVICE.to_owned());
        }
        failure
    }
}

fn reportable(item: &ValidationItem) -> String {
    let values = item
        .names
        .iter()
        .filter(|thing| thing.name == Name::MetadataValue && !thing.value.is_empty());
    values.fold(item.text.clone(), |text, thing| {
        text.replace(&thing.value, "…")
    })
}

/// Whether a sentence is about the policy's content, and not about the tenant's state or the
/// service's own troubles.
fn should_have_been_found(item: &ValidationItem) -> bool {
    !matches!(
        item.kind,
        SentenceKind::BaseNotFound
            | SentenceKind::MissingKeyset
            | SentenceKind::PolicyExists
            | SentenceKind::TenantMismatch
            | SentenceKind::OtherTenantSignedIn
            | SentenceKind::ServiceFault
    )
}
