//! The calendar: ISO texts and what they mean in a zone, and adding a unit whose name is a value.
//!
//! A moment keeps the form it was written in: a date stays a date, a time of day without an offset stays without one. Years
//! are 1 to 9999, so that every ISO text has the same shape and sorts.

use chrono::{
    DateTime, Datelike, Days, Duration, FixedOffset, MappedLocalTime, Months, NaiveDate, NaiveDateTime, NaiveTime,
    SecondsFormat, TimeZone, Utc,
};
use chrono_tz::Tz;

pub use super::words::Unit;

/// A point in the calendar, as exact as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A day.
    Date(NaiveDate),
    /// A day and a time of day, without an offset.
    Local(NaiveDateTime),
    /// A day and a time of day with an offset.
    Zoned(DateTime<FixedOffset>),
}

impl Moment {
    /// Reads an ISO text: `2026-01-20`, `2026-01-20T15:30`, `2026-01-20 15:30:00.5+01:00`, `2026-01-20T14:30:00Z`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let shape = text.as_bytes();
        if shape.len() < 10
            || shape.len() > 40
            || !text.is_ascii()
            || shape.get(4) != Some(&b'-')
            || shape.get(7) != Some(&b'-')
        {
            return None;
        }
        let year = i32::try_from(digits(text.get(..4)?)?).ok().filter(|year| in_range(*year))?;
        let date = NaiveDate::from_ymd_opt(year, digits(text.get(5..7)?)?, digits(text.get(8..10)?)?)?;
        let rest = text.get(10..)?;
        if rest.is_empty() {
            return Some(Self::Date(date));
        }
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let zone = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
        let (clock, zone) = rest.split_at(zone);
        let local = date.and_time(clock_time(clock.trim())?);
        if zone.is_empty() {
            return Some(Self::Local(local));
        }
        let offset = offset(zone)?;
        local.and_local_timezone(offset).single().map(Self::Zoned)
    }

    /// The ISO text: `2026-01-20`, `2026-01-20T15:30:00`, `2026-01-20T15:30:00+01:00`.
    #[must_use]
    pub fn iso(&self) -> String {
        match self {
            Self::Date(date) => date.format("%Y-%m-%d").to_string(),
            Self::Local(local) => local.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
            Self::Zoned(zoned) => zoned.to_rfc3339_opts(SecondsFormat::AutoSi, false),
        }
    }

    /// The day.
    #[must_use]
    pub fn date(&self) -> NaiveDate {
        match self {
            Self::Date(date) => *date,
            Self::Local(local) => local.date(),
            Self::Zoned(zoned) => zoned.date_naive(),
        }
    }

    /// The time of day, where there is one.
    #[must_use]
    pub fn time(&self) -> Option<NaiveTime> {
        match self {
            Self::Date(_) => None,
            Self::Local(local) => Some(local.time()),
            Self::Zoned(zoned) => Some(zoned.time()),
        }
    }

    /// The instant that is meant in `zone`; a day is its beginning.
    #[must_use]
    pub fn instant(&self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Date(date) => in_zone(date.and_time(NaiveTime::MIN), zone).to_utc(),
            Self::Local(local) => in_zone(*local, zone).to_utc(),
            Self::Zoned(zoned) => zoned.to_utc(),
        }
    }

    /// The same instant on the clocks of `zone`. A day stays a day.
    #[must_use]
    pub fn in_zone(&self, zone: Tz) -> Self {
        match self {
            Self::Date(_) => *self,
            _ => Self::Zoned(self.instant(zone).with_timezone(&zone).fixed_offset()),
        }
    }

    /// What the clock shows, without the offset.
    #[must_use]
    pub fn without_offset(&self) -> Self {
        match self {
            Self::Zoned(zoned) => Self::Local(zoned.naive_local()),
            other => *other,
        }
    }

    /// So many units later, or earlier when negative. Month ends are clipped (31 January and a month is 28 February), a day
    /// later has the same time of day on the clocks of `zone`, an hour later is an hour later.
    ///
    /// Nothing when the year leaves 1 to 9999.
    #[must_use]
    pub fn add(&self, count: i64, unit: Unit, zone: Tz) -> Option<Self> {
        let sum = match (unit, self) {
            (Unit::Second | Unit::Minute | Unit::Hour, _) => {
                let seconds = count.checked_mul(match unit {
                    Unit::Second => 1,
                    Unit::Minute => 60,
                    _ => 3600,
                })?;
                let span = Duration::try_seconds(seconds)?;
                match self {
                    Self::Date(date) => Self::Local(date.and_time(NaiveTime::MIN).checked_add_signed(span)?),
                    Self::Local(local) => Self::Local(local.checked_add_signed(span)?),
                    Self::Zoned(zoned) => rezoned(zoned.checked_add_signed(span)?, *zoned, zone),
                }
            }
            (_, Self::Date(date)) => Self::Date(shifted(*date, count, unit)?),
            (_, Self::Local(local)) => Self::Local(shifted(local.date(), count, unit)?.and_time(local.time())),
            (_, Self::Zoned(zoned)) => {
                let local = shifted(zoned.date_naive(), count, unit)?.and_time(zoned.time());
                match belongs(*zoned, zone) {
                    true => Self::Zoned(in_zone(local, zone).fixed_offset()),
                    false => Self::Zoned(local.and_local_timezone(*zoned.offset()).single()?),
                }
            }
        };
        in_range(sum.date().year()).then_some(sum)
    }
}

