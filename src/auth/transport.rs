use std::error::Error as _;
use std::time::Duration;

use super::{AuthError, Endpoint};

/// How HTTP connections are made, for the token endpoint and for Microsoft Graph alike.
#[derive(Debug, Clone)]
pub struct TransportOptions {
    /// The longest wait for one answer, from connecting to its last byte. Graph clients use 100 s,
    /// because large base policies take long to store.
    pub timeout: Duration,
    /// Certificates (PEM bundle or one DER certificate) to be trusted beside those of the operating
    /// system, for networks that inspect TLS.
    pub ca_certificate: Option<Vec<u8>>,
    /// The `User-Agent` header.
    pub user_agent: String,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(100),
            ca_certificate: None,
            user_agent: concat!("iefctl/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl TransportOptions {
    /// A client for one endpoint. It honours the system's proxy settings (`HTTPS_PROXY`,
    /// `NO_PROXY`, …) except for loopback, and follows no redirects: a token must not travel to
    /// where an answer points.
    ///
    /// # Errors
    /// [`AuthError::Transport`] if the certificates are unreadable or TLS cannot be set up.
    pub fn client(&self, endpoint: &Endpoint) -> Result<reqwest::Client, AuthError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(&self.user_agent)
            .timeout(self.timeout)
            .connect_timeout(self.timeout.min(Duration::from_secs(30)))
            .redirect(reqwest::redirect::Policy::none());
        // What speaks plain http is on this machine or belongs to its platform.
        if endpoint.is_loopback() || !endpoint.is_tls() {
            builder = builder.no_proxy();
        }
        if endpoint.is_tls() {
            builder = builder.tls_certs_merge(self.certificates()?);
        } else {
            // Without TLS there is nothing to trust, and machines without a trust store work too.
            builder = builder.tls_certs_only(Vec::new());
        }
        builder.build().map_err(|error| {
            AuthError::Transport(format!(
                "the HTTP client cannot be set up: {}",
                root_cause(&error)
            ))
        })
    }

    /// Whether the CA certificates can be read. A client for an endpoint without TLS does not look.
    ///
    /// # Errors
    /// [`AuthError::Transport`].
    pub fn check_certificates(&self) -> Result<(), AuthError> {
        let certificates = self.certificates()?;
        if certificates.is_empty() {
            return Ok(());
        }
        // Some are read only when they are used.
        let client = reqwest::Client::builder().tls_certs_only(certificates);
        client.build().map(drop).map_err(|_| unreadable())
    }

    fn certificates(&self) -> Result<Vec<reqwest::Certificate>, AuthError> {
        let Some(bytes) = &self.ca_certificate else {
            return Ok(Vec::new());
        };
        const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";
        let parsed = if bytes.windows(PEM.len()).any(|window| window == PEM) {
            reqwest::Certificate::from_pem_bundle(bytes)
        } else {
            reqwest::Certificate::from_der(bytes).map(|certificate| vec![certificate])
        };
        match parsed {
            Ok(certificates) if !bytes.is_empty() && !certificates.is_empty() => Ok(certificates),
            _ => Err(unreadable()),
        }
    }
}

fn unreadable() -> AuthError {
    let text =
        "it holds no readable certificate; it must be PEM (-----BEGIN CERTIFICATE-----) or DER";
    AuthError::Transport(text.to_owned())
}

/// An exchange that ended without a complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedExchange {
    /// What happened, without URL.
    pub reason: String,
    /// Whether the request surely never reached the service, so that repeating is always safe.
    pub never_sent: bool,
    /// Whether the time ran out; the service may still be working on the request.
    pub timed_out: bool,
    /// Whether the same would happen again: nothing listens on loopback, or the certificate is not
    /// trusted.
    pub permanent: bool,
    /// Whether the name of the service is not known: mistyped, or the network is not there yet.
    pub unresolved: bool,
}

impl FailedExchange {
    /// So often a name that is not known is asked for again. A mistyped one is told within seconds, and
    /// the hiccup of a resolver, as machines of CI systems have them, passes.
    pub const UNRESOLVED_RETRIES: u32 = 2;

