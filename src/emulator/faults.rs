//! Failing on purpose: what fails, when, and how, as data that can be written as JSON or TOML.
//!
//! A request walks the rules in order. Every rule whose matcher fits counts the request; the first
//! that fires decides the fault, except that delays add up and the walk goes on. Rules without a
//! path apply to the Graph endpoints only, so that a script does not cut off sign-in by accident;
//! a path pattern such as `*/token` addresses the token endpoint.
//!
//! Chance is decided by a hash of seed, rule, method, path and how often that pair of method and
//! path was seen. The outcome for one object therefore does not depend on how concurrent requests
//! for other objects interleave, and a run can be repeated from its seed.
//!
//! ```json
//! {"seed":7,"latencyMs":200,"jitterMs":50,
//!  "rules":[{"when":{"method":"PUT","path":"*/policies/*"},"on":{"nth":2},"fault":{"throttle":{"retryAfter":1}}},
//!           {"on":{"chance":0.1},"limit":5,"stage":"after","fault":"reset"}]}
//! ```

use serde::{Deserialize, Serialize};

use super::script::Prng;

/// What the emulator does wrong. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// Seed of every random decision.
    pub seed: u64,
    /// Milliseconds that every Graph request takes at least; it is carried out in the middle of them.
    pub latency_ms: u64,
    /// Up to so many milliseconds more, random per request.
    pub jitter_ms: u64,
    /// Throttling of the Graph endpoints, per tenant.
    pub rate_limit: Option<RateLimit>,
    /// The script, first match first.
    pub rules: Vec<FaultRule>,
}

/// So many requests of one tenant in a window of time; the others are answered 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// Requests per window.
    pub requests: u32,
    /// Length of the window in milliseconds.
    pub window_ms: u64,
}

/// One line of the script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// Which requests it is about.
    #[serde(default)]
    pub when: Matcher,
    /// Which of those it hits.
    #[serde(default)]
    pub on: On,
    /// Whether the request is carried out before it fails.
    #[serde(default)]
    pub stage: Stage,
    /// How it fails.
    pub fault: Fault,
    /// Hits at most so many requests.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl FaultRule {
    /// A rule that makes every Graph request fail before it is carried out.
    pub fn new(fault: Fault) -> Self {
        Self {
            when: Matcher::default(),
            on: On::Every,
            stage: Stage::Before,
            fault,
            limit: None,
        }
    }

    /// Restricts it to a method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.when.method = Some(method.to_owned());
        self
    }

    /// Restricts it to paths; see [`Matcher::path`].
    #[must_use]
    pub fn path(mut self, pattern: &str) -> Self {
        self.when.path = Some(pattern.to_owned());
        self
    }

    /// Hits the nth matching request only, counted from 1.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Self {
        self.on = On::Nth(nth);
        self
    }

    /// Hits a matching request with this probability.
    #[must_use]
    pub fn chance(mut self, probability: f64) -> Self {
        self.on = On::Chance(probability);
        self
    }

    /// Lets the request be carried out, then fails.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.stage = Stage::After;
        self
    }

    /// Hits at most so many requests.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// Which requests a rule is about. Empty: all Graph requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Matcher {
    /// The HTTP method, in any case.
    pub method: Option<String>,
    /// The decoded path without query, empty segments left out, in any case; `*` stands for any
    /// text, slashes included: `/beta/trustFramework/policies/B2C_1A_Base/$value`, `*/uploadSecret`.
    pub path: Option<String>,
}

/// Which of the matching requests a rule hits.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum On {
    /// All.
    #[default]
    Every,
    /// The nth, counted from 1.
    Nth(u32),
    /// Each with this probability, 0 to 1.
    Chance(f64),
}

/// Whether the request is carried out before it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// It is not: nothing was written.
    #[default]
    Before,
    /// It is: what it writes is written, only the answer is lost or wrong.
    After,
}

/// How a request fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Fault {
    /// Takes so many milliseconds more, then goes on.
    Delay(u64),
    /// 429, with `Retry-After` in seconds if given.
    Throttle {
        /// The header's value; 0 is legal.
        retry_after: Option<u64>,
    },
    /// Any status with one of the bodies that proxies and back ends send.
    Status {
        /// The HTTP status, 400 to 599.
        status: u16,
        /// What the body looks like.
        body: Body,
        /// `Retry-After` in seconds, if given.
        retry_after: Option<u64>,
    },
    /// This status with code `UnknownError` and an empty message.
    UnknownError(u16),
    /// 503 `AADB2C90035`, temporarily unavailable.
    Unavailable,
    /// 500 `AADB2C90063`, "There is a problem with the service."
    ServiceProblem,
    /// 429 `AADB2C90229`, `AADB2C90244` or `AADB2C95043`: the back end's own throttling.
    BackendThrottle(u32),
    /// 409 `AADB2C95053`, concurrent writes to one object.
    ConcurrentWrite,
    /// 400 validation failure with "Object reference not set to an instance of an object."
    NullReference,
    /// 401 once; the token that was sent stays good.
    Unauthorized,
    /// 401, and the token that was sent is worthless from now on.
    RevokeToken,
    /// The connection is reset (RST) without an answer.
    Reset,
    /// The connection is reset (RST) at once, and the request is carried out later: before the Graph
    /// request that comes so many requests behind it. Counting requests instead of time makes it
    /// repeatable.
    Late(u32),
    /// The answer's head and half of its body arrive, then the connection closes. The request is
    /// carried out.
    Truncate,
    /// The request is carried out; the 200 of a PUT becomes 201, which the service was seen to do.
    CreatedForOk,
    /// The request is carried out and answered with its status, but with a body that is not the
    /// service's.
    Garbled(Body),
}

