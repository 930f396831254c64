use std::fmt;

use reqwest::Url;

/// The base URL of a service: a login host or Microsoft Graph. Always https, except on loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

/// Why a text is no usable endpoint. `what` names the setting or variable that holds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The text is no URL.
    #[error("{what} is not a URL ({reason}); write a base URL such as https://graph.microsoft.com")]
    NotAUrl {
        /// The setting.
        what: String,
        /// What the URL parser says.
        reason: String,
    },
    /// Tokens and secrets would travel in clear text.
    #[error(
        "{what} names {origin}, which is plain http: tokens and secrets would be readable on the \
         network; use https (http is accepted for localhost, 127.0.0.0/8 and [::1] only)"
    )]
    PlainHttp {
        /// The setting.
        what: String,
        /// Scheme, host and port of the URL.
        origin: String,
    },
    /// Neither https nor http.
    #[error("{what} has the scheme {scheme}; use https")]
    Scheme {
        /// The setting.
        what: String,
        /// The scheme of the URL.
        scheme: String,
    },
    /// The URL carries more than scheme, host, port and path.
    #[error("{what} must be a base URL, without {part}")]
    Surplus {
        /// The setting.
        what: String,
        /// What is too much: user name, query or fragment.
        part: &'static str,
    },
    /// A Graph endpoint that already ends with the API version.
    #[error("{what} ends with /{version}; leave that away, iefctl appends the version itself")]
    Version {
        /// The setting.
        what: String,
        /// `beta` or `v1.0`.
        version: String,
    },
}

impl Endpoint {
    /// Reads a base URL. `what` names its origin (a flag, a variable) for the error. Without a
    /// scheme, https is meant, as in the Azure SDKs.
    ///
    /// # Errors
    /// See [`EndpointError`]. No error repeats the text, because it may hold a password.
    pub fn parse(text: &str, what: &str) -> Result<Self, EndpointError> {
        Self::parse_where(text, what, is_loopback)
    }

    /// Reads the base URL of a service that belongs to the platform on which this runs. Such services
    /// may speak plain http on addresses that no other network can reach.
    pub(super) fn of_platform(text: &str, what: &str) -> Result<Self, EndpointError> {
        Self::parse_where(text, what, |url| is_loopback(url) || is_not_routed(url))
    }

    fn parse_where(
        text: &str,
        what: &str,
        may_be_plain: impl Fn(&Url) -> bool,
    ) -> Result<Self, EndpointError> {
        let text = text.trim();
        let what = what.to_owned();
        let absolute = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = Url::parse(&absolute).map_err(|error| EndpointError::NotAUrl {
            what: what.clone(),
            reason: error.to_string(),
        })?;
        match url.scheme() {
            "https" => {}
            "http" if may_be_plain(&url) => {}
            "http" => {
                return Err(EndpointError::PlainHttp {
                    what,
                    origin: url.origin().ascii_serialization(),
                });
            }
            scheme => {
                return Err(EndpointError::Scheme {
                    what,
                    scheme: scheme.to_owned(),
                });
            }
        }
        let surplus = if !url.username().is_empty() || url.password().is_some() {
            Some("user name and password")
        } else if url.query().is_some() {
            Some("a query (?…)")
        } else if url.fragment().is_some() {
            Some("a fragment (#…)")
        } else {
            None
        };
        match surplus {
            Some(part) => Err(EndpointError::Surplus { what, part }),
            None => Ok(Self { url }),
        }
    }

    /// The endpoint, if it does not end with an API version, which the client appends itself.
    ///
    /// # Errors
    /// [`EndpointError::Version`]
    pub fn without_version(self, what: &str) -> Result<Self, EndpointError> {
        let last = self.url.path().trim_end_matches('/').rsplit('/').next();
        match last {
            Some(version @ ("beta" | "v1.0")) => Err(EndpointError::Version {
                what: what.to_owned(),
                version: version.to_owned(),
            }),
            _ => Ok(self),
        }
    }

    /// The URL below this endpoint whose path segments are `segments`, each percent-encoded.
    pub fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Scheme, host and port: what has to be equal before a token is sent there.
    pub fn is_same_origin(&self, url: &Url) -> bool {
        self.url.origin() == url.origin()
    }

    /// Whether the service runs on this machine; such endpoints bypass proxies.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether TLS protects the connection; plain http occurs on loopback only.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host name or address, without port.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

/// The URL without trailing slash.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

/// Link-local and private addresses.
fn is_not_routed(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host.parse::<std::net::Ipv4Addr>()
        .is_ok_and(|address| address.is_link_local() || address.is_private())
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<std::net::IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for accepted in [
            "http://localhost:8080",
            "http://127.0.0.1:1/",
            "http://127.9.9.9",
            "http://[::1]:5000",
            "https://graph.microsoft.com/",
            "login.microsoftonline.us",
        ] {
            assert!(Endpoint::parse(accepted, "x").is_ok(), "{accepted}");
        }
        for refused in [
            "http://graph.microsoft.com",
            "http://127.0.0.1.contoso.com",
            "http://localhost.contoso.com",
            "http://[::2]",
            "http://10.0.0.1",
        ] {
            assert!(
                matches!(
                    Endpoint::parse(refused, "x"),
                    Err(EndpointError::PlainHttp { .. })
                ),
                "{refused}"
            );
        }
    }

    #[test]
    fn an_error_never_repeats_a_password() {
        for text in [
            "https://user:hunter2@graph.microsoft.com",
            "http://user:hunter2@graph.microsoft.com",
            "ftp://user:hunter2@graph.microsoft.com",
            "https://user:hunter2@:99999",
        ] {
            let error = Endpoint::parse(text, "--graph-endpoint").unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
            assert!(error.to_string().contains("--graph-endpoint"));
        }
    }

    #[test]
    fn segments_are_encoded_below_the_base_path() {
        let endpoint = Endpoint::parse("https://proxy.contoso.com/graph/", "x").unwrap();
        let url = endpoint.join(&["beta", "a b/c?d#e%", "$value"]);
        assert_eq!(
            url.as_str(),
            "https://proxy.contoso.com/graph/beta/a%20b%2Fc%3Fd%23e%25/$value"
        );
    }

    #[test]
    fn a_version_in_the_endpoint_is_refused() {
        let endpoint = Endpoint::parse("https://graph.microsoft.com/beta/", "x").unwrap();
        assert!(endpoint.without_version("x").is_err());
    }
}
