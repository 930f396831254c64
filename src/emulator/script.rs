//! A running fault script: counts requests and decides what goes wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::faults::{Fault, Faults, On, Stage};

/// SplitMix64: small, seedable, good enough to spread faults.
#[derive(Debug, Clone)]
pub(super) struct Prng(u64);

impl Prng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 for bound 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// A number in 0 (included) to 1 (excluded).
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of `choices`, which must not be empty.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[(self.next() % choices.len() as u64) as usize]
    }
}

/// What happens to one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Verdict {
    /// How long it takes, beyond the work itself.
    pub(super) delay: Duration,
    /// How and when it fails.
    pub(super) fault: Option<(Fault, Stage)>,
}

/// The faults with their counters.
#[derive(Debug)]
pub(super) struct Script {
    faults: Faults,
    counters: Mutex<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    /// Per rule: matching requests, hits.
    rules: Vec<(u32, u32)>,
    /// Requests by method and path.
    requests: BTreeMap<String, u64>,
    /// Per tenant: start of the window, requests in it.
    windows: BTreeMap<String, (Option<Instant>, u32)>,
}

impl Script {
    pub(super) fn new(faults: Faults) -> Self {
        let rules = vec![(0, 0); faults.rules.len()];
        Self {
            faults,
            counters: Mutex::new(Counters {
                rules,
                ..Counters::default()
            }),
        }
    }

    /// Decides on a request and counts it. `path` is decoded and without empty segments.
    pub(super) fn decide(&self, method: &str, path: &str, is_graph: bool) -> Verdict {
        let faults = &self.faults;
        if faults.rules.is_empty() && faults.latency_ms == 0 && faults.jitter_ms == 0 {
            return Verdict::default();
        }
        let path = path.to_lowercase();
        let subject = format!("{} {path}", method.to_uppercase());
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = counters.requests.entry(subject.clone()).or_default();
        *seen += 1;
        let occurrence = *seen;
        let mut verdict = Verdict::default();
        if is_graph {
            let mut prng = self.prng(u64::MAX, &subject, occurrence);
            let jitter = prng.below(faults.jitter_ms.saturating_add(1));
            verdict.delay = Duration::from_millis(faults.latency_ms.saturating_add(jitter));
        }
        for (index, rule) in faults.rules.iter().enumerate() {
            let method_fits = rule
                .when
                .method
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
            let path_fits = match &rule.when.path {
                Some(pattern) => matches_pattern(&pattern.to_lowercase(), &path),
                None => is_graph,
            };
            if !method_fits || !path_fits {
                continue;
            }
            let (matched, hits) = &mut counters.rules[index];
            *matched = matched.saturating_add(1);
            let fires = verdict.fault.is_none()
                && rule.limit.is_none_or(|limit| *hits < limit)
                && match rule.on {
                    On::Every => true,
                    On::Nth(nth) => *matched == nth,
                    On::Chance(chance) => {
                        self.prng(index as u64, &subject, occurrence).unit() < chance
                    }
                };
            if !fires {
                continue;
            }
            *hits += 1;
            match &rule.fault {
                Fault::Delay(ms) => {
                    verdict.delay = verdict.delay.saturating_add(Duration::from_millis(*ms));
                }
                fault => verdict.fault = Some((fault.clone(), rule.stage)),
            }
        }
        verdict
    }

    /// Counts a request of `tenant` against the rate limit; the seconds to wait if it is too much.
    pub(super) fn throttled(&self, tenant: &str) -> Option<u64> {
        let limit = self.faults.rate_limit?;
        let window = Duration::from_millis(limit.window_ms);
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, count) = counters.windows.entry(tenant.to_owned()).or_default();
        let begun = match *start {
            Some(begun) if begun.elapsed() < window => begun,
            _ => {
                *count = 0;
                *start.insert(Instant::now())
            }
        };
        if *count < limit.requests {
            *count += 1;
            return None;
        }
        let left = window.saturating_sub(begun.elapsed());
        Some(left.as_millis().div_ceil(1000) as u64)
    }

    fn prng(&self, salt: u64, subject: &str, occurrence: u64) -> Prng {
        // FNV-1a over everything that identifies the decision.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let numbers = [self.faults.seed, salt, occurrence];
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
        for byte in bytes.chain(subject.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Prng::new(hash)
    }
}