/// What a failing proxy or back end sends as body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Body {
    /// An OData error object.
    OData,
    /// An HTML page.
    Html,
    /// Nothing.
    Empty,
    /// The raw Web API object with `message` and `stackTrace`.
    WebApi,
}

impl Faults {
    /// Only a fixed latency.
    pub fn latency(milliseconds: u64) -> Self {
        Self {
            latency_ms: milliseconds,
            ..Self::default()
        }
    }

    /// Adds a rule.
    #[must_use]
    pub fn with(mut self, rule: FaultRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// A script of one to six rules drawn from every fault that a client must survive. All rules
    /// are limited, so that a client which keeps trying gets through in the end; `Retry-After` is
    /// always 0 and delays stay below 20 ms, so that hundreds of scripts run in a test.
    pub fn random(seed: u64) -> Self {
        let mut prng = Prng::new(seed);
        let mut rules: Vec<FaultRule> = Vec::new();
        for _ in 0..=prng.below(6) {
            let rule = random_rule(&mut prng);
            let again = rules.iter().any(|other| other.fault == rule.fault);
            // A client gives these one more try, not several.
            let is_once = matches!(
                rule.fault,
                Fault::NullReference
                    | Fault::RevokeToken
                    | Fault::Unauthorized
                    | Fault::Late(_)
                    | Fault::Garbled(_)
            );
            if !(again && is_once) {
                rules.push(rule);
            }
        }
        Self {
            seed,
            rules,
            ..Self::default()
        }
    }

    /// Names the first rule that has no meaning.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.rate_limit.is_some_and(|limit| limit.requests == 0) {
            return Err("a rate limit of 0 requests lets nothing through".to_owned());
        }
        for (index, rule) in self.rules.iter().enumerate() {
            let place = format!("fault rule {}", index + 1);
            match rule.on {
                On::Nth(0) => return Err(format!("{place}: requests are counted from 1")),
                On::Chance(chance) if !(0.0..=1.0).contains(&chance) => {
                    return Err(format!("{place}: {chance} is no probability"));
                }
                _ => {}
            }
            match rule.fault {
                Fault::Status { status, .. } | Fault::UnknownError(status)
                    if !(400..600).contains(&status) =>
                {
                    return Err(format!("{place}: {status} is no error status"));
                }
                Fault::BackendThrottle(code) if ![90229, 90244, 95043].contains(&code) => {
                    return Err(format!("{place}: AADB2C{code} is no throttling code"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn random_rule(prng: &mut Prng) -> FaultRule {
    const BODIES: [Body; 4] = [Body::OData, Body::Html, Body::Empty, Body::WebApi];
    let zero = Some(0);
    let fault = match prng.below(18) {
        0 => Fault::Delay(prng.below(20)),
        1 => Fault::Throttle { retry_after: zero },
        2 => Fault::Throttle { retry_after: None },
        3 | 4 => Fault::Status {
            status: *prng.pick(&[500, 502, 503, 504]),
            body: *prng.pick(&BODIES),
            retry_after: if prng.below(2) == 0 { zero } else { None },
        },
        5 => Fault::UnknownError(*prng.pick(&[400, 500, 503])),
        6 => Fault::Unavailable,
        7 => Fault::ServiceProblem,
        8 => Fault::BackendThrottle(*prng.pick(&[90229, 90244, 95043])),
        9 => Fault::ConcurrentWrite,
        10 => Fault::NullReference,
        11 => Fault::RevokeToken,
        12 => Fault::Reset,
        13 => Fault::Truncate,
        14 => Fault::Unauthorized,
        15 => Fault::Late(1 + prng.below(3) as u32),
        16 => Fault::Garbled(*prng.pick(&BODIES)),
        _ => Fault::CreatedForOk,
    };
    let mut rule = FaultRule::new(fault).limit(1 + prng.below(3) as u32);
    rule.when.method = match prng.below(4) {
        0 => Some("PUT".to_owned()),
        1 => Some("GET".to_owned()),
        2 => Some("POST".to_owned()),
        _ => None,
    };
    rule.when.path = match prng.below(4) {
        0 => Some("*/policies*".to_owned()),
        1 => Some("*/keySets*".to_owned()),
        _ => None,
    };
    match rule.fault {
        // Only uploads meet it.
        Fault::NullReference => rule = rule.method("PUT").path("*/policies/*").limit(1),
        Fault::RevokeToken | Fault::Unauthorized => rule.limit = Some(1),
        // A client that looks as often as it must finds what such a call has added.
        Fault::Late(_) => rule = rule.method("POST").path("*/keySets*").limit(1),
        Fault::ConcurrentWrite => {
            let method = *prng.pick(&["PUT", "POST"]);
            rule = rule.method(method);
        }
        _ => {}
    }
    rule.on = match prng.below(3) {
        0 => On::Nth(1 + prng.below(4) as u32),
        1 => On::Chance(0.3),
        _ => On::Every,
    };
    let may_follow = matches!(
        rule.fault,
        Fault::Reset | Fault::Status { .. } | Fault::UnknownError(_) | Fault::ServiceProblem
    );
    if may_follow && prng.below(2) == 0 {
        rule.stage = Stage::After;
    }
    rule
}
