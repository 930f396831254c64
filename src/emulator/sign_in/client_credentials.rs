//! The client credentials grant, with a secret or an assertion.

use secrecy::ExposeSecret;
use serde_json::json;

use super::applications::Application;
use super::assertion::{self, Presented};
use super::token::{Form, OAuthError};
use crate::emulator::answer::Answer;
use crate::emulator::bearer::Grant;
use crate::emulator::guid;
use crate::emulator::server::Server;

/// Issues a token to the application that proves itself.
pub(super) fn grant(server: &Server, tenant: &str, form: &Form) -> Result<Answer, OAuthError> {
    let client = form.require("client_id")?;
    let scope = form.require("scope")?;
    let application = known_application(server, tenant, client)?;
    if form.get("client_assertion").is_some() || form.get("client_assertion_type").is_some() {
        let presented = Presented {
            server,
            tenant,
            client,
            application,
        };
        assertion::verify(&presented, form)?;
    } else {
        check_secret(server, application, client, form)?;
    }
    let audience = audience(scope)?;
    let lifetime = server.token_lifetime();
    let roles = roles(server, client);
    let token = server.tokens().issue(&Grant {
        tenant,
        client,
        audience,
        roles,
        scopes: &[],
        lifetime,
    });
    let token = token.ok_or_else(OAuthError::busy)?;
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

/// The permissions that an application has consent for.
pub(super) fn roles<'s>(server: &'s Server, client: &str) -> &'s [String] {
    let options = server.options();
    let mut own = options.client_roles.iter();
    own.find(|(id, _)| id.eq_ignore_ascii_case(client))
        .map_or(&options.roles, |(_, roles)| roles)
}

/// The application that a request names: none where any may sign in.
pub(super) fn known_application<'s>(
    server: &'s Server,
    tenant: &str,
    client: &str,
) -> Result<Option<&'s Application>, OAuthError> {
    let options = server.options();
    let named = |id: &String| id.eq_ignore_ascii_case(client);
    let application = options
        .applications
        .iter()
        .find(|application| named(&application.client_id));
    let is_known = match &options.client_id {
        Some(only) => named(only),
        None => options.applications.is_empty(),
    };
    if is_known || application.is_some() {
        return Ok(application);
    }
    let directory = server
        .store()
        .read(tenant, |tenant| tenant.name().to_owned());
    Err(OAuthError::new(
        400,
        "unauthorized_client",
        700_016,
        format!(
            "Application with identifier '{client}' was not found in the directory '{directory}'. \
             This can happen if the application has not been installed by the administrator of the \
             tenant or consented to by any user in the tenant. You may have sent your authentication \
             request to the wrong tenant."
        ),
    ))
}

fn check_secret(
    server: &Server,
    application: Option<&Application>,
    client: &str,
    form: &Form,
) -> Result<(), OAuthError> {
    let Some(secret) = form.get("client_secret") else {
        return Err(OAuthError::new(
            401,
            "invalid_client",
            7_000_216,
            "'client_assertion', 'client_secret' or 'request' is required for the \
             'client_credentials' grant type.",
        ));
    };
    let is_right = |known: &secrecy::SecretString| known.expose_secret() == secret;
    let accepted = match application {
        Some(application) => application.client_secret.as_ref().is_some_and(is_right),
        None => server.options().client_secret.as_ref().is_none_or(is_right),
    };
    if accepted {
        return Ok(());
    }
    Err(OAuthError::new(
        401,
        "invalid_client",
        7_000_215,
        format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client \
             secret value, not the client secret ID, for a secret added to app '{client}'."
        ),
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
