//! What is told of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Fallible;
use crate::judge::Verdict;
use crate::record::{End, Record};

/// The figures of the last line, of all forms together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum {
    pub turns: usize,
    pub calls: usize,
    pub good: usize,
    pub lost: usize,
    pub doubled: usize,
    pub left: usize,
    pub over: Duration,
    pub margin: Duration,
    pub problems: usize,
    pub sound: bool,
    pub forms: usize,
}

impl Sum {
    /// The figures of one form.
    pub fn of(verdict: &Verdict, margin: Duration) -> Self {
        Self {
            turns: verdict.turns,
            calls: verdict.calls,
            good: verdict.good,
            lost: verdict.lost,
            doubled: verdict.doubled,
            left: verdict.left,
            over: verdict.over,
            margin,
            problems: verdict.problems.len(),
            sound: verdict.sound(),
            forms: 1,
        }
    }

    pub fn add(&mut self, other: Self) {
        self.sound = other.sound && (self.sound || self.forms == 0);
        self.turns += other.turns;
        self.calls += other.calls;
        self.good += other.good;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.left += other.left;
        self.problems += other.problems;
        self.forms += other.forms;
        self.over = self.over.max(other.over);
        self.margin = other.margin;
    }
}

/// The last line.
pub fn last_line(sum: &Sum) -> String {
    format!(
        "chaos: {}: {} turns, {} of {} good answers, {} lost, {} doubled, {} left in the outbox, {} problems, \
         at worst {:.3} s over the deadline ({:.3} s allowed)",
        if sum.sound { "passed" } else { "FAILED" },
        sum.turns,
        sum.good,
        sum.calls,
        sum.lost,
        sum.doubled,
        sum.left,
        sum.problems,
        sum.over.as_secs_f64(),
        sum.margin.as_secs_f64(),
    )
}

/// Writes a record into a folder, a line each: every call and every effect.
///
/// # Errors
/// When it cannot be written.
pub fn record(folder: &Path, record: &Record) -> Fallible<()> {
    let mut calls = String::new();
    for call in &record.calls {
        let turn = record.turns.get(call.turn);
        let (status, body) = match &call.end {
            End::Answer { status, body } => (json!(status), body.clone()),
            other => (json!(format!("{other:?}")), Value::Null),
        };
        let line = json!({
            "turn": call.turn, "second": call.second, "sent": call.sent.as_secs_f64(), "ended": call.ended.as_secs_f64(),
            "took": call.took.as_secs_f64(), "sender": turn.map(|turn| &turn.sender), "order": turn.map(|turn| &turn.order),
            "action": turn.map(|turn| turn.action.name), "status": status, "body": body,
        });
        writeln!(calls, "{line}")?;
    }
    std::fs::write(folder.join("calls.jsonl"), calls)?;
    let mut effects = String::new();
    for effect in &record.effects {
        writeln!(effects, "{}", json!({ "vendor": effect.vendor.name(), "order": effect.order, "id": effect.id }))?;
    }
    Ok(std::fs::write(folder.join("effects.jsonl"), effects)?)
}

/// How long things took, of times in order.
pub fn spread(times: &[Duration]) -> String {
    let at = |percent: usize| {
        let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(place).map_or(0.0, Duration::as_secs_f64)
    };
    format!("{}: p50 {:.3} s, p95 {:.3} s, p99 {:.3} s, longest {:.3} s", times.len(), at(50), at(95), at(99), at(100))
}

/// Names with their counts.
pub fn counts<K: std::fmt::Display>(counts: &BTreeMap<K, usize>) -> String {
    let all: Vec<_> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    all.join(", ")
}

/// The first of many lines, and how many there are.
pub fn some(lines: &[String], most: usize) -> String {
    let mut text = String::new();
    for line in lines.iter().take(most) {
        // Writing into a text does not fail.
        let _ = writeln!(text, "    {line}");
    }
    if lines.len() > most {
        let _ = writeln!(text, "    … and {} more", lines.len() - most);
    }
    text
}
