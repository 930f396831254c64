//! One call with all its repetitions: the only place that sends requests.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::error_body::{ErrorBody, is_html};
use super::retry::{CallKind, Failure, Pending, Verdict};
use super::{GraphClient, GraphError, NoAnswer, Rejection, RetryEvent};
use crate::auth::{AccessToken, FailedExchange, retry_after};

/// No answer of the service comes near this size, in bytes.
const LARGEST_ANSWER: usize = 64 << 20;

/// What is to be sent, and what should come back.
pub(super) struct Call<'a> {
    /// Name for messages, for example `PUT policy B2C_1A_X`.
    pub(super) operation: String,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) kind: CallKind,
    pub(super) body: Body<'a>,
    pub(super) expects: Expects,
}

/// The body of a request.
pub(super) enum Body<'a> {
    None,
    Xml(&'a str),
    Json(Value),
    /// JSON that holds secrets, and these, to be removed from answers.
    Secret(&'a SecretString, Vec<&'a SecretString>),
}

/// What the answer of a successful call holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expects {
    Json,
    /// A policy.
    Xml,
    /// Nothing, or something that is of no further use.
    Anything,
}

/// A successful answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) text: String,
    /// `Null` where no JSON was expected.
    pub(super) json: Value,
    pub(super) request_id: Option<String>,
    pub(super) attempts: u32,
}

/// A call that did not succeed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: GraphError,
    pub(super) attempts: u32,
    /// At least one attempt may have taken effect.
    pub(super) unclear: bool,
    /// Whether the attempt may still take effect.
    pub(super) pending: Pending,
    /// It passes: another attempt may succeed.
    pub(super) passing: bool,
    /// The pause that the service asked for.
    pub(super) asked_pause: Option<Duration>,
    /// In a few words.
    pub(super) reason: String,
}

impl From<Failed> for GraphError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

impl Call<'_> {
    /// A call that only reads.
    pub(super) fn get(operation: String, url: Url, expects: Expects) -> Self {
        Self {
            operation,
            method: Method::GET,
            url,
            kind: CallKind::Idempotent,
            body: Body::None,
            expects,
        }
    }
}

