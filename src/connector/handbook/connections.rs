//! The connections of a project, and what came of testing them, for a terminal.

use std::fmt::Write;
use std::time::Duration;

use super::words::{count, span};
use crate::connector::facts::breaker as usual_breaker;
use crate::connector::{Facts, Tested};
use crate::resilience::BreakerRules;

/// Every connection: what it is connected to, what it allows, how patient it is, and what is kept.
#[must_use]
pub fn connections(all: &[Facts]) -> String {
    let width = all.iter().map(|one| one.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for one in all {
        let mut lines = vec![what(one)];
        lines.extend(patience(one));
        lines.extend(breaker(one));
        lines.extend(one.sender.map(|sender| {
            format!("{} by one sender in {}", count(sender.calls as usize, "call"), seconds(sender.per_seconds))
        }));
        lines.extend(kept(one));
        lines.extend(faults(one).map(|faults| format!("goes wrong on purpose: {faults}")));
        for (at, line) in lines.iter().enumerate() {
            let name = if at == 0 { one.name.as_str() } else { "" };
            let _ = writeln!(text, "{name:<width$}  {line}");
        }
    }
    text
}

fn what(one: &Facts) -> String {
    let mut parts = vec![one.connector.clone()];
    parts.extend(one.api_version.as_ref().map(|version| format!("API {version}")));
    let address = one.address.as_deref().unwrap_or("its address cannot be told: a setting is missing, or a secret");
    parts.push(if one.stand_in { format!("played by {address}") } else { address.to_owned() });
    parts.push(one.mode.to_owned());
    parts.extend(one.share.map(|share| format!("for {share}% of the senders")));
    parts.join(" · ")
}

fn patience(one: &Facts) -> Option<String> {
    let limits = one.limits?;
    let mut parts = vec![
        format!("an attempt may take {}", seconds(limits.timeout_seconds)),
        count(limits.attempts as usize, "attempt"),
        format!("{} at the same time", count(limits.concurrent as usize, "request")),
    ];
    parts.extend(limits.requests.zip(limits.per_seconds).map(|(requests, per)| format!("{requests} in {}", seconds(per))));
    parts.extend(limits.hedge_seconds.map(|after| match after {
        Some(after) => format!("a second one beside a read that takes {}", seconds(after)),
        None => "a second one beside a read that takes longer than most".to_owned(),
    }));
    Some(parts.join(" · "))
}

/// When it is left alone; of a database only where it is asked otherwise than usual.
fn breaker(one: &Facts) -> Option<String> {
    let Some(breaker) = one.breaker else { return Some("never left alone (`breaker: off`)".to_owned()) };
    if one.limits.is_none() && breaker == usual_breaker(BreakerRules::default()) {
        return None;
    }
    let (rest, window, slow) =
        (seconds(breaker.rest_seconds), seconds(breaker.window_seconds), seconds(breaker.slow_seconds));
    Some(format!(
        "left alone for {rest} when of {} or more in {window} {}% fail or {}% take {slow}",
        count(breaker.calls as usize, "request"),
        breaker.failures,
        breaker.slow
    ))
}

fn seconds(seconds: f64) -> String {
    span(Duration::from_secs_f64(seconds))
}

/// What is kept for how long: operations with the same times stand together.
fn kept(one: &Facts) -> Option<String> {
    let mut times: Vec<((u64, u64), Vec<&str>)> = Vec::new();
    for operation in &one.operations {
        let Some(time) = operation.fresh_seconds.zip(operation.stale_seconds) else { continue };
        match times.iter_mut().find(|(known, _)| *known == time) {
            Some((_, names)) => names.push(&operation.name),
            None => times.push((time, vec![&operation.name])),
        }
    }
    let said = |((fresh, stale), names): &((u64, u64), Vec<&str>)| {
        let (fresh, stale) = (span(Duration::from_secs(*fresh)), span(Duration::from_secs(*stale)));
        let times = if fresh == stale { fresh } else { format!("{fresh}, {stale} while it is down") };
        format!("{} ({times})", names.join(", "))
    };
    (!times.is_empty()).then(|| format!("kept: {}", times.iter().map(said).collect::<Vec<_>>().join("; ")))
}

fn faults(one: &Facts) -> Option<String> {
    let faults = one.faults?;
    let share = |name: &str, share: Option<u8>| share.map(|share| format!("{share}% {name}"));
    let parts = [
        faults.latency_seconds.map(|seconds| format!("{} later", span(Duration::from_secs_f64(seconds)))),
        share("errors", faults.errors),
        share("malformed", faults.malformed),
        share("resets", faults.resets),
    ];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// What came of testing connections: a line each, and what to do about those that do not work.
#[must_use]
pub fn tests(all: &[Tested]) -> String {
    let width = all.iter().map(|one| one.connection.len()).max().unwrap_or_default();
    let mut text = String::new();
    for one in all {
        let end = match &one.detail {
            None => format!("{} ms", one.ms),
            Some(detail) => detail.clone(),
        };
        let _ = writeln!(text, "{:<width$}  {}  {end}", one.connection, one.outcome);
        if let Some(cure) = &one.cure {
            let _ = writeln!(text, "{:<width$}  {cure}", "");
        }
    }
    text
}
