//! The shapes in which errors arrive: OData, the raw Web API of the service behind Graph, nothing, an
//! HTML page, JSON that was cut off.

use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::auth::redacted;

/// Longer texts that are not the service's own are cut here, in characters.
const EXCERPT: usize = 300;

/// What kind of body an error came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyShape {
    /// `{"error":{"code":…,"message":…,"innerError":{…}}}`.
    OData,
    /// `{"message":…,"messageDetail":…}`, from the service behind Graph.
    WebApi,
    /// No body.
    Empty,
    /// A page for people: a proxy or gateway.
    Html,
    /// Anything else.
    Other,
}

/// What an error answer says.
#[derive(Debug, Clone)]
pub(super) struct ErrorBody {
    pub(super) shape: BodyShape,
    pub(super) code: Option<String>,
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    pub(super) client_request_id: Option<String>,
    pub(super) correlation_id: Option<String>,
    pub(super) date: Option<String>,
}

impl ErrorBody {
    /// Reads an answer of any shape; never fails. Every occurrence of `secrets` is removed.
    pub(super) fn read(headers: &HeaderMap, body: &[u8], secrets: &[&SecretString]) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = redacted(text.trim_start_matches('\u{feff}').trim(), secrets);
        let mut read = match serde_json::from_str::<Value>(&text) {
            Ok(Value::Object(object)) => Self::of_json(&object, &text),
            Ok(Value::String(message)) => Self::of(BodyShape::Other, None, &message),
            _ if text.is_empty() => Self::of(BodyShape::Empty, None, ""),
            _ if is_html(headers, &text) => Self::of(BodyShape::Html, None, &page(&text)),
            _ if text.starts_with('{') => Self::of_truncated(&text),
            _ => Self::of(BodyShape::Other, None, &excerpt(&text)),
        };
        // A quoted request body was escaped twice and is readable only now.
        read.message = redacted(&read.message, secrets);
        read.code = read.code.map(|code| redacted(&code, secrets));
        let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        read.request_id = read.request_id.or_else(|| header("request-id"));
        read.client_request_id = read
            .client_request_id
            .or_else(|| header("client-request-id"));
        read.date = read.date.or_else(|| header("date"));
        read
    }

    fn of(shape: BodyShape, code: Option<String>, message: &str) -> Self {
        Self {
            shape,
            code: code.filter(|code| !code.is_empty()),
            message: message.trim().to_owned(),
            request_id: None,
            client_request_id: None,
            correlation_id: None,
            date: None,
        }
    }

    fn of_json(object: &Map<String, Value>, text: &str) -> Self {
        match member(object, "error") {
            Some(Value::Object(error)) => {
                let message = match member(error, "message") {
                    // OData 2 and 3 put the language beside the text.
                    Some(Value::Object(message)) => string(message, "value"),
                    _ => string(error, "message"),
                };
                let code = match member(error, "code") {
                    Some(Value::Number(number)) => Some(number.to_string()),
                    _ => string(error, "code"),
                };
                let message = message.unwrap_or_default();
                let mut read = Self::of(BodyShape::OData, code, &message);
                if let Some(Value::Object(inner)) = member(error, "innerError") {
                    read.request_id = string(inner, "request-id");
                    read.client_request_id = string(inner, "client-request-id");
                    read.correlation_id = string(inner, "correlationId");
                    read.date = string(inner, "date");
                }
                read
            }
            Some(Value::String(code)) => {
                let message = string(object, "error_description").unwrap_or_default();
                Self::of(BodyShape::Other, Some(code.clone()), &message)
            }
            _ => {
                let parts = ["message", "messageDetail", "exceptionMessage"];
                let parts: Vec<String> = parts
                    .iter()
                    .filter_map(|name| string(object, name))
                    .collect();
                if parts.is_empty() {
                    Self::of(BodyShape::Other, None, &excerpt(text))
                } else {
                    Self::of(BodyShape::WebApi, None, &parts.join(" "))
                }
            }
        }
    }

    /// Saves code and message from JSON that was cut off.
    fn of_truncated(text: &str) -> Self {
        let salvage = |name: &str| {
            let quoted = format!("\"{name}\"");
            let behind = &text[text.find(&quoted)? + quoted.len()..];
            let value = behind.trim_start().strip_prefix(':')?.trim_start();
            let mut values = serde_json::Deserializer::from_str(value).into_iter::<String>();
            match values.next() {
                Some(Ok(complete)) => Some(complete),
                _ => Some(value.strip_prefix('"')?.to_owned()),
            }
        };
        match salvage("message") {
            Some(message) => {
                let message = format!("{} (the answer was cut off)", message.trim());
                Self::of(BodyShape::Other, salvage("code"), &message)
            }
            None => Self::of(BodyShape::Other, salvage("code"), &excerpt(text)),
        }
    }
}

