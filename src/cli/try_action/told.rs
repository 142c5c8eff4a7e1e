//! A trial as a text: a paragraph a step, with where it stands and how long it took, then the answer as Rasa gets it.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::start::Tried;
use crate::connector::{Fate, Noted};
use crate::engine::Entry;
use crate::qa;
use crate::rasa::Reply;

/// The run as a text: one paragraph a step, then the answer.
pub(super) fn told(tried: &Tried) -> String {
    let mut text = String::new();
    let ends = |at: usize| {
        let next = tried.entries.iter().skip(at + 1).find(|(_, entry)| matches!(entry, Entry::Step { .. }));
        next.or(tried.entries.last()).map(|(when, _)| *when)
    };
    for (at, (when, entry)) in tried.entries.iter().enumerate() {
        let took = tried.took.and_then(|_| ends(at)).map_or_else(String::new, |end| lasted(*when, end));
        step(&mut text, entry, &took);
    }
    if let Some(took) = tried.took {
        let _ = writeln!(text, "\ntook {}", shown(took));
    }
    reply(&mut text, &tried.reply);
    text
}

fn step(text: &mut String, entry: &Entry, took: &str) {
    let _ = match entry {
        Entry::Input { name, from, value, place } => {
            writeln!(text, "{:<40} {name} = {value}, from {from}", place.place())
        }
        Entry::Step { verb, place, runs: true } => writeln!(text, "{:<40} {verb}{took}", place.place()),
        Entry::Step { verb, place, runs: false } => {
            writeln!(text, "{:<40} {verb}, skipped: its `when` is false", place.place())
        }
        Entry::Call { connection, operation, inputs, notes, result } => {
            let came = match result {
                Ok(value) => format!("{value:#}"),
                Err(fault) => fault.to_string(),
            };
            let sent: String = notes.requests.iter().map(sent).collect();
            writeln!(text, "    {connection}.{operation} {inputs}\n{sent}    → {}", came.replace('\n', "\n      "))
        }
        Entry::Kept { age, instead } => {
            let value = instead.as_ref().map_or_else(String::new, |value| format!(", in its place: {value:#}"));
            writeln!(text, "    ← kept, {} seconds old{}", age.as_secs(), value.replace('\n', "\n      "))
        }
        Entry::Recalled { name, age, value } => {
            writeln!(text, "    {name}\n    ← kept, {} seconds old: {value:#}", age.as_secs())
        }
        Entry::Guard { place, holds } => {
            writeln!(text, "{:<40} require: {}", place.place(), if *holds { "holds" } else { "refuses" })
        }
        Entry::Problem { place, message } => writeln!(text, "{:<40} FAILED: {message}", place.place()),
    };
}

/// A request of a call as lines, and its answer. What proves who we are is not in it.
fn sent(request: &Noted) -> String {
    let what = match request.fate {
        Fate::Answered(status) => format!("{}, answered with {status}", request.line),
        Fate::Unanswered => format!("{}, not answered", request.line),
        Fate::Kept => format!("would send {}", request.line),
    };
    let body = |mark: &str, body: &Option<String>| {
        let body = body.as_ref().map(|body| format!("        {mark}{}\n", readable(body).replace('\n', "\n        ")));
        body.unwrap_or_default()
    };
    format!("      {what}\n{}{}", body("", &request.body), body("← ", &request.answer))
}

/// A body as it was sent, JSON with a key a line when it is long.
fn readable(body: &str) -> String {
    let long = body.len() > 100;
    let json = serde_json::from_str::<Value>(body).ok().filter(|_| long);
    json.map_or_else(|| body.to_owned(), |json| format!("{json:#}"))
}

fn reply(text: &mut String, reply: &Reply) {
    let _ = match reply {
        Reply::Answer(answer) => {
            let said = answer.responses.iter().map(|message| format!("  {}\n", qa::shown(message))).collect::<String>();
            let events = answer
                .events
                .iter()
                .map(|event| format!("  {}\n", serde_json::to_string(event).unwrap_or_default()))
                .collect::<String>();
            let or_none = |lines: String| if lines.is_empty() { "  (none)\n".to_owned() } else { lines };
            write!(text, "\nsaid\n{}events\n{}", or_none(said), or_none(events))
        }
        Reply::Rejected { reason, .. } => writeln!(text, "\ndeclined: {reason}"),
        other => writeln!(text, "\n{other:?}"),
    };
}

/// How long a step lasted, where that is worth a word.
fn lasted(begun: Instant, ended: Instant) -> String {
    let took = ended.saturating_duration_since(begun);
    if took < Duration::from_millis(1) { String::new() } else { format!(", {}", shown(took)) }
}

fn shown(took: Duration) -> String {
    match took.as_millis() {
        0 => "under a millisecond".to_owned(),
        millis @ 1..10_000 => format!("{millis} ms"),
        millis => format!("{} s", millis / 1000),
    }
}
