//! What an answer means: the rules of the operation, then those of the connector, then what the status usually means.
//!
//! A fault's operator text names the request as the file has it and the status, never anything of the body; what the user may
//! be told is what a rule takes out of the body, without markup and cut short.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::received::Received;
use crate::fault::{Class, Fault, Outcome};
use crate::plan::connector::{ErrorRule, HttpSystem, Wait, WaitSource, WaitUnit};
use crate::template::{Scope, Template};

/// The longest text of a vendor that a user is told.
const LONGEST: usize = 300;
/// The longest wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// An answer that is an error.
pub(super) struct Judged {
    pub(super) fault: Fault,
    /// Whether asking again soon may help.
    pub(super) retry: bool,
}

/// What the answer means when it is an error; none when it is none. `scope` has `body` and `http`.
pub(super) fn judged(
    system: &HttpSystem,
    own: &[ErrorRule],
    answer: &Received,
    scope: &Scope,
    place: &str,
    now: DateTime<Utc>,
) -> Option<Judged> {
    let status = answer.status;
    let holds = |rule: &&ErrorRule| {
        let status = rule.statuses.is_empty() || rule.statuses.iter().any(|range| range.contains(&status));
        // A condition that an answer gives no answer to does not hold of it.
        status && rule.when.as_ref().is_none_or(|when| when.truth(scope).unwrap_or(false))
    };
    let rule = own.iter().chain(&system.errors).find(holds);
    let outcome = match rule {
        Some(rule) => rule.outcome,
        None => usual(status),
    };
    let Some(outcome) = outcome else {
        let why = answer.unreadable.as_ref()?;
        let fault = Fault::new(Outcome::Unexpected, format!("{place} is answered with {status}, but {why}"));
        return Some(Judged { fault: Fault { unsettled: true, ..fault }, retry: false });
    };
    let mut fault = Fault::new(outcome, format!("{place} is answered with {status}"));
    // A refusal was no work; of a system that is in trouble nobody knows how far it came.
    fault.unsettled = matches!(outcome, Outcome::Unavailable | Outcome::Timeout | Outcome::Unexpected);
    fault.public = rule.and_then(|rule| rule.say.as_ref()).and_then(|say| said(say, scope));
    if outcome.class() == Class::Transient {
        fault.retry_after = waits(system, answer, scope, now);
    }
    Some(Judged { fault, retry: rule.is_none_or(|rule| rule.retry) })
}

/// What a status usually means; none when it is no error.
const fn usual(status: u16) -> Option<Outcome> {
    Some(match status {
        200..=299 => return None,
        400 | 413 | 414 | 422 => Outcome::Invalid,
        401 => Outcome::Misconfigured,
        402 | 403 | 451 => Outcome::Denied,
        404 => Outcome::NotFound,
        408 | 425 => Outcome::Unavailable,
        409 | 412 | 423 => Outcome::Conflict,
        429 => Outcome::RateLimited,
        500..=599 => Outcome::Unavailable,
        _ => Outcome::Unexpected,
    })
}

fn said(say: &Template, scope: &Scope) -> Option<String> {
    let text = say.text(scope).ok()?;
    let mut plain = String::new();
    let mut tag = false;
    for c in text.chars() {
        match c {
            '<' => tag = true,
            '>' if tag => tag = false,
            c if tag || c.is_control() && !c.is_whitespace() => {}
            c => plain.push(c),
        }
    }
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = words.chars().take(LONGEST).collect();
    (!cut.is_empty()).then_some(cut)
}

/// How long the vendor asks to be left alone.
fn waits(system: &HttpSystem, answer: &Received, scope: &Scope, now: DateTime<Utc>) -> Option<Duration> {
    let one = |wait: &Wait| {
        let text = match &wait.source {
            WaitSource::Header(name) => answer.header(name)?.to_owned(),
            WaitSource::Value(value) => {
                let value = crate::template::to_json(&value.eval(scope).ok()?).ok()?;
                super::encode::scalar(&value)?
            }
        };
        span(text.trim(), wait.unit, now)
    };
    let told = system.waits.iter().find_map(one);
    told.or_else(|| span(answer.header("retry-after")?.trim(), WaitUnit::Seconds, now)).map(|wait| wait.min(LONGEST_WAIT))
}

fn span(text: &str, unit: WaitUnit, now: DateTime<Utc>) -> Option<Duration> {
    let number = || text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    let until = |at: DateTime<Utc>| Some(at.signed_duration_since(now).to_std().unwrap_or_default());
    let epoch = |seconds: f64| DateTime::from_timestamp_millis(to_millis(seconds)?).and_then(until);
    match unit {
        WaitUnit::Seconds => match number() {
            Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            None => DateTime::parse_from_rfc2822(text).ok().and_then(|at| until(at.with_timezone(&Utc))),
        },
        WaitUnit::Millis => Duration::try_from_secs_f64(number()? / 1000.0).ok(),
        WaitUnit::Epoch => epoch(number()?),
        WaitUnit::EpochMillis => epoch(number()? / 1000.0),
        WaitUnit::Time => DateTime::parse_from_rfc3339(text).ok().and_then(|at| until(at.with_timezone(&Utc))),
    }
}

/// Milliseconds of a time in seconds, when it is one that people live to see.
fn to_millis(seconds: f64) -> Option<i64> {
    let whole = Duration::try_from_secs_f64(seconds).ok()?;
    i64::try_from(whole.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;

    #[test]
    fn a_wait_is_read_in_its_unit() {
        let now = Utc.with_ymd_and_hms(2026, 1, 23, 12, 0, 0).unwrap();
        for (text, unit, seconds) in [
            ("30", WaitUnit::Seconds, Some(30.0)),
            ("0.5", WaitUnit::Seconds, Some(0.5)),
            ("Fri, 23 Jan 2026 12:00:07 GMT", WaitUnit::Seconds, Some(7.0)),
            ("15000", WaitUnit::Millis, Some(15.0)),
            ("1769169620", WaitUnit::Epoch, Some(20.0)),
            ("1769169620000", WaitUnit::EpochMillis, Some(20.0)),
            ("2026-01-23T12:01:00Z", WaitUnit::Time, Some(60.0)),
            ("2026-01-23T11:00:00Z", WaitUnit::Time, Some(0.0)),
            ("soon", WaitUnit::Seconds, None),
            ("-1", WaitUnit::Seconds, None),
            ("1e400", WaitUnit::Epoch, None),
        ] {
            assert_eq!(span(text, unit, now).map(|span| span.as_secs_f64()), seconds, "{text}");
        }
    }
}
