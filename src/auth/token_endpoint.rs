//! One request to `{login}/{tenant}/oauth2/v2.0/token`, which most ways to sign in end with.

use std::time::Duration;

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tracing::debug;

use super::aadsts;
use super::{
    AccessToken, AuthError, Backoff, Endpoint, EntraError, FailedExchange, RetryPolicy,
    TransportOptions, redacted, retry_after,
};

/// The token endpoint of a tenant.
#[derive(Debug)]
pub(super) struct TokenEndpoint {
    endpoint: Endpoint,
    url: reqwest::Url,
    http: reqwest::Client,
    backoff: Backoff,
}

impl TokenEndpoint {
    pub(super) fn new(
        login: &Endpoint,
        tenant: &str,
        transport: &TransportOptions,
        retry: RetryPolicy,
    ) -> Result<Self, AuthError> {
        Ok(Self {
            endpoint: login.clone(),
            url: login.join(&[tenant, "oauth2", "v2.0", "token"]),
            http: transport.client(login)?,
            backoff: Backoff::new(retry),
        })
    }

    /// Asks for a token, patiently: asking again is always safe. `secrets` go into the form too, and
    /// are removed from whatever the endpoint answers.
    pub(super) async fn request(
        &self,
        form: &[(&str, &str)],
        secrets: &[(&str, &SecretString)],
    ) -> Result<AccessToken, AuthError> {
        let started = std::time::Instant::now();
        let policy = self.backoff.policy();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failure = match self.request_once(form, secrets).await {
                Ok(token) => return Ok(token),
                Err(failure) => failure,
            };
            let delay = self.backoff.delay(attempt, failure.retry_after);
            let in_time = started.elapsed() + delay < policy.deadline;
            if !failure.transient || attempt > policy.retries || !in_time {
                return Err(failure.error);
            }
            debug!(attempt, ?delay, error = %failure.error, "token request is repeated");
            tokio::time::sleep(delay).await;
        }
    }

    async fn request_once(
        &self,
        form: &[(&str, &str)],
        secrets: &[(&str, &SecretString)],
    ) -> Result<AccessToken, Failure> {
        let fields: Vec<(&str, &str)> = form
            .iter()
            .copied()
            .chain(
                secrets
                    .iter()
                    .map(|(name, value)| (*name, value.expose_secret())),
            )
            .collect();
        let request = self
            .http
            .post(self.url.clone())
            .header("accept", "application/json")
            .header("client-request-id", self.backoff.random().guid())
            .form(&fields);
        let lost = |error: reqwest::Error| {
            let exchange = FailedExchange::new(&error, &self.endpoint);
            Failure {
                transient: !exchange.permanent,
                retry_after: None,
                error: AuthError::Transport(exchange.reason),
            }
        };
        let response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.map_err(lost)?;
        debug!(
            status,
            host = self.endpoint.host(),
            "token endpoint answered"
        );
        if status == 200
            && let Some(token) = token_of(&body)
        {
            return Ok(token);
        }
        Err(self.failure(status, &headers, &body, secrets))
    }

    fn failure(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        secrets: &[(&str, &SecretString)],
    ) -> Failure {
        let busy = matches!(status, 408 | 429 | 500..=599);
        let error = entra_error(status, body, secrets);
        let transient_code = error
            .as_ref()
            .and_then(|error| error.code)
            .is_some_and(aadsts::is_transient);
        Failure {
            transient: busy || transient_code,
            retry_after: retry_after(headers),
            error: match error {
                Some(error) => AuthError::Entra(Box::new(error)),
                None => AuthError::Unexpected {
                    host: self.endpoint.host().to_owned(),
                    status,
                    what: describe(headers, body),
                },
            },
        }
    }
}

struct Failure {
    transient: bool,
    retry_after: Option<Duration>,
    error: AuthError,
}

fn token_of(body: &[u8]) -> Option<AccessToken> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let token = answer.get("access_token")?.as_str()?;
    // The header that carries the token takes visible ASCII only.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    // Number by the standard, text at some of Microsoft's older endpoints.
    let expires = answer.get("expires_in");
    let seconds = expires
        .and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
        .unwrap_or(3_600);
    Some(AccessToken::new(
        token.to_owned().into(),
        Duration::from_secs(seconds),
    ))
}

fn entra_error(status: u16, body: &[u8], secrets: &[(&str, &SecretString)]) -> Option<EntraError> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let secrets: Vec<&SecretString> = secrets.iter().map(|(_, secret)| *secret).collect();
    let text = |name: &str| Some(redacted(answer.get(name)?.as_str()?, &secrets));
    let error = text("error")?;
    let description = text("error_description").unwrap_or_default();
    let numbered = description.strip_prefix("AADSTS").and_then(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse().ok()
    });
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

fn describe(headers: &HeaderMap, body: &[u8]) -> String {
    if body.is_empty() {
        return "an empty answer".to_owned();
    }
    let kind = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("content of unknown type");
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entras_answer_is_read() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Ensure the secret s3cret being sent is the value. Trace ID: x\r\nCorrelation ID: y","error_codes":[7000215],"timestamp":"2026-01-01 00:00:00Z","trace_id":"x","correlation_id":"y"}"#;
        let secret = SecretString::from("s3cret");
        let error = entra_error(401, body, &[("client_secret", &secret)]).unwrap();
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
        let error = entra_error(400, body, &[("client_secret", &secret)]).unwrap();
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
        assert!(token_of(br#"{"access_token":"a.b-c","expires_in":"60"}"#).is_some());
        for body in [
            &br#"{"access_token":""}"#[..],
            &br#"{"access_token":"a b"}"#[..],
            br#"{"access_token":"a\nb"}"#,
            br#"{"access_token":7}"#,
            b"<html>",
            b"",
        ] {
            assert!(token_of(body).is_none());
        }
    }
}
