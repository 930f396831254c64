use std::fmt;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// An access token with its lifetime. Neither `Debug` nor anything else shows the token.
#[derive(Clone)]
pub struct AccessToken {
    value: SecretString,
    lifetime: Duration,
    obtained: Instant,
}

impl AccessToken {
    /// A token that was obtained just now and is valid for `lifetime`.
    pub fn new(value: SecretString, lifetime: Duration) -> Self {
        Self {
            value,
            lifetime,
            obtained: Instant::now(),
        }
    }

    /// The token itself.
    pub const fn secret(&self) -> &SecretString {
        &self.value
    }

    /// How long it was valid when it was obtained.
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Whether both are the same token.
    pub fn is_same(&self, other: &Self) -> bool {
        self.value.expose_secret() == other.value.expose_secret()
    }

    /// How long it is still valid; zero when it expired.
    pub fn remaining(&self) -> Duration {
        self.lifetime.saturating_sub(self.obtained.elapsed())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// What an access token says about its bearer. Read without verifying the signature, so it may
/// explain a refusal, but it proves nothing. Microsoft reserves the right to make its tokens opaque:
/// no claims is a normal answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenClaims {
    /// Application permissions.
    pub roles: Vec<String>,
    /// Delegated permissions, present if a person signed in.
    pub scopes: Vec<String>,
    /// Id of the tenant that issued the token.
    pub tenant_id: Option<String>,
    /// Id of the application.
    pub application_id: Option<String>,
    /// For which service the token is.
    pub audience: Option<String>,
    /// Expiry, seconds since 1970.
    pub expires: Option<i64>,
}

impl TokenClaims {
    /// Decodes the claims of a JWT; `None` for anything else.
    pub fn decode(token: &AccessToken) -> Option<Self> {
        let payload = token.value.expose_secret().split('.').nth(1)?;
        let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Value = serde_json::from_slice(&json).ok()?;
        let claims = claims.as_object()?;
        let text = |name: &str| Some(claims.get(name)?.as_str()?.to_owned());
        let roles = claims.get("roles").and_then(Value::as_array);
        let roles = roles.into_iter().flatten().filter_map(Value::as_str);
        Some(Self {
            roles: roles.map(str::to_owned).collect(),
            scopes: text("scp")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            tenant_id: text("tid"),
            application_id: text("appid").or_else(|| text("azp")),
            audience: text("aud"),
            expires: claims.get("exp").and_then(Value::as_i64),
        })
    }

    /// Whether the token carries this permission, as application or delegated permission. Case
    /// does not count.
    pub fn grants(&self, permission: &str) -> bool {
        let mut granted = self.roles.iter().chain(&self.scopes);
        granted.any(|name| name.eq_ignore_ascii_case(permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> AccessToken {
        let value = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload));
        AccessToken::new(value.into(), Duration::from_secs(60))
    }

    #[test]
    fn claims_are_decoded() {
        let claims = TokenClaims::decode(&token(
            r#"{"roles":["Policy.Read.All",7],"scp":"User.Read openid","tid":"t","appid":"a","aud":"g","exp":9}"#,
        ))
        .unwrap();
        assert_eq!(claims.roles, ["Policy.Read.All"]);
        assert_eq!(claims.scopes, ["User.Read", "openid"]);
        assert_eq!(claims.tenant_id.as_deref(), Some("t"));
        assert_eq!(claims.application_id.as_deref(), Some("a"));
        assert_eq!(claims.expires, Some(9));
        assert!(claims.grants("policy.read.all"));
        assert!(!claims.grants("Policy.ReadWrite.TrustFramework"));
    }

    #[test]
    fn opaque_and_odd_tokens_have_no_claims() {
        for odd in ["", "opaque", "a.b", "a.!!.c", "..", "e30.WzFd.x"] {
            let token = AccessToken::new(odd.to_owned().into(), Duration::ZERO);
            assert_eq!(TokenClaims::decode(&token), None, "{odd}");
        }
        assert_eq!(
            TokenClaims::decode(&token("{}")),
            Some(TokenClaims::default())
        );
    }
}
