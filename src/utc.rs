//! Dates and times of UTC as texts, and texts as dates: pure calculation, no clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// A time as `2026-11-21T03:32:34Z`; times before 1970 count as 1970.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let [year, month, day, hour, minute, second] = parts(time);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A time as a folder name that sorts by time: `20261121T033234Z`.
pub(crate) fn compact(time: SystemTime) -> String {
    let [year, month, day, hour, minute, second] = parts(time);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Seconds since 1970 as `2026-11-21T03:32:34Z`. Years beyond four digits, which no sane key has,
/// are written with as many as they need.
pub fn date(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let [year, month, day] = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// A date as people write it that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Neither a day nor a moment of RFC 3339.
    #[error(
        "`{0}` is no date: write `2027-01-31` (midnight UTC) or `2027-01-31T09:30:00Z`, or with an \
         offset such as `+01:00` in the place of `Z`"
    )]
    Date(String),
    /// No number with a unit.
    #[error("`{0}` is no span of time: write a number and a unit, such as `30d`, `24h` or `90m`")]
    Span(String),
}

/// Reads `2027-01-31` (midnight UTC) or a moment of RFC 3339 as seconds since 1970. Fractions of a
/// second are dropped, as the service keeps whole seconds.
///
/// # Errors
/// [`DateError::Date`] for anything else, days that the calendar does not have included.
pub fn parse_date(text: &str) -> Result<i64, DateError> {
    moment(text).ok_or_else(|| DateError::Date(text.to_owned()))
}

/// Reads a span such as `30d` as seconds; units are `w`, `d`, `h`, `m` and `s`.
///
/// # Errors
/// [`DateError::Span`] for anything else, and for spans of more than 100 years.
pub fn parse_span(text: &str) -> Result<i64, DateError> {
    let read = || {
        let unit = text.chars().next_back()?;
        let seconds = match unit {
            'w' => 7 * DAY,
            'd' => DAY,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        let number = digits(text.strip_suffix(unit)?)?;
        let span = number.checked_mul(seconds)?;
        (span <= 36_525 * DAY).then_some(span)
    };
    read().ok_or_else(|| DateError::Span(text.to_owned()))
}

/// Seconds since 1970 of a moment in UTC, if the calendar has it. A leap second counts as the second
/// after it.
pub(crate) fn seconds(year: i64, month: i64, day: i64, time: [i64; 3]) -> Option<i64> {
    let [hour, minute, second] = time;
    let fits = (1..=12).contains(&month)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !fits {
        return None;
    }
    let days = days(year, month, day);
    // A day that the month does not have is one of the next month.
    (civil(days) == [year, month, day]).then_some(days * DAY + hour * 3_600 + minute * 60 + second)
}

fn moment(text: &str) -> Option<i64> {
    let day = text.get(..10)?;
    let (year, rest) = day.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let [year, month, day] = [(year, 4), (month, 2), (day, 2)].map(field);
    let (year, month, day) = (year?, month?, day?);
    let rest = &text[10..];
    if rest.is_empty() {
        return seconds(year, month, day, [0, 0, 0]);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (hour, rest) = (field((rest.get(..2)?, 2))?, rest.get(2..)?);
    let rest = rest.strip_prefix(':')?;
    let (minute, rest) = (field((rest.get(..2)?, 2))?, rest.get(2..)?);
    let rest = rest.strip_prefix(':')?;
    let (second, rest) = (field((rest.get(..2)?, 2))?, rest.get(2..)?);
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (zone.len() < fraction.len()).then_some(zone)?
        }
        None => rest,
    };
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let sign = match rest.get(..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            let (hours, minutes) = rest[1..].split_once(':')?;
            let (hours, minutes) = (field((hours, 2))?, field((minutes, 2))?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 3_600 + minutes * 60)
        }
    };
    Some(seconds(year, month, day, [hour, minute, second])? - offset)
}

/// A number of exactly so many digits.
fn field((text, width): (&str, usize)) -> Option<i64> {
    if text.len() == width {
        digits(text)
    } else {
        None
    }
}

fn digits(text: &str) -> Option<i64> {
    let only_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if only_digits { text.parse().ok() } else { None }
}

const DAY: i64 = 86_400;

/// Days from 1970-01-01 to the first day of the era that began in March of the year 0.
const EPOCH: i64 = 719_468;

