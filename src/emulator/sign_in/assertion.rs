//! Client assertions: those that an application signs with its certificate, and tokens of an issuer
//! that it trusts. The codes and sentences are Entra's, as far as they are known; that of a repeated
//! assertion is not.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::applications::{Application, FederatedCredential};
use super::issuer_keys;
use super::jws::Jws;
use super::token::{Form, OAuthError};
use crate::emulator::certificate::Certificate;
use crate::emulator::clock;
use crate::emulator::server::Server;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Entra accepts clocks that differ by this much, in seconds.
const SKEW: i64 = 300;
const PAGE: &str = "Review the documentation at \
    https://learn.microsoft.com/entra/identity-platform/certificate-credentials .";

/// Who presents an assertion, where.
pub(super) struct Presented<'a> {
    pub(super) server: &'a Server,
    /// Id of the tenant.
    pub(super) tenant: &'a str,
    pub(super) client: &'a str,
    /// The application, where applications are registered.
    pub(super) application: Option<&'a Application>,
}

fn refused(code: u32, message: impl Into<String>) -> OAuthError {
    OAuthError::new(401, "invalid_client", code, message)
}

fn malformed() -> OAuthError {
    refused(50_027, "JWT token is invalid or malformed.")
}

/// Verifies the assertion of a request.
pub(super) fn verify(presented: &Presented<'_>, form: &Form) -> Result<(), OAuthError> {
    if form.require("client_assertion_type")? != TYPE {
        let message = "The request body must contain the following parameter: \
                       'client_assertion_type' with value \
                       'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'.";
        return Err(OAuthError::new(400, "invalid_request", 900_144, message));
    }
    let assertion = form.require("client_assertion")?;
    let jws = Jws::parse(assertion).ok_or_else(malformed)?;
    let algorithm = jws.algorithm();
    if !["RS256", "PS256"].contains(&algorithm) {
        return Err(refused(
            5_002_738,
            format!(
                "Invalid JWT token. '{algorithm}' is not a supported signature algorithm. Supported \
                 signing algorithms are: 'RS256, PS256'."
            ),
        ));
    }
    match presented.application {
        None => in_time(presented, &jws),
        // Issuers of external tokens are URLs, applications are not.
        Some(application) if jws.claim("iss").contains("://") => {
            external(presented, application, &jws)
        }
        Some(application) => own(presented, application, &jws),
    }
}

/// An assertion that the application signed itself.
fn own(presented: &Presented<'_>, application: &Application, jws: &Jws) -> Result<(), OAuthError> {
    let certificate = signing_certificate(presented, application, jws)?;
    if !jws.is_signed_by(&certificate.n, &certificate.e) {
        let message = "Client assertion contains an invalid signature. [Reason - The signature \
                       validation failed with the key that was found.]";
        return Err(refused(700_027, message));
    }
    let is_client = |name: &str| jws.claim(name).eq_ignore_ascii_case(presented.client);
    if !is_client("iss") || !is_client("sub") {
        let message = format!(
            "Client assertion application identifier doesn't match 'client_id' parameter. {PAGE}"
        );
        return Err(refused(700_021, message));
    }
    if !is_own_endpoint(presented, jws.claim("aud")) {
        let message =
            format!("Client assertion audience claim does not match Realm issuer. {PAGE}");
        return Err(refused(700_023, message));
    }
    in_time(presented, jws)?;
    let expires = jws.time("exp").unwrap_or_default().saturating_add(SKEW);
    let now = now(presented);
    let memory = presented.server.memory();
    let id = jws.claim("jti");
    if id.is_empty() || !memory.is_first_use(presented.client, id, expires, now) {
        // What Entra says is not known.
        let message = "Assertion failed signature validation. [Reason - The assertion has been \
                       presented before, or has no 'jti'.]";
        return Err(refused(50_013, message));
    }
    Ok(())
}

fn signing_certificate(
    presented: &Presented<'_>,
    application: &Application,
    jws: &Jws,
) -> Result<Certificate, OAuthError> {
    // MSAL pads thumbprints, which RFC 7515 does not and Entra does not mind.
    let header = |name: &str| {
        let text = jws.header[name].as_str()?.trim_end_matches('=');
        (!text.is_empty()).then_some(text)
    };
    let (sha256, sha1) = (header("x5t#S256"), header("x5t"));
    let Some(claimed) = sha256.or(sha1).or_else(|| header("kid")) else {
        return Err(refused(
            5_002_723,
            "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor \
             keyId are specified in token header.",
        ));
    };
    let found = application.certificates.iter().find_map(|der| {
        let certificate = Certificate::read(der).ok()?;
        let hash = digest::digest(&digest::SHA256, der);
        let is_it = match sha256 {
            Some(thumbprint) => URL_SAFE_NO_PAD.encode(hash) == thumbprint,
            None => certificate.x5t == claimed || hex(hash.as_ref()) == claimed,
        };
        is_it.then_some(certificate)
    });
    let decoded = URL_SAFE_NO_PAD.decode(claimed).unwrap_or_default();
    let thumbprint = hex(&decoded);
    let Some(certificate) = found else {
        return Err(refused(
            700_027,
            format!(
                "The certificate with identifier used to sign the client assertion is not registered \
                 on application. [Reason - The key was not found., Thumbprint of key used by client: \
                 '{thumbprint}', Please visit the Azure Portal, Graph Explorer or directly use MS \
                 Graph to see configured keys for app Id '{}'.]",
                presented.client
            ),
        ));
    };
    let now = now(presented);
    if now < certificate.not_before || now > certificate.not_after {
        return Err(refused(
            700_027,
            format!(
                "Client assertion contains an invalid signature. [Reason - The key used is expired., \
                 Thumbprint of key used by client: '{thumbprint}', Found key 'Start={}, End={}']",
                clock::entra_timestamp(certificate.not_before),
                clock::entra_timestamp(certificate.not_after)
            ),
        ));
    }
    Ok(certificate)
}

