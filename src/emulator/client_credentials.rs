//! The client credentials grant with a secret.

use secrecy::ExposeSecret;
use serde_json::json;

use super::answer::Answer;
use super::bearer::Grant;
use super::guid;
use super::server::Server;
use super::token::{Form, OAuthError};

/// Issues a token to the application that proves itself by its secret.
pub(super) fn grant(server: &Server, tenant: &str, form: &Form) -> Result<Answer, OAuthError> {
    let client = form.require("client_id")?;
    let scope = form.require("scope")?;
    let options = server.options();
    if options
        .client_id
        .as_ref()
        .is_some_and(|only| !only.eq_ignore_ascii_case(client))
    {
        let directory = server
            .store()
            .read(tenant, |tenant| tenant.name().to_owned());
        return Err(OAuthError::new(
            400,
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{client}' was not found in the directory \
                 '{directory}'. This can happen if the application has not been installed by the \
                 administrator of the tenant or consented to by any user in the tenant. You may \
                 have sent your authentication request to the wrong tenant."
            ),
        ));
    }
    let Some(secret) = form.get("client_secret") else {
        return Err(OAuthError::new(
            401,
            "invalid_client",
            7_000_216,
            "'client_assertion', 'client_secret' or 'request' is required for the \
             'client_credentials' grant type.",
        ));
    };
    if options
        .client_secret
        .as_ref()
        .is_some_and(|only| only.expose_secret() != secret)
    {
        return Err(OAuthError::new(
            401,
            "invalid_client",
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is \
                 the client secret value, not the client secret ID, for a secret added to app \
                 '{client}'."
            ),
        ));
    }
    let audience = audience(scope)?;
    let lifetime = i64::try_from(options.token_lifetime.as_secs()).unwrap_or(i64::MAX / 2);
    let roles = options
        .client_roles
        .iter()
        .find(|(id, _)| id.eq_ignore_ascii_case(client))
        .map_or(&options.roles, |(_, roles)| roles);
    let token = server.tokens().issue(&Grant {
        tenant,
        client,
        audience,
        roles,
        lifetime,
    });
    let token = token.ok_or_else(|| {
        OAuthError::new(
            503,
            "temporarily_unavailable",
            90_033,
            "A transient error has occurred. Please try again.",
        )
    })?;
    Ok(Answer::plain_json(
        200,
        &json!({
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token,
        }),
    ))
}

/// The resource that `{resource}/.default` names.
fn audience(scope: &str) -> Result<&str, OAuthError> {
    let invalid = |message: String| OAuthError::new(400, "invalid_scope", 1_002_012, message);
    let mut scopes = scope.split_whitespace();
    let (first, others) = (scopes.next().unwrap_or_default(), scopes.next());
    let resource = first.strip_suffix("/.default").filter(|_| others.is_none());
    let Some(resource) = resource else {
        return Err(invalid(format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have \
             a scope value with /.default suffixed to the resource identifier (application ID \
             URI)."
        )));
    };
    let is_uri = resource
        .split_once("://")
        .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    if is_uri || guid::is_guid(resource) {
        Ok(resource)
    } else {
        Err(OAuthError::new(
            400,
            "invalid_resource",
            500_011,
            format!(
                "The resource principal named {resource} was not found in the tenant. This can \
                 happen if the application has not been installed by the administrator of the \
                 tenant or consented to by any user in the tenant."
            ),
        ))
    }
}
