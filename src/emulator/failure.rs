//! The answers of requests that fail on purpose.

use super::answer::{Answer, Ids, Refusal};
use super::bearer::Caller;
use super::faults::{Body, Fault};
use super::policies;
use super::server::Server;
use super::wire::Connection;

/// Faults that need the real answer.
pub(super) fn carries_out(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Truncate | Fault::CreatedForOk | Fault::Garbled(_)
    )
}

/// The answer of a request that fails on purpose; `None`: the connection is reset.
pub(super) fn failure(
    server: &Server,
    fault: &Fault,
    caller: Option<&Caller>,
    policy: Option<&str>,
    connection: &Connection,
    ids: &Ids,
) -> Option<Answer> {
    let unauthorized = || {
        let message = "Lifetime validation failed, the token is expired.";
        Refusal::graph(401, "InvalidAuthenticationToken", message)
    };
    let refusal = match *fault {
        Fault::Reset => {
            connection.reset();
            return None;
        }
        Fault::Status {
            status,
            body,
            retry_after,
        } => {
            let answer = foreign(status, body, ids);
            return Some(match retry_after {
                Some(seconds) => answer.header("retry-after", seconds.to_string()),
                None => answer,
            });
        }
        Fault::Throttle { retry_after } => throttle(retry_after),
        Fault::UnknownError(status) => Refusal::graph(status, "UnknownError", ""),
        Fault::Unavailable => Refusal::numbered(
            503,
            90035,
            "The service is temporarily unavailable. Please retry after a few minutes.",
        ),
        Fault::ServiceProblem => {
            Refusal::numbered(500, 90063, "There is a problem with the service.")
        }
        Fault::BackendThrottle(90229) => Refusal::numbered(
            429,
            90229,
            "Your request is throttled temporarily. Please retry after the time specified in the \
             additional information of the error message.",
        ),
        Fault::BackendThrottle(number) => Refusal::numbered(
            429,
            number,
            "There are too many requests at this moment. Please wait for some time and try again.",
        ),
        Fault::ConcurrentWrite => concurrent_write(),
        Fault::NullReference => {
            let text = "Object reference not set to an instance of an object.".to_owned();
            match (policy, caller) {
                (Some(policy), Some(caller)) => {
                    let tenant = server
                        .store()
                        .read(&caller.tenant, |tenant| tenant.name().to_owned());
                    policies::validation_failed(policy, &tenant, &[text], "")
                }
                _ => Refusal::bare(400, text),
            }
        }
        Fault::RevokeToken => {
            if let Some(caller) = caller {
                server.tokens().revoke(caller);
            }
            unauthorized()
        }
        Fault::Unauthorized => unauthorized(),
        // Not failures: they were carried out.
        Fault::Delay(_)
        | Fault::Truncate
        | Fault::CreatedForOk
        | Fault::Garbled(_)
        | Fault::Late(_) => return Some(Answer::empty(200)),
    };
    Some(refusal.into_answer(ids))
}

/// An answer that the service behind Graph did not write.
fn foreign(status: u16, body: Body, ids: &Ids) -> Answer {
    match body {
        Body::OData => {
            let reason = axum::http::StatusCode::from_u16(status)
                .ok()
                .and_then(|status| status.canonical_reason())
                .unwrap_or("Error");
            let code = reason.replace(' ', "");
            Refusal::graph(status, code, reason).into_answer(ids)
        }
        Body::Html => Answer::html(status),
        Body::Empty => Answer::empty(status),
        Body::WebApi => Answer {
            status,
            ..Answer::no_action("trustFramework")
        },
    }
}

/// The same success with a body that says nothing.
pub(super) fn garbled(answer: Answer, body: Body, ids: &Ids) -> Answer {
    match answer.status {
        200..=299 => foreign(answer.status, body, ids),
        _ => answer,
    }
}

pub(super) fn throttle(retry_after: Option<u64>) -> Refusal {
    Refusal::graph(429, "TooManyRequests", "Too many requests.").retry_after(retry_after)
}

pub(super) fn concurrent_write() -> Refusal {
    Refusal::numbered(
        409,
        95053,
        "Multiple concurrent writes to the same object detected. Please perform update operations \
         on the same object sequentially.",
    )
}