/// A token of somebody whom the application trusts. It may come again: Kubernetes keeps one in its
/// file for an hour.
fn external(
    presented: &Presented<'_>,
    application: &Application,
    jws: &Jws,
) -> Result<(), OAuthError> {
    let all = &application.federated_credentials;
    if all.is_empty() {
        return Err(refused(
            70_025,
            format!(
                "The client '{}' has no configured federated identity credentials.",
                presented.client
            ),
        ));
    }
    let audiences: Vec<&str> = match &jws.claims["aud"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut matching: Vec<&FederatedCredential> = all.iter().collect();
    let mismatch = |code, what: &str, value: &str| {
        refused(
            code,
            format!(
                "No matching federated identity record found for presented assertion {what} \
                 '{value}'. Check your federated identity credential Subject, Audience and Issuer \
                 against the presented assertion. \
                 https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
            ),
        )
    };
    let (issuer, subject) = (jws.claim("iss"), jws.claim("sub"));
    matching.retain(|credential| credential.issuer == issuer);
    if matching.is_empty() {
        return Err(mismatch(700_211, "issuer", issuer));
    }
    matching.retain(|credential| audiences == [credential.audience.as_str()]);
    if matching.is_empty() {
        return Err(mismatch(700_212, "audience", &audiences.join(",")));
    }
    matching.retain(|credential| credential.subject == subject);
    if matching.is_empty() {
        return Err(mismatch(700_213, "subject", subject));
    }
    let verified = matching.iter().map(|credential| signed(credential, jws));
    let mut failure = None;
    for result in verified {
        match result {
            Ok(()) => return in_time(presented, jws),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(malformed))
}

fn signed(credential: &FederatedCredential, jws: &Jws) -> Result<(), OAuthError> {
    let keys = issuer_keys::of(credential)
        .ok_or_else(|| refused(50_166, "Request to External OIDC endpoint failed."))?;
    let kid = jws.header["kid"].as_str().unwrap_or_default();
    let keys = keys["keys"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |key: &Value, name: &str| key[name].as_str().unwrap_or_default().to_owned();
    let of_name = |key: &&Value| kid.is_empty() || key["kid"].as_str() == Some(kid);
    let mut candidates = keys.iter().filter(of_name).peekable();
    if candidates.peek().is_none() {
        let message = format!(
            "Assertion failed signature validation. [Reason - The key was not found., Thumbprint of \
             key used by client: '{kid}'.]"
        );
        return Err(refused(50_013, message));
    }
    if candidates.any(|key| jws.is_signed_by(&text(key, "n"), &text(key, "e"))) {
        return Ok(());
    }
    let message = "Assertion failed signature validation. [Reason - The provided signature value did \
                   not match the expected signature value.]";
    Err(refused(50_013, message))
}

fn in_time(presented: &Presented<'_>, jws: &Jws) -> Result<(), OAuthError> {
    let now = now(presented);
    let begin = jws.time("nbf").or_else(|| jws.time("iat"));
    let Some(expires) = jws.time("exp") else {
        return Err(malformed());
    };
    let has_begun = begin.is_none_or(|begin| begin <= now + SKEW);
    if has_begun && expires >= now - SKEW {
        return Ok(());
    }
    let shown = |time: i64| clock::graph_date(time) + ".0000000Z";
    Err(refused(
        700_024,
        format!(
            "Client assertion is not within its valid time range. Current time: {}, assertion valid \
             from {}, expiry time of assertion {}. {PAGE}",
            shown(now),
            begin.map_or_else(|| "(not set)".to_owned(), shown),
            shown(expires)
        ),
    ))
}

fn now(presented: &Presented<'_>) -> i64 {
    clock::now() + presented.server.options().clock_ahead
}

/// Whether an audience is this tenant's token endpoint, or its issuer.
fn is_own_endpoint(presented: &Presented<'_>, audience: &str) -> bool {
    let Some(rest) = audience.strip_prefix("http://") else {
        return false;
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let url = presented.server.url();
    let port = url.rsplit(':').next().unwrap_or_default();
    let is_here = authority.rsplit_once(':').is_some_and(|(host, of)| {
        of == port && ["127.0.0.1", "localhost", "[::1]"].contains(&host)
    });
    let (tenant, below) = path.split_once('/').unwrap_or((path, ""));
    let name = presented
        .server
        .store()
        .read(presented.tenant, |tenant| tenant.name().to_owned());
    let is_tenant =
        tenant.eq_ignore_ascii_case(presented.tenant) || tenant.eq_ignore_ascii_case(&name);
    is_here && is_tenant && ["oauth2/v2.0/token", "v2.0"].contains(&below.trim_end_matches('/'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