/// Whether `text` fits `pattern`, where `*` stands for any text.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::super::faults::FaultRule;
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches_pattern("*/token", "/t/oauth2/v2.0/token"));
        assert!(matches_pattern(
            "/beta/*/b2c_1a_*/$value",
            "/beta/x/y/b2c_1a_z/$value"
        ));
        assert!(matches_pattern("/a", "/a"));
        assert!(!matches_pattern("/a", "/ab"));
        assert!(!matches_pattern("*a*a", "a"));
        assert!(matches_pattern("*", ""));
    }

    #[test]
    fn nth_limit_and_order() {
        let faults = Faults::default()
            .with(FaultRule::new(Fault::Delay(5)).method("put"))
            .with(FaultRule::new(Fault::Reset).path("*/x").nth(2))
            .with(FaultRule::new(Fault::ServiceProblem).limit(2));
        let script = Script::new(faults);
        let fault = |method: &str, path: &str| {
            script
                .decide(method, path, true)
                .fault
                .map(|(fault, _)| fault)
        };
        assert_eq!(fault("GET", "/x"), Some(Fault::ServiceProblem));
        assert_eq!(fault("GET", "/X"), Some(Fault::Reset));
        assert_eq!(fault("GET", "/y"), Some(Fault::ServiceProblem));
        assert_eq!(fault("GET", "/y"), None);
        assert_eq!(
            script.decide("PUT", "/y", true).delay,
            Duration::from_millis(5)
        );
        assert_eq!(script.decide("GET", "/t/token", false), Verdict::default());
    }

    #[test]
    fn chance_repeats_from_its_seed_whatever_the_interleaving() {
        let run = |seed, order: &[&str]| {
            let faults = Faults {
                seed,
                ..Faults::default().with(FaultRule::new(Fault::Reset).chance(0.5))
            };
            let script = Script::new(faults);
            let mut hits = BTreeMap::<String, Vec<bool>>::new();
            for path in order {
                let hit = script.decide("PUT", path, true).fault.is_some();
                hits.entry((*path).to_owned()).or_default().push(hit);
            }
            hits
        };
        let one = ["/a", "/b"].repeat(40);
        let other = [["/a"; 40], ["/b"; 40]].concat();
        assert_eq!(run(1, &one), run(1, &other));
        assert_ne!(run(1, &one), run(2, &one));
        let hits = run(1, &one)["/a"].iter().filter(|hit| **hit).count();
        assert!((8..=32).contains(&hits), "{hits} of 40 at one half");
    }

    #[test]
    fn random_scripts_are_legal_limited_and_survive_a_round_trip() {
        for seed in 0..500 {
            let faults = Faults::random(seed);
            faults.check().unwrap();
            assert!(faults.rules.iter().all(|rule| rule.limit.is_some()));
            assert_eq!(faults, Faults::random(seed));
            let text = serde_json::to_string(&faults).unwrap();
            assert_eq!(faults, serde_json::from_str(&text).unwrap(), "{text}");
        }
    }

    #[test]
    fn unknown_fields_of_a_script_are_refused() {
        assert!(serde_json::from_str::<Faults>(r#"{"latency":5}"#).is_err());
        let text = r#"{"seed":7,"latencyMs":200,"rules":[{"when":{"method":"PUT","path":"*/policies/*"},
            "on":{"nth":2},"fault":{"throttle":{"retryAfter":1}}},{"on":{"chance":0.1},"limit":5,
            "stage":"after","fault":"reset"},{"fault":{"status":{"status":503,"body":"html"}}}]}"#;
        assert_eq!(serde_json::from_str::<Faults>(text).unwrap().rules.len(), 3);
    }
}