/// The number of a text that is digits and nothing else.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The time of `15:30`, `15:30:01` or `15:30:01.5`.
fn clock_time(clock: &str) -> Option<NaiveTime> {
    let (clock, fraction) = clock.split_once(['.', ',']).map_or((clock, ""), |(clock, fraction)| (clock, fraction));
    let mut parts = clock.split(':');
    let mut part = || parts.next().map(|part| if part.len() == 2 { digits(part) } else { None });
    let (hour, minute, second) = (part()??, part()??, part().unwrap_or(Some(0))?);
    let nanos = match fraction.len() {
        0 => 0,
        1..=9 => digits(fraction)? * 10_u32.pow(9 - u32::try_from(fraction.len()).ok()?),
        _ => digits(fraction.get(..9)?)?,
    };
    let whole = part().is_none() && (fraction.is_empty() || clock.len() == 8);
    // A leap second is taken as the last second of its minute.
    NaiveTime::from_hms_nano_opt(hour, minute, if second == 60 { 59 } else { second }, nanos).filter(|_| whole)
}

fn in_range(year: i32) -> bool {
    (1..=9999).contains(&year)
}

fn offset(text: &str) -> Option<FixedOffset> {
    if text.eq_ignore_ascii_case("z") {
        return FixedOffset::east_opt(0);
    }
    let (sign, digits) =
        text.strip_prefix('+').map(|rest| (1, rest)).or_else(|| text.strip_prefix('-').map(|rest| (-1, rest)))?;
    let digits = digits.replace(':', "");
    if !matches!(digits.len(), 2 | 4) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..).filter(|m| !m.is_empty()).map_or(Some(0), |m| m.parse().ok())?;
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60)).filter(|_| minutes < 60)
}

fn shifted(date: NaiveDate, count: i64, unit: Unit) -> Option<NaiveDate> {
    let days = |each: i64| {
        let days = Days::new(count.checked_mul(each)?.unsigned_abs());
        if count < 0 { date.checked_sub_days(days) } else { date.checked_add_days(days) }
    };
    let months = |each: i64| {
        let months = Months::new(u32::try_from(count.checked_mul(each)?.unsigned_abs()).ok()?);
        if count < 0 { date.checked_sub_months(months) } else { date.checked_add_months(months) }
    };
    match unit {
        Unit::Week => days(7),
        Unit::Month => months(1),
        Unit::Year => months(12),
        _ => days(1),
    }
}

/// Whether the offset is the one that `zone` had then; only then do its changes apply.
fn belongs(zoned: DateTime<FixedOffset>, zone: Tz) -> bool {
    zoned.with_timezone(&zone).naive_local() == zoned.naive_local()
}

fn rezoned(sum: DateTime<FixedOffset>, origin: DateTime<FixedOffset>, zone: Tz) -> Moment {
    match belongs(origin, zone) {
        true => Moment::Zoned(sum.with_timezone(&zone).fixed_offset()),
        false => Moment::Zoned(sum),
    }
}

