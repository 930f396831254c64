//! Answers, and the three shapes of the service's errors.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::clock;
use super::guid;

/// Graph's content type for JSON.
const GRAPH_JSON: &str = "application/json; odata.metadata=minimal; odata.streaming=true; \
                          IEEE754Compatible=false; charset=utf-8";

/// What goes back to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A Graph entity or collection.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, GRAPH_JSON, body.to_string())
    }

    /// JSON of another endpoint than Graph.
    pub(super) fn plain_json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    /// A policy.
    pub(super) fn xml(status: u16, body: &str) -> Self {
        Self::new(status, "application/xml", body)
    }

    /// A `$count`.
    pub(super) fn count(number: usize) -> Self {
        Self::new(200, "text/plain", number.to_string())
    }

    /// A page as proxies send it.
    pub(super) fn html(status: u16) -> Self {
        let reason = StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Error");
        let page = format!(
            "<!DOCTYPE html>\r\n<html><head><title>{status} {reason}</title></head>\r\n\
             <body><center><h1>{status} {reason}</h1></center><hr>\
             <center>Microsoft-Azure-Application-Gateway/v2</center></body></html>\r\n"
        );
        Self::new(status, "text/html", page)
    }

    /// A page for people.
    pub(super) fn page(status: u16, body: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><title>iefctl emulator</title></head>\
             <body>{body}</body></html>\n"
        );
        Self::new(status, "text/html; charset=utf-8", page)
    }

    /// Nothing but a status.
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The ASP.NET Web API error that Graph passes on when its back end has no such action.
    pub(super) fn no_action(back_end_path: &str) -> Self {
        let body = json!({
            "message": format!(
                "No HTTP resource was found that matches the request URI \
                 'https://cpim.windows.net/graph/{back_end_path}'."
            ),
            "messageDetail":
                "No action was found on the controller 'trustframework' that matches the request.",
            "stackTrace": null,
        });
        Self::new(404, "application/json; charset=utf-8", body.to_string())
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The HTTP response; header values that HTTP does not allow are left out.
    pub(super) fn into_response(self, ids: &Ids) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let own = [
            ("request-id", Some(ids.request.clone())),
            ("client-request-id", Some(ids.client_request().to_owned())),
        ];
        let own = own
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        for (name, value) in self.headers.into_iter().chain(own) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response
                    .headers_mut()
                    .insert(HeaderName::from_static(name), value);
            }
        }
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
        }
    }
}

/// The ids that name one request in answers and in support tickets.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    /// Made by the service.
    pub(super) request: String,
    /// Sent by the client.
    pub(super) client: Option<String>,
}

impl Ids {
    /// What the service gives as the client's id: its own if the client sent none.
    fn client_request(&self) -> &str {
        self.client.as_deref().unwrap_or(&self.request)
    }
}

/// An OData error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    code: String,
    message: String,
    retry_after: Option<u64>,
}

impl Refusal {
    /// A numbered error of the B2C back end.
    pub(super) fn numbered(status: u16, number: u32, message: impl Into<String>) -> Self {
        Self::new(status, format!("AADB2C{number}"), message)
    }

    /// An error of the B2C back end without number: malformed XML, policy validation, permissions.
    pub(super) fn bare(status: u16, message: impl Into<String>) -> Self {
        Self::new(status, "AADB2C", message)
    }

    /// An error of Graph itself.
    pub(super) fn graph(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(status, code, message)
    }

    /// With a `Retry-After` in seconds.
    pub(super) fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }

    pub(super) fn into_answer(self, ids: &Ids) -> Answer {
        let mut inner = serde_json::Map::new();
        if self.code.starts_with("AADB2C") {
            inner.insert("correlationId".to_owned(), guid::random().into());
        }
        inner.insert("date".to_owned(), clock::graph_date(clock::now()).into());
        inner.insert("request-id".to_owned(), ids.request.clone().into());
        inner.insert("client-request-id".to_owned(), ids.client_request().into());
        let body = json!({
            "error": {"code": self.code, "message": self.message, "innerError": inner}
        });
        let mut answer = Answer::new(self.status, "application/json", body.to_string());
        if self.status == 401 {
            answer = answer.header(
                "www-authenticate",
                "Bearer realm=\"\", client_id=\"00000003-0000-0000-c000-000000000000\"",
            );
        }
        match self.retry_after {
            Some(seconds) => answer.header("retry-after", seconds.to_string()),
            None => answer,
        }
    }

    fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            retry_after: None,
        }
    }
}
