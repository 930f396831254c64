//! Signing in a person by a device code (RFC 8628): the endpoint that gives codes, the page on which
//! a person confirms one, the grant that polls, and the renewal of such sessions.

use std::time::Instant;

use serde_json::json;

use super::client_credentials::{known_application, roles};
use super::memory::{Decision, Pending, Session};
use super::token::{Form, OAuthError, known_tenant, with_correlation};
use crate::emulator::answer::Answer;
use crate::emulator::bearer::Grant;
use crate::emulator::server::Server;

/// `POST /{tenant}/oauth2/v2.0/devicecode`.
pub(in crate::emulator) fn device_code(
    server: &Server,
    method: &str,
    tenant: &str,
    headers: &axum::http::HeaderMap,
    body: &[u8],
) -> Answer {
    let form = Form::parse(body);
    let outcome = if method == "POST" {
        begin(server, tenant, &form)
    } else {
        Err(OAuthError::only_post(method))
    };
    with_correlation(server, outcome, headers)
}

fn begin(server: &Server, tenant: &str, form: &Form) -> Result<Answer, OAuthError> {
    let tenant = known_tenant(server, tenant)?;
    let client = form.require("client_id")?;
    let scope = form.require("scope")?;
    known_application(server, &tenant, client)?;
    let codes = &server.options().device_codes;
    let user_code = crate::emulator::guid::random()
        .replace('-', "")
        .to_uppercase();
    let user_code = &user_code[..9];
    let decision = if codes.confirmed {
        Decision::Confirmed
    } else {
        Decision::Waiting
    };
    let code = server.memory().begin(Pending {
        session: Session {
            tenant,
            client: client.to_owned(),
            scope: scope.to_owned(),
        },
        user_code: user_code.to_owned(),
        decision,
        begun: Instant::now(),
        asked: None,
    });
    let page = format!("{}/devicelogin", server.url());
    let message = format!(
        "To sign in, use a web browser to open the page {page} and enter the code {user_code} to \
         authenticate."
    );
    Ok(Answer::plain_json(
        200,
        &json!({
            "user_code": user_code,
            "device_code": code,
            "verification_uri": page,
            "expires_in": codes.lifetime.as_secs(),
            "interval": codes.interval.as_secs(),
            "message": message,
        }),
    ))
}

/// `/devicelogin`: the page for the person. `POST` with `code` and `decision` (`confirm`, `decline`).
pub(in crate::emulator) fn device_login(server: &Server, method: &str, body: &[u8]) -> Answer {
    if method != "POST" {
        return Answer::page(
            200,
            "<form method=\"post\"><label>Code <input name=\"code\" autofocus></label> \
             <button name=\"decision\" value=\"confirm\">Sign in</button> \
             <button name=\"decision\" value=\"decline\">Decline</button></form>",
        );
    }
    let form = Form::parse(body);
    let decision = match form.get("decision") {
        Some("confirm") => Decision::Confirmed,
        Some("decline") => Decision::Declined,
        _ => return Answer::page(400, "<p>The decision must be confirm or decline.</p>"),
    };
    let code = form.get("code").unwrap_or_default();
    if server.memory().decide(code, decision) {
        Answer::page(200, "<p>You can close this page.</p>")
    } else {
        Answer::page(400, "<p>That code is not waiting for anybody.</p>")
    }
}

