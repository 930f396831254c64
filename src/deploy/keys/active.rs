//! Which key of a keyset the service uses when (Microsoft's page "policy keys overview" of Azure AD
//! B2C): of the keys whose beginning has come the one that began last; without such a key, one that
//! has no beginning serves as default. Disabled and expired keys are never used.

use super::TenantKey;

/// A moment at which another key becomes the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handover {
    /// Seconds since 1970; the first one is the time of asking.
    pub at: i64,
    /// Position of the active key from then on; `None`: no key is active.
    pub key: Option<usize>,
}

/// Position of the key that the rule makes active at `now`. Of keys that begin at once, and of
/// several without beginning, the first one counts.
pub fn active_key(keys: &[TenantKey], now: i64) -> Option<usize> {
    let usable = || {
        keys.iter().enumerate().filter(|(_, key)| {
            !key.is_disabled() && key.key.expires.is_none_or(|expires| now < expires)
        })
    };
    let mut best: Option<(usize, i64)> = None;
    for (position, key) in usable() {
        if let Some(begin) = key.key.not_before
            && begin <= now
            && best.is_none_or(|(_, latest)| begin > latest)
        {
            best = Some((position, begin));
        }
    }
    let default = || usable().find(|(_, key)| key.key.not_before.is_none());
    best.map(|(position, _)| position)
        .or_else(|| default().map(|(position, _)| position))
}

/// Which key is active from `now` on, and every change after that.
pub fn handovers(keys: &[TenantKey], now: i64) -> Vec<Handover> {
    let mut moments: Vec<i64> = keys
        .iter()
        .flat_map(|key| [key.key.not_before, key.key.expires])
        .flatten()
        .filter(|moment| *moment > now)
        .chain([now])
        .collect();
    moments.sort_unstable();
    moments.dedup();
    let mut handovers: Vec<Handover> = Vec::new();
    for at in moments {
        let key = active_key(keys, at);
        if handovers.last().is_none_or(|last| last.key != key) {
            handovers.push(Handover { at, key });
        }
    }
    handovers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msgraph::{Key, KeyStatus};
    use proptest::prelude::*;

    fn keys(bounds: &[(Option<i64>, Option<i64>)]) -> Vec<TenantKey> {
        bounds
            .iter()
            .map(|&(not_before, expires)| TenantKey {
                key: Key {
                    not_before,
                    expires,
                    ..Key::default()
                },
                ..TenantKey::default()
            })
            .collect()
    }

    fn changes(bounds: &[(Option<i64>, Option<i64>)]) -> Vec<(i64, Option<usize>)> {
        handovers(&keys(bounds), 100)
            .iter()
            .map(|handover| (handover.at, handover.key))
            .collect()
    }

    #[test]
    fn the_key_that_began_last_is_active() {
        assert_eq!(changes(&[]), [(100, None)]);
        assert_eq!(
            changes(&[(None, None), (Some(100), None)]),
            [(100, Some(1))]
        );
        assert_eq!(
            changes(&[(None, None), (Some(101), Some(200))]),
            [(100, Some(0)), (101, Some(1)), (200, Some(0))]
        );
        assert_eq!(
            changes(&[
                (Some(1), Some(150)),
                (Some(120), Some(300)),
                (Some(120), None)
            ]),
            [(100, Some(0)), (120, Some(1)), (300, Some(2))]
        );
        assert_eq!(changes(&[(Some(1), Some(100))]), [(100, None)]);
        assert_eq!(
            changes(&[(None, Some(150)), (None, None)]),
            [(100, Some(0)), (150, Some(1))]
        );
    }

    #[test]
    fn disabled_keys_are_never_active() {
        let mut keys = keys(&[(Some(50), None), (Some(60), None)]);
        keys[1].status = Some(KeyStatus::Disabled);
        assert_eq!(active_key(&keys, 100), Some(0));
    }

    fn bound() -> impl Strategy<Value = Option<i64>> {
        proptest::option::of(0_i64..20)
    }

    proptest! {
        #[test]
        fn handovers_are_the_rule_at_every_moment(
            bounds in proptest::collection::vec((bound(), bound()), 0..6),
        ) {
            let keys = keys(&bounds);
            let handovers = handovers(&keys, 5);
            for moment in 5..25 {
                let last = handovers.iter().rfind(|handover| handover.at <= moment).unwrap();
                prop_assert_eq!(last.key, active_key(&keys, moment));
            }
        }
    }
}