/// What a clock reading means in a zone: the first of two when clocks went back, and when they went forward over it, the
/// time that much later.
#[must_use]
pub fn in_zone(local: NaiveDateTime, zone: Tz) -> DateTime<Tz> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => time,
        MappedLocalTime::None => {
            let before = local.checked_sub_signed(Duration::hours(12)).unwrap_or(local);
            let offset = zone.offset_from_utc_datetime(&before);
            let utc = local.checked_sub_offset(chrono::Offset::fix(&offset)).unwrap_or(local);
            zone.from_utc_datetime(&utc)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIENNA: Tz = chrono_tz::Europe::Vienna;

    fn add(text: &str, count: i64, unit: Unit) -> Option<String> {
        Moment::parse(text).unwrap().add(count, unit, VIENNA).map(|moment| moment.iso())
    }

    #[test]
    fn iso_texts_read_and_write() {
        for (given, expected) in [
            ("2026-01-20", Some("2026-01-20")),
            (" 2026-01-20T15:30 ", Some("2026-01-20T15:30:00")),
            ("2026-01-20 15:30:01.5", Some("2026-01-20T15:30:01.500")),
            ("2026-01-20T15:30:00Z", Some("2026-01-20T15:30:00+00:00")),
            ("2026-01-20T15:30:00-0530", Some("2026-01-20T15:30:00-05:30")),
            ("2026-01-20T15:30+01", Some("2026-01-20T15:30:00+01:00")),
            ("2026-01-20T15:30:01.123456789123", Some("2026-01-20T15:30:01.123456789")),
            ("2026-01-20T15:30:60Z", Some("2026-01-20T15:30:59+00:00")),
            ("2026-01-20T15:30.5", None),
            ("2026-01-20T15", None),
            ("2026-01-20T15:30:00:00", None),
            ("2026-01-20T1:30", None),
            ("2026-01-20T+1:30", None),
            ("2026-01-20T", None),
            ("+026-01-20", None),
            ("2026-02-30", None),
            ("2026-01-20T25:00", None),
            ("2026-01-20T15:30+99:00", None),
            ("2026-01-20T15:30+01:75", None),
            ("20260120", None),
            ("1Z999AA10123", None),
            ("2026-01-20x", None),
            ("0000-01-20", None),
            ("üüüü-01-20", None),
            ("", None),
        ] {
            assert_eq!(Moment::parse(given).map(|moment| moment.iso()).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn month_ends_are_clipped() {
        for (from, count, unit, expected) in [
            ("2026-01-31", 1, Unit::Month, "2026-02-28"),
            ("2028-01-31", 1, Unit::Month, "2028-02-29"),
            ("2028-02-29", 1, Unit::Year, "2029-02-28"),
            ("2026-03-31", -1, Unit::Month, "2026-02-28"),
            ("2026-12-31", 2, Unit::Month, "2027-02-28"),
            ("2026-01-20", 2, Unit::Week, "2026-02-03"),
            ("2026-01-01", -1, Unit::Day, "2025-12-31"),
            ("2026-01-20", 25, Unit::Hour, "2026-01-21T01:00:00"),
            ("2026-01-20T10:00", 90, Unit::Minute, "2026-01-20T11:30:00"),
            ("2026-01-20T10:00:00+05:30", 1, Unit::Second, "2026-01-20T10:00:01+05:30"),
            ("2026-01-20T10:00:00+05:30", 6, Unit::Month, "2026-07-20T10:00:00+05:30"),
        ] {
            assert_eq!(add(from, count, unit).as_deref(), Some(expected), "{from} {count} {unit:?}");
        }
        for (count, unit) in [
            (i64::MAX, Unit::Second),
            (i64::MIN, Unit::Week),
            (99_999, Unit::Year),
            (i64::MAX, Unit::Month),
            (-3000, Unit::Year),
        ] {
            assert_eq!(add("2026-01-20", count, unit), None);
        }
    }

    #[test]
    fn clocks_that_change_are_followed() {
        // A day later is the same time on the clock, 24 hours later is not.
        assert_eq!(add("2026-03-28T10:00:00+01:00", 1, Unit::Day).as_deref(), Some("2026-03-29T10:00:00+02:00"));
        assert_eq!(add("2026-03-28T10:00:00+01:00", 24, Unit::Hour).as_deref(), Some("2026-03-29T11:00:00+02:00"));
        // 2:30 does not exist on that day, and exists twice in autumn.
        assert_eq!(add("2026-03-28T02:30:00+01:00", 1, Unit::Day).as_deref(), Some("2026-03-29T03:30:00+02:00"));
        assert_eq!(add("2026-10-24T02:30:00+02:00", 1, Unit::Day).as_deref(), Some("2026-10-25T02:30:00+02:00"));
        let midnight = |zone: Tz, text: &str| Moment::parse(text).unwrap().instant(zone).to_rfc3339();
        assert_eq!(midnight(VIENNA, "2026-03-29T02:30"), "2026-03-29T01:30:00+00:00");
        // Days that begin at one o'clock, and a day that never was.
        assert_eq!(midnight(chrono_tz::America::Santiago, "2026-09-06"), "2026-09-06T04:00:00+00:00");
        assert_eq!(midnight(chrono_tz::Pacific::Apia, "2011-12-30"), "2011-12-30T10:00:00+00:00");
    }

    #[test]
    fn offsets_are_converted_or_dropped() {
        let moment = Moment::parse("2026-07-20T23:30:00Z").unwrap();
        assert_eq!(moment.in_zone(VIENNA).iso(), "2026-07-21T01:30:00+02:00");
        assert_eq!(moment.without_offset().iso(), "2026-07-20T23:30:00");
        assert_eq!(Moment::parse("2026-07-20T12:00").unwrap().in_zone(VIENNA).iso(), "2026-07-20T12:00:00+02:00");
        assert_eq!(Moment::parse("2026-07-20").unwrap().in_zone(VIENNA).iso(), "2026-07-20");
    }
}