/// The grant that a client polls with.
pub(super) fn poll(server: &Server, tenant: &str, form: &Form) -> Result<Answer, OAuthError> {
    let client = form.require("client_id")?;
    let code = form.require("device_code")?;
    public_client(server, tenant, client)?;
    let refused = |error, number, message: &str| Err(OAuthError::new(400, error, number, message));
    let codes = &server.options().device_codes;
    let looked = server.memory().pending(code, |pending| {
        let pending = pending?;
        let hasty = pending
            .asked
            .is_some_and(|asked| asked.elapsed() < codes.interval);
        pending.asked = Some(Instant::now());
        let expired = pending.begun.elapsed() >= codes.lifetime;
        Some((pending.session.clone(), pending.decision, hasty, expired))
    });
    let Some((session, decision, hasty, expired)) = looked else {
        return refused(
            "bad_verification_code",
            70_018,
            "The verification code is not valid.",
        );
    };
    if session.tenant != tenant || !session.client.eq_ignore_ascii_case(client) {
        return refused(
            "bad_verification_code",
            70_018,
            "The verification code is not valid for this client.",
        );
    }
    if expired {
        server.memory().forget(code);
        return refused(
            "expired_token",
            70_020,
            "The provided value for the input parameter 'device_code' is not valid. This device code \
             has expired.",
        );
    }
    match decision {
        Decision::Waiting if hasty => refused(
            "slow_down",
            70_016,
            "OAuth 2.0 device flow error. The client polls too often.",
        ),
        Decision::Waiting => refused(
            "authorization_pending",
            70_016,
            "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
        ),
        Decision::Declined => {
            server.memory().forget(code);
            refused(
                "authorization_declined",
                65_004,
                "User declined to consent to access the app.",
            )
        }
        Decision::Confirmed => {
            server.memory().forget(code);
            issue(server, session)
        }
    }
}

/// A new token for a session, without the person.
pub(super) fn refresh(server: &Server, tenant: &str, form: &Form) -> Result<Answer, OAuthError> {
    let client = form.require("client_id")?;
    let token = form.require("refresh_token")?;
    public_client(server, tenant, client)?;
    let session = server
        .memory()
        .take(token)
        .filter(|session| session.tenant == tenant && session.client.eq_ignore_ascii_case(client));
    match session {
        Some(session) => issue(server, session),
        None => Err(OAuthError::new(
            400,
            "invalid_grant",
            700_082,
            "The refresh token has expired due to inactivity.",
        )),
    }
}

fn public_client(server: &Server, tenant: &str, client: &str) -> Result<(), OAuthError> {
    match known_application(server, tenant, client)? {
        Some(application) if !application.public_client => Err(OAuthError::new(
            401,
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or \
             'client_secret'.",
        )),
        _ => Ok(()),
    }
}

fn issue(server: &Server, session: Session) -> Result<Answer, OAuthError> {
    let mut audience = String::new();
    let mut scopes = Vec::new();
    for scope in session.scope.split_whitespace() {
        // `{resource}/{permission}`; those without resource are OpenID Connect's own.
        if let Some((resource, permission)) = scope.rsplit_once('/') {
            audience = resource.to_owned();
            match permission {
                // Whatever the application has consent for.
                ".default" => scopes.extend_from_slice(roles(server, &session.client)),
                permission => scopes.push(permission.to_owned()),
            }
        }
    }
    if scopes.is_empty() {
        return Err(OAuthError::new(
            400,
            "invalid_scope",
            70_011,
            format!(
                "The provided value for the input parameter 'scope' is not valid. The scope {} is not \
                 valid.",
                session.scope
            ),
        ));
    }
    let lifetime = server.token_lifetime();
    let grant = Grant {
        tenant: &session.tenant,
        client: &session.client,
        audience: &audience,
        roles: &[],
        scopes: &scopes,
        lifetime,
    };
    let token = server.tokens().issue(&grant);
    let token = token.ok_or_else(OAuthError::busy)?;
    let mut answer = json!({
        "token_type": "Bearer",
        "scope": session.scope,
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    });
    let asks_for = |wanted: &str| {
        let mut scopes = session.scope.split_whitespace();
        scopes.any(|scope| scope == wanted)
    };
    if asks_for("openid") {
        let issuer = format!("{}/{}/v2.0", server.url(), session.tenant);
        let tenants = server.store();
        let name = tenants.read(&session.tenant, |tenant| {
            format!("person@{}", tenant.name())
        });
        let token = server.tokens().identify(&grant, &issuer, &name);
        answer["id_token"] = token.ok_or_else(OAuthError::busy)?.into();
    }
    if asks_for("offline_access") {
        answer["refresh_token"] = server.memory().remember(session).into();
    }
    Ok(Answer::plain_json(200, &answer))
}
