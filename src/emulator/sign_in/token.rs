//! Entra's endpoints: tokens, OIDC discovery and signing keys.
//!
//! One function per grant, in a file of its own; this file knows the endpoint and its errors.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{client_credentials, device_code};
use crate::emulator::answer::Answer;
use crate::emulator::clock;
use crate::emulator::guid;
use crate::emulator::route::percent_decode;
use crate::emulator::server::Server;

/// The fields of a token request.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let decode = |part: &str| percent_decode(&part.replace('+', " "));
        let fields = text
            .split('&')
            .filter(|field| !field.is_empty())
            .map(|field| {
                let (name, value) = field.split_once('=').unwrap_or((field, ""));
                (decode(name), decode(value))
            });
        Self(fields.collect())
    }

    /// A field that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A field that the request cannot do without.
    pub(super) fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| {
            OAuthError::new(
                400,
                "invalid_request",
                900_144,
                format!("The request body must contain the following parameter: '{name}'."),
            )
        })
    }
}

/// An error of the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OAuthError {
    status: u16,
    error: &'static str,
    code: u32,
    message: String,
}

impl OAuthError {
    /// `code` is the number behind `AADSTS`.
    pub(super) fn new(
        status: u16,
        error: &'static str,
        code: u32,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            error,
            code,
            message: message.into(),
        }
    }

    /// The endpoint takes no other method.
    pub(super) fn only_post(method: &str) -> Self {
        let message =
            format!("The endpoint only accepts POST requests. Received a {method} request.");
        Self::new(400, "invalid_request", 900_561, message)
    }

    /// No token can be made.
    pub(super) fn busy() -> Self {
        let message = "A transient error has occurred. Please try again.";
        Self::new(503, "temporarily_unavailable", 90_033, message)
    }

    fn into_answer(self, correlation: Option<&str>) -> Answer {
        let trace = guid::random();
        let correlation = correlation
            .filter(|id| guid::is_guid(id))
            .map_or_else(guid::random, str::to_owned);
        let timestamp = clock::entra_timestamp(clock::now());
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
            self.code, self.message
        );
        Answer::plain_json(
            self.status,
            &json!({
                "error": self.error,
                "error_description": description,
                "error_codes": [self.code],
                "timestamp": timestamp,
                "trace_id": trace,
                "correlation_id": correlation,
                "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
            }),
        )
    }
}

/// `POST /{tenant}/oauth2/v2.0/token`.
pub(in crate::emulator) fn token(
    server: &Server,
    method: &str,
    tenant: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    let mut form = Form::parse(body);
    add_basic_credentials(&mut form, headers);
    let outcome = if method == "POST" {
        grant(server, tenant, &form)
    } else {
        Err(OAuthError::only_post(method))
    };
    with_correlation(server, outcome, headers)
}

/// The answer, with the emulator's time if that is not the machine's.
pub(super) fn with_correlation(
    server: &Server,
    outcome: Result<Answer, OAuthError>,
    headers: &HeaderMap,
) -> Answer {
    let correlation = headers
        .get("client-request-id")
        .and_then(|id| id.to_str().ok());
    let answer = outcome
        .unwrap_or_else(|error| error.into_answer(correlation))
        .header("cache-control", "no-store, no-cache");
    match server.options().clock_ahead {
        0 => answer,
        ahead => answer.header("date", clock::http_date(clock::now() + ahead)),
    }
}

fn grant(server: &Server, tenant: &str, form: &Form) -> Result<Answer, OAuthError> {
    let tenant = known_tenant(server, tenant)?;
    match form.require("grant_type")? {
        "client_credentials" => client_credentials::grant(server, &tenant, form),
        "refresh_token" => device_code::refresh(server, &tenant, form),
        "urn:ietf:params:oauth:grant-type:device_code" => device_code::poll(server, &tenant, form),
        other => Err(OAuthError::new(
            400,
            "unsupported_grant_type",
            70_003,
            format!("The app requested an unsupported grant type '{other}'."),
        )),
    }
}

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`.
pub(in crate::emulator) fn openid_configuration(server: &Server, tenant: &str) -> Answer {
    let id = match known_tenant(server, tenant) {
        Ok(id) => id,
        Err(error) => return error.into_answer(None),
    };
    let base = server.url();
    Answer::plain_json(
        200,
        &json!({
            "token_endpoint": format!("{base}/{id}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": [
                "client_secret_post", "client_secret_basic", "private_key_jwt",
            ],
            "jwks_uri": format!("{base}/{id}/discovery/v2.0/keys"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": format!("{base}/{id}/v2.0"),
            "authorization_endpoint": format!("{base}/{id}/oauth2/v2.0/authorize"),
            "device_authorization_endpoint": format!("{base}/{id}/oauth2/v2.0/devicecode"),
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "ver"],
            "tenant_region_scope": null,
            "msgraph_host": base.trim_start_matches("http://"),
        }),
    )
}

/// `GET /{tenant}/discovery/v2.0/keys`.
pub(in crate::emulator) fn signing_keys(server: &Server, tenant: &str) -> Answer {
    match known_tenant(server, tenant) {
        Ok(id) => {
            let issuer = format!("{}/{id}/v2.0", server.url());
            Answer::plain_json(200, &server.tokens().jwks(&issuer))
        }
        Err(error) => error.into_answer(None),
    }
}

/// The id of the tenant that a login path names.
pub(super) fn known_tenant(server: &Server, name: &str) -> Result<String, OAuthError> {
    let invalid = |code, message: String| OAuthError::new(400, "invalid_request", code, message);
    let lower = name.to_lowercase();
    if ["common", "organizations", "consumers"].contains(&lower.as_str()) {
        return Err(invalid(
            50_194,
            format!(
                "The application is not configured as a multi-tenant application. Usage of the \
                 /{lower} endpoint is not supported for such applications."
            ),
        ));
    }
    let is_domain = lower.contains('.')
        && lower.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
        && lower.len() <= 253;
    if !is_domain && !guid::is_guid(&lower) {
        return Err(invalid(
            900_023,
            format!(
                "Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid \
                 external domain."
            ),
        ));
    }
    let id = server.store().enter(&lower);
    match &server.options().tenant {
        Some(only) if server.store().enter(only) != id => Err(invalid(
            90_002,
            format!(
                "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and \
                 are signing into the correct cloud. Check with your subscription administrator, \
                 this may happen if there are no active subscriptions for the tenant."
            ),
        )),
        _ => Ok(id),
    }
}

/// Client id and secret may come as HTTP Basic credentials, which are form-encoded (RFC 6749).
fn add_basic_credentials(form: &mut Form, headers: &HeaderMap) {
    let credentials = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|encoded| STANDARD.decode(encoded.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some((id, secret)) = credentials.as_deref().and_then(|text| text.split_once(':')) {
        for (name, value) in [("client_id", id), ("client_secret", secret)] {
            let value = percent_decode(&value.replace('+', " "));
            form.0.entry(name.to_owned()).or_insert(value);
        }
    }
}
