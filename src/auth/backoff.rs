use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::Waiting;
use crate::utc;

/// How often and how patiently a call is repeated. Which failures deserve it is not decided here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Repetitions after the first attempt.
    pub retries: u32,
    /// The first pause; each further one doubles it. Every pause varies by ± 50 %, so that parallel
    /// tasks do not come back together.
    pub base_delay: Duration,
    /// The longest pause of our own choice.
    pub max_delay: Duration,
    /// The longest pause that a `Retry-After` header may impose.
    pub retry_after_cap: Duration,
    /// One call, with all its repetitions and pauses, takes no longer than this.
    pub deadline: Duration,
}

/// Five repetitions from one second upwards, at most ten minutes for a call. Graph's guidance asks
/// for exponential back-off and for `Retry-After` to be obeyed.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 5,
            base_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(30),
            retry_after_cap: Duration::from_secs(120),
            deadline: Duration::from_secs(600),
        }
    }
}

/// A [`RetryPolicy`] with the random numbers for its jitter.
pub struct Backoff {
    policy: RetryPolicy,
    random: Random,
    waiting: Arc<dyn Waiting>,
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backoff")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Backoff {
    /// A back-off with its own random sequence.
    pub fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            random: Random::new(),
            waiting: Arc::new(()),
        }
    }

    /// The same, with somebody who is told of repetitions.
    pub(super) fn watched_by(self, waiting: Arc<dyn Waiting>) -> Self {
        Self { waiting, ..self }
    }

    /// Tells that a request will be sent again.
    pub(super) fn tell(&self, reason: &str, delay: Duration) {
        self.waiting.on_wait(reason, delay);
    }

    /// The policy.
    pub const fn policy(&self) -> &RetryPolicy {
        &self.policy
    }

    /// The random numbers, for request ids.
    pub const fn random(&self) -> &Random {
        &self.random
    }

    /// The pause before repetition number `retry` (from 1). What the service asked for goes before
    /// our own choice, within its cap.
    pub fn delay(&self, retry: u32, asked: Option<Duration>) -> Duration {
        let exponent = retry.saturating_sub(1).min(16);
        let own = self
            .policy
            .base_delay
            .saturating_mul(1 << exponent)
            .min(self.policy.max_delay)
            .mul_f64(0.5 + self.random.fraction());
        match asked {
            // A little later than asked, never earlier, and not all tasks at once.
            Some(asked) => {
                let spread = self.policy.base_delay.mul_f64(0.5 * self.random.fraction());
                asked.min(self.policy.retry_after_cap) + spread
            }
            None => own,
        }
    }
}

/// Random numbers for jitter and request ids (SplitMix64); not for secrets.
#[derive(Debug)]
pub struct Random(AtomicU64);

impl Random {
    /// A sequence whose start comes from the operating system's randomness, through the seed of the
    /// standard library's hash maps.
    pub fn new() -> Self {
        Self(AtomicU64::new(RandomState::new().hash_one(0_u8)))
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.0.fetch_add(STEP, Ordering::Relaxed);
        let mut mixed = state.wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to just below 1.
    pub fn fraction(&self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A GUID (version 4) in its usual lower-case form.
    pub fn guid(&self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            8 + (low >> 62),
            (low >> 48) & 0xfff,
            low & 0xffff_ffff_ffff,
        )
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

/// The pause that an answer's `Retry-After` header asks for: seconds, or an HTTP date, which is
/// compared with the answer's own `Date` where there is one, because clocks differ.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = http_date(text)?;
    let now = headers
        .get(DATE)
        .and_then(|date| http_date(date.to_str().ok()?.trim()))
        .or_else(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            Some(since.ok()?.as_secs())
        })?;
    Some(Duration::from_secs(then.saturating_sub(now)))
}

/// Seconds since 1970 of a date in the form that HTTP prescribes for senders (RFC 9110 §5.6.7):
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, date) = text.split_once(", ")?;
    let mut words = date.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words
        .next()?
        .split(':')
        .map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let zone = words.next()?;
    let plausible = (1970..=9999).contains(&year)
        && zone == "GMT"
        && words.next().is_none()
        && clock.next().is_none();
    if !plausible {
        return None;
    }
    let signed = |number: u64| i64::try_from(number).ok();
    let time = [signed(hour)?, signed(minute)?, signed(second)?];
    let since_1970 = utc::seconds(signed(year)?, signed(month)?, signed(day)?, time)?;
    u64::try_from(since_1970).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn headers(pairs: &[(reqwest::header::HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn http_dates_are_read() {
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
        assert_eq!(
            http_date("Thu, 29 Feb 2024 23:59:59 GMT"),
            Some(1_709_251_199)
        );
        for broken in [
            "",
            "soon",
            "Sun, 06 Nov 1994",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37 PST",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
        ] {
            assert_eq!(http_date(broken), None, "{broken}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_beside_the_date_of_the_answer() {
        let seconds = headers(&[(RETRY_AFTER, "7")]);
        assert_eq!(retry_after(&seconds), Some(Duration::from_secs(7)));
        let date = headers(&[
            (RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (DATE, "Sun, 06 Nov 1994 08:49:07 GMT"),
        ]);
        assert_eq!(retry_after(&date), Some(Duration::from_secs(30)));
        let past = headers(&[(RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT")]);
        assert_eq!(retry_after(&past), Some(Duration::ZERO));
        for broken in ["-1", "soon", "1.5", ""] {
            assert_eq!(retry_after(&headers(&[(RETRY_AFTER, broken)])), None);
        }
    }

    #[test]
    fn pauses_grow_vary_and_stay_within_their_caps() {
        let policy = RetryPolicy::default();
        let backoff = Backoff::new(policy.clone());
        for retry in 1..100 {
            let delay = backoff.delay(retry, None);
            assert!(delay >= policy.base_delay / 2, "{delay:?}");
            assert!(delay <= policy.max_delay * 3 / 2, "{delay:?}");
        }
        assert!(backoff.delay(4, None) >= policy.base_delay * 4);
        let asked = Duration::from_secs(9);
        assert!(backoff.delay(1, Some(asked)) >= asked);
        let day = Duration::from_secs(86_400);
        assert!(backoff.delay(1, Some(day)) <= policy.retry_after_cap + policy.base_delay);
    }

    #[test]
    fn guids_have_the_form_of_version_4_and_differ() {
        let random = Random::new();
        let guid = random.guid();
        let lengths: Vec<usize> = guid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(guid.as_bytes()[14], b'4');
        assert!(matches!(guid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert_ne!(guid, random.guid());
    }
}
