use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use secrecy::SecretString;

use super::application::{Application, expiry, external_token};
use super::error::wrong_file;
use super::{
    AccessToken, AuthError, Endpoints, SecretObserver, SignIn, SignInFuture, Surroundings,
};
use crate::utc;

/// By how much the clock of this machine may be wrong.
const SKEW: Duration = Duration::from_secs(300);
/// No JWT is longer.
const MAX_BYTES: u64 = 64 * 1024;

/// Signs in as an application that trusts the issuer of a token, which somebody (Kubernetes, for
/// example) keeps fresh in a file. The file is read at every renewal.
pub struct FederatedTokenFile {
    application: Application,
    path: PathBuf,
    /// The setting that names the file.
    origin: String,
    secrets: Arc<dyn SecretObserver>,
}

impl FederatedTokenFile {
    /// The way in for application `client_id` of `tenant` with the file at `path`, which the setting
    /// `origin` names.
    ///
    /// # Errors
    /// [`AuthError::InvalidSetting`] if there is no token in the file.
    pub fn new(
        endpoints: &Endpoints,
        tenant: &str,
        client_id: &str,
        (path, origin): (&Path, &str),
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        let way = Self {
            application: Application::new(endpoints, tenant, client_id, surroundings)?,
            path: path.to_owned(),
            origin: origin.to_owned(),
            secrets: Arc::clone(&surroundings.secrets),
        };
        way.read()?;
        Ok(way)
    }

    fn read(&self) -> Result<SecretString, AuthError> {
        let invalid = |reason: String| wrong_file(&self.origin, &self.path, &reason);
        let metadata = std::fs::metadata(&self.path)
            .map_err(|error| invalid(format!("cannot be read: {error}")))?;
        if !metadata.is_file() {
            return Err(invalid("is no regular file".to_owned()));
        }
        let no_token = "holds no token: expected is one JWT, three parts with dots between them";
        if metadata.len() > MAX_BYTES {
            return Err(invalid(no_token.to_owned()));
        }
        let bytes = std::fs::read(&self.path)
            .map_err(|error| invalid(format!("cannot be read: {error}")))?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(invalid(
                "is empty: whoever writes the token has not done so yet".to_owned(),
            ));
        }
        let token = String::from_utf8(bytes)
            .ok()
            .and_then(|text| external_token(&text))
            .ok_or_else(|| invalid(no_token.to_owned()))?;
        self.secrets.on_secret(&token);
        let now = SystemTime::now();
        if let Some(expiry) = expiry(&token).filter(|expiry| *expiry + SKEW < now) {
            return Err(invalid(format!(
                "holds a token that expired at {}, while the clock of this machine says {}: whoever \
                 keeps the file fresh has stopped, or the clock is wrong",
                utc::rfc3339(expiry),
                utc::rfc3339(now)
            )));
        }
        Ok(token)
    }

    async fn sign_in(&self) -> Result<AccessToken, AuthError> {
        let token = self.read()?;
        self.application.by_external_token(&token).await
    }
}

impl SignIn for FederatedTokenFile {
    fn acquire(&self) -> SignInFuture<'_> {
        Box::pin(self.sign_in())
    }

    fn describe(&self) -> String {
        format!(
            "federated token `{}` for application {}",
            self.path.display(),
            self.application.client_id()
        )
    }
}

impl fmt::Debug for FederatedTokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FederatedTokenFile")
            .field("application", &self.application)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
