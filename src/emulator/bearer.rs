//! Who calls: access tokens, made and checked.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use serde_json::{Value, json};

use super::answer::Refusal;
use super::clock;
use super::guid;
use super::signer::{BadToken, Signer};

/// Microsoft Graph's own application id, also usable as audience.
const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";

/// The Graph hosts of all clouds.
const GRAPH_HOSTS: [&str; 4] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// The caller that a valid token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// Id of the tenant.
    pub(super) tenant: String,
    /// Application permissions.
    pub(super) roles: Vec<String>,
    /// Delegated permissions; some if a person calls.
    pub(super) scopes: Vec<String>,
    /// Id of the token.
    pub(super) token: String,
}

/// A token to be issued.
#[derive(Debug, Clone)]
pub(super) struct Grant<'a> {
    pub(super) tenant: &'a str,
    pub(super) client: &'a str,
    pub(super) audience: &'a str,
    /// Application permissions; none if a person signed in.
    pub(super) roles: &'a [String],
    /// Delegated permissions, if a person signed in.
    pub(super) scopes: &'a [String],
    /// Seconds.
    pub(super) lifetime: i64,
}

/// Issues tokens and checks those that come back.
#[derive(Debug)]
pub(super) struct Tokens {
    signer: Signer,
    port: u16,
    revoked: Mutex<BTreeSet<String>>,
}

impl Tokens {
    /// `None` if no key can be generated. `port` is the emulator's own, by which it knows itself
    /// as audience.
    pub(super) fn new(port: u16) -> Option<Self> {
        Some(Self {
            signer: Signer::new()?,
            port,
            revoked: Mutex::default(),
        })
    }

    /// An access token, as Entra issues it to an application.
    pub(super) fn issue(&self, grant: &Grant<'_>) -> Option<String> {
        let now = clock::now();
        let object = guid::derived(
            "service principal",
            &format!("{}/{}", grant.tenant, grant.client),
        );
        let mut claims = json!({
            "aud": grant.audience,
            "iss": format!("https://sts.windows.net/{}/", grant.tenant),
            "iat": now, "nbf": now, "exp": now + grant.lifetime,
            "appid": grant.client, "oid": object, "sub": object, "tid": grant.tenant,
            "uti": guid::random_kid(), "ver": "1.0",
        });
        if grant.scopes.is_empty() {
            claims["appidacr"] = "1".into();
            claims["idtyp"] = "app".into();
            claims["roles"] = json!(grant.roles);
        } else {
            claims["appidacr"] = "0".into();
            claims["idtyp"] = "user".into();
            claims["scp"] = grant.scopes.join(" ").into();
        }
        self.signer.sign(&claims)
    }

    /// An OpenID Connect token that tells a client which person signed in. Graph takes none.
    pub(super) fn identify(&self, grant: &Grant<'_>, issuer: &str, name: &str) -> Option<String> {
        let now = clock::now();
        let person = guid::derived("person", &format!("{}/{name}", grant.tenant));
        self.signer.sign(&json!({
            "aud": grant.client, "iss": issuer, "tid": grant.tenant, "ver": "2.0",
            "iat": now, "nbf": now, "exp": now + grant.lifetime,
            "oid": person, "sub": person, "preferred_username": name,
        }))
    }

    /// The caller, or Graph's 401.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let refused = |message: &str| Refusal::graph(401, "InvalidAuthenticationToken", message);
        let value = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(refused("Access token is empty."));
        }
        let claims = self.signer.verify(token).map_err(|bad| match bad {
            BadToken::Malformed => refused("IDX14100: JWT is not well formed."),
            BadToken::Signature => refused("Access token validation failure. Invalid signature."),
        })?;
        let text = |name: &str| claims[name].as_str().unwrap_or_default();
        if !self.is_own_audience(text("aud")) {
            return Err(refused(
                "Access token validation failure. Invalid audience.",
            ));
        }
        let token = text("uti").to_owned();
        let expired = claims["exp"].as_i64().is_none_or(|exp| exp <= clock::now());
        if expired || self.revoked().contains(&token) {
            return Err(refused("Lifetime validation failed, the token is expired."));
        }
        let roles = claims["roles"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        Ok(Caller {
            tenant: text("tid").to_owned(),
            roles: roles
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            scopes: text("scp").split_whitespace().map(str::to_owned).collect(),
            token,
        })
    }

    /// Makes a token worthless, as if it had expired.
    pub(super) fn revoke(&self, caller: &Caller) {
        self.revoked().insert(caller.token.clone());
    }

    /// The key set for the discovery document.
    pub(super) fn jwks(&self, issuer: &str) -> Value {
        json!({"keys": [self.signer.jwk(issuer)]})
    }

    fn is_own_audience(&self, audience: &str) -> bool {
        let audience = audience.trim_end_matches('/').to_lowercase();
        let own = audience
            .strip_prefix("http://")
            .and_then(|rest| rest.rsplit_once(':'))
            .is_some_and(|(_, port)| port.parse() == Ok(self.port));
        own || audience == GRAPH_APP || GRAPH_HOSTS.contains(&audience.as_str())
    }

    fn revoked(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caller {
    /// Graph's 403 unless the token holds one of `permissions`.
    pub(super) fn require(&self, permissions: &[&str]) -> Result<(), Refusal> {
        let held = permissions.iter().any(|wanted| {
            self.roles
                .iter()
                .chain(&self.scopes)
                .any(|role| role == wanted)
        });
        if held {
            return Ok(());
        }
        let kind = if self.scopes.is_empty() {
            "application"
        } else {
            "delegated"
        };
        // The blank at the end is the service's.
        Err(Refusal::bare(
            403,
            format!(
                "The application does not have any of the required {kind} permissions ({}) \
                 to access the resource. ",
                permissions.join(", ")
            ),
        ))
    }
}
