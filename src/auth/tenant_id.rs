//! Whether a token is for the tenant that is meant. A token that the tenant's own endpoint gave
//! always is; one that somebody else gave may be for any.

use reqwest::Url;
use serde_json::Value;

use super::patience::{Answer, Failure, patiently};
use super::token_endpoint::entra_error;
use super::{
    AccessToken, AuthError, Backoff, Endpoint, Endpoints, Surroundings, TokenClaims, retry_after,
};

/// Knows the tenant that is meant.
pub(super) struct TenantCheck {
    /// As the user calls it.
    tenant: String,
    endpoint: Endpoint,
    discovery: Url,
    http: reqwest::Client,
    backoff: Backoff,
}

impl TenantCheck {
    pub(super) fn new(
        endpoints: &Endpoints,
        tenant: &str,
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        let path = [tenant, "v2.0", ".well-known", "openid-configuration"];
        Ok(Self {
            tenant: tenant.to_owned(),
            endpoint: endpoints.login.clone(),
            discovery: endpoints.login.join(&path),
            http: surroundings.transport.client(&endpoints.login)?,
            backoff: surroundings.backoff(),
        })
    }

    /// Refuses a token of another tenant. A token that does not say its tenant passes: the service
    /// will say.
    pub(super) async fn check(
        &self,
        token: &AccessToken,
        who: &'static str,
        advice: &str,
    ) -> Result<(), AuthError> {
        let claims = TokenClaims::decode(token);
        let Some(found) = claims.and_then(|claims| claims.tenant_id) else {
            return Ok(());
        };
        if found.eq_ignore_ascii_case(&self.tenant) {
            return Ok(());
        }
        let wanted = if is_id(&self.tenant) {
            self.tenant.clone()
        } else {
            let id = self.id().await?;
            if found.eq_ignore_ascii_case(&id) {
                return Ok(());
            }
            format!("{} ({id})", self.tenant)
        };
        Err(AuthError::OtherTenant {
            who,
            found: found.chars().filter(|c| !c.is_control()).take(60).collect(),
            wanted,
            advice: advice.to_owned(),
        })
    }

    /// The tenant's id, from its discovery document.
    async fn id(&self) -> Result<String, AuthError> {
        patiently(&self.backoff, || async {
            let request = self.http.get(self.discovery.clone());
            let answer = Answer::of(request, &self.endpoint).await?;
            let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
            let id = json.as_ref().and_then(issuer_id);
            if let (200, Some(id)) = (answer.status, id) {
                return Ok(id);
            }
            let error = match entra_error(answer.status, &answer.body, &[]) {
                Some(error) => AuthError::Entra(Box::new(error)),
                None => AuthError::Unexpected {
                    host: self.endpoint.host().to_owned(),
                    status: answer.status,
                    what: answer.describe(),
                },
            };
            Err(Failure {
                unresolved: false,
                transient: answer.is_busy(),
                retry_after: retry_after(&answer.headers),
                error,
            })
        })
        .await
    }
}

/// The id in an issuer such as `https://login.microsoftonline.com/{id}/v2.0`.
fn issuer_id(discovery: &Value) -> Option<String> {
    let issuer = discovery.get("issuer")?.as_str()?;
    let id = issuer.split('/').find(|part| is_id(part))?;
    Some(id.to_owned())
}

/// Whether a text is a GUID.
fn is_id(text: &str) -> bool {
    let groups = text.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