impl GraphClient {
    /// Sends a call until it succeeds, fails for good, or patience ends. A call of kind
    /// [`CallKind::Append`] is sent once, and once more with a new token: who repeats it has to look
    /// first. So is a [`CallKind::Guess`]. `earlier` counts attempts that the caller made before.
    pub(super) async fn execute(&self, call: &Call<'_>, earlier: u32) -> Result<Answer, Failed> {
        let policy = self.inner.backoff.policy();
        let started = Instant::now();
        let mut attempts = earlier;
        let mut renewed = false;
        let mut repeated_once = false;
        let mut unclear = false;
        loop {
            attempts += 1;
            let token = match self.inner.tokens.token().await {
                Ok(token) => token,
                Err(source) => {
                    let operation = call.operation.clone();
                    let reason = source.to_string();
                    return Err(Failed {
                        error: GraphError::SignIn { operation, source },
                        attempts: attempts - 1,
                        unclear,
                        pending: Pending::Ended,
                        passing: false,
                        asked_pause: None,
                        reason,
                    });
                }
            };
            let left = policy.deadline.saturating_sub(started.elapsed());
            let client_request_id = self.inner.backoff.random().guid();
            let limit = left.min(self.inner.timeout).max(Duration::from_millis(1));
            let exchanged = self
                .exchange(call, &token, &client_request_id, attempts, limit)
                .await;
            let failure = match exchanged {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let verdict = failure.verdict();
            let patient = attempts <= failure.most_retries(policy.retries);
            let repeatable = patient && call.kind == CallKind::Idempotent;
            let (repeat, pending) = match verdict {
                Verdict::Final => (false, Pending::Ended),
                Verdict::Unauthorized => {
                    self.inner.tokens.invalidate(&token).await;
                    (!std::mem::replace(&mut renewed, true), Pending::Ended)
                }
                Verdict::Untouched => (repeatable, Pending::Ended),
                Verdict::Unclear { pending, once } => {
                    unclear = true;
                    let again = !once || !std::mem::replace(&mut repeated_once, true);
                    (repeatable && again, pending)
                }
            };
            let asked_pause = failure.asked_pause();
            let delay = match verdict {
                Verdict::Unauthorized => Duration::ZERO,
                _ => self.inner.backoff.delay(attempts, asked_pause),
            };
            let reason = failure.reason();
            let event = RetryEvent {
                operation: call.operation.clone(),
                attempt: attempts,
                delay,
                reason: reason.clone(),
            };
            let repeat = repeat && started.elapsed() + delay < policy.deadline;
            if !repeat || !self.pause(event).await {
                return Err(Failed {
                    error: failure.into_error(call, attempts, client_request_id),
                    attempts,
                    unclear,
                    pending,
                    passing: matches!(verdict, Verdict::Untouched | Verdict::Unclear { .. }),
                    asked_pause,
                    reason,
                });
            }
        }
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        token: &AccessToken,
        client_request_id: &str,
        attempt: u32,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        let mut request = self
            .inner
            .http
            .request(call.method.clone(), call.url.clone())
            .timeout(limit)
            .bearer_auth(token.secret().expose_secret())
            .header("client-request-id", client_request_id)
            .header("return-client-request-id", "true")
            .header("accept", call.expects.media_type());
        let mut secrets = vec![token.secret()];
        match &call.body {
            Body::None => {}
            Body::Xml(xml) => {
                request = request
                    .header(CONTENT_TYPE, "application/xml; charset=utf-8")
                    .body((*xml).to_owned());
            }
            Body::Json(json) => request = request.json(json),
            Body::Secret(json, parts) => {
                secrets.extend(parts);
                request = request
                    .header(CONTENT_TYPE, "application/json")
                    .body(json.expose_secret().to_owned());
            }
        }
        self.count_request();
        let lost = |error: reqwest::Error| {
            let exchange = FailedExchange::new(&error, &self.inner.endpoint);
            tracing::debug!(
                method = %call.method,
                path = call.url.path(),
                attempt,
                client_request_id,
                reason = exchange.reason,
                "no answer"
            );
            Failure::Lost(exchange)
        };
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let headers = response.headers().clone();
        let request_id = text_of(&headers, "request-id");
        tracing::debug!(
            method = %call.method,
            path = call.url.path(),
            status = status.as_u16(),
            attempt,
            request_id,
            client_request_id,
            "answer"
        );
        let body = read_body(response, lost).await?;
        if status.is_client_error() || status.is_server_error() {
            let error = ErrorBody::read(&headers, &body, &secrets);
            let rejection = Rejection::new(&call.operation, status.as_u16(), attempt, error);
            return Err(Failure::Refused(Box::new(rejection), retry_after(&headers)));
        }
        let (text, json) = call.expects.check(status, &headers, body)?;
        Ok(Answer {
            status,
            text,
            json,
            request_id,
            attempts: attempt,
        })
    }
}

impl Expects {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
            Self::Anything => "*/*",
        }
    }

    /// The content of a successful answer. Proxies and sign-in portals answer 200 with pages of
    /// their own; that must never pass as success.
    fn check(
        self,
        status: StatusCode,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> Result<(String, Value), Failure> {
        let unusable = |what: &str| Failure::Unusable(format!("{what} (status {status})"));
        if status.is_redirection() {
            let target = text_of(headers, LOCATION.as_str()).unwrap_or_default();
            let target = Url::parse(&target).ok();
            let host = target.as_ref().and_then(Url::host_str).unwrap_or("?");
            return Err(unusable(&format!(
                "the answer redirects to {host}, which is not followed"
            )));
        }
        if !matches!(status.as_u16(), 200 | 201 | 204) {
            return Err(unusable("the answer is not one of the service"));
        }
        let kind = text_of(headers, CONTENT_TYPE.as_str());
        let kind = kind.as_deref().unwrap_or("no content type");
        let text = match String::from_utf8(body) {
            Ok(text) => text,
            Err(_) if self == Self::Anything => String::new(),
            Err(_) => return Err(unusable("the answer is not UTF-8")),
        };
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        if is_html(headers, &text) {
            return Err(unusable(
                "an HTML page came instead of the service's answer",
            ));
        }
        match self {
            Self::Anything => Ok((text, Value::Null)),
            Self::Xml if text.trim_start().starts_with('<') => Ok((text, Value::Null)),
            Self::Xml => Err(unusable(&format!("{kind} came instead of a policy"))),
            Self::Json => match serde_json::from_str(&text) {
                Ok(json @ Value::Object(_)) => Ok((text, json)),
                _ => Err(unusable(&format!("{kind} came instead of complete JSON"))),
            },
        }
    }
}

impl Failure {
    fn into_error(self, call: &Call<'_>, attempts: u32, client_request_id: String) -> GraphError {
        let unusable = matches!(self, Self::Unusable(_));
        let reason = match self {
            Self::Refused(mut rejection, _) => {
                rejection.client_request_id.get_or_insert(client_request_id);
                return GraphError::Rejected(rejection);
            }
            Self::Lost(exchange) => exchange.reason,
            Self::Unusable(reason) => reason,
        };
        NoAnswer {
            operation: call.operation.clone(),
            reason,
            attempts,
            client_request_id,
            unusable,
        }
        .into()
    }
}

async fn read_body(
    mut response: reqwest::Response,
    lost: impl Fn(reqwest::Error) -> Failure,
) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(&lost)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Failure::Unusable(
                "the answer is larger than any policy".to_owned(),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