fn parts(time: SystemTime) -> [i64; 6] {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    });
    let (days, second) = (seconds / DAY, seconds % DAY);
    let [year, month, day] = civil(days);
    [
        year,
        month,
        day,
        second / 3_600,
        second / 60 % 60,
        second % 60,
    ]
}

/// The date of the proleptic Gregorian calendar so many days after 1970-01-01, computed over eras of
/// 400 years that begin in March, so that the leap day is the last of a year.
fn civil(days: i64) -> [i64; 3] {
    let days = days + EPOCH;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    [era * 400 + year_of_era + i64::from(month <= 2), month, day]
}

/// The inverse of [`civil`]; `month` is from 1 to 12.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_795_231_954, "2026-11-21T03:32:34Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, expected) in cases {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(rfc3339(time), expected);
            assert_eq!(date(i64::try_from(seconds).unwrap()), expected);
            assert_eq!(parse_date(expected), Ok(i64::try_from(seconds).unwrap()));
        }
        let time = UNIX_EPOCH + Duration::from_secs(1_795_231_954);
        assert_eq!(compact(time), "20261121T033234Z");
        assert_eq!(date(-1), "1969-12-31T23:59:59Z");
        // What a service may send must not end the process.
        assert!(date(i64::MAX).ends_with('Z') && date(i64::MIN).starts_with('-'));
    }

    #[test]
    fn moments_have_zones_and_days_exist() {
        let midnight = 1_801_353_600;
        for text in [
            "2027-01-31",
            "2027-01-31T00:00:00Z",
            "2027-01-31t00:00:00.999z",
            "2027-01-31 01:00:00+01:00",
            "2027-01-30T18:30:00-05:30",
        ] {
            assert_eq!(parse_date(text), Ok(midnight), "{text}");
        }
        for text in [
            "",
            "tomorrow",
            "2027",
            "2027-1-31",
            "2027-02-29",
            "2100-02-29",
            "2027-04-31",
            "2027-00-10",
            "2027-13-10",
            "2027-01-00",
            "2027-01-31T",
            "2027-01-31T24:00:00Z",
            "2027-01-31T10:00Z",
            "2027-01-31T10:00:00",
            "2027-01-31T10:00:00.Z",
            "2027-01-31T10:00:00+1:00",
            "2027-01-31T10:00:00+24:00",
            "2027-01-31T10:60:00Z",
            "2027-01-31T10:00:00Zjunk",
            "+027-01-31",
            "2027-+1-31",
            "２０２７-01-31",
            "ä027-01-31",
            "2027-01-31T10:00:00ä",
        ] {
            assert_eq!(parse_date(text), Err(DateError::Date(text.to_owned())));
        }
        assert!(parse_date("2028-02-29").is_ok());
    }

    #[test]
    fn spans_have_units() {
        assert_eq!(parse_span("30d"), Ok(30 * 86_400));
        assert_eq!(parse_span("24h"), Ok(86_400));
        assert_eq!(parse_span("90m"), Ok(5_400));
        assert_eq!(parse_span("2w"), Ok(14 * 86_400));
        assert_eq!(parse_span("0s"), Ok(0));
        for text in [
            "",
            "d",
            "30",
            "-1d",
            "+1d",
            "1.5h",
            "1 d",
            "1D",
            "ä",
            "9223372036854775807w",
            "99999999999999999999d",
            "40000d",
            "1d1h",
        ] {
            assert_eq!(parse_span(text), Err(DateError::Span(text.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn dates_read_back(seconds in -62_000_000_000_i64..253_402_300_800) {
            // Years from 6 to 9999.
            prop_assert_eq!(parse_date(&date(seconds)), Ok(seconds));
        }

        #[test]
        fn days_follow_each_other(day in -1_000_000_000_i64..1_000_000_000) {
            let [year, month, of_month] = civil(day);
            prop_assert_eq!(days(year, month, of_month), day);
            let [next_year, next_month, next] = civil(day + 1);
            let same_month = next == of_month + 1 && (next_year, next_month) == (year, month);
            prop_assert!(same_month || next == 1);
        }

        #[test]
        fn nothing_panics(text in any::<String>(), seconds in any::<i64>()) {
            let _ = (parse_date(&text), parse_span(&text), date(seconds));
        }
    }
}
