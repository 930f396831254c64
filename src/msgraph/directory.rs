//! What applications, service principals, consent and the organization have in common: their URLs,
//! lists that are filtered, and a directory that shows a new object only after a while.

use std::fmt::Write as _;

use reqwest::Url;
use serde_json::Value;

use super::call::{Answer, Call, Failed};
use super::{GraphClient, GraphError, Rejection, RetryEvent};

/// How often a change is tried again because the directory does not know a new object yet; with the
/// usual pauses about two minutes.
pub(super) const REPLICATION_LOOKS: u32 = 8;

impl GraphClient {
    /// The URL of something below `/v1.0`, with query options.
    pub(super) fn directory_url(&self, segments: &[&str], options: &[(&str, &str)]) -> Url {
        self.versioned_url("v1.0", segments, options)
    }

    /// The same below another version.
    pub(super) fn versioned_url(
        &self,
        version: &str,
        segments: &[&str],
        options: &[(&str, &str)],
    ) -> Url {
        let path: Vec<&str> = [version]
            .into_iter()
            .chain(segments.iter().copied())
            .collect();
        let mut url = self.inner.endpoint.join(&path);
        let mut query = String::new();
        for (name, value) in options {
            let separator = if query.is_empty() { "" } else { "&" };
            let _ = write!(query, "{separator}{name}={}", encoded(value));
        }
        url.set_query((!query.is_empty()).then_some(query.as_str()));
        url
    }

    /// Sends a call about an object that may be so new that the service does not find it yet, until
    /// it does. The service's answer decides, not a pause of our own choice.
    pub(super) async fn execute_on_new(
        &self,
        call: &Call<'_>,
        is_unknown_yet: impl Fn(&Rejection) -> bool,
    ) -> Result<Answer, Failed> {
        let mut look = 0;
        loop {
            let failed = match self.execute(call, 0).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let waits = failed.error.rejection().is_some_and(&is_unknown_yet);
            if !waits || look == REPLICATION_LOOKS {
                return Err(failed);
            }
            look += 1;
            self.pause(RetryEvent {
                operation: call.operation.clone(),
                attempt: look,
                delay: self.inner.backoff.delay(look, failed.asked_pause),
                reason: "the directory does not know the new object yet".to_owned(),
            })
            .await;
        }
    }
}

/// A text as OData literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether the service says that it does not know an object.
pub(super) fn is_unknown_object(rejection: &Rejection) -> bool {
    rejection.status == 404 && rejection.is_not_found()
}

/// Whether the service says that the object exists already.
pub(super) fn is_duplicate(error: &GraphError) -> bool {
    let rejection = error.rejection();
    rejection.is_some_and(|rejection| {
        let code = rejection.code.as_deref().unwrap_or_default();
        rejection.status == 409
            || code.eq_ignore_ascii_case("Request_MultipleObjectsWithSameKeyValue")
    })
}

/// A text property; `None` if it is missing, null or empty.
pub(super) fn text(json: &Value, name: &str) -> Option<String> {
    let text = json.get(name)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// The texts of an array property.
pub(super) fn texts(json: Option<&Value>) -> Vec<String> {
    let items = json.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| Some(item.as_str()?.to_owned()))
        .collect()
}

/// A value for a query; a space is `%20`, because `+` is not read as one everywhere.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~,()'".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_queries_hold_any_text() {
        assert_eq!(literal("O'Hara"), "'O''Hara'");
        assert_eq!(encoded("a eq 'b&c=+#ü'"), "a%20eq%20'b%26c%3D%2B%23%C3%BC'");
    }
}
