//! Time as the service writes it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, as the `nbf`, `exp` and `iat` of tokens and keys count.
pub(super) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| i64::try_from(elapsed.as_secs()).ok())
        .unwrap_or(0)
}

/// `2022-04-20T23:38:08`, without zone: the `date` of Graph's `innerError`.
pub(super) fn graph_date(epoch: i64) -> String {
    let (y, mo, d, h, mi, s) = civil(epoch);
    format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}")
}

/// `2022-04-20 23:38:08Z`: the `timestamp` of Entra's token errors.
pub(super) fn entra_timestamp(epoch: i64) -> String {
    let (y, mo, d, h, mi, s) = civil(epoch);
    format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}Z")
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`: the `Date` of answers.
pub(super) fn http_date(epoch: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (y, mo, d, h, mi, s) = civil(epoch);
    // The first of January 1970 was a Thursday.
    let day = usize::try_from(epoch.div_euclid(86_400).rem_euclid(7)).unwrap_or_default();
    let month = usize::try_from(mo - 1).unwrap_or_default();
    let (day, month) = (DAYS[day], MONTHS[month]);
    format!("{day}, {d:02} {month} {y:04} {h:02}:{mi:02}:{s:02} GMT")
}

/// Seconds since 1970 of a UTC calendar time; `None` if a part is out of range.
pub(super) fn epoch_of(y: i64, mo: i64, d: i64, h: i64, mi: i64, s: i64) -> Option<i64> {
    let in_range = (1..=12).contains(&mo)
        && (1..=31).contains(&d)
        && (0..24).contains(&h)
        && (0..60).contains(&mi)
        && (0..=60).contains(&s)
        && (1..=9999).contains(&y);
    if !in_range {
        return None;
    }
    // Days from civil: the year starts in March, so that the leap day is the last.
    let y = if mo <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((mo + 9) % 12) + 2) / 5 + d - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    Some((era * 146_097 + doe - 719_468) * 86_400 + h * 3600 + mi * 60 + s)
}

fn civil(epoch: i64) -> (i64, i64, i64, i64, i64, i64) {
    let days = epoch.div_euclid(86_400);
    let secs = epoch.rem_euclid(86_400);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let mo = if mp < 10 { mp + 3 } else { mp - 9 };
    let y = yoe + era * 400 + i64::from(mo <= 2);
    (y, mo, d, secs / 3600, secs / 60 % 60, secs % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        assert_eq!(graph_date(0), "1970-01-01T00:00:00");
        assert_eq!(graph_date(1_650_497_888), "2022-04-20T23:38:08");
        assert_eq!(entra_timestamp(951_782_400), "2000-02-29 00:00:00Z");
        assert_eq!(graph_date(1_709_164_799), "2024-02-28T23:59:59");
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn calendar_and_epoch_are_inverse() {
        for epoch in (-86_400 * 400..86_400 * 40_000).step_by(86_400 * 13 + 7) {
            let (y, mo, d, h, mi, s) = civil(epoch);
            assert_eq!(epoch_of(y, mo, d, h, mi, s), Some(epoch));
        }
        assert_eq!(epoch_of(2024, 13, 1, 0, 0, 0), None);
    }
}