    /// Reads what reqwest reports for a request to `endpoint`.
    pub fn new(error: &reqwest::Error, endpoint: &Endpoint) -> Self {
        let cause = root_cause(error);
        let untrusted = cause.contains("invalid peer certificate");
        let refused = io_kind(error) == Some(std::io::ErrorKind::ConnectionRefused);
        let timed_out = error.is_timeout();
        let unresolved = error.is_connect() && is_unresolved(error);
        // TLS cannot even ask for such a name.
        let unnameable = error.is_connect() && cause.contains("invalid dns name");
        let reason = if untrusted {
            format!(
                "the certificate of {} is not trusted ({cause}); if your network inspects TLS, \
                 name its CA certificate with --ca-certificate",
                endpoint.host()
            )
        } else if unresolved || unnameable {
            format!(
                "cannot connect to {endpoint}, because no machine of that name can be found \
                 ({cause}): is the address right, and does this machine reach its name server?"
            )
        } else if error.is_connect() && timed_out {
            format!("{} did not accept the connection in time", endpoint.host())
        } else if timed_out {
            "the answer did not come in time".to_owned()
        } else if error.is_connect() {
            format!("cannot connect to {endpoint}: {cause}")
        } else if error.is_body() || error.is_decode() {
            format!("the connection broke in the middle of the answer: {cause}")
        } else {
            format!("the connection broke before the answer: {cause}")
        };
        Self {
            reason,
            never_sent: error.is_connect() || error.is_builder(),
            timed_out: timed_out && !error.is_connect(),
            unresolved,
            permanent: untrusted
                || unnameable
                || error.is_builder()
                || (refused && endpoint.is_loopback() && error.is_connect()),
        }
    }
}

fn io_kind(error: &reqwest::Error) -> Option<std::io::ErrorKind> {
    causes(error).find_map(|cause| Some(cause.downcast_ref::<std::io::Error>()?.kind()))
}

/// Whether no address was found for a name. What the system says to that differs from one to the next;
/// the connector of hyper-util, whose error has no public type, puts its own words around it.
fn is_unresolved(error: &dyn std::error::Error) -> bool {
    causes(error).any(|cause| cause.to_string() == "dns error")
}

/// What is behind the error, the innermost last.
fn causes(
    error: &dyn std::error::Error,
) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// The innermost error says what happened; the outer ones only that a request failed.
fn root_cause(error: &reqwest::Error) -> String {
    let text = causes(error).last().map(ToString::to_string);
    // Without a source the error's own text may carry the URL, whose query is not for the log.
    text.unwrap_or_else(|| {
        if error.source().is_none() && error.url().is_none() {
            error.to_string()
        } else {
            "no further cause was given".to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A label of more than 63 letters is in no DNS; nothing has to be asked to know.
    #[tokio::test]
    async fn a_name_that_nobody_knows_is_told_from_a_machine_that_does_not_answer() {
        let lost = async |host: &str| {
            let url = format!("http://{host}");
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let error = client.get(&url).send().await.unwrap_err();
            let endpoint = Endpoint::parse(&format!("https://{host}"), "x").unwrap();
            FailedExchange::new(&error, &endpoint)
        };
        let unknown = lost(&"x".repeat(64)).await;
        assert!(unknown.unresolved && unknown.never_sent && !unknown.permanent);
        assert!(
            unknown.reason.contains("no machine of that name"),
            "{unknown:?}"
        );
        // Nothing listens on the port for discarding.
        let refused = lost("127.0.0.1:9").await;
        assert!(refused.never_sent && !refused.unresolved, "{refused:?}");
    }

    #[test]
    fn a_name_is_unknown_whatever_the_system_says_to_it() {
        #[derive(Debug, thiserror::Error)]
        #[error("{text}")]
        struct Layer {
            text: &'static str,
            source: Option<Box<Self>>,
        }
        let chain = |texts: &[&'static str]| {
            let layers = texts
                .iter()
                .rev()
                .fold(None, |source, text| Some(Box::new(Layer { text, source })));
            layers.unwrap()
        };
        let sent = "error sending request";
        for system in [
            "No such host is known. (os error 11001)",
            "failed to lookup address information: Name or service not known",
        ] {
            let unknown = chain(&[sent, "client error (Connect)", "dns error", system]);
            assert!(is_unresolved(&*unknown), "{system}");
        }
        let refused = chain(&[
            sent,
            "tcp connect error",
            "Connection refused (os error 111)",
        ]);
        assert!(!is_unresolved(&*refused));
    }

    #[test]
    fn unreadable_certificates_are_named() {
        let graph = Endpoint::parse("https://graph.microsoft.com", "x").unwrap();
        let pem = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        for bytes in [&b""[..], &b"not a certificate"[..], pem.as_bytes()] {
            let options = TransportOptions {
                ca_certificate: Some(bytes.to_vec()),
                ..TransportOptions::default()
            };
            assert!(options.client(&graph).is_err(), "{bytes:?}");
            assert!(options.check_certificates().is_err(), "{bytes:?}");
        }
        assert!(TransportOptions::default().client(&graph).is_ok());
    }
}
