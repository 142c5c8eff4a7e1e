//! Filters of dates and times. A date is an ISO text; `now` is one, and a number is seconds since 1970.
//!
//! What is shown is shown on the clocks of the project's zone, or of `zone=`; a text whose offset was dropped is shown as
//! it is.

use chrono::{DateTime, Timelike};
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, State, Value};

use crate::format::moment::{Moment, Unit};
use crate::format::{date_in, date_out};

use super::super::failure::unsuitable;
use super::super::operators::kind;
use super::super::registry::Registry;
use super::numbers::number_of;
use super::offer::offer;
use super::support::{context, locale, now, text, zone, zone_named};

pub(super) fn register(registry: &mut Registry) {
    offer! { registry.mapper:
        "date" = date, "as one says it, or in a strftime format; with the year when it is not this one",
            "'2026-01-20' | date" => "January 20th";
        "time" = time, "the time of day as one says it, or in a strftime format",
            "'2026-01-20T15:30:00' | time" => "3:30 pm";
        "relative" = relative, "how far from now", "now | add(minutes=-12) | relative" => "12 minutes ago";
        "iso" = |state: &State, value: &Value| moment(state, value).map(|moment| moment.iso()),
            "as an ISO text", "1768910400 | iso" => "2026-01-20T12:00:00+00:00";
        "add" = add, "so much later: add(days=3), add(2, unit); month ends are clipped",
            "'2026-01-31' | add(months=1)" => "2026-02-28";
        "parse_date" = parse_date, "the day that a user wrote, null when it is none",
            "'next Friday' | parse_date" => "2026-01-23";
        "parse_time" = parse_time, "the time of day that a user wrote, null when it is none",
            "'3pm' | parse_time" => "15:00";
        "parse_datetime" = parse_datetime, "the day and time that a user wrote, null when it is none",
            "'next Friday 3pm' | parse_datetime" => "2026-01-23T15:00:00+00:00";
        "parse_rfc2822" = parse_rfc2822, "the day and time of a text as mail and HTTP have it, null when it is none",
            "'Tue, 20 Jan 2026 13:00:00 +0100' | parse_rfc2822" => "2026-01-20T13:00:00+01:00";
        "rfc2822" = rfc2822, "as mail and HTTP have it", "now | rfc2822" => "Tue, 20 Jan 2026 12:00:00 +0000";
        "to_zone" = to_zone, "the same instant on the clocks of a zone, the project's if none is said",
            "'2026-01-20T12:00:00Z' | to_zone('Europe/Vienna')" => "2026-01-20T13:00:00+01:00";
        "drop_offset" = |state: &State, value: &Value| moment(state, value).map(|moment| moment.without_offset().iso()),
            "what the clock showed, without its offset",
            "'2026-01-20T12:00:00+05:00' | drop_offset" => "2026-01-20T12:00:00";
        "weekday" = weekday, "the name of the day", "'2026-01-20' | weekday" => "Tuesday";
        "hour" = hour, "the hour, 0 to 23", "'2026-01-20T15:30:00' | hour" => "15";
        "days_until" = days_until, "how many days it is away, negative when it has passed",
            "'2026-01-23' | days_until" => "3";
    }
    offer! { registry.test:
        "date" = |value: &Value| value.as_str().is_some_and(|text| Moment::parse(text).is_some()),
            "whether it is an ISO date, with or without a time", "'2026-01-20' is date" => "true";
        "before" = before,
            "whether it is earlier", "'2026-01-20' is before(now)" => "true";
        "after" = after,
            "whether it is later", "'2026-01-20' is after(now)" => "false";
        "same_moment" = same_moment,
            "whether it is the same instant, whatever the offset",
            "'2026-01-20T13:00:00+01:00' is same_moment(now)" => "true";
    }
}

/// The moment of an ISO text or of seconds since 1970.
fn moment(state: &State, value: &Value) -> Result<Moment, Error> {
    match value.kind() {
        ValueKind::String => Moment::parse(value.as_str().unwrap_or_default()).ok_or_else(|| {
            unsuitable("an ISO date is needed, such as 2026-01-20T15:30:00Z; `text | parse_date` reads others")
        }),
        ValueKind::Number => {
            let seconds = f64::try_from(value.clone()).ok().filter(|seconds| seconds.abs() < 2.5e11);
            let micros = seconds.and_then(|seconds| format!("{:.0}", seconds * 1e6).parse().ok());
            let time = micros.and_then(DateTime::from_timestamp_micros);
            let time = time.ok_or_else(|| unsuitable("the number is not a time in seconds since 1970"))?;
            Ok(Moment::Zoned(time.with_timezone(&zone(state)?).fixed_offset()))
        }
        _ => Err(unsuitable(format!("a date is needed, not {}", kind(value)))),
    }
}

fn instant(state: &State, value: &Value) -> Result<DateTime<chrono::Utc>, Error> {
    Ok(moment(state, value)?.instant(zone(state)?))
}

fn before(state: &State, value: &Value, other: &Value) -> Result<bool, Error> {
    Ok(instant(state, value)? < instant(state, other)?)
}

fn after(state: &State, value: &Value, other: &Value) -> Result<bool, Error> {
    before(state, other, value)
}

fn same_moment(state: &State, value: &Value, other: &Value) -> Result<bool, Error> {
    Ok(instant(state, value)? == instant(state, other)?)
}

/// The moment on the clocks that it is to be shown on.
fn shown(state: &State, value: &Value, kwargs: &Kwargs) -> Result<Moment, Error> {
    let moment = moment(state, value)?;
    let zone = match kwargs.get::<Option<String>>("zone")? {
        Some(name) => zone_named(&name)?,
        None => zone(state)?,
    };
    Ok(match moment {
        Moment::Zoned(_) => moment.in_zone(zone),
        other => other,
    })
}

