//! Services of the platform on which iefctl runs that give tokens: CI systems and managed identities.

use std::fmt;

use reqwest::Url;
use secrecy::SecretString;
use serde_json::Value;

use super::patience::{Answer, Failure, patiently};
use super::token_endpoint::is_bearer;
use super::{AuthError, Backoff, Endpoint, EndpointError, Surroundings, redacted, retry_after};

/// A service of the platform, at the URL that the platform gave.
pub(super) struct TokenService {
    /// As the user knows it.
    who: &'static str,
    endpoint: Endpoint,
    url: Url,
    http: reqwest::Client,
    backoff: Backoff,
}

/// How the platform says no.
pub(super) struct Refused {
    pub(super) status: u16,
    /// What the service says, shortened, without secrets.
    pub(super) text: String,
}

impl TokenService {
    /// `url` comes from the variable `origin`.
    pub(super) fn new(
        who: &'static str,
        (url, origin): (&str, &str),
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        let (endpoint, url) = address(url, origin)?;
        Ok(Self {
            who,
            http: surroundings.transport.client(&endpoint)?,
            backoff: surroundings.backoff(),
            endpoint,
            url,
        })
    }

    /// Asks for JSON, patiently. `build` completes the request, `advice` tells what to do about a
    /// refusal, and `secrets` are removed from what is answered.
    pub(super) async fn ask(
        &self,
        method: reqwest::Method,
        query: &[(&str, &str)],
        build: impl Fn(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
        secrets: &[&SecretString],
        advice: impl Fn(&Refused) -> Option<String>,
    ) -> Result<Value, AuthError> {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(query);
        patiently(&self.backoff, || async {
            let request = self
                .http
                .request(method.clone(), url.clone())
                .header("accept", "application/json");
            let answer = Answer::of(build(request), &self.endpoint)
                .await
                .map_err(|failure| self.unreachable(failure))?;
            let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
            if let (200, Some(json)) = (answer.status, &json) {
                return Ok(json.clone());
            }
            let refused = Refused {
                status: answer.status,
                text: sentence(json.as_ref(), secrets).unwrap_or_else(|| answer.describe()),
            };
            Err(Failure {
                unresolved: false,
                transient: answer.is_busy(),
                retry_after: retry_after(&answer.headers),
                error: AuthError::Source {
                    who: self.who,
                    what: format!("answered {} ({})", refused.status, refused.text),
                    advice: advice(&refused),
                },
            })
        })
        .await
    }

    /// What is said of an answer that is JSON, but not the one that was expected.
    pub(super) fn unexpected(&self, expected: &str) -> AuthError {
        AuthError::Source {
            who: self.who,
            what: format!("answered without {expected}"),
            advice: None,
        }
    }

    fn unreachable(&self, failure: Failure) -> Failure {
        let error = match failure.error {
            AuthError::Transport(what) => AuthError::Source {
                who: self.who,
                what: format!("did not answer: {what}"),
                advice: None,
            },
            other => other,
        };
        Failure { error, ..failure }
    }
}

impl fmt::Debug for TokenService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its path may name a project; its query may hold more.
        f.debug_tuple("TokenService")
            .field(&self.endpoint.host())
            .finish()
    }
}

/// The service's own words, if it has some: of a refusal in one of the usual shapes.
fn sentence(json: Option<&Value>, secrets: &[&SecretString]) -> Option<String> {
    let json = json?;
    let error = json.get("error");
    let candidates = [
        json.get("error_description"),
        json.get("message"),
        json.get("Message"),
        error.and_then(|error| error.get("message")),
        error,
    ];
    let text = candidates.into_iter().flatten().find_map(Value::as_str)?;
    let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    Some(redacted(text.trim(), secrets))
}

/// Reads a URL that the platform gave. It may carry a query, and it may be plain http where the
/// network cannot be anybody else's: on this machine, or on addresses that are not routed.
fn address(url: &str, origin: &str) -> Result<(Endpoint, Url), AuthError> {
    let parsed = Url::parse(url).map_err(|error| EndpointError::NotAUrl {
        what: origin.to_owned(),
        reason: error.to_string(),
    })?;
    let mut base = parsed.clone();
    base.set_query(None);
    base.set_fragment(None);
    let endpoint = Endpoint::of_platform(base.as_str(), origin)?;
    Ok((endpoint, parsed))
}

/// Checks that a text can be sent as a header; `name` is where it comes from.
pub(super) fn header_value(text: &str, name: &str) -> Result<SecretString, AuthError> {
    if is_bearer(text) {
        Ok(SecretString::from(text))
    } else {
        Err(AuthError::InvalidSetting {
            name: name.to_owned(),
            reason: "has a value that is no token: it contains blanks or other characters that no \
                     token has"
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_within_the_platform() {
        for good in [
            "http://127.0.0.1:41741/msi/token/",
            "http://169.254.169.254/metadata",
            "http://172.16.0.5:8081/msi/token?x=1",
            "https://pipelines.actions.githubusercontent.com/a/b?api-version=2.0",
        ] {
            assert!(address(good, "X").is_ok(), "{good}");
        }
        for bad in [
            "http://contoso.com/x",
            "http://8.8.8.8/",
            "ftp://127.0.0.1/",
            "nonsense",
        ] {
            let error = address(bad, "IDENTITY_ENDPOINT").unwrap_err();
            assert!(error.to_string().contains("IDENTITY_ENDPOINT"), "{error}");
        }
    }

    #[test]
    fn refusals_are_quoted_without_secrets() {
        let secret = SecretString::from("s3cret");
        let json = serde_json::json!({"error": {"message": "bad s3cret\n"}});
        assert_eq!(sentence(Some(&json), &[&secret]).unwrap(), "bad ***");
        assert_eq!(sentence(Some(&serde_json::json!({"x": 1})), &[]), None);
    }
}
