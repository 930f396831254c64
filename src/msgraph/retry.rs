//! Which failures pass, and what a call may do about them, by its kind.

use std::time::Duration;

use super::Rejection;
use crate::auth::FailedExchange;

/// Whether a call may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallKind {
    /// Sending it again leads to the same state.
    Idempotent,
    /// Every time that it takes effect adds a key.
    Append,
    /// Nobody depends on its answer: it is not worth a second attempt.
    Guess,
}

/// One failed attempt.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// There was no complete answer.
    Lost(FailedExchange),
    /// The service answered with an error.
    Refused(Box<Rejection>, Option<Duration>),
    /// The answer reports success but is not what the service sends: somebody else's.
    Unusable(String),
}

/// What a failure means for the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It would fail again.
    Final,
    /// The token is not accepted (any more).
    Unauthorized,
    /// It passes, and the request surely had no effect.
    Untouched,
    /// It passes, but the request may have taken effect.
    Unclear {
        /// Whether it may still take effect.
        pending: Pending,
        /// One repetition is enough to know.
        once: bool,
    },
}

/// Whether a request without a clear answer may still take effect later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pending {
    /// The service has ended it.
    Ended,
    /// A connection or a gateway broke; the service behind may be about to end it.
    Perhaps,
    /// Somebody stopped waiting for it; the service may work on it for long.
    Likely,
}

impl Failure {
    /// The pause that the service asked for.
    pub(super) fn asked_pause(&self) -> Option<Duration> {
        match self {
            Self::Refused(_, pause) => *pause,
            Self::Lost(_) | Self::Unusable(_) => None,
        }
    }

    /// How often it is worth to try again, of so many times.
    pub(super) fn most_retries(&self, usual: u32) -> u32 {
        match self {
            Self::Lost(exchange) if exchange.unresolved => {
                usual.min(FailedExchange::UNRESOLVED_RETRIES)
            }
            _ => usual,
        }
    }

    /// A few words for the progress display.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Lost(exchange) => exchange.reason.clone(),
            Self::Refused(rejection, _) => match &rejection.code {
                Some(code) => format!("status {} ({code})", rejection.status),
                None => format!("status {}", rejection.status),
            },
            Self::Unusable(reason) => reason.clone(),
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Lost(exchange) if exchange.permanent => Verdict::Final,
            Self::Lost(exchange) if exchange.never_sent => Verdict::Untouched,
            Self::Lost(exchange) => Verdict::Unclear {
                pending: match exchange.timed_out {
                    true => Pending::Likely,
                    false => Pending::Perhaps,
                },
                once: false,
            },
            Self::Refused(rejection, _) => verdict_on(rejection),
            Self::Unusable(_) => Verdict::Unclear {
                pending: Pending::Ended,
                once: true,
            },
        }
    }
}

fn verdict_on(rejection: &Rejection) -> Verdict {
    const fn unclear(pending: Pending) -> Verdict {
        Verdict::Unclear {
            pending,
            once: false,
        }
    }
    // A fault of the service that comes and goes; also seen among validation sentences.
    let null_reference = "Object reference not set to an instance of an object";
    if rejection.message.contains(null_reference) {
        return Verdict::Unclear {
            pending: Pending::Ended,
            once: true,
        };
    }
    match rejection.number() {
        // Throttled; refused because of a concurrent write to the same object.
        Some(90_229 | 90_244 | 95_043 | 95_053) => return Verdict::Untouched,
        // Temporarily unavailable, internal error: the words of the service behind the gateway.
        Some(90_035 | 90_063) => return unclear(Pending::Ended),
        _ => {}
    }
    let unknown = rejection.code.as_deref() == Some("UnknownError");
    match rejection.status {
        401 => Verdict::Unauthorized,
        429 => Verdict::Untouched,
        // The gateway stopped waiting, not the service behind it.
        408 | 504 => unclear(Pending::Likely),
        // What the policy is refused for does not pass, whatever the status.
        _ if rejection.message.starts_with("Validation failed") => Verdict::Final,
        500 | 502 | 503 => unclear(Pending::Perhaps),
        _ if unknown => unclear(Pending::Perhaps),
        _ => Verdict::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msgraph::error_body::ErrorBody;
    use reqwest::header::HeaderMap;

    fn verdict(status: u16, code: &str, message: &str) -> Verdict {
        let body = serde_json::json!({"error": {"code": code, "message": message}}).to_string();
        let body = ErrorBody::read(&HeaderMap::new(), body.as_bytes(), &[]);
        Failure::Refused(Box::new(Rejection::new("x", status, 1, body)), None).verdict()
    }

    #[test]
    fn verdicts_follow_status_code_and_message() {
        let unclear = |pending| Verdict::Unclear {
            pending,
            once: false,
        };
        assert_eq!(verdict(429, "TooManyRequests", ""), Verdict::Untouched);
        assert_eq!(verdict(400, "AADB2C90229", ""), Verdict::Untouched);
        assert_eq!(verdict(400, "AADB2C95053", ""), Verdict::Untouched);
        let ended = unclear(Pending::Ended);
        assert_eq!(verdict(400, "AADB2C", "AADB2C90063: A problem."), ended);
        assert_eq!(verdict(503, "AADB2C90035", ""), ended);
        let perhaps = unclear(Pending::Perhaps);
        assert_eq!(verdict(400, "UnknownError", ""), perhaps);
        assert_eq!(verdict(404, "UnknownError", ""), perhaps);
        assert_eq!(verdict(503, "x", ""), perhaps);
        assert_eq!(
            verdict(401, "InvalidAuthenticationToken", ""),
            Verdict::Unauthorized
        );
        for status in [400, 403, 404, 409, 413, 501] {
            assert_eq!(verdict(status, "AADB2C", "no"), Verdict::Final, "{status}");
        }
        assert_eq!(
            verdict(500, "AADB2C", "Validation failed: 1 …"),
            Verdict::Final
        );
        assert_eq!(verdict(504, "x", ""), unclear(Pending::Likely));
        let fault = "Validation failed: 1 validation error(s) found in policy \"P\" of tenant \
                     \"T\".Object reference not set to an instance of an object.";
        let once = Verdict::Unclear {
            pending: Pending::Ended,
            once: true,
        };
        assert_eq!(verdict(400, "AADB2C", fault), once);
    }
}
