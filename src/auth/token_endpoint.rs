//! Requests to `{login}/{tenant}/oauth2/v2.0/…`, which most ways to sign in end with.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::aadsts;
use super::backoff::http_date;
use super::patience::{Answer, Failure, patiently};
use super::{
    AccessToken, AuthError, Backoff, Endpoint, EntraError, SecretObserver, Surroundings, redacted,
    retry_after,
};

/// From this difference on the clocks are mentioned: Entra accepts five minutes, and a `Date` header
/// is exact to the second.
const CLOCKS_DIFFER: i64 = 120;

/// The token endpoint of a tenant, and what lies beside it.
pub(super) struct TokenEndpoint {
    endpoint: Endpoint,
    token: reqwest::Url,
    device_code: reqwest::Url,
    http: reqwest::Client,
    backoff: Backoff,
    secrets: Arc<dyn SecretObserver>,
}

/// A field of a request's form.
pub(super) enum Field {
    Plain(&'static str, String),
    /// Removed from whatever is answered.
    Secret(&'static str, SecretString),
}

impl Field {
    pub(super) fn plain(name: &'static str, value: &str) -> Self {
        Self::Plain(name, value.to_owned())
    }

    pub(super) const fn secret(name: &'static str, value: SecretString) -> Self {
        Self::Secret(name, value)
    }

    fn pair(&self) -> (&'static str, &str) {
        match self {
            Self::Plain(name, value) => (name, value),
            Self::Secret(name, value) => (name, value.expose_secret()),
        }
    }
}

/// What a successful request brings.
pub(super) struct Tokens {
    pub(super) access: AccessToken,
    /// Where it was asked for and the client is a person's.
    pub(super) refresh: Option<SecretString>,
}

impl TokenEndpoint {
    pub(super) fn new(
        login: &Endpoint,
        tenant: &str,
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        Ok(Self {
            endpoint: login.clone(),
            token: login.join(&[tenant, "oauth2", "v2.0", "token"]),
            device_code: login.join(&[tenant, "oauth2", "v2.0", "devicecode"]),
            http: surroundings.transport.client(login)?,
            backoff: surroundings.backoff(),
            secrets: Arc::clone(&surroundings.secrets),
        })
    }

    /// The URL that tokens come from.
    pub(super) fn url(&self) -> &str {
        self.token.as_str()
    }

    /// Asks for a token, patiently. The fields are made anew for every attempt.
    pub(super) async fn token(
        &self,
        fields: impl Fn() -> Result<Vec<Field>, AuthError>,
    ) -> Result<Tokens, AuthError> {
        let tokens = patiently(&self.backoff, || async {
            let fields = fields().map_err(Failure::permanent)?;
            self.post(&self.token, &fields, tokens_of).await
        })
        .await?;
        self.secrets.on_secret(tokens.access.secret());
        if let Some(refresh) = &tokens.refresh {
            self.secrets.on_secret(refresh);
        }
        Ok(tokens)
    }

    /// Asks for a code that a person confirms.
    pub(super) async fn device_code(&self, fields: &[Field]) -> Result<Value, AuthError> {
        patiently(&self.backoff, || async {
            let read = |body: &[u8]| {
                let answer: Value = serde_json::from_slice(body).ok()?;
                answer.get("device_code")?.as_str()?;
                Some(answer)
            };
            self.post(&self.device_code, fields, read).await
        })
        .await
    }

    async fn post<T>(
        &self,
        url: &reqwest::Url,
        fields: &[Field],
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, Failure> {
        let form: Vec<(&str, &str)> = fields.iter().map(Field::pair).collect();
        let request = self
            .http
            .post(url.clone())
            .header("accept", "application/json")
            .header("client-request-id", self.backoff.random().guid())
            .form(&form);
        let answer = Answer::of(request, &self.endpoint).await?;
        if answer.status == 200
            && let Some(value) = read(&answer.body)
        {
            return Ok(value);
        }
        Err(self.failure(&answer, fields))
    }

    fn failure(&self, answer: &Answer, fields: &[Field]) -> Failure {
        let secrets: Vec<&SecretString> = fields
            .iter()
            .filter_map(|field| match field {
                Field::Secret(_, value) => Some(value),
                Field::Plain(..) => None,
            })
            .collect();
        let mut error = entra_error(answer.status, &answer.body, &secrets);
        if let Some(error) = &mut error {
            error.clock_ahead = clock_ahead(&answer.headers, SystemTime::now());
        }
        let transient_code = error
            .as_ref()
            .and_then(|error| error.code)
            .is_some_and(aadsts::is_transient);
        Failure {
            unresolved: false,
            transient: answer.is_busy() || transient_code,
            retry_after: retry_after(&answer.headers),
            error: match error {
                Some(error) => AuthError::Entra(Box::new(error)),
                None => AuthError::Unexpected {
                    host: self.endpoint.host().to_owned(),
                    status: answer.status,
                    what: answer.describe(),
                },
            },
        }
    }
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoint")
            .field("url", &self.token.as_str())
            .finish_non_exhaustive()
    }
}

/// By how many seconds the clock of this machine is ahead of the service's, where that matters.
fn clock_ahead(headers: &HeaderMap, now: SystemTime) -> Option<i64> {
    let date = http_date(headers.get(DATE)?.to_str().ok()?.trim())?;
    let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let ahead = i64::try_from(now).ok()? - i64::try_from(date).ok()?;
    (ahead.abs() >= CLOCKS_DIFFER).then_some(ahead)
}

fn tokens_of(body: &[u8]) -> Option<Tokens> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let token = answer.get("access_token")?.as_str()?;
    if !is_bearer(token) {
        return None;
    }
    let seconds = answer.get("expires_in").and_then(number).unwrap_or(3_600);
    let refresh = answer.get("refresh_token").and_then(Value::as_str);
    Some(Tokens {
        access: AccessToken::new(token.to_owned().into(), Duration::from_secs(seconds)),
        refresh: refresh.map(SecretString::from),
    })
}

/// Whether a text can stand in the header that carries tokens: visible ASCII only.
pub(super) fn is_bearer(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A number by the standard, text at some of Microsoft's older endpoints.
pub(super) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

pub(super) fn entra_error(
    status: u16,
    body: &[u8],
    secrets: &[&SecretString],
) -> Option<EntraError> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| Some(redacted(answer.get(name)?.as_str()?, secrets));
    let error = text("error")?;
    let description = text("error_description").unwrap_or_default();
    let numbered = description
        .starts_with("AADSTS")
        .then(|| aadsts::number_in(&description))
        .flatten();
    let listed = answer.get("error_codes").and_then(|codes| {
        let first = codes.as_array()?.first()?;
        u32::try_from(first.as_u64()?).ok()
    });
    Some(EntraError {
        status,
        error,
        code: numbered.or(listed),
        message: first_sentence(&description),
        trace_id: text("trace_id"),
        correlation_id: text("correlation_id"),
        timestamp: text("timestamp"),
        presented: None,
        clock_ahead: None,
    })
}

/// The first sentence of `AADSTS7000215: Sentence. More. Trace ID: …`.
fn first_sentence(description: &str) -> String {
    let text = match description.split_once(": ") {
        Some((code, rest)) if code.starts_with("AADSTS") => rest,
        _ => description,
    };
    let text = text.split(['\r', '\n']).next().unwrap_or_default();
    let text = text.split("Trace ID:").next().unwrap_or_default().trim();
    let end = text.match_indices(". ").find(|(offset, _)| {
        let next = text[offset + 2..].chars().next();
        next.is_some_and(char::is_uppercase)
    });
    match end {
        Some((offset, _)) => text[..=offset].to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entras_answer_is_read() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Ensure the secret s3cret being sent is the value. Trace ID: x\r\nCorrelation ID: y","error_codes":[7000215],"timestamp":"2026-01-01 00:00:00Z","trace_id":"x","correlation_id":"y"}"#;
        let secret = SecretString::from("s3cret");
        let error = entra_error(401, body, &[&secret]).unwrap();
        assert_eq!(error.code, Some(7_000_215));
        assert_eq!(error.message, "Invalid client secret provided.");
        let text = AuthError::Entra(Box::new(error)).to_string();
        assert!(
            text.contains("AADSTS7000215: Invalid client secret provided."),
            "{text}"
        );
        assert!(text.contains("not the secret's id"), "{text}");
        assert!(text.contains("trace id x, correlation id y"), "{text}");
    }

    #[test]
    fn a_secret_that_is_echoed_is_removed() {
        let body = br#"{"error":"invalid_client","error_description":"bad value s3cret"}"#;
        let secret = SecretString::from("s3cret");
        let error = entra_error(400, body, &[&secret]).unwrap();
        assert_eq!(error.message, "bad value ***");
        assert_eq!(error.code, None);
    }

    #[test]
    fn sentences_end_before_the_next_one() {
        for (description, expected) in [
            (
                "AADSTS90002: Tenant 'a.b. c' not found. Check to make sure.",
                "Tenant 'a.b. c' not found.",
            ),
            ("AADSTS53003: Blocked", "Blocked"),
            ("plain", "plain"),
            ("", ""),
            ("AADSTS1: One.\r\nTrace ID: 2", "One."),
        ] {
            assert_eq!(first_sentence(description), expected);
        }
    }

    #[test]
    fn tokens_that_no_header_can_carry_are_no_tokens() {
        assert!(tokens_of(br#"{"access_token":"a.b-c","expires_in":"60"}"#).is_some());
        for body in [
            &br#"{"access_token":""}"#[..],
            &br#"{"access_token":"a b"}"#[..],
            br#"{"access_token":"a\nb"}"#,
            br#"{"access_token":7}"#,
            b"<html>",
            b"",
        ] {
            assert!(tokens_of(body).is_none());
        }
    }

    #[test]
    fn clocks_that_differ_are_noticed() {
        let mut headers = HeaderMap::new();
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(clock_ahead(&headers, at(0)), None);
        let date = "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap();
        headers.insert(DATE, date);
        assert_eq!(clock_ahead(&headers, at(784_111_777 + 119)), None);
        assert_eq!(clock_ahead(&headers, at(784_111_777 + 600)), Some(600));
        assert_eq!(clock_ahead(&headers, at(784_111_777 - 600)), Some(-600));
    }
}