/// Whether an answer is a page for people instead of data.
pub(super) fn is_html(headers: &HeaderMap, text: &str) -> bool {
    let declared = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("text/html")
        });
    let start: String = text.trim_start().chars().take(14).collect();
    let start = start.to_ascii_lowercase();
    declared || start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// What an HTML page says: its title, else the beginning of its text.
fn page(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        let end = start + lower[start..].find('<')?;
        html.get(start..end)
    });
    match title.map(str::trim).filter(|title| !title.is_empty()) {
        Some(title) => format!("an HTML page, “{}”", excerpt(title)),
        None => "an HTML page without title".to_owned(),
    }
}

fn excerpt(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let text = words.join(" ");
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut members = object.iter();
    let (_, value) = members.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value)
}

fn string(object: &Map<String, Value>, name: &str) -> Option<String> {
    Some(member(object, name)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    fn read(body: &str) -> ErrorBody {
        ErrorBody::read(&HeaderMap::new(), body.as_bytes(), &[])
    }

    #[test]
    fn odata_errors_are_read_with_all_ids() {
        let read = read(
            r#"{"error":{"code":"AADB2C90063","message":"There is a problem with the service. ","innerError":{"correlationId":"c","date":"2022-04-20T23:38:08","request-id":"r","client-request-id":"k"}}}"#,
        );
        assert_eq!(read.shape, BodyShape::OData);
        assert_eq!(read.code.as_deref(), Some("AADB2C90063"));
        assert_eq!(read.message, "There is a problem with the service.");
        assert_eq!(read.correlation_id.as_deref(), Some("c"));
        assert_eq!(read.date.as_deref(), Some("2022-04-20T23:38:08"));
        assert_eq!(read.request_id.as_deref(), Some("r"));
        assert_eq!(read.client_request_id.as_deref(), Some("k"));
    }

    #[test]
    fn other_shapes_are_read() {
        let api = read(
            r#"{"message":"No HTTP resource.","messageDetail":"No action.","stackTrace":null}"#,
        );
        assert_eq!(api.shape, BodyShape::WebApi);
        assert_eq!(api.message, "No HTTP resource. No action.");
        assert_eq!(read(" \r\n").shape, BodyShape::Empty);
        let page = read("<html><head><title>502 Bad Gateway</title></head></html>");
        assert_eq!(page.shape, BodyShape::Html);
        assert_eq!(page.message, "an HTML page, “502 Bad Gateway”");
        let old =
            read(r#"{"odata.error":1,"error":{"code":7,"message":{"lang":"en","value":"x"}}}"#);
        assert_eq!(
            (old.code.as_deref(), old.message.as_str()),
            (Some("7"), "x")
        );
        let oauth = read(r#"{"error":"invalid_token","error_description":"no"}"#);
        assert_eq!(oauth.code.as_deref(), Some("invalid_token"));
        assert_eq!(read("\u{feff}plain\ntext").message, "plain text");
        assert_eq!(read(r#""only a string""#).message, "only a string");
    }

    #[test]
    fn truncated_json_keeps_code_and_what_is_left_of_the_message() {
        let read = read(r#"{"error":{"code":"AADB2C","message":"Validation failed: 1 va"#);
        assert_eq!(read.code.as_deref(), Some("AADB2C"));
        assert!(
            read.message.starts_with("Validation failed: 1 va"),
            "{}",
            read.message
        );
        assert!(read.message.ends_with("(the answer was cut off)"));
    }

    #[test]
    fn secrets_are_removed_in_every_form() {
        let secret = SecretString::from("s\"3\\cret");
        let body = r#"{"error":{"code":"x","message":"Error converting value \"s\"3\\cret\""}}"#;
        let escaped = r#"{"error":{"code":"x","message":"bad s\"3\\cret here"}}"#;
        let quoted = r#"{"error":{"code":"x","message":"bad {\"k\":\"s\\\"3\\\\cret\"}"}}"#;
        for body in [body, escaped, quoted] {
            let read = ErrorBody::read(&HeaderMap::new(), body.as_bytes(), &[&secret]);
            assert!(!format!("{read:?}").contains("cret"), "{read:?}");
        }
    }

    #[test]
    fn ids_come_from_headers_where_the_body_has_none() {
        let mut headers = HeaderMap::new();
        headers.insert("request-id", HeaderValue::from_static("r"));
        let read = ErrorBody::read(&headers, b"", &[]);
        assert_eq!(read.request_id.as_deref(), Some("r"));
    }

    proptest! {
        #[test]
        fn any_body_is_read(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            ErrorBody::read(&HeaderMap::new(), &body, &[]);
        }

        #[test]
        fn any_cut_is_read(cut in 0_usize..120) {
            let whole = r#"{"error":{"code":"AADB2C","message":"Väl\u00e4 \"q\" \\ x","innerError":{"date":"d"}}}"#;
            let cut = &whole.as_bytes()[..cut.min(whole.len())];
            ErrorBody::read(&HeaderMap::new(), cut, &[]);
        }
    }
}