fn strftime(state: &State, moment: &Moment, format: &str) -> Result<String, Error> {
    date_out::strftime(moment, format, zone(state)?, &locale(state)).map_err(|_| unsuitable("that is not a date format"))
}

fn date(state: &State, value: &Value, format: Option<String>, kwargs: Kwargs) -> Result<String, Error> {
    let moment = shown(state, value, &kwargs)?;
    kwargs.assert_all_used()?;
    match format {
        Some(format) => strftime(state, &moment, &format),
        None => {
            let today = now(state)?.with_timezone(&zone(state)?).date_naive();
            Ok(date_out::friendly(moment.date(), today, &locale(state)))
        }
    }
}

fn time(state: &State, value: &Value, format: Option<String>, kwargs: Kwargs) -> Result<String, Error> {
    let moment = shown(state, value, &kwargs)?;
    kwargs.assert_all_used()?;
    match format {
        Some(format) => strftime(state, &moment, &format),
        None => {
            let time = moment.time().ok_or_else(|| unsuitable("a date has no time of day"))?;
            Ok(date_out::time(time, &locale(state)))
        }
    }
}

fn relative(state: &State, value: &Value) -> Result<String, Error> {
    Ok(date_out::relative(&moment(state, value)?, now(state)?, zone(state)?, &locale(state)))
}

fn add(state: &State, value: &Value, count: Option<Value>, unit: Option<String>, kwargs: Kwargs) -> Result<String, Error> {
    const UNITS: [&str; 7] = ["years", "months", "weeks", "days", "hours", "minutes", "seconds"];
    let zone = zone(state)?;
    let mut steps = Vec::new();
    match (count, unit) {
        (None, None) => {}
        (Some(count), Some(name)) => {
            let unit = Unit::parse(&name).ok_or_else(|| unsuitable("that is not a unit of time: second to year"))?;
            steps.push((count, unit));
        }
        _ => return Err(unsuitable("add takes a number and a unit, as add(2, 'days') or add(days=2)")),
    }
    for name in UNITS {
        if let (Some(count), Some(unit)) = (kwargs.get::<Option<Value>>(name)?, Unit::parse(name)) {
            steps.push((count, unit));
        }
    }
    kwargs.assert_all_used()?;
    let mut moment = moment(state, value)?;
    for (count, unit) in steps {
        let count = crate::format::number::whole(&number_of(&count, &locale(state))?);
        let count = count.ok_or_else(|| unsuitable("only whole units can be added"))?;
        moment = moment.add(count, unit, zone).ok_or_else(|| unsuitable("the date leaves the years 1 to 9999"))?;
    }
    Ok(moment.iso())
}

fn parse_date(state: &State, value: &Value) -> Result<Value, Error> {
    let read = date_in::read_date(&text(value)?, &context(state)?);
    Ok(read.map_or(Value::from(()), |date| Value::from(date.format("%Y-%m-%d").to_string())))
}

fn parse_time(state: &State, value: &Value) -> Result<Value, Error> {
    let read = date_in::read_time(&text(value)?, &context(state)?);
    Ok(read.map_or(Value::from(()), |time| Value::from(time.format("%H:%M").to_string())))
}

fn parse_datetime(state: &State, value: &Value) -> Result<Value, Error> {
    let read = date_in::read_datetime(&text(value)?, &context(state)?);
    Ok(read.map_or(Value::from(()), |time| Value::from(time.to_rfc3339())))
}

fn parse_rfc2822(value: &Value) -> Result<Value, Error> {
    let read = DateTime::parse_from_rfc2822(text(value)?.trim()).ok().map(Moment::Zoned);
    // Years of other lengths have no ISO text.
    let read = read.map(|moment| moment.iso()).filter(|iso| Moment::parse(iso).is_some());
    Ok(read.map_or(Value::from(()), Value::from))
}

fn rfc2822(state: &State, value: &Value) -> Result<String, Error> {
    match moment(state, value)? {
        Moment::Date(_) => Err(unsuitable("a date without a time is no moment")),
        Moment::Zoned(zoned) => Ok(zoned.to_rfc2822()),
        local => Ok(local.instant(zone(state)?).with_timezone(&zone(state)?).to_rfc2822()),
    }
}

fn to_zone(state: &State, value: &Value, name: Option<String>) -> Result<String, Error> {
    let home = zone(state)?;
    let zone = name.map_or(Ok(home), |name| zone_named(&name))?;
    let moment = match moment(state, value)? {
        Moment::Date(_) => return Err(unsuitable("a date without a time is in no zone")),
        // A time without an offset is one of the project's zone.
        local @ Moment::Local(_) => local.in_zone(home),
        zoned => zoned,
    };
    Ok(moment.in_zone(zone).iso())
}

fn weekday(state: &State, value: &Value, kwargs: Kwargs) -> Result<String, Error> {
    let moment = shown(state, value, &kwargs)?;
    kwargs.assert_all_used()?;
    Ok(date_out::weekday(moment.date(), &locale(state)))
}

fn hour(state: &State, value: &Value, kwargs: Kwargs) -> Result<u32, Error> {
    let moment = shown(state, value, &kwargs)?;
    kwargs.assert_all_used()?;
    moment.time().map(|time| time.hour()).ok_or_else(|| unsuitable("a date has no time of day"))
}

fn days_until(state: &State, value: &Value) -> Result<i64, Error> {
    let zone = zone(state)?;
    let day = match moment(state, value)? {
        zoned @ Moment::Zoned(_) => zoned.in_zone(zone).date(),
        other => other.date(),
    };
    Ok(day.signed_duration_since(now(state)?.with_timezone(&zone).date_naive()).num_days())
}
