//! Stand-ins for the platforms that give tokens to whoever runs on them.

use std::sync::{Arc, Mutex};

use iefctl::emulator::{FederatedCredential, IssuerKeys};
use serde_json::{Value, json};

use crate::keys::{Key, now};
use crate::server::{Reply, Request, Server};

/// An issuer of tokens that an application may trust.
pub(crate) struct Issuer {
    pub(crate) key: &'static Key,
    pub(crate) kid: &'static str,
    pub(crate) issuer: String,
    pub(crate) subject: String,
}

impl Issuer {
    pub(crate) fn new(issuer: &str, subject: &str) -> Self {
        Self {
            key: Key::one(),
            kid: "key-1",
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        }
    }

    /// The credential with which an application trusts it.
    pub(crate) fn credential(&self) -> FederatedCredential {
        FederatedCredential {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            audience: "api://AzureADTokenExchange".to_owned(),
            keys: IssuerKeys::Set(self.key_set()),
        }
    }

    pub(crate) fn claims(&self, audience: &str) -> Value {
        json!({
            "iss": self.issuer, "sub": self.subject, "aud": audience,
            "iat": now(), "nbf": now(), "exp": now() + 300,
        })
    }

    pub(crate) fn token(&self, audience: &str) -> String {
        self.token_of(&self.claims(audience))
    }

    pub(crate) fn token_of(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": self.kid});
        self.key.token(&header, claims)
    }

    pub(crate) fn key_set(&self) -> Value {
        json!({"keys": [self.key.jwk(self.kid)]})
    }
}

/// The audience that a request asks for, decoded as far as these tests need.
pub(crate) fn query(request: &Request, name: &str) -> Option<String> {
    let (_, query) = request.path.split_once('?')?;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name);
    let value = values.next()?.1;
    Some(value.replace("%3A", ":").replace("%2F", "/"))
}

/// Every token that a platform gave away.
#[derive(Clone, Default)]
pub(crate) struct Given(Arc<Mutex<Vec<String>>>);

impl Given {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn add(&self, token: String) -> String {
        self.0.lock().unwrap().push(token.clone());
        token
    }
}

/// GitHub as a job sees it: `{"value": token}` for whoever has the job's own token.
pub(crate) async fn github(issuer: Issuer, request_token: &'static str, given: Given) -> Server {
    Server::start(move |request, _| {
        if request.path.starts_with("/jwks") {
            return Reply::json(200, issuer.key_set());
        }
        let bearer = format!("bearer {request_token}");
        let authorized = request
            .header("authorization")
            .is_some_and(|value| value.eq_ignore_ascii_case(&bearer));
        if !authorized || request.method != "GET" {
            return Reply::json(401, json!({"message": "not authorized"}));
        }
        let audience = query(request, "audience").unwrap_or_default();
        let token = given.add(issuer.token(&audience));
        Reply::json(200, json!({"count": 1, "value": token}))
    })
    .await
}
