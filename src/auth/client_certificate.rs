use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use secrecy::SecretString;

use crate::utc;

use super::application::Application;
use super::assertion::Signer;
use super::error::wrong_file;
use super::pem;
use super::{AuthError, Endpoints, SecretObserver, SignIn, SignInFuture, Surroundings};

/// Signs in as an application that proves itself by an assertion, signed with the private key of a
/// certificate that was uploaded to it.
pub struct ClientCertificate {
    application: Application,
    signer: Signer,
    /// Begin and end of the certificate's validity, seconds since 1970.
    validity: (i64, i64),
    /// The setting that names the file, and the file.
    origin: (String, String),
    secrets: Arc<dyn SecretObserver>,
}

impl ClientCertificate {
    /// The way in for application `client_id` of `tenant` with the PEM file at `path`, which the
    /// setting `origin` names. The file is read now.
    ///
    /// # Errors
    /// [`AuthError::InvalidSetting`] tells what is wrong with the file, or that the certificate is
    /// not valid now.
    pub fn new(
        endpoints: &Endpoints,
        tenant: &str,
        client_id: &str,
        (path, origin): (&Path, &str),
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        let invalid = |reason: String| wrong_file(origin, path, &reason);
        let text = pem::read(path).map_err(invalid)?;
        surroundings.secrets.on_secret(&text);
        let pair = pem::parse(&text).map_err(invalid)?;
        let way = Self {
            application: Application::new(endpoints, tenant, client_id, surroundings)?,
            validity: pair.validity,
            signer: Signer::new(pair),
            origin: (origin.to_owned(), path.display().to_string()),
            secrets: Arc::clone(&surroundings.secrets),
        };
        way.check_validity(now())?;
        Ok(way)
    }

    fn check_validity(&self, now: i64) -> Result<(), AuthError> {
        let (begin, end) = self.validity;
        let reason = if now > end {
            format!(
                "whose certificate expired on {}: upload a new one to the application and put it, \
                 with its key, into the file",
                utc::date(end)
            )
        } else if now < begin {
            format!(
                "whose certificate is not valid before {}, and it is {} by the clock of this \
                 machine: wait, or correct the clock",
                utc::date(begin),
                utc::date(now)
            )
        } else {
            return Ok(());
        };
        let (name, file) = &self.origin;
        Err(AuthError::InvalidSetting {
            name: name.clone(),
            reason: format!("names `{file}`, {reason}"),
        })
    }

    fn assertion(&self) -> Result<SecretString, AuthError> {
        let now = now();
        self.check_validity(now)?;
        let application = &self.application;
        let assertion = self
            .signer
            .sign(application.client_id(), application.audience(), now)
            .ok_or_else(|| {
                AuthError::Transport("the system has no randomness to sign with".to_owned())
            })?;
        self.secrets.on_secret(&assertion);
        Ok(assertion)
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

impl SignIn for ClientCertificate {
    fn acquire(&self) -> SignInFuture<'_> {
        Box::pin(self.application.by_assertion(|| self.assertion()))
    }

    fn describe(&self) -> String {
        format!(
            "certificate `{}` of application {}",
            self.origin.1,
            self.application.client_id()
        )
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("application", &self.application)
            .field("file", &self.origin.1)
            .finish_non_exhaustive()
    }
}
